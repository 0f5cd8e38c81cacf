"""Faces that were never followed: the second detector looks at the whole picture.

What follows faces may have overlooked one, and every other question of verification is asked of
faces that it knows.
"""

from __future__ import annotations

from collections.abc import Sequence

from seethrough.redactor.region import Region
from seethrough.redactor.second_detector import THRESHOLD, SecondDetector
from seethrough.redactor.source import Sighting, Source
from seethrough.types import Box

SURE = 0.6
"""Score that a face must have in the original, seen from near. Clean faces score more than 0.7."""

_KNOWN = 0.3  # share of a face that lies on one that is known: it is that one


def faces_elsewhere(
    detector: SecondDetector,
    original: Source,
    output: Source,
    known: Sequence[Sighting],
    covers: Sequence[Region],
    sample_aspect: float = 1.0,
    *,
    small: bool = False,
) -> list[Box]:
    """Return faces that show in an output, were there in the original, and are nobody's known.

    Parameters
    ----------
    detector : SecondDetector
        Of another kind than the one that found the known faces.
    original, output : Source
        The picture before it was covered, and as decoded from the redacted file.
    known : sequence of Sighting
        Every face that is known in it, those included that are left uncovered on purpose.
    covers : sequence of Region
        What was covered: a cover that looks like a face is none.
    sample_aspect : float
        Width of a stored pixel in its heights.
    small : bool
        Look for the smallest faces of large pictures, too, as :meth:`SecondDetector.find` does.

    Returns
    -------
    list of Box
        Tight faces in upright, stored pixels.
    """
    places = [
        place
        for place, _ in detector.find(output, small=small)
        if not any(place.intersection(one.box) > _KNOWN * place.area for one in known)
        and not any(_covers(cover, place) for cover in covers)
    ]
    if not places:
        return []
    there = detector.scores(original, places, sample_aspect)
    still = detector.scores(output, places, sample_aspect)
    return [
        place
        for place, before, after in zip(places, there, still, strict=True)
        if before >= SURE and after >= THRESHOLD
    ]


def _covers(cover: Region, place: Box) -> bool:
    """Tell whether the middle of a place is covered."""
    x, y = (int(value) for value in place.centre)
    row, column = y - cover.y0, x - cover.x0
    height, width = cover.mask.shape
    return 0 <= row < height and 0 <= column < width and bool(cover.mask[row, column])
