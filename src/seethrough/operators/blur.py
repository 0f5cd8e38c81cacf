"""Find blurred regions: smooth inside, sharp around, with a boundary like a tool's.

Where a picture was blurred, its second derivatives are small against its first: their ratio
is the length over which the picture changes (about sigma for a Gaussian over a natural
spectrum). That also holds for a background out of focus, so a region counts only if it is
compact, stands in sharp surroundings and fills a rectangle or an ellipse.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from seethrough.operators import kernel, rim
from seethrough.operators.parameters import parameters
from seethrough.operators.steps import Plane
from seethrough.types import Box, CoveredRegion, Operator

Grid = npt.NDArray[np.float64]
Vector = npt.NDArray[np.float64]

_LONG_SIDES = (256, 512, 1024)  # pixels: larger pictures are reduced to these to be searched
_SMALLER = 0.8  # of the picture's long side: a size nearer to it shows nothing new
_AS_LARGE = 0.8  # times its area: what a closer look must find again of a region
_STEP = 4  # pixels between cells of the evidence map
_REACH = 4.0  # pixels: sigma of the neighbourhood that a cell sums over
_SHARP = 2.4  # pixels: change length above which a neighbourhood looks blurred
_ASPECTS = (0.7, 0.9, 1.15, 1.45, 1.8)
_CANDIDATES = 5
_ACCEPT = 0.77  # confidence from which a region is reported
_LEAST_BLURRED = 0.08  # mean evidence inside: less is a surface without texture
_PARTS = (0.85, 0.75, 0.65)  # of a region's sides, of the windows that its kernel is read from
_LEAST_LENGTH = 1.9  # pixels: change length of a region that may be blurred
_LEAST_SIGMA = 1.4  # pixels: photos out of a camera reach 1


@dataclass(frozen=True, slots=True)
class Candidate:
    """A compact blurred region and what speaks for it, in pixels of the searched picture."""

    box: Box
    features: tuple[float, ...]
    length: float
    spectrum: Vector


FEATURES = (
    "blurred inside",
    "sharp inside",
    "sharp around",
    "blurred around",
    "ring inside the picture",
    "log area",
    "weakest side",
    "second weakest side",
    "blurred elsewhere",
    "sharp elsewhere",
    "fills its shape",
    "log aspect",
    "component in box",
    "mean step at the rim",
    "share of the rim that steps",
    "least side's step",
    "second least side's step",
    *(f"spectrum {i}" for i in range(kernel.FEATURES)),
)


def find(luma: Plane) -> list[CoveredRegion]:
    """Return the blurred regions of a picture, surest first.

    A strong blur in a large picture shows nothing over the few pixels that the search looks at
    together, so large pictures are searched at several sizes, the smallest first.
    """
    sides = [side for side in _LONG_SIDES[:-1] if side < _SMALLER * max(luma.shape)]
    found: list[CoveredRegion] = []
    for side in (*sides, _LONG_SIDES[-1]):
        kept, new = found, []
        for region in _found(luma, side):
            same = [f for f in found if f.box.overlap(region.box) > 0.3]
            if region.box.area >= _AS_LARGE * sum(f.box.area for f in same):
                # As much of it, seen more closely, or another region.
                kept = [f for f in kept if f not in same]
                new.append(region)
        found = kept + new
    return sorted(found, key=lambda r: -r.operator.confidence)


def _found(luma: Plane, long_side: int) -> list[CoveredRegion]:
    """Search a picture that is reduced to a length at most."""
    small, scale = reduced(luma, long_side)
    height, width = luma.shape
    detail = rim.fine_detail(small)
    found = []
    for candidate in candidates(small, detail):
        logit = parameters().is_covered(np.array(candidate.features))
        confidence = float(1 / (1 + np.exp(-logit)))
        if confidence < _ACCEPT:
            continue
        x0, y0, x1, y1 = (v / scale for v in candidate.box.as_tuple())
        box = Box(x0, y0, min(x1, width), min(y1, height))
        how = _explain(small, detail, candidate, scale)
        found.append(CoveredRegion(box, Operator(how.kind, how.size, None, confidence)))
    return found


def estimate(luma: Plane) -> Operator | None:
    """Return the blur of a region, or ``None`` where it is sharp."""
    measured = kernel.features(luma)
    reduction = max(1.0, max(luma.shape) / kernel.LARGEST_SIDE)
    if reduction > 1 and measured is not None and measured[0] < _LEAST_LENGTH * reduction:
        # Sharp at the size it was measured at: a slight blur shows in the middle, unreduced.
        top, left = ((n - min(n, kernel.LARGEST_SIDE)) // 2 for n in luma.shape)
        middle = luma[top : top + kernel.LARGEST_SIDE, left : left + kernel.LARGEST_SIDE]
        measured = kernel.features(middle)
    if measured is None or measured[0] < _LEAST_LENGTH:
        return None
    how = kernel.explain(*measured)
    sigma = how.size[0] if how.kind == "gauss" else how.size[0] / np.sqrt(12)
    if sigma < _LEAST_SIGMA:
        return None
    blurred = 1 / (1 + (_LEAST_SIGMA / sigma) ** 4)
    return Operator(how.kind, how.size, None, float(blurred * how.confidence))


def parts(luma: Plane, detail: Plane, box: Box) -> list[Plane]:
    """Cut out the smoothest parts of a region, from which its kernel is read.

    A box that reaches over the rim lets sharp pixels in, which make a Gaussian look like
    a smaller box. So windows of several sizes are each moved to where the box shows least
    detail.
    """
    sums = np.pad(detail.astype(np.float64).cumsum(0).cumsum(1), ((1, 0), (1, 0)))
    out = []
    for share in _PARTS:
        w, h = round(share * box.width), round(share * box.height)
        x, y = (
            np.rint(start + np.linspace(0, 1, 9) * room).astype(np.int64)
            for start, room in ((box.x0, box.width - w), (box.y0, box.height - h))
        )
        x = np.clip(x, 0, luma.shape[1] - w)
        y = np.clip(y, 0, luma.shape[0] - h)[:, None]
        inside = sums[y + h, x + w] - sums[y, x + w] - sums[y + h, x] + sums[y, x]
        i, j = np.unravel_index(int(inside.argmin()), inside.shape)
        out.append(luma[y[i, 0] : y[i, 0] + h, x[j] : x[j] + w])
    return out


def measured(luma: Plane, detail: Plane, box: Box) -> list[tuple[float, Vector]]:
    """Change length and spectrum of each part of a region that shows something."""
    return [m for part in parts(luma, detail, box) if (m := kernel.features(part))]


def _explain(luma: Plane, detail: Plane, candidate: Candidate, scale: float) -> kernel.Kernel:
    """Believe the part of a region that looks most like a Gaussian."""
    seen = measured(luma, detail, candidate.box) or [(candidate.length, candidate.spectrum)]
    length, spectrum = max(seen, key=lambda m: parameters().is_gauss(m[1]))
    return kernel.explain(length, spectrum, scale=scale)


def change_length(luma: Plane) -> tuple[Plane, Plane]:
    """Local squared gradient and squared second derivative, summed over a neighbourhood.

    The root of their ratio is the length over which the picture changes, in pixels.
    """
    smooth = cv2.GaussianBlur(luma, (0, 0), 1.0)
    first = np.array([[-0.5, 0.0, 0.5]], np.float32)
    second = np.array([[1.0, -2.0, 1.0]], np.float32)
    gx, gy = cv2.filter2D(smooth, -1, first), cv2.filter2D(smooth, -1, first.T)
    xx, yy = cv2.filter2D(smooth, -1, second), cv2.filter2D(smooth, -1, second.T)
    xy = cv2.filter2D(gx, -1, first.T)
    gradient = cv2.GaussianBlur(gx * gx + gy * gy, (0, 0), _REACH)
    curvature = cv2.GaussianBlur(xx * xx + yy * yy + 2 * xy * xy, (0, 0), _REACH)
    return _plane(gradient), _plane(curvature)


def evidence(luma: Plane) -> Grid:
    """Evidence for blur on a grid of ``_STEP`` pixels: -1 sharp, 0 nothing to see, 1 blurred."""
    size = (max(1, luma.shape[1] // _STEP), max(1, luma.shape[0] // _STEP))
    gradient, curvature = (
        np.asarray(cv2.resize(a, size, interpolation=cv2.INTER_AREA), np.float64)
        for a in change_length(luma)
    )
    length = np.sqrt((gradient + 1e-6) / (curvature + 0.003))
    informative = gradient / (gradient + 0.4)
    result: Grid = (np.clip(np.log2(length / _SHARP), -1, 1) * informative).astype(np.float64)
    return result


def reduced(luma: Plane, long_side: int = _LONG_SIDES[-1]) -> tuple[Plane, float]:
    """The picture at the size that is searched, and its scale (1 or less)."""
    scale = min(1.0, long_side / max(luma.shape))
    if scale == 1.0:
        return luma, 1.0
    size = (max(1, round(luma.shape[1] * scale)), max(1, round(luma.shape[0] * scale)))
    return _plane(cv2.resize(luma, size, interpolation=cv2.INTER_AREA)), scale


class _Sums:
    """Sums over rectangles of grids of the same size, zero outside them."""

    def __init__(self, grids: dict[str, Grid], pad: int) -> None:
        padded = np.pad(np.stack(list(grids.values())), ((0, 0), (pad, pad), (pad, pad)))
        sums = padded.cumsum(axis=1).cumsum(axis=2)
        self.table = np.pad(sums, ((0, 0), (1, 0), (1, 0)))
        self.place = {name: i for i, name in enumerate(grids)}
        self.pad = pad

    def one(self, kind: str, y0: int, x0: int, y1: int, x1: int) -> float:
        """Sum of one grid over one rectangle."""
        t = self.table[self.place[kind]]
        height, width = t.shape
        y0, y1 = (min(max(v + self.pad, 0), height - 1) for v in (y0, y1))
        x0, x1 = (min(max(v + self.pad, 0), width - 1) for v in (x0, x1))
        return float(t[y1, x1] - t[y0, x1] - t[y1, x0] + t[y0, x0])

    def all(self, h: int, w: int, my: int, mx: int, rows: int, columns: int) -> Grid:
        """Sums over ``h x w`` rectangles, widened by margins, of every grid at every place."""
        top, left = self.pad - my, self.pad - mx
        upper = self.table[:, top : top + rows]
        lower = self.table[:, top + h + 2 * my :][:, :rows]
        a, b = left, left + w + 2 * mx
        high = lower - upper
        result: Grid = high[..., b : b + columns] - high[..., a : a + columns]
        return result


def candidates(luma: Plane, detail: Plane | None = None) -> list[Candidate]:
    """Return compact blurred regions, most promising first, with their features.

    ``detail`` is :func:`rim.fine_detail` of ``luma``, where it is known already.
    """
    if min(luma.shape) < 8 * _STEP:
        return []
    grid = evidence(luma)
    if detail is None:
        detail = rim.fine_detail(luma)
    height, width = grid.shape
    pad = max(height, width) // 2 + 2
    blurred, sharp = np.maximum(grid, 0), np.maximum(-grid, 0)
    sums = _Sums({"blurred": blurred, "sharp": sharp, "valid": np.ones_like(grid)}, pad)
    boxes: list[tuple[float, int, int, int, int]] = []
    side = 5.0
    while side < 0.85 * width:
        for aspect in _ASPECTS:
            w, h = round(side), round(side * aspect)
            if h < 5 or h > 0.9 * height:
                continue
            places = (height - h + 1, width - w + 1)
            score = _centre_surround(sums, h, w, places) * min(1.0, (w * h / 400) ** 0.25)
            for i in np.argpartition(score, -min(3, score.size), axis=None)[-3:]:
                iy, ix = np.unravel_index(i, score.shape)
                boxes.append((float(score[iy, ix]), int(ix), int(iy), w, h))
        side *= 1.2
    boxes.sort(reverse=True)
    out: list[Candidate] = []
    kept: list[Box] = []
    for score, x, y, w, h in boxes:
        if score < 0.4 or len(kept) == _CANDIDATES:
            break
        box = Box(x, y, x + w, y + h)
        if any(box.overlap(k) > 0.3 for k in kept):
            continue
        kept.append(box)
        refined, fills, shared = _component(blurred, sharp, box)
        x0, y0, x1, y1 = (v * _STEP for v in refined.as_tuple())
        pixels = Box(x0, y0, min(x1, luma.shape[1]), min(y1, luma.shape[0]))
        traced = rim.trace(detail, pixels)
        pixels = traced.box
        x0, y0, x1, y1 = (round(v) for v in pixels.as_tuple())
        measured = kernel.features(luma[y0:y1, x0:x1])
        context = _features(sums, grid, refined, fills, shared)
        if measured is None or context[0] < _LEAST_BLURRED:
            continue
        length, spectrum = measured
        features = (
            *context,
            traced.step,
            traced.share,
            *traced.sides[:2],
            *spectrum,
        )
        out.append(Candidate(pixels, features, length, spectrum))
    return out


def _centre_surround(sums: _Sums, h: int, w: int, places: tuple[int, int]) -> Grid:
    """Blurred inside, sharp in a ring around, for boxes of one size at all places."""
    inside, near, far = (
        sums.all(h, w, _margin(margin, h), _margin(margin, w), *places)
        for margin in (-0.12, 0.1, 0.3)
    )
    blurred, spoilt = inside[:2] / inside[2]
    leaking, sharp = (far[:2] - near[:2]) / np.maximum(far[2] - near[2], 1)
    result: Grid = np.minimum(blurred, 0.6) - 1.5 * spoilt + np.minimum(sharp, 0.6) - 1.5 * leaking
    return result


def _margin(share: float, length: int) -> int:
    return max(1, round(share * length)) if share > 0 else round(share * length)


def _component(blurred: Grid, sharp: Grid, box: Box) -> tuple[Box, float, float]:
    """Fit the box to the connected blurred cells under it.

    Returns the box, how well the cells fill it (1 a rectangle, 0.785 an ellipse), and
    the share of the component that lies inside the original box.
    """
    height, width = blurred.shape
    x0, y0, x1, y1 = (int(v) for v in box.as_tuple())
    mx, my = max(2, (x1 - x0) // 2), max(2, (y1 - y0) // 2)
    wx0, wy0, wx1, wy1 = max(0, x0 - mx), max(0, y0 - my), min(width, x1 + mx), min(height, y1 + my)
    local = (blurred - sharp)[wy0:wy1, wx0:wx1]
    smooth = cv2.GaussianBlur(local, (0, 0), 0.6)
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (5, 5))
    mask = cv2.morphologyEx((smooth > 0.08).astype(np.uint8), cv2.MORPH_CLOSE, disc)
    count, labels = cv2.connectedComponents(mask, connectivity=4)
    inside = labels[y0 - wy0 : y1 - wy0, x0 - wx0 : x1 - wx0]
    if count < 2 or not inside.any():
        return box, 0.0, 0.0
    sizes = np.bincount(inside.ravel(), minlength=count)
    sizes[0] = 0
    part = labels == sizes.argmax()
    contours, _ = cv2.findContours(part.astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    filled = cv2.drawContours(np.zeros_like(mask), contours, -1, 1, -1) > 0
    rows, columns = np.flatnonzero(filled.any(axis=1)), np.flatnonzero(filled.any(axis=0))
    fit = Box(columns[0], rows[0], columns[-1] + 1, rows[-1] + 1)
    fills = float(filled.sum() / fit.area)
    shared = float(filled[y0 - wy0 : y1 - wy0, x0 - wx0 : x1 - wx0].sum() / filled.sum())
    # A neighbourhood that straddles the rim looks sharp: the region is a cell wider.
    grown = Box(
        max(0.0, fit.x0 + wx0 - 1),
        max(0.0, fit.y0 + wy0 - 1),
        min(float(width), fit.x1 + wx0 + 1),
        min(float(height), fit.y1 + wy0 + 1),
    )
    if not 0.4 < grown.area / box.area < 2.5:
        return box, fills, shared
    return grown, fills, shared


def _features(sums: _Sums, grid: Grid, box: Box, fills: float, shared: float) -> tuple[float, ...]:
    x0, y0, x1, y1 = (int(v) for v in box.as_tuple())
    h, w = y1 - y0, x1 - x0

    def total(kind: str, a: int, b: int, c: int, d: int) -> float:
        return sums.one(kind, a, b, c, d)

    def inside(kind: str, margin: float) -> float:
        my, mx = _margin(margin, h), _margin(margin, w)
        return total(kind, y0 - my, x0 - mx, y1 + my, x1 + mx)

    inner = inside("valid", -0.15)
    ring = max(1.0, inside("valid", 0.3) - inside("valid", 0.08))
    full_ring = max(1, _ring_area(h, w))
    my, mx = max(2, h // 4), max(2, w // 4)
    strips = (
        (y0 - my, x0, y0 - 1, x1),
        (y1 + 1, x0, y1 + my, x1),
        (y0, x0 - mx, y1, x0 - 1),
        (y0, x1 + 1, y1, x1 + mx),
    )
    sides = sorted(
        (total("sharp", *s) - total("blurred", *s)) / max(1, (s[2] - s[0]) * (s[3] - s[1]))
        for s in strips
    )
    height, width = grid.shape
    everything = total("valid", 0, 0, height, width)
    rest = max(1.0, everything - inside("valid", 0.2))
    return (
        inside("blurred", -0.15) / inner,
        inside("sharp", -0.15) / inner,
        (inside("sharp", 0.3) - inside("sharp", 0.08)) / ring,
        (inside("blurred", 0.3) - inside("blurred", 0.08)) / ring,
        (inside("valid", 0.3) - inside("valid", 0.08)) / full_ring,
        float(np.log(w * h / 100)),
        sides[0],
        sides[1],
        (total("blurred", 0, 0, height, width) - inside("blurred", 0.2)) / rest,
        (total("sharp", 0, 0, height, width) - inside("sharp", 0.2)) / rest,
        min(fills, 0.85),
        abs(float(np.log(h / w / 1.2))),
        shared,
    )


def _ring_area(h: int, w: int) -> int:
    outer, inner = ((h + 2 * _margin(m, h)) * (w + 2 * _margin(m, w)) for m in (0.3, 0.08))
    return outer - inner


def _plane(values: Any) -> Plane:
    """Type what OpenCV returned."""
    return np.asarray(values, np.float32)
