"""Tiny films with exact contents, made by PyAV."""

from __future__ import annotations

import struct
from collections.abc import Callable, Sequence
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from av.codec.context import Flags

RATE = Fraction(25)


def scene(index: int, width: int, height: int) -> np.ndarray:
    """A smooth moving picture, another one for each frame."""
    y, x = np.mgrid[:height, :width].astype(np.float64)
    shift = 7.0 * index
    red = 128 + 90 * np.sin((x + shift) / 17)
    green = 128 + 90 * np.sin((y - shift) / 13)
    blue = 128 + 90 * np.sin((x + y + shift) / 23)
    return np.rint(np.stack([red, green, blue], axis=-1)).astype(np.uint8)


def make(
    path: Path,
    *,
    frames: int = 12,
    size: tuple[int, int] = (160, 96),
    rate: Fraction = RATE,
    stamps: Sequence[int] | None = None,
    time_base: Fraction | None = None,
    codec: str = "libx264",
    pixel_format: str = "yuv420p",
    options: dict[str, str] | None = None,
    sound: str | Sequence[str] = (),
    seconds: float = 0.5,
    picture: Callable[[int, int, int], np.ndarray] = scene,
    aspect: Fraction | None = None,
    tags: tuple[int, int, int, int] | None = None,
    metadata: dict[str, str] | None = None,
    subtitles: bool = False,
    b_frames: bool = True,
    woven: bool = False,
) -> Path:
    """Write a film. ``tags``: range, matrix, primaries, transfer."""
    width, height = size
    stamps = list(range(frames)) if stamps is None else list(stamps)
    time_base = time_base or 1 / rate
    with av.open(str(path), "w") as container:
        container.metadata.update(metadata or {})
        stream = container.add_stream(codec, rate=rate)
        stream.width, stream.height, stream.pix_fmt = width, height, pixel_format
        stream.time_base = stream.codec_context.time_base = time_base
        quick = {"preset": "ultrafast", "crf": "10", "bf": "2" if b_frames else "0"}
        stream.options = options if options is not None else quick if "x26" in codec else {}
        stream.codec_context.thread_count = 1
        if woven:
            stream.codec_context.flags |= Flags.interlaced_dct
        if aspect is not None:
            stream.sample_aspect_ratio = aspect
        if tags is not None:
            context = stream.codec_context
            context.color_range, context.colorspace = tags[0], tags[1]
            context.color_primaries, context.color_trc = tags[2], tags[3]
        names = [sound] if isinstance(sound, str) else list(sound)
        tracks = [container.add_stream(name, rate=48000, layout="mono") for name in names]
        words = container.add_mux_stream("subrip") if subtitles else None
        for index, stamp in enumerate(stamps):
            frame = av.VideoFrame.from_ndarray(picture(index, width, height), format="rgb24")
            if tags is not None:
                frame = frame.reformat(
                    format=pixel_format, dst_colorspace=tags[1], dst_color_range=tags[0]
                )
                frame.color_range, frame.colorspace = tags[0], tags[1]
                frame.color_primaries, frame.color_trc = tags[2], tags[3]
            else:
                frame = frame.reformat(format=pixel_format)
            frame.pts, frame.time_base = stamp, time_base
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
        for track in tracks:
            _sing(container, track, seconds)
        if words is not None:
            packet = av.Packet(b"A name in a subtitle")
            packet.stream, packet.time_base = words, Fraction(1, 1000)
            packet.pts = packet.dts = 0
            packet.duration = 300
            container.mux(packet)
    return path


def _sing(container: av.container.OutputContainer, track: av.audio.AudioStream, seconds: float):
    count = 1024
    for index in range(int(seconds * 48000 / count)):
        wave = np.sin(np.arange(index * count, (index + 1) * count) * 440 * 2 * np.pi / 48000)
        frame = av.AudioFrame.from_ndarray(
            np.rint(wave * 9000).astype(np.int16)[None], format="s16", layout="mono"
        )
        frame.sample_rate, frame.pts = 48000, index * count
        frame.time_base = Fraction(1, 48000)
        container.mux(track.encode(frame))
    container.mux(track.encode(None))


def turned(path: Path, matrix: tuple[int, int, int, int]) -> Path:
    """Write a display matrix (a, b, c, d) into the picture's track header of an MP4 file."""
    data = bytearray(path.read_bytes())
    place = data.index(b"tkhd") + 4
    start = place + (4 + 20 + 8 + 8 if data[place] == 0 else 4 + 32 + 8 + 8)
    a, b, c, d = (value << 16 for value in matrix)
    data[start : start + 36] = struct.pack(">9i", a, b, 0, c, d, 0, 0, 0, 1 << 30)
    path.write_bytes(data)
    return path


def trimmed(path: Path, seconds: Fraction) -> Path:
    """Hide the film's start by an edit list, as telephones do; nothing is encoded again."""
    out = path.with_name(f"trimmed-{path.name}")
    options = {"use_editlist": "1", "avoid_negative_ts": "disabled"}
    with av.open(str(path)) as source, av.open(str(out), "w", container_options=options) as target:
        copies = [target.add_stream_from_template(stream) for stream in source.streams]
        for packet in source.demux():
            if packet.pts is None or packet.dts is None:
                continue
            hidden = round(seconds / packet.time_base)
            packet.pts, packet.dts = packet.pts - hidden, packet.dts - hidden
            packet.stream = copies[packet.stream.index]
            target.mux(packet)
    return out


def stamps_of(path: Path) -> list[Fraction]:
    """Presentation times, as PyAV says them."""
    with av.open(str(path)) as container:
        return [frame.pts * frame.time_base for frame in container.decode(video=0)]


def planes_of(path: Path) -> list[list[np.ndarray]]:
    """The decoded samples of every frame, plane by plane."""
    decoded = []
    with av.open(str(path)) as container:
        for frame in container.decode(video=0):
            dtype = np.uint8 if frame.format.components[0].bits == 8 else np.uint16
            decoded.append(
                [
                    np.frombuffer(memoryview(plane), dtype)
                    .reshape(plane.height, -1)[:, : plane.width]
                    .copy()
                    for plane in frame.planes
                ]
            )
    return decoded


def packets_of(path: Path, kind: str) -> list[list[bytes]]:
    """The packets of every track of a kind."""
    with av.open(str(path)) as container:
        tracks = getattr(container.streams, kind)
        found: dict[int, list[bytes]] = {track.index: [] for track in tracks}
        for packet in container.demux(tracks) if tracks else ():
            if packet.size:
                found[packet.stream.index].append(bytes(packet))
    return list(found.values())
