"""How well covered regions are found and explained: ``python -m benchmarks.run operator_finder``.

Photos of ``eval/lfw``, people 0500-0999, photo 1; the face is degraded in place with the
operators of PROTOCOL at the 128 px scale of the aligned face, as :mod:`benchmarks.location` does.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from benchmarks import location
from benchmarks.results import Column, Options, Section, Table, Value
from seethrough import degrade, geometry, image
from seethrough.degrade import Degradation, Ellipse, Within, scaled
from seethrough.degrade.covers import EYE_BAR, MASK_FACE, MASK_HEAD
from seethrough.faces import FaceDetector
from seethrough.operators import find_covered
from seethrough.types import Box, CoveredRegion, Image, Landmarks

PEOPLE = range(500, 1000)
CONDITIONS = ("mosaic-8", "mosaic-12", "gauss-6")
REGIONS = ("face", "ellipse", "crop")
"""The tight face's box, the ellipse inscribed in it, and the square of the aligned crop."""
QUALITIES: tuple[int | None, ...] = (None, 75)
TOLERANCE = {"mosaic": 0.05, "gauss": 0.2}
OVERLAP = 0.25
"""IoU with the degraded box from which a region is about it."""
SOLIDS: dict[str, Box | Ellipse] = {
    "eye-bar": EYE_BAR,
    "mask-face": MASK_FACE,
    "mask-head": MASK_HEAD,
}
"""PROTOCOL's solid covers, in pixels of the 128 px crop."""
CODECS: dict[str, Degradation | None] = {
    "as it is": None,
    "JPEG 75": degrade.Jpeg(75),
    "H.264 23": degrade.H264(23),
}
LARGE = (4000, 3000)
"""Width and height of the picture that is timed."""


@dataclass(frozen=True, slots=True, eq=False)
class Photo:
    """A photo and the landmarks of the face nearest to its middle."""

    name: str
    pixels: Image
    landmarks: Landmarks


@dataclass(frozen=True, slots=True)
class Degraded:
    """A degraded face: its box, the operator's kind and its size in photo pixels."""

    box: Box
    kind: str
    size: float


def photos(options: Options, people: Sequence[int] = PEOPLE) -> Iterator[Photo]:
    """Photos in which a face is found when they are clean."""
    detector = FaceDetector(device="cpu", threads=options.threads)
    for person in people[: options.limit]:
        path = options.shared / "data" / "eval" / "lfw" / f"{person:04d}_1.jpg"
        pixels = image.read(path).pixels
        face = location.subject(pixels, detector.detect(pixels))
        if face is not None:
            yield Photo(path.name, pixels, face.landmarks)


def degraded_photo(
    photo: Photo, name: str, region: str, rng: np.random.Generator
) -> tuple[Image, Degraded]:
    """Degrade the face region of a photo in place; a mosaic's phase is random.

    ``region`` is one of :data:`REGIONS`.
    """
    kind, _, number = name.partition("-")
    length = float(number)
    matrix = geometry.similarity(photo.landmarks, 128)
    enlargement = 1 / float(np.hypot(matrix[0, 0], matrix[1, 0]))
    phase = tuple((rng.random(2) * length).tolist())
    operator: Degradation = (
        degrade.Mosaic(length, (phase[0], phase[1]))
        if kind == "mosaic"
        else degrade.GaussianBlur(length)
    )
    extent: location.Extent = "crop" if region == "crop" else "face"
    box = location.face_region(photo.landmarks, extent)
    if region == "ellipse":
        within = Within(scaled(operator, enlargement), Ellipse.inscribed(box))
        picture = within(photo.pixels)
    else:
        picture = location.degraded_photo(photo.pixels, photo.landmarks, operator, extent)
    height, width = photo.pixels.shape[:2]
    seen = Box(max(0, box.x0), max(0, box.y0), min(width, box.x1), min(height, box.y1))
    return picture, Degraded(seen, kind, length * enlargement)


def solid_photo(photo: Photo, shape: Box | Ellipse) -> tuple[Image, Box]:
    """Paint a solid cover over a face, turned with it; return the cover's box too."""
    height, width = photo.pixels.shape[:2]
    matrix = geometry.similarity(photo.landmarks, 128)
    y, x = np.mgrid[:height, :width]
    there = geometry.transform(matrix, np.stack([x.ravel(), y.ravel()], axis=1)) + 0.5
    if isinstance(shape, Box):
        inside = (np.abs(there - shape.centre) * 2 < (shape.width, shape.height)).all(axis=1)
    else:
        inside = (((there - shape.centre) / shape.half_axes) ** 2).sum(axis=1) <= 1
    mask = inside.reshape(height, width)
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    box = Box(*map(float, (columns[0], rows[0], columns[-1] + 1, rows[-1] + 1)))
    return np.where(mask[..., None], np.uint8(0), photo.pixels), box


def about(found: Sequence[CoveredRegion], box: Box) -> CoveredRegion | None:
    """Return the region that overlaps a box most, if enough."""
    best = max(found, key=lambda r: r.box.iou(box), default=None)
    return best if best is not None and best.box.iou(box) >= OVERLAP else None


def run(options: Options) -> Section:
    """Measure everything and return the section."""
    return measure(options, PEOPLE)


def measure(options: Options, people: Sequence[int]) -> Section:
    """As :func:`run`, for the people given."""
    every = list(photos(options, people))
    rows = [
        _covered_row(every, name, region, quality, options.seed)
        for region in REGIONS
        for name in CONDITIONS
        for quality in QUALITIES
    ]
    solids = [_solid_row(every, name, codec) for name in SOLIDS for codec in CODECS]
    clean = [_clean_row(every, quality) for quality in QUALITIES]
    return Section(
        key="operator-finder",
        title="Operator finder",
        text=(
            f"{len(every)} photos of `eval/lfw` (people {people[0]:04d}-{people[-1]:04d}, "
            "photo 1), the face degraded in place at the 128 px scale of the aligned face: in "
            "the tight box, in the ellipse inscribed in it, and in the square of the aligned "
            "crop. A mosaic's phase is random and its cells are not whole pixels. Found: a "
            f"region overlaps the degraded one's box by an IoU of at least {OVERLAP:g}. Size "
            "right: cell within 5 %, sigma within 20 %, as a share of all photos."
        ),
        tables=(
            Table(
                "Covered faces",
                (
                    Column("cover", "Cover"),
                    Column("region", "Region"),
                    Column("codec", "Then"),
                    Column("n", "Photos"),
                    Column("found", "Found", 1, share=True),
                    Column("kind", "Kind right", 1, share=True),
                    Column("size", "Size right", 1, share=True),
                    Column("median", "Size error, median", 1, share=True),
                    Column("q95", "95th percentile", 1, share=True),
                    Column("iou", "IoU, median"),
                    Column("others", "Other regions per photo", 3),
                ),
                tuple(rows),
            ),
            Table(
                "Solid covers, black, turned with the head",
                (
                    Column("cover", "Cover"),
                    Column("codec", "Then"),
                    Column("n", "Photos"),
                    Column("found", "Found", 1, share=True),
                    Column("kind", "Kind right", 1, share=True),
                    Column("iou", "IoU, median"),
                    Column("others", "Other regions per photo", 3),
                ),
                tuple(solids),
            ),
            Table(
                "Clean photos",
                (
                    Column("codec", "Then"),
                    Column("n", "Photos"),
                    Column("quiet", "No region reported", 1, share=True),
                    Column("mosaic", "Mosaic", 0),
                    Column("blur", "Blur", 0),
                    Column("solid", "Solid", 0),
                ),
                tuple(clean),
            ),
            Table(
                "Time, one thread",
                (Column("picture", "Picture"), Column("seconds", "Seconds", 2)),
                tuple(_times(every)),
            ),
        ),
    )


def _encoded(picture: Image, quality: int | None) -> Image:
    return picture if quality is None else degrade.Jpeg(quality)(picture)


def _codec(quality: int | None) -> str:
    return "as it is" if quality is None else f"JPEG {quality}"


def _covered_row(
    every: Sequence[Photo], name: str, region: str, quality: int | None, seed: int
) -> dict[str, Value]:
    found, kind, right, others = 0, 0, 0, 0
    errors: list[float] = []
    overlaps: list[float] = []
    for index, photo in enumerate(every):
        rng = np.random.default_rng([seed, index])
        picture, truth = degraded_photo(photo, name, region, rng)
        regions = find_covered(_encoded(picture, quality))
        match = about(regions, truth.box)
        others += len(regions) - (match is not None)
        if match is None:
            continue
        found += 1
        overlaps.append(match.box.iou(truth.box))
        if match.operator.kind != truth.kind or match.operator.size is None:
            continue
        kind += 1
        error = max(abs(size / truth.size - 1) for size in match.operator.size)
        errors.append(error)
        right += error <= TOLERANCE[truth.kind]
    count = len(every)
    return {
        "cover": name,
        "region": region,
        "codec": _codec(quality),
        "n": count,
        "found": found / count,
        "kind": kind / count,
        "size": right / count,
        "median": float(np.median(errors)) if errors else None,
        "q95": float(np.quantile(errors, 0.95)) if errors else None,
        "iou": float(np.median(overlaps)) if overlaps else None,
        "others": others / count,
    }


def _solid_row(every: Sequence[Photo], name: str, codec: str) -> dict[str, Value]:
    overlaps, others, kind = [], 0, 0
    operator = CODECS[codec]
    for photo in every:
        picture, box = solid_photo(photo, SOLIDS[name])
        regions = find_covered(picture if operator is None else operator(picture))
        match = about(regions, box)
        others += len(regions) - (match is not None)
        if match is not None:
            overlaps.append(match.box.iou(box))
            kind += match.operator.kind == ("eye-bar" if name == "eye-bar" else "solid")
    return {
        "cover": name,
        "codec": codec,
        "n": len(every),
        "found": len(overlaps) / len(every),
        "kind": kind / len(every),
        "iou": float(np.median(overlaps)) if overlaps else None,
        "others": others / len(every),
    }


def _clean_row(every: Sequence[Photo], quality: int | None) -> dict[str, Value]:
    quiet = 0
    kinds = {"mosaic": 0, "gauss": 0, "box": 0, "solid": 0, "eye-bar": 0}
    for photo in every:
        regions = find_covered(_encoded(photo.pixels, quality))
        quiet += not regions
        for kind in {r.operator.kind for r in regions}:
            kinds[kind] += 1
    return {
        "codec": _codec(quality),
        "n": len(every),
        "quiet": quiet / len(every),
        "mosaic": kinds["mosaic"],
        "blur": kinds["gauss"] + kinds["box"],
        "solid": kinds["solid"] + kinds["eye-bar"],
    }


def _times(every: Sequence[Photo]) -> Iterator[dict[str, Value]]:
    threads = cv2.getNumThreads()
    cv2.setNumThreads(1)
    try:
        width, height = LARGE
        tiles = [every[i % len(every)].pixels for i in range(16 * 12)]
        sheet = np.vstack([np.hstack(tiles[i : i + 16]) for i in range(0, len(tiles), 16)])
        large = np.ascontiguousarray(sheet[:height, :width])
        enlarged = cv2.resize(every[0].pixels, LARGE, interpolation=cv2.INTER_CUBIC)
        for name, picture in (
            ("one photo, 250 px", every[0].pixels),
            ("12 megapixels, 192 photos side by side", large),
            ("12 megapixels, one photo enlarged", np.asarray(enlarged, np.uint8)),
        ):
            spent = []
            for _ in range(3):
                start = time.process_time()
                find_covered(picture)
                spent.append(time.process_time() - start)
            yield {"picture": name, "seconds": float(np.median(spent))}
    finally:
        cv2.setNumThreads(threads)
