"""Options of the verb ``redact``."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any, Self, TypeAlias

from seethrough.errors import UsageError
from seethrough.files import named
from seethrough.pipeline.options import Numbers, RunOptions, numbers
from seethrough.redactor import Style
from seethrough.redactor.style import StyleName
from seethrough.tracker import OnLost, TrackOptions
from seethrough.types import Box
from seethrough.video.options import Codec, EncodeOptions, Voice

Faces: TypeAlias = str | int | Iterable[int]
"""Numbers of faces, or one string with commas between."""

Time: TypeAlias = str | float | Fraction
"""Seconds, or a string: seconds or ``[hh:]mm:ss[.mmm]``."""

_CLOCK = re.compile(r"(?:(\d+):([0-5]?\d)|(\d+)):([0-5]?\d(?:\.\d+)?)", re.ASCII)
_SECONDS = re.compile(r"\d+(?:\.\d*)?|\.\d+", re.ASCII)


@dataclass(frozen=True, kw_only=True)
class RedactOptions(RunOptions):
    """Options of ``redact``.

    Attributes
    ----------
    style : str or None
        How faces are covered, one of :data:`seethrough.redactor.STYLES`. Absent: ``solid``,
        enlarged where verification finds that something still shows; a style that is given is
        kept as it is.
    strength : float or None
        ``mosaic``: cells per face width. ``blur``: sigma as a share of it.
    only, keep : tuple of int
        Numbers of the faces to cover, or of those to leave; at most one of the two.
    tracks : Path or None
        Where the faces are, in place of detection; honoured as it stands.
    from_, to : Fraction or None
        Seconds: frames with ``from_ <= time < to`` are covered.
    box : tuple of Box
        Regions of the single input to cover as well, in half-open upright pixels.
    on_lost : str
        What happens where a face of a film is lost: ``hold``, ``cover-frame`` or ``stop``.
    verify : bool
        Look at the finished output for what still shows.
    voice : str
        ``keep`` or ``mute`` the sound of films.
    keep_metadata, keep_subtitles : bool
        Keep what may hold names and places.
    codec : str or None
        ``h264``, ``h265``, ``vp9`` or ``av1``.
    crf : float or None
        Constant rate factor.
    preset : str or None
        The encoder's preset.
    """

    style: StyleName | None = None
    strength: float | None = None
    only: tuple[int, ...] = ()
    keep: tuple[int, ...] = ()
    tracks: Path | None = None
    from_: Fraction | None = None
    to: Fraction | None = None
    box: tuple[Box, ...] = ()
    on_lost: OnLost = "hold"
    verify: bool = True
    voice: Voice = "keep"
    keep_metadata: bool = False
    keep_subtitles: bool = False
    codec: Codec | None = None
    crf: float | None = None
    preset: str | None = None

    @classmethod
    def of(
        cls,
        *,
        only: Faces | None = None,
        keep: Faces | None = None,
        tracks: str | Path | None = None,
        from_: Time | None = None,
        to: Time | None = None,
        box: Iterable[Box | Numbers] | None = None,
        **others: Any,
    ) -> Self:
        """Read the options as a command line or a Python caller gives them."""
        return cls(
            only=_faces("--only", only),
            keep=_faces("--keep", keep),
            tracks=None if tracks is None else named(tracks),
            from_=None if from_ is None else seconds(from_),
            to=None if to is None else seconds(to),
            box=tuple(
                each if isinstance(each, Box) else Box(*numbers("the box", each, 4))
                for each in box or ()
            ),
            **others,
        )

    def __post_init__(self) -> None:
        super().__post_init__()
        _ = self.cover, self.encoding, self.tracking  # each refuses what makes no sense
        if self.only and self.keep:
            raise UsageError(
                "--only names the faces to cover and --keep those to leave", "give one of them"
            )
        if self.from_ is not None and self.to is not None and self.from_ >= self.to:
            raise UsageError(
                f"--from {float(self.from_):g} s is not before --to {float(self.to):g} s",
                "let --from be the earlier time",
            )

    @property
    def files(self) -> tuple[Path, ...]:
        """Where the faces are, if a file says so."""
        return () if self.tracks is None else (self.tracks,)

    @property
    def placed(self) -> bool:
        """Whether there are boxes to cover besides."""
        return bool(self.box)

    @property
    def cover(self) -> Style:
        """The style, before verification has asked for larger covers."""
        if self.style is None and self.strength is not None:
            raise UsageError("--strength says how strong a style is", "give --style too")
        return Style(self.style or "solid", self.strength)

    @property
    def tracking(self) -> TrackOptions:
        """How faces of films are followed."""
        return TrackOptions(on_lost=self.on_lost)

    @property
    def encoding(self) -> EncodeOptions:
        """How films are encoded."""
        return EncodeOptions(
            codec=self.codec,
            crf=self.crf,
            preset=self.preset,
            voice=self.voice,
            keep_metadata=self.keep_metadata,
            keep_subtitles=self.keep_subtitles,
        )

    def lasts(self, time: Fraction) -> bool:
        """Whether a frame at ``time`` seconds is one of those to cover."""
        return (self.from_ is None or time >= self.from_) and (self.to is None or time < self.to)


def seconds(given: Time) -> Fraction:
    """Read a time of a film: seconds, or ``[hh:]mm:ss[.mmm]``.

    Raises
    ------
    UsageError
        Where it is neither.
    """
    if isinstance(given, Fraction) and given >= 0:
        return given
    text = str(given).strip()
    if _SECONDS.fullmatch(text):
        return Fraction(text)
    clock = _CLOCK.fullmatch(text)
    if clock is None:
        raise UsageError(
            f"{text!r} is no time of a film", "give seconds (12.5) or [hh:]mm:ss (01:40)"
        )
    hours, minutes, alone, rest = clock.groups()
    return 3600 * Fraction(hours or 0) + 60 * Fraction(minutes or alone) + Fraction(rest)


def _faces(flag: str, given: Faces | None) -> tuple[int, ...]:
    """Read the numbers of faces."""
    if given is None:
        return ()
    parts: list[Any]
    if isinstance(given, str):
        parts = [part.strip() for part in given.split(",")]
    else:
        parts = [given] if isinstance(given, int) else list(given)
    texts = [str(part) for part in parts]
    if not texts:
        return ()
    if not all(text.isascii() and text.isdigit() and int(text) > 0 for text in texts):
        raise UsageError(
            f"{flag} {','.join(texts)} does not name faces",
            "give their numbers as `seethrough faces` shows them, such as 1,3",
        )
    return tuple(sorted({int(text) for text in texts}))
