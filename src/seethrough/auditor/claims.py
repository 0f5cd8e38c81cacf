"""What a redacted file says of its own covers, and whether its pixels agree.

``redact --style safe-blur`` paints a soft blur that is made from the surroundings of a face. To the
operator finder it looks like a blur of the face itself. The file's mark tells them apart, and is
believed only where the cover is what that style paints over the original, and nothing of the
original shows through it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from seethrough.auditor.covers import Cover, face_oval
from seethrough.auditor.pairing import Flags, Pair
from seethrough.degrade import GaussianBlur
from seethrough.redactor import Coverer, StillPicture
from seethrough.redactor import Style as Redaction
from seethrough.redactor.structure import shows_through
from seethrough.redactor.style import GROWTH, StyleName
from seethrough.types import Box, Face, Image, Landmarks, Operator

STAND_IN: StyleName = "safe-blur"
"""The style whose covers look like blurs and are none."""

_MARK = re.compile(r"Redacted by seethrough \S+: .*style ([a-z-]+)")
_BLURS = (0.06, 0.12, 0.25, 0.5)  # of a face's width: sigmas of blurs that could look like it
_NEARER = 0.5  # of the distance to any blur of the face


@dataclass(frozen=True, slots=True, eq=False)
class _Sighting:
    track: int
    box: Box
    landmarks: Landmarks


def claimed_style(description: str) -> str | None:
    """Return the style that a file's description names, or ``None``."""
    found = _MARK.search(description)
    return found.group(1) if found else None


def believed(
    style: str | None, pair: Pair, faces: Sequence[Face], covers: Sequence[Cover | None]
) -> list[Cover | None]:
    """Return covers as the file's mark says they were made, where its pixels agree.

    Parameters
    ----------
    style : str or None
        From :func:`claimed_style`.
    pair : Pair
        The picture before and after.
    faces : sequence of Face
        In pixels of the pair.
    covers : sequence of Cover or None
        Of each face, as found in the redacted picture.

    Returns
    -------
    list of Cover or None
        Soft blurs that were not made from the face leave attackers as little as a solid cover, and
        are returned as such; others as they are.
    """
    if style != STAND_IN:
        return list(covers)
    sightings = [
        _Sighting(number, face.box, face.landmarks)
        for number, (face, cover) in enumerate(zip(faces, covers, strict=True))
        if cover is not None
    ]
    painted = list(_painted(pair.original, sightings))
    return [
        replace(cover, operator=Operator("solid", None, None, 1.0), stand_in=True)
        if cover is not None and _agrees(pair, face, cover, painted)
        else cover
        for face, cover in zip(faces, covers, strict=True)
    ]


def _painted(original: Image, sightings: Sequence[_Sighting]) -> Iterator[Image]:
    """The original under soft blurs of every size that verification may have chosen."""
    for grow in GROWTH:
        coverer = Coverer(Redaction(STAND_IN, grow=grow), original.shape[:2])
        result = original.copy()
        for patch in coverer.patches(StillPicture(original), sightings):
            height, width = patch.mask.shape
            part = result[patch.y0 : patch.y0 + height, patch.x0 : patch.x0 + width]
            part[patch.mask] = patch.pixels[patch.mask]
        yield result


def _agrees(pair: Pair, face: Face, cover: Cover, painted: Sequence[Image]) -> bool:
    x0, y0, x1, y1 = (int(edge) for edge in cover.box.as_tuple())
    window = (slice(y0, y1), slice(x0, x1))
    before, after, mask = pair.original[window], pair.redacted[window], cover.mask[window]
    # Towards its rim the cover fades into what it was painted on.
    if shows_through(before, after, mask & face_oval(face.box, cover.mask.shape)[window]):
        return False
    stand_in = min(_distance(after, picture[window], mask) for picture in painted)
    blurs = (GaussianBlur(share * face.box.width)(before) for share in _BLURS)
    blurred = min(_distance(after, blur, mask) for blur in blurs)
    return stand_in < _NEARER * blurred


def _distance(a: Image, b: Image, mask: Flags) -> float:
    """Mean absolute difference in levels."""
    return float(np.abs(a[mask].astype(np.float32) - b[mask]).mean())
