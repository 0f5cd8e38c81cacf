"""What a film says beside its pictures: its comment, where it was made, and how it was encoded."""

from __future__ import annotations

import re
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import av

from seethrough.video.carried import font
from seethrough.video.opening import open_film, picture_stream

_CRF = re.compile(rb"x264 - core.{0,2000}?\bcrf=(\d+(?:\.\d+)?)", re.DOTALL)
_PLACES = ("location", "com.apple.quicktime.location.iso6709", "xyz")
_NAMES = ("artist", "author", "performer", "composer", "copyright", "album_artist")


@dataclass(frozen=True, slots=True)
class FilmTags:
    """What a film says of itself in words.

    Attributes
    ----------
    comment : str
        Empty where it has none.
    place : bool
        Whether it says where it was taken.
    names : tuple of str
        Fields that may name people.
    crf : float or None
        x264's constant rate factor, where the encoder left a note of it.
    pictures : int
        Tracks of pictures beside the film's, cover art among them, and attachments that are no
        fonts.
    """

    comment: str
    place: bool
    names: tuple[str, ...]
    crf: float | None
    pictures: int


def read_tags(path: Path) -> FilmTags:
    """Read a film's tags.

    Raises
    ------
    InputError
        As for :class:`~seethrough.video.FilmReader`.
    """
    with open_film(path) as container:
        stream = picture_stream(container, path)
        said = {key.lower(): value for key, value in container.metadata.items() if value.strip()}
        head = bytes(stream.codec_context.extradata or b"")
        pictures = len(container.streams.video) - 1
        pictures += sum(font(attached) is None for attached in container.streams.attachments)
        with suppress(StopIteration, av.FFmpegError):  # reading it will say what is wrong
            head += bytes(next(container.demux(stream)))
    found = _CRF.search(head)
    return FilmTags(
        comment=said.get("comment", ""),
        place=any(key.startswith(_PLACES) for key in said),
        names=tuple(name for name in _NAMES if name in said),
        pictures=pictures,
        crf=None if found is None else min(float(found.group(1)), 51.0),
    )
