"""Fits the odds that the audit reports, and checks them on people that it never saw.

``python -m benchmarks.run odds`` fits on ``eval/lfw`` people 0000-0499 (every second of them),
writes ``seethrough/assets/odds.json`` and checks on people 0500-0999. A limited run writes to the
benchmarks' cache instead. Run it after the restorer or an attacker has changed.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np

from benchmarks import odds_fit, parts
from benchmarks.identification import outcome
from benchmarks.odds_fit import Sample
from benchmarks.reads import People, Reader
from benchmarks.results import Column, Estimate, Options, Section, Table, Value
from benchmarks.sets import provenance
from benchmarks.styles import Style, by_name, stronger, styles
from seethrough.auditor import odds
from seethrough.auditor.attackers import COVERED_WEIGHT, directions
from seethrough.auditor.recognisers import RECOGNISERS
from seethrough.weights import ASSETS

WEIGHTS = (0.0, 0.25, 0.5, COVERED_WEIGHT, 1.0, 1.5)
GOAL = 0.03
"""Calibration error to stay below, N = 100, pooled over operators, unseen people."""


def covers() -> list[Style]:
    """Styles that the audit can name."""
    return [style for style in (*styles(), *stronger()) if style.operator is not None]


def asset(options: Options) -> Path:
    """Where the calibration is written: a limited run never touches the package."""
    return (ASSETS if options.limit is None else parts.cache_folder()) / odds.FILE


def gathered(
    reader: Reader,
    which: People,
    fusion: odds.Fusion,
    *,
    people_as_strangers: bool = False,
) -> list[Sample]:
    """Samples of all covers."""
    return [
        sample
        for style in covers()
        for sample in odds_fit.samples(
            reader, style, which, fusion, people_as_strangers=people_as_strangers
        )
    ]


def run(options: Options) -> Section:
    """Fit, write the asset, check."""
    reader, rng = Reader(options), np.random.default_rng(options.seed)
    fusion = odds_fit.fit_fusion(reader, covers(), reader.calibration)
    calibration = odds_fit.calibrate(gathered(reader, reader.calibration, fusion), fusion)
    path = asset(options)
    path.write_text(odds.to_json(calibration), encoding="utf-8")
    print(f"{path}: {path.stat().st_size:,} bytes", file=sys.stderr)

    rows: list[dict[str, Value]] = []
    each: list[dict[str, Value]] = []
    for strangers, as_people in (("computer-generated, as shipped", False), ("people", True)):
        found = gathered(reader, reader.reported, fusion, people_as_strangers=as_people)
        found = [odds_fit.with_impostors(sample, calibration.impostors) for sample in found]
        for same in (False, True):
            gallery = "the covered frame" if same else "another photo"
            for people in odds.GALLERIES:
                checked = odds_fit.check(calibration, found, same_frame=same, people=people)
                rows.append(
                    {
                        "strangers": strangers,
                        "gallery": gallery,
                        "people": people,
                        "error": Estimate(
                            checked.error(), *checked.interval(rng), len(reader.reported)
                        ),
                        "predicted": float(checked.predicted.mean()),
                        "reached": float(checked.hits.mean()),
                        "met": _met(checked.error(), people),
                    }
                )
            if not as_people:
                each += _by_attacker(calibration, found, gallery, same=same)
    text = (
        "Odds that the audit reports, against what happened: `eval/lfw` people 0500-0999, whom the "
        "fit never saw, every cover that the audit can name (plain), every attacker and "
        "recogniser pooled. Error: mean absolute difference between predicted and reached odds "
        "over ten bins of the prediction, in percentage points; its interval by bootstrap over "
        "people. `another photo`: the attacker's similarity to photo 0 is set against strangers' "
        "and read. `the covered frame`: only the frame itself was there to compare with, and odds "
        "of finding the person by another photo are predicted from that. `strangers`: whom the "
        "similarity is set against. For `another photo` this makes a difference to the naive "
        "attacker alone: the others cover their photos too, and the audit knows strangers' "
        "similarities from the calibration people."
    )
    columns = (
        Column("strangers", "strangers to compare with"),
        Column("gallery", "photo of the person"),
        Column("people", "N"),
        Column("error", "calibration error", 1, share=True),
        Column("predicted", "predicted", 1, share=True),
        Column("reached", "reached", 1, share=True),
        Column("met", f"at most {100 * GOAL:g} points"),
    )
    detail = (
        Column("level", "attacker"),
        Column("recogniser", "recogniser"),
        Column("gallery", "photo of the person"),
        Column("error", "calibration error", 1, share=True),
        Column("predicted", "predicted", 1, share=True),
        Column("reached", "reached", 1, share=True),
    )
    weights = ", ".join(f"{name} {sha}" for name, sha in reader.weights.items())
    return Section(
        key="odds",
        title="Odds of the audit",
        text=text,
        tables=(
            Table("Calibration on unseen people", columns, tuple(rows)),
            Table("By attacker, N = 100, strangers as shipped", detail, tuple(each)),
            _weights(reader, fusion),
        ),
        provenance={
            "weights": weights,
            "fusion": "; ".join(
                f"{name} "
                + ", ".join(f"{kind} {u:g} x 2^({v:g} s)" for kind, (u, v) in each.items())
                for name, each in fusion.items()
            ),
            **provenance(options),
        },
    )


def _weights(reader: Reader, fusion: odds.Fusion) -> Table:
    """Rank-1 of calibration people by how much what is read in covered photos counts."""
    people, photos = reader.calibration, reader.clean_gallery()
    owners = reader.owners(people)
    rows: list[dict[str, Value]] = []
    for style in map(by_name, odds_fit.FUSION_STYLES):
        for name in ("A2", "A2+A3"):
            if name not in reader.names:
                continue
            reads = reader.reads(name, style, people, fusion)
            covered = reader.covered_gallery(name, style, fusion)
            for recogniser in RECOGNISERS:
                row: dict[str, Value] = {
                    "style": f"`{style.name}`",
                    "attacker": name,
                    "recogniser": recogniser,
                }
                both = photos[recogniser], covered[recogniser]
                for weight in WEIGHTS:
                    similarities = directions(recogniser, reads[recogniser], *both, weight)
                    row[f"{weight:g}"] = float(outcome(similarities, owners).first.mean())
                rows.append(row)
    columns = (
        Column("style", "style"),
        Column("attacker", "attacker"),
        Column("recogniser", "recogniser"),
        *(Column(f"{weight:g}", f"{weight:g}", 1, share=True) for weight in WEIGHTS),
    )
    words = (
        f"Rank-1 of {len(people)} calibration people among {len(reader.crowd):,}, by the weight of "
        f"what is read in covered photos; {COVERED_WEIGHT:g} was chosen"
    )
    return Table(words, columns, tuple(rows))


def _met(error: float, people: int) -> str:
    if people != 100:
        return ""
    return "yes" if error <= GOAL else "no"


def _by_attacker(
    calibration: odds.Calibration, found: list[Sample], gallery: str, *, same: bool
) -> list[dict[str, Value]]:
    rows: list[dict[str, Value]] = []
    for level, recogniser in sorted({(s.level, s.recogniser) for s in found}):
        chosen = [s for s in found if (s.level, s.recogniser) == (level, recogniser)]
        checked = odds_fit.check(calibration, chosen, same_frame=same, people=100)
        rows.append(
            {
                "level": level,
                "recogniser": recogniser,
                "gallery": gallery,
                "error": checked.error(),
                "predicted": float(checked.predicted.mean()),
                "reached": float(checked.hits.mean()),
            }
        )
    return rows
