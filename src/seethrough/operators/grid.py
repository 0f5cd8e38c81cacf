"""The exact grid of a mosaic, and the cells that agree with it.

From a window and a guess at the periods: fit the lines, look at every cell around, keep the
connected ones that are flat inside and stepped at the lines, fit again over all of them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeGuard

import cv2
import numpy as np
import numpy.typing as npt

from seethrough.operators.steps import CAP, Plane, Spikes, Steps, steps
from seethrough.types import Box, CoveredRegion, Operator

Profile = npt.NDArray[np.float64]
Cells = npt.NDArray[np.bool_]
Lines = npt.NDArray[np.int64]
Window = tuple[int, int, int, int]
"""x0, y0, x1, y1 in pixels, half-open."""

SHORTEST = 2.8  # pixels: shorter periods are texture
_ROUNDS = 5  # fits of a region: it grows at most threefold in each
_MULTIPLES = (1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 1 / 2, 1 / 3)  # of a guess at the period
_LEAST_CELLS = 12
_TONGUE = 0.34  # of the usual number of cells in a row: less is the background's
_FLAT = 0.5  # levels: mean step that cells may show inside without a codec
_LEAST_QUALITY = 0.2  # of a comb
_SLACK_FROM = 5.5  # pixels: cells this large leave room for lines one pixel off
_LATTICE_CONTRAST = 10.0  # blocks of a codec are not as flat as cells on its own grid
_LATTICE_STEP = 6.0  # levels: mean step on such lines; blocks of plain surfaces differ by less
_LEAST_CONTRAST = 2.2  # mean step on the lines over mean step between them


@dataclass(frozen=True, slots=True)
class Comb:
    """Regular lines along one axis, at ``phase + k * period``, and how well they show."""

    period: float
    phase: float
    quality: float  # share of the steps that lie on lines times share of lines that have one

    def lines(self, start: int, stop: int) -> Lines:
        """First pixel of every cell that begins in ``[start, stop)``.

        A pixel belongs to the cell that its centre lies in.
        """
        first = int(np.floor((start - self.phase) / self.period)) - 1
        last = int(np.ceil((stop - self.phase) / self.period)) + 1
        at = np.ceil(self.phase + np.arange(first, last + 1) * self.period - 0.5).astype(np.int64)
        inside: Lines = at[(at >= start) & (at < stop)]
        return inside

    def moved(self, offset: float) -> Comb:
        """Return the same lines in coordinates that are ``offset`` larger."""
        return Comb(self.period, self.phase + offset, self.quality)


def _squared(
    measured: Spikes, box: tuple[slice, slice], fit_x: Comb, fit_y: Comb
) -> tuple[Comb, Comb]:
    """Prefer square cells where one axis reads a multiple of the other, as faint lines make it."""
    ratio = fit_x.period / fit_y.period
    multiple = max(ratio, 1 / ratio)
    if multiple < 1.5 or abs(multiple / round(multiple) - 1) > 0.06:
        return fit_x, fit_y
    if ratio > 1:
        profile = measured.across[box].mean(axis=0, dtype=np.float64)
        again = _fit(profile, fit_y.period, 0.03, (1.0,))
        return (again, fit_y) if _holds(again, fit_x) else (fit_x, fit_y)
    profile = measured.down[box].mean(axis=1, dtype=np.float64)
    again = _fit(profile, fit_x.period, 0.03, (1.0,))
    return (fit_x, again) if _holds(again, fit_y) else (fit_x, fit_y)


def _holds(again: Comb | None, first: Comb) -> TypeGuard[Comb]:
    return again is not None and again.quality > 0.75 * first.quality


def _fit(
    profile: Profile, period: float, spread: float, multiples: tuple[float, ...] = _MULTIPLES
) -> Comb | None:
    """Fit a comb to a profile of spikes: the period, its multiples and fractions, any phase."""
    n = len(profile)
    total = float(profile.sum())
    if total <= 0:
        return None
    strong = 0.25 * float(np.sort(profile)[-max(2, int(n / (2 * period))) :].mean())
    best: tuple[float, float, float] | None = None
    for multiple in multiples:
        base = period * multiple
        if base < SHORTEST or base > n / 2:
            continue
        reach = spread * base
        step = max(0.01, 0.5 * base / n)  # moves the last line by half a pixel
        ps = np.arange(base - reach, base + reach + step / 2, step)
        phases = np.arange(0.0, base + reach, 0.5)
        count = int(n / (base - reach)) + 1
        at = phases[None, :, None] + np.arange(count) * ps[:, None, None]
        at = np.ceil(at - 0.5).astype(np.int64)
        inside = (at >= 1) & (at < n)
        values = np.where(inside, profile[np.clip(at, 0, n - 1)], 0.0)
        on = values.sum(axis=2) / total
        filled = (values > strong).sum(axis=2) / np.maximum(inside.sum(axis=2), 1)
        qualities = np.where(phases[None] < ps[:, None], on * filled, 0.0)
        i, j = np.unravel_index(int(qualities.argmax()), qualities.shape)
        if best is None or qualities[i, j] > best[0] + 1e-9:
            best = (float(qualities[i, j]), float(ps[i]), float(phases[j]))
    if best is None or best[0] < _LEAST_QUALITY:
        return None
    return _settle(profile, Comb(best[1], best[2], best[0]))


def _settle(profile: Profile, comb: Comb) -> Comb:
    """Move period and phase to the least-squares line through the steps that were found."""
    n = len(profile)
    ks, positions, weights = [], [], []
    for k in range(int(np.ceil(-comb.phase / comb.period)), int(n / comb.period) + 1):
        expected = comb.phase + k * comb.period
        centre = int(np.ceil(expected - 0.5))
        lo, hi = max(1, centre - 1), min(n, centre + 2)
        if hi <= lo:
            continue
        local = profile[lo:hi]
        ks.append(k)
        positions.append(lo + int(local.argmax()))
        weights.append(float(min(local.max(), CAP)))
    if len(ks) < 3 or sum(w > 0 for w in weights) < 3:
        return comb
    line = np.polyfit(ks, positions, 1, w=np.sqrt(np.array(weights) + 1e-6))
    slope, intercept = float(line[0]), float(line[1])
    if abs(slope / comb.period - 1) > 0.05:
        return comb
    return Comb(slope, intercept, comb.quality)


def grow(
    measured: Spikes, window: Window, period_x: float, period_y: float
) -> CoveredRegion | None:
    """Fit the grid in a window, find all cells that agree with it, fit again, and judge."""
    spread = 0.06
    settled: CoveredRegion | None = None  # what has held at least twice
    for attempt in range(_ROUNDS):
        x0, y0, x1, y1 = window
        box = (slice(y0, y1), slice(x0, x1))
        fit_x = _fit(measured.across[box].mean(axis=0, dtype=np.float64), period_x, spread)
        fit_y = _fit(measured.down[box].mean(axis=1, dtype=np.float64), period_y, spread)
        if fit_x is None or fit_y is None:
            return settled
        fit_x, fit_y = _squared(measured, box, fit_x, fit_y)
        comb_x = Comb(fit_x.period, fit_x.phase + x0, fit_x.quality)
        comb_y = Comb(fit_y.period, fit_y.phase + y0, fit_y.quality)
        region = _extent(measured.luma, comb_x, comb_y, window)
        if region is None:
            return settled
        if attempt > 0:
            settled = region
        rows, columns = _around(measured.across.shape, window)
        gx0, gy0, gx1, gy1 = (int(v) for v in region.box.as_tuple())
        before, window = window, (gx0, gy0, gx1, gy1)
        cut = (
            0 < columns.start >= gx0
            or 0 < rows.start >= gy0
            or measured.across.shape[1] > columns.stop <= gx1
            or measured.across.shape[0] > rows.stop <= gy1
        )
        if attempt > 0 and not cut and region.box.area < 1.1 * _area(before):
            break
        period_x, period_y, spread = comb_x.period, comb_y.period, 0.02
    return settled


def _extent(luma: Plane, comb_x: Comb, comb_y: Comb, window: Window) -> CoveredRegion | None:
    """Return the connected cells around ``window`` that are flat inside and stepped outside."""
    area = _around(luma.shape, window)
    left_edge, top_edge = area[1].start, area[0].start
    measured = steps(luma[area])
    height, width = measured.across.shape
    window = (
        window[0] - left_edge,
        window[1] - top_edge,
        window[2] - left_edge,
        window[3] - top_edge,
    )
    comb_x, comb_y = comb_x.moved(-left_edge), comb_y.moved(-top_edge)
    xs = np.concatenate([[0], comb_x.lines(1, width), [width]])
    ys = np.concatenate([[0], comb_y.lines(1, height), [height]])
    if len(xs) < 4 or len(ys) < 4:
        return None
    slack = 1 if min(comb_x.period, comb_y.period) >= _SLACK_FROM else 0
    inner = _inner(measured, xs, ys, slack)
    left, top = _sides(measured, xs, ys, slack)
    seeds = (
        (ys[:-1, None] >= window[1])
        & (ys[1:, None] <= window[3])
        & (xs[None, :-1] >= window[0])
        & (xs[None, 1:] <= window[2])
    )
    if not seeds.any():
        return None
    flat_level = max(_FLAT, 1.8 * float(np.median(inner[seeds])))
    flat = inner <= flat_level
    bar = 2.0 * inner + 0.4
    stepped = (
        (left > bar).astype(int)
        + (np.roll(left, -1, axis=1) > bar)
        + (top > bar)
        + (np.roll(top, -1, axis=0) > bar)
    )
    sure = flat & (stepped >= 2)
    cells = _component(sure, flat, seeds)
    if cells is None:
        return None
    rows, columns = _filled(cells & sure, 1), _filled(cells & sure, 0)
    inside = inner[cells].mean()
    on_x = left[:, 1:][cells[:, 1:] & cells[:, :-1]]
    on_y = top[1:][cells[1:] & cells[:-1]]
    if len(on_x) < 6 or len(on_y) < 6 or len(rows) < 3 or len(columns) < 3:
        return None
    if cells.sum() < _LEAST_CELLS:
        return None
    contrast = float(min(on_x.mean(), on_y.mean()) / (inside + 0.15))
    codec = (
        _is_codec_lattice(xs[columns[0] : columns[-1] + 1], left_edge),
        _is_codec_lattice(ys[rows[0] : rows[-1] + 1], top_edge),
    )
    oblong = not 0.67 < comb_x.period / comb_y.period < 1.5
    if all(codec) or (any(codec) and oblong):
        least, least_step = _LATTICE_CONTRAST, _LATTICE_STEP
    else:
        least, least_step = _LEAST_CONTRAST, 1.0
    if contrast < least or min(on_x.mean(), on_y.mean()) < least_step:
        return None
    fill = float(cells[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1].mean())
    confidence = _confidence(contrast, int(cells.sum()), comb_x.quality, comb_y.quality, fill)
    box = Box(
        float(xs[columns[0]]),
        float(ys[rows[0]]),
        float(xs[columns[-1] + 1]),
        float(ys[rows[-1] + 1]),
    )
    x0, y0, x1, y1 = _widen(measured, box, comb_x, comb_y, flat_level).as_tuple()
    box = Box(x0 + left_edge, y0 + top_edge, x1 + left_edge, y1 + top_edge)
    comb_x, comb_y = comb_x.moved(left_edge), comb_y.moved(top_edge)
    return CoveredRegion(
        box,
        Operator(
            "mosaic",
            (comb_x.period, comb_y.period),
            (comb_x.phase % comb_x.period, comb_y.phase % comb_y.period),
            confidence,
        ),
    )


def _is_codec_lattice(lines: Lines, offset: int) -> bool:
    """Whether lines are those of a codec's blocks, which start at the picture's corner."""
    gaps = np.diff(lines)
    beside = np.abs((lines + offset + 4) % 8 - 4) <= 1
    return abs(float(gaps.mean()) / 8 - 1) < 0.06 and float(beside.mean()) >= 0.6


def _area(window: Window) -> int:
    return (window[2] - window[0]) * (window[3] - window[1])


def _around(shape: tuple[int, ...], window: Window) -> tuple[slice, slice]:
    """Rows and columns of the picture within one window's size of the window."""
    x0, y0, x1, y1 = window
    w, h = x1 - x0, y1 - y0
    return (
        slice(max(0, y0 - h), min(shape[0], y1 + h)),
        slice(max(0, x0 - w), min(shape[1], x1 + w)),
    )


def _confidence(
    contrast: float, cells: int, quality_x: float, quality_y: float, fill: float
) -> float:
    """Logistic of the evidence."""
    z = (
        2.0 * np.log(contrast / _LEAST_CONTRAST)
        + 0.8 * np.log(cells / _LEAST_CELLS)
        + 6.0 * (np.sqrt(quality_x * quality_y) - 0.4)
    )
    return float(1 / (1 + np.exp(-z)))


def _inner(measured: Steps, xs: Lines, ys: Lines, slack: int) -> npt.NDArray[np.float64]:
    """Mean step inside each cell, ``slack`` pixels beside its lines left out.

    The smoothing along a line reaches one pixel into the next cell, which is left out too.
    """
    height, width = measured.across.shape
    sums = np.zeros((len(ys) - 1, len(xs) - 1))
    counts = np.zeros_like(sums)
    for step, beside_x, beside_y in ((measured.across, 0, 1), (measured.down, 1, 0)):
        columns = _away(xs, width, slack, beside_x)
        rows = _away(ys, height, slack, beside_y)
        kept = step * columns[None] * rows[:, None]
        sums += np.add.reduceat(np.add.reduceat(kept, ys[:-1], axis=0), xs[:-1], axis=1)
        counts += np.add.reduceat(rows, ys[:-1])[:, None] * np.add.reduceat(columns, xs[:-1])
    result: npt.NDArray[np.float64] = np.where(counts > 0, sums / np.maximum(counts, 1), np.inf)
    return result


def _away(lines: Lines, length: int, slack: int, beside: int) -> Plane:
    """1 where a position keeps clear of every line, else 0."""
    mask = np.ones(length, np.float32)
    for offset in range(-slack - beside, slack + 1):
        mask[np.clip(lines[:-1] + offset, 0, length - 1)] = 0
    return mask


def _sides(
    measured: Steps, xs: Lines, ys: Lines, slack: int
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Mean step along each cell's left side and its top, at the best of the lines allowed."""
    height, width = measured.across.shape
    tall, wide = np.diff(ys)[:, None], np.diff(xs)[None]
    left = np.zeros((len(ys) - 1, len(xs) - 1))
    top = np.zeros_like(left)
    for offset in range(-slack, slack + 1):
        x = np.clip(xs[:-1] + offset, 0, width - 1)
        y = np.clip(ys[:-1] + offset, 0, height - 1)
        left = np.maximum(left, np.add.reduceat(measured.across[:, x], ys[:-1], axis=0) / tall)
        top = np.maximum(top, np.add.reduceat(measured.down[y], xs[:-1], axis=1) / wide)
    return left, top


def _filled(cells: Cells, axis: int) -> Lines:
    """Rows (``axis`` 1) or columns (0) that hold enough cells: a tongue into a wall does not."""
    counts = cells.sum(axis=axis)
    return np.flatnonzero(
        counts >= max(1.0, _TONGUE * float(np.quantile(counts[counts > 0], 0.75)))
    )


def _component(strong: Cells, flat: Cells, seeds: Cells) -> Cells | None:
    """Return the largest component of ``strong`` that touches ``seeds``, its flat gaps filled."""
    count, labels = cv2.connectedComponents(strong.astype(np.uint8), connectivity=4)
    if count < 2:
        return None
    sizes = np.bincount(labels[seeds & strong], minlength=count)
    sizes[0] = 0
    if sizes.max() == 0:
        return None
    cells: Cells = labels == sizes.argmax()
    kernel = np.ones((3, 3), np.uint8)
    closed = cv2.morphologyEx(cells.astype(np.uint8), cv2.MORPH_CLOSE, kernel) > 0
    return cells | (closed & flat)


def _widen(measured: Steps, box: Box, comb_x: Comb, comb_y: Comb, flat_level: float) -> Box:
    """Move each side outwards over the part of a cell that the region's rim cuts."""
    height, width = measured.across.shape
    x0, y0, x1, y1 = (int(v) for v in box.as_tuple())
    dx, dy = (x1 - x0) // 4, (y1 - y0) // 4
    rows, columns = slice(y0 + dy, y1 - dy), slice(x0 + dx, x1 - dx)

    def run(step: Plane, start: int, limit: int, towards: int) -> int:
        """Count the lines from ``start`` on that are flat along most of their length."""
        n = 0
        while n < limit and 0 < start < len(step):
            if float((step[start] <= 2 * flat_level).mean()) < 0.8:
                break
            n += 1
            start += towards
        return n

    across, down = measured.across[rows].T, measured.down[:, columns]
    cx, cy = int(np.ceil(comb_x.period)), int(np.ceil(comb_y.period))
    return Box(
        float(x0 - 1 - run(across, x0 - 1, cx - 1, -1)) if x0 > 0 else 0.0,
        float(y0 - 1 - run(down, y0 - 1, cy - 1, -1)) if y0 > 0 else 0.0,
        float(min(width, x1 + 1 + run(across, x1 + 1, cx - 1, 1))),
        float(min(height, y1 + 1 + run(down, y1 + 1, cy - 1, 1))),
    )
