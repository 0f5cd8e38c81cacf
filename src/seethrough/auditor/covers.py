"""How one face of a picture is covered: where, and by which operator.

From the redacted file come the cover's place, the name of its operator, its strength and its phase
(:mod:`seethrough.operators`); the pixels under it are looked at for nothing else.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from seethrough.auditor.pairing import Flags, Pair
from seethrough.degrade import EYE_BAR, MASK_FACE, MASK_HEAD, Ellipse
from seethrough.geometry import similarity, transform
from seethrough.operators import estimate
from seethrough.types import Box, CoveredRegion, Face, Image, Operator, OperatorKind

_AROUND = 1.0  # of a face's size, to each side: how far a cover of it reaches
_SPECK = 0.004  # of the face's area: smaller changes are no cover
_JOIN = 0.12  # of the face's width: changes nearer than this belong to one cover
_LARGEST = 4.0  # areas of the face: larger regions are not one face's cover
_LEAST_SHARE = 0.05  # of the face changed: less is not covered
_PLAINLY = 0.3  # of the face's box changed: nobody takes it for bare
_THIN = 32  # pixels: the blocks of a codec reach across a bar that is no higher
_SAME_COLOUR = 6  # levels: of one colour, after a codec
_STEP = 1.1  # strengths of blurs are told in steps of a tenth


@dataclass(frozen=True, slots=True, eq=False)
class Cover:
    """The cover of one face.

    Attributes
    ----------
    mask : ndarray
        ``bool (H, W)``: the pixels of the picture under it.
    operator : Operator or None
        How it was made; ``None`` where that cannot be told.
    share : float
        Of the tight face's ellipse, how much it covers, range [0, 1].
    stand_in : bool
        Whether it shows something that was not made from the face: nothing can show through.
    """

    mask: Flags
    operator: Operator | None
    share: float
    stand_in: bool = False

    @property
    def box(self) -> Box:
        """The rectangle around the cover."""
        return _bounds(self.mask)


def moved(face: Face, scale: float) -> Face:
    """Return a face as it lies in a copy of its picture that is ``scale`` times as large."""
    box = Box(*(value * scale for value in face.box.as_tuple()))
    return Face(box, (face.landmarks + 0.5) * scale - 0.5, face.score)


def find_cover(pair: Pair, face: Face, regions: Sequence[CoveredRegion]) -> Cover | None:
    """Find the cover of one face.

    Parameters
    ----------
    pair : Pair
        The picture before and after.
    face : Face
        In pixels of the pair.
    regions : sequence of CoveredRegion
        What :func:`seethrough.operators.find_covered` finds in the redacted picture.

    Returns
    -------
    Cover or None
        ``None`` where the face is as bare as before.
    """
    mask, oval = _changed_of(pair, face)
    if _share(mask, oval) < _LEAST_SHARE:
        return None
    operator, region = _named(pair.redacted, mask, regions, face)
    if operator is not None and operator.kind in ("solid", "eye-bar"):
        mask = _painted(pair.redacted, mask)
    elif region is not None and not pair.exact and region.area < _LARGEST * face.box.area:
        # Among the losses of a codec faint changes do not show; the finder sees its own traces.
        x0, y0, x1, y1 = (max(0, round(edge)) for edge in region.as_tuple())
        mask[y0:y1, x0:x1] = True
    return Cover(mask, operator, _share(mask, oval))


def is_bare(pair: Pair, face: Face) -> bool:
    """Whether a face is as bare as before: :func:`find_cover` would find nothing over it.

    Parameters
    ----------
    pair : Pair
        The picture before and after.
    face : Face
        In pixels of the pair.
    """
    height, width = pair.changed.shape
    box = face.box
    x0, y0 = max(0, int(box.x0)), max(0, int(box.y0))
    part = pair.changed[y0 : min(height, int(box.y1)), x0 : min(width, int(box.x1))]
    if part.size and part.mean() > _PLAINLY:
        return False
    mask, oval = _changed_of(pair, face)
    return _share(mask, oval) < _LEAST_SHARE


def _changed_of(pair: Pair, face: Face) -> tuple[Flags, Flags]:
    oval = face_oval(face.box, pair.changed.shape)
    return _changed_around(pair.changed, face, oval), oval


def _share(mask: Flags, oval: Flags) -> float:
    return float((mask & oval).sum() / max(oval.sum(), 1))


def styled_cover(
    style: str, strength: tuple[float, bool] | None, face: Face, shape: tuple[int, ...]
) -> Cover:
    """Return the cover that a style would put over a face.

    Parameters
    ----------
    style : str
        ``mosaic``, ``blur``, ``box``, ``solid``, ``eye-bar``, ``mask-face`` or ``mask-head``.
    strength : (float, bool) or None
        Mosaic: cells per face width; blurs: size as a share of it; or, where the second is true,
        pixels of the picture. ``None`` where the style has no strength.
    face : Face
        In pixels of the picture.
    shape : tuple of int
        Of the picture.
    """
    if style in _SHAPES:
        mask = _shape_mask(_SHAPES[style], face, shape)
    else:
        mask = np.zeros(shape[:2], np.bool_)
        x0, y0, x1, y1 = (max(0, round(edge)) for edge in face.box.as_tuple())
        mask[y0:y1, x0:x1] = True
    share = _share(mask, face_oval(face.box, shape))
    return Cover(mask, styled_operator(style, strength, face.box.width), share)


def styled_operator(style: str, strength: tuple[float, bool] | None, face_width: float) -> Operator:
    """Return the operator of a style on a face of this width, in pixels of its picture."""
    kind = _KINDS[style]
    if strength is None:
        return Operator(kind, None, None, 1.0)
    value, in_pixels = strength
    if kind == "mosaic":
        cell = max(1.0, value if in_pixels else face_width / value)
        return Operator(kind, (cell, cell), (0.0, 0.0), 1.0)
    size = value if in_pixels else value * face_width
    size = max(size, 0.05) if kind == "gauss" else float(max(1, round(size)))
    return Operator(kind, (size, size), None, 1.0)


_SHAPES: dict[str, Box | Ellipse] = {
    "eye-bar": EYE_BAR,
    "mask-face": MASK_FACE,
    "mask-head": MASK_HEAD,
    "solid": MASK_HEAD,
}
_KINDS: dict[str, OperatorKind] = {
    "mosaic": "mosaic",
    "blur": "gauss",
    "box": "box",
    "eye-bar": "eye-bar",
    "mask-face": "solid",
    "mask-head": "solid",
    "solid": "solid",
}
STYLES = tuple(_KINDS)
"""Styles that can be simulated."""


def _named(
    redacted: Image, mask: Flags, regions: Sequence[CoveredRegion], face: Face
) -> tuple[Operator | None, Box | None]:
    """Name the operator of a cover, given its place; and return the finder's own, if it has one."""
    if _one_colour(redacted, mask):
        return Operator(_solid_kind(mask), None, None, 1.0), None
    box = _bounds(mask)
    best = max(regions, key=lambda region: region.box.intersection(box), default=None)
    if best is not None and best.box.intersection(box) > 0.3 * min(best.box.area, box.area):
        return _settled(best.operator, face.box.width), best.box
    inner = Box(
        box.x0 + 0.08 * box.width,
        box.y0 + 0.08 * box.height,
        box.x1 - 0.08 * box.width,
        box.y1 - 0.08 * box.height,
    )
    operator = estimate(redacted, inner)
    return (None if operator is None else _settled(operator, face.box.width)), None


def _settled(operator: Operator, face_width: float) -> Operator:
    """Round what was measured to what a person would have set.

    Measured strengths vary a little with the pixels that they are read from; the attackers must
    not.
    """
    if operator.size is None:
        return operator
    if operator.kind == "mosaic" and operator.phase is not None:
        # Whole cells, as tools make them, unless the measurement says otherwise.
        if all(abs(cell - round(cell)) < max(0.012 * cell, 0.08) for cell in operator.size):
            cells = (float(round(operator.size[0])), float(round(operator.size[1])))
            x, y = (float(round(at) % cell) for at, cell in zip(operator.phase, cells, strict=True))
            return Operator("mosaic", cells, (x, y), operator.confidence)
        return operator
    steps = [round(math.log(size / face_width, _STEP)) for size in operator.size]
    width, height = (face_width * _STEP**step for step in steps)
    return Operator(operator.kind, (width, height), None, operator.confidence)


def _changed_around(changed: Flags, face: Face, oval: Flags) -> Flags:
    """Return the cover's pixels: a box, an ellipse or the hull around what changed at a face."""
    height, width = changed.shape
    reach_x, reach_y = _AROUND * face.box.width, _AROUND * face.box.height
    x0, y0 = max(0, round(face.box.x0 - reach_x)), max(0, round(face.box.y0 - reach_y))
    x1 = min(width, round(face.box.x1 + reach_x))
    y1 = min(height, round(face.box.y1 + reach_y))
    empty = np.zeros(changed.shape, np.bool_)
    if x1 <= x0 or y1 <= y0:
        return empty
    part = changed[y0:y1, x0:x1].astype(np.uint8)
    join = max(3, 2 * round(_JOIN * face.box.width / 2) + 1)
    count, labels, stats, _ = cv2.connectedComponentsWithStats(part, connectivity=8)
    least = max(4.0, _SPECK * face.box.area)
    kept = np.isin(labels, [i for i in range(1, count) if stats[i, cv2.CC_STAT_AREA] >= least])
    closed = cv2.morphologyEx(
        kept.astype(np.uint8), cv2.MORPH_CLOSE, np.ones((join, join), np.uint8)
    )
    count, labels = cv2.connectedComponents(closed)
    there = np.bincount(labels[oval[y0:y1, x0:x1] & (closed > 0)], minlength=count)
    there[0] = 0
    if there.max(initial=0) == 0:
        return empty
    mine = np.isin(labels, np.flatnonzero(there >= 0.2 * there.max())) & kept
    if not mine.any():
        return empty
    empty[y0:y1, x0:x1] = _outlined(mine)
    return empty


def _outlined(changed: Flags) -> Flags:
    """Return the simplest shape around changed pixels: rectangle, ellipse, or their hull.

    A blur changes nothing where there was nothing to blur, so pixels alone are no outline.
    """
    rows, columns = np.flatnonzero(changed.any(axis=1)), np.flatnonzero(changed.any(axis=0))
    x0, x1, y0, y1 = columns[0], columns[-1] + 1, rows[0], rows[-1] + 1
    hull = np.zeros(changed.shape, np.uint8)
    cv2.fillConvexPoly(hull, cv2.convexHull(_ends(changed)), (1,))
    inside = hull > 0
    area = float((x1 - x0) * (y1 - y0))
    ellipse = Ellipse(((x0 + x1) / 2, (y0 + y1) / 2), ((x1 - x0) / 2, (y1 - y0) / 2)).mask(
        *changed.shape
    )
    filled = inside.sum() / area
    outside_ellipse = float((inside & ~ellipse).sum() / inside.sum())
    if filled > 0.68 and outside_ellipse < 0.03:
        return ellipse
    if filled > 0.85:
        box = np.zeros(changed.shape, np.bool_)
        box[y0:y1, x0:x1] = True
        return box
    return inside


def _ends(mask: Flags) -> npt.NDArray[np.int32]:
    """Return the first and the last pixel of every row of a mask, ``(N, 2)`` xy."""
    rows = np.flatnonzero(mask.any(axis=1))
    first = mask[rows].argmax(axis=1)
    last = mask.shape[1] - 1 - mask[rows, ::-1].argmax(axis=1)
    return np.stack([np.r_[first, last], np.r_[rows, rows]], axis=1).astype(np.int32)


def _inner(mask: Flags, share: float, least: int) -> Flags:
    """Return a mask without its rim: a share of its shorter side, and at least some pixels."""
    box = _bounds(mask)
    rim = max(least, round(share * min(box.width, box.height)))
    window = (
        slice(max(0, int(box.y0) - 1), int(box.y1) + 1),
        slice(max(0, int(box.x0) - 1), int(box.x1) + 1),
    )
    part = np.pad(mask[window].astype(np.uint8), 1)
    eroded = cv2.erode(part, np.ones((2 * rim + 1, 2 * rim + 1), np.uint8))[1:-1, 1:-1]
    result = np.zeros(mask.shape, np.bool_)
    result[window] = eroded > 0
    return result


def inside_of(mask: Flags, rim: int) -> Flags:
    """Return a cover without a rim of so many pixels, in which codecs ring."""
    return _inner(mask, 0.0, rim)


def _one_colour(redacted: Image, mask: Flags) -> bool:
    core = redacted[_inner(mask, 0.25, 2)]
    if len(core) < 9:
        return False
    colour = np.median(core, axis=0)
    distance = np.abs(core.astype(np.float32) - colour).max(axis=1)
    box = _bounds(mask)
    if min(box.width, box.height) < _THIN:  # codecs ring all over it
        return bool((distance <= 2 * _SAME_COLOUR).mean() > 0.9 and core.std(axis=0).max() < 7)
    return bool((distance <= _SAME_COLOUR).mean() > 0.97 and core.std(axis=0).max() < 3)


def _solid_kind(mask: Flags) -> OperatorKind:
    _, sides, _ = cv2.minAreaRect(_ends(mask))
    return "eye-bar" if max(sides) > 2.5 * max(min(sides), 1.0) else "solid"


def _painted(redacted: Image, mask: Flags) -> Flags:
    """Return the pixels of a solid cover: those of its colour, within the outline of what changed.

    Paint over a person's outline is often no simple shape, and hair beside it may be as dark.
    """
    colour = np.median(redacted[_inner(mask, 0.25, 2)], axis=0)
    box = _bounds(mask)
    window = (slice(int(box.y0), int(box.y1)), slice(int(box.x0), int(box.x1)))
    alike = np.abs(redacted[window].astype(np.float32) - colour).max(axis=2) <= 2 * _SAME_COLOUR
    # Codecs ring: holes and notches of a few pixels are paint too.
    closed = cv2.morphologyEx(alike.astype(np.uint8), cv2.MORPH_CLOSE, np.ones((7, 7), np.uint8))
    opened = cv2.morphologyEx(closed, cv2.MORPH_OPEN, np.ones((3, 3), np.uint8))
    result = np.zeros(mask.shape, np.bool_)
    result[window] = mask[window] & (opened > 0)
    return result if result.sum() > 0.5 * mask.sum() else mask


def _shape_mask(shape: Box | Ellipse, face: Face, size: tuple[int, ...]) -> Flags:
    """Return the picture's pixels inside a shape of the aligned 128 px frame."""
    matrix = similarity(face.landmarks, 128)
    reach = 1.5 * max(face.box.width, face.box.height)  # no shape is larger
    x0, y0 = max(0, int(face.box.x0 - reach)), max(0, int(face.box.y0 - reach))
    x1, y1 = int(face.box.x1 + reach), int(face.box.y1 + reach)
    mask = np.zeros(size[:2], np.bool_)
    part = mask[y0:y1, x0:x1]
    ys, xs = np.mgrid[y0 : y0 + part.shape[0], x0 : x0 + part.shape[1]]
    points = transform(matrix, np.stack([xs, ys], axis=-1)) + 0.5
    x, y = points[..., 0], points[..., 1]
    if isinstance(shape, Box):
        part[...] = (shape.x0 <= x) & (x < shape.x1) & (shape.y0 <= y) & (y < shape.y1)
    else:
        (cx, cy), (a, b) = shape.centre, shape.half_axes
        part[...] = ((x - cx) / a) ** 2 + ((y - cy) / b) ** 2 <= 1
    return mask


def face_oval(box: Box, shape: tuple[int, ...]) -> Flags:
    """Return the ellipse of a tight face, in a picture of this shape."""
    return Ellipse.inscribed(box).mask(shape[0], shape[1])


def _bounds(mask: npt.NDArray[np.bool_]) -> Box:
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    return Box(float(columns[0]), float(rows[0]), float(columns[-1] + 1), float(rows[-1] + 1))
