"""The finished film: encoded segments, and the sound as it was, put into one container."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from fractions import Fraction
from pathlib import Path
from typing import Any, cast

import av
import numpy as np
from av.container import InputContainer, OutputContainer
from av.container.core import Flags
from av.packet import Packet
from av.stream import Disposition, Stream
from av.video.stream import VideoStream

from seethrough.errors import UsageError
from seethrough.video.carried import bare, font, header, language, words
from seethrough.video.codecs import Encoding
from seethrough.video.opening import damaged_tracks, open_film, start_of
from seethrough.video.options import EncodeOptions
from seethrough.video.parts import Part
from seethrough.video.reader import FilmInfo

_UNTRUE = ("BPS", "DURATION", "ENCODER", "NUMBER_OF_", "VENDOR_ID", "_STATISTICS")
"""Tags that describe the encoded streams of the source, by how they begin."""

_BITEXACT = cast(int, Flags.bitexact.value)

_RUN_IN = Fraction(1, 10)
"""Seconds of hidden sound that are kept before the film begins: what decoders of AAC and Opus need
to get going, and what their encoders hide for that."""

_STRUCTURE = {"compatible_brands", "encoder", "major_brand", "minor_version"}


@contextmanager
def opened(
    path: Path,
    source: InputContainer,
    info: FilmInfo,
    encoding: Encoding,
    options: EncodeOptions,
    threads: int | None,
) -> Iterator[tuple[OutputContainer, VideoStream, dict[int, Stream]]]:
    """Open a container for writing, with all its streams, and write its header.

    Yields
    ------
    OutputContainer
        The container.
    VideoStream
        Its picture.
    dict of int to Stream
        Its other streams, by the number of the source's stream.

    Raises
    ------
    UsageError
        Where the container cannot hold one of them.
    """
    copied: list[Stream] = []
    if options.voice == "keep":
        copied += source.streams.audio
    if options.keep_subtitles:
        copied += source.streams.subtitles
    with av.open(
        str(path), "w", format=encoding.container, options=_muxer(info, encoding, copied, options)
    ) as container:
        container.flags |= _BITEXACT  # nothing random, no versions
        picture = _picture(container, info, encoding, threads)
        others = {stream.index: _copy(container, stream, path, info, options) for stream in copied}
        _describe(container, source, encoding, options)
        try:
            container.start_encoding()
        except OSError:  # the disk is full, say: no fault of the container
            raise
        except (av.FFmpegError, ValueError) as error:
            raise UsageError(
                f"{path.suffix} cannot hold the tracks of {info.path}",
                "choose .mkv, or drop the sound (voice mute) and the subtitles",
            ) from error
        yield container, picture, others


def join(
    path: Path,
    info: FilmInfo,
    encoding: Encoding,
    parts: Sequence[Part],
    options: EncodeOptions,
    threads: int | None,
) -> None:
    """Write segments and the source's sound into one film.

    Parameters
    ----------
    path : Path
        What to write.
    info : FilmInfo
        The source, from which sound and subtitles are copied, packet by packet.
    encoding : Encoding
        How the segments were encoded.
    parts : sequence of Part
        In order.
    options : EncodeOptions
        What to keep.
    threads : int or None
        As the segments were encoded with.

    Raises
    ------
    InputError
        Where the sound or the subtitles cannot be copied.
    """
    with (
        open_film(info.path) as source,
        opened(path, source, info, encoding, options, threads) as (container, picture, others),
    ):
        head = bytes(picture.codec_context.extradata or b"")
        if any(part.header != head for part in parts):
            raise RuntimeError("the encoder's header has changed between segments")
        pictures = _pictures(parts, info, picture)
        copies = _copies(source, others)
        with _readable(info):
            picture_next, copy_next = next(pictures, None), next(copies, None)
        while picture_next is not None or copy_next is not None:
            if copy_next is None or (
                picture_next is not None and _when(picture_next) <= _when(copy_next)
            ):
                assert picture_next is not None
                container.mux_one(picture_next)
                picture_next = next(pictures, None)
            else:
                with _readable(info):
                    container.mux_one(copy_next)
                    copy_next = next(copies, None)


@contextmanager
def _readable(info: FilmInfo) -> Iterator[None]:
    """Take what FFmpeg refuses while packets are copied for damage of the source."""
    try:
        yield
    except OSError:  # among them some of FFmpeg's: the disk is full
        raise
    except av.FFmpegError as error:
        raise damaged_tracks(info.path) from error


def _muxer(
    info: FilmInfo, encoding: Encoding, copied: Sequence[Stream], options: EncodeOptions
) -> dict[str, str]:
    """Return what the container's writer is told."""
    if encoding.container not in ("mp4", "mov"):
        # Sound that begins a little early (its encoder's run-in) shall not push the picture back.
        return {"avoid_negative_ts": "disabled"}
    # Delays are stored in the film's own unit, a thousandth where nothing is said: find one in
    # which those of every track are exact.
    units = [info.time_base.denominator]
    units += [stream.time_base.denominator for stream in copied if stream.time_base]
    unit = math.lcm(*units)
    scale = next(one for one in (unit, units[0], 1000) if one < 1 << 31)
    flags = {"movflags": "use_metadata_tags"} if options.keep_metadata else {}
    return {"movie_timescale": str(max(scale, 1000)), **flags}


def _picture(
    container: OutputContainer, info: FilmInfo, encoding: Encoding, threads: int | None
) -> VideoStream:
    try:
        stream = container.add_stream(encoding.encoder, rate=info.rate)
    except ValueError as error:
        raise UsageError(
            f"{encoding.container} does not hold what {encoding.encoder} writes",
            "choose another codec or another suffix",
        ) from error
    assert isinstance(stream, VideoStream)
    stream.time_base = info.time_base
    encoding.configure(stream.codec_context, info, threads)
    return stream


def _copy(
    container: OutputContainer, stream: Stream, path: Path, info: FilmInfo, options: EncodeOptions
) -> Stream:
    try:
        copy = container.add_stream_from_template(stream)
    except (ValueError, av.FFmpegError) as error:
        context: Any = stream.codec_context
        name = "unknown" if context is None else context.name
        what = "subtitles" if stream.type == "subtitle" else "sound"
        remedy = "leave the subtitles out" if what == "subtitles" else "drop it (voice mute)"
        raise UsageError(
            f"{path.suffix} cannot hold the {what} of this film (codec {name})",
            f"choose .mkv or .mov, or {remedy}",
        ) from error
    copied: Any = copy.codec_context
    copied.extradata = header(stream, info.path)
    kept = words(stream.metadata) if options.keep_metadata else {}
    kept = {key: value for key, value in kept.items() if not key.upper().startswith(_UNTRUE)}
    kept.pop("language", None)
    copy.metadata.update(kept | language(stream.metadata))
    copy.disposition = Disposition(stream.disposition)
    return copy


def _describe(
    container: OutputContainer,
    source: InputContainer,
    encoding: Encoding,
    options: EncodeOptions,
) -> None:
    if options.keep_metadata:
        container.metadata.update(
            {key: value for key, value in words(source.metadata).items() if key not in _STRUCTURE}
        )
        chapters = source.chapters()
        for chapter in chapters:
            chapter["metadata"] = words(chapter["metadata"])
        container.set_chapters(chapters)
        if encoding.container == "matroska":
            for found in filter(None, map(font, source.streams.attachments)):
                container.add_attachment(*found)
    if options.description:
        container.metadata["comment"] = options.description


def _pictures(
    parts: Sequence[Part], info: FilmInfo, stream: VideoStream
) -> Iterator[Packet[VideoStream]]:
    """Yield the packets of all segments, with times to decode that rise through all of them."""
    coded = np.concatenate([part.stamps for part in parts])
    shown = np.sort(coded)
    # A packet is decoded no later than it is shown: as many frames ahead as the encoder reorders.
    ahead = int(np.max(np.arange(len(coded)) - np.searchsorted(shown, coded)))
    usual = max(1, round(1 / info.rate / info.time_base))
    step = min(usual, int(shown[1] - shown[0])) if len(shown) > 1 else usual
    before = shown[0] - step * np.arange(ahead, 0, -1)
    decoded = np.concatenate([before, shown])[: len(coded)]
    spans = np.diff(shown, append=shown[-1] + (parts[-1].last or usual))
    spans_coded = spans[np.searchsorted(shown, coded)]
    count = 0
    for part in parts:
        for data, key in zip(part.packets(), part.keys, strict=True):
            packet: Any = Packet(data)
            packet.stream = stream
            packet.time_base = info.time_base
            packet.pts, packet.dts = int(coded[count]), int(decoded[count])
            packet.duration = int(spans_coded[count])
            packet.is_keyframe = bool(key)
            count += 1
            yield packet


def _copies(source: InputContainer, others: dict[int, Stream]) -> Iterator[Packet[Stream]]:
    """Yield the packets of sound and subtitles, as they are, from the time that is shown as 0.

    What an edit list hides stays behind: whoever has cut a name from a film's start would else find
    it in the result, in containers without such lists even audibly.
    """
    if not others:
        return
    origin = start_of(source)
    for packet in source.demux([source.streams[index] for index in others]):
        if packet.size == 0 and packet.dts is None:
            continue  # the end of a stream
        shift = round(origin / packet.time_base)
        if packet.pts is not None:
            packet.pts -= shift
        if packet.dts is not None:
            packet.dts -= shift
        if packet.is_discard and not -_RUN_IN <= _when(packet) < 0:
            continue
        packet.stream = others[packet.stream.index]
        copy = bare(packet)
        if copy.size or not packet.size:  # else it was all tag, and no sound
            yield copy


def _when(packet: Packet[Any]) -> Fraction:
    stamp = packet.dts if packet.dts is not None else packet.pts
    return (stamp or 0) * Fraction(packet.time_base)
