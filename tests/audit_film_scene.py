"""The astronaut in front of a coffee cup, moving: films to audit, as frames or as files."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import cache
from pathlib import Path

import cv2
import numpy as np
import skimage.data

from seethrough.auditor.film.auditing import FilmFile
from seethrough.auditor.leaks import Container
from seethrough.auditor.types import Case, Reading, Sight
from seethrough.degrade import Mosaic
from seethrough.geometry import tight_box
from seethrough.tracker import Keyframe, Track, Tracks
from seethrough.tracker.tracks import relative
from seethrough.types import Image
from tests.audit_scene import LANDMARKS, StandIn
from tests.video import films

FRAMES = 12
RATE = Fraction(25)
SIZE = (224, 176)
STEP = 3
"""Pixels by which the face moves to the right from frame to frame."""
CELL = 8
NAMES = ("raw.mp4", "red.mp4")

Picture = Callable[[int], Image]


@cache
def _portrait() -> Image:
    part = skimage.data.astronaut()[10:286, 90:366]
    return np.asarray(cv2.resize(part, (168, 168), interpolation=cv2.INTER_AREA), np.uint8)


@cache
def _backdrop() -> Image:
    cup = skimage.data.coffee()
    return np.asarray(cv2.resize(cup, SIZE, interpolation=cv2.INTER_AREA), np.uint8)


def landmarks(index: int) -> np.ndarray:
    """Her eyes, nose and mouth in a frame."""
    scaled = (LANDMARKS + 0.5 - (90, 10)) * (168 / 276) - 0.5
    return np.asarray(scaled + np.array([4 + STEP * index, 4]))


def raw(index: int) -> Image:
    """A frame of the original."""
    picture = _backdrop().copy()
    left = 4 + STEP * index
    picture[4:172, left : left + 168] = _portrait()[:, : SIZE[0] - left]
    return picture


def under(index: int) -> tuple[slice, slice]:
    """Rows and columns of the cover in a frame."""
    box = tight_box(landmarks(index))
    return (
        slice(round(box.y0) - 6, round(box.y1) + 6),
        slice(round(box.x0) - 6, round(box.x1) + 6),
    )


def mosaic(bare: Collection[int] = (), content: Picture = raw) -> Picture:
    """A mosaic over her face, whose grid stands still, and over ``content``."""

    def picture(index: int) -> Image:
        result = raw(index)
        if index not in bare:
            result[under(index)] = Mosaic((CELL, CELL))(content(index))[under(index)]
        return result

    return picture


def solid(index: int) -> Image:
    """Paint over her face."""
    result = raw(index)
    result[under(index)] = 0
    return result


def tracks(frames: int = FRAMES) -> Tracks:
    """Where her face is."""
    keys = []
    for index in (0, frames - 1):
        points = landmarks(index)
        box = tight_box(points)
        inside = relative(np.array(box.as_tuple()), points)
        keys.append(Keyframe(index, box, inside, 0.9, "detected"))
    return Tracks(*SIZE, RATE, frames, (Track(1, keys),))


@dataclass(frozen=True, eq=False)
class Still:
    """A frame that went through no codec."""

    index: int
    time: Fraction
    pixels: Image

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns."""
        return self.pixels.shape[0], self.pixels.shape[1]

    def reduced(self, long_side: int) -> tuple[Image, tuple[float, float]]:
        """A small copy, as of ``video.Frame``."""
        height, width = self.shape
        scale = min(1.0, long_side / max(height, width))
        if scale == 1:
            return self.pixels, (1.0, 1.0)
        size = (round(width * scale), round(height * scale))
        small = cv2.resize(self.pixels, size, interpolation=cv2.INTER_AREA)
        return np.asarray(small, np.uint8), (width / size[0], height / size[1])


@dataclass(frozen=True)
class Info:
    """What a film says of itself."""

    width: int
    height: int
    rate: Fraction
    frames: int | None
    duration: Fraction | None = None
    sample_aspect: Fraction = Fraction(1)


def stills(
    picture: Picture, shown: Sequence[int] | None = None, rate: Fraction = RATE
) -> list[Still]:
    """The frames ``shown`` of a film, one after another."""
    shown = range(FRAMES) if shown is None else shown
    return [Still(i, i / rate, picture(index)) for i, index in enumerate(shown)]


def film(
    frames: Sequence[Still], name: str = "raw.mp4", rate: Fraction = RATE, comment: str = ""
) -> FilmFile:
    """Frames as a film to audit."""
    height, width = frames[0].shape
    info = Info(width, height, rate, len(frames), len(frames) / rate)
    container = Container(None, True, (), (), comment)
    times = [*(still.time for still in frames), frames[-1].time + 1 / rate]
    return FilmFile(name, "0" * 64, info, frames, container, times)


def write(path: Path, picture: Picture, frames: int = FRAMES) -> Path:
    """A film as a file."""
    return films.make(
        path,
        frames=frames,
        size=SIZE,
        picture=lambda index, *_: picture(index),
        options={"preset": "ultrafast", "crf": "16"},
    )


class FilmStandIn(StandIn):
    """Attackers that keep what they are shown, a film's looks too."""

    def read_film(self, cases: Sequence[Case]) -> tuple[tuple[Reading, ...], tuple[Sight, ...]]:
        """Read the look in the middle."""
        found = [self.read(case) for case in cases]
        readings, sights = found[len(found) // 2]
        joined = [
            replace(each, level="A4", calibrated=cases[0].operator.kind == "solid")
            for each in readings
        ]
        return (*readings, *joined), sights
