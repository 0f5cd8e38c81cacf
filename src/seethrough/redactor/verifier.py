"""Does a redacted file still show what should be covered? Asked of what came out of the encoder."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Literal, TypeAlias

from seethrough.redactor.source import Sighting, Source, StillPicture
from seethrough.redactor.style import Style
from seethrough.session import Device
from seethrough.types import Box, Image

What: TypeAlias = Literal["face", "structure", "bare"]


@dataclass(frozen=True, slots=True)
class Finding:
    """Something that still shows.

    Attributes
    ----------
    frame : int
        Counted from 0.
    time : Fraction
        Seconds from the start of the film.
    box : Box
        Where, in upright stored pixels.
    what : str
        ``face``: a second detector, which the tracker does not use, finds a face that should be
        covered. ``structure``: inside the cover the original's structure shows. ``bare``: part of
        a face's oval was not painted as the style says.
    track : int or None
        Which face, where known.
    """

    frame: int
    time: Fraction
    box: Box
    what: What
    track: int | None

    @property
    def words(self) -> str:
        """What was found, as a sentence without its full stop."""
        return {
            "face": "a detector still finds a face here",
            "structure": "the original shows through the cover",
            "bare": "part of the face is not covered",
        }[self.what]


class Verifier:
    """Checks the decoded output of one film against its original, frame by frame.

    Parameters
    ----------
    style : Style
        With which the output was made. Of the unsafe ones only ``bare`` is asked: by their nature
        they leave faces and structure.
    shape : (int, int)
        Height and width of the frames in upright, stored pixels.
    sample_aspect : float
        Width of a stored pixel in its heights.
    every : int
        The second detector looks at every n-th frame; the other checks at all.
    device, threads
        As in :func:`seethrough.session.open_session`.
    """

    def __init__(
        self,
        style: Style,
        shape: tuple[int, int],
        sample_aspect: float = 1.0,
        every: int = 1,
        device: Device = "auto",
        threads: int | None = None,
    ) -> None:
        self.style = style

    def look(
        self,
        frame: int,
        time: Fraction,
        original: Source,
        output: Source,
        sightings: Sequence[Sighting],
    ) -> tuple[Finding, ...]:
        """Look at one frame.

        Parameters
        ----------
        frame, time
            For the findings: number from 0, and seconds.
        original, output : Source
            The frame before it was covered, and as decoded from the redacted file.
        sightings : sequence of Sighting
            The faces that were to be covered in it.
        """
        return ()


def verify_picture(
    original: Image,
    output: Image,
    sightings: Sequence[Sighting],
    style: Style,
    device: Device = "auto",
    threads: int | None = None,
) -> tuple[Finding, ...]:
    """Look at a photo, as decoded from its redacted file; it counts as frame 0 of a film."""
    shape = (original.shape[0], original.shape[1])
    verifier = Verifier(style, shape, device=device, threads=threads)
    return verifier.look(0, Fraction(0), StillPicture(original), StillPicture(output), sightings)
