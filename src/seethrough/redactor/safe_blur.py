"""A cover that looks like a soft blur and is made from nothing under it.

Where a blurred head would be lies a field that continues the surroundings inwards, and in it a head
without features, of one tone for everybody, as bright as the scene. At its rim the cover fades into
the picture over pixels outside it.

The field is coarse, a grid around each head, and a weighted mean over the last frames, so that it
does not flicker. Only the last :data:`MEMORY` frames have a part in it: a film that goes on after
an interruption comes out the same once they were looked at again.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from seethrough.redactor.blanked import MOAT, Blanked
from seethrough.redactor.field import continued
from seethrough.redactor.region import Pose, Region, pose_of
from seethrough.redactor.source import Sighting
from seethrough.types import Image, Patch

Floats = npt.NDArray[np.float32]

MEMORY = 12
"""Frames that have a part in a frame's covers, its own included."""

_CELLS = 24  # of the grid, along each side
_BLEND = 4.0  # depth in a cover, in widths of its rim, from which its head prevails over another
_REACH = 1.35  # half of the grid's side, in half-heights of the head
_TIGHT_HALF = 70.0  # half-height of the head in the 128 px crop
_FINE = 6  # as fine as the grid becomes before it is enlarged linearly
_MOAT = MOAT + 1.0  # pixels around a cover, those that are withheld, of which nothing is known
_FADE = 0.16  # width of the rim outside the cover, as a share of the head's half-height

# Tones of the head, RGB, under light of medium brightness, so near to each other that detectors see
# no face; centres, half-axes and soft rim in the 128 px crop.
_HAIR = ((64.0, 58.0), (45.0, 51.0), (94.0, 78.0, 68.0), 0.8)
_SKIN = ((64.0, 77.0), (38.0, 50.0), (154.0, 123.0, 106.0), 0.82)
_SOFT = 0.55  # of a half-axis: width of the edge of hair and face
_LIT = (0.35, 1.35)  # darkest and brightest scene that tones follow


@dataclass(slots=True, eq=False)
class _Head:
    """What is remembered of one face: grids of the last frames, the newest last."""

    fields: deque[Floats]


class SafeBlur:
    """Makes the covers of one film, frame after frame."""

    def __init__(self, sample_aspect: float = 1.0) -> None:
        self._aspect = sample_aspect
        self._heads: dict[int, _Head] = {}

    def remember(self, blanked: Blanked, sightings: Sequence[Sighting]) -> list[Floats]:
        """Look at the surroundings of every face, and return each face's field.

        Returns
        -------
        list of ndarray
            ``float32 (cells, cells, 3)`` levels.
        """
        found: dict[int, _Head] = {}
        fields = []
        for sighting in sightings:
            head = self._heads.get(sighting.track) or _Head(deque(maxlen=MEMORY))
            grid = _Grid.around(pose_of(sighting, self._aspect), self._aspect)
            head.fields.append(_surroundings(blanked, grid))
            found[sighting.track] = head
            # The newest count most: surroundings move past a head that moves.
            weights = 0.8 ** np.arange(len(head.fields) - 1, -1, -1, dtype=np.float32)
            stack = np.stack(list(head.fields))
            fields.append(np.tensordot(weights / weights.sum(), stack, axes=1))
        self._heads = found  # a track that was lost starts anew
        return [np.asarray(field, np.float32) for field in fields]

    def patches(
        self,
        blanked: Blanked,
        sightings: Sequence[Sighting],
        regions: Sequence[Region | None],
    ) -> list[Patch]:
        """Cover the faces of one frame: one patch for each that reaches into it."""
        fields = self.remember(blanked, sightings)
        layers = []
        for sighting, region, field in zip(sightings, regions, fields, strict=True):
            if region is not None:
                pose = pose_of(sighting, self._aspect)
                layers.append(_Layer.of(pose, region, field, self._aspect))
        # Nearer heads are larger and painted last.
        layers.sort(key=lambda layer: layer.grid.side)
        return [_patch(blanked, layer, layers) for layer in layers]


@dataclass(frozen=True, slots=True)
class _Grid:
    """A square, in square pixels, around a head; half-open whole pixels of the stored picture."""

    x0: int
    y0: int
    x1: int
    y1: int
    side: float  # in square pixels

    @staticmethod
    def around(pose: Pose, aspect: float) -> _Grid:
        unit = float(np.hypot(*pose.right))
        half = _REACH * _TIGHT_HALF * unit
        centre = pose.origin + 0.5 + pose.right * pose.back / 2
        x0, x1 = math.floor((centre[0] - half) / aspect), math.ceil((centre[0] + half) / aspect)
        y0, y1 = math.floor(centre[1] - half), math.ceil(centre[1] + half)
        return _Grid(x0, y0, max(x1, x0 + 1), max(y1, y0 + 1), 2 * half)


@dataclass(frozen=True, slots=True, eq=False)
class _Layer:
    """One head, ready to be painted."""

    grid: _Grid
    region: Region
    field: Floats
    presence: Floats  # how much of the field is the head's tone, (cells, cells)
    fade: float  # pixels

    @staticmethod
    def of(pose: Pose, region: Region, field: Floats, aspect: float) -> _Layer:
        grid = _Grid.around(pose, aspect)
        fade = max(_FADE * _TIGHT_HALF * float(np.hypot(*pose.right)), 2.0)
        return _Layer(grid, region, *_with_head(field, pose, grid, aspect), fade)


def _surroundings(blanked: Blanked, grid: _Grid) -> Floats:
    """Return the picture around a head on its grid, continued to where covers are."""
    height, width = blanked.shape
    x0, y0 = max(grid.x0, 0), max(grid.y0, 0)
    x1, y1 = min(grid.x1, width), min(grid.y1, height)
    cells = np.zeros((_CELLS, _CELLS, 4), np.float32)
    if x0 < x1 and y0 < y1:
        pixels, withheld = blanked.part(x0, y0, x1, y1)
        known = np.where(withheld, 0, 255).astype(np.uint8)
        both = cv2.merge([*cv2.split(pixels), known])
        both = cv2.copyMakeBorder(
            both,
            *(y0 - grid.y0, grid.y1 - y1, x0 - grid.x0, grid.x1 - x1),
            cv2.BORDER_CONSTANT,
            value=(0, 0, 0, 0),
        )
        # A box filter in two steps: the first, whole, is what takes time.
        small = cv2.resize(both, (_CELLS * 4, _CELLS * 4), interpolation=cv2.INTER_AREA)
        cells = np.asarray(
            cv2.resize(
                np.asarray(small, np.float32), (_CELLS, _CELLS), interpolation=cv2.INTER_AREA
            ),
            np.float32,
        )
    return continued(cells)


def _with_head(field: Floats, pose: Pose, grid: _Grid, aspect: float) -> tuple[Floats, Floats]:
    """Draw the head that everybody gets; return how much of each cell is head, too."""
    steps = (np.arange(_CELLS) + 0.5) / _CELLS
    x = (grid.x0 + steps * (grid.x1 - grid.x0)) * aspect
    y = grid.y0 + steps * (grid.y1 - grid.y0)
    offset = np.stack(np.meshgrid(x, y), axis=-1) - 0.5 - pose.origin
    unit2 = float(pose.right @ pose.right)
    across, along = offset @ pose.right / unit2 + 64, offset @ pose.down / unit2 + 64
    bright = float((field @ np.array([0.299, 0.587, 0.114], np.float32)).mean()) / 128
    light = 0.45 + 0.55 * min(max(bright, _LIT[0]), _LIT[1])
    drawn, bare = field, np.ones(field.shape[:2], np.float32)
    for ((cx, cy), (a, b), tone, most), turn in ((_HAIR, 0.6), (_SKIN, -0.25)):
        shift = pose.back * turn
        distance = np.hypot((across - cx - shift) / a, (along - cy) / b)
        step = np.clip((1 + _SOFT - distance) / (2 * _SOFT), 0, 1)
        alpha = (most * step * step * (3 - 2 * step)).astype(np.float32)
        drawn = drawn + alpha[..., None] * (np.array(tone, np.float32) * light - drawn)
        bare *= 1 - alpha
    return np.asarray(drawn, np.float32), 1 - bare


def _patch(blanked: Blanked, layer: _Layer, layers: Sequence[_Layer]) -> Patch:
    """Render one cover with its rim; where heads overlap their fields blend."""
    height, width = blanked.shape
    margin = math.ceil(layer.fade + _MOAT)
    region = layer.region
    x0, y0 = max(region.x0 - margin, 0), max(region.y0 - margin, 0)
    x1, y1 = min(region.x1 + margin, width), min(region.y1 + margin, height)
    own = np.zeros((y1 - y0, x1 - x0), np.uint8)
    own[region.y0 - y0 : region.y1 - y0, region.x0 - x0 : region.x1 - x0] = region.mask
    away = np.asarray(cv2.distanceTransform(1 - own, cv2.DIST_L2, 3), np.float32)
    field = _blended(layer, layers, own, x0, y0)
    result = _whole_levels(field, x0, y0)
    pixels, withheld = blanked.part(x0, y0, x1, y1)
    step = np.clip((away - np.float32(_MOAT)) / np.float32(margin - _MOAT), 0, 1)
    outside = step * step * (3 - 2 * step)
    result = np.asarray(cv2.blendLinear(result, pixels, 1 - outside, outside), np.uint8)
    # Other faces' covers, and the moat around them, are theirs to paint: nothing is known there.
    mask = (away < _MOAT) | ((away < margin) & ~withheld)
    return Patch(x0, y0, result, mask)


def _blended(
    layer: _Layer, layers: Sequence[_Layer], own: npt.NDArray[np.uint8], x0: int, y0: int
) -> Floats:
    """Render a head's field; where others' covers overlap it, heads count more than scenery."""
    y1, x1 = y0 + own.shape[0], x0 + own.shape[1]
    part = (x0, y0, x1, y1)
    field = _rendered(layer.grid, layer.field, *part)
    total: Floats | None = None
    for other in layers:
        theirs = other.region
        ax, ay = max(theirs.x0, x0), max(theirs.y0, y0)
        bx, by = min(theirs.x1, x1), min(theirs.y1, y1)
        if other is layer or ax >= bx or ay >= by:
            continue
        if total is None:
            total = np.maximum(_weight(layer, own, part), 1e-4)
            field = field * total[..., None]
        mask = np.zeros(own.shape, np.uint8)
        mask[ay - y0 : by - y0, ax - x0 : bx - x0] = theirs.mask[
            ay - theirs.y0 : by - theirs.y0, ax - theirs.x0 : bx - theirs.x0
        ]
        weight = _weight(other, mask, part)
        field += weight[..., None] * _rendered(other.grid, other.field, *part)
        total = total + weight
    return field if total is None else np.asarray(field / total[..., None], np.float32)


def _weight(layer: _Layer, mask: npt.NDArray[np.uint8], part: tuple[int, int, int, int]) -> Floats:
    """Return what a head counts for in a part of the picture: nothing outside its cover."""
    # Where the part ends the cover may go on: its border there is none.
    padded = np.pad(mask, 1, mode="edge")
    distance = np.asarray(cv2.distanceTransform(padded, cv2.DIST_L2, 3), np.float32)[1:-1, 1:-1]
    depth = np.clip(distance / (_BLEND * layer.fade), 0, 1)
    presence = np.clip(_rendered(layer.grid, layer.presence, *part), 0, 1)
    return np.asarray(depth * (0.02 + presence**2), np.float32)


def _rendered(grid: _Grid, cells: Floats, x0: int, y0: int, x1: int, y1: int) -> Floats:
    """Enlarge a grid to a part of the picture: smoothly at first, then linearly."""
    count = _CELLS * _FINE
    fine = cv2.resize(cells, (count, count), interpolation=cv2.INTER_CUBIC)
    wide, high = (grid.x1 - grid.x0) / count, (grid.y1 - grid.y0) / count
    # From part to grid, about pixel centres.
    matrix = np.array(
        [
            [1 / wide, 0, (x0 - grid.x0 + 0.5) / wide - 0.5],
            [0, 1 / high, (y0 - grid.y0 + 0.5) / high - 0.5],
        ]
    )
    return np.asarray(
        cv2.warpAffine(
            fine,
            matrix,
            (x1 - x0, y1 - y0),
            flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
            borderMode=cv2.BORDER_REPLICATE,
        ),
        np.float32,
    )


_TILE = np.repeat(np.random.default_rng(7).random((64, 64, 1), np.float32), 3, axis=2)
_STRIP = 256  # rows that are rounded at a time


def _whole_levels(field: Floats, x0: int, y0: int) -> Image:
    """Round after adding fixed noise on [0, 1), tied to the picture's corner: no bands show."""
    height, width = field.shape[:2]
    noise = np.roll(_TILE, (-(y0 % 64), -(x0 % 64)), axis=(0, 1))
    noise = np.tile(noise, (-(-min(height, _STRIP) // 64), -(-width // 64), 1))[:, :width]
    result = np.empty(field.shape, np.uint8)
    for top in range(0, height, _STRIP):
        strip = field[top : top + _STRIP]
        noisy = cv2.add(strip, np.ascontiguousarray(noise[: len(strip)]))
        result[top : top + _STRIP] = cv2.convertScaleAbs(noisy, None, 1, -0.5)
    return result
