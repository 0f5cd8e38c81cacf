"""Find solid covers: rectangles and ellipses of one colour with a hard border.

A cover is one colour all over (nearly, after a codec), fills a rectangle or an ellipse, and
differs from what surrounds it along most of its border. Bars and margins that touch the
picture's border are left to the photographer.
"""

from __future__ import annotations

from typing import Literal

import cv2
import numpy as np
import numpy.typing as npt

from seethrough.types import Box, CoveredRegion, Image, Operator

_LONG_SIDE = 1024  # pixels: larger pictures are reduced to this before the search
_FLAT = 3  # levels: range within 5 x 5 pixels of a cover, after a codec
_SAME = (4, 12, 24)  # levels: distance from the cover's colour; a codec rings at the border
_LEAST_SIDE = 16  # pixels
_LEAST_AREA = 0.015  # of the picture: smaller patches of one colour are common
_LEAST_BAR = 0.004  # the same for bars, which are not
_MOST_AREA = 0.6
_MARGIN = 0.03  # of the picture's shorter side: frames and margins lie this close to its border
_BAR = (2.5, 8.0)  # width over height of a bar over the eyes
_MOST_TILT = 20  # degrees
_AGREEMENT = (0.96, 0.93, 0.93)  # with the ideal shape (IoU), for each of these distances
_STEP = 12  # levels between a cover and its surroundings
_CORE = 0.97  # share of the inner 35 % that is flat
_ACCEPT = 0.5  # confidence from which a region is reported
_BORDER = 0.8  # share of the border that has such a step

Array = npt.NDArray[np.float64]


def find(picture: Image) -> list[CoveredRegion]:
    """Return the solid covers of a picture, surest first."""
    scale = min(1.0, _LONG_SIDE / max(picture.shape[:2]))
    small = picture
    if scale < 1:
        size = (round(picture.shape[1] * scale), round(picture.shape[0] * scale))
        small = np.asarray(cv2.resize(picture, size, interpolation=cv2.INTER_AREA), np.uint8)
    if min(small.shape[:2]) < _LEAST_SIDE + 4:
        return []
    kernel = np.ones((5, 5), np.uint8)
    grey = cv2.cvtColor(small, cv2.COLOR_RGB2GRAY)  # colour rings farther, it is coded coarser
    spread = cv2.subtract(cv2.dilate(grey, kernel), cv2.erode(grey, kernel))
    count, labels, stats, _ = cv2.connectedComponentsWithStats(
        (spread <= _FLAT).astype(np.uint8), connectivity=4
    )
    height, width = small.shape[:2]
    found = []
    for label in range(1, count):
        x, y, w, h, area = (int(v) for v in stats[label])
        if min(w, h) < _LEAST_SIDE // 3 or area < 0.5 * w * h:
            continue
        if not 0.4 * _LEAST_BAR <= w * h / (height * width) <= _MOST_AREA:
            continue
        window = (slice(max(0, y - 6), y + h + 6), slice(max(0, x - 6), x + w + 6))
        seed = labels[window] == label
        judged = (
            _judge(small[window], seed, same, agreement, height * width)
            for same, agreement in zip(_SAME, _AGREEMENT, strict=True)
        )
        region = next((r for r in judged if r is not None), None)
        if region is None:
            continue
        box, operator = region
        offset = (window[1].start, window[0].start) * 2
        if _near_border(box, offset, small.shape):
            continue
        corners = [(v + o) / scale for v, o in zip(box.as_tuple(), offset, strict=True)]
        found.append(CoveredRegion(Box(*corners), operator))
    return sorted(found, key=lambda r: -r.operator.confidence)


def estimate(picture: Image) -> Operator | None:
    """Say whether a box of a picture is one colour inside its inscribed ellipse."""
    height, width = picture.shape[:2]
    if min(height, width) < 4:
        return None
    core = picture[height // 5 : height - height // 5, width // 5 : width - width // 5]
    colour = np.median(core.reshape(-1, 3), axis=0)
    same = np.abs(core - colour).max(axis=2) <= 2 * _FLAT
    if same.mean() < 0.995 or core.std(axis=(0, 1)).max() > 2:
        return None
    confidence = float(np.clip(1 - core.std(axis=(0, 1)).max() / 4, 0, 1))
    return Operator(_kind(width, height), None, None, confidence)


def _kind(width: float, height: float) -> Literal["solid", "eye-bar"]:
    return "eye-bar" if _BAR[0] <= width / height <= _BAR[1] else "solid"


def _near_border(box: Box, offset: tuple[int, ...], shape: tuple[int, ...]) -> bool:
    margin = _MARGIN * min(shape[:2])
    return (
        box.x0 + offset[0] < margin
        or box.y0 + offset[1] < margin
        or box.x1 + offset[0] > shape[1] - margin
        or box.y1 + offset[1] > shape[0] - margin
    )


def _tilted_bar(part: npt.NDArray[np.bool_]) -> tuple[float, Array, Array] | None:
    """Fit a bar that follows a head's tilt.

    Returns
    -------
    tuple or None
        Share of the smallest turned rectangle that is filled, and every pixel's place along and
        across it, -1 to 1 inside; ``None`` where that is no bar, or turned by over 20 degrees.
    """
    points = np.argwhere(part)[:, ::-1].astype(np.float32)
    (cx, cy), (w, h), angle = cv2.minAreaRect(points)
    if w < h:
        w, h, angle = h, w, angle - 90
    angle = (angle + 90) % 180 - 90
    if not _BAR[0] <= w / h <= _BAR[1] or abs(angle) > _MOST_TILT or h < _LEAST_SIDE:
        return None
    cos, sin = np.cos(np.deg2rad(angle)), np.sin(np.deg2rad(angle))
    rows, columns = np.mgrid[: part.shape[0], : part.shape[1]]
    along = ((columns - cx) * cos + (rows - cy) * sin) / (w / 2)
    across = ((rows - cy) * cos - (columns - cx) * sin) / (h / 2)
    # Between pixel centres: a turned border loses half a pixel to its steps.
    return min(1.0, float(part.sum() / (w * h))), along, across


def _judge(
    pixels: Image, seed: npt.NDArray[np.bool_], tolerance: int, least: float, area: int
) -> tuple[Box, Operator] | None:
    """Judge one flat component, given with a margin; the box is relative to ``pixels``."""
    colour = np.median(pixels[seed], axis=0)
    if pixels[seed].std(axis=0).max() > 3:
        return None
    same = (np.abs(pixels - colour).max(axis=2) <= tolerance).astype(np.uint8)
    same = cv2.morphologyEx(same, cv2.MORPH_OPEN, np.ones((5, 5), np.uint8))
    _, labels = cv2.connectedComponents(same, connectivity=4)
    at = labels[seed]
    if not at.any():
        return None
    part = labels == np.bincount(at[at > 0]).argmax()
    rows, columns = np.flatnonzero(part.any(axis=1)), np.flatnonzero(part.any(axis=0))
    x0, x1, y0, y1 = int(columns[0]), int(columns[-1]) + 1, int(rows[0]), int(rows[-1]) + 1
    w, h = x1 - x0, y1 - y0
    least_area = _LEAST_BAR if _kind(w, h) == "eye-bar" else _LEAST_AREA
    if min(w, h) < _LEAST_SIDE or w * h < least_area * area:
        return None
    rectangle = part.sum() / (w * h)
    y = (np.arange(part.shape[0])[:, None] + 0.5 - (y0 + y1) / 2) / (h / 2)
    x = (np.arange(part.shape[1])[None] + 0.5 - (x0 + x1) / 2) / (w / 2)
    ellipse = x * x + y * y <= 1
    round_fit = (part & ellipse).sum() / (part | ellipse).sum()
    tilted = _tilted_bar(part)
    if tilted is not None and tilted[0] > max(rectangle, round_fit):
        rectangle, x, y = tilted
    agreement = float(max(rectangle, round_fit))
    if agreement < least:
        return None
    core = (
        (x * x + y * y <= 0.35**2)
        if round_fit > rectangle
        else (np.maximum(abs(x), abs(y)) <= 0.35)
    )
    if seed[core].mean() < _CORE:
        return None
    ring = cv2.dilate(part.astype(np.uint8), np.ones((9, 9), np.uint8)) > 0
    ring &= cv2.dilate(part.astype(np.uint8), np.ones((3, 3), np.uint8)) == 0
    if not ring.any():
        return None
    border = float((np.abs(pixels[ring] - colour).max(axis=1) > _STEP + tolerance).mean())
    if border < _BORDER:
        return None
    kind: Literal["solid", "eye-bar"] = _kind(w, h) if rectangle >= round_fit else "solid"
    if tilted is not None and rectangle == tilted[0]:
        kind = "eye-bar"
    confidence = float(np.clip((agreement - 0.9) / 0.1, 0, 1) * border)
    if confidence < _ACCEPT:
        return None
    return Box(x0, y0, x1, y1), Operator(kind, None, None, confidence)
