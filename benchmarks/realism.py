"""What ``--realism`` trades: error against looking real, and who is recognised on the way.

``python -m benchmarks.run realism`` measures ``eval/ffhq`` at several places of the dial beside
Real-ESRGAN, identification after restoring (attacker A2) at both ends of its use, and draws the
plane of perception and distortion (Blau and Michaeli, CVPR 2018) that ``docs/realism.md`` shows.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

import matplotlib
import numpy as np

from benchmarks import identity, lfw, lpips, peers, sets
from benchmarks.groups import members
from benchmarks.identification import outcome, wilson
from benchmarks.metrics import Crops, estimate
from benchmarks.restoration import restored_by
from benchmarks.results import ROOT, Column, Estimate, Goal, Options, Section, Table, Value, goals
from benchmarks.scoring import COLUMNS, Judges, row, sheet
from benchmarks.sets import FaceSet, Inputs, Setting
from benchmarks.styles import by_name
from seethrough.auditor.attackers import Restoring
from seethrough.auditor.recognisers import Recogniser
from seethrough.errors import UsageError
from seethrough.pipeline.options import REALISM
from seethrough.restorer import Restorer
from seethrough.types import Kind
from seethrough.weights import record

matplotlib.use("svg")

import matplotlib.pyplot as plt

DIALS = (0.0, 0.25, 0.5, REALISM, 1.0)
SETTINGS = tuple(Setting(name) for name in ("x4", "mosaic-8", "gauss-6"))
PICTURE = ROOT.parent / "docs" / "images" / "realism.svg"
PEER = peers.RealEsrgan.name
COLOURS = {"x4": "#1f78b4", "mosaic-8": "#b2182b", "gauss-6": "#33863a"}

GROUPS = (
    Column("setting", "setting"),
    Column("group", "apparent skin tone"),
    *(column for column in COLUMNS if column.key in ("method", "psnr", "lpips", "identity")),
)

Rows = Sequence[Mapping[str, Value]]


def called(dial: float) -> str:
    """What the tables call a place of the dial."""
    return f"realism {dial:g}"


def restored(
    restorers: Mapping[float, Restorer], inputs: Inputs, setting: Setting, threads: int
) -> dict[str, Crops]:
    """Every method's pictures under a setting; Real-ESRGAN's at ``x4`` alone, which it is for."""
    faces: list[Kind] = ["face"] * len(inputs.crops)
    found = {called(dial): r.restore_crops(inputs.crops, faces) for dial, r in restorers.items()}
    if str(setting) == "x4":
        found[PEER] = restored_by(peers.RealEsrgan(threads), inputs, setting)
    return found


def measure(
    faces: FaceSet, restorers: Mapping[float, Restorer], options: Options
) -> tuple[list[dict[str, Value]], list[dict[str, Value]]]:
    """Score every setting at every place of the dial: rows of all faces, and of groups of them."""
    judges, rng = Judges(options.threads), np.random.default_rng(options.seed)
    rows: list[dict[str, Value]] = []
    apart: list[dict[str, Value]] = []
    alike = members(faces.clean)
    for setting in SETTINGS:
        inputs = sets.degraded(faces, setting, options.shared, options.seed)
        outputs = restored(restorers, inputs, setting, options.threads)
        for name, crops in outputs.items():
            each = judges.each(crops, faces, inputs, setting)
            rows.append({**row(setting, each, rng), "method": name})
            if name in (called(0.0), called(REALISM)):
                apart += [
                    {
                        "setting": str(setting),
                        "group": f"{group}, {len(few)} faces",
                        "method": name,
                        **{m: estimate(each[m][few], rng) for m in ("psnr", "lpips", "identity")},
                    }
                    for group, few in alike.items()
                ]
            print(f"{setting} {name}", file=sys.stderr, flush=True)
        if options.sheets is not None:
            _save(options.sheets / f"realism-{setting}.png", inputs, outputs, faces)
    return rows, apart


def recognised(restorers: Mapping[float, Restorer], options: Options) -> list[dict[str, Value]]:
    """Rank-1 of A2 (dlib) among 1,000 people, for each setting at 0 and at the default."""
    people = lfw.load(options.shared, options.threads)
    probes = np.array(lfw.REPORTED[: options.limit], np.intp)
    recogniser = Recogniser("dlib", "cpu", options.threads)
    gallery, everybody = recogniser.describe(people.gallery), np.arange(len(people.gallery))
    rows: list[dict[str, Value]] = []
    for setting in SETTINGS:
        style = by_name(str(setting))
        covered = style.apply(people.probes[probes], probes)
        photos = style.apply(people.gallery, everybody)
        for dial in (0.0, REALISM):
            attacker = Restoring([recogniser], restorers[dial])
            read = attacker.read(attacker.look(covered))["dlib"]
            alone = outcome(attacker.compare("dlib", read, gallery), probes)
            alike = attacker.read(attacker.look(photos))["dlib"]
            found = outcome(attacker.compare("dlib", read, gallery, alike), probes)
            rows.append(
                {
                    "setting": str(setting),
                    "method": called(dial),
                    "first": wilson(found.first),
                    "of_100": wilson(found.of_100),
                    "alone": wilson(alone.first),
                }
            )
            print(f"{setting} A2 {called(dial)}", file=sys.stderr, flush=True)
    return rows


def mean(rows: Rows, setting: str, method: str, metric: str) -> float:
    """One cell's mean."""
    for each in rows:
        if (each["setting"], each["method"]) == (setting, method):
            value = each[metric]
            assert isinstance(value, Estimate)
            return value.mean
    raise KeyError((setting, method, metric))


def against_goals(rows: Rows, ranks: Rows) -> Table:
    """The goals of the realism issue beside what was measured."""
    default, soft = called(REALISM), called(0.0)

    def ratio(setting: str, method: str) -> float:
        return mean(rows, setting, default, "lpips") / mean(rows, setting, method, "lpips")

    found = [
        Goal("`x4`, LPIPS as a share of the posterior mean's", ratio("x4", soft), 0.6, False),
        Goal("`x4`, LPIPS as a share of Real-ESRGAN's", ratio("x4", PEER), 0.6, False),
        Goal(
            "`x4`, dB under the posterior mean",
            mean(rows, "x4", soft, "psnr") - mean(rows, "x4", default, "psnr"),
            1.2,
            False,
        ),
        Goal(
            "`x4`, dB over Real-ESRGAN",
            mean(rows, "x4", default, "psnr") - mean(rows, "x4", PEER, "psnr"),
            0.0,
            True,
        ),
        Goal(
            "`x4`, identity distance more than the posterior mean's",
            mean(rows, "x4", default, "identity") - mean(rows, "x4", soft, "identity"),
            0.02,
            False,
        ),
    ]
    found += [
        Goal(f"`{s}`, LPIPS as a share of the posterior mean's", ratio(s, soft), 0.65, False)
        for s in ("mosaic-8", "gauss-6")
    ]
    for setting, bar in (("mosaic-8", 0.25), ("gauss-6", 0.40), ("x4", 0.60)):
        for method in (soft, default):
            for key, photos in (("first", ""), ("alone", ", photos as they are")):
                words = f"`{setting}`, A2 rank-1 of 1,000, {method}{photos}"
                found.append(Goal(words, mean(ranks, setting, method, key), bar, True))
    return goals("Against the goals", found, issue="realism issue")


def draw(rows: Rows, path: Path = PICTURE) -> None:
    """Draw LPIPS against root mean squared error, a line for each setting."""
    with plt.rc_context({"svg.hashsalt": "seethrough", "font.size": 9, "axes.spines.top": False}):
        figure, axis = plt.subplots(figsize=(6, 4), layout="constrained")
        for setting, colour in COLOURS.items():
            names = [called(dial) for dial in DIALS]
            x = [255 * 10 ** (-mean(rows, setting, name, "psnr") / 20) for name in names]
            y = [mean(rows, setting, name, "lpips") for name in names]
            axis.plot(x, y, marker="o", markersize=4, color=colour, label=setting)
            for dial, across, up in zip(DIALS, x, y, strict=True):
                axis.annotate(
                    f"{dial:g}",
                    (across, up),
                    xytext=(4, 4),
                    textcoords="offset points",
                    fontsize=7,
                    color=colour,
                )
        peer = [
            255 * 10 ** (-mean(rows, "x4", PEER, "psnr") / 20),
            mean(rows, "x4", PEER, "lpips"),
        ]
        axis.plot(*peer, marker="s", linestyle="", color="black", label=f"{PEER}, x4")
        axis.set(
            xlabel="distortion: root mean squared error, levels (of the mean PSNR)",
            ylabel="perceptual distance: LPIPS",
        )
        axis.legend(frameon=False)
        path.parent.mkdir(parents=True, exist_ok=True)
        figure.savefig(path, metadata={"Date": None})
        plt.close(figure)


def run(options: Options) -> Section:
    """Measure, draw, and hand back the section."""
    if options.weights is not None:
        raise UsageError("realism is measured with the shipped networks", "leave --weights out")
    restorers = {d: Restorer("cpu", options.threads, realism=d) for d in DIALS}
    faces = sets.load("ffhq", options.shared, options.limit)
    rows, apart = measure(faces, restorers, options)
    ranks = recognised(restorers, options)
    if options.limit is None:
        draw(rows)
    text = (
        "Aligned faces of 128 px; settings and metrics by PROTOCOL. Each row is a place of the "
        f"dial `--realism`; {REALISM:g} is the default. A2 restores, then dlib's network "
        "recognises, the restored face seen as it is and mirrored; the 500 reported people of "
        "`eval/lfw` among all 1,000. As in the audit it covers and restores its photos too; how "
        "far it comes with the photos as they are stands beside that."
    )
    rank_columns = (
        Column("setting", "setting"),
        Column("method", "method"),
        Column("first", "picked out of 1,000", 1, share=True),
        Column("of_100", "picked out of 100", 1, share=True),
        Column("alone", "photos as they are, out of 1,000", 1, share=True),
    )
    tables = (
        against_goals(rows, ranks),
        Table(f"`ffhq`, {len(faces.clean)} faces", COLUMNS, tuple(rows)),
        Table("By apparent skin tone (`benchmarks/groups.py`)", GROUPS, tuple(apart)),
        Table("Identification after restoring (A2, dlib)", rank_columns, tuple(ranks)),
    )
    used = [record(name).used for name in ("restorer", "realistic")]
    provenance = {
        "weights": "; ".join(f"{w.name}, sha256 {w.sha256}" for w in used),
        "LPIPS": lpips.SOURCE,
        "identity": identity.SOURCE,
        **sets.provenance(options),
    }
    return Section("realism", "Realism", text, tables, provenance)


def _save(path: Path, inputs: Inputs, outputs: Mapping[str, Crops], faces: FaceSet) -> None:
    import cv2

    path.parent.mkdir(parents=True, exist_ok=True)
    picture = sheet({"input": inputs.crops, **outputs, "truth": faces.clean}, count=40)
    if not cv2.imwrite(str(path), picture[..., ::-1]):
        raise OSError(f"{path} cannot be written")
