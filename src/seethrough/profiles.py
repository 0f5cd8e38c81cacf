"""ICC profiles cut down to what decides colours.

Editors and cameras put more into a profile: names, serial numbers, whole pictures in tags of
their own. Nothing but numbers that a colour transform reads is taken over from the original, and
what the specification demands beside them is written anew. After ICC.1:2022, sections 7 to 10, and
ICC.1:2001-04 for the text of version 2.
"""

from __future__ import annotations

import math
import struct
from collections.abc import Callable
from functools import partial

DESCRIPTION = "colour profile"
"""What every profile calls itself that has been cut down."""

_HEADER, _ENTRY = 128, 12
_ACSP = slice(36, 40)
_ILLUMINANT = slice(68, 80)
_CREATED = (2000, 1, 1, 0, 0, 0)  # a date is demanded; the original's may tell one device by itself
_MOST_CHANNELS = 15
_PARAMETERS = {0: 1, 1: 3, 2: 4, 3: 5, 4: 7}  # numbers of a parametric curve, by its function

# One of these sets has to be whole for a profile to say anything about colours.
_MODELS = (
    (b"A2B0",),
    (b"A2B1",),
    (b"rXYZ", b"gXYZ", b"bXYZ", b"rTRC", b"gTRC", b"bTRC"),
    (b"kTRC",),
)


class _Malformed(Exception):  # noqa: N818 - never leaves this module
    pass


def trimmed(profile: bytes) -> bytes | None:
    """Return a profile that makes the same colours and holds nothing else of the original.

    Parameters
    ----------
    profile : bytes
        An ICC profile of version 2 or 4.

    Returns
    -------
    bytes or None
        The profile: a header without maker, model, creator, date and identifier, the tags that
        colours come from, each at its true length, and a fixed description and copyright.
        ``None`` where it is malformed: such profiles are dropped by viewers.

    Notes
    -----
    Tags in floating point (``D2B0`` and the like) are left out. The specification has them only
    beside tables of integers, which many programs read in their place; and they are containers
    in which anything could lie.
    """
    try:
        elements = _elements(profile)
    except (_Malformed, struct.error):
        return None
    if not any(all(tag in elements for tag in model) for model in _MODELS):
        return None
    texts = _texts_of_version_4() if profile[8] >= 4 else _texts_of_version_2()
    return _assembled(profile, texts | elements)


def _elements(profile: bytes) -> dict[bytes, bytes]:
    """Return the tags that colours come from, written anew; those that cannot be read are left."""
    if profile[_ACSP] != b"acsp":
        raise _Malformed
    (size,), (count,) = (struct.unpack_from(">I", profile, at) for at in (0, _HEADER))
    profile = profile[:size]
    if _HEADER + 4 + _ENTRY * count > len(profile):
        raise _Malformed
    found: dict[bytes, bytes] = {}
    for entry in range(count):
        tag, start, length = struct.unpack_from(">4sII", profile, _HEADER + 4 + _ENTRY * entry)
        if tag in found:
            raise _Malformed  # programs do not agree on which of the two counts
        if tag not in _READERS or start + length > len(profile):
            continue
        element = profile[start : start + length]
        try:
            found[tag] = _READERS[tag][element[:4]](element)
        except (_Malformed, struct.error, LookupError):
            continue
    return found


def _assembled(profile: bytes, elements: dict[bytes, bytes]) -> bytes:
    """Return a profile of elements; equal ones are stored once, as most programs store curves."""
    start = _HEADER + 4 + _ENTRY * len(elements)
    table, body = struct.pack(">I", len(elements)), b""
    places: dict[bytes, int] = {}
    for tag, element in elements.items():
        if element not in places:
            places[element] = start + len(body)
            body += _padded(element)
        table += struct.pack(">4sII", tag, places[element], len(element))
    (flags,), (intent,) = (struct.unpack_from(">I", profile, at) for at in (44, 64))
    header = b"".join(
        (
            struct.pack(">I4x", start + len(body)),
            profile[8:10] + bytes(2),  # version
            profile[12:24],  # class, colour space, connection space
            struct.pack(">6H", *_CREATED),
            struct.pack(">4s4xI16x", b"acsp", flags & 0b11),  # the rest belongs to makers
            struct.pack(">I", intent & 0xFFFF),
            profile[_ILLUMINANT],
            bytes(48),  # creator, identifier (0: not computed), reserved
        )
    )
    return header + table + body


def _padded(element: bytes) -> bytes:
    return element + bytes(-len(element) % 4)


def _texts_of_version_2() -> dict[bytes, bytes]:
    ascii_text = DESCRIPTION.encode("ascii") + b"\0"
    # No Unicode (language, count), no Macintosh script (code, count, 67 bytes).
    described = struct.pack(">4s4xI", b"desc", len(ascii_text)) + ascii_text + bytes(8 + 3 + 67)
    return {b"desc": described, b"cprt": b"text" + bytes(4) + b"\0"}


def _texts_of_version_4() -> dict[bytes, bytes]:
    def localised(text: str) -> bytes:
        encoded = text.encode("utf-16-be")
        record = struct.pack(">II2s2sII", 1, 12, b"en", b"US", len(encoded), 28)
        return b"mluc" + bytes(4) + record + encoded

    return {b"desc": localised(DESCRIPTION), b"cprt": localised("")}


# Readers take an element of at least its declared length and return it without what its type
# does not speak of: reserved bytes, and whatever follows.


def _anew(element: bytes, length: int) -> bytes:
    """Return the first ``length`` bytes, reserved ones zero."""
    if len(element) < length:
        raise _Malformed
    return element[:4] + bytes(4) + element[8:length]


def _curve(element: bytes) -> bytes:
    if element[:4] == b"curv":
        return _anew(element, 12 + 2 * int(struct.unpack_from(">I", element, 8)[0]))
    if element[:4] != b"para":
        raise _Malformed
    (function,) = struct.unpack_from(">H", element, 8)
    if function not in _PARAMETERS:
        raise _Malformed
    curve = _anew(element, 12 + 4 * _PARAMETERS[function])
    return curve[:10] + bytes(2) + curve[12:]


def _chromaticity(element: bytes) -> bytes:
    (channels,) = struct.unpack_from(">H", element, 8)
    if channels > _MOST_CHANNELS:
        raise _Malformed
    return _anew(element, 12 + 8 * channels)


def _channels(element: bytes) -> tuple[int, int]:
    inputs, outputs = element[8], element[9]
    if not 0 < inputs <= _MOST_CHANNELS or not 0 < outputs <= _MOST_CHANNELS:
        raise _Malformed
    return inputs, outputs


def _table(element: bytes) -> bytes:
    """Read ``mft1`` and ``mft2``: a matrix, curves, a grid and curves again."""
    inputs, outputs = _channels(element)
    grid = element[10] ** inputs * outputs
    if element[:4] == b"mft1":
        table = _anew(element, 48 + 256 * inputs + grid + 256 * outputs)
    else:
        entries, exits = struct.unpack_from(">HH", element, 48)
        table = _anew(element, 52 + 2 * (entries * inputs + grid + exits * outputs))
    return table[:11] + b"\0" + table[12:]


def _stages(element: bytes) -> bytes:
    """Read ``mAB`` and ``mBA``: up to five stages, each where an offset says, or absent (0)."""
    inputs, outputs = _channels(element)
    # Curves B and M, and the matrix between them, lie on the side of the connection space.
    near, far = (outputs, inputs) if element[:4] == b"mAB " else (inputs, outputs)
    stages: tuple[Callable[[bytes], bytes], ...] = (
        partial(_curves, count=near),
        lambda data: _exactly(data, 48),
        partial(_curves, count=near),
        partial(_grid, inputs=inputs, outputs=outputs),
        partial(_curves, count=far),
    )
    offsets, body = [], b""
    for offset, read in zip(struct.unpack_from(">5I", element, 12), stages, strict=True):
        offsets.append(32 + len(body) if offset else 0)
        if offset:
            body += _padded(read(element[offset:]))
    return struct.pack(">4s4xBBxx5I", element[:4], inputs, outputs, *offsets) + body


def _curves(data: bytes, count: int) -> bytes:
    curves = b""
    for _ in range(count):
        curves += _padded(_curve(data[len(curves) :]))
    return curves


def _grid(data: bytes, inputs: int, outputs: int) -> bytes:
    points, bytes_each = data[:inputs], data[16]
    if bytes_each not in (1, 2):
        raise _Malformed
    values = _exactly(data[20:], math.prod(points) * outputs * bytes_each)
    return points + bytes(16 - inputs) + bytes((bytes_each, 0, 0, 0)) + values


def _exactly(data: bytes, length: int) -> bytes:
    if len(data) < length:
        raise _Malformed
    return data[:length]


_Readers = dict[bytes, Callable[[bytes], bytes]]
_POINT: _Readers = {b"XYZ ": partial(_anew, length=20)}
_CURVES: _Readers = {b"curv": _curve, b"para": _curve}
_TO_CONNECTION: _Readers = {b"mft1": _table, b"mft2": _table, b"mAB ": _stages}
_FROM_CONNECTION: _Readers = {b"mft1": _table, b"mft2": _table, b"mBA ": _stages}
_READERS: dict[bytes, _Readers] = {
    **dict.fromkeys((b"rXYZ", b"gXYZ", b"bXYZ", b"wtpt", b"bkpt", b"lumi"), _POINT),
    **dict.fromkeys((b"rTRC", b"gTRC", b"bTRC", b"kTRC"), _CURVES),
    **dict.fromkeys((b"A2B0", b"A2B1", b"A2B2"), _TO_CONNECTION),
    **dict.fromkeys((b"B2A0", b"B2A1", b"B2A2", b"gamt"), _FROM_CONNECTION),
    b"chad": {b"sf32": partial(_anew, length=44)},
    b"chrm": {b"chrm": _chromaticity},
    b"cicp": {b"cicp": partial(_anew, length=12)},
}
