"""The seed paper's claims as an experiment: ``python -m benchmarks.paper RUNS --save``.

``RUNS`` holds a folder for each configuration of ``training/configs/iccv17_*.py``, as
``docs/paper.md`` says how to train it; its last weights are measured, so that all rows have seen
equally many pictures.
"""

from __future__ import annotations

import json
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from benchmarks import command, metrics, results, sets
from benchmarks.identity import Descriptor, distances
from benchmarks.lpips import Lpips
from benchmarks.metrics import Crops
from benchmarks.ocr import Tesseract
from benchmarks.results import Column, Estimate, Goal, Options, Section, Table, Value, goals
from benchmarks.text import LINES, Lines, error_rate, held_out_faces, render, words
from seethrough import degrade
from training import data
from training.network import NetworkConfig
from training.paper import FACTOR, SIZE, generator, reduced
from training.paper_network import PaperConfig

ROWS = {
    "pixel": "squared error",
    "gan": "and the basic GAN",
    "mcgan": "and feature matching (MCGAN)",
    "scgan_face": "the same, faces alone (SCGAN)",
    "scgan_text": "the same, text alone (SCGAN)",
    "body": "our body, squared error",
}
"""Configurations, and what the tables call them."""
CUBIC = "cubic enlargement"
ROUNDS = 7
"""Timed batches of 16, of which the median counts."""

FACES = (
    Column("row", "faces"),
    Column("psnr", "PSNR, dB"),
    Column("ssim", "SSIM", 3),
    Column("lpips", "LPIPS", 3),
    Column("identity", "identity distance", 3),
)
TEXT = (
    Column("row", "text"),
    Column("psnr", "PSNR, dB"),
    Column("ssim", "SSIM", 3),
    Column("lpips", "LPIPS", 3),
    Column("cer", "character error rate", 1, share=True),
)
COST = (
    Column("row", "network"),
    Column("channels", "channels"),
    Column("macs", "G multiply-accumulates a picture", 3),
    Column("time", "time, of our body's"),
    Column("seen", "pictures seen"),
)


@dataclass(frozen=True, slots=True, eq=False)
class Pairs:
    """Small inputs and what they were made from.

    Attributes
    ----------
    small : ndarray
        ``uint8 (N, 16, 16, 3)``.
    clean : ndarray
        ``uint8 (N, 64, 64, 3)``.
    """

    small: Crops
    clean: Crops

    @classmethod
    def of(cls, pictures: Crops, seed: int) -> Pairs:
        """Reduce pictures of 128 px; each one's degradation depends on its place alone."""
        clean = np.stack([reduced(picture) for picture in pictures])
        small = []
        for i, picture in enumerate(clean):
            rng = np.random.default_rng([seed, i, 2])
            small.append(degrade.low_resolution(FACTOR, rng)(picture, rng))
        return cls(np.stack(small), clean)

    @property
    def enlarged(self) -> Crops:
        """The inputs, enlarged by cubic interpolation."""
        return _resized(self.small, SIZE)


@dataclass(frozen=True, slots=True, eq=False)
class Row:
    """A trained configuration."""

    name: str
    net: nn.Module
    channels: int
    seen: int

    @classmethod
    def load(cls, name: str, folder: Path) -> Row:
        """Read the averaged weights that its training ended with."""
        path = folder / name / "trunk.pt"
        state = torch.load(path, map_location="cpu", weights_only=True)
        shape = network_config(json.loads(state["config"])["network"])
        net = generator(shape)
        net.load_state_dict(state["ema"])
        width = shape.channels if isinstance(shape, PaperConfig) else shape.channels[0]
        return cls(name, net.eval(), width, int(state["seen"]))

    @torch.no_grad()
    def restore(self, small: Crops, kind: int) -> Crops:
        """Bring ``uint8 (N, 16, 16, 3)`` to ``uint8 (N, 64, 64, 3)``."""
        x = torch.from_numpy(small).permute(0, 3, 1, 2).float() / 255
        parts = [self.net(part, torch.full((len(part),), kind)) for part in torch.split(x, 16)]
        restored = (torch.cat(parts).clamp(0, 1) * 255).round().byte()
        return np.ascontiguousarray(restored.permute(0, 2, 3, 1).numpy())

    @torch.no_grad()
    def macs(self) -> float:
        """Multiply-accumulates of one picture, in G."""
        with FlopCounterMode(display=False) as counter:
            self.net(torch.zeros(1, 3, SIZE // FACTOR, SIZE // FACTOR), torch.zeros(1).long())
        return int(counter.get_total_flops()) / 2e9

    @torch.no_grad()
    def seconds(self) -> float:
        """Median time of a batch of 16."""
        x, kind = torch.rand(16, 3, SIZE // FACTOR, SIZE // FACTOR), torch.zeros(16).long()
        self.net(x, kind)
        times = []
        for _ in range(ROUNDS):
            started = time.perf_counter()
            self.net(x, kind)
            times.append(time.perf_counter() - started)
        return float(np.median(times))


def network_config(shape: Mapping[str, Any]) -> PaperConfig | NetworkConfig:
    """Read the shape that a checkpoint's config holds."""
    values: dict[str, Any] = {k: tuple(v) if isinstance(v, list) else v for k, v in shape.items()}
    return PaperConfig(**values) if "layers" in values else NetworkConfig(**values)


def on_faces(rows: Sequence[Row], options: Options) -> list[dict[str, Value]]:
    """Score every row that has seen faces on ``eval/ffhq``."""
    pairs = Pairs.of(sets.load("ffhq", options.shared, options.limit).clean, options.seed)
    judge, descriptor = Lpips(options.threads), Descriptor(options.threads)
    rng = np.random.default_rng(options.seed)
    truth = descriptor.describe(pairs.clean)
    outputs = {CUBIC: pairs.enlarged}
    outputs |= {r.name: r.restore(pairs.small, data.FACE) for r in rows if r.name != "scgan_text"}
    return [
        {
            "row": ROWS.get(name, name),
            **_fidelity(crops, pairs.clean, judge, rng),
            "identity": metrics.estimate(distances(descriptor.describe(crops), truth), rng),
        }
        for name, crops in outputs.items()
    ]


def on_text(rows: Sequence[Row], lines: Lines, options: Options) -> list[dict[str, Value]]:
    """Score every row that has seen text, on faces of type that training never saw."""
    pairs = Pairs.of(lines.clean, options.seed)
    judge, reader = Lpips(options.threads), Tesseract()
    rng = np.random.default_rng(options.seed)
    outputs = {"clean": pairs.clean, CUBIC: pairs.enlarged}
    outputs |= {r.name: r.restore(pairs.small, data.TEXT) for r in rows if r.name != "scgan_face"}
    found: list[dict[str, Value]] = []
    for name, crops in outputs.items():
        row: dict[str, Value] = {"row": ROWS.get(name, name)}
        if name != "clean":
            row |= _fidelity(crops, pairs.clean, judge, rng)
        whole = _resized(crops, lines.clean.shape[1])  # as large as its base lines were noted
        found.append({**row, "cer": error_rate(whole, lines, reader, rng)})
    return found


def _fidelity(
    crops: Crops, clean: Crops, judge: Lpips, rng: np.random.Generator
) -> dict[str, Value]:
    return {
        "psnr": metrics.estimate(metrics.psnr_each(crops, clean), rng),
        "ssim": metrics.estimate(metrics.ssim_each(crops, clean), rng),
        "lpips": metrics.estimate(judge.each(crops, clean), rng),
    }


def _resized(crops: Crops, side: int) -> Crops:
    return np.stack([cv2.resize(c, (side, side), interpolation=cv2.INTER_CUBIC) for c in crops])


def cost(rows: Sequence[Row]) -> list[dict[str, Value]]:
    """What each network costs."""
    unit = next(row.seconds() for row in rows if row.name == "body")
    return [
        {
            "row": ROWS[row.name],
            "channels": row.channels,
            "macs": row.macs(),
            "time": row.seconds() / unit,
            "seen": row.seen,
        }
        for row in rows
    ]


def claims(
    faces: Sequence[Mapping[str, Value]],
    text: Sequence[Mapping[str, Value]],
    costs: Sequence[Mapping[str, Value]],
) -> Table:
    """The abstract's claims, and ours, beside what was measured."""

    def of(table: Sequence[Mapping[str, Value]], name: str, metric: str) -> float:
        value = next(row[metric] for row in table if row["row"] == ROWS[name])
        assert isinstance(value, Estimate | float)
        return value.mean if isinstance(value, Estimate) else value

    found = []
    for what, table, single in (("faces", faces, "scgan_face"), ("text", text, "scgan_text")):
        lost = of(table, single, "psnr") - of(table, "mcgan", "psnr")
        found.append(Goal(f"{what}: dB lost to the single-class network", lost, 0.2, False))
        worse = of(table, "mcgan", "lpips") - of(table, single, "lpips")
        found.append(Goal(f"{what}: LPIPS worse than the single-class one's", worse, 0.01, False))
        basic = of(table, "gan", "lpips") - of(table, "mcgan", "lpips")
        found.append(Goal(f"{what}: LPIPS that the basic GAN lacks", basic, 0.0, True))
        better = of(table, "body", "psnr") - of(table, "pixel", "psnr")
        found.append(Goal(f"{what}: dB of our body over the paper's", better, 0.3, True))
    fewer = of(costs, "pixel", "macs") / of(costs, "body", "macs")
    channels = next(row["channels"] for row in costs if row["row"] == ROWS["pixel"])
    bar = 8.0 if channels == PaperConfig().channels else 4.0
    found.append(Goal("multiply-accumulates of the paper's, of our body's", fewer, bar, True))
    return goals("Claims", found, issue="realism issue")


def section(folder: Path, options: Options) -> Section:
    """Measure every row."""
    torch.set_num_threads(options.threads)
    rows = [Row.load(name, folder) for name in ROWS]
    lines = render(held_out_faces(), words(), min(LINES, options.limit or LINES), options.seed)
    faces, text, costs = on_faces(rows, options), on_text(rows, lines, options), cost(rows)
    count = len(sets.load("ffhq", options.shared, options.limit).clean)
    return Section(
        "paper",
        "The seed paper's experiment",
        "16 px in, 64 px out, `x4`; what is the paper's and what is our choice stands in "
        "`docs/paper.md`. No figure here is the paper's own. Every row has seen the same pictures "
        "in the same order. Text is read at twice its size; PyTorch, float32, one process.",
        (
            claims(faces, text, costs),
            Table(f"`ffhq`, {count} faces at 64 px", FACES, tuple(faces)),
            Table(f"{len(lines.texts)} lines in unseen type faces", TEXT, tuple(text)),
            Table("Cost", COST, tuple(costs)),
        ),
        {"OCR": Tesseract().version, **sets.provenance(options)},
    )


def main(arguments: Sequence[str] | None = None) -> None:
    """Command line."""
    parser = command.parser("benchmarks.paper", __doc__)
    parser.add_argument("runs", type=Path, help="folder of the trained rows")
    parser.add_argument("--save", action="store_true", help="write results/paper.json")
    given = parser.parse_args(arguments)
    measured = section(given.runs, command.options(given))
    called = "`python -m benchmarks.paper RUNS --save`"
    measured = replace(measured, provenance={"command": called, **measured.provenance})
    print(results.markdown(measured))
    if given.save:
        results.save(measured)


if __name__ == "__main__":
    main()
