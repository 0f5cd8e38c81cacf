"""Which faces are covered in a film, counted from the output's pixels and the exact truth."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import numpy as np

from benchmarks.film_stage import Seen
from seethrough.types import Image

BLACK = 40
"""A pixel is covered where none of its colours is above this: both programs cover in black, and
a codec leaves a few levels of what was there."""
COVERED = 0.999
"""Share of a face's showing pixels from which it is covered in a frame."""
BARE = 0.5
"""Share below which it is bare."""
COUNTED = 0.1
"""A face counts in a frame where at least so much of its oval shows."""


@dataclass
class Coverage:
    """Faces over the frames of one film.

    Attributes
    ----------
    face_frames : int
        Faces that show, summed over frames.
    covered, bare : int
        Of these, how many are covered; less than half covered.
    pixels, covered_pixels : int
        The ovals' showing pixels, and how many of these are covered.
    black, all_pixels : int
        Covered pixels wherever they lie (not dark in the original), and all.
    spans : list of (int, int, int)
        Face, first and last frame of each run of frames in which it is not covered.
    """

    face_frames: int = 0
    covered: int = 0
    bare: int = 0
    pixels: int = 0
    covered_pixels: int = 0
    black: int = 0
    all_pixels: int = 0
    spans: list[tuple[int, int, int]] = field(default_factory=list)
    _open: dict[int, int] = field(default_factory=dict)

    @property
    def share(self) -> float:
        """Of the face-frames, how many are covered, range [0, 1]."""
        return self.covered / max(self.face_frames, 1)

    @property
    def pixel_share(self) -> float:
        """Of the ovals' pixels, how many are covered, range [0, 1]."""
        return self.covered_pixels / max(self.pixels, 1)

    @property
    def frame_share(self) -> float:
        """Of all pixels, how many are covered, range [0, 1]."""
        return self.black / max(self.all_pixels, 1)

    @property
    def long_spans(self) -> int:
        """How many spans last longer than one frame."""
        return sum(last > first for _, first, last in self.spans)

    @property
    def longest(self) -> int:
        """Frames of the longest span."""
        return max((last - first + 1 for _, first, last in self.spans), default=0)

    def add(self, number: int, original: Image, output: Image, faces: Sequence[Seen]) -> None:
        """Count one frame."""
        black = np.asarray((output <= BLACK).all(axis=2))
        lit = (original > BLACK + 30).any(axis=2)
        self.black += int((black & lit).sum())
        self.all_pixels += black.size
        missed = set()
        for face in faces:
            if face.share < COUNTED:
                continue
            height, width = face.mask.shape
            hidden = black[face.y0 : face.y0 + height, face.x0 : face.x0 + width] & face.mask
            showing, covered = int(face.mask.sum()), int(hidden.sum())
            self.face_frames += 1
            self.pixels += showing
            self.covered_pixels += covered
            self.bare += covered < BARE * showing
            if covered >= COVERED * showing:
                self.covered += 1
            else:
                missed.add(face.face)
        for face_number in missed:
            self._open.setdefault(face_number, number)
        self._close(number, missed)

    def finish(self, frames: int) -> None:
        """Close the spans that last to the end of a film of so many frames."""
        self._close(frames, set())

    def _close(self, number: int, missed: set[int]) -> None:
        for face in [face for face in self._open if face not in missed]:
            self.spans.append((face, self._open.pop(face), number - 1))


def measure(pairs: Iterable[tuple[Image, Image]], truth: Sequence[Sequence[Seen]]) -> Coverage:
    """Count a film.

    Parameters
    ----------
    pairs : iterable of (Image, Image)
        Every frame, original and output.
    truth : sequence of sequence of Seen
        The faces of every frame.

    Raises
    ------
    ValueError
        Where the film has not as many frames as the truth.
    """
    found, count = Coverage(), 0
    for number, ((original, output), faces) in enumerate(zip(pairs, truth, strict=True)):
        found.add(number, original, output, faces)
        count = number + 1
    found.finish(count)
    return found


def joined(parts: Sequence[Coverage]) -> Coverage:
    """Return several films' coverage as one; faces of different films are different faces."""
    total = Coverage()
    for film, part in enumerate(parts):
        for name in ("face_frames", "covered", "bare", "pixels", "covered_pixels"):
            setattr(total, name, getattr(total, name) + getattr(part, name))
        total.black += part.black
        total.all_pixels += part.all_pixels
        total.spans += [(1000 * film + face, first, last) for face, first, last in part.spans]
    return total
