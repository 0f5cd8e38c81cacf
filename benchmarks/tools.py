"""Covers of real tools in whole photos: found, restored, and no face made up where there is none.

The covers are :data:`seethrough.degrade.PRESETS`, drawn in the photo's own pixels over the face's
tight box as their sources do, on small photos (``eval/lfw``) and on large portraits
(``eval/london/photos``); nothing is told about them. The same cover, smaller, over a part of the
photo without a face shows how often a face is made up.

``python -m benchmarks.run tools``
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import NamedTuple

import numpy as np

from benchmarks import metrics
from benchmarks.location import LOCATED_IOU, REPORTED, Quality, compare, photos, quality, subject
from benchmarks.results import Column, Options, Section, Table, Value
from benchmarks.sets import provenance
from seethrough import degrade, geometry, image
from seethrough.errors import InputError
from seethrough.faces import FaceDetector
from seethrough.operators import find_covered
from seethrough.restorer import Restorer
from seethrough.types import Box, Face, Image

SMALLER = (0.4, 0.7)
"""Sides of a cover over no face, in those of the one over the face: there is not more room."""
_TRIES = 40
_FREE = 0.02  # of such a cover may lie over a face's box
_SEARCHED = 0.3  # IoU from which a reported region is this cover

Set = str
Key = tuple[str, Set]


class Found(NamedTuple):
    """What was made of one covered face."""

    region: bool
    """A covered region was reported where the cover lies."""
    located: bool
    false: int


def portraits(shared: Path) -> Iterator[tuple[int, Image]]:
    """Yield the whole portraits of ``eval/london``, with the person's number.

    Raises
    ------
    InputError
        Where they are missing.
    """
    folder = shared / "data" / "eval" / "london" / "photos"
    paths = sorted(folder.glob("*.jpg"))
    if not paths:
        raise InputError(f"{folder} is missing", "see data/README.md")
    for path in paths:
        yield int(path.stem), image.read(path).pixels


def elsewhere(
    face: Box, others: tuple[Face, ...], shape: tuple[int, ...], rng: np.random.Generator
) -> Box | None:
    """Return a smaller box of a face's shape where no face is; ``None`` where there is no room."""
    height, width = shape[:2]
    for _ in range(_TRIES):
        share = rng.uniform(*SMALLER)
        w, h = share * face.width, share * face.height
        if w > width or h > height:
            continue
        x, y = rng.uniform(0, width - w), rng.uniform(0, height - h)
        box = Box(float(x), float(y), float(x + w), float(y + h))
        if all(box.intersection(other.box) <= _FREE * box.area for other in others):
            return box
    return None


class _Scores:
    """Everything measured, by tool and set of photos."""

    def __init__(self) -> None:
        self.found: dict[Key, list[Found]] = {}
        self.restored: dict[Key, list[Quality]] = {}
        self.made_up: dict[Key, list[int]] = {}
        self.photos: dict[Set, int] = {}


def run(options: Options) -> Section:
    """Measure every tool's cover on both sets of photos."""
    detector = FaceDetector("cpu", options.threads)
    restorer = Restorer("cpu", options.threads, options.weights)
    scores = _Scores()
    people = REPORTED[: options.limit]
    for name, source in (
        ("lfw", photos(options.shared, people)),
        ("london", islice(portraits(options.shared), options.limit)),
    ):
        for person, photo in source:
            _measure(name, person, photo, detector, restorer, scores, options)
    rng = np.random.default_rng(options.seed)
    counts = ", ".join(f"{count} of `{name}`" for name, count in scores.photos.items())
    return Section(
        key="tools",
        title="Covers of real tools in photos",
        text=(
            "`eval/lfw`, the first photo of each person (250 px), and the whole portraits of "
            "`eval/london` (1,350 px); the cover that each tool would draw over the face's tight "
            f"box, no boxes given: {counts}. `made up`: faces found under the same cover, "
            f"{SMALLER[0]:g} to {SMALLER[1]:g} times as large, over a part of the photo "
            "without a face."
        ),
        tables=(_located(scores, rng), _restored(scores, rng)),
        provenance={
            "weights": f"{restorer.weights.name}, sha256 {restorer.weights.sha256}",
            **provenance(options),
        },
    )


def _measure(
    name: Set,
    person: int,
    photo: Image,
    detector: FaceDetector,
    restorer: Restorer,
    scores: _Scores,
    options: Options,
) -> None:
    clean = detector.detect(photo, find_covered(photo))
    target = subject(photo, clean)
    if target is None:
        return
    scores.photos[name] = scores.photos.get(name, 0) + 1
    face, size = geometry.tight_box(target.landmarks), (photo.shape[1], photo.shape[0])
    for number, tool in enumerate(degrade.PRESETS):
        key = tool, name
        covered_photo = degrade.preset(tool, face, size)(photo)
        covered = find_covered(covered_photo)
        found = detector.detect(covered_photo, covered)
        result = compare(found, target, clean)
        region = any(cover.box.iou(face) >= LOCATED_IOU for cover in covered)
        scores.found.setdefault(key, []).append(
            Found(region, result.face is not None, result.false)
        )
        scores.restored.setdefault(key, []).append(
            quality(restorer, photo, covered_photo, target, found, covered)
        )
        rng = np.random.default_rng([options.seed, person, number])
        box = elsewhere(face, clean, photo.shape, rng)
        if box is not None:
            scores.made_up.setdefault(key, []).append(
                _made_up(degrade.preset(tool, box, size)(photo), box, detector)
            )


def _made_up(picture: Image, box: Box, detector: FaceDetector) -> int:
    """Return how many faces are found under a cover of no face."""
    covered = [cover for cover in find_covered(picture) if cover.box.iou(box) > _SEARCHED]
    found = detector.detect(picture, covered)
    return sum(face.box.intersection(box) > face.box.area / 2 for face in found)


def _located(scores: _Scores, rng: np.random.Generator) -> Table:
    rows: list[dict[str, Value]] = []
    for key, results in scores.found.items():
        made_up = scores.made_up.get(key, [])
        rows.append(
            {
                "tool": key[0],
                "set": key[1],
                "region": metrics.estimate([r.region for r in results], rng),
                "located": metrics.estimate([r.located for r in results], rng),
                "false": metrics.estimate([r.false for r in results], rng),
                "covers": len(made_up),
                "made-up": metrics.estimate(made_up, rng) if made_up else None,
            }
        )
    columns = (
        Column("tool", "covered as by"),
        Column("set", "photos"),
        Column("region", "cover reported", digits=1, share=True),
        Column("located", "face located", digits=1, share=True),
        Column("false", "false faces a photo", digits=3),
        Column("covers", "covers over no face", digits=0),
        Column("made-up", "made up a cover", digits=3),
    )
    return Table(
        "Covers reported and faces located, IoU at least 0.5 with the truth", columns, tuple(rows)
    )


def _restored(scores: _Scores, rng: np.random.Generator) -> Table:
    rows: list[dict[str, Value]] = []
    for (tool, name), values in scores.restored.items():
        given, found, reference = np.array(values).T
        rows.append(
            {
                "tool": tool,
                "set": name,
                "given": metrics.estimate(given, rng),
                "found": metrics.estimate(found, rng),
                "reference": metrics.estimate(reference, rng),
            }
        )
    columns = (
        Column("tool", "covered as by"),
        Column("set", "photos"),
        Column("given", "covered photo"),
        Column("found", "restored, end to end"),
        Column("reference", "restored, landmarks of the clean photo"),
    )
    return Table(
        "PSNR in dB over the clean photo's aligned crop, faces that were not located included",
        columns,
        tuple(rows),
    )
