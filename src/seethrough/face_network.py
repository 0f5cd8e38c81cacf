"""The detector network: pictures in, candidate faces out.

RetinaFace (J. Deng et al., CVPR 2020) answers for two anchors in each cell of three grids; this
module decodes the answers that matter and drops those that repeat each other.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from seethrough.session import Device, Session, open_session
from seethrough.types import Image

Array = npt.NDArray[np.float64]

WEIGHTS_NAME = "detector"
FILL = (123, 117, 104)
"""RGB of the mean that the network subtracts: what lies outside a picture."""

_STRIDE = 32  # sides of the network's input are multiples of it
_LEVELS = ((8, (16.0, 32.0)), (16, (64.0, 128.0)), (32, (256.0, 512.0)))  # stride, anchor sides
_CENTRE_VARIANCE, _SIZE_VARIANCE = 0.1, 0.2


@dataclass(frozen=True, slots=True, eq=False)
class Candidates:
    """Faces that a network saw, best first after :meth:`distinct`.

    Attributes
    ----------
    scores : ndarray
        ``float64 (N,)``, range [0, 1].
    boxes : ndarray
        ``float64 (N, 4)`` half-open xyxy pixels.
    landmarks : ndarray
        ``float64 (N, 5, 2)`` xy; a pixel's centre is at its index.
    """

    scores: Array
    boxes: Array
    landmarks: Array

    def __len__(self) -> int:
        return len(self.scores)

    def take(self, index: npt.ArrayLike) -> Candidates:
        """Return the candidates at ``index``, an index array or a boolean mask."""
        chosen = np.asarray(index)
        return Candidates(self.scores[chosen], self.boxes[chosen], self.landmarks[chosen])

    def moved(self, factor: float, x: float, y: float) -> Candidates:
        """Return them in a picture ``factor`` times as large, then shifted by ``(x, y)``."""
        return Candidates(
            self.scores,
            self.boxes * factor + (x, y, x, y),
            (self.landmarks + 0.5) * factor - 0.5 + (x, y),
        )

    def distinct(self, overlap: float) -> Candidates:
        """Drop those that overlap a better one by more than ``overlap`` (IoU), sort the rest."""
        order = np.argsort(-self.scores, kind="stable")
        kept = []
        while order.size:
            kept.append(order[0])
            best, order = self.boxes[order[:1]], order[1:]
            order = order[iou(best, self.boxes[order])[0] <= overlap]
        return self.take(np.array(kept, np.intp))

    @staticmethod
    def none() -> Candidates:
        """Return no candidates."""
        return Candidates(np.zeros(0), np.zeros((0, 4)), np.zeros((0, 5, 2)))

    @staticmethod
    def joined(parts: list[Candidates]) -> Candidates:
        """Return the candidates of several lists as one."""
        parts = [Candidates.none(), *parts]
        return Candidates(
            np.concatenate([p.scores for p in parts]),
            np.concatenate([p.boxes for p in parts]),
            np.concatenate([p.landmarks for p in parts]),
        )


def iou(first: Array, second: Array) -> Array:
    """Intersection over union of ``(N, 4)`` with ``(M, 4)`` boxes, ``(N, M)``."""
    low = np.maximum(first[:, None, :2], second[None, :, :2])
    high = np.minimum(first[:, None, 2:], second[None, :, 2:])
    shared = np.prod(np.clip(high - low, 0, None), axis=-1)
    areas = [np.prod(boxes[:, 2:] - boxes[:, :2], axis=-1) for boxes in (first, second)]
    union = areas[0][:, None] + areas[1][None, :] - shared
    return np.asarray(shared / np.maximum(union, 1e-9), np.float64)


class FaceNetwork:
    """The network and its decoding.

    Parameters
    ----------
    device, threads
        As in :func:`seethrough.session.open_session`.
    """

    def __init__(self, device: Device = "auto", threads: int | None = None) -> None:
        self._session: Session = open_session(WEIGHTS_NAME, device=device, threads=threads)

    def __call__(self, pictures: npt.NDArray[np.uint8], threshold: float) -> list[Candidates]:
        """Find faces of 10 to some 500 px in pictures of one size.

        Parameters
        ----------
        pictures : ndarray
            ``uint8 (N, H, W, 3)`` RGB.
        threshold : float
            Candidates that score less are dropped.

        Returns
        -------
        list of Candidates
            One for each picture, overlapping ones included.
        """
        count, height, width = pictures.shape[:3]
        tall, wide = (-(-side // _STRIDE) * _STRIDE for side in (height, width))
        feed = np.empty((count, 3, tall, wide), np.float32)
        feed[:] = np.array(FILL, np.float32)[:, None, None]
        feed[:, :, :height, :width] = pictures.transpose(0, 3, 1, 2)
        scores, boxes, landmarks = self._session.run({"picture": feed})
        anchors = _anchors(tall, wide)
        return [
            _decoded(*answer, anchors, threshold)
            for answer in zip(scores, boxes, landmarks, strict=True)
        ]

    def one(self, picture: Image, threshold: float) -> Candidates:
        """Find faces in one picture, as :meth:`__call__` does."""
        return self(picture[None], threshold)[0]


@lru_cache(maxsize=8)
def _anchors(height: int, width: int) -> Array:
    """Return ``(N, 3)`` anchors, centre x, y (from the picture's edge) and side."""
    parts = []
    for stride, sides in _LEVELS:
        y, x = np.mgrid[: height // stride, : width // stride]
        centre = (np.stack([x, y], axis=-1).reshape(-1, 1, 2) + 0.5) * stride
        centres = np.broadcast_to(centre, (len(centre), len(sides), 2))
        side = np.broadcast_to(np.array(sides)[:, None], (len(centre), len(sides), 1))
        parts.append(np.concatenate([centres, side], axis=-1).reshape(-1, 3))
    anchors = np.concatenate(parts)
    anchors.setflags(write=False)  # every caller gets the same
    return anchors


def _decoded(
    scores: npt.NDArray[np.float32],
    boxes: npt.NDArray[np.float32],
    landmarks: npt.NDArray[np.float32],
    anchors: Array,
    threshold: float,
) -> Candidates:
    chosen = np.flatnonzero(scores >= threshold)
    centre, side = anchors[chosen, :2], anchors[chosen, 2:]
    middle = centre + boxes[chosen, :2] * _CENTRE_VARIANCE * side
    half = side * np.exp(boxes[chosen, 2:].astype(np.float64) * _SIZE_VARIANCE) / 2
    points = landmarks[chosen].reshape(-1, 5, 2) * _CENTRE_VARIANCE * side[:, None]
    return Candidates(
        scores[chosen].astype(np.float64),
        np.concatenate([middle - half, middle + half], axis=1),
        centre[:, None] + points - 0.5,  # from edges to pixel indices
    )
