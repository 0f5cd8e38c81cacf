"""People who do not exist: more faces for the attackers to learn from than the sets have.

A reader that has seen each of 15,000 faces a dozen times knows them by heart and reads strangers no
better. Two aligned faces laid over one another, stretched a little and tinted are a third one, of
whom the recogniser says who it would be; under a cover strong enough to hide a person, nobody sees
that it was made of two.
"""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

from training.data import SIZE

SEED = 1
"""Of the faces that :mod:`training.describe` describes."""


class VirtualFaces:
    """Number to a face; the same number is the same face for ever.

    Parameters
    ----------
    faces : ndarray
        ``uint8 (N, 128, 128, 3)``, aligned.
    seed : int
        With the number, the source of every choice.
    """

    STRETCH = 0.05
    """Standard deviation of the logarithm of what width and height are multiplied by."""
    TINT = 0.08
    """The same for each channel's strength."""

    def __init__(self, faces: npt.NDArray[np.uint8], seed: int = SEED) -> None:
        self.faces, self.seed = faces, seed

    def __getitem__(self, number: int) -> npt.NDArray[np.uint8]:
        rng = np.random.default_rng([self.seed, 1, number])
        share = rng.uniform(0.3, 0.7)
        one, other = (self._parent(rng) for _ in range(2))
        both = share * one + (1 - share) * other
        x, y = np.exp(rng.normal(0, self.STRETCH, 2))
        centre = SIZE / 2 - 0.5
        matrix = np.array([[x, 0, centre * (1 - x)], [0, y, centre * (1 - y)]])
        both = cv2.warpAffine(
            both, matrix, (SIZE, SIZE), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT_101
        )
        tint = np.exp(rng.normal(0, self.TINT) + rng.normal(0, self.TINT / 2, 3))
        return np.asarray(np.clip(both * tint + 0.5, 0, 255), np.uint8)

    def _parent(self, rng: np.random.Generator) -> npt.NDArray[np.float32]:
        face = self.faces[rng.integers(len(self.faces))]
        if rng.random() < 0.5:
            face = face[:, ::-1]
        return np.asarray(face, np.float32)
