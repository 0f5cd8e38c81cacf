"""How well faces are restored, beside other methods: ``python -m benchmarks.restoration``.

``--quick`` measures PSNR alone, without peers: to choose weights by on ``valid``. With ``--peers
stored`` our restorer alone is measured, and the rows that the stored section has of the inputs and
of the peers are kept: they do not change with our weights, and take hours.
"""

from __future__ import annotations

import hashlib
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import cv2
import numpy as np

from benchmarks import command, identity, lpips, metrics, parts, peers, results, sets
from benchmarks.metrics import Crops
from benchmarks.peers import Method
from benchmarks.results import Column, Estimate, Goal, Options, Section, Table, Value, goals
from benchmarks.scoring import COLUMNS, Judges, sheet
from benchmarks.sets import FaceSet, Inputs, Setting
from seethrough.restorer import Restorer

BASES = ("x4", "x8", "mosaic-6", "mosaic-8", "mosaic-12", "gauss-4", "gauss-6", "gauss-8")
PLAIN = tuple(Setting(base) for base in BASES)
COMPRESSED = tuple(Setting(base, "h264", 23) for base in BASES)
HEADLINE = ("x4", "x8", "mosaic-8", "gauss-6")
"""Where every peer is measured too."""
PEERS = ("unsharp", "wiener", "richardson-lucy", "real-esrgan")
TUNING = 32
"""Pictures of ``valid`` that a classical filter's constant is chosen on."""


@dataclass(frozen=True)
class Aim:
    """What the project set out to reach on ``eval/ffhq``."""

    psnr: float
    same: float | None
    loss: float


AIMS: Mapping[str, Aim] = {
    "x4": Aim(26.4, None, 2.0),
    "x8": Aim(23.6, None, 2.0),
    "mosaic-8": Aim(23.9, 0.70, 1.0),
    "gauss-6": Aim(25.2, 0.85, 2.0),
}


class Ours:
    """The restorer under test, through the public class."""

    name = "SeeThrough"
    note = "blind to the setting"

    def __init__(self, options: Options) -> None:
        self._restorer = Restorer(device="cpu", threads=options.threads, weights=options.weights)

    @property
    def identifier(self) -> str:
        """Name and checksum of the weights."""
        used = self._restorer.weights
        return f"{used.name}, sha256 {used.sha256}"

    def restore(self, inputs: Inputs, setting: Setting) -> Crops:
        """Restore face crops."""
        return self._restorer.restore_crops(inputs.crops, ["face"] * len(inputs.crops))


def chosen_peers(
    names: Sequence[str], setting: Setting, options: Options, real_esrgan: Method | None
) -> list[Method]:
    """The peers of ``names`` ready for a setting, their constants chosen on ``valid``."""
    classical = dict(zip(PEERS, peers.CLASSICAL, strict=False))
    wanted = [classical[name] for name in names if name in classical]
    found: list[Method] = []
    if wanted:
        valid = sets.load("valid", options.shared, TUNING)
        degraded = sets.degraded(valid, setting, options.shared, options.seed)
        found += [peer.tuned(degraded, valid.clean, setting) for peer in wanted]
    if real_esrgan is not None and "real-esrgan" in names:
        found.append(real_esrgan)
    return found


def restored_by(method: Method, inputs: Inputs, setting: Setting) -> Crops:
    """Restore, or take a slow peer's output from the cache: peers do not change."""
    if isinstance(method, Ours | peers.Unchanged):
        return method.restore(inputs, setting)
    constant = method.constant if isinstance(method, peers.Tuned) else ""
    digest = hashlib.sha256(f"1 {method.name} {constant} {method.note} {setting}".encode())
    digest.update(inputs.crops.tobytes())
    path = parts.cache_folder() / f"peer-{digest.hexdigest()[:24]}.npy"
    if not path.exists():
        with parts.written(path) as temporary:
            np.save(temporary, method.restore(inputs, setting))
    return np.asarray(np.load(path, allow_pickle=False), np.uint8)


def measure(
    faces: FaceSet,
    settings: Sequence[Setting],
    ours: Ours,
    peer_names: Sequence[str] | None,
    options: Options,
) -> list[dict[str, Value]]:
    """Rows of a table: each setting with the input, our restorer and, at headlines, the peers.

    ``peer_names`` is ``None`` for our restorer alone.
    """
    judges, rng = Judges(options.threads), np.random.default_rng(options.seed)
    names = peer_names or ()
    real_esrgan = peers.RealEsrgan(options.threads) if "real-esrgan" in names else None
    rows: list[dict[str, Value]] = []
    for setting in settings:
        inputs = sets.degraded(faces, setting, options.shared, options.seed)
        methods: list[Method] = [ours] if peer_names is None else [peers.Unchanged(), ours]
        if str(setting) in HEADLINE:
            methods += chosen_peers(names, setting, options, real_esrgan)
        outputs: dict[str, Crops] = {}
        for method in methods:
            outputs[method.name] = restored_by(method, inputs, setting)
            row = judges.scores(outputs[method.name], faces, inputs, setting, rng)
            rows.append({**row, "method": method.name})
            psnr = row["psnr"]
            assert isinstance(psnr, Estimate)
            _say(f"{faces.name} {setting} {method.name}: {psnr.mean:.2f} dB")
        if options.sheets is not None:
            path = options.sheets / f"{faces.name}-{setting}.png"
            _save_sheet(path, {**outputs, "truth": faces.clean})
    return rows


def beside_stored(rows: Sequence[dict[str, Value]], stored: Table) -> list[dict[str, Value]]:
    """Put rows of our restorer in the place of those that a stored table has.

    Raises
    ------
    SystemExit
        Where the table was made of other settings.
    """
    ours = {row["setting"]: row for row in rows}
    kept = [dict(row) for row in stored.rows]
    if {row["setting"] for row in kept if row["method"] == Ours.name} != set(ours):
        raise SystemExit(f"the stored table {stored.caption!r} has other settings: measure all")
    return [ours[row["setting"]] if row["method"] == Ours.name else row for row in kept]


def quick(faces: FaceSet, settings: Sequence[Setting], ours: Ours, options: Options) -> Table:
    """PSNR of input and output only."""
    rng = np.random.default_rng(options.seed)
    rows: list[dict[str, Value]] = []
    for setting in settings:
        inputs = sets.degraded(faces, setting, options.shared, options.seed)
        given = metrics.psnr_each(inputs.crops, faces.clean)
        restored = metrics.psnr_each(ours.restore(inputs, setting), faces.clean)
        rows.append(
            {
                "setting": str(setting),
                "input": float(given.mean()),
                "restored": metrics.estimate(restored, rng),
                "gain": metrics.estimate(restored - given, rng),
            }
        )
    columns = ("setting", "input", "restored", "gain")
    return Table(
        f"PSNR in dB on {len(faces.clean)} pictures of {faces.name}",
        tuple(Column(name, name) for name in columns),
        tuple(rows),
    )


def against_goals(rows: Sequence[Mapping[str, Value]]) -> Table:
    """The project's goals beside what was measured on ``eval/ffhq``."""

    def mean(setting: str, method: str, metric: str) -> float | None:
        for row in rows:
            if row["setting"] == setting and row["method"] == method:
                value = row[metric]
                return value.mean if isinstance(value, Estimate) else None
        return None

    found: list[Goal] = []

    def add(what: str, measured: float | None, bar: float, *, least: bool) -> None:
        if measured is not None:
            found.append(Goal(what, measured, bar, least))

    for setting, aim in AIMS.items():
        plain = mean(setting, Ours.name, "psnr")
        add(f"`{setting}`, PSNR", plain, aim.psnr, least=True)
        compressed = mean(f"{setting}+h264-23", Ours.name, "psnr")
        if plain is not None and compressed is not None:
            add(f"`{setting}`, dB lost to H.264", plain - compressed, aim.loss, least=False)
        if aim.same is not None:
            same = mean(setting, Ours.name, "same")
            add(f"`{setting}`, share below 0.6", same, aim.same, least=True)
    ours, peer = (
        {m: mean("x4", n, m) for m in ("psnr", "identity")}
        for n in (Ours.name, peers.RealEsrgan.name)
    )
    if ours["psnr"] is not None and peer["psnr"] is not None:
        add("`x4`, dB over Real-ESRGAN", ours["psnr"] - peer["psnr"], 3.5, least=True)
    if ours["identity"] is not None and peer["identity"] is not None:
        nearer = peer["identity"] - ours["identity"]
        add("`x4`, identity nearer than Real-ESRGAN's", nearer, 0.10, least=True)
    return goals("Against the goals, `eval/ffhq`", found)


def section(
    options: Options,
    names: Sequence[str] = ("ffhq", "london"),
    settings: Sequence[Setting] = (*PLAIN, *COMPRESSED),
    peer_names: Sequence[str] = PEERS,
    stored: Section | None = None,
) -> Section:
    """Measure the sets under the settings.

    Parameters
    ----------
    options : Options
        Where, how many, with which weights.
    names : sequence of str
        Sets; peers are measured on the first.
    settings : sequence of Setting
        Degradations.
    peer_names : sequence of str
        Of :data:`PEERS`; may be empty.
    stored : Section, optional
        Keep its rows of inputs and peers, and measure our restorer alone.
    """
    ours = Ours(options)
    kept = {} if stored is None else {table.caption: table for table in stored.tables}
    plain = [s for s in settings if not s.codec]
    encoded = [s for s in settings if s.codec]
    tables: list[Table] = []
    for name in names:
        faces = sets.load(name, options.shared, options.limit)
        chosen = None if stored is not None else peer_names if name == names[0] else ()
        rows = {}
        for how, some in (("as defined", plain), ("encoded", encoded)):
            rows[how] = measure(faces, some, ours, chosen, options)
            if stored is not None:
                caption = f"`{name}`, {len(faces.clean)} faces, {how}"
                rows[how] = beside_stored(rows[how], kept[caption])
        if name == "ffhq":
            tables.append(against_goals([*rows["as defined"], *rows["encoded"]]))
        for how, found in rows.items():
            if found:
                caption = f"`{name}`, {len(faces.clean)} faces, {how}"
                tables.append(Table(caption, COLUMNS, tuple(found)))
    notes = [
        (peers.Unchanged.name, peers.Unchanged.note),
        *((peer.name, peer.note) for peer in peers.CLASSICAL),
        (peers.RealEsrgan.name, peers.RealEsrgan.note),
    ]
    preface = (
        "Aligned faces of 128 px; settings and metrics by PROTOCOL. `+h264-23`: the degraded "
        "crop enlarged to 256 px (cubic; the crop alone is the frame), a one-second still "
        "film, x264 `medium`, yuv420p, its last frame, reduced again (our setting). No figure "
        "here is the seed paper's. Consistency is capped at 60 dB; at `x4` and `x8` the "
        "Gaussian that explains the input best stands for the unknown blur."
    )
    text = "\n".join([preface, "", *(f"- {name}: {note}." for name, note in notes)])
    provenance = {
        "weights": ours.identifier,
        "LPIPS": lpips.SOURCE,
        "identity": identity.SOURCE,
        **sets.provenance(options),
    }
    if stored is not None:
        before = f"measured before, by {stored.provenance['command']}"
        provenance["inputs and peers"] = stored.provenance.get("inputs and peers", before)
    return Section("restoration", "Restoration of faces", text, tuple(tables), provenance)


def run(options: Options) -> Section:
    """All sets, settings and peers: what ``RESULTS.md`` shows."""
    return section(options)


def _save_sheet(path: Path, columns: Mapping[str, Crops]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    if not cv2.imwrite(str(path), sheet(columns)[..., ::-1]):
        raise OSError(f"{path} cannot be written")


def _say(words: str) -> None:
    print(words, file=sys.stderr, flush=True)


def _listed(text: str, known: Sequence[str]) -> list[str]:
    names = [name for name in text.split(",") if name and name != "none"]
    if unknown := set(names) - set(known):
        raise SystemExit(f"unknown: {', '.join(sorted(unknown))}; known: {', '.join(known)}")
    return names


def main(arguments: Sequence[str] | None = None) -> None:
    """Command line."""
    parser = command.parser("benchmarks.restoration", __doc__)
    parser.add_argument("--set", default="ffhq,london", help=f"of {', '.join(sets.NAMES)}")
    parser.add_argument("--settings", help="say x4,mosaic-8,gauss-6+h264-23")
    parser.add_argument(
        "--peers", default=",".join(PEERS), help="some of these, none, or stored (see above)"
    )
    parser.add_argument("--quick", action="store_true", help="PSNR only, no peers")
    parser.add_argument("--save", action="store_true", help="write results/restoration.json")
    parser.add_argument("--out", type=Path, help="write the section's JSON to this file")
    given = parser.parse_args(arguments)
    options = command.options(given)
    names = _listed(given.set, sets.NAMES)
    default = [*PLAIN] if given.quick else [*PLAIN, *COMPRESSED]
    settings = [Setting.parse(s) for s in given.settings.split(",")] if given.settings else default
    if given.quick:
        ours = Ours(options)
        tables = [
            quick(sets.load(n, options.shared, options.limit), settings, ours, options)
            for n in names
        ]
        measured = Section("restoration-quick", "Restoration of faces", ours.identifier, (*tables,))
    elif given.peers == "stored":
        path = results.SECTIONS / "restoration.json"
        stored = results.from_json(path.read_text(encoding="utf-8"))
        measured = section(options, names, settings, stored=stored)
        called = "`python -m benchmarks.restoration --peers stored --save`"
        measured = replace(measured, provenance={"command": called, **measured.provenance})
    else:
        measured = section(options, names, settings, _listed(given.peers, PEERS))
    print(results.markdown(measured))
    if given.save:
        results.save(measured)
    if given.out is not None:
        given.out.write_text(results.to_json(measured), encoding="utf-8")


if __name__ == "__main__":
    main()
