"""Films read frame by frame, in constant memory."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from types import TracebackType

from seethrough.video.frame import Frame


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


class FilmReader:
    """A film that is open for reading; every iteration begins at its start.

    Parameters
    ----------
    path : Path
        A film.
    threads : int, optional
        For decoding; all processors where absent.

    Raises
    ------
    InputError
        Where it is missing, empty, truncated, damaged, no film, or has no picture.
    """

    info: FilmInfo

    def __init__(self, path: Path, threads: int | None = None) -> None:
        raise NotImplementedError

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
        raise NotImplementedError
