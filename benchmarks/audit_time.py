"""How long an audit takes beside restoring the same photo, and how large its report is.

Both verbs start cold, as commands. The photos are those of :mod:`benchmarks.photo`: portraits of
the London set over a generated backdrop, covered by mosaics and blurs.
"""

from __future__ import annotations

import os
import resource
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np

from benchmarks import command, sets
from benchmarks.photo import covered_photo, group_photo, portraits, rounds
from benchmarks.results import Column, Goal, Options, Section, Table, Value, goals
from seethrough import image
from seethrough.faces import FaceDetector
from seethrough.types import Image
from seethrough.weights import record

TIME_BAR = 10.0
SIZE_BAR = 5.0
"""MB (a million bytes)."""
THREE = (slice(0, 1600), slice(0, 2400))
"""The part of the photo that holds its first three faces."""


def seconds_of(words: Sequence[str]) -> float:
    """Processor seconds of a command, those of its children included.

    Raises
    ------
    RuntimeError
        Where it fails.
    """
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run(
        [sys.executable, "-m", "seethrough", *words], check=False, capture_output=True, text=True
    )
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    if done.returncode != 0:
        raise RuntimeError(f"seethrough {' '.join(words)}: {done.stderr.strip()}")
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def run(options: Options) -> Section:
    """Measure three faces' time and ten faces' report."""
    rng = np.random.default_rng(options.seed)
    clean, faces = group_photo(portraits(options.shared, FaceDetector("cpu", 1)), rng)
    covered = covered_photo(clean, faces, rng)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        few = _written(folder / "three", clean[THREE], covered[THREE])
        restoring, auditing = [], []
        for turn in range(rounds(options)):
            out = folder / f"clear-{turn}.png"
            restoring.append(seconds_of(["restore", str(few[1]), "-o", str(out), *_ONE]))
            auditing.append(_audit(few, folder / f"report-{turn}"))
        many = _written(folder / "ten", clean, covered)
        _audit(many, folder / "large")
        size = (folder / "large" / "report.html").stat().st_size / 1e6
    times = {"restore": statistics.median(restoring), "audit": statistics.median(auditing)}
    ratio = times["audit"] / times["restore"]
    rows: list[dict[str, Value]] = [
        {
            "what": f"`{verb}`, cold start included",
            "seconds": spent,
            "ratio": spent / times["restore"],
        }
        for verb, spent in times.items()
    ]
    table = Table(
        "A photo with three faces, processor seconds",
        (
            Column("what", "command"),
            Column("seconds", "seconds", 2),
            Column("ratio", "of `restore`", 2),
        ),
        tuple(rows),
    )
    found = [
        Goal("`audit` / `restore`, three faces", ratio, TIME_BAR, least=False),
        Goal("report of ten faces, MB", size, SIZE_BAR, least=False),
    ]
    height, width = clean[THREE].shape[:2]
    text = (
        f"A photo of {width} x {height} px with three covered faces, each command started anew, "
        f"one thread, the median of {rounds(options)} round(s) in turns. The report is that of the "
        f"whole photo of {clean.shape[1]} x {clean.shape[0]} px with ten."
    )
    provenance = {
        "weights": f"restorer, sha256 {record('restorer').sha256}",
        **sets.provenance(options),
        "load average": f"{os.getloadavg()[0]:.1f} just after the run",
    }
    bars = goals("Against the goals", found, issue="audit's issue")
    return Section("audit-time", "An audit's time and size", text, (table, bars), provenance)


_ONE = ("--device", "cpu", "--threads", "1", "--quiet")


def _audit(pair: tuple[Path, Path], out: Path) -> float:
    original, redacted = map(str, pair)
    words = ["audit", "--original", original, "--redacted", redacted, "-o", str(out), *_ONE]
    return seconds_of(words)


def _written(folder: Path, clean: Image, covered: Image) -> tuple[Path, Path]:
    """Write a photo before and after; PNG, so that what is not covered is the same."""
    folder.mkdir()
    paths = folder / "raw.png", folder / "redacted.png"
    for path, pixels in zip(paths, (clean, covered), strict=True):
        part = np.ascontiguousarray(pixels)
        picture = image.Picture.of(part)
        image.write(path, picture, part, description="a test", reconstruction=False)
    return paths


if __name__ == "__main__":
    cv2.setNumThreads(1)
    command.print_section("benchmarks.audit_time", __doc__, run)
