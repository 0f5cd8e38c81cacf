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

from dataclasses import replace

import cv2
import numpy as np

from seethrough.operators.grid import SHORTEST, Profile, Window, grow
from seethrough.operators.steps import Plane, Spikes, spikes
from seethrough.types import Box, CoveredRegion, Operator

_WINDOW = 64  # samples per window at every level of the pyramid
_STRIDE = 16
_FINE_UP_TO = 2_000_000  # pixels: the windows of larger pictures lie twice as far apart
_OVERSAMPLING = 4  # frequencies per Fourier bin of a window
_HARMONICS = 4
_LONGEST_SHARE = 3.6  # a window has to hold that many cells
_SEED = 0.35  # least periodicity of a window, 1 for a perfect comb, about 0.2 for a photo
_SEEDS = 40  # windows tried at most
_REGIONS = 64


def find(luma: Plane) -> list[CoveredRegion]:
    """Return the mosaicked regions of a picture, surest first."""
    height, width = luma.shape
    if min(height, width) < 12:
        return []
    measured = spikes(luma)
    taken = np.zeros((height, width), np.bool_)
    found: list[CoveredRegion] = []
    for window, period_x, period_y in _seeds(measured):
        x0, y0, x1, y1 = window
        if taken[y0:y1, x0:x1].mean() > 0.3:
            continue
        region = grow(measured, window, period_x, period_y)
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
    measured = spikes(luma)
    best: CoveredRegion | None = None
    scores = [_periods(p) for p in (measured.across.mean(0), measured.down.mean(1))]
    for period_x in scores[0]:
        for period_y in scores[1]:
            if not 0.4 < period_x / period_y < 2.5:
                continue
            region = grow(measured, (0, 0, width, height), period_x, period_y)
            if region and (best is None or region.operator.confidence > best.operator.confidence):
                best = region
        if best is not None and best.operator.confidence > 0.9:
            break
    return best


def again(luma: Plane, near: Box, operator: Operator) -> CoveredRegion | None:
    """Return a mosaic that is known from another frame: cells of about its size, about there.

    Parameters
    ----------
    luma : ndarray
        ``float32 (H, W)``.
    near : Box
        Where it should be, in pixels of ``luma``.
    operator : Operator
        The mosaic as it was known.
    """
    if operator.size is None or min(luma.shape) < 12:
        return None
    x, y = near.centre
    half_x, half_y = near.width / 4, near.height / 4  # well inside, wherever it has moved to
    window = (
        max(0, int(x - half_x)),
        max(0, int(y - half_y)),
        min(luma.shape[1], int(x + half_x) + 1),
        min(luma.shape[0], int(y + half_y) + 1),
    )
    if window[2] - window[0] < 2 * operator.size[0] or window[3] - window[1] < 2 * operator.size[1]:
        return None
    return grow(spikes(luma), window, *operator.size)


def moved(operator: Operator, dx: float, dy: float) -> Operator:
    """Return a mosaic's operator in coordinates that are ``dx, dy`` larger."""
    if operator.size is None or operator.phase is None:
        return operator
    (cx, cy), (px, py) = operator.size, operator.phase
    return replace(operator, phase=((px + dx) % cx, (py + dy) % cy))


# --- seeds: which windows are periodic, and with which period -----------------------------


def _comb_scores(profiles: Plane) -> tuple[Profile, Plane]:
    """Periodicity of each row of ``profiles (N, L)`` for a fixed list of periods.

    Returns the periods ``(P,)`` in samples and the scores ``(N, P)``: mean over the harmonics
    below the Nyquist frequency of |Fourier coefficient| / sum, 1 for a perfect comb.
    """
    length = profiles.shape[1]
    bins = _OVERSAMPLING * length
    first = int(np.ceil(_LONGEST_SHARE * _OVERSAMPLING))
    last = int(bins / SHORTEST)
    at = np.arange(first, last + 1)
    limit = np.float32(4 / length) * profiles.sum(axis=1, keepdims=True)
    clipped: Plane = np.minimum(profiles, limit)  # no single line makes a comb
    total = clipped.sum(axis=1, keepdims=True)
    clipped -= total / np.float32(length)
    floor = np.float32(0.02 * length)  # levels: a window with fainter steps has nothing to say
    spectrum: Plane = np.abs(np.fft.rfft(clipped, n=bins, axis=1)).astype(np.float32) / (
        total + floor
    )
    sums = np.zeros((len(profiles), len(at)), np.float32)
    counts = np.zeros(len(at), np.float32)
    for k in range(1, _HARMONICS + 1):
        inside = int(np.count_nonzero(k * at <= bins // 2))  # periods come in falling order
        sums[:, :inside] += spectrum[:, k * first : k * (first + inside - 1) + 1 : k]
        counts[:inside] += 1
    scores = np.asarray(sums / np.maximum(counts, 2), np.float32)
    return np.asarray(bins / at, np.float64), scores


def _periods(profile: Plane) -> list[float]:
    """Up to four promising periods of one long profile, best first."""
    values = profile.astype(np.float32)[None, 1:]
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


def _seeds(measured: Spikes) -> list[tuple[Window, float, float]]:
    """Windows (x0, y0, x1, y1) that look periodic along both axes, with their periods."""
    height, width = measured.across.shape
    seeds = []
    scale = 1
    while True:
        stride = _STRIDE if height * width <= _FINE_UP_TO * scale**2 else 2 * _STRIDE
        across = _reduced(measured.across, scale)
        down = _reduced(measured.down, scale)
        rows_x, periods = _window_scores(_blocks(across, stride), stride)
        rows_y, _ = _window_scores(_columns(down, stride), stride)
        rows_y = rows_y.transpose(1, 0, 2)
        quality = np.sqrt(rows_x.max(axis=2) * rows_y.max(axis=2))
        for i, j in np.argwhere(quality > _SEED):
            x0, y0 = int(j) * stride * scale, int(i) * stride * scale
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
    seeds: list[tuple[float, Window, float, float]],
) -> list[tuple[Window, float, float]]:
    """Keep the best seeds, and of those that share a place and a period only the best."""
    kept: list[tuple[Window, float, float]] = []
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


def _padded(spike: Plane, stride: int) -> Plane:
    """Pad with zeros to whole strides, and to one window at least."""
    height, width = spike.shape
    bottom = max(_WINDOW, -(-height // stride) * stride) - height
    right = max(_WINDOW, -(-width // stride) * stride) - width
    if bottom == right == 0:
        return spike
    padded = cv2.copyMakeBorder(spike, 0, bottom, 0, right, cv2.BORDER_CONSTANT)
    return np.asarray(padded, np.float32)


def _blocks(spike: Plane, stride: int) -> Plane:
    """Mean of every ``stride`` rows."""
    spike = _padded(spike, stride)
    size = (spike.shape[1], len(spike) // stride)
    return np.asarray(cv2.resize(spike, size, interpolation=cv2.INTER_AREA), np.float32)


def _columns(spike: Plane, stride: int) -> Plane:
    """As :func:`_blocks` for columns, transposed."""
    spike = _padded(spike, stride)
    size = (spike.shape[1] // stride, len(spike))
    return np.asarray(cv2.resize(spike, size, interpolation=cv2.INTER_AREA), np.float32).T


def _window_scores(blocks: Plane, stride: int) -> tuple[Plane, Profile]:
    """Scores ``(rows, columns, periods)`` of all windows of blocks, periods along its rows."""
    per = _WINDOW // stride
    count = len(blocks) - per + 1
    bands = sum((blocks[k : k + count] for k in range(1, per)), blocks[:count]) / np.float32(per)
    windows = np.lib.stride_tricks.sliding_window_view(bands, _WINDOW, axis=1)[:, ::stride]
    rows, columns, _ = windows.shape
    periods, scores = _comb_scores(windows.reshape(rows * columns, _WINDOW))
    return scores.reshape(rows, columns, -1), periods
