"""A face detector that the tracker does not use, for looking at what was redacted.

CenterFace (Y. Xu et al., "CenterFace: joint face detection and alignment using face as point",
2019) answers for each cell of 4 x 4 pixels. It is shown one window around each place, in which a
face would be of the size that it sees best, or a whole picture, in which it finds faces by itself.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeAlias

import cv2
import numpy as np
import numpy.typing as npt

from seethrough.face_views import starts
from seethrough.redactor.source import Source
from seethrough.session import Device, open_session
from seethrough.types import Box, Image

Floats: TypeAlias = npt.NDArray[np.floating]

WEIGHTS_NAME = "second-detector"
THRESHOLD = 0.5
"""Score of a face. Clean faces score more than 0.7, safe covers less than 0.4."""

_STRIDE = 4
_SIDE = 192  # of a window, in the network's pixels
_ZOOM = 2.4  # of a window, in sizes of the face
_SAME = 0.3  # IoU from which a face is the one that was looked for
_BATCH = 8
_FILL = (123, 117, 104)  # outside the picture
_LONG_SIDE, _LONGEST_SIDE = 960, 1920  # of a whole picture; half its own between them
_TILE, _TILE_OVERLAP = 960, 96  # px of parts: what is larger than the overlap, the whole shows
_MULTIPLE = 32  # of a picture's sides, in the network's pixels
_OVERLAP = 0.3  # IoU from which two answers are one face


class SecondDetector:
    """Looks at places of a picture for faces.

    Parameters
    ----------
    device, threads
        As in :func:`seethrough.session.open_session`.

    Raises
    ------
    MissingPartError
        Where the weights or the device are missing.
    """

    def __init__(self, device: Device = "auto", threads: int | None = None) -> None:
        self._session = open_session(WEIGHTS_NAME, device=device, threads=threads)

    def scores(
        self, source: Source, places: Sequence[Box], sample_aspect: float = 1.0
    ) -> npt.NDArray[np.float64]:
        """Return how surely there is a face at each place.

        Parameters
        ----------
        source : Source
            The picture.
        places : sequence of Box
            Tight faces in upright, stored pixels.
        sample_aspect : float
            Width of a stored pixel in its heights.

        Returns
        -------
        ndarray
            ``float64 (N,)``, range [0, 1]: the best score of a face that overlaps the place.
        """
        found = np.zeros(len(places))
        for start in range(0, len(places), _BATCH):
            batch = places[start : start + _BATCH]
            views = [_window(source, place, sample_aspect) for place in batch]
            feed = np.stack([view for view, _ in views]).transpose(0, 3, 1, 2)
            scores, sizes, offsets = self._session.run(
                {"picture": np.ascontiguousarray(feed, np.float32)}
            )
            for index, (_, there) in enumerate(views):
                found[start + index] = _best(scores[index, 0], sizes[index], offsets[index], there)
        return found

    def find(
        self, source: Source, least: float = THRESHOLD, *, small: bool = False
    ) -> list[tuple[Box, float]]:
        """Look for faces in a whole picture.

        Parameters
        ----------
        source : Source
            The picture.
        least : float
            Faces that score less are left out.
        small : bool
            Look at large pictures in their own pixels, too, part by part. That takes time.

        Returns
        -------
        list of (Box, float)
            Tight faces in upright, stored pixels, and their scores; the surest first. Without
            ``small``, faces of less than a hundredth of the picture's long side are too small, from
            3840 px on those of less than a two-hundredth.
        """
        longest = max(source.shape)
        side = max(_LONG_SIDE, min(longest // 2, _LONGEST_SIDE))
        picture, (fx, fy) = source.reduced(side)
        found = self._whole(picture, least)
        boxes = [Box(b.x0 * fx, b.y0 * fy, b.x1 * fx, b.y1 * fy) for b, _ in found]
        sure = [score for _, score in found]
        if small and longest > side:
            height, width = source.shape
            for y in starts(height, _TILE, _TILE_OVERLAP):
                for x in starts(width, _TILE, _TILE_OVERLAP):
                    edges = x, y, min(x + _TILE, width), min(y + _TILE, height)
                    found = self._whole(source.part(*edges), least)
                    boxes += [Box(b.x0 + x, b.y0 + y, b.x1 + x, b.y1 + y) for b, _ in found]
                    sure += [score for _, score in found]
        return [(boxes[index], sure[index]) for index in _distinct(boxes, sure, least)]

    def _whole(self, picture: Image, least: float) -> list[tuple[Box, float]]:
        """Look for faces in the pixels of one picture."""
        height, width = picture.shape[:2]
        high, wide = (-(-side // _MULTIPLE) * _MULTIPLE for side in (height, width))
        feed = np.full((high, wide, 3), _FILL, np.float32)
        feed[:height, :width] = picture
        scores, sizes, offsets = self._session.run(
            {"picture": np.ascontiguousarray(feed.transpose(2, 0, 1)[None])}
        )
        sure, x, y, across, down = _answers(scores[0, 0], sizes[0], offsets[0], least)
        edges = np.stack([x - across, y - down, x + across, y + down], axis=1)
        return [
            (Box(*edge), float(score)) for edge, score in zip(edges.tolist(), sure, strict=True)
        ]


def _distinct(boxes: Sequence[Box], scores: Sequence[float], least: float) -> list[int]:
    """Return which answers are faces of their own, the surest first."""
    tight = [(box.x0, box.y0, box.width, box.height) for box in boxes]
    kept = cv2.dnn.NMSBoxes(tight, scores, least, _OVERLAP)
    return [int(index) for index in np.asarray(kept, np.intp).ravel()]


def _window(source: Source, place: Box, aspect: float) -> tuple[Image, Box]:
    """Return a square view around a place, and where the place lies in it."""
    height, width = source.shape
    size = (place.width * aspect * place.height) ** 0.5
    half = _ZOOM * size / 2
    (cx, cy) = place.centre
    low_x, low_y = cx - half / aspect, cy - half
    x0, y0 = max(int(low_x), 0), max(int(low_y), 0)
    x1 = max(min(int(cx + half / aspect) + 1, width), x0 + 1)
    y1 = max(min(int(cy + half) + 1, height), y0 + 1)
    x0, y0 = min(x0, width - 1), min(y0, height - 1)
    part = source.part(x0, y0, min(x1, width), min(y1, height))
    scale = _SIDE / (2 * half)
    # By area first where it shrinks, in whole steps; then exactly into place.
    fx, fy = max(int(1 / (scale * aspect)), 1), max(int(1 / scale), 1)
    size_now = (max(part.shape[1] // fx, 1), max(part.shape[0] // fy, 1))
    whole = part[: size_now[1] * fy, : size_now[0] * fx]
    small = cv2.resize(whole, size_now, interpolation=cv2.INTER_AREA)
    across, down = scale * aspect, scale  # view pixels for one stored pixel
    matrix = np.array(
        [
            [fx * across, 0, (x0 + fx / 2 - low_x) * across - 0.5],
            [0, fy * down, (y0 + fy / 2 - low_y) * down - 0.5],
        ]
    )
    view = cv2.warpAffine(
        small,
        matrix,
        (_SIDE, _SIDE),
        flags=cv2.INTER_LINEAR,
        borderMode=cv2.BORDER_CONSTANT,
        borderValue=_FILL,
    )
    there = Box(
        (place.x0 - low_x) * across,
        (place.y0 - low_y) * down,
        (place.x1 - low_x) * across,
        (place.y1 - low_y) * down,
    )
    return np.asarray(view, np.uint8), there


def _best(
    scores: npt.NDArray[np.float32],
    sizes: npt.NDArray[np.float32],
    offsets: npt.NDArray[np.float32],
    there: Box,
) -> float:
    """Return the best score of a face that overlaps a place of a view; 0 where there is none."""
    sure, x, y, wide, high = _answers(scores, sizes, offsets, 0.05)
    shared = np.clip(
        np.minimum(x + wide, there.x1) - np.maximum(x - wide, there.x0), 0, None
    ) * np.clip(np.minimum(y + high, there.y1) - np.maximum(y - high, there.y0), 0, None)
    same = shared / (4 * wide * high + there.area - shared) >= _SAME
    return float(sure[same].max(initial=0.0))


def _answers(
    scores: npt.NDArray[np.float32],
    sizes: npt.NDArray[np.float32],
    offsets: npt.NDArray[np.float32],
    least: float,
) -> tuple[Floats, Floats, Floats, Floats, Floats]:
    """Return scores, middles (x, y) and half sizes (across, down) of what it sees in a view."""
    rows, columns = np.nonzero(scores > least)
    y = (rows + offsets[0, rows, columns] + 0.5) * _STRIDE
    x = (columns + offsets[1, rows, columns] + 0.5) * _STRIDE
    high = np.exp(sizes[0, rows, columns]) * _STRIDE / 2
    wide = np.exp(sizes[1, rows, columns]) * _STRIDE / 2
    return scores[rows, columns], x, y, wide, high
