"""Which frame of an original film a frame of its redaction shows.

Frames are paired by their time. Editors drop frames and encoders change the rate, so that times
may drift apart by a few frames; where another frame close by looks clearly more alike, that one is
taken, and the difference in time is carried on.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from typing import TypeVar

import cv2
import numpy as np
import numpy.typing as npt

from seethrough.auditor.pairing import misfit
from seethrough.errors import InputError
from seethrough.tracker.frames import FilmLike, FrameLike

_SIDE = 96  # px: frames are compared at this size
_REACH = 2  # frames to either side of the one that is due
_MOST = 32.0  # levels: larger differences are covers, and count no more
_BETTER = 0.8  # of the due frame's difference: so much more alike is another frame
_CLEARLY = 0.15  # levels, beyond that
_DRIFT = 1.0  # s that times may drift apart
_LONGER = (0.5, 0.02)  # s, and of the duration: by how much two films of one scene may differ

Plane = npt.NDArray[np.float32]
AnyFrame = TypeVar("AnyFrame", bound=FrameLike)


def moments(
    original: Iterable[AnyFrame], redacted: Iterable[AnyFrame]
) -> Iterator[tuple[AnyFrame, AnyFrame]]:
    """Yield every frame of a redacted film with the original's frame that it shows.

    Parameters
    ----------
    original, redacted : iterable of Frame
        Both films from their start; a handful of frames is held at a time.
    """
    ahead = iter(original)
    window: deque[tuple[AnyFrame, float, Plane]] = deque()
    ended = False
    drift = 0.0
    for frame in redacted:
        time = float(frame.time)
        due = time + drift
        small = _small(frame)
        while not ended and sum(1 for _, at, _ in window if at > due) < _REACH:
            following = next(ahead, None)
            if following is None:
                ended = True
            else:
                window.append((following, float(following.time), _small(following)))
        if not window:
            return
        while len(window) > 2 * _REACH + 1 and window[_REACH + 1][1] <= due:
            window.popleft()
        nearest = min(range(len(window)), key=lambda i: abs(window[i][1] - due))
        near = range(max(0, nearest - _REACH), min(len(window), nearest + _REACH + 1))
        unlike = {i: _difference(window[i][2], small) for i in near}
        best = min(near, key=lambda i: (unlike[i], abs(i - nearest)))
        chosen = nearest
        shift = window[best][1] - window[nearest][1]
        if unlike[best] < _BETTER * unlike[nearest] - _CLEARLY and abs(drift + shift) <= _DRIFT:
            chosen = best
            drift += shift
        yield window[chosen][0], frame


def check_alike(original: FilmLike, redacted: FilmLike, names: tuple[str, str]) -> None:
    """Refuse two films that cannot show the same, as their headers say.

    Raises
    ------
    InputError
        Where they are of different shapes or durations.
    """
    first, second = names
    (wide, high), (width, height) = _size(original), _size(redacted)
    unlike = misfit((wide, high), (width, height))
    if unlike is not None:
        raise InputError(
            f"{first} ({wide:.0f} x {high:.0f}) and {second} ({width:.0f} x {height:.0f}) do not "
            f"match: {unlike}",
            "give the redacted film uncropped and unturned, or simulate its cover with --style",
        )
    lengths = [getattr(info, "duration", None) for info in (original, redacted)]
    if None not in lengths:
        check_durations(float(lengths[0] or 0), float(lengths[1] or 0), names)


def check_durations(original: float, redacted: float, names: tuple[str, str]) -> None:
    """Refuse two films of which one is longer.

    Raises
    ------
    InputError
        Where the seconds differ by more than a few dropped frames.
    """
    if abs(original - redacted) > _LONGER[0] + _LONGER[1] * original:
        raise InputError(
            f"{names[0]} ({original:.1f} s) and {names[1]} ({redacted:.1f} s) do not match: "
            "one is longer",
            "give the original of this very film, cut the same way",
        )


def _size(info: FilmLike) -> tuple[float, float]:
    """Width and height with square pixels, as :meth:`seethrough.video.Frame.reduced` makes them."""
    aspect = float(getattr(info, "sample_aspect", 1))
    if aspect > 1:
        return float(info.width), info.height / aspect
    return info.width * aspect, float(info.height)


def _small(frame: FrameLike) -> Plane:
    picture, _ = frame.reduced(_SIDE)
    return np.asarray(cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY), np.float32)


def _difference(a: Plane, b: Plane) -> float:
    if a.shape != b.shape:
        a = np.asarray(cv2.resize(a, b.shape[::-1], interpolation=cv2.INTER_AREA), np.float32)
    return float(np.minimum(np.abs(a - b), _MOST).mean())
