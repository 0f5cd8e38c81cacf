"""Find mosaics and read their grid: cell size, phase and extent.

A mosaic is constant inside its cells, so the absolute difference of neighbouring pixels,
averaged along the other axis, is a comb: spikes one cell apart on a floor that is zero, or
small where a codec came after. Overlapping windows of that profile are compared with combs
of every period: the Fourier coefficients at a period's frequency and at its harmonics all have
the magnitude of the mean only where the period is right. Windows that look periodic along both
axes seed an exact fit of the lines; cells that are flat inside and stepped at that grid
give the extent, and the lines are fitted again over all of it.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from seethrough.types import Box, CoveredRegion, Operator

Plane = npt.NDArray[np.float32]
Profile = npt.NDArray[np.float64]
Cells = npt.NDArray[np.bool_]

_CAP = 24.0  # levels: a step counts no more than this, or one silhouette outweighs all cells
_WINDOW = 64  # samples per window at every level of the pyramid
_STRIDE = 16
_OVERSAMPLING = 4  # frequencies per Fourier bin of a window
_HARMONICS = 4
_SHORTEST = 2.8  # pixels: shorter periods are texture
_LONGEST_SHARE = 3.6  # a window has to hold that many cells
_SEED = 0.42  # least periodicity of a window, 1 for a perfect comb, about 0.2 for a photo
_SEEDS = 40  # windows tried at most
_REGIONS = 64
_LEAST_CELLS = 12
_LEAST_CONTRAST = 2.2  # mean step on the lines over mean step between them


@dataclass(frozen=True, slots=True)
class Comb:
    """Regular lines along one axis, at ``phase + k * period``, and how well they show."""

    period: float
    phase: float
    quality: float  # share of the steps that lie on lines times share of lines that have one

    def lines(self, start: int, stop: int) -> npt.NDArray[np.int64]:
        """First pixel of every cell that begins in ``[start, stop)``.

        A pixel belongs to the cell that its centre lies in.
        """
        first = int(np.floor((start - self.phase) / self.period)) - 1
        last = int(np.ceil((stop - self.phase) / self.period)) + 1
        at = np.ceil(self.phase + np.arange(first, last + 1) * self.period - 0.5).astype(np.int64)
        return at[(at >= start) & (at < stop)]


@dataclass(frozen=True, slots=True)
class _Steps:
    """Absolute differences of neighbours and their spikes, to the left and upwards."""

    across: Plane
    down: Plane
    across_spikes: Plane
    down_spikes: Plane


def steps(luma: Plane) -> _Steps:
    """Measure the steps between neighbouring pixels of ``luma`` (levels, 0-255).

    Smoothing along a line first keeps the steps of a mosaic, which do not change along a
    cell's side, and averages noise and ringing away.
    """
    across, down = np.zeros_like(luma), np.zeros_like(luma)
    smooth = cv2.blur(luma, (1, 3))
    np.abs(smooth[:, 1:] - smooth[:, :-1], out=across[:, 1:])
    smooth = cv2.blur(luma, (3, 1))
    np.abs(smooth[1:] - smooth[:-1], out=down[1:])
    return _Steps(across, down, _spikes(across, (1, 3)), _spikes(down, (3, 1)))


def _spikes(step: Plane, shape: tuple[int, int]) -> Plane:
    """Excess of a step over the mean of its two neighbours, capped."""
    kernel = np.array([-0.5, 1.0, -0.5], np.float32).reshape(shape)
    return np.clip(cv2.filter2D(step, cv2.CV_32F, kernel), 0.0, _CAP).astype(np.float32)


def find(luma: Plane) -> list[CoveredRegion]:
    """Return the mosaicked regions of a picture, surest first."""
    height, width = luma.shape
    if min(height, width) < 12:
        return []
    measured = steps(luma)
    taken = np.zeros((height, width), np.bool_)
    found: list[CoveredRegion] = []
    for window, period_x, period_y in _seeds(measured):
        x0, y0, x1, y1 = window
        if taken[y0:y1, x0:x1].mean() > 0.3:
            continue
        region = _grow(measured, window, period_x, period_y)
        if region is None:
            continue
        bx0, by0, bx1, by1 = (int(v) for v in region.box.as_tuple())
        if taken[by0:by1, bx0:bx1].mean() > 0.3:
            continue
        taken[by0:by1, bx0:bx1] = True
        found.append(region)
        if len(found) == _REGIONS:
            break
    return sorted(found, key=lambda r: -r.operator.confidence)


def estimate(luma: Plane) -> CoveredRegion | None:
    """Return the mosaic that fills most of ``luma``, if any; the box is relative to it."""
    height, width = luma.shape
    if min(height, width) < 12:
        return None
    measured = steps(luma)
    best: CoveredRegion | None = None
    scores = [_periods(p) for p in (measured.across_spikes.mean(0), measured.down_spikes.mean(1))]
    for period_x in scores[0]:
        for period_y in scores[1]:
            if not 0.4 < period_x / period_y < 2.5:
                continue
            region = _grow(measured, (0, 0, width, height), period_x, period_y)
            if region and (best is None or region.operator.confidence > best.operator.confidence):
                best = region
        if best is not None and best.operator.confidence > 0.9:
            break
    return best


# --- seeds: which windows are periodic, and with which period -----------------------------


def _comb_scores(profiles: Profile, harmonics: int = _HARMONICS) -> tuple[Profile, Profile]:
    """Periodicity of each row of ``profiles (N, L)`` for a fixed list of periods.

    Returns the periods ``(P,)`` in samples and the scores ``(N, P)``: mean over the harmonics
    below the Nyquist frequency of |Fourier coefficient| / sum, 1 for a perfect comb.
    """
    length = profiles.shape[1]
    bins = _OVERSAMPLING * length
    frequencies = np.arange(bins // 2 + 1)
    total = profiles.sum(axis=1, keepdims=True)
    clipped = np.minimum(profiles, 4 * total / length)  # no single line makes a comb
    total = clipped.sum(axis=1, keepdims=True)
    clipped = clipped - total / length
    floor = 0.02 * length  # levels: a window with fainter steps has nothing to say
    spectrum = np.abs(np.fft.rfft(clipped, n=bins, axis=1)) / (total + floor)
    first = int(np.ceil(_LONGEST_SHARE * _OVERSAMPLING))
    last = int(bins / _SHORTEST)
    at = frequencies[first : last + 1]
    sums = np.zeros((len(profiles), len(at)))
    counts = np.zeros(len(at))
    for k in range(1, harmonics + 1):
        inside = k * at < len(frequencies)
        sums[:, inside] += spectrum[:, k * at[inside]]
        counts[inside] += 1
    return bins / at, sums / np.maximum(counts, 2)


def _periods(profile: Plane) -> list[float]:
    """Up to four promising periods of one long profile, best first."""
    values = profile.astype(np.float64)[None, 1:]
    if values.shape[1] < 12:
        return []
    periods, scores = _comb_scores(values)
    row = scores[0].copy()
    out: list[float] = []
    for _ in range(4):
        i = int(row.argmax())
        if row[i] < 0.2:
            break
        out.append(float(periods[i]))
        row[np.abs(periods / periods[i] - 1) < 0.08] = 0
    return out


def _seeds(measured: _Steps) -> list[tuple[tuple[int, int, int, int], float, float]]:
    """Windows (x0, y0, x1, y1) that look periodic along both axes, with their periods."""
    height, width = measured.across.shape
    seeds = []
    scale = 1
    while True:
        across = _reduced(measured.across_spikes, scale)
        down = _reduced(measured.down_spikes, scale)
        rows_x, periods = _window_scores(across)
        rows_y, _ = _window_scores(np.ascontiguousarray(down.T))
        rows_y = rows_y.transpose(1, 0, 2)
        quality = np.sqrt(rows_x.max(axis=2) * rows_y.max(axis=2))
        for i, j in np.argwhere(quality > _SEED):
            x0, y0 = int(j) * _STRIDE * scale, int(i) * _STRIDE * scale
            window = (
                x0,
                y0,
                min(width, x0 + _WINDOW * scale),
                min(height, y0 + _WINDOW * scale),
            )
            period_x = float(periods[rows_x[i, j].argmax()]) * scale
            period_y = float(periods[rows_y[i, j].argmax()]) * scale
            seeds.append((float(quality[i, j]), window, period_x, period_y))
        scale *= 2
        if min(height, width) / scale < _WINDOW * 0.75:
            break
    seeds.sort(key=lambda s: -s[0])
    return _spread(seeds)


def _spread(
    seeds: list[tuple[float, tuple[int, int, int, int], float, float]],
) -> list[tuple[tuple[int, int, int, int], float, float]]:
    """Keep the best seeds, and of those that share a place and a period only the best."""
    kept: list[tuple[tuple[int, int, int, int], float, float]] = []
    for _, window, px, py in seeds:
        centre = ((window[0] + window[2]) / 2, (window[1] + window[3]) / 2)
        size = window[2] - window[0]
        if any(
            abs(centre[0] - (w[0] + w[2]) / 2) < size
            and abs(centre[1] - (w[1] + w[3]) / 2) < size
            and abs(qx / px - 1) < 0.1
            and abs(qy / py - 1) < 0.1
            for w, qx, qy in kept
        ):
            continue
        kept.append((window, px, py))
        if len(kept) == _SEEDS:
            break
    return kept


def _reduced(spike: Plane, scale: int) -> Plane:
    """Shrink a spike map; a line that falls into one of ``scale`` columns stays a line."""
    if scale == 1:
        return spike
    height, width = spike.shape
    size = (max(1, width // scale), max(1, height // scale))
    out: Plane = cv2.resize(spike, size, interpolation=cv2.INTER_AREA) * np.float32(scale)
    return out


def _window_scores(spike: Plane) -> tuple[npt.NDArray[np.float64], Profile]:
    """Scores ``(rows, columns, periods)`` of all windows of a map, periods along its rows."""
    height, width = spike.shape
    tall = max(_WINDOW, -(-height // _STRIDE) * _STRIDE)
    wide = max(_WINDOW, -(-width // _STRIDE) * _STRIDE)
    padded = np.zeros((tall, wide), np.float32)
    padded[:height, :width] = spike
    blocks = padded.reshape(tall // _STRIDE, _STRIDE, wide).mean(axis=1)
    per = _WINDOW // _STRIDE
    bands = np.lib.stride_tricks.sliding_window_view(blocks, per, axis=0).mean(axis=-1)
    windows = np.lib.stride_tricks.sliding_window_view(bands, _WINDOW, axis=1)[:, ::_STRIDE]
    rows, columns, _ = windows.shape
    periods, scores = _comb_scores(windows.reshape(rows * columns, _WINDOW).astype(np.float64))
    return scores.reshape(rows, columns, -1), periods


# --- the exact grid and its extent --------------------------------------------------------


def _fit(profile: Profile, period: float, spread: float) -> Comb | None:
    """Fit a comb to a profile of spikes: the period, its multiples and fractions, any phase."""
    n = len(profile)
    total = float(profile.sum())
    if total <= 0:
        return None
    strong = 0.25 * float(np.sort(profile)[-max(2, int(n / (2 * period))) :].mean())
    best: tuple[float, float, float] | None = None
    for multiple in (1.0, 2.0, 3.0, 4.0, 0.5, 1 / 3):
        base = period * multiple
        if base < _SHORTEST or base > n / 2:
            continue
        step = max(0.004, 0.4 * base / n)  # moves the last line by less than half a pixel
        reach = spread * base
        for p in np.arange(base - reach, base + reach + step / 2, step):
            phases = np.arange(0, p, 0.5)
            at = np.ceil(phases[:, None] + np.arange(int(n / p) + 1)[None] * p - 0.5).astype(int)
            inside = (at >= 1) & (at < n)
            values = np.where(inside, profile[np.clip(at, 0, n - 1)], 0.0)
            counts = np.maximum(inside.sum(axis=1), 1)
            on = values.sum(axis=1) / total
            filled = ((values > strong) & inside).sum(axis=1) / counts
            quality = on * filled
            i = int(quality.argmax())
            if best is None or quality[i] > best[0] + 1e-9:
                best = (float(quality[i]), float(p), float(phases[i]))
    if best is None:
        return None
    quality, p, phase = best
    return _settle(profile, Comb(p, phase, quality))


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
        weights.append(float(min(local.max(), _CAP)))
    if len(ks) < 3 or sum(w > 0 for w in weights) < 3:
        return comb
    slope, intercept = np.polyfit(ks, positions, 1, w=np.sqrt(np.array(weights) + 1e-6))
    if abs(slope / comb.period - 1) > 0.05:
        return comb
    return Comb(float(slope), float(intercept), comb.quality)


def _grow(
    measured: _Steps, window: tuple[int, int, int, int], period_x: float, period_y: float
) -> CoveredRegion | None:
    """Fit the grid in a window, find all cells that agree with it, fit again, and judge."""
    x0, y0, x1, y1 = window
    spread = 0.06
    region: CoveredRegion | None = None
    for attempt in range(2):
        box = (slice(y0, y1), slice(x0, x1))
        fit_x = _fit(measured.across_spikes[box].mean(axis=0, dtype=np.float64), period_x, spread)
        fit_y = _fit(measured.down_spikes[box].mean(axis=1, dtype=np.float64), period_y, spread)
        if fit_x is None or fit_y is None:
            return None
        comb_x = Comb(fit_x.period, fit_x.phase + x0, fit_x.quality)
        comb_y = Comb(fit_y.period, fit_y.phase + y0, fit_y.quality)
        region = _extent(measured, comb_x, comb_y, (x0, y0, x1, y1))
        if region is None:
            return None
        x0, y0, x1, y1 = (int(v) for v in region.box.as_tuple())
        period_x, period_y, spread = comb_x.period, comb_y.period, 0.02
    return region


def _extent(
    measured: _Steps, comb_x: Comb, comb_y: Comb, window: tuple[int, int, int, int]
) -> CoveredRegion | None:
    """Return the connected cells around ``window`` that are flat inside and stepped outside."""
    height, width = measured.across.shape
    xs = np.concatenate([[0], comb_x.lines(1, width), [width]])
    ys = np.concatenate([[0], comb_y.lines(1, height), [height]])
    if len(xs) < 4 or len(ys) < 4:
        return None
    inner = _inner(measured, xs, ys)
    left, top = _sides(measured, xs, ys)
    seeds = (
        (ys[:-1, None] >= window[1])
        & (ys[1:, None] <= window[3])
        & (xs[None, :-1] >= window[0])
        & (xs[None, 1:] <= window[2])
    )
    if not seeds.any():
        return None
    flat_level = max(0.5, 1.8 * float(np.median(inner[seeds])))
    flat = inner <= flat_level
    bar = 2.0 * inner + 0.4
    stepped = (
        (left > bar).astype(int)
        + (np.roll(left, -1, axis=1) > bar)
        + (top > bar)
        + (np.roll(top, -1, axis=0) > bar)
    )
    cells = _component(flat & (stepped >= 2), flat, seeds)
    if cells is None:
        return None
    rows, columns = np.flatnonzero(cells.any(axis=1)), np.flatnonzero(cells.any(axis=0))
    inside = inner[cells].mean()
    on_x = left[:, 1:][cells[:, 1:] & cells[:, :-1]]
    on_y = top[1:][cells[1:] & cells[:-1]]
    if len(on_x) < 6 or len(on_y) < 6 or len(rows) < 3 or len(columns) < 3:
        return None
    if cells.sum() < _LEAST_CELLS:
        return None
    contrast = float(min(on_x.mean(), on_y.mean()) / (inside + 0.15))
    if contrast < _LEAST_CONTRAST or min(on_x.mean(), on_y.mean()) < 1.0:
        return None
    fill = float(cells[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1].mean())
    confidence = _confidence(contrast, int(cells.sum()), comb_x.quality, comb_y.quality, fill)
    box = Box(
        float(xs[columns[0]]),
        float(ys[rows[0]]),
        float(xs[columns[-1] + 1]),
        float(ys[rows[-1] + 1]),
    )
    box = _widen(measured, box, comb_x, comb_y, flat_level)
    return CoveredRegion(
        box,
        Operator(
            "mosaic",
            (comb_x.period, comb_y.period),
            (comb_x.phase % comb_x.period, comb_y.phase % comb_y.period),
            confidence,
        ),
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


def _inner(
    measured: _Steps, xs: npt.NDArray[np.int64], ys: npt.NDArray[np.int64]
) -> npt.NDArray[np.float64]:
    """Mean step inside each cell, its own lines left out."""
    across = measured.across.astype(np.float64)
    across[:, xs[:-1]] = 0
    down = measured.down.astype(np.float64)
    down[ys[:-1]] = 0
    # The smoothing along a line reaches one pixel into the next cell: leave those out too.
    for y in ys[1:-1]:
        across[y - 1 : y + 1] = 0
    for x in xs[1:-1]:
        down[:, x - 1 : x + 1] = 0
    sums = np.add.reduceat(np.add.reduceat(across + down, ys[:-1], axis=0), xs[:-1], axis=1)
    wide, tall = np.diff(xs)[None].astype(float), np.diff(ys)[:, None].astype(float)
    count = np.maximum(wide - 1, 0) * np.maximum(tall - 2, 0) + np.maximum(
        wide - 2, 0
    ) * np.maximum(tall - 1, 0)
    result: npt.NDArray[np.float64] = np.where(count > 0, sums / np.maximum(count, 1), np.inf)
    return result


def _sides(
    measured: _Steps, xs: npt.NDArray[np.int64], ys: npt.NDArray[np.int64]
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Mean step along each cell's left side and its top."""
    tall, wide = np.diff(ys)[:, None], np.diff(xs)[None]
    left = np.add.reduceat(measured.across[:, xs[:-1]].astype(np.float64), ys[:-1], axis=0) / tall
    top = np.add.reduceat(measured.down[ys[:-1]].astype(np.float64), xs[:-1], axis=1) / wide
    return left, top


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
    cells = cells | (closed & flat)
    return cells


def _widen(measured: _Steps, box: Box, comb_x: Comb, comb_y: Comb, flat_level: float) -> Box:
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
