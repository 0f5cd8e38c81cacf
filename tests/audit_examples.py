"""Made-up audits to lay out reports with: a public-domain face, invented figures."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
import skimage.data

from seethrough.auditor.types import (
    VERDICTS,
    Bare,
    FaceAudit,
    FilmFace,
    Leak,
    Level,
    Odds,
    PictureAudit,
    Reading,
    Sight,
)
from seethrough.types import Box, Face, Image, Operator

OUTLINE = Box(168, 52, 262, 184)
"""The astronaut's face (NASA, public domain) in scikit-image's picture of 512 px."""


def reading(level: Level, recogniser: str, p: float, *, bound: bool = False) -> Reading:
    """Odds of ``p`` out of 100 people, and of a third of it out of 1,000."""

    def odds(people: int, p: float) -> Odds:
        return Odds(people, p, p * 0.6, min(p * 1.5, 0.5 + p / 2))

    return Reading(level, recogniser, odds(100, p), odds(1000, p / 3), bound)


def cells(picture: Image, size: int) -> Image:
    """Means of square cells."""
    height, width = picture.shape[:2]
    small = cv2.resize(picture, (width // size, height // size), interpolation=cv2.INTER_AREA)
    return np.asarray(
        cv2.resize(small, (width, height), interpolation=cv2.INTER_NEAREST), dtype=np.uint8
    )


def astronaut() -> Image:
    """The scene, 512 px."""
    return np.asarray(skimage.data.astronaut(), dtype=np.uint8)


def crop() -> Image:
    """The face, 128 px."""
    face = astronaut()[10:234, 104:328]
    return np.asarray(cv2.resize(face, (128, 128), interpolation=cv2.INTER_AREA), dtype=np.uint8)


def exposed(*, bound: bool = False) -> FaceAudit:
    """A mosaic that leaks, with a finding of its own."""
    face = crop()
    outside = face.copy()
    cv2.ellipse(outside, (64, 66), (28, 40), 0, 0, 360, (128, 128, 128), cv2.FILLED)
    figures: tuple[tuple[Level, float, float], ...] = (
        ("A0", 0.012, 0.009),
        ("A1", 0.06, 0.021),
        ("A2", 0.28, 0.19),
        ("A3", 0.34, 0.22),
        ("A5", 0.031, 0.014),
    )
    return FaceAudit(
        face=Face(OUTLINE, np.zeros((5, 2)), 0.99),
        covered=True,
        operator=Operator("mosaic", (11.75, 11.75), (3.0, 1.0), 0.97),
        cells=8.0,
        cover_box=OUTLINE,
        readings=tuple(
            reading(level, name, p, bound=bound)
            for level, *both in figures
            for name, p in zip(("dlib", "mobilefacenet"), both, strict=True)
        ),
        sights=(
            Sight("A0", cells(face, 8)),
            Sight("A2", np.asarray(cv2.GaussianBlur(face, None, 1.6), dtype=np.uint8)),
            Sight("A5", outside),
        ),
        leaks=(),
        strongest="A3",
        verdict="exposed",
        advice=(
            "Solid over the whole head: from 1 in 3 to chance.",
            "A mosaic of 4 cells per face width: from 1 in 3 to 1 in 20.",
        ),
    )


def safe() -> FaceAudit:
    """A solid cover that nobody saw through."""
    face = exposed(bound=True)
    flat = np.full((128, 128, 3), 20, dtype=np.uint8)
    return replace(
        face,
        face=Face(Box(300, 60, 380, 170), np.zeros((5, 2)), 1.0),
        operator=Operator("solid", None, None, 1.0),
        cells=None,
        readings=tuple(
            Reading(
                old.level,
                old.recogniser,
                Odds(100, 0.012, 0.0, 0.024 + 0.01 * (old.level == "A5")),
                Odds(1000, 0.0012, 0.0, 0.003),
                old.level in ("A3", "A5"),
            )
            for old in face.readings
        ),
        sights=(Sight("A0", flat), Sight("A2", flat), face.sights[2]),
        strongest=None,
        verdict="not distinguishable from chance",
        advice=(),
    )


def bare() -> FaceAudit:
    """A face that the redaction forgot."""
    return FaceAudit(
        face=Face(Box(400, 80, 470, 170), np.zeros((5, 2)), 0.9),
        covered=False,
        operator=None,
        cells=None,
        cover_box=None,
        readings=(),
        sights=(),
        leaks=(Leak("uncovered", "The cover is missing on this face."),),
        strongest=None,
        verdict="uncovered",
        advice=("Cover this face too.",),
    )


def picture(*faces: FaceAudit, leaks: tuple[Leak, ...] = (), name: str = "raw.jpg") -> PictureAudit:
    """The astronaut's picture with these faces."""
    scene = astronaut()
    for face in faces:
        if face.cover_box is not None and face.operator is not None:
            x0, y0, x1, y1 = (int(side) for side in face.face.box.as_tuple())
            inside = scene[y0:y1, x0:x1]
            solid = face.operator.kind == "solid"
            scene[y0:y1, x0:x1] = 20 if solid else cells(inside, 12)
    return PictureAudit(
        original=f"/press/story/{name}",
        redacted=f"/press/story/redacted/{name}",
        original_sha256="3f" * 32,
        redacted_sha256="9c" * 32,
        width=512,
        height=512,
        preview=scene,
        faces=faces,
        leaks=leaks,
        verdict=min((face.verdict for face in faces), key=VERDICTS.index, default=VERDICTS[-1]),
        summary=(
            "The face can still be recognised under the cover: 1 in 3 to be picked out of 100 "
            "people, where chance is 1 in 100."
        ),
    )


def followed(face: FaceAudit, number: int = 1, spans: tuple[Bare, ...] = ()) -> FaceAudit:
    """A face of a film, covered in nine frames and bare for ``spans``."""
    strip = tuple((second * 0.1, cells(crop(), 16)) for second in range(11))
    film = FilmFace(number, 0.0, 1.2, 9, spans, strip, 8, face.face.box)
    if not spans:
        return replace(face, film=film)
    return replace(face, film=film, covered=False, verdict="uncovered")
