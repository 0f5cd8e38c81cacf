"""Turn courses that have ended into tracks: fill gaps, grow, smooth, simplify, number, doubt."""

from __future__ import annotations

from array import array
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
import numpy.typing as npt

from seethrough.errors import VerificationError
from seethrough.tracker.frames import FilmLike, FrameLike
from seethrough.tracker.hidden import at_border, whole
from seethrough.tracker.live import Live
from seethrough.tracker.options import TrackOptions
from seethrough.tracker.smoothing import Array, distances_to_known, keyframes, smoothed
from seethrough.tracker.tracks import (
    HOWS,
    USUAL_LANDMARKS,
    Keyframe,
    Track,
    Tracks,
    UnsureSpan,
    absolute,
    relative,
)
from seethrough.types import Box

_DETECTED, _FOLLOWED, _HELD = (HOWS.index(how) for how in ("detected", "followed", "held"))
# Growth as a share of the size: at once, and with each second since it was seen.
_GROWTH_HELD = (0.25, 1.2)
_GROWTH_FOLLOWED = (0.1, 1.0)
_GROWTH_MOST = 1.2
_BRIEFLY = 5  # frames
_FEW, _WEAK = 2, 0.75  # detections so few, none better than this, are no face
_LONG = 0.5  # seconds that a face may be followed before a person should look
_LOW = 0.5  # mean score over a second
_SMALL = 14.0  # px of the film
_LEAST = 1.0  # px: sides of a box


@dataclass(frozen=True, slots=True, eq=False)
class _Ended:
    """A finished track before it has its number; unsure spans in frames."""

    track: Track
    unsure: tuple[tuple[int, int, str], ...]
    lost: tuple[tuple[int, int], ...]


class Finisher:
    """Collects the tracks of a film.

    Parameters
    ----------
    info : FilmInfo
        Its rate.
    options : TrackOptions
        What to do where a face is lost.
    """

    def __init__(self, info: FilmLike, options: TrackOptions) -> None:
        self._rate = info.rate if info.rate > 0 else Fraction(25)
        self._options = options
        self._times = array("d")
        self._ended: list[_Ended] = []
        self._dropped: list[tuple[int, int, str]] = []
        self._shape = (0, 0)
        self._small = (0, 0)
        self._factors = (1.0, 1.0)

    def take(self, frame: FrameLike, factors: tuple[float, float], small: tuple[int, ...]) -> None:
        """Note a frame's time and how it was reduced."""
        self._times.append(float(frame.time))
        self._shape, self._factors, self._small = frame.shape, factors, (small[0], small[1])

    def close(self, live: Live) -> None:
        """Take a track that has ended."""
        rows = live.course.rows().astype(np.float64)
        first = live.course.first
        if live.hits <= _FEW and live.best < _WEAK:
            reason = f"seen {live.hits} times, never more than {live.best:.2f} sure: not covered"
            self._dropped.append((first, live.course.last, reason))
            return
        how = rows[:, 15].astype(np.int64)
        unsure = self._doubts(rows, how, first, live)
        lost = _runs(how == _HELD)
        values = whole(rows[:, :14], rows[:, 14], how == _DETECTED)
        values = at_border(_filled(values, how), self._small)
        values = self._smooth(values, how)
        values = _either_way(self._grown(values, how), how)
        if self._options.on_lost == "cover-frame":
            values[how == _HELD] = self._everything()
        values = self._in_film(values)
        self._ended.append(
            _Ended(
                _track(first, values, rows[:, 14], how),
                tuple(unsure),
                tuple((first + begin, first + end) for begin, end in lost),
            )
        )

    def finish(self, refused: Sequence[tuple[int, float]] = ()) -> Tracks:
        """Return all tracks, numbered.

        Parameters
        ----------
        refused : sequence of (int, float)
            Frames and scores of detections that were taken for no face.

        Raises
        ------
        VerificationError
            Where a face was lost and the options say ``stop``.
        """
        ordered = sorted(self._ended, key=lambda e: (e.track.first, e.track.keyframes[0].box.x0))
        if self._options.on_lost == "stop":
            self._stop(ordered)
        spans = [
            self._span(number, *span)
            for number, ended in enumerate(ordered, 1)
            for span in ended.unsure
        ]
        spans += [
            self._span(None, *span) for span in (*self._dropped, *_spans(refused, self._rate))
        ]
        height, width = self._shape
        return Tracks(
            width,
            height,
            self._rate,
            len(self._times),
            tuple(ended.track.renumbered(number) for number, ended in enumerate(ordered, 1)),
            tuple(sorted(spans, key=lambda span: (span.first, span.track or 0))),
        )

    def _stop(self, ordered: list[_Ended]) -> None:
        times = [
            f"face {number} at {self._time(begin):.2f}-{self._time(end):.2f} s"
            for number, ended in enumerate(ordered, 1)
            for begin, end in ended.lost
        ]
        if times:
            raise VerificationError(
                f"{'a face is' if len(times) == 1 else 'faces are'} lost: {', '.join(times)}",
                "add these times to tracks.json by hand, or use --on-lost hold or cover-frame",
            )

    def _span(self, number: int | None, first: int, last: int, reason: str) -> UnsureSpan:
        return UnsureSpan(number, first, last, self._time(first), self._time(last), reason)

    def _time(self, frame: int) -> float:
        """Return when a frame is shown; the end of the last one where it lies behind it."""
        if frame < len(self._times):
            return self._times[frame]
        return self._times[-1] + float(1 / self._rate)

    def _doubts(
        self, rows: Array, how: npt.NDArray[np.int64], first: int, live: Live
    ) -> list[tuple[int, int, str]]:
        """List what a person should look at."""
        rate = float(self._rate)
        found = [
            (begin, end, "not seen: its box is held and grown")
            for begin, end in _runs(how == _HELD)
        ]
        found += [
            (begin, end, "not seen: followed by motion")
            for begin, end in _runs(how == _FOLLOWED)
            if end - begin > _LONG * rate
        ]
        window = max(round(rate), 1)
        weights = np.ones(min(window, len(rows)))
        mean = np.convolve(rows[:, 14], weights, "same") / np.convolve(
            np.ones(len(rows)), weights, "same"
        )
        found += [
            (begin, end, "low score")
            for begin, end in _runs((mean < _LOW) & (how == _DETECTED), window)
        ]
        sides = np.sqrt(np.prod(rows[:, 2:4] - rows[:, :2], axis=1)) * self._factors[0]
        found += [(begin, end, "a small face") for begin, end in _runs(sides < _SMALL, window)]
        crossed = np.zeros(len(rows), bool)
        crossed[[f - first for f in live.crossed if 0 <= f - first < len(rows)]] = True
        found += [
            (begin, end, "another face overlaps: numbers may be exchanged")
            for begin, end in _runs(crossed, window)
        ]
        return [(first + begin, first + end, reason) for begin, end, reason in found]

    def _smooth(self, values: Array, how: npt.NDArray[np.int64]) -> Array:
        result = values.copy()
        for begin, end in _runs(how != _HELD):
            result[begin:end] = smoothed(values[begin:end])
        return result

    def _grown(self, values: Array, how: npt.NDArray[np.int64]) -> Array:
        """Let boxes grow with the time since the face was seen."""
        away = distances_to_known(how == _DETECTED) / float(self._rate)
        followed = _GROWTH_FOLLOWED[0] + _GROWTH_FOLLOWED[1] * away
        growth = np.where(how == _FOLLOWED, followed, 0.0)
        held = _GROWTH_HELD[0] + _GROWTH_HELD[1] * away
        growth = np.minimum(np.where(how == _HELD, held, growth), _GROWTH_MOST)
        size = values[:, 2:4] - values[:, :2]
        margin = size * growth[:, None] / 2
        result = values.copy()
        result[:, :2] -= margin
        result[:, 2:4] += margin
        return result

    def _everything(self) -> Array:
        """Return a face as large as the frame, whose head certainly covers all of it."""
        height, width = self._small
        box = np.array([0.0, 0.0, width, height])
        return np.concatenate([box, absolute(box, USUAL_LANDMARKS).ravel()])

    def _in_film(self, values: Array) -> Array:
        """Take rows from pixels of the reduced frame to those of the film."""
        factors = np.array(self._factors)
        result = values.copy()
        result[:, :4] *= np.tile(factors, 2)
        result[:, 4:] = (values[:, 4:] + 0.5) * np.tile(factors, 5) - 0.5
        middle = (result[:, :2] + result[:, 2:4]) / 2
        half = np.maximum((result[:, 2:4] - result[:, :2]) / 2, _LEAST / 2)
        result[:, :2], result[:, 2:4] = middle - half, middle + half
        return result


def _filled(values: Array, how: npt.NDArray[np.int64]) -> Array:
    """Draw straight lines through gaps in which a face was held; the ends are left as they are."""
    result = values.copy()
    for begin, end in _runs(how == _HELD):
        if begin > 0 and end < len(values):
            share = np.arange(1, end - begin + 1)[:, None] / (end - begin + 1)
            result[begin:end] = values[begin - 1] + share * (values[end] - values[begin - 1])
    return result


def _either_way(values: Array, how: npt.NDArray[np.int64]) -> Array:
    """Where a face has just been lost, or is about to be seen, cover where it was seen too.

    It may have moved on, as is assumed, or have turned back.
    """
    result = values.copy()
    for begin, end in _runs(how != _DETECTED):
        for row in range(begin, end):
            for seen in (begin - 1, end):
                if 0 <= seen < len(values) and abs(row - seen) <= _BRIEFLY:
                    result[row, :2] = np.minimum(result[row, :2], values[seen, :2])
                    result[row, 2:4] = np.maximum(result[row, 2:4], values[seen, 2:4])
    return result


def _track(first: int, values: Array, scores: Array, how: npt.NDArray[np.int64]) -> Track:
    sizes = np.sqrt(np.prod(values[:, 2:4] - values[:, :2], axis=1))
    change = np.diff(how) != 0
    forced = np.concatenate([[True], change]) | np.concatenate([change, [True]])
    chosen = keyframes(values, sizes, forced)
    points = relative(values[:, :4], values[:, 4:].reshape(-1, 5, 2))
    return Track(
        1,
        [
            Keyframe(
                first + index,
                Box(*values[index, :4].tolist()),
                points[index],
                float(np.clip(scores[index], 0, 1)),
                HOWS[how[index]],
            )
            for index in chosen
        ],
    )


def _spans(refused: Sequence[tuple[int, float]], rate: Fraction) -> list[tuple[int, int, str]]:
    """Join refused detections that are less than a second apart."""
    found: list[tuple[int, int, float]] = []
    for frame, score in refused:
        if found and frame - found[-1][1] <= rate:
            first, _, best = found.pop()
            found.append((first, frame + 1, max(best, score)))
        else:
            found.append((frame, frame + 1, score))
    return [
        (first, last, f"something seen, {best:.2f} sure: taken for no face, not covered")
        for first, last, best in found
    ]


def _runs(mask: npt.NDArray[np.bool_], join: int = 0) -> list[tuple[int, int]]:
    """Return where ``mask`` is true, as half-open spans; those nearer than ``join`` are one."""
    edges = np.diff(np.concatenate([[0], mask.astype(np.int8), [0]]))
    found: list[tuple[int, int]] = []
    for begin, end in zip(
        np.flatnonzero(edges > 0).tolist(), np.flatnonzero(edges < 0).tolist(), strict=True
    ):
        if found and begin - found[-1][1] < join:
            found[-1] = (found[-1][0], end)
        else:
            found.append((begin, end))
    return found
