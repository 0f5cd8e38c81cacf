"""A film decoded, edited frame by frame and encoded again, in segments that can be resumed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from seethrough.video.frame import Frame
from seethrough.video.options import EncodeOptions
from seethrough.video.reader import FilmInfo


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
    raise NotImplementedError
