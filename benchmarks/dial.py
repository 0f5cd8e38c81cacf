"""What the dial's constants trade: ``python -m benchmarks.run dial``.

They were chosen by this, on ``valid``; the evaluation sets had no part in it.
"""

from __future__ import annotations

import sys

import numpy as np

from benchmarks import identity, lpips, sets
from benchmarks.metrics import Crops
from benchmarks.results import Column, Options, Section, Table, Value
from benchmarks.scoring import COLUMNS, Judges, row
from benchmarks.sets import Setting
from seethrough import degrade
from seethrough.errors import UsageError
from seethrough.pipeline.options import REALISM
from seethrough.restorer import Restorer
from seethrough.restorer.dial import BANDS, Bands, blended
from seethrough.types import Kind
from seethrough.weights import record

SETTINGS = tuple(Setting(name) for name in ("x4", "mosaic-8", "gauss-6"))
TRIED = (
    Bands(fine=1, coarse=1, chroma=0),
    *(Bands(sigma=sigma) for sigma in (1.0, 1.5, 1.75, 2.5)),
    *(Bands(fine=fine, coarse=coarse) for fine, coarse in ((0.5, 8), (1.5, 8), (1, 4))),
    Bands(chroma=0),
)
"""The first blends all frequencies and colours alike, as the last does colours."""


def called(bands: Bands) -> str:
    """What the table calls a way to blend."""
    chosen = ", chosen" if bands == BANDS else ""
    if bands.fine == bands.coarse:
        return "all frequencies and colours alike"
    colour = f", colour d^{bands.chroma:g}" if bands.chroma != BANDS.chroma else ""
    return f"sigma {bands.sigma:g}, d^{bands.fine:g} and d^{bands.coarse:g}{colour}{chosen}"


def mixed(mean: Crops, realistic: Crops, bands: Bands) -> Crops:
    """Blend crops at the default, ``uint8 (N, 128, 128, 3)``."""
    soft, real = (degrade.to_float(crops).transpose(0, 3, 1, 2) for crops in (mean, realistic))
    return degrade.to_uint8(blended(soft, real, REALISM, bands).transpose(0, 2, 3, 1))


def run(options: Options) -> Section:
    """Blend both networks' pictures of ``valid`` in several ways, and score each."""
    if options.weights is not None:
        raise UsageError("the dial is measured with the shipped networks", "leave --weights out")
    faces = sets.load("valid", options.shared, options.limit)
    judges, rng = Judges(options.threads), np.random.default_rng(options.seed)
    restorers = [Restorer("cpu", options.threads, realism=end) for end in (0.0, 1.0)]
    rows: list[dict[str, Value]] = []
    for setting in SETTINGS:
        inputs = sets.degraded(faces, setting, options.shared, options.seed)
        kinds: list[Kind] = ["face"] * len(inputs.crops)
        mean, realistic = (each.restore_crops(inputs.crops, kinds) for each in restorers)
        made = {"posterior mean": mean} | {
            called(bands): mixed(mean, realistic, bands) for bands in TRIED
        }
        for name, crops in made.items():
            scores = judges.each(crops, faces, inputs, setting)
            rows.append({**row(setting, scores, rng), "method": name})
            print(f"{setting} {name}", file=sys.stderr, flush=True)
    text = (
        f"The dial at its default, d = {REALISM:g}, with other constants than the shipped ones "
        "(`restorer/dial.py`): the Gaussian that tells detail from structure, and which power of d "
        "each takes, and the change of colour (8 unless told). "
        f"{len(faces.clean)} faces of `valid`, by which the constants were chosen."
    )
    columns = tuple(
        Column("method", "blend") if column.key == "method" else column for column in COLUMNS
    )
    used = [record(name).used for name in ("restorer", "realistic")]
    provenance = {
        "weights": "; ".join(f"{w.name}, sha256 {w.sha256}" for w in used),
        "LPIPS": lpips.SOURCE,
        "identity": identity.SOURCE,
        **sets.provenance(options),
    }
    return Section(
        "dial", "The dial's constants", text, (Table("`valid`", columns, tuple(rows)),), provenance
    )
