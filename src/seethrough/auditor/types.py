"""What the rooms of the audit hand to one another."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, TypeAlias

import numpy as np
import numpy.typing as npt

from seethrough.types import Box, Face, Image, Operator, WeightsUsed

Level: TypeAlias = Literal["A0", "A1", "A2", "A3", "A4", "A5"]
"""PROTOCOL section 4: naive, parrot, restore, trained, film, context."""

Verdict: TypeAlias = Literal[
    "uncovered", "exposed", "partly exposed", "not distinguishable from chance"
]

VERDICTS: tuple[Verdict, ...] = (
    "uncovered",
    "exposed",
    "partly exposed",
    "not distinguishable from chance",
)
"""Worst first."""


@dataclass(frozen=True, slots=True)
class Odds:
    """Probability that an attacker picks the right person out of ``people``.

    Attributes
    ----------
    people : int
        100 or 1,000; nothing is extrapolated past 1,000.
    p, low, high : float
        The calibrated probability and its 95 % interval, range [0, 1].
    """

    people: int
    p: float
    low: float
    high: float

    @property
    def chance(self) -> float:
        """The odds of a blind guess."""
        return 1 / self.people


@dataclass(frozen=True, slots=True)
class Reading:
    """What one attacker reads out of one covered face, through one recogniser's eyes.

    Attributes
    ----------
    level : str
        The attacker.
    recogniser : str
        ``dlib`` or ``mobilefacenet``.
    of_100, of_1000 : Odds
        Calibrated odds.
    upper_bound_only : bool
        The attacker was given the very frame that was covered, for want of another photo of the
        person. The odds predict how it would fare with another one, from what was measured on
        other people; they are to be taken as an upper bound.
    calibrated : bool
        Whether the odds were fitted to attackers of this kind. Those of several looks (A4) are
        read by the model of one look.
    """

    level: Level
    recogniser: str
    of_100: Odds
    of_1000: Odds
    upper_bound_only: bool
    calibrated: bool = True


@dataclass(frozen=True, slots=True, eq=False)
class Sight:
    """What one attacker sees: ``picture`` is ``uint8 (128, 128, 3)``."""

    level: Level
    picture: Image


@dataclass(frozen=True, slots=True, eq=False)
class Case:
    """One covered face of the original, as the attackers meet it. All crops are aligned, 128 px.

    Attributes
    ----------
    clean : Image
        The original.
    probe : Image
        The original, degraded again: same operator, strength, phase and compression.
    covered : ndarray
        ``bool (128, 128)``: the pixels under the cover.
    cover : callable
        Degrades any aligned crop the same way; attackers apply it to their photos of the person.
    operator : Operator
        Lengths in pixels of the crop.
    references : tuple of Image
        Clean crops of the same person for the attacker's gallery.
    same_frame : bool
        Whether ``references`` are only the covered frame itself (an upper bound).
    plain : callable or None
        ``cover`` without its compression.
    """

    clean: Image
    probe: Image
    covered: npt.NDArray[np.bool_]
    cover: Callable[[Image], Image]
    operator: Operator
    references: tuple[Image, ...]
    same_frame: bool
    plain: Callable[[Image], Image] | None = None


@dataclass(frozen=True, slots=True)
class Leak:
    """Something found beside the attackers' odds: a thumbnail, a transparent cover, a bare face.

    Attributes
    ----------
    kind : str
        ``uncovered``, ``thumbnail``, ``transparent`` or another short name.
    words : str
        One sentence for the report.
    """

    kind: str
    words: str


@dataclass(frozen=True, slots=True)
class Bare:
    """A time for which a redacted film shows a face as the original does.

    Attributes
    ----------
    from_, to : float
        Seconds, half-open.
    frames : int
        Of the redacted film.
    """

    from_: float
    to: float
    frames: int


@dataclass(frozen=True, slots=True, eq=False)
class FilmFace:
    """A face that was followed through a film.

    Attributes
    ----------
    number : int
        Of its track, as ``seethrough faces`` numbers them.
    from_, to : float
        Seconds of the original, half-open.
    covered_frames : int
        Frames of the redacted film in which something covers it.
    bare : tuple of Bare
        When nothing does, in order of time.
    strip : tuple of (float, Image)
        Seconds, and the redacted film around the face.
    looks : int
        Frames that attackers were given.
    on_preview : Box or None
        Where it is in the preview, in pixels of the original; ``None`` where it is not there.
    """

    number: int
    from_: float
    to: float
    covered_frames: int
    bare: tuple[Bare, ...]
    strip: tuple[tuple[float, Image], ...]
    looks: int
    on_preview: Box | None


@dataclass(frozen=True, slots=True, eq=False)
class FaceAudit:
    """One face of the original.

    Attributes
    ----------
    face : Face
        Where it is in the original.
    covered : bool
        Whether the redacted file covers it; in a film, in every frame.
    operator : Operator or None
        How, lengths in pixels of the redacted picture.
    cells : float or None
        Strength relative to the face: cells per face width (mosaic), or blur size as a share of it.
    cover_box : Box or None
        The covered region.
    readings : tuple of Reading
        One for each attacker and recogniser; empty where the face is not covered.
    sights : tuple of Sight
        Pictures for the report.
    leaks : tuple of Leak
        Findings about this face.
    strongest : str or None
        The level with the highest odds, where any is above chance.
    verdict : str
        One of :data:`VERDICTS`.
    advice : tuple of str
        What would lower the odds, with figures.
    seconds : float
        Time spent.
    note : str or None
        What else to say of the cover.
    film : FilmFace or None
        Where it was followed through a film; ``face`` is then that of one frame.
    """

    face: Face
    covered: bool
    operator: Operator | None
    cells: float | None
    cover_box: Box | None
    readings: tuple[Reading, ...]
    sights: tuple[Sight, ...]
    leaks: tuple[Leak, ...]
    strongest: Level | None
    verdict: Verdict
    advice: tuple[str, ...]
    seconds: float = 0.0
    note: str | None = None
    film: FilmFace | None = None


@dataclass(frozen=True, slots=True, eq=False)
class PictureAudit:
    """One original and its redaction.

    Attributes
    ----------
    original, redacted : str
        Paths as given; ``redacted`` names the style where none was handed in.
    original_sha256, redacted_sha256 : str
        Hashes of the inputs; the second is empty where a style was simulated.
    width, height : int
        Of the upright original.
    preview : Image
        The redacted picture, small, for the report.
    faces : tuple of FaceAudit
        Left to right.
    leaks : tuple of Leak
        Findings about the whole file.
    verdict : str
        The worst of the faces'.
    summary : str
        The verdict in one sentence.
    weights : tuple of WeightsUsed
        Every network that had a part.
    length : float or None
        Of a film, in seconds; ``None`` for pictures.
    notes : tuple of str
        What else to know of how the odds came about.
    """

    original: str
    redacted: str
    original_sha256: str
    redacted_sha256: str
    width: int
    height: int
    preview: Image
    faces: tuple[FaceAudit, ...]
    leaks: tuple[Leak, ...]
    verdict: Verdict
    summary: str
    weights: tuple[WeightsUsed, ...] = ()
    length: float | None = None
    notes: tuple[str, ...] = ()
