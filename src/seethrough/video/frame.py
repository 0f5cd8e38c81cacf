"""One frame of a film: its samples stay what the decoder gave until they are painted."""

from __future__ import annotations

from fractions import Fraction

from seethrough.types import Image, Patch


class Frame:
    """One frame of a film, upright.

    Attributes
    ----------
    index : int
        0, 1, ... in presentation order.
    time : Fraction
        Seconds from the start of the film, as a player shows it.
    shape : tuple of int
        (height, width) in stored pixels: turned upright; where pixels are not square, not
        stretched.
    """

    index: int
    time: Fraction
    shape: tuple[int, int]

    @classmethod
    def of_picture(cls, picture: Image, index: int = 0, time: Fraction = Fraction(0)) -> Frame:
        """Make a frame out of a picture (4:2:0, BT.709, limited range), for tests."""
        raise NotImplementedError

    def reduced(self, long_side: int) -> tuple[Image, tuple[float, float]]:
        """Return a small copy for detectors, and how to come back from it.

        Parameters
        ----------
        long_side : int
            The longer side has at most so many pixels; nothing is enlarged.

        Returns
        -------
        Image
            Upright RGB with square pixels.
        tuple of float
            (fx, fy): ``x_frame = (x + 0.5) * fx - 0.5``.
        """
        raise NotImplementedError

    def picture(self) -> Image:
        """Return the whole frame as upright RGB."""
        raise NotImplementedError

    def part(self, x0: int, y0: int, x1: int, y1: int) -> Image:
        """Return a part as RGB, without converting the rest.

        Parameters
        ----------
        x0, y0, x1, y1 : int
            Half-open, inside the frame.
        """
        raise NotImplementedError

    def paint(self, patch: Patch) -> None:
        """Replace every luma and every chroma sample that a masked pixel touches."""
        raise NotImplementedError
