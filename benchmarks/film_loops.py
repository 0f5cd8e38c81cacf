"""Small copies of films, and long films: a short one shown again and again."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from av.container import InputContainer, OutputContainer

from benchmarks import parts

RATE = 16_000
"""Samples of sound a second."""
_BLOCK = 1024  # samples in a packet


def films_folder() -> Path:
    """The cache's folder for films, made if missing."""
    folder = parts.cache_folder() / "films"
    folder.mkdir(exist_ok=True)
    return folder


def small(source: Path, width: int, height: int, rate: int, *, frames: int | None = None) -> Path:
    """Return a reduced copy of a film in the cache: H.264, and a hum as its sound.

    Parameters
    ----------
    source : Path
        A film with an even rate of at least ``rate``.
    width, height : int
        Of the copy.
    rate : int
        Frames per second.
    frames : int, optional
        Only so many of the first.
    """
    kept = f"{source.stem}-{width}x{height}-{rate}-{frames or 'all'}.mp4"
    path = films_folder() / kept
    if path.exists():
        return path
    with (
        parts.written(path) as temporary,
        av.open(str(source)) as film,
        av.open(str(temporary), "w") as out,
    ):
        picture = out.add_stream("libx264", rate=rate)
        picture.width, picture.height, picture.pix_fmt = width, height, "yuv420p"
        picture.options = {"crf": "20", "preset": "veryfast", "threads": "1"}
        hum = out.add_stream("aac", rate=RATE, layout="mono")
        count = 0
        for frame in film.decode(video=0):
            if frame.time < count / rate - 1e-6:
                continue
            reduced = frame.reformat(width, height, "yuv420p", interpolation="AREA")
            reduced.pts, reduced.time_base = count, Fraction(1, rate)
            reduced.pict_type = 0
            out.mux(picture.encode(reduced))
            count += 1
            if count == frames:
                break
        out.mux(picture.encode())
        play(out, hum, count / rate)
    return path


def play(out: OutputContainer, stream: av.AudioStream, seconds: float) -> None:
    """Write a hum of 220 Hz into a track of one channel at :data:`RATE`."""
    for number in range(int(seconds * RATE) // _BLOCK):
        wave = np.sin(2 * np.pi * 220 / RATE * (np.arange(_BLOCK) + _BLOCK * number))
        block = av.AudioFrame.from_ndarray(
            (0.2 * wave).astype(np.float32)[None], format="fltp", layout="mono"
        )
        block.sample_rate, block.pts = RATE, _BLOCK * number
        out.mux(stream.encode(block))
    out.mux(stream.encode())


def looped(source: Path, times: int) -> Path:
    """Return a film shown so many times over, in the cache; its packets are copied."""
    path = source.with_name(f"{source.stem}-times-{times}.mp4")
    if path.exists():
        return path
    with parts.written(path) as temporary, av.open(str(temporary), "w") as out:
        with av.open(str(source)) as film:  # every stream before the first packet
            kept = {s.index: out.add_stream_from_template(s) for s in _streams(film)}
        start = Fraction(0)
        for _ in range(times):
            with av.open(str(source)) as film:
                length = Fraction(0)
                for packet in film.demux(_streams(film)):
                    if packet.dts is None or packet.pts is None:
                        continue
                    base = Fraction(packet.time_base)
                    if packet.stream.type == "video":
                        length = max(length, (packet.pts + (packet.duration or 0)) * base)
                    shift = int(start / base)
                    packet.pts, packet.dts = packet.pts + shift, packet.dts + shift
                    packet.stream = kept[packet.stream.index]
                    out.mux(packet)
                start += length
    return path


def _streams(film: InputContainer) -> list[av.VideoStream | av.AudioStream]:
    return [*film.streams.video, *film.streams.audio]
