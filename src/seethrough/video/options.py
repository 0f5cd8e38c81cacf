"""How a film is encoded, and what of it is kept."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias, get_args

from seethrough.errors import UsageError

Codec: TypeAlias = Literal["h264", "h265", "vp9", "av1"]
Voice: TypeAlias = Literal["keep", "mute"]

MAX_CRF = {"h264": 51.0, "h265": 51.0, "vp9": 63.0, "av1": 63.0}


@dataclass(frozen=True)
class EncodeOptions:
    """How a film is encoded, and what of it is kept.

    Attributes
    ----------
    codec : str or None
        ``h264``, ``h265``, ``vp9`` or ``av1``; where absent ``h264``, but ``vp9`` in WebM.
    crf : float or None
        Constant rate factor; 0 is lossless with ``h264``. The codec's default where absent.
    preset : str or None
        The encoder's preset (``h264``, ``h265``: ultrafast ... placebo; ``av1``: 0 to 13;
        ``vp9``: cpu-used, 0 to 8). The default where absent.
    voice : str
        ``keep`` copies every sound track as it is, ``mute`` drops them all.
    keep_metadata : bool
        Keep tags of short plain text, chapters and attached fonts, which may hold names and places.
    keep_subtitles : bool
        Keep subtitle tracks, which may hold names.
    description : str or None
        Written into the film's comment.

    Raises
    ------
    UsageError
        Where a value is out of range.
    """

    codec: Codec | None = None
    crf: float | None = None
    preset: str | None = None
    voice: Voice = "keep"
    keep_metadata: bool = False
    keep_subtitles: bool = False
    description: str | None = None

    def __post_init__(self) -> None:
        if self.codec is not None and self.codec not in get_args(Codec):
            raise UsageError(
                f"there is no codec {self.codec!r}", f"choose {', '.join(get_args(Codec))}"
            )
        highest = MAX_CRF[self.codec or "h264"]
        if self.crf is not None and not 0 <= self.crf <= highest:
            raise UsageError(
                f"a CRF of {self.crf:g} is out of range", f"give 0 (best) to {highest:g}"
            )
        if self.voice not in get_args(Voice):
            raise UsageError(f"the voice cannot be {self.voice!r}", "choose keep or mute")
