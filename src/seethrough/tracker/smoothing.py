"""From the rows of a course to few keyframes: smoothed, grown where unsure, simplified."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]

_SIGMA = 1.0  # frames: the detector's jitter has no memory, motion has
_REACH = 3  # frames
_TOLERANCE = 0.02  # of a face's size: how far a box may be from its frame's own
_TOLERANCE_POINTS = 0.04


def smoothed(values: Array) -> Array:
    """Smooth ``(n, k)`` rows over time by a Gaussian of one frame, without delay.

    At the ends and in fast motion it must not lag: a line is fitted, not a mean, so that steady
    motion passes unchanged.
    """
    count = len(values)
    if count < 3:
        return values
    result = np.empty_like(values)
    offsets = np.arange(-_REACH, _REACH + 1)
    kernel = np.exp(-0.5 * (offsets / _SIGMA) ** 2)
    inner = kernel / kernel.sum()
    if count > 2 * _REACH:
        padded = sum(
            weight * values[_REACH + o : count - _REACH + o]
            for weight, o in zip(inner, offsets, strict=True)
        )
        result[_REACH : count - _REACH] = padded
    ends = [i for i in range(count) if i < _REACH or i >= count - _REACH]
    for index in ends:
        low, high = max(index - _REACH, 0), min(index + _REACH + 1, count)
        x = np.arange(low, high) - index
        weight = np.exp(-0.5 * (x / _SIGMA) ** 2)
        design = np.stack([np.ones(len(x)), x], axis=1)
        normal = design.T @ (weight[:, None] * design)
        result[index] = np.linalg.solve(normal, design.T @ (weight[:, None] * values[low:high]))[0]
    return result


def keyframes(values: Array, sizes: Array, forced: npt.NDArray[np.bool_]) -> list[int]:
    """Choose rows between which the others lie on straight lines, up to a tolerance.

    Parameters
    ----------
    values : ndarray
        ``float64 (n, 14)``: boxes and landmarks in pixels.
    sizes : ndarray
        ``float64 (n,)``: the face's size in each row, in pixels.
    forced : ndarray
        ``bool (n,)``: rows that must be chosen.

    Returns
    -------
    list of int
        Indices in order, the first and the last included (Douglas and Peucker's method).
    """
    chosen = set(np.flatnonzero(forced).tolist()) | {0, len(values) - 1}
    tolerance = np.where(np.arange(values.shape[1]) < 4, _TOLERANCE, _TOLERANCE_POINTS)
    fixed = sorted(chosen)
    spans = list(pairwise(fixed))
    while spans:
        left, right = spans.pop()
        if right - left < 2:
            continue
        share = (np.arange(left + 1, right) - left) / (right - left)
        line = values[left] + share[:, None] * (values[right] - values[left])
        off = np.abs(values[left + 1 : right] - line) / sizes[left + 1 : right, None] / tolerance
        worst = int(off.max(axis=1).argmax())
        if off[worst].max() > 1:
            middle = left + 1 + worst
            chosen.add(middle)
            spans += [(left, middle), (middle, right)]
    return sorted(chosen)


def distances_to_known(known: npt.NDArray[np.bool_]) -> Array:
    """Return, for each row, how many frames away the nearest known one is."""
    count = len(known)
    index = np.arange(count)
    before = np.maximum.accumulate(np.where(known, index, -count))
    after = np.minimum.accumulate(np.where(known, index, 2 * count)[::-1])[::-1]
    return np.minimum(index - before, after - index).astype(np.float64)
