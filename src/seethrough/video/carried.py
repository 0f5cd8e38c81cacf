"""What a film carries over beside its picture: words, headers of sound, fonts; never a picture.

A film can hold further pictures where nobody looks for them: cover art in the header of a sound
track, a preview in a tag, a photo attached under a text's name. They may show what was covered.
So nothing passes as the source has it: each thing is what it says it is, or it stays behind.
"""

from __future__ import annotations

import mimetypes
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from av.packet import Packet, PktSideDataT
from av.stream import AttachmentStream, Stream

from seethrough.video.opening import damaged_tracks

_LONGEST = 1000  # characters of a tag: a longer one may be a picture written in letters
_LETTERED = re.compile(r"[A-Za-z0-9+/=_-]{201}")  # base64 and the like: no word is that long
_CONTROL = re.compile(r"[\x00-\x08\x0e-\x1f\x7f]")
_PICTURE_KEY = re.compile(r"apic|artwork|covr|cover|picture|preview|thumb", re.IGNORECASE)
_LANGUAGE = re.compile(r"(?=.{1,35}\Z)[A-Za-z]{1,8}(-[A-Za-z0-9]{1,8})*\Z")  # as BCP 47 has it

# How JPEG (its first marker, and which may follow), PNG, GIF and WebP begin.
_PICTURE = re.compile(
    rb"\xff\xd8\xff[\xc0-\xc4\xdb\xdd\xe0-\xef\xfe]|\x89PNG\r\n\x1a\n|GIF8[79]a|RIFF.{4}WEBP",
    re.DOTALL,
)
_FONTS = (b"\x00\x01\x00\x00", b"true", b"OTTO", b"ttcf", b"wOFF", b"wOF2")

_STREAMINFO = 34  # bytes, RFC 9639, 8.2
_NO_COMMENTS = b"\x03vorbis" + bytes(8) + b"\x01"  # no vendor, no comment, the framing bit
_SECTION = re.compile(rb"\[[^\]\r\n]*[a-z][^\]\r\n]*\]\s*\Z")  # encoded pictures have no small ones
_PICTURE_SECTIONS = (b"[fonts]", b"[graphics]")

# What may go beside a packet: how it is to be played.
_OF_SOUND: tuple[PktSideDataT, ...] = ("skip_samples", "jp_dual_mono")
_OF_WORDS: tuple[PktSideDataT, ...] = ("subtitle_position", "webvtt_identifier", "webvtt_settings")


def words(tags: Mapping[str, str]) -> dict[str, str]:
    """Return the tags that are short plain text under names that promise no picture."""
    return {
        key: value
        for key, value in tags.items()
        if _plain(key) and _plain(value) and not _PICTURE_KEY.search(key)
    }


def language(tags: Mapping[str, str]) -> dict[str, str]:
    """Return the tag that names a track's language, if it looks like a code for one."""
    code = tags.get("language", "")
    return {"language": code} if _LANGUAGE.match(code) else {}


def font(stream: AttachmentStream) -> tuple[str, str, bytes] | None:
    """Return an attachment's name, type and bytes where it is a font without pictures.

    Its bytes decide; what it is called counts only against it.
    """
    name, kind, data = stream.name or "font", stream.mimetype or "font/sfnt", stream.data
    guessed = mimetypes.guess_type(name, strict=False)[0] or ""
    if "image" in f"{kind} {guessed}".lower() or not (_plain(name) and _plain(kind)):
        return None
    return (name, kind, data) if data.startswith(_FONTS) and not _PICTURE.search(data) else None


def header(stream: Stream, path: Path) -> bytes | None:
    """Return what a decoder needs to know of a track of sound or subtitles, and nothing else.

    Raises
    ------
    InputError
        Where it is not what the codec prescribes, or holds a picture; ``path`` is the source.
    """
    context: Any = stream.codec_context
    data = bytes(context.extradata or b"")
    if not data:
        return None
    try:
        data = _HEADERS.get(context.name, bytes)(data)
        if _PICTURE.search(data):
            raise ValueError("it holds a picture")
    except (ValueError, IndexError) as error:
        raise damaged_tracks(path) from error
    return data


def bare(packet: Packet[Any]) -> Packet[Any]:
    """Return a packet without the data beside it, but for how it is to be played.

    Matroska lets anything go beside a block (BlockAdditions), packets can bring new headers, and
    whoever puts MP3 files into films as they are puts their cover art among the sound.
    """
    context = packet.stream.codec_context
    tagged = context is not None and context.name.startswith(("aac", "mp3"))
    copy: Packet[Any] = Packet(_untagged(bytes(packet)) if tagged else bytes(packet))
    copy.stream, copy.time_base = packet.stream, packet.time_base
    copy.pts, copy.dts, copy.duration = packet.pts, packet.dts, packet.duration
    copy.is_keyframe = packet.is_keyframe
    for kind in _OF_SOUND + _OF_WORDS:
        if packet.has_sidedata(kind):
            copy.set_sidedata(packet.get_sidedata(kind))
    return copy


def _plain(text: str) -> bool:
    """Tell whether a text is short, and words rather than bytes written in letters."""
    joined = text.replace("\r", "").replace("\n", "")  # base64 is often broken into lines
    return len(text) <= _LONGEST and not (_CONTROL.search(text) or _LETTERED.search(joined))


def _untagged(data: bytes) -> bytes:
    """Cut off the ID3 tags before a frame of sound (ID3v2.4, 3.1: seven bits a byte of length)."""
    while data.startswith(b"ID3") and len(data) >= 10:
        data = data[10 + sum(data[9 - place] << 7 * place for place in range(4)) :]
    return data


def _vorbis(data: bytes) -> bytes:
    """Empty the second of the three headers (Vorbis I, 4.2): cover art lies in its comments."""
    prefixed = data[:2] == b"\x00\x1e"  # the first is 30 bytes long
    first, _, third = _prefixed(data) if prefixed else _laced(data)
    if len(first) != 30 or first[:7] != b"\x01vorbis" or third[:7] != b"\x05vorbis":
        raise ValueError("no Vorbis headers")
    parts = first, _NO_COMMENTS, third
    if prefixed:
        return b"".join(len(part).to_bytes(2, "big") + part for part in parts)
    return bytes([2, len(first), len(_NO_COMMENTS)]) + b"".join(parts)


def _prefixed(data: bytes) -> list[bytes]:
    """Split headers that have their lengths before them, in 16 bits each."""
    parts = []
    for _ in range(3):
        end = 2 + int.from_bytes(data[:2], "big")
        if end > len(data):
            raise ValueError("it ends too early")
        parts.append(data[2:end])
        data = data[end:]
    return parts


def _laced(data: bytes) -> list[bytes]:
    """Split headers laced as in Ogg: how many but one, all lengths but the last in 255s, a rest."""
    if data[0] != 2:
        raise ValueError("not three headers")
    at, lengths = 1, []
    for _ in range(2):
        length = 0
        while data[at] == 255:
            length, at = length + 255, at + 1
        lengths.append(length + data[at])
        at += 1
    middle, last = at + lengths[0], at + sum(lengths)
    return [data[at:middle], data[middle:last], data[last:]]


def _flac(data: bytes) -> bytes:
    """Return STREAMINFO alone, without the blocks for pictures and comments that may follow it."""
    if data.startswith(b"fLaC"):
        if data[4] & 0x7F or int.from_bytes(data[5:8], "big") != _STREAMINFO:
            raise ValueError("STREAMINFO does not come first")
        data = data[8:]
    if len(data) < _STREAMINFO:
        raise ValueError("it ends too early")
    return data[:_STREAMINFO]


def _opus(data: bytes) -> bytes:
    """Return the identification header alone (RFC 7845, 5.1; RFC 8486, 3.2)."""
    if not data.startswith(b"OpusHead"):
        raise ValueError("no Opus header")
    channels, family = data[9], data[18]
    if family == 0:
        return data[:19]
    matrix = 2 * channels * (data[19] + data[20])
    return data[: 21 + (matrix if family == 3 else channels)]


def _script(data: bytes) -> bytes:
    """Return the head of ASS subtitles without the sections that hold files, encoded as text."""
    kept, keep = [], True
    for line in data.splitlines(keepends=True):
        if _SECTION.match(line) or line.strip().lower() in _PICTURE_SECTIONS:
            keep = line.strip().lower() not in _PICTURE_SECTIONS
        if keep:
            kept.append(line)
    return b"".join(kept)


_HEADERS: dict[str, Callable[[bytes], bytes]] = {
    **dict.fromkeys(("opus", "libopus"), _opus),
    **dict.fromkeys(("ass", "ssa"), _script),
    "flac": _flac,
    "vorbis": _vorbis,
}
