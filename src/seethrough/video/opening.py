"""Films opened, and everything that can be wrong with one told as one error."""

from __future__ import annotations

import struct
from contextlib import suppress
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
from av.container import InputContainer
from av.stream import Disposition
from av.video.stream import VideoStream

from seethrough.errors import InputError
from seethrough.files import check_input
from seethrough.video.wholeness import missing_bytes

MAX_PIXELS = 1 << 26
"""Larger frames are refused: twice the pixels of 8K."""

# No playlists: they name other files and addresses. No pictures: they are not films.
_FORMATS = "mov,mp4,m4a,3gp,3g2,mj2,matroska,webm,avi,mpeg,mpegts,mpegvideo,asf,flv,ogg"

_REPAIR = "export the film again, or cut the damaged part away"


def open_film(path: Path) -> InputContainer:
    """Open a film.

    Raises
    ------
    InputError
        Where it is missing, empty, truncated or no film.
    """
    check_input(path)
    if missing_bytes(path):
        raise truncated(path)
    try:
        return av.open(
            str(path.absolute()),
            "r",
            options={"format_whitelist": _FORMATS},
            metadata_errors="replace",
        )
    except (av.FFmpegError, ValueError, UnicodeError) as error:
        raise InputError(
            f"{path} is no film that can be read, or it is truncated",
            "check that it plays and was copied whole",
        ) from error


def picture_stream(container: InputContainer, path: Path) -> VideoStream:
    """Return the stream that a player shows; cover art is none.

    Raises
    ------
    InputError
        Where there is none that can be decoded.
    """
    streams = [
        stream
        for stream in container.streams.video
        if not stream.disposition & (Disposition.attached_pic | Disposition.timed_thumbnails)
    ]
    if not streams:
        sound = " (it holds sound only)" if container.streams.audio else ""
        raise InputError(f"{path} has no picture{sound}", "give a film with pictures")
    stream = next((one for one in streams if one.disposition & Disposition.default), streams[0])
    context: Any = stream.codec_context  # None where FFmpeg has no decoder
    if context is None or context.pix_fmt is None or not context.width or not context.height:
        name = "unknown" if context is None else context.name
        raise InputError(f"{path} cannot be decoded (codec {name})", "convert it to H.264 first")
    if context.width * context.height > MAX_PIXELS:
        raise InputError(
            f"{path} is too large ({context.width} x {context.height} px)", "reduce it first"
        )
    return stream


def start_of(container: InputContainer) -> Fraction:
    """Return the time that a player shows as zero, in the film's own clock, in seconds."""
    return Fraction(container.start_time or 0, av.time_base)


def rate_of(stream: VideoStream) -> Fraction:
    """Return the average number of frames a second."""
    for rate in (stream.average_rate, stream.guessed_rate, stream.base_rate):
        if rate:
            return Fraction(rate)
    return Fraction(25)


def aspect_of(stream: VideoStream) -> Fraction:
    """Return a stored pixel's width over its height; 1 where the film does not say."""
    ratio = stream.sample_aspect_ratio
    return Fraction(ratio) if ratio and ratio > 0 else Fraction(1)


def duration_of(container: InputContainer, stream: VideoStream) -> Fraction | None:
    """Return the seconds that the film says it lasts."""
    if stream.duration and stream.time_base:
        return stream.duration * stream.time_base
    return Fraction(container.duration, av.time_base) if container.duration else None


def turn_of(frame: av.VideoFrame) -> tuple[int, bool]:
    """Return quarter turns clockwise that make a frame upright, and whether to mirror it first.

    The display matrix (ISO 14496-12, 6.2.2) maps (x, y) to (a x + c y, b x + d y); where it
    turns by something else than quarters, the nearest quarter is taken.
    """
    side_data: Any = frame.side_data
    with suppress(KeyError):
        matrix = struct.unpack("=9i", bytes(side_data["DISPLAYMATRIX"])[:36])
        a, b, c, d = matrix[0], matrix[1], matrix[3], matrix[4]
        quarters = (0 if d >= 0 else 2) if abs(d) >= abs(c) else (1 if c < 0 else 3)
        return quarters, a * d - b * c < 0
    return 0, False


def truncated(path: Path) -> InputError:
    """Return the error for a film that ends too early."""
    return InputError(f"{path} is truncated", "copy it again, whole")


def damaged(path: Path, seconds: Fraction | float | None) -> InputError:
    """Return the error for a film that cannot be decoded at some time."""
    where = "" if seconds is None else f" at {clock(float(seconds))}"
    return InputError(f"{path} is damaged{where}", _REPAIR)


def damaged_tracks(path: Path) -> InputError:
    """Return the error for a film whose other tracks cannot be copied."""
    return InputError(
        f"the sound or the subtitles of {path} are damaged",
        "leave them out (voice mute), or export the film again",
    )


def clock(seconds: float) -> str:
    """Return seconds as ``hh:mm:ss.mmm``."""
    thousandths = round(max(seconds, 0.0) * 1000)
    minutes, rest = divmod(thousandths, 60_000)
    return f"{minutes // 60:02d}:{minutes % 60:02d}:{rest // 1000:02d}.{rest % 1000:03d}"
