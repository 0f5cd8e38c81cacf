"""Finding lines of text in a picture, blurred and mosaicked ones included.

The finder is PP-OCRv6's small text detector, a network that gives each pixel the probability
that it lies in the shrunk core of a line (Liao et al., "Real-time scene text detection with
differentiable binarization", AAAI 2020). Blurred and mosaicked text is found by showing it
reduced copies, with some of the contrast that blur took away put back, and by asking two copies
to agree.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from seethrough.session import Device, open_session
from seethrough.text.lines import Quad, oriented_quad
from seethrough.types import CoveredRegion, Image, TextLine

_LONGEST = 1600  # pixels: larger pictures are reduced before the search
_STRIDE = 32  # the network takes sides that are multiples of this
_PIXEL = 0.3  # probability above which a pixel belongs to a line's core
_SCORE = 0.7  # mean probability of a line's core
_UNCLIP = 1.6  # how far a core grows to the line: area / perimeter times this
_THINNEST = 3.0  # pixels: thinner cores are specks
_TALLEST = 90.0  # pixels of a view: taller text is found where it is smaller
_SQUAREST = 1.2  # a line is at least this much longer than tall
_LARGE_SHARE, _LARGE_LENGTH = 0.5, 2.0  # of the picture's shorter side; then this much longer
_LONE_SCORE, _LONE_LENGTH = 0.8, 3.0  # what a line needs that one view alone shows


@dataclass(frozen=True, slots=True)
class _View:
    """A copy of a part of the picture to search.

    ``window`` is x0, y0, x1, y1 in whole pixels, ``scale`` view pixels for each picture pixel,
    ``contrast`` the strength of the sharpening that undoes a part of the blur.
    """

    window: tuple[int, int, int, int]
    scale: float
    contrast: float


@dataclass(frozen=True, slots=True, eq=False)
class _Candidate:
    """A line that one view shows, in picture coordinates."""

    quad: Quad
    score: float
    view: int

    @property
    def length(self) -> float:
        return float(np.linalg.norm(self.quad[1] - self.quad[0]))

    @property
    def height(self) -> float:
        return float(np.linalg.norm(self.quad[3] - self.quad[0]))


class TextFinder:
    """Finds lines of text, degraded ones included.

    Parameters
    ----------
    device : {"auto", "cpu", "cuda"}
        Where the network runs.
    threads : int, optional
        Threads on the CPU; all usable ones where absent.

    Raises
    ------
    MissingPartError
        Where the weights or the device are missing.
    """

    def __init__(self, device: Device = "auto", threads: int | None = None) -> None:
        self._session = open_session("text-detector", device=device, threads=threads)

    def find(self, picture: Image, covered: Sequence[CoveredRegion] = ()) -> tuple[TextLine, ...]:
        """Find the lines of text in a picture.

        Parameters
        ----------
        picture : Image
            ``uint8 (H, W, 3)`` RGB.
        covered : sequence of CoveredRegion
            Mosaicked and blurred regions, from :func:`seethrough.operators.find_covered`; each
            is searched once more at the scale where its cells or its blur no longer matter.

        Returns
        -------
        tuple of TextLine
            From top to bottom; their quads may reach over the picture's border.
        """
        views = [*_whole_views(picture), *_covered_views(picture, covered)]
        found = [
            candidate
            for index, view in enumerate(views)
            for candidate in self._search(picture, view, index)
        ]
        lines = [TextLine(c.quad, c.score) for c in _agreed(found)]
        return tuple(sorted(lines, key=lambda line: (line.box.y0, line.box.x0)))

    def _search(self, picture: Image, view: _View, index: int) -> list[_Candidate]:
        pixels, scale = _look(picture, view)
        height, width = pixels.shape[:2]
        largest = _LARGE_SHARE * scale.min() * min(picture.shape[:2])
        padded = cv2.copyMakeBorder(
            pixels, 0, -height % _STRIDE, 0, -width % _STRIDE, cv2.BORDER_REPLICATE
        )
        # The network was trained on OpenCV's channel order, scaled to [-1, 1].
        tensor = padded[..., ::-1].transpose(2, 0, 1)[None] / np.float32(127.5) - np.float32(1)
        (output,) = self._session.run({"x": np.ascontiguousarray(tensor, np.float32)})
        origin = np.array(view.window[:2], np.float64)
        return [
            _Candidate(quad / scale + origin, score, index)
            for quad, score in _lines_of_map(output[0, 0, :height, :width], largest)
        ]


def _whole_views(picture: Image) -> Iterator[_View]:
    height, width = picture.shape[:2]
    window = (0, 0, width, height)
    base = min(1.0, _LONGEST / max(height, width))
    for scale, contrast in ((1.0, 0.0), (0.5, 0.0), (0.5, 3.0), (0.35, 3.0)):
        yield _View(window, base * scale, contrast)


def _covered_views(picture: Image, covered: Sequence[CoveredRegion]) -> Iterator[_View]:
    height, width = picture.shape[:2]
    for region in covered:
        if region.operator.size is None:
            continue
        size = max(region.operator.size)
        # A cell becomes 3 px, a blur sigma 2 px: there the network does best (measured).
        wanted = {"mosaic": 3.0, "gauss": 2.0, "box": 2.0 * 12**0.5}[region.operator.kind]
        margin = 2 * size + 16
        x0, y0 = max(0, int(region.box.x0 - margin)), max(0, int(region.box.y0 - margin))
        x1 = min(width, int(np.ceil(region.box.x1 + margin)))
        y1 = min(height, int(np.ceil(region.box.y1 + margin)))
        if x1 <= x0 or y1 <= y0:
            continue
        scale = min(1.0, wanted / size, _LONGEST / max(x1 - x0, y1 - y0))
        yield _View((x0, y0, x1, y1), scale, 0.0)
        yield _View((x0, y0, x1, y1), scale, 3.0)


def _look(picture: Image, view: _View) -> tuple[npt.NDArray[np.float32], Quad]:
    """Return a view's pixels, ``float32`` on [0, 255], and its exact scale in x and y."""
    x0, y0, x1, y1 = view.window
    part = picture[y0:y1, x0:x1]
    width, height = (max(1, round(n * view.scale)) for n in (x1 - x0, y1 - y0))
    pixels: Any = part
    if (width, height) != (x1 - x0, y1 - y0):
        pixels = cv2.resize(part, (width, height), interpolation=cv2.INTER_AREA)
    pixels = pixels.astype(np.float32)
    if view.contrast:
        pixels += view.contrast * (pixels - cv2.GaussianBlur(pixels, (0, 0), 2.5))
        pixels = np.clip(pixels, 0, 255)
    return pixels, np.array([width / (x1 - x0), height / (y1 - y0)])


def _lines_of_map(
    probability: npt.NDArray[np.float32], large: float
) -> Iterator[tuple[Quad, float]]:
    """Turn the network's map into quads, in pixels of the map, and scores.

    The core of each line is thresholded, enclosed by the smallest rectangle and grown back by
    ``area * 1.6 / perimeter`` on each side (the paper's Vatti offset, for a rectangle). Above
    ``large`` pixels of height a short line is taken for a head or another thing.
    """
    core = (probability > _PIXEL).astype(np.uint8)
    contours, _ = cv2.findContours(core, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE)
    for contour in contours:
        centre, (width, height), angle = cv2.minAreaRect(contour)
        if min(width, height) < _THINNEST:
            continue
        x, y, w, h = cv2.boundingRect(contour)
        inside = np.zeros((h, w), np.uint8)
        cv2.drawContours(inside, [contour - np.array([x, y])], -1, 1, cv2.FILLED)
        score = float(cv2.mean(probability[y : y + h, x : x + w], inside)[0])
        # Contours run through pixel centres: the area reaches half a pixel further.
        width, height = width + 1, height + 1
        grow = 2 * _UNCLIP * width * height / (2 * (width + height))
        quad = oriented_quad(np.array(centre) + 0.5, width + grow, height + grow, np.deg2rad(angle))
        length, tall = np.linalg.norm(quad[1] - quad[0]), np.linalg.norm(quad[3] - quad[0])
        least = (_LARGE_LENGTH if tall > large else _SQUAREST) * tall
        if score >= _SCORE and tall <= _TALLEST and length >= least:
            yield quad, score


def _agreed(found: Sequence[_Candidate]) -> list[_Candidate]:
    """Keep what two views show, or one shows well, and of overlapping lines the longest."""
    if not found:
        return []
    shared = _overlaps([c.quad for c in found])
    areas = np.diag(shared)
    views = np.array([c.view for c in found])
    inside = shared >= 0.6 * areas[None, :]  # [i, j]: j lies in i
    kept: list[int] = []
    for i in sorted(range(len(found)), key=lambda i: -found[i].length):
        line = found[i]
        votes = sum(shared[i, views == view].sum() >= 0.5 * areas[i] for view in np.unique(views))
        lone = line.score >= _LONE_SCORE and line.length >= _LONE_LENGTH * line.height
        if votes < 2 and not lone:
            continue
        if any(_stacked(line, found, inside[i] & (views == view)) for view in np.unique(views)):
            continue
        if all(shared[i, k] < 0.5 * min(areas[i], areas[k]) for k in kept):
            kept.append(i)
    return [found[i] for i in kept]


def _stacked(line: _Candidate, found: Sequence[_Candidate], parts: npt.NDArray[np.bool_]) -> bool:
    """Whether the parts that one view sees in a line are several lines, one above another."""
    chosen = [part for part, is_part in zip(found, parts, strict=True) if is_part]
    if len(chosen) < 2:
        return False
    down = (line.quad[3] - line.quad[0]) / line.height
    offsets = [float(part.quad.mean(axis=0) @ down) for part in chosen]
    return max(offsets) - min(offsets) > 0.6 * float(np.mean([part.height for part in chosen]))


def _overlaps(quads: Sequence[Quad]) -> npt.NDArray[np.float64]:
    """Area in common of each two convex quads; the diagonal holds their own areas."""
    stacked = np.stack(quads)
    low, high = stacked.min(axis=1), stacked.max(axis=1)
    near = ((low[:, None] < high[None]) & (low[None] < high[:, None])).all(axis=2)
    shared = np.zeros((len(quads), len(quads)))
    # Relative to a common origin: float32 is coarse far from zero.
    points = [quad.astype(np.float32) for quad in stacked - low.min(axis=0)]
    for i, j in zip(*np.nonzero(np.triu(near)), strict=True):
        area, _ = cv2.intersectConvexConvex(points[i], points[j])
        shared[i, j] = shared[j, i] = max(float(area), 0.0)
    return shared
