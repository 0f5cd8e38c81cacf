"""What stands where at one moment, painted; and which pixels of each face show, exactly."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias

import cv2
import numpy as np
import numpy.typing as npt

from benchmarks import film_scenery
from benchmarks.film_people import OVAL_CENTRE, OVAL_HALF_AXES, Matrix, Person, joined
from benchmarks.film_scenery import Panel
from seethrough import geometry
from seethrough.types import Image

Bits: TypeAlias = npt.NDArray[np.bool_]

_OPAQUE = 0.5  # opacity from which a person hides what is behind


@dataclass(frozen=True, slots=True)
class Placed:
    """A person at one moment.

    Attributes
    ----------
    face : int
        Number of the face in the film, from 0; also whose cut-out it is.
    x, y : float
        Middle of the face oval, in frame pixels.
    width : float
        Of the face oval, pixels.
    angle : float
        Degrees, clockwise as seen.
    depth : float
        What is smaller lies in front.
    """

    face: int
    x: float
    y: float
    width: float
    angle: float = 0.0
    depth: float = 1.0

    @property
    def scale(self) -> float:
        """Frame pixels for each pixel of the aligned crop."""
        return self.width / (2 * OVAL_HALF_AXES[0])

    @property
    def ellipse(self) -> tuple[float, float, float, float, float]:
        """The face oval: middle, half axes, and angle in degrees."""
        a, b = OVAL_HALF_AXES
        return self.x, self.y, a * self.scale, b * self.scale, self.angle

    def frame_of(self, person: Person) -> Matrix:
        """Return the map from the cut-out's pixels to the frame's."""
        turn = math.radians(self.angle)
        c, s = self.scale * math.cos(turn), self.scale * math.sin(turn)
        place = np.array([[c, -s, 0.0], [s, c, 0.0]])
        place[:, 2] = np.array([self.x, self.y]) - place[:, :2] @ OVAL_CENTRE
        return joined(place, person.crop_of)


@dataclass(frozen=True, slots=True)
class Shot:
    """One camera at one moment.

    Attributes
    ----------
    scenery : int
        Seed of the street.
    pan : tuple of float
        Where the camera looks, range [-1, 1] across and down: the street's room.
    people : tuple of Placed
    panels : tuple of Panel
    """

    scenery: int
    pan: tuple[float, float]
    people: tuple[Placed, ...]
    panels: tuple[Panel, ...] = ()


@dataclass(frozen=True, slots=True, eq=False)
class Seen:
    """A face in a frame.

    Attributes
    ----------
    face : int
        Its number.
    ellipse : tuple of float
        Middle x and y, half axes, angle in degrees.
    share : float
        Of the oval, how much shows: inside the frame, and behind nothing.
    x0, y0 : int
        Top left corner of ``mask``.
    mask : ndarray
        ``bool (h, w)``: the oval's pixels that show.
    """

    face: int
    ellipse: tuple[float, float, float, float, float]
    share: float
    x0: int
    y0: int
    mask: Bits


def paint(shot: Shot, cast: Sequence[Person], width: int, height: int) -> Image:
    """Paint a shot, back to front."""
    street = film_scenery.street(shot.scenery, width, height)
    room = (street.shape[1] - width, street.shape[0] - height)
    x, y = ((1 + p) / 2 * r for p, r in zip(shot.pan, room, strict=True))
    move = np.array([[1.0, 0.0, -x], [0.0, 1.0, -y]])
    frame = np.asarray(cv2.warpAffine(street, move, (width, height)), np.uint8)
    for thing in _back_to_front(shot):
        if isinstance(thing, Panel):
            thing.paint(frame)
        else:
            _paint_person(frame, thing, cast[thing.face])
    return frame


def seen(shot: Shot, cast: Sequence[Person], width: int, height: int) -> list[Seen]:
    """Return every face of a shot of which a pixel shows, by number."""
    labels = np.full((height, width), -1, np.int16)
    for thing in _back_to_front(shot):
        if isinstance(thing, Panel):
            labels[thing.rows_columns(labels.shape)] = -1
            continue
        part = _part(thing, cast[thing.face], width, height)
        if part is not None:
            where, matrix = part
            alpha = _warped(cast[thing.face], matrix, where, opacity=True)
            labels[where][alpha >= _OPAQUE] = -1
        where, inside = _oval(thing, width, height)
        labels[where][inside] = thing.face
    found = []
    for placed in sorted(shot.people, key=lambda p: p.face):
        where, _ = _oval(placed, width, height)
        mask = labels[where] == placed.face
        if mask.any():
            _, _, a, b, _ = placed.ellipse
            share = min(float(mask.sum()) / (math.pi * a * b), 1.0)
            x0, y0 = where[1].start, where[0].start
            found.append(Seen(placed.face, placed.ellipse, share, x0, y0, mask))
    return found


def _back_to_front(shot: Shot) -> list[Placed | Panel]:
    things: list[Placed | Panel] = [*shot.people, *shot.panels]
    return sorted(things, key=lambda thing: -thing.depth)


def _oval(placed: Placed, width: int, height: int) -> tuple[tuple[slice, slice], Bits]:
    """Return the pixels whose centres lie in a face oval, within the frame."""
    x, y, a, b, angle = placed.ellipse
    reach = max(a, b) + 1
    low = np.clip(np.floor([x - reach, y - reach]), 0, (width, height)).astype(int)
    high = np.clip(np.ceil([x + reach, y + reach]) + 1, 0, (width, height)).astype(int)
    turn = math.radians(angle)
    dx = np.arange(low[0], high[0])[None] - x
    dy = np.arange(low[1], high[1])[:, None] - y
    u = (dx * math.cos(turn) + dy * math.sin(turn)) / a
    v = (dy * math.cos(turn) - dx * math.sin(turn)) / b
    return (slice(low[1], high[1]), slice(low[0], high[0])), u * u + v * v <= 1


def _part(
    placed: Placed, person: Person, width: int, height: int
) -> tuple[tuple[slice, slice], Matrix] | None:
    """Return the part of the frame that a person takes up, and the map there; or nothing."""
    matrix = placed.frame_of(person)
    tall, wide = person.levels[0][0].shape[:2]
    corners = geometry.transform(matrix, [(0, 0), (wide, 0), (0, tall), (wide, tall)])
    low = np.clip(np.floor(corners.min(0)), 0, (width, height)).astype(int)
    high = np.clip(np.ceil(corners.max(0)) + 1, 0, (width, height)).astype(int)
    if (high <= low).any():
        return None
    return (slice(int(low[1]), int(high[1])), slice(int(low[0]), int(high[0]))), matrix


def _warped(
    person: Person, matrix: Matrix, where: tuple[slice, slice], *, opacity: bool
) -> npt.NDArray[np.float32]:
    """Bring a person's pixels, or their opacity, to a part of the frame."""
    shrink = 1 / geometry.scale_of(matrix)
    level = min(max(int(math.log2(max(shrink, 1.0)) + 0.25), 0), len(person.levels) - 1)
    source = person.levels[level][1 if opacity else 0]
    factor = person.levels[0][0].shape[0] / source.shape[0]
    up = np.array([[factor, 0, (factor - 1) / 2], [0, factor, (factor - 1) / 2]])
    there = joined(matrix, up)
    there[:, 2] -= (where[1].start, where[0].start)
    size = (where[1].stop - where[1].start, where[0].stop - where[0].start)
    warped = cv2.warpAffine(source, there, size, flags=cv2.INTER_LINEAR)
    return np.asarray(warped, np.float32)


def _paint_person(frame: Image, placed: Placed, person: Person) -> None:
    part = _part(placed, person, frame.shape[1], frame.shape[0])
    if part is None:
        return
    where, matrix = part
    alpha = _warped(person, matrix, where, opacity=True)[..., None]
    under = frame[where]
    pixels = _warped(person, matrix, where, opacity=False)
    frame[where] = under + alpha * (0.88 * pixels - under) + np.float32(0.5)
