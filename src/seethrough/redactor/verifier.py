"""Does a redacted file still show what should be covered? Asked of what came out of the encoder.

Three questions for each face, in every frame. Is all of its oval painted, and does the output look
there as it was painted? Has the inside of its cover structure of the original? Does a detector
that the tracker does not use see a face there, as it did in the original? And one question for the
whole picture: does that detector see a face that nobody has followed?
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Literal, TypeAlias

import cv2
import numpy as np
import numpy.typing as npt

from seethrough.errors import UsageError
from seethrough.redactor import region, structure
from seethrough.redactor.coverer import Coverer
from seethrough.redactor.elsewhere import faces_elsewhere
from seethrough.redactor.region import Region
from seethrough.redactor.second_detector import THRESHOLD, SecondDetector
from seethrough.redactor.source import Sighting, Source, StillPicture
from seethrough.redactor.style import Style
from seethrough.session import Device
from seethrough.types import Box, Image, Patch

What: TypeAlias = Literal["face", "structure", "bare", "missed"]

_OFF = 40  # levels by which a pixel may differ from what was painted, after a codec
_RINGS = 3  # pixels inside the border of a cover whose looks a codec decides
_FEW = 0.02  # share of an oval that may differ by more
_ALMOST = 0.6 * THRESHOLD  # score of a cover that a codec may lift over the threshold

_WORDS: dict[What, str] = {
    "face": "a detector still finds a face here",
    "structure": "the original shows through the cover",
    "bare": "part of the face is not covered",
    "missed": "a second detector finds a face that was not found before",
}


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
        The face, in upright, stored pixels.
    what : str
        ``face``: a second detector finds it. ``structure``: inside the cover the original's
        structure shows. ``bare``: part of its oval was not painted, or does not look so.
        ``missed``: the second detector finds a face that is not among the known ones.
    track : int or None
        Which face; ``None`` for one that was missed.
    """

    frame: int
    time: Fraction
    box: Box
    what: What
    track: int | None

    @property
    def words(self) -> str:
        """What was found, as a sentence without its full stop."""
        return _WORDS[self.what]


class _Painted:
    """A picture under its patches, before any codec."""

    def __init__(self, source: Source, patches: Sequence[Patch]) -> None:
        self._source, self._patches = source, patches

    @property
    def shape(self) -> tuple[int, int]:
        return self._source.shape

    def part(self, x0: int, y0: int, x1: int, y1: int) -> Image:
        result = np.array(self._source.part(x0, y0, x1, y1))
        for patch in self._patches:
            height, width = patch.mask.shape
            left, top = max(patch.x0, x0), max(patch.y0, y0)
            right, bottom = min(patch.x0 + width, x1), min(patch.y0 + height, y1)
            if left >= right or top >= bottom:
                continue
            there = np.s_[top - patch.y0 : bottom - patch.y0, left - patch.x0 : right - patch.x0]
            here = result[top - y0 : bottom - y0, left - x0 : right - x0]
            here[patch.mask[there]] = patch.pixels[there][patch.mask[there]]
        return result

    def picture(self) -> Image:
        return self.part(0, 0, self.shape[1], self.shape[0])

    def reduced(self, long_side: int) -> tuple[Image, tuple[float, float]]:
        return StillPicture(self.picture()).reduced(long_side)


class Verifier:
    """Checks the decoded output of one film against its original, frame by frame.

    Memory does not grow with the film.

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
        The second detector looks at every n-th frame; the other questions are asked of all.
    device, threads
        As in :func:`seethrough.session.open_session`.

    Raises
    ------
    UsageError
        Where ``every`` is less than 1.
    MissingPartError
        Where weights or the device are missing.

    Notes
    -----
    Frames are to come in order, each once: covers that are smoothed in time are made again from
    the original, to know what should be there.
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
        if every < 1:
            raise UsageError(f"a look at every {every} frames", "give 1 or more")
        self._style = style
        self._aspect = float(sample_aspect)
        self._every = every
        # An outline is black where heads are, whatever it is elsewhere.
        painted = replace(style, name="solid") if style.name == "silhouette" else style
        self._coverer = Coverer(painted, shape, sample_aspect, device, threads)
        self._second = SecondDetector(device, threads)

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

        Returns
        -------
        tuple of Finding
            At most one of each kind for a face.
        """
        if not sightings:
            return ()
        patches = self._coverer.patches(original, sightings)
        covers = self._coverer.regions(sightings)
        found: list[tuple[What, Sighting]] = []
        suspects = []
        for sighting in sightings:
            must = self._must(sighting, output.shape)
            if must is None:  # outside the picture
                continue
            suspects.append(sighting)
            if _bare(output, must, patches):
                found.append(("bare", sighting))
            if self._style.safe and any(
                _shows(original, output, cover) for cover in covers if _touches(cover, must)
            ):
                found.append(("structure", sighting))
        if self._style.safe and frame % self._every == 0:
            seen = self._seen(original, output, _Painted(original, patches), suspects)
            found += [("face", sighting) for sighting in seen]
        return tuple(Finding(frame, time, s.box, what, s.track) for what, s in found)

    def look_elsewhere(
        self,
        frame: int,
        time: Fraction,
        original: Source,
        output: Source,
        covered: Sequence[Sighting],
        left: Sequence[Sighting] = (),
        *,
        small: bool = False,
    ) -> tuple[Finding, ...]:
        """Look at a whole frame for faces that were missed, whatever the style.

        Parameters
        ----------
        frame, time, original, output
            As for :meth:`look`.
        covered : sequence of Sighting
            The faces that were to be covered in it.
        left : sequence of Sighting
            Those that were to be left as they are.
        small : bool
            Look for the smallest faces of large pictures, too, which takes time.

        Returns
        -------
        tuple of Finding
            One for each face.
        """
        known, covers = (*covered, *left), self._coverer.regions(covered)
        places = faces_elsewhere(
            self._second, original, output, known, covers, self._aspect, small=small
        )
        return tuple(Finding(frame, time, place, "missed", None) for place in places)

    def _must(self, sighting: Sighting, shape: tuple[int, int]) -> Region | None:
        """Return what has to be covered: the oval of the face, or where the bar goes."""
        if self._style.name == "eye-bar":
            return region.eye_bar(sighting, shape, self._aspect, self._style.grow)
        return region.oval(sighting, shape)

    def _seen(
        self,
        original: Source,
        output: Source,
        painted: _Painted,
        sightings: Sequence[Sighting],
    ) -> list[Sighting]:
        """Return the faces that the second detector sees in the output as in the original.

        Where it takes the cover itself for a face, as a soft blur with a head's tone may be, it can
        say nothing; that the output looks as painted is asked by other means.
        """
        suspects = self._faces(output, sightings)
        suspects = self._faces(original, suspects)
        taken = {id(sighting) for sighting in self._faces(painted, suspects, _ALMOST)}
        return [sighting for sighting in suspects if id(sighting) not in taken]

    def _faces(
        self, source: Source, sightings: Sequence[Sighting], least: float = THRESHOLD
    ) -> list[Sighting]:
        """Return those that the second detector sees in a picture."""
        places = [sighting.box for sighting in sightings]
        scores = self._second.scores(source, places, self._aspect)
        return [s for s, score in zip(sightings, scores, strict=True) if score >= least]


def verify_picture(
    original: Image,
    output: Image,
    sightings: Sequence[Sighting],
    style: Style,
    device: Device = "auto",
    threads: int | None = None,
    *,
    elsewhere: bool = False,
    left: Sequence[Sighting] = (),
) -> tuple[Finding, ...]:
    """Look at a photo, as decoded from its redacted file; it counts as frame 0 of a film.

    Parameters
    ----------
    original, output : Image
        ``uint8 (H, W, 3)``: the photo, and what its redacted file holds.
    sightings : sequence of Sighting
        The faces that were to be covered.
    style, device, threads
        As for :class:`Verifier`.
    elsewhere : bool
        Look for faces that were missed, too.
    left : sequence of Sighting
        Faces that were to be left as they are; they are not missed.

    Raises
    ------
    UsageError
        Where the two pictures differ in size.
    """
    if original.shape != output.shape:
        raise UsageError("the two pictures differ in size", "compare a photo with its own output")
    shape = (original.shape[0], original.shape[1])
    verifier = Verifier(style, shape, device=device, threads=threads)
    seen = Fraction(0), StillPicture(original), StillPicture(output), sightings
    missed = verifier.look_elsewhere(0, *seen, left, small=True) if elsewhere else ()
    return (*verifier.look(0, *seen), *missed)


def _touches(cover: Region | Patch, other: Region) -> bool:
    height, width = cover.mask.shape
    return (
        cover.x0 < other.x1
        and other.x0 < cover.x0 + width
        and cover.y0 < other.y1
        and other.y0 < cover.y0 + height
    )


def _shows(original: Source, output: Source, cover: Region) -> bool:
    height, width = cover.mask.shape
    edges = (cover.x0, cover.y0, cover.x0 + width, cover.y0 + height)
    return structure.shows_through(original.part(*edges), output.part(*edges), cover.mask)


def _bare(output: Source, must: Region, patches: Sequence[Patch]) -> bool:
    """Tell whether a pixel that must be painted was not, or the output looks otherwise there."""
    high, wide = must.mask.shape
    expected = np.zeros((high, wide, 3), np.uint8)
    painted = np.zeros((high, wide), np.bool_)
    for patch in patches:
        if not _touches(patch, must):
            continue
        x0, y0 = max(patch.x0, must.x0), max(patch.y0, must.y0)
        x1 = min(patch.x0 + patch.mask.shape[1], must.x1)
        y1 = min(patch.y0 + patch.mask.shape[0], must.y1)
        theirs = (slice(y0 - patch.y0, y1 - patch.y0), slice(x0 - patch.x0, x1 - patch.x0))
        ours = (slice(y0 - must.y0, y1 - must.y0), slice(x0 - must.x0, x1 - must.x0))
        mask = patch.mask[theirs]
        np.copyto(expected[ours], patch.pixels[theirs], where=mask[..., None])
        painted[ours] |= mask
    if (must.mask & ~painted).any():
        return True
    found = output.part(must.x0, must.y0, must.x1, must.y1)
    difference = cv2.absdiff(_smoothed(found, must.mask), _smoothed(expected, must.mask))
    off = np.asarray(cv2.inRange(difference, (0, 0, 0), (_OFF, _OFF, _OFF))) == 0
    deep = _eroded(must.mask, _RINGS)
    return bool((off & deep).sum() > _FEW * deep.sum())


def _eroded(mask: npt.NDArray[np.bool_], by: int) -> npt.NDArray[np.bool_]:
    """Return what lies inside a mask's border; all of it where that would be nothing."""
    kernel = np.ones((2 * by + 1, 2 * by + 1), np.uint8)
    padded = cv2.erode(np.pad(mask.view(np.uint8), by), kernel)
    inner = np.asarray(padded, np.uint8)[by:-by, by:-by].view(np.bool_)
    return inner if inner.any() else mask


def _smoothed(picture: Image, mask: npt.NDArray[np.bool_]) -> npt.NDArray[np.uint8]:
    """Take away what a codec does to single pixels; those beside the mask have no part in it."""
    inside = cv2.bitwise_and(picture, picture, mask=mask.view(np.uint8))
    return np.asarray(cv2.blur(inside, (3, 3)), np.uint8)
