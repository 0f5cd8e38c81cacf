"""The aligner network: a covered face, roughly aligned, is brought onto the template.

Under a mosaic or a blur a detector's landmarks are off by several pixels of the crop. The aligner
was trained to tell by how far from crops like these (``training/alignment.py``).
"""

from __future__ import annotations

from contextlib import suppress

import numpy as np
import numpy.typing as npt

from seethrough import geometry
from seethrough.errors import UsageError
from seethrough.face_network import Candidates
from seethrough.session import Device, Session, open_session
from seethrough.types import Image

WEIGHTS_NAME = "aligner"
SIZE = 64
"""Side in pixels of the crop that the network sees."""

_CENTRE = np.array([0.5, 0.6])  # shares of the side: about which it turns and scales
_PASSES = 2  # the second sees what the first left


class FaceAligner:
    """Corrects where covered faces lie.

    Parameters
    ----------
    device, threads
        As in :func:`seethrough.session.open_session`.
    """

    def __init__(self, device: Device = "auto", threads: int | None = None) -> None:
        self._session: Session = open_session(WEIGHTS_NAME, device=device, threads=threads)

    def __call__(self, picture: Image, faces: Candidates) -> Candidates:
        """Move, turn and scale the landmarks and boxes of covered faces.

        Parameters
        ----------
        picture : Image
            ``uint8 (H, W, 3)`` RGB.
        faces : Candidates
            As a detector found them. A face whose five points cannot be one stays as it is.

        Returns
        -------
        Candidates
            In the same order, scores unchanged.
        """
        boxes, landmarks = faces.boxes.copy(), faces.landmarks.copy()
        first: dict[int, geometry.Matrix] = {}
        for index, points in enumerate(faces.landmarks):
            with suppress(UsageError):
                first[index] = geometry.similarity(points, SIZE)
        matrices = list(first.values())
        for _ in range(_PASSES if matrices else 0):
            crops = np.stack([geometry.crop(picture, matrix, SIZE) for matrix in matrices])
            moves = self._corrections(crops)
            matrices = [_joined(m, matrix) for m, matrix in zip(moves, matrices, strict=True)]
        for (index, before), after in zip(first.items(), matrices, strict=True):
            move = _joined(geometry.invert(after), before)
            landmarks[index] = geometry.transform(move, landmarks[index])
            corners = boxes[index].reshape(2, 2)
            centre = geometry.transform(move, corners.mean(axis=0) - 0.5) + 0.5
            half = (corners[1] - corners[0]) / 2 * geometry.scale_of(move)
            boxes[index] = *(centre - half), *(centre + half)
        return Candidates(faces.scores, boxes, landmarks)

    def _corrections(self, crops: Image) -> list[geometry.Matrix]:
        """Return the maps from ``(N, 64, 64, 3)`` crops to where their pixels belong.

        Mirrored crops count as well.
        """
        both = np.concatenate([crops, crops[:, :, ::-1]]).transpose(0, 3, 1, 2)
        (answers,) = self._session.run({"crop": both.astype(np.float32) / np.float32(255)})
        plain, mirrored = np.split(answers, 2)
        maps: list[geometry.Matrix] = []
        for a, b, x, y in (plain + mirrored * (1, -1, -1, 1)) / 2:
            linear = np.array([[1 + a, -b], [b, 1 + a]], np.float64)
            centre = _CENTRE * SIZE - 0.5
            shift = SIZE * np.array([x, y], np.float64)
            maps.append(np.column_stack([linear, centre - linear @ centre + shift]))
        return maps


def _joined(after: geometry.Matrix, first: geometry.Matrix) -> npt.NDArray[np.float64]:
    """Return the map that does one thing after another."""
    return np.column_stack([after[:, :2] @ first[:, :2], geometry.transform(after, first[:, 2])])
