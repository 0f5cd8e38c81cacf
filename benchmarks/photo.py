"""How long a large photo with ten faces takes, beside the detection of its faces alone.

The photo is made here: portraits of the London set (CC BY 4.0) at ten sizes over a generated
background, their faces under mosaics and blurs.
"""

from __future__ import annotations

import os
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TypeAlias

import cv2
import numpy as np

from benchmarks import command, sets
from benchmarks.results import Column, Goal, Options, Section, Table, Value, goals
from seethrough import geometry, image, pipeline
from seethrough.errors import InputError
from seethrough.faces import FaceDetector
from seethrough.operators import find_covered
from seethrough.pipeline.degrading import degraded_faces
from seethrough.pipeline.options import DegradeOptions, KindChoice
from seethrough.text import TextFinder
from seethrough.types import Box, Face, Image, Mask

Point: TypeAlias = tuple[float, float]

WIDTH, HEIGHT = 4000, 3000
FACE_WIDTHS = (90, 110, 130, 150, 180, 210, 240, 280, 320, 360)
"""Pixels, by which the ten faces are set in two rows."""
COVERS = ({"mosaic": "8%"}, {"gauss": "7%"}, {"mosaic": "11%"}, {"box": "20%"}, {"gauss": "5%"})
"""In turn, as shares of the face width."""
BAR = 4.0
ROUNDS = 3


def backdrop(rng: np.random.Generator, width: int = WIDTH, height: int = HEIGHT) -> Image:
    """Paint a soft wall with some texture and grain: neither flat nor like a face."""
    layers = np.zeros((height, width, 3), np.float32)
    for cells, strength in ((4, 60.0), (25, 12.0), (300, 6.0)):
        size = (max(2, cells * height // width), cells)
        grey, tint = (rng.standard_normal((*size, n), np.float32) for n in (1, 3))
        coarse = grey + np.float32(0.2) * tint
        layers += strength * cv2.resize(coarse, (width, height), interpolation=cv2.INTER_CUBIC)
    layers += 3 * rng.standard_normal((height, width, 1), np.float32)
    return np.asarray(np.clip(layers + 128, 0, 255), np.uint8)


def portraits(shared: Path, detector: FaceDetector) -> list[tuple[Image, Face]]:
    """Read the London set's whole portraits, each with its face.

    Raises
    ------
    InputError
        Where they are missing, or one shows no face.
    """
    paths = sorted((shared / "data" / "eval" / "london" / "photos").glob("*.jpg"))
    if not paths:
        raise InputError(f"no portraits are in {shared}", "see data/README.md")
    found = []
    for path in paths:
        pixels = image.read(path).pixels
        faces = detector.detect(pixels)
        if not faces:
            raise InputError(f"no face is found in {path}", "look at the picture")
        found.append((pixels, max(faces, key=lambda face: face.box.area)))
    return found


def group_photo(
    people: Sequence[tuple[Image, Face]], rng: np.random.Generator
) -> tuple[Image, tuple[Face, ...]]:
    """Set heads of ten sizes into a backdrop, in two rows.

    Returns
    -------
    Image
        ``uint8 (3000, 4000, 3)``.
    tuple of Face
        Where the ten faces lie in it.
    """
    photo = backdrop(rng)
    faces = []
    for place, size in enumerate(rng.permutation(len(FACE_WIDTHS))):
        portrait, face = people[int(size) % len(people)]
        if size >= len(people):  # the second time that somebody appears
            portrait, face = mirrored(portrait, face)
        centre = (400 + 800 * (place % 5) + rng.uniform(-20, 20), 800 + 1400 * (place // 5))
        faces.append(_placed(photo, portrait, face, FACE_WIDTHS[size], centre))
    return photo, tuple(faces)


def mirrored(portrait: Image, face: Face) -> tuple[Image, Face]:
    """Return a portrait as seen in a mirror."""
    points = face.landmarks[[1, 0, 2, 4, 3]].copy()
    points[:, 0] = portrait.shape[1] - 1 - points[:, 0]
    flipped = np.ascontiguousarray(portrait[:, ::-1])
    return flipped, Face(geometry.tight_box(points), points, face.score)


def _head(portrait: Image, face: Face) -> Mask:
    """Mask the head and its hair, with a soft rim."""
    x, y = face.box.centre
    mask = np.zeros(portrait.shape[:2], np.float32)
    axes = (round(1.05 * face.box.width), round(1.15 * face.box.height))
    cv2.ellipse(mask, (round(x), round(y)), axes, 0, 0, 360, 1.0, -1)
    return np.asarray(cv2.GaussianBlur(mask, (0, 0), face.box.width / 12), np.float32)


def _placed(photo: Image, portrait: Image, face: Face, width: float, centre: Point) -> Face:
    """Blend one head into the photo in place, its face so wide; return where the face lies."""
    scale = width / face.box.width
    size = [max(1, round(scale * side)) for side in portrait.shape[1::-1]]
    small = cv2.resize(portrait, size, interpolation=cv2.INTER_AREA).astype(np.float32)
    alpha = cv2.resize(_head(portrait, face), size, interpolation=cv2.INTER_AREA)[..., None]
    ratio = np.array(size) / portrait.shape[1::-1]
    points = (face.landmarks + 0.5) * ratio - 0.5
    corner = np.rint(np.array(centre) - ratio * face.box.centre).astype(int)
    (x0, y0), (x1, y1) = np.maximum(corner, 0), np.minimum(corner + size, (WIDTH, HEIGHT))
    part = np.s_[y0 - corner[1] : y1 - corner[1], x0 - corner[0] : x1 - corner[0]]
    under = photo[y0:y1, x0:x1]
    photo[y0:y1, x0:x1] = under + alpha[part] * (small[part] - under) + np.float32(0.5)
    return Face(geometry.tight_box(points + corner), points + corner, 1.0)


def covered_photo(photo: Image, faces: Sequence[Face], rng: np.random.Generator) -> Image:
    """Hide each face inside its tight box, by :data:`COVERS` in turn."""
    for i, face in enumerate(faces):
        options = DegradeOptions.of(**COVERS[i % len(COVERS)], faces=True)
        photo = degraded_faces(photo, [face], options, rng)
    return photo


def processor_seconds(tasks: Sequence[Callable[[], object]], count: int) -> list[float]:
    """Median processor seconds of each task, run ``count`` times in turns."""
    spent: list[list[float]] = [[] for _ in tasks]
    for _ in range(count):
        for task, times in zip(tasks, spent, strict=True):
            start = time.process_time()
            task()
            times.append(time.process_time() - start)
    return [statistics.median(times) for times in spent]


def rounds(options: Options) -> int:
    """How often each task runs."""
    return min(ROUNDS, options.limit or ROUNDS)


def run(options: Options) -> Section:
    """Measure the verb and its parts on one photo, one thread."""
    detector, finder = FaceDetector("cpu", 1), TextFinder("cpu", 1)
    threads = cv2.getNumThreads()
    cv2.setNumThreads(1)
    try:
        rng = np.random.default_rng(options.seed)
        clean, faces = group_photo(portraits(options.shared, detector), rng)
        photo = covered_photo(clean, faces, rng)
        with tempfile.TemporaryDirectory() as folder:
            rows, report = _measured(Path(folder), photo, detector, finder, options)
    finally:
        cv2.setNumThreads(threads)
    regions = report.records[0].regions
    located = list(_matches(faces, [region.box for region in regions]))
    restored = [i for i in located if regions[i].status == "done"]
    used = next(weights for weights in report.weights if "detector" not in weights.name)
    ratio = rows[-1]["ratio"]
    assert isinstance(ratio, float)
    table = Table(
        "Processor seconds",
        (
            Column("what", "what"),
            Column("seconds", "seconds", 2),
            Column("ratio", "of the detection of faces", 2),
        ),
        tuple(rows),
    )
    text = (
        f"One photo of {WIDTH} x {HEIGHT} px, ten faces {min(FACE_WIDTHS)} to {max(FACE_WIDTHS)} "
        "px wide (portraits of the London set over a generated backdrop), each under a mosaic or "
        f"a blur. Of these, {len(located)} were found and {len(restored)} restored. One thread, "
        f"the median of {rounds(options)} round(s) in turns in one process; networks loaded before."
    )
    provenance = {
        "weights": f"{used.name}, sha256 {used.sha256}",
        **sets.provenance(options),
        "load average": f"{os.getloadavg()[0]:.1f} just after the run",
    }
    bar = goals("Against the goal", [Goal("whole / detection of faces", ratio, BAR, least=False)])
    return Section("photo", "A large photo with ten faces", text, (table, bar), provenance)


def _measured(
    folder: Path,
    photo: Image,
    detector: FaceDetector,
    finder: TextFinder,
    options: Options,
) -> tuple[list[dict[str, Value]], pipeline.Report]:
    """Return the table's rows, and the report of the whole verb."""
    source, target = folder / "photo.jpg", folder / "clear.jpg"
    image.write(source, image.Picture.of(photo), photo, description="a test", reconstruction=False)
    pixels = image.read(source).pixels
    covered = find_covered(pixels)

    reports: list[pipeline.Report] = []

    def verb(kind: KindChoice) -> None:
        report = pipeline.restore(
            source, target, kind=kind, device="cpu", threads=1, weights=options.weights,
            overwrite=True,
        )  # fmt: skip
        reports.append(report)

    tasks: dict[str, Callable[[], object]] = {
        "detection of faces alone": lambda: detector.detect(pixels, covered),
        "covered regions": lambda: find_covered(pixels),
        "detection of text": lambda: finder.find(pixels, covered),
        "`restore --kind face`, file to file": lambda: verb("face"),
        "`restore`, file to file": lambda: verb("auto"),
    }
    seconds = dict(zip(tasks, processor_seconds([*tasks.values()], rounds(options)), strict=True))
    alone = seconds["detection of faces alone"]
    rows: list[dict[str, Value]] = [
        {"what": name, "seconds": spent, "ratio": spent / alone} for name, spent in seconds.items()
    ]
    return rows, reports[-1]


def _matches(faces: Sequence[Face], boxes: Sequence[Box]) -> Iterator[int]:
    """Yield the index of the box that lies on each face, for those that have one."""
    for face in faces:
        overlaps = [face.box.iou(box) for box in boxes]
        if overlaps and max(overlaps) >= 0.5:
            yield int(np.argmax(overlaps))


if __name__ == "__main__":
    command.print_section("benchmarks.photo", __doc__, run)
