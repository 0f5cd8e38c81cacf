"""Scene cuts: where a film jumps from one shot to another.

The measure is that of PySceneDetect's ContentDetector (mean change of hue, saturation and value).
That package asks for a build of OpenCV that must not stand beside the headless one, so its few
lines are repeated here.
"""

from __future__ import annotations

from collections import deque

import cv2
import numpy as np
import numpy.typing as npt

from seethrough.types import Image

_THUMBNAIL = (64, 36)  # pixels: small motion should not count
_CHANGE = 27.0  # ContentDetector's threshold, in levels
_SPIKE = 3.0  # times the change of the frames before: fast motion is no cut


class CutFinder:
    """Tells, frame by frame, whether a new shot begins."""

    def __init__(self) -> None:
        self._last: npt.NDArray[np.int16] | None = None
        self._changes: deque[float] = deque(maxlen=4)

    def __call__(self, picture: Image) -> bool:
        """Return whether ``picture`` begins a new shot; the first one of a film does not."""
        thumbnail = cv2.resize(picture, _THUMBNAIL, interpolation=cv2.INTER_AREA)
        hsv = np.asarray(cv2.cvtColor(thumbnail, cv2.COLOR_RGB2HSV), np.int16)
        last, self._last = self._last, hsv
        if last is None:
            return False
        change = float(np.abs(hsv - last).mean())
        before = max(self._changes, default=0.0)
        self._changes.append(change)
        cut = change > _CHANGE and change > _SPIKE * before
        if cut:
            self._changes.clear()
        return cut
