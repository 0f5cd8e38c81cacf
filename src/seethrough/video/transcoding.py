"""A film decoded, edited frame by frame and encoded again, in segments that can be resumed."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import av
from av.codec.context import Flags
from av.video.codeccontext import VideoCodecContext

from seethrough.errors import InputError, OutputError, UsageError
from seethrough.files import check_output
from seethrough.video.codecs import Encoding, choose, container_of
from seethrough.video.frame import Frame
from seethrough.video.joining import join, opened
from seethrough.video.opening import open_film
from seethrough.video.options import EncodeOptions
from seethrough.video.parts import Parts, PartWriter
from seethrough.video.pixels import blank, converted, side_by_side
from seethrough.video.reader import FilmInfo, FilmReader

SEGMENT = 300
"""Frames in a segment. Each begins with a key frame and ends with a drained encoder."""

_ENDS = 1 << 20  # bytes of the source, at either end, that tell it from another


@dataclass
class Timings:
    """Seconds that each stage took, summed over the frames; filled in by :func:`transcode`."""

    decode: float = 0.0
    edit: float = 0.0
    encode: float = 0.0
    join: float = 0.0
    frames: int = 0


def transcode(
    source: Path,
    target: Path,
    edit: Callable[[Frame], None],
    options: EncodeOptions,
    *,
    overwrite: bool = False,
    resume: bool = False,
    progress: Callable[[int, int | None], None] | None = None,
    threads: int | None = None,
    key: str = "",
    skip: Callable[[Frame], None] | None = None,
    timings: Timings | None = None,
    segment: int = SEGMENT,
    beside: Path | None = None,
    size: tuple[int, int] | None = None,
) -> FilmInfo:
    """Decode a film, edit every frame in place, and encode it.

    The film is encoded in independent segments, each written under a temporary name in the
    folder ``.NAME.parts`` beside the target and renamed when complete; at the end they are
    joined, with the sound, under a temporary name, which is then renamed.

    Parameters
    ----------
    source, target : Path
        Films; the target's suffix chooses the container.
    edit : callable
        Changes one frame, in presentation order.
    options : EncodeOptions
        How to encode, and what to keep.
    overwrite : bool
        Replace a target that exists.
    resume : bool
        Take over the segments that an earlier run with the same ``key`` finished.
    progress : callable, optional
        Called with the number of frames done and of frames in all, where that is known.
    threads : int, optional
        For decoding and encoding; all processors where absent.
    key : str
        A hash of all that decides what ``edit`` does (tracks, options): segments of another key
        are discarded. The source and ``options`` are added here.
    skip : callable, optional
        Called instead of ``edit`` for the frames of segments that were taken over: an ``edit``
        with a memory keeps it up to date there.
    timings : Timings, optional
        Filled in.
    segment : int
        Frames in a segment.
    beside : Path, optional
        Another film of the same size and frames: the target shows both, that one on the right.
    size : tuple of int, optional
        Width and height of every frame that ``edit`` leaves, where they are not the film's.

    Returns
    -------
    FilmInfo
        Of the source.

    Raises
    ------
    InputError
        As :class:`~seethrough.video.FilmReader` does.
    UsageError
        Where the container cannot hold the codec or a sound track.
    OutputError
        Where the target exists or cannot be written.
    """
    container_of(target)
    check_output(target, overwrite=overwrite)
    clocks = Timings() if timings is None else timings
    with FilmReader(source, threads) as film:
        first, written = film.first, film.info
        others = None
        if size is not None:
            first = blank(first, *size)
            written = replace(written, width=size[0], height=size[1])
        if beside is not None:
            first = side_by_side(first, first)
            written = replace(written, width=first.width)
            others = iter(FilmReader(beside, threads))
        encoding = choose(first, written, target, options)
        _check_different(source, target)
        print_of = _fingerprint(source, target, encoding, options, threads, segment, key)
        parts = Parts(target, print_of, resume=resume)
        with _keeping(parts, target), ExitStack() as stack:
            _rehearse(parts.folder, written, target, encoding, options, threads)
            work = stack.enter_context(
                closing(_Segments(written, encoding, parts, threads, segment))
            )
            for frame in _timed(film, clocks):
                started = time.perf_counter()
                if frame.index // segment in parts.done:
                    if skip is not None:
                        skip(frame)
                    if others is not None:
                        _other(others, frame, beside)
                    clocks.edit += time.perf_counter() - started
                else:
                    edit(frame)
                    coded = frame.coded
                    if others is not None:
                        coded = side_by_side(coded, _other(others, frame, beside))
                    edited = time.perf_counter()
                    clocks.edit += edited - started
                    work.add(frame.index, coded)
                    clocks.encode += time.perf_counter() - edited
                clocks.frames += 1
                if progress is not None:
                    total = film.info.frames
                    progress(
                        frame.index + 1, None if total is None else max(total, frame.index + 1)
                    )
            started = time.perf_counter()
            work.finish()
            clocks.encode += time.perf_counter() - started
            started = time.perf_counter()
            # Hidden, in a folder that only its owner reads, until it is whole.
            whole = parts.folder / f"whole{target.suffix}"
            numbers = range(-(-clocks.frames // segment))
            finished = [parts.done[number] for number in numbers]
            join(whole, written, encoding, finished, options, threads)
            check_output(target, overwrite=overwrite)
            whole.replace(target)
            parts.discard()
            clocks.join += time.perf_counter() - started
    return film.info


class _Segments:
    """Encodes frames, each segment on its own, and leaves its packets in a part."""

    def __init__(
        self, info: FilmInfo, encoding: Encoding, parts: Parts, threads: int | None, length: int
    ) -> None:
        self._info = info
        self._encoding = encoding
        self._parts = parts
        self._threads = threads
        self._length = length
        self._number = -1
        self._frames = 0
        self._last = 0
        self._encoder: VideoCodecContext | None = None
        self._writer: PartWriter | None = None

    def add(self, index: int, frame: av.VideoFrame) -> None:
        """Encode one frame."""
        number = index // self._length
        if number != self._number:
            self.finish()
            self._number = number
            self._frames = 0
            self._encoder = self._opened()
            self._writer = self._parts.writer(number)
        assert self._encoder is not None
        assert self._writer is not None
        self._last = frame.duration
        self._frames += 1
        frame.pict_type = 0  # the source's choice of key frames is not repeated
        coded = converted(frame, self._encoding.pixel_format)
        for packet in self._encoder.encode(coded):
            self._writer.add(packet)
        if self._frames == self._length:
            self.finish()

    def finish(self) -> None:
        """Complete the segment that is open."""
        if self._encoder is None or self._writer is None:
            return
        for packet in self._encoder.encode(None):
            self._writer.add(packet)
        header = bytes(self._encoder.extradata or b"")
        self._parts.done[self._number] = self._writer.finish(self._frames, header, self._last)
        self._encoder = self._writer = None
        self._number = -1

    def close(self) -> None:
        """Leave a segment that was not completed."""
        if self._writer is not None:
            self._writer.abandon()

    def _opened(self) -> VideoCodecContext:
        context = VideoCodecContext.create(self._encoding.encoder, "w")
        assert isinstance(context, VideoCodecContext)
        self._encoding.configure(context, self._info, self._threads)
        context.flags |= Flags.global_header.value  # as the container's own encoder has it
        context.open()
        return context


def _other(others: Iterator[Frame], frame: Frame, path: Path | None) -> av.VideoFrame:
    other = next(others, None)
    if other is None or other.shape != frame.shape:
        raise InputError(f"{path} has other frames than its source", "make it again")
    return other.coded


def _timed(film: FilmReader, clocks: Timings) -> Iterator[Frame]:
    """Yield frames, and count the time that decoding them takes."""
    frames = iter(film)
    while True:
        started = time.perf_counter()
        frame = next(frames, None)
        clocks.decode += time.perf_counter() - started
        if frame is None:
            return
        yield frame


@contextmanager
def _keeping(parts: Parts, target: Path) -> Iterator[None]:
    """Decide what becomes of the parts where a run does not end well.

    A film that cannot be read or written as asked never will be: its parts go. Whatever else
    happens, finished parts stay for ``resume``.
    """
    try:
        yield
    except (InputError, UsageError):
        parts.discard()
        raise
    except OSError as error:
        if not parts.done:
            parts.discard()
        raise OutputError(
            f"{target} cannot be written ({error.strerror or error})",
            "check the folder, its permissions and the space that is left",
        ) from error
    except BaseException:
        if not parts.done:
            parts.discard()
        raise


def rehearse(
    film: FilmReader,
    target: Path,
    options: EncodeOptions,
    threads: int | None = None,
) -> None:
    """Make sure, before long work, that a film can be encoded as asked; nothing is left behind.

    Parameters
    ----------
    film : FilmReader
        The source.
    target : Path
        In a folder that exists; its suffix chooses the container.
    options : EncodeOptions
        How to encode, and what to keep.
    threads : int, optional
        For encoding.

    Raises
    ------
    UsageError
        Where the container cannot hold the codec or a sound track.
    """
    encoding = choose(film.first, film.info, target, options)
    _rehearse(target.parent, film.info, target, encoding, options, threads)


def _rehearse(
    folder: Path,
    info: FilmInfo,
    target: Path,
    encoding: Encoding,
    options: EncodeOptions,
    threads: int | None,
) -> None:
    """Open the container once before the work, so that what it cannot hold is known at once."""
    trial = folder / f"trial{target.suffix}"
    try:
        with (
            open_film(info.path) as source,
            opened(trial, source, info, encoding, options, threads),
        ):
            pass
    finally:
        trial.unlink(missing_ok=True)


def _check_different(source: Path, target: Path) -> None:
    if target.exists() and target.samefile(source):
        raise OutputError(f"the output {target} is an input", "name another output")


def _fingerprint(
    source: Path,
    target: Path,
    encoding: Encoding,
    options: EncodeOptions,
    threads: int | None,
    segment: int,
    key: str,
) -> str:
    """Return a hash of all that the segments depend on."""
    digest = hashlib.sha256()
    size = source.stat().st_size
    with source.open("rb") as file:
        digest.update(file.read(_ENDS))
        file.seek(max(0, size - _ENDS))
        digest.update(file.read(_ENDS))
    versions = (av.__version__, sorted(av.library_versions.items()))
    known = (size, source.stat().st_mtime_ns, encoding, options, threads, segment, key, versions)
    digest.update(repr((target.suffix.lower(), *known)).encode())
    return digest.hexdigest()
