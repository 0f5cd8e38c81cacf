"""Find solid covers: bars, boxes and ellipses of one colour, turned with a head or not.

Flat patches are seeds. Around each, the sides and the turn of a rectangle and of an ellipse move
until the patch's colour ends at their rim; a fitted function of how well it does so, and of how
even the inside is, tells a cover from a wall, a sky or a dark suit. A codec rings several
pixels into a cover and a cover's end may lie on hair of its own colour, so no single pixel decides.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import cv2
import numpy as np
import numpy.typing as npt

from seethrough.operators.parameters import parameters
from seethrough.types import Box, CoveredRegion, Image, Operator

Array = npt.NDArray[np.float64]
Plane = npt.NDArray[np.float32]

_LONG_SIDE = 1024  # pixels: larger pictures are reduced to this before the search
_FLAT = 3  # levels: range within 3 x 3 pixels of a seed, after a codec
_DEPTHS = (0, 4, 10)  # pixels that seeds are thinned by: what leaks out of a cover is cut off
_RINGING = 3  # pixels of a cover's rim that no seed reaches
_SEEDS = 16  # of each depth that are looked at
_FITS = 6  # of all that are fitted
_LEAST_SIDE = 10  # pixels
_LEAST_AREA, _MOST_AREA = 0.003, 0.7  # of the picture
_WIDE, _CLOSE = (2.5, 1.5), (0.75, 0.75)  # pixels inside and outside the rim that are compared
_FAR = 5.0  # pixels outside it
_CONTRAST = 40.0  # levels: a larger difference counts no more
_SAME = 8  # levels from the cover's colour
_SHIFTS = (-9, -4, -2, -1, 1, 2, 4, 9, 18, 36)  # pixels that a side may move outwards at a time
_SWELLS = (-8, -4, -2, 2, 4)  # pixels that all sides may
_ROOM = 48  # pixels around a seed
_TURNS = (-8, -4, -2, -1, 1, 2, 4, 8)  # degrees
_MOST_TURN = 30  # degrees
_STEPS = 16  # of an ascent
_HOPELESS = 0.1  # score after the first quarter of them
_LEAST_STEPS = 0.3  # of a seed's rim: less is the middle of a wall
_PROMISING = 0.25  # score from which a fit is judged
_BLOCK = 8  # pixels: a codec rings no farther
_BAR = (2.5, 8.0)  # width over height of a bar over the eyes
_ACCEPT = 0.7  # confidence from which a region is reported
_MOST_RESIDUAL = 4.0  # levels: more is a surface, not what shows through a cover
_LEAST_SEEN = 0.65  # of a rim: frames and margins touch the picture's border with more


@dataclass(frozen=True, slots=True, eq=False)
class Candidate:
    """A fitted shape, its features and its bounding box, in pixels of the searched picture."""

    box: Box
    kind: Literal["solid", "eye-bar"]
    features: tuple[float, ...]
    residual: float


FEATURES = (
    "score",
    "share of the rim with a step",
    "weakest quarter of the rim",
    "second weakest quarter",
    "sharpness of the rim",
    "same colour inside",
    "same colour inside, closely",
    "log deviation deep inside",
    "same colour around",
    "rim inside the picture",
    "log area",
    "log aspect",
    "ellipse",
    "turn",
    "grey",
    "brightness beyond black and white",
)


def find(picture: Image) -> list[CoveredRegion]:
    """Return the solid covers of a picture, surest first."""
    scale = min(1.0, _LONG_SIDE / max(picture.shape[:2]))
    small = picture
    if scale < 1:
        size = (max(1, round(picture.shape[1] * scale)), max(1, round(picture.shape[0] * scale)))
        small = np.asarray(cv2.resize(picture, size, interpolation=cv2.INTER_AREA), np.uint8)
    found: list[CoveredRegion] = []
    judged = [
        (1 / (1 + np.exp(-parameters().is_solid(np.array(candidate.features)))), candidate)
        for candidate in candidates(small)
    ]
    for confidence, candidate in sorted(judged, key=lambda pair: -pair[0]):
        if confidence < _ACCEPT:
            break
        if candidate.residual > _MOST_RESIDUAL:
            continue
        box = Box(*(v / scale for v in candidate.box.as_tuple()))
        if any(box.overlap(f.box) > 0.3 for f in found):
            continue
        operator = Operator(candidate.kind, None, None, float(confidence), candidate.residual)
        found.append(CoveredRegion(box, operator))
    return found


def estimate(picture: Image) -> Operator | None:
    """Say whether a box of a picture is one colour inside its inscribed ellipse."""
    height, width = picture.shape[:2]
    if min(height, width) < 5:  # a rim of two pixels would leave nothing
        return None
    rows, columns = (round(max(0.2 * n, min(_BLOCK, 0.4 * n))) for n in (height, width))
    deep = np.zeros((height, width), np.bool_)
    deep[rows : height - rows, columns : width - columns] = True
    core = picture[deep]
    same = np.abs(core - np.median(core, axis=0)).max(axis=1) <= 2 * _FLAT
    deviation = float(core.std(axis=0).max())
    if same.mean() < 0.995 or deviation > 2:
        return None
    confidence = float(np.clip(1 - deviation / 4, 0, 1))
    return Operator(_kind(width / height), None, None, confidence, _residual(picture, deep))


def candidates(picture: Image) -> list[Candidate]:
    """Return the shapes that flat patches fill, with their features."""
    height, width = picture.shape[:2]
    if min(height, width) < 2 * _LEAST_SIDE:
        return []
    places = [_place(picture, seed) for seed in _seeds(picture)]
    places = sorted((p for p in places if p.steps >= _LEAST_STEPS), key=lambda p: -p.steps)
    found = [_fitted(picture, place) for place in places[:_FITS]]
    return [candidate for candidate in found if candidate is not None]


@dataclass(frozen=True, slots=True)
class _Seed:
    """A flat patch: the box around it, and the smallest rectangle, perhaps turned."""

    box: Box
    centre: tuple[float, float]
    size: tuple[float, float]
    turn: float


def _seeds(picture: Image) -> list[_Seed]:
    """Return the flat patches, widened by what a codec's ringing eats."""
    height, width = picture.shape[:2]
    grey = cv2.cvtColor(np.ascontiguousarray(picture), cv2.COLOR_RGB2GRAY)  # colour rings farther
    square = np.ones((3, 3), np.uint8)
    flat = cv2.subtract(cv2.dilate(grey, square), cv2.erode(grey, square)) <= _FLAT
    opened = cv2.morphologyEx(flat.astype(np.uint8), cv2.MORPH_OPEN, square)
    depth = cv2.distanceTransform(opened, cv2.DIST_L2, 3)
    seeds: list[_Seed] = []
    for thinned in _DEPTHS:
        mask = (depth > thinned).astype(np.uint8)
        _, labels, stats, _ = cv2.connectedComponentsWithStats(mask, connectivity=4)
        reach = thinned + _RINGING
        w, h, area = stats[:, 2], stats[:, 3], stats[:, 4]
        share = (w + 2 * reach) * (h + 2 * reach) / (height * width)
        fits = (area >= 0.35 * w * h) & (np.minimum(w, h) + 2 * reach >= _LEAST_SIDE)
        fits &= (share >= _LEAST_AREA) & (share <= _MOST_AREA)
        fits[0] = False
        largest = np.flatnonzero(fits)[np.argsort(-area[fits])]
        for label in largest[:_SEEDS].tolist():
            x, y, right, bottom = (int(v) for v in stats[label, :4] + (0, 0, *stats[label, :2]))
            seed = _seed(labels[y:bottom, x:right] == label, x, y, reach)
            if min(seed.size) >= _LEAST_SIDE - 2 and all(seed.box.iou(s.box) < 0.7 for s in seeds):
                seeds.append(seed)
    return seeds


def _seed(patch: npt.NDArray[np.bool_], x: int, y: int, reach: int) -> _Seed:
    """Describe a flat patch that lies at ``x, y``."""
    h, w = patch.shape
    box = Box(x - reach, y - reach, x + w + reach, y + h + reach)
    outline = np.concatenate(
        [
            np.stack([patch.argmax(axis=1), np.arange(h)], axis=1)[patch.any(axis=1)],
            np.stack([w - 1 - patch[:, ::-1].argmax(axis=1), np.arange(h)], axis=1),
        ]
    )
    (cx, cy), (length, breadth), turn = cv2.minAreaRect(outline.astype(np.float32))
    if (turn + 45) % 180 - 45 > 45:
        length, breadth, turn = breadth, length, turn - 90
    turn = (turn + 90) % 180 - 90
    if abs(turn) < 2 or abs(turn) > _MOST_TURN or length * breadth > 0.9 * w * h:
        return _Seed(box, box.centre, (box.width, box.height), 0.0)
    size = (length + 1 + 2 * reach, breadth + 1 + 2 * reach)
    return _Seed(box, (x + cx + 0.5, y + cy + 0.5), size, float(turn))


@dataclass(frozen=True, slots=True, eq=False)
class _Shape:
    """A rectangle or an ellipse about a pivot: sides in its own axes, and their turn."""

    outline: Plane  # (2, N) within [-1, 1]
    pivot: Array  # (2,)

    def points(self, trials: Array, beyond: float) -> tuple[Plane, Plane]:
        """Return x and y of the outlines of ``trials (K, 5)``, moved outwards, ``(K, N)`` each."""
        left, top, right, bottom, turn = trials.astype(np.float32).T[..., None]
        x = (left + right) / 2 + ((right - left) / 2 + beyond) * self.outline[0]
        y = (top + bottom) / 2 + ((bottom - top) / 2 + beyond) * self.outline[1]
        turn = np.deg2rad(turn)
        cos, sin = np.cos(turn), np.sin(turn)
        px, py = self.pivot.astype(np.float32)
        return px + x * cos - y * sin, py + x * sin + y * cos

    def inward(self, trial: Array, height: int, width: int) -> Plane:
        """Depth of every pixel below the rim, in pixels; negative outside."""
        turn = np.deg2rad(trial[4])
        x = np.arange(width)[None] + 0.5 - self.pivot[0]
        y = np.arange(height)[:, None] + 0.5 - self.pivot[1]
        own = np.stack([x * np.cos(turn) + y * np.sin(turn), y * np.cos(turn) - x * np.sin(turn)])
        centre = (trial[:2] + trial[2:4])[:, None, None] / 2
        half = (trial[2:4] - trial[:2])[:, None, None] / 2
        if self.outline is _ELLIPSE:
            depth = (1 - np.hypot(*((own - centre) / half))) * half.min()
        else:
            depth = (half - np.abs(own - centre)).min(axis=0)
        return np.asarray(depth, np.float32)


def _ellipse(count: int) -> Plane:
    angle = (np.arange(count) + 0.5) / count * 2 * np.pi
    return np.stack([np.cos(angle), np.sin(angle)]).astype(np.float32)


def _rectangle(count: int) -> Plane:
    along = (np.arange(count // 4) + 0.5) / (count // 4) * 1.9 - 0.95
    one = np.ones_like(along)
    x, y = (one, along, -one, along), (along, one, along, -one)
    return np.stack([np.concatenate(x), np.concatenate(y)]).astype(np.float32)


_ELLIPSE, _RECTANGLE = _ellipse(40), _rectangle(40)
_CORNERS = np.array([(-1, 1, 1, -1), (-1, -1, 1, 1)], np.float32)
_OUTWARDS = np.array([-1.0, -1.0, 1.0, 1.0, 0.0])
_MOVES = np.concatenate(
    [np.eye(5)[side] * _OUTWARDS[side] * shift for side in range(4) for shift in _SHIFTS]
    + [_OUTWARDS * shift for shift in _SWELLS]
    + [np.eye(5)[4] * turn for turn in _TURNS]
).reshape(-1, 5)
_SMALL_MOVES = _MOVES[np.abs(_MOVES).max(axis=1) <= 2]


def _read(distance: Plane, points: tuple[Plane, Plane]) -> tuple[Plane, npt.NDArray[np.bool_]]:
    """Differences from the colour at ``points``, and which of them lie inside the picture."""
    height, width = distance.shape
    x, y = (np.floor(part).astype(np.int32) for part in points)
    at_x, at_y = (np.minimum(np.maximum(v, 0), n - 1) for v, n in ((x, width), (y, height)))
    return distance.ravel()[at_y * width + at_x], (at_x == x) & (at_y == y)


def _scores(distance: Plane, shape: _Shape, trials: Array, reach: tuple[float, float]) -> Array:
    outer, seen = _read(distance, shape.points(trials, reach[1]))
    inner, _ = _read(distance, shape.points(trials, -reach[0]))
    return np.asarray(((outer - 2 * inner) * seen).mean(axis=1) / _CONTRAST, np.float64)


def _climb(
    distance: Plane, shape: _Shape, start: Array, reach: tuple[float, float], moves: Array
) -> tuple[float, Array]:
    """Move sides and turn, one at a time, as long as the score rises (steepest ascent).

    ``reach`` is how far inside and outside the rim the colour is compared.
    """
    best, score = start, float(_scores(distance, shape, start[None], reach)[0])
    for step in range(_STEPS):
        if step == _STEPS // 4 and score < _HOPELESS and moves is _MOVES:
            break
        trials = best + moves
        sides = trials[:, 2:4] - trials[:, :2]
        trials = trials[(sides.min(axis=1) >= _LEAST_SIDE) & (abs(trials[:, 4]) <= _MOST_TURN)]
        scores = _scores(distance, shape, trials, reach)
        if not len(scores) or scores.max() <= score + 1e-6:
            break
        score, best = float(scores.max()), trials[scores.argmax()]
    return score, best


@dataclass(frozen=True, slots=True, eq=False)
class _Place:
    """A seed's surroundings: how far each pixel is from its colour."""

    window: Image
    offset: tuple[int, int]
    pivot: Array
    start: Array  # left, top, right, bottom from the pivot, and turn
    colour: Array
    distance: Plane
    steps: float  # share of the rim beside which another colour lies


def _place(picture: Image, seed: _Seed) -> _Place:
    reach = max(seed.size) / 2 + _ROOM
    cx, cy = (int(v) for v in seed.centre)
    left, top = max(0, int(cx - reach)), max(0, int(cy - reach))
    window = np.ascontiguousarray(picture[top : int(cy + reach), left : int(cx + reach)])
    dx, dy = (max(1, int(v / 4)) for v in seed.size)
    dx = min(dx, dy) if seed.turn else dx
    middle = picture[max(0, cy - dy) : cy + dy, max(0, cx - dx) : cx + dx]
    colour = np.median(middle, axis=(0, 1))
    apart = cv2.absdiff(window, (*colour.tolist(), 0.0))  # type: ignore[call-overload]
    distance = np.asarray(apart.max(axis=2), np.float32)
    half = np.array(seed.size) / 2
    start = np.array([*-half, *half, seed.turn])
    pivot = np.array(seed.centre) - (left, top)
    beside, seen = _read(distance, _Shape(_RECTANGLE, pivot).points(start[None], _FAR))
    steps = float(((beside > 2 * _SAME) & seen).mean())
    return _Place(window, (left, top), pivot, start, colour, distance, steps)


def _fitted(picture: Image, place: _Place) -> Candidate | None:
    """Fit both shapes to a seed and describe the better one."""
    height, width = picture.shape[:2]
    distance = place.distance
    capped = np.minimum(distance, np.float32(_CONTRAST))
    fits = []
    for outline in (_RECTANGLE, _ELLIPSE):
        shape = _Shape(outline, place.pivot)
        score, trial = _climb(capped, shape, place.start, _WIDE, _MOVES)
        fits.append((score, trial, shape))
    score, trial, shape = max(fits, key=lambda fit: fit[0])
    share = float(np.prod(trial[2:4] - trial[:2])) / (height * width)
    if score < _PROMISING or not _LEAST_AREA <= share <= _MOST_AREA:
        return None
    _, trial = _climb(capped, shape, trial, _CLOSE, _SMALL_MOVES)
    return _described(place, shape, trial, score, (height, width))


def _described(
    place: _Place, shape: _Shape, trial: Array, score: float, size: tuple[int, int]
) -> Candidate | None:
    """Measure the features of a shape fitted in a picture of ``size``."""
    distance, colour = place.distance, place.colour
    rim, seen = _read(distance, shape.points(trial[None], _WIDE[1]))
    if seen.mean() < _LEAST_SEEN:
        return None
    far, _ = _read(distance, shape.points(trial[None], _FAR))
    steps = ((rim > 2 * _SAME) & seen)[0]
    quarter = np.round(np.arctan2(shape.outline[1], shape.outline[0]) / (np.pi / 2)) % 4
    quarters = sorted(float(steps[quarter == k].mean()) for k in range(4))
    inward = shape.inward(trial, *distance.shape)
    inside, around = inward > _WIDE[0], (inward < -2) & (inward > -10)
    deep = inward > min(_BLOCK, 0.6 * float(inward.max()))
    if not inside.any() or not deep.any() or not around.any():
        return None
    width, height = trial[2:4] - trial[:2]
    own = place.window[deep]
    ellipse = shape.outline is _ELLIPSE
    features = (
        score,
        float(steps.mean()),
        quarters[0],
        quarters[1],
        float(np.minimum(rim, 64).mean() / (np.minimum(far, 64).mean() + 4)),
        float((distance[inside] <= 2 * _SAME).mean()),
        float((distance[inside] <= _SAME / 2).mean()),
        float(np.log(own.std(axis=0).max() + 0.05)),
        float((distance[around] <= _SAME).mean()),
        float(seen.mean()),
        float(np.log(width * height / (size[0] * size[1]))),
        abs(float(np.log(width / height))),
        float(ellipse),
        abs(float(trial[4])),
        float(np.ptp(colour) <= 4),
        float(min(colour.min(), 255 - colour.max())) / 32,
    )
    bar = not ellipse and _kind(width / height) == "eye-bar"
    # Bars are turned little: their corners say what a turned outline of points would not.
    outline = shape if ellipse else _Shape(_CORNERS, shape.pivot)
    points = np.stack(outline.points(trial[None], 0.0), axis=-1)[0]
    low = np.clip(np.round(points.min(axis=0) + place.offset, 1), 0, (size[1] - 1, size[0] - 1))
    high = np.clip(np.round(points.max(axis=0) + place.offset, 1), low + 1, (size[1], size[0]))
    box = Box(*(float(v) for v in (*low, *high)))
    return Candidate(box, "eye-bar" if bar else "solid", features, _residual(place.window, deep))


def _kind(aspect: float) -> Literal["solid", "eye-bar"]:
    return "eye-bar" if _BAR[0] <= aspect <= _BAR[1] else "solid"


def _residual(picture: Image, deep: npt.NDArray[np.bool_]) -> float:
    """Standard deviation of what shows through, in levels; a codec's ringing averages out."""
    smooth = cv2.blur(picture.astype(np.float32), (_BLOCK, _BLOCK))
    return float(smooth[deep].std(axis=0).mean())
