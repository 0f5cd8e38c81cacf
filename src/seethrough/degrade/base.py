"""What every operator is: a frozen dataclass that is called on a picture."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

from seethrough.errors import UsageError
from seethrough.types import Image

Float = npt.NDArray[np.float32]


def to_float(picture: Image) -> Float:
    """Bring 8-bit levels to float32 on [0, 1]."""
    return picture.astype(np.float32) / np.float32(255)


def to_uint8(picture: Float) -> Image:
    """Round float32 on [0, 1] half up to 8 bit, clipping."""
    levels = np.floor(np.clip(picture, 0, 1) * np.float32(255) + np.float32(0.5))
    return np.asarray(levels, np.uint8)


def check(condition: bool, what: str, remedy: str) -> None:
    """Refuse an operator that makes no sense."""
    if not condition:
        raise UsageError(what, remedy)


@dataclass(frozen=True)
class Degradation:
    """Base of every operator.

    Calling an operator takes and returns an :data:`~seethrough.types.Image`; ``apply`` does the
    same on float32, unrounded, so that chains round only once.
    """

    random: ClassVar[bool] = False
    """Whether the operator draws random numbers and therefore needs a generator."""
    lengths: ClassVar[tuple[str, ...]] = ()
    """Names of the fields that are lengths in pixels."""

    def apply(self, picture: Float, rng: np.random.Generator | None = None) -> Float:
        """Degrade ``float32 (H, W, 3)`` on [0, 1]; the result is not rounded or clipped."""
        raise NotImplementedError

    def __call__(self, picture: Image, rng: np.random.Generator | None = None) -> Image:
        """Degrade a picture.

        Parameters
        ----------
        picture : Image
            ``uint8 (H, W, 3)``.
        rng : numpy.random.Generator, optional
            Needed by the random operators (``MotionPath``, ``Noise`` and chains of them).

        Returns
        -------
        Image
            ``uint8``; of the same size but for ``Downscale``.

        Raises
        ------
        UsageError
            If the operator is random and no generator is given.
        """
        check(
            rng is not None or not self.random,
            f"{type(self).__name__} draws random numbers",
            "pass a numpy.random.Generator",
        )
        return to_uint8(self.apply(to_float(picture), rng))


def float32(picture: Any) -> Float:
    """Type what OpenCV returned; it keeps float32 and the shape."""
    return np.asarray(picture, np.float32)


def pair(value: float | tuple[float, float]) -> tuple[float, float]:
    """One number for both axes, or one for each."""
    return value if isinstance(value, tuple) else (value, value)
