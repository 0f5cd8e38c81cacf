"""Films read frame by frame, in constant memory.

What a player would hide is an error here: a frame that the decoder marks as damaged could show a
face that no detector finds, so reading stops there and names the time. A film that ends before
the end that it declares is truncated. Only MPEG streams may begin in the middle of a group of
pictures: what cannot be decoded before the first whole picture is left away, as players do.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from types import TracebackType

import av
from av.container import InputContainer
from av.stream import Stream
from av.video.stream import VideoStream

from seethrough.errors import InputError
from seethrough.video.frame import Frame
from seethrough.video.opening import (
    aspect_of,
    damaged,
    duration_of,
    open_film,
    picture_stream,
    rate_of,
    start_of,
    truncated,
    turn_of,
)
from seethrough.video.pixels import Normaliser

_JITTER = 1  # s; timestamps that run back by more belong to another recording
_SHORT = 1  # s; a film that ends earlier than this before its declared end is truncated


@dataclass(frozen=True)
class FilmInfo:
    """What a film says of itself.

    Attributes
    ----------
    path : Path
        Where it is.
    width, height : int
        Upright stored pixels.
    sample_aspect : Fraction
        A pixel's width over its height, upright; 1 where the film does not say.
    rate : Fraction
        Average frames a second; exact.
    duration : Fraction or None
        Seconds.
    frames : int or None
        An estimate.
    audio, subtitles : int
        Numbers of tracks.
    codec, pixel_format : str
        FFmpeg's names.
    rotation : int
        Degrees clockwise (0, 90, 180, 270) by which stored pixels are turned to be upright.
    time_base : Fraction
        Seconds in a tick of its timestamps.
    """

    path: Path
    width: int
    height: int
    sample_aspect: Fraction
    rate: Fraction
    duration: Fraction | None
    frames: int | None
    audio: int
    subtitles: int
    codec: str
    pixel_format: str
    rotation: int
    time_base: Fraction


class FilmReader:
    """A film that is open for reading; every iteration begins at its start.

    Parameters
    ----------
    path : Path
        A film.
    threads : int, optional
        For decoding; all processors where absent.

    Attributes
    ----------
    info : FilmInfo
        What the film says of itself.

    Raises
    ------
    InputError
        Where it is missing, empty, truncated, damaged, no film, or has no picture; while
        iterating too.
    """

    def __init__(self, path: Path, threads: int | None = None) -> None:
        self._path = path
        self._threads = threads
        self._turn = (0, False)
        self.first = self._first()

    def __enter__(self) -> FilmReader:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        where: TracebackType | None,
    ) -> None:
        return None

    def __iter__(self) -> Iterator[Frame]:
        """Yield every frame, upright, in presentation order."""
        with open_film(self._path) as container:
            stream = self._opened(container)
            normalise = Normaliser(self._turn)
            time_base = self.info.time_base
            origin = round(start_of(container) / time_base)
            step = max(1, round(1 / self.info.rate / time_base))
            last = None
            for index, coded in enumerate(_decoded(container, stream, self._path)):
                ticks = coded.pts if coded.pts is not None else coded.dts
                if ticks is None:
                    ticks = 0 if last is None else last + step
                else:
                    ticks -= origin
                if last is not None and ticks <= last:
                    if (last - ticks) * time_base > _JITTER:
                        raise damaged(self._path, last * time_base)
                    ticks = last + 1
                last = ticks
                frame = normalise(coded)
                frame.pts, frame.time_base = ticks, time_base
                if (frame.width, frame.height) != (self.info.width, self.info.height):
                    raise InputError(
                        f"{self._path} changes its size at {float(ticks * time_base):.3f} s",
                        "convert it to one size first",
                    )
                yield Frame(frame, index, ticks * time_base, self.info.sample_aspect)
            if last is None:
                raise InputError(f"{self._path} has no frame", "give a film with pictures")

    def listed(self) -> tuple[int, Fraction | None]:
        """Return how many frames the container lists, and when the last is shown.

        Nothing is decoded, so that it takes a fraction of the time; what an edit list hides does
        not count. In rare films it is not how many come out: some codecs have frames that are
        never shown, or several packets a frame.

        Returns
        -------
        int
            Packets of the picture.
        Fraction or None
            Seconds from the start of the film; ``None`` where it does not say.
        """
        count, last = 0, None
        for time in self._listed():
            count += 1
            if time is not None:
                last = time if last is None else max(last, time)
        return count, last

    def times(self) -> list[Fraction]:
        """Return when each frame is shown, as the container lists them; nothing is decoded.

        Returns
        -------
        list of Fraction
            Seconds from the start of the film, in order of presentation, and at last when the film
            ends: the last frame is taken to last for one of the average rate. Frames without a
            time, as rare containers have them, are taken to follow at that rate.
        """
        listed = list(self._listed())
        known = sorted(time for time in listed if time is not None)
        each = 1 / self.info.rate
        while len(known) <= len(listed):
            known.append(known[-1] + each if known else Fraction(0))
        return known

    def _listed(self) -> Iterator[Fraction | None]:
        """Yield the time of every packet of the picture, in the file's order."""
        last = None
        with open_film(self._path) as container:
            stream = picture_stream(container, self._path)
            origin = start_of(container)
            try:
                for packet in container.demux(stream):
                    if not packet.size or packet.is_discard:
                        continue
                    if packet.pts is None:
                        yield None
                    else:
                        last = packet.pts * Fraction(packet.time_base) - origin
                        yield last
            except av.FFmpegError as error:
                raise damaged(self._path, last) from error

    def _opened(self, container: InputContainer) -> VideoStream:
        stream = picture_stream(container, self._path)
        stream.thread_type = "AUTO"
        stream.codec_context.thread_count = self._threads or 0
        return stream

    def _first(self) -> av.VideoFrame:
        """Decode the first frame, which says what the headers leave open."""
        with open_film(self._path) as container:
            stream = self._opened(container)
            first = next(_decoded(container, stream, self._path), None)
            if first is None:
                raise InputError(f"{self._path} has no frame", "give a film with pictures")
            self._turn = turn_of(first)
            aspect = aspect_of(stream)
            rate = rate_of(stream)
            duration = duration_of(container, stream)
            estimate = stream.frames or (round(duration * rate) if duration else None)
            name = first.format.name
            first = Normaliser(self._turn)(first)
            self.info = FilmInfo(
                path=self._path,
                width=first.width,
                height=first.height,
                sample_aspect=1 / aspect if self._turn[0] % 2 else aspect,
                rate=rate,
                duration=duration,
                frames=estimate,
                audio=len(container.streams.audio),
                subtitles=len(container.streams.subtitles),
                codec=stream.codec_context.name,
                pixel_format=name,
                rotation=90 * self._turn[0],
                time_base=Fraction(stream.time_base or Fraction(1, 1000)),
            )
            return first


def _decoded(container: InputContainer, stream: VideoStream, path: Path) -> Iterator[av.VideoFrame]:
    """Yield the frames of a stream, in presentation order.

    Raises
    ------
    InputError
        At a damaged frame, and where the film ends early.
    """
    lenient = container.format.name.startswith("mpeg")
    any_frame = False
    end = Fraction(0)
    last: Fraction | None = None
    origin = start_of(container)
    try:
        for packet in container.demux((stream, *container.streams.audio)):
            end = max(end, _end_of(packet))
            if packet.stream is not stream:
                continue
            if packet.is_corrupt and (any_frame or not lenient):
                raise damaged(path, last)
            try:
                frames = stream.decode(packet)
            except av.EOFError:
                frames = []
            except av.FFmpegError:
                if any_frame or not lenient:
                    raise
                continue
            for frame in frames:
                if frame.is_corrupt:
                    if any_frame or not lenient:
                        raise damaged(path, frame.time or last)
                    continue
                any_frame = True
                if frame.time is not None:
                    last = Fraction(frame.time) - origin
                yield frame
    except (av.FFmpegError, ValueError, MemoryError) as error:
        raise damaged(path, last) from error
    declared = container.duration
    # MPEG streams declare nothing: their duration is guessed from what is there.
    if declared and not lenient and end - origin < Fraction(declared, av.time_base) - _SHORT:
        raise truncated(path)


def _end_of(packet: av.Packet[Stream]) -> Fraction:
    stamp = packet.dts if packet.pts is None else packet.pts
    if stamp is None or not packet.time_base:
        return Fraction(0)
    return (stamp + (packet.duration or 0)) * Fraction(packet.time_base)
