"""One frame of a film: its samples stay what the decoder gave until they are painted."""

from __future__ import annotations

from fractions import Fraction

import av
import numpy as np

from seethrough.types import Image, Patch
from seethrough.video.pixels import blank, coding_of, planes_of
from seethrough.video.samples import paint_on, part_of, small_of


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
    sample_aspect : Fraction
        A pixel's width over its height.
    """

    def __init__(
        self, coded: av.VideoFrame, index: int, time: Fraction, sample_aspect: Fraction
    ) -> None:
        self.coded = coded
        self.index = index
        self.time = time
        self.shape = (coded.height, coded.width)
        self.sample_aspect = sample_aspect
        self._planes = planes_of(coded)
        self._coding = coding_of(coded)
        self._own = False

    @classmethod
    def of_picture(cls, picture: Image, index: int = 0, time: Fraction = Fraction(0)) -> Frame:
        """Make a frame out of a picture (4:2:0, BT.709, limited range), as tests need."""
        height, width = picture.shape[:2]
        coded = av.VideoFrame(width, height, "yuv420p")
        coded.colorspace, coded.color_range = 1, 1
        frame = cls(coded, index, time, Fraction(1))
        frame.paint(Patch(0, 0, picture, np.ones((height, width), np.bool_)))
        return frame

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
        height, width = self.shape
        aspect = float(self.sample_aspect)
        wide, high = (width, height / aspect) if aspect > 1 else (width * aspect, float(height))
        scale = min(1.0, long_side / max(wide, high))
        size = max(1, round(wide * scale)), max(1, round(high * scale))
        small = (
            self.picture()
            if size == (width, height)
            else small_of(self._planes, self._coding, *size)
        )
        return small, (width / size[0], height / size[1])

    def picture(self) -> Image:
        """Return the whole frame as upright RGB."""
        return self.part(0, 0, self.shape[1], self.shape[0])

    def part(self, x0: int, y0: int, x1: int, y1: int) -> Image:
        """Return a part as RGB, without converting the rest.

        Parameters
        ----------
        x0, y0, x1, y1 : int
            Half-open, inside the frame.
        """
        return part_of(self._planes, self._coding, x0, y0, x1, y1)

    def become(self, picture: Image) -> None:
        """Show a whole picture instead, of any size; the format and the tags stay.

        Parameters
        ----------
        picture : Image
            ``uint8 (H, W, 3)``, upright RGB.
        """
        height, width = picture.shape[:2]
        self.coded = blank(self.coded, width, height)
        self.shape = (height, width)
        self._planes, self._coding = planes_of(self.coded), coding_of(self.coded)
        self._own = True
        self.paint(Patch(0, 0, picture, np.ones((height, width), np.bool_)))

    def paint(self, patch: Patch) -> None:
        """Replace every luma and every chroma sample that a masked pixel touches.

        What hangs over the frame's edge is left away.
        """
        height, width = self.shape
        high, wide = min(patch.mask.shape[0], height - patch.y0), patch.mask.shape[1]
        wide = min(wide, width - patch.x0)
        if high <= 0 or wide <= 0 or not patch.mask[:high, :wide].any():
            return
        if not self._own:
            # The decoder still predicts later frames from this one's samples.
            self.coded.make_writable()
            self._planes = planes_of(self.coded)
            self._own = True
        paint_on(
            self._planes,
            self._coding,
            patch.pixels[:high, :wide],
            patch.mask[:high, :wide],
            patch.x0,
            patch.y0,
        )
