"""Which faces a redaction covers: those found, or of a file, fewer by choice and more by hand."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from fractions import Fraction

from seethrough.errors import UsageError
from seethrough.pipeline.placing import check_box
from seethrough.pipeline.redact_options import RedactOptions
from seethrough.pipeline.redact_report import NOT_CHOSEN, FaceTrack
from seethrough.tracker import Keyframe, Sighting, Track, Tracks
from seethrough.tracker.tracks import USUAL_LANDMARKS
from seethrough.types import Box, Region


@dataclass(frozen=True, eq=False)
class Choice:
    """The faces of one input, and which of them to cover.

    Attributes
    ----------
    known : Tracks
        All of them; faces placed by hand come last.
    covered : Tracks
        Those to cover.
    options : RedactOptions
        They limit the time.
    """

    known: Tracks
    covered: Tracks
    options: RedactOptions

    def at(self, frame: int, time: Fraction) -> tuple[Sighting, ...]:
        """Return what to cover in a frame."""
        return self.covered.at(frame) if self.options.lasts(time) else ()

    def faces(self, times: Sequence[Fraction] | None = None) -> tuple[FaceTrack, ...]:
        """Describe every face.

        Parameters
        ----------
        times : sequence of Fraction, optional
            Of every frame of a film, and of its end; absent for a photo.
        """
        chosen = {track.number for track in self.covered.tracks}
        found = []
        for track in self.known.tracks:
            seen = track.at(track.first)
            assert seen is not None
            done = track.number in chosen
            if times is not None:
                frames = range(track.first, track.last)
                done = done and any(self.options.lasts(times[frame]) for frame in frames)
            region = Region(
                "face",
                seen.box,
                seen.landmarks,
                seen.score,
                "done" if done else "skipped",
                None if done else NOT_CHOSEN,
                None,
                None,
                0.0,
            )
            face = FaceTrack(track.number, region, track.first, track.last)
            if times is not None:
                face = replace(face, from_=float(times[track.first]), to=float(times[track.last]))
            found.append(face)
        return tuple(found)


def choose(found: Tracks, options: RedactOptions) -> Choice:
    """Apply ``only``, ``keep`` and ``box`` to the faces of one input.

    Raises
    ------
    UsageError
        Where a number is no face's, or a box lies outside the picture or is far larger.
    """
    chosen = found
    if options.only:
        chosen = found.only(options.only)
    elif options.keep:
        chosen = found.without(options.keep)
    first = max((track.number for track in found.tracks), default=0) + 1
    placed = tuple(_placed(number, box, found) for number, box in enumerate(options.box, first))
    return Choice(
        replace(found, tracks=(*found.tracks, *placed)),
        replace(chosen, tracks=(*chosen.tracks, *placed)),
        options,
    )


def _placed(number: int, box: Box, found: Tracks) -> Track:
    """Return a face that a person placed; in a film it stays there from start to end."""
    check_box(box, found.width, found.height)
    if not box.intersection(Box(0, 0, found.width, found.height)):
        x0, y0, x1, y1 = box.as_tuple()
        raise UsageError(
            f"the box {x0:g},{y0:g},{x1:g},{y1:g} lies outside the picture, "
            f"which has {found.width} x {found.height} pixels",
            "give upright pixels, counted from the top left corner",
        )
    frames = sorted({0, found.frames - 1})
    return Track(number, [Keyframe(f, box, USUAL_LANDMARKS, 1.0, "edited") for f in frames])
