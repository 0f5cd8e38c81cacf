"""Type faces as training and the benchmark draw them, their file, and which are the benchmark's."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

CAP_HEIGHT = 40
"""Height in pixels of a capital H in the atlas; lines are reduced from it, never enlarged."""

CHARACTERS = "".join(chr(c) for c in range(33, 127))

HELD_OUT = (
    "Cabin",
    "Charis SIL",
    "Courier Prime",
    "EB Garamond",
    "Open Sans",
    "PT Serif",
    "Roboto",
    "Vollkorn",
)
"""Families (by prefix) that training never sees: sans, serif, slab and typewriter faces."""


@dataclass(frozen=True)
class Typeface:
    """One font file's glyphs.

    Attributes
    ----------
    family : str
        Name of its family.
    bitmaps : tuple of ndarray
        ``uint8 (H, W)`` coverage for each of :data:`CHARACTERS`.
    offsets : ndarray
        ``int16 (94, 2)``: xy of a bitmap's corner from the pen on the base line, y downwards.
    advances : ndarray
        ``float32 (95,)``: pen movement in pixels for each character; the last is the space.
    """

    family: str
    bitmaps: tuple[npt.NDArray[np.uint8], ...]
    offsets: npt.NDArray[np.int16]
    advances: npt.NDArray[np.float32]


def is_held_out(family: str) -> bool:
    """Whether a family belongs to the benchmarks."""
    return family.startswith(HELD_OUT)


def save(path: Path, faces: Sequence[Typeface], words: Sequence[str]) -> None:
    """Write an atlas and its vocabulary to one compressed file."""
    bitmaps = [bitmap for face in faces for bitmap in face.bitmaps]
    np.savez_compressed(
        path,
        families=np.array([face.family for face in faces]),
        pixels=np.concatenate([bitmap.ravel() for bitmap in bitmaps]),
        shapes=np.array([bitmap.shape for bitmap in bitmaps], np.int16),
        offsets=np.stack([face.offsets for face in faces]),
        advances=np.stack([face.advances for face in faces]),
        words=np.array(list(words)),
    )


def load(path: Path) -> tuple[list[Typeface], list[str]]:
    """Read what :func:`save` wrote: the type faces and the vocabulary."""
    with np.load(path) as archive:
        shapes, pixels = archive["shapes"], archive["pixels"]
        ends = np.cumsum(shapes.astype(np.int64).prod(axis=1))
        bitmaps = [
            part.reshape(shape)
            for part, shape in zip(np.split(pixels, ends[:-1]), shapes, strict=True)
        ]
        count = len(CHARACTERS)
        faces = [
            Typeface(str(family), tuple(bitmaps[i * count : (i + 1) * count]), offsets, advances)
            for i, (family, offsets, advances) in enumerate(
                zip(archive["families"], archive["offsets"], archive["advances"], strict=True)
            )
        ]
        return faces, [str(word) for word in archive["words"]]
