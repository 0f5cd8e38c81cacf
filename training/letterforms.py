"""Which type faces to learn from: those whose letters can be told, each once.

Debian packages hundreds of novelty faces whose letters nobody reads when small, scripts without
case, and the same outlines under many names. A network that learns from all of them alike learns
mostly what no document holds. And a copy of a held-out face would make the benchmark easier than
it says.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeAlias

import cv2
import numpy as np
import numpy.typing as npt

from training.typeface import CAP_HEIGHT, CHARACTERS, Typeface, is_held_out

REFERENCES = (
    "DejaVu Sans",
    "DejaVu Sans Mono",
    "DejaVu Serif",
    "Liberation Mono",
    "Liberation Sans",
    "Liberation Serif",
)
"""Families whose letters everybody reads."""
LEGIBLE = 0.8
"""Share of letters and digits that must look most like the same one of a reference. Chosen by
looking: below are outlines, dots, scripts and faces whose small letters are capitals."""
COPY = 0.985
"""Mean correlation of letters above which two faces are copies, if they are as wide."""
AS_WIDE = 0.06
"""Relative difference in width up to which two faces are as wide."""
ALIKE = (frozenset("0Oo"), frozenset("1Il"))
"""Characters that many faces draw alike."""

_LETTERS = [index for index, c in enumerate(CHARACTERS) if c.isalnum()]
_ROWS, _COLUMNS = 24, 16
_ABOVE, _BELOW = round(1.4 * CAP_HEIGHT), round(0.5 * CAP_HEIGHT)

Shapes: TypeAlias = npt.NDArray[np.float32]


def shapes(face: Typeface) -> Shapes:
    """Letters and digits as vectors that can be compared.

    Each stands at its height on the line and is stretched to one width, so that neither the width
    nor the space around it counts.

    Returns
    -------
    ndarray
        ``float32 (62, 384)``: mean 0, length 1 (0 where nothing is drawn).
    """
    found = np.zeros((len(_LETTERS), _ROWS * _COLUMNS), np.float32)
    for row, index in zip(found, _LETTERS, strict=True):
        bitmap, top = face.bitmaps[index], _ABOVE + int(face.offsets[index][1])
        frame = np.zeros((_ABOVE + _BELOW, bitmap.shape[1]), np.float32)
        part = bitmap[max(0, -top) :][: max(0, len(frame) - max(0, top))]
        frame[max(0, top) :][: len(part)] = part
        drawn = np.flatnonzero(frame.any(axis=0))
        if not len(drawn):
            continue
        frame = frame[:, drawn[0] : drawn[-1] + 1]
        small = cv2.resize(frame, (_COLUMNS, _ROWS), interpolation=cv2.INTER_AREA)
        row[:] = cv2.GaussianBlur(small, (0, 0), 0.7).ravel()
        row -= row.mean()
        row /= max(float(np.linalg.norm(row)), 1e-6)
    return found


def legibility(face: Shapes, references: Sequence[Shapes]) -> float:
    """Share of letters and digits that look most like the same one of any reference.

    Parameters
    ----------
    face : ndarray
        From :func:`shapes`.
    references : sequence of ndarray
        Likewise, of one face at least.

    Returns
    -------
    float
        Range [0, 1].
    """
    characters = [CHARACTERS[index] for index in _LETTERS]
    likeness = np.stack([face @ reference.T for reference in references]).max(axis=0)
    hits = 0
    for character, nearest in zip(characters, likeness.argmax(axis=1), strict=True):
        group = next((alike for alike in ALIKE if character in alike), {character})
        hits += characters[int(nearest)] in group
    return hits / len(characters)


def _copies(a: tuple[Shapes, float], b: tuple[Shapes, float]) -> bool:
    """Whether two faces, each with the sum of its advances, are the same to the eye."""
    if abs(a[1] / b[1] - 1) > AS_WIDE:
        return False
    return float((a[0] * b[0]).sum()) / len(_LETTERS) > COPY


def chosen(faces: Sequence[Typeface]) -> list[Typeface]:
    """Keep the legible faces, one of every copy, and no copy of a held-out one.

    Held-out faces are kept as they are: who reads the atlas leaves them out by name.

    Raises
    ------
    ValueError
        Where none of :data:`REFERENCES` is among the faces.
    """
    described = [(face, (shapes(face), float(face.advances.sum()))) for face in faces]
    references = [key[0] for face, key in described if face.family in REFERENCES]
    if not references:
        raise ValueError(f"none of {', '.join(REFERENCES)} is installed: nothing to compare with")
    kept = [(face, key) for face, key in described if is_held_out(face.family)]
    # References first: of two copies the well-known one stays.
    rest = [(face, key) for face, key in described if not is_held_out(face.family)]
    for face, key in sorted(rest, key=lambda pair: pair[0].family not in REFERENCES):
        if legibility(key[0], references) < LEGIBLE:
            continue
        if not any(_copies(key, other) for _, other in kept):
            kept.append((face, key))
    return [face for face, _ in kept]
