"""A tiny film of a moving face, and where the face is."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np
from skimage.data import astronaut

from seethrough.tracker import Keyframe, Track, Tracks, write_tracks
from seethrough.tracker.tracks import USUAL_LANDMARKS
from seethrough.types import Box, Image
from tests.video.films import make

SIZE = (192, 128)
_HEAD = cv2.resize(astronaut()[0:240, 110:340], (86, 90), interpolation=cv2.INTER_AREA)
_FACE = np.array([69, 59, 161, 176]) * 86 / 230  # in the head's picture


def corner(index: int) -> tuple[int, int]:
    """Where the head's picture lies in a frame."""
    return 2 + 4 * index, 18


def face_frame(index: int, width: int, height: int) -> Image:
    """A frame: a head before a wall."""
    y, x = np.mgrid[:height, :width]
    wall = np.stack([120 + x // 4, 110 + y // 3, np.full_like(x, 90)], axis=-1).astype(np.uint8)
    left, top = corner(index)
    part = wall[top : top + 90, left : left + 86]
    part[:] = _HEAD[: part.shape[0], : part.shape[1]]
    return wall


def wall_frame(index: int, width: int, height: int) -> Image:
    """The wall alone."""
    return np.full((height, width, 3), 120 + index, np.uint8)


def box(index: int) -> Box:
    """Where the face is."""
    left, top = corner(index)
    x0, y0, x1, y1 = (_FACE + np.tile([left, top], 2)).tolist()
    return Box(x0, y0, x1, y1)


def film(path: Path, frames: int = 20, **options: Any) -> Path:
    """Write the film."""
    return make(path, frames=frames, **{"size": SIZE, "picture": face_frame, **options})


def tracks(path: Path, frames: int = 20, faces: Sequence[int] = (1,), **options: Any) -> Path:
    """Write where its face is, once for each number."""
    places = options.get("boxes", (box(0), box(frames - 1)))
    ends = options.get("ends", (0, frames - 1))
    found = Tracks(
        options.get("width", SIZE[0]),
        SIZE[1],
        Fraction(25),
        frames,
        tuple(
            Track(
                number,
                [
                    Keyframe(frame, place, USUAL_LANDMARKS, 1.0, "edited")
                    for frame, place in zip(ends, places, strict=True)
                ],
            )
            for number in faces
        ),
    )
    write_tracks(found, path, overwrite=True)
    return path


def decoded(path: Path) -> np.ndarray:
    """Every frame of a film as RGB."""
    with av.open(str(path)) as container:
        return np.stack([frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)])


def dark(frames: np.ndarray) -> list[bool]:
    """For each frame, whether the middle of its face is covered in black."""
    found = []
    for index, frame in enumerate(frames):
        x, y = (int(value) for value in box(index).centre)
        found.append(bool((frame[y - 12 : y + 12, x - 8 : x + 8] < 30).all()))
    return found
