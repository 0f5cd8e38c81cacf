"""Colour profiles reduced to what colours need: nothing else travels in them.

A profile may hold whatever its maker likes: private tags as large as a photo, names of displays and
of people, bytes that no tag points to. Layout: ICC.1:2022, sections 7 to 10.
"""

from __future__ import annotations

import struct
from collections.abc import Callable

_HEADER = 128
_ENTRY = 12
_MOST = 100  # tags: twice as many as the specification names
_DATE = struct.pack(">6H", 2000, 1, 1, 0, 0, 0)

# What transforms are made from: matrix and curves, tables, the adaptation of white.
_NEEDED = frozenset(
    b"rXYZ gXYZ bXYZ rTRC gTRC bTRC kTRC wtpt chad cicp "
    b"A2B0 A2B1 A2B2 B2A0 B2A1 B2A2 D2B0 D2B1 D2B2 D2B3 B2D0 B2D1 B2D2 B2D3".split()
)
_NAME, _RIGHTS = "colours of the photo", "none"


class _MalformedError(ValueError):
    pass


def trimmed(profile: bytes) -> bytes | None:
    """Return a profile that makes the same colours and says nothing else.

    Parameters
    ----------
    profile : bytes
        An ICC profile of version 2 or 4.

    Returns
    -------
    bytes or None
        The tags that colours need, as long as their types make them; a description and a copyright
        notice, which the specification asks for, in fixed words; no maker, date or identifier.
        ``None`` where the profile is malformed.
    """
    try:
        return _trimmed(profile)
    except (_MalformedError, struct.error):
        return None


def _trimmed(profile: bytes) -> bytes:
    if profile[36:40] != b"acsp" or len(profile) < _HEADER + 4:
        raise _MalformedError
    (count,) = struct.unpack_from(">I", profile, _HEADER)
    if count > _MOST:
        raise _MalformedError
    modern = profile[8] >= 4
    tags = {b"desc": _words(_NAME, modern, b"desc"), b"cprt": _words(_RIGHTS, modern, b"cprt")}
    for index in range(count):
        name, at, size = struct.unpack_from(">4sII", profile, _HEADER + 4 + _ENTRY * index)
        if name in _NEEDED:
            data = profile[at : at + size]
            if at < _HEADER or len(data) < max(size, 8):
                raise _MalformedError
            tags[name] = _exactly(data)
    return _assembled(_header(profile), tags)


def _header(profile: bytes) -> bytes:
    """Return the fields that say how to read it: class, spaces, intent and white."""
    kept = bytearray(_HEADER)
    for first, last in ((8, 24), (36, 40), (56, 80)):
        kept[first:last] = profile[first:last]
    kept[24:36] = _DATE
    return bytes(kept)


def _assembled(header: bytes, tags: dict[bytes, bytes]) -> bytes:
    """Write a profile; tags of equal content share it."""
    at = _HEADER + 4 + _ENTRY * len(tags)
    table, body = struct.pack(">I", len(tags)), b""
    places: dict[bytes, int] = {}
    for name, data in tags.items():
        if data not in places:
            places[data] = at + len(body)
            body += data + bytes(-len(data) % 4)
        table += struct.pack(">4sII", name, places[data], len(data))
    return struct.pack(">I", at + len(body)) + header[4:] + table + body


def _words(text: str, modern: bool, tag: bytes) -> bytes:
    """Return a text in the type that the version of a profile has for it."""
    if modern:
        letters = text.encode("utf-16-be")
        return struct.pack(">4s4xII4sII", b"mluc", 1, 12, b"enUS", len(letters), 28) + letters
    letters = text.encode("ascii") + b"\0"
    if tag == b"cprt":
        return b"text" + bytes(4) + letters
    return struct.pack(">4s4xI", b"desc", len(letters)) + letters + bytes(4 + 4 + 2 + 1 + 67)


def _exactly(data: bytes) -> bytes:
    """Return an element without what follows it, its reserved bytes empty."""
    length = _LENGTHS.get(data[:4])
    if length is None:
        raise _MalformedError
    size = length(data)
    if size > len(data):
        raise _MalformedError
    return data[:4] + bytes(4) + data[8:size]


def _curve(data: bytes) -> int:
    return 12 + 2 * int.from_bytes(data[8:12], "big")


def _formula(data: bytes) -> int:
    kind = int.from_bytes(data[8:10], "big")
    if kind > 4:
        raise _MalformedError
    return 12 + 4 * (1, 3, 4, 5, 7)[kind]


def _table8(data: bytes) -> int:
    inputs, outputs, points = data[8:11]
    return int(48 + 256 * (inputs + outputs) + points**inputs * outputs)


def _table16(data: bytes) -> int:
    inputs, outputs, points = data[8:11]
    first, last = struct.unpack_from(">HH", data, 48)
    return int(52 + 2 * (first * inputs + points**inputs * outputs + last * outputs))


_LENGTHS: dict[bytes, Callable[[bytes], int]] = {
    b"XYZ ": lambda _: 20,
    b"sf32": lambda _: 8 + 4 * 9,  # a matrix, which is all that `chad` may be
    b"cicp": lambda _: 12,
    b"curv": _curve,
    b"para": _formula,
    b"mft1": _table8,
    b"mft2": _table16,
    # Made of parts that may lie anywhere inside: as long as the table of tags says.
    b"mAB ": len,
    b"mBA ": len,
    b"mpet": len,
}
