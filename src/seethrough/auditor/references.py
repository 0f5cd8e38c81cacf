"""Which of the originals of one audit show the same person: the attacker's gallery.

Nobody hands photos in for this: only the originals of the audit itself are compared, so that an
attacker who has another photo of the person is not underestimated. Both recognisers must be sure.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from seethrough.auditor.recognisers import RECOGNISERS, Recogniser, RecogniserName
from seethrough.session import Device
from seethrough.types import Image

_SURE: dict[RecogniserName, float] = {"dlib": -0.45, "mobilefacenet": 0.5}
"""Similarity from which two faces are one person; a false match would understate the odds."""

_MOST = 8  # references of one person


def same_people(
    crops: Sequence[Image],
    pictures: Sequence[int],
    device: Device = "auto",
    threads: int | None = None,
) -> tuple[tuple[int, ...], ...]:
    """Find, for each face, the faces of the same person in other pictures.

    Parameters
    ----------
    crops : sequence of Image
        Clean aligned crops, ``uint8 (128, 128, 3)``.
    pictures : sequence of int
        Which picture each comes from: nobody is twice in one.
    device, threads
        Of the recognisers.

    Returns
    -------
    tuple of tuple of int
        For each face the indices of its references, surest first, at most eight.
    """
    if len(set(pictures)) < 2:
        return ((),) * len(crops)
    stack = np.stack(crops)
    where = np.asarray(pictures)
    likely = where[:, None] != where
    margin = np.full(likely.shape, np.inf)
    for name in RECOGNISERS:
        recogniser = Recogniser(name, device, threads)
        described = recogniser.describe(stack)
        similarity = recogniser.similarity(described, described)
        likely &= similarity > _SURE[name]
        margin = np.minimum(margin, similarity - _SURE[name])
    found = []
    for row, sure in zip(likely, margin, strict=True):
        best = sorted(np.flatnonzero(row), key=lambda i: -sure[i])
        one_each: dict[int, int] = {}
        for index in best:
            one_each.setdefault(int(where[index]), int(index))
        found.append(tuple(one_each.values())[:_MOST])
    return tuple(found)
