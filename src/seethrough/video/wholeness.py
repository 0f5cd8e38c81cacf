"""Whether a film's file ends where it says that it ends.

FFmpeg plays what is there of a truncated film. Three families of containers declare the sizes of
their pieces, so that a missing end is known before the first frame is decoded: ISO media (ISO
14496-12, boxes), Matroska (RFC 8794, EBML elements) and AVI (RIFF chunks).
"""

from __future__ import annotations

from pathlib import Path
from typing import BinaryIO

_EBML = bytes.fromhex("1a45dfa3")
_SEGMENT = bytes.fromhex("18538067")
_BOXES = {b"mdat", b"moof", b"moov"}
"""Boxes that no film ends within; behind them, cameras append bytes of many kinds."""


def missing_bytes(path: Path) -> int:
    """Return how many bytes the file lacks, as far as it declares its size; 0 if none."""
    size = path.stat().st_size
    with path.open("rb") as file:
        start = file.read(12)
        if start[:4] == _EBML:
            return _missing_of_matroska(file, size)
        if start[:4] == b"RIFF":
            return max(0, 8 + int.from_bytes(start[4:8], "little") - size)
        if start[4:8] in (b"ftyp", b"moov", b"mdat", b"wide", b"free", b"skip"):
            return _missing_of_boxes(file, size)
    return 0


def _missing_of_boxes(file: BinaryIO, size: int) -> int:
    place = 0
    while place + 8 <= size:
        file.seek(place)
        head = file.read(16)
        length = int.from_bytes(head[:4], "big")
        if length == 1:
            length = int.from_bytes(head[8:16], "big")
        if length < 8:
            return 0  # 0: to the end of the file
        if place + length > size and head[4:8] in _BOXES:
            return place + length - size
        place += length
    return 0


def _missing_of_matroska(file: BinaryIO, size: int) -> int:
    file.seek(4)
    header, unknown = _number(file)
    if header is None or unknown:
        return 0
    file.seek(header, 1)
    if file.read(4) != _SEGMENT:
        return 0
    length, unknown = _number(file)
    if length is None or unknown:  # a recording that was never finished says nothing
        return 0
    return max(0, file.tell() + length - size)


def _number(file: BinaryIO) -> tuple[int | None, bool]:
    """Read an EBML size, and whether it is the one that means "unknown"."""
    first = file.read(1)
    if not first or not first[0]:
        return None, False
    more = 8 - first[0].bit_length()
    rest = file.read(more)
    if len(rest) < more:
        return None, False
    bits = 7 * (more + 1)
    value = int.from_bytes(first + rest, "big") & ((1 << bits) - 1)
    return value, value == (1 << bits) - 1
