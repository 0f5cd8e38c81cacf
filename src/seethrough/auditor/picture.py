"""The audit of one picture: every face of the original, and what its cover leaves of it."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol, TypeAlias

import cv2
import numpy as np

from seethrough.auditor import leaks
from seethrough.auditor.cases import aligned, covered_again, make_case
from seethrough.auditor.claims import believed, claimed_style
from seethrough.auditor.covers import Cover, find_cover, moved, styled_cover, styled_operator
from seethrough.auditor.engine import verdict as judge
from seethrough.auditor.leaks import Container
from seethrough.auditor.pairing import Pair, pair_up
from seethrough.auditor.report.words import one_in
from seethrough.auditor.summary import (
    best_odds,
    relative_strength,
    summary_of,
    unnamed_leaks,
)
from seethrough.auditor.through import is_seen, opacity
from seethrough.auditor.types import (
    VERDICTS,
    Case,
    FaceAudit,
    Leak,
    Level,
    PictureAudit,
    Reading,
    Sight,
)
from seethrough.errors import InputError
from seethrough.operators import find_covered
from seethrough.types import Box, CoveredRegion, Face, Image

_PREVIEW = 960  # pixels: longer side of the picture in the report
_SAME_PLACE = 0.3  # of a region that has changed, so that it counts as covered in the original

Strength: TypeAlias = tuple[float, bool]
"""Cells per face width or a share of it; pixels of the picture where the second is true."""


class Engine(Protocol):
    """The attackers."""

    def read(self, case: Case) -> tuple[tuple[Reading, ...], tuple[Sight, ...]]:
        """Attack one covered face."""


@dataclass(frozen=True, slots=True, eq=False)
class File:
    """A picture file.

    Attributes
    ----------
    name : str
        Its path as given.
    sha256 : str
        Of its bytes.
    pixels : Image
        Upright.
    container : Container
        What it holds beside them.
    """

    name: str
    sha256: str
    pixels: Image
    container: Container


@dataclass(frozen=True, slots=True)
class Style:
    """A cover to simulate, or the name of one that cannot be told from the redacted file.

    Attributes
    ----------
    name : str
        One of :data:`seethrough.auditor.covers.STYLES`.
    strength : (float, bool) or None
        ``None`` where the style has none.
    """

    name: str
    strength: Strength | None

    @property
    def words(self) -> str:
        """The style as a person would say it."""
        if self.strength is None:
            return self.name
        value, in_pixels = self.strength
        return f"{self.name}, strength {value:g}{' px' if in_pixels else ''}"


@dataclass(frozen=True, slots=True, eq=False)
class Outcome:
    """The audit of a picture, and the faces that it could not audit.

    Attributes
    ----------
    audit : PictureAudit
        At least one face.
    unnamed : tuple of Face
        Faces under a cover whose operator cannot be named, in pixels of the original.
    """

    audit: PictureAudit
    unnamed: tuple[Face, ...]


def audit_picture(
    original: File,
    redacted: File | None,
    faces: Sequence[Face],
    references: Sequence[Sequence[Image]],
    style: Style | None,
    engine: Callable[[], Engine],
) -> Outcome:
    """Audit one picture.

    Attackers see the original, degraded again the way the redacted file was. What the redacted
    file shows under its covers has no part in any score.

    Parameters
    ----------
    original : File
        Uncovered.
    redacted : File or None
        Its redaction; ``None`` to simulate ``style``.
    faces : sequence of Face
        The original's, at least one, in its pixels.
    references : sequence of sequence of Image
        For each face, clean aligned crops of the person from other pictures.
    style : Style or None
        How faces are covered, where the redacted file does not tell or there is none.
    engine : callable
        Loads the attackers; not called where nothing is covered.

    Raises
    ------
    InputError
        Where the two do not match, are swapped, or no cover can be named.
    """
    if redacted is None:
        assert style is not None
        pair, found = simulated(original, faces, style)
        quality, container = None, None
    else:
        container = redacted.container
        quality = container.quality
        pair, found = compared(original, redacted, faces, style)
    audits, unnamed, seen = [], [], False
    order = sorted(range(len(faces)), key=lambda i: faces[i].box.x0)
    for index in order:
        face, cover = faces[index], found[index]
        if cover is not None and cover.operator is None:
            unnamed.append(face)
            seen = seen or is_seen(pair, moved(face, pair.scale))
            continue
        found_leaks: tuple[Leak, ...] = ()
        if cover is not None and redacted is not None and container is not None:
            found_leaks = leaks_of(pair, redacted.pixels, cover, container, moved(face, pair.scale))
        work = _Work(pair, original.pixels, face, references[index], quality, engine)
        audits.append(work.audited(cover, found_leaks))
    if not audits:
        raise InputError(
            f"{redacted.name if redacted else original.name} covers every face in a way that "
            "cannot be named",
            "name it with --style, and its --strength",
        )
    covers = [c for c in found if c is not None]
    shown = pair.redacted if redacted is not None else covered_again(pair.original, covers)
    verdict = min((face.verdict for face in audits), key=VERDICTS.index)
    if seen:
        verdict = min(verdict, "exposed", key=VERDICTS.index)
    return Outcome(
        PictureAudit(
            original=original.name,
            redacted=f"simulated: {style.words}" if redacted is None and style else _name(redacted),
            original_sha256=original.sha256,
            redacted_sha256="" if redacted is None else redacted.sha256,
            width=original.pixels.shape[1],
            height=original.pixels.shape[0],
            preview=small(shown),
            faces=tuple(audits),
            leaks=(*unnamed_leaks(unnamed, seen=seen), *(container.leaks if container else ())),
            verdict=verdict,
            summary=summary_of(audits, len(unnamed), seen=seen),
        ),
        tuple(unnamed),
    )


@dataclass(frozen=True, slots=True, eq=False)
class _Work:
    """One face, and what its audit needs."""

    pair: Pair
    full: Image
    face: Face
    references: Sequence[Image]
    quality: int | None
    engine: Callable[[], Engine]

    def audited(self, cover: Cover | None, found: tuple[Leak, ...]) -> FaceAudit:
        if cover is None:
            bare = Leak("uncovered", "The redacted file shows this face as the original does.")
            return FaceAudit(
                self.face, False, None, None, None, (), (), (bare,), None, "uncovered",
                ("Cover this face.",),
            )  # fmt: skip
        assert cover.operator is not None
        started = time.perf_counter()
        engine = self.engine()
        readings, sights = engine.read(self._case(cover))
        verdict, strongest = judge(readings)
        advice = []
        if strongest is not None:
            advice.append(self._better(readings, strongest))
        for leak in found:
            if leak.kind in REMEDIES:
                verdict = "exposed"
                advice.append(REMEDIES[leak.kind])
        return FaceAudit(
            face=self.face,
            covered=True,
            operator=cover.operator,
            cells=relative_strength(cover.operator, self.face.box.width * self.pair.scale),
            cover_box=Box(*(edge / self.pair.scale for edge in cover.box.as_tuple())),
            readings=readings,
            sights=sights,
            leaks=found,
            strongest=strongest,
            verdict=verdict,
            advice=tuple(advice),
            seconds=time.perf_counter() - started,
            note=STAND_IN if cover.stand_in else None,
        )

    def _case(self, cover: Cover) -> Case:
        here = moved(self.face, self.pair.scale)
        clean = aligned(self.full, self.face)
        return make_case(self.pair.original, here, cover, self.quality, clean, self.references)

    def _better(self, readings: Sequence[Reading], strongest: Level) -> str:
        """Measure what a solid cover over the head would leave."""
        here = moved(self.face, self.pair.scale)
        engine = self.engine()
        safer, _ = engine.read(
            self._case(styled_cover("solid", None, here, self.pair.original.shape))
        )
        _, left = judge(safer)
        now = best_odds(readings, strongest)
        then = "chance" if left is None else one_in(best_odds(safer, left))
        return f"Solid over the head: from {one_in(now)} to {then}, picked out of 100 people."


STAND_IN = (
    "A soft blur that was painted from the surroundings of the face, as the file's mark says; "
    "its pixels agree."
)
REMEDIES = {
    "transparent": "Paint the cover with full opacity.",
    "thumbnail": "Save the file anew without its embedded previews.",
    "seen": "Cover the whole face, in every frame, with full opacity.",
}
"""Leaks that show the face itself, whatever the attackers read, and what helps."""


def simulated(
    original: File, faces: Sequence[Face], style: Style
) -> tuple[Pair, list[Cover | None]]:
    """Cover every face of a picture by a style."""
    pixels = original.pixels
    nothing = np.zeros(pixels.shape[:2], np.bool_)
    covers: list[Cover | None] = [
        styled_cover(style.name, style.strength, face, pixels.shape) for face in faces
    ]
    return Pair(pixels, pixels, 1.0, nothing), covers


def compared(
    original: File, redacted: File, faces: Sequence[Face], style: Style | None
) -> tuple[Pair, list[Cover | None]]:
    """Find the cover of every face in a redacted file."""
    names = original.name, redacted.name
    pair = pair_up(original.pixels, redacted.pixels, redacted.container.quality, names)
    if not pair.changed.any():
        return pair, [None] * len(faces)
    regions = find_covered(pair.redacted)
    here = [moved(face, pair.scale) for face in faces]
    claimed = claimed_style(redacted.container.description)
    covers = believed(claimed, pair, here, [find_cover(pair, face, regions) for face in here])
    if not any(cover is not None and cover.operator is not None for cover in covers):
        _check_order(pair, regions, names)
    if style is not None:
        covers = [
            None
            if cover is None
            else Cover(
                cover.mask,
                styled_operator(style.name, style.strength, face.box.width),
                cover.share,
            )
            for cover, face in zip(covers, here, strict=True)
        ]
    return pair, covers


def check_swapped(original: File, redacted: File, faces: Sequence[Face]) -> None:
    """Refuse a covered original, in which no face is found.

    Parameters
    ----------
    original, redacted : File
        As given.
    faces : sequence of Face
        Those of the redacted picture.

    Raises
    ------
    InputError
        Where the two do not match, or are swapped.
    """
    names = original.name, redacted.name
    pair = pair_up(original.pixels, redacted.pixels, redacted.container.quality, names)
    for face in faces:
        if _changed_share(pair, face.box) > _SAME_PLACE:
            raise _swapped(names, "the original covers a face")


def _check_order(pair: Pair, regions: Sequence[CoveredRegion], names: tuple[str, str]) -> None:
    """Refuse an original that is covered where the redacted picture is not."""
    for region in find_covered(pair.original):
        elsewhere = all(
            region.box.intersection(other.box) < _SAME_PLACE * region.box.area for other in regions
        )
        if elsewhere and _changed_share(pair, region.box) > _SAME_PLACE:
            raise _swapped(names, f"the original is covered ({region.operator.kind})")


def _changed_share(pair: Pair, box: Box) -> float:
    height, width = pair.changed.shape
    x0, y0 = max(0, round(box.x0)), max(0, round(box.y0))
    x1, y1 = min(width, round(box.x1)), min(height, round(box.y1))
    return float(pair.changed[y0:y1, x0:x1].mean()) if x1 > x0 and y1 > y0 else 0.0


def _swapped(names: tuple[str, str], why: str) -> InputError:
    first, second = names
    return InputError(
        f"{first} and {second} are swapped: {why} where the redacted picture is not",
        "give the uncovered picture to --original and the covered one to --redacted",
    )


def leaks_of(
    pair: Pair, redacted: Image, cover: Cover, container: Container, face: Face
) -> tuple[Leak, ...]:
    """Return what the redacted file gives away of one face, beside what attackers read."""
    found = (
        leaks.transparency(redacted, cover, lossy=container.lossy)
        or leaks.deep_transparency(container, cover)
        or opacity(pair, face, cover),
        leaks.preview_shows(container.previews, pair, cover, face.box),
        leaks.bare_part(cover),
    )
    return tuple(leak for leak in found if leak is not None)


def small(picture: Image) -> Image:
    """Return a picture as the report shows it."""
    factor = _PREVIEW / max(picture.shape[:2])
    if factor >= 1:
        return picture
    size = (
        max(1, round(picture.shape[1] * factor)),
        max(1, round(picture.shape[0] * factor)),
    )
    return np.asarray(cv2.resize(picture, size, interpolation=cv2.INTER_AREA), np.uint8)


def _name(file: File | None) -> str:
    return "" if file is None else file.name
