"""Does the original show where a face is covered? Asked of the two pictures, for every frame.

What an operator leaves, attackers read. This is about covers that are not what they look like: a
bar that has slipped off the face for a frame, paint that is not opaque, colours inverted. Gradients
of the original and of the redacted picture go together there, or against each other, and under a
whole and opaque cover they do not.
"""

from __future__ import annotations

import numpy as np

from seethrough.auditor.cases import covered_again
from seethrough.auditor.covers import Cover, face_oval
from seethrough.auditor.pairing import Flags, Pair
from seethrough.auditor.types import Leak
from seethrough.redactor.structure import correlation
from seethrough.types import Face, Image

_PLAIN = 0.3
"""Correlation of gradients, range [0, 1], sign dropped, from which a face is seen. Opaque covers
stay below it, bars beside the face and inverted colours above: `tests/test_audit_through.py`."""

_MORE = 0.15  # correlation beyond that of the same cover, put on again
_SOME = 0.2
_SIGMAS = 5.0  # of unrelated pictures


def is_seen(pair: Pair, face: Face) -> bool:
    """Tell whether the redacted picture has the structure of a face, covered or not.

    Parameters
    ----------
    pair : Pair
        The picture before and after.
    face : Face
        In pixels of the pair.
    """
    mask = face_oval(face.box, pair.changed.shape)
    return _correlated(pair.original, pair.redacted, mask) > _PLAIN


def opacity(pair: Pair, face: Face, cover: Cover) -> Leak | None:
    """Find structure of the original that a named cover would not leave.

    Parameters
    ----------
    pair : Pair
        The picture before and after.
    face : Face
        In pixels of the pair.
    cover : Cover
        With its operator.
    """
    if cover.operator is None or cover.stand_in:
        return None
    mask = cover.mask & face_oval(face.box, cover.mask.shape)
    found = _correlated(pair.original, pair.redacted, mask)
    if found <= _SOME:
        return None
    usual = _correlated(pair.original, covered_again(pair.original, [cover]), mask)
    if found <= usual + _MORE:
        return None
    return Leak(
        "transparent",
        "The original shows through the cover, as under paint that is not fully opaque: whoever "
        "takes the cover's own pattern away brings the face back.",
    )


def _correlated(original: Image, redacted: Image, mask: Flags) -> float:
    """Return how far gradients go together inside a mask, range [0, 1]; 0 where chance may.

    ``original`` and ``redacted`` are ``uint8 (H, W, 3)``, ``mask`` is ``bool (H, W)``.
    """
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    if not len(rows):
        return 0.0
    window = (slice(rows[0], rows[-1] + 1), slice(columns[0], columns[-1] + 1))
    found = correlation(original[window], redacted[window], mask[window])
    if found is None or abs(found[0]) <= _SIGMAS * found[1]:
        return 0.0
    return abs(found[0])
