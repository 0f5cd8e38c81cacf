"""Encoders: which samples they take, and how they are set.

What is kept: bit depth where the codec has it (H.264 to 10 bits, H.265 to 12, AV1 to 10; VP9 as
PyAV builds it only 8), chroma as it is, colour tags, pixel aspect, time base.

Odd sizes: 4:2:0 in H.264 and H.265 needs even numbers, and cropping one column away in the stream
is not possible there. Such films become 4:4:4, where every chroma sample is repeated for the pixels
that shared it: the size stays and no sample is lost. VP9 and AV1 take odd sizes as they are.

Preset: the encoder shares its processors with a detector or a restorer, and x264's default
(medium) takes about twice the time of ``veryfast``. The CRF is low instead: the file is larger, and
the picture beside a cover stays what it was.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

import av
import cv2
from av.codec.context import Flags
from av.video.codeccontext import VideoCodecContext

from seethrough.errors import UsageError
from seethrough.video.options import Codec, EncodeOptions
from seethrough.video.pixels import format_name, parse
from seethrough.video.reader import FilmInfo

CONTAINERS = {
    ".m4v": "mp4",
    ".mkv": "matroska",
    ".mov": "mov",
    ".mp4": "mp4",
    ".webm": "webm",
}
"""Suffixes that can be written, and FFmpeg's names of their containers."""

_ENCODERS: dict[str, str] = {
    "h264": "libx264",
    "h265": "libx265",
    "vp9": "libvpx-vp9",
    "av1": "libsvtav1",
}
_AVX_512 = 13  # OpenCV's CV_CPU_AVX_512F, which has no name in Python
_DEPTHS = {"h264": (8, 10), "h265": (8, 10, 12), "vp9": (8,), "av1": (8, 10)}
_CRF = {"h264": 18.0, "h265": 20.0, "vp9": 24.0, "av1": 26.0}
_PRESET = {"h264": "veryfast", "h265": "veryfast", "vp9": "6", "av1": "9"}
_PRESETS_X26 = [
    *("ultrafast", "superfast", "veryfast", "faster", "fast"),
    *("medium", "slow", "slower", "veryslow", "placebo"),
]
_PRESETS = {
    "h264": _PRESETS_X26,
    "h265": _PRESETS_X26,
    "vp9": [str(number) for number in range(9)],
    "av1": [str(number) for number in range(14)],
}


@dataclass(frozen=True)
class Tags:
    """Colour tags by H.273's numbers: range, matrix, primaries, transfer."""

    range: int
    matrix: int
    primaries: int
    transfer: int

    @classmethod
    def of(cls, frame: av.VideoFrame) -> Tags:
        return cls(frame.color_range, frame.colorspace, frame.color_primaries, frame.color_trc)


@dataclass(frozen=True)
class Encoding:
    """An encoder and everything it is told.

    Attributes
    ----------
    encoder : str
        FFmpeg's name.
    pixel_format : str
        What it is given.
    options : tuple of (str, str)
        Its private options.
    tags : Tags
        Colour.
    container : str
        FFmpeg's name of the format.
    woven : bool
        Whether frames are two fields (H.264 alone says so here).
    """

    encoder: str
    pixel_format: str
    options: tuple[tuple[str, str], ...]
    tags: Tags
    container: str
    woven: bool = False

    def configure(self, context: VideoCodecContext, info: FilmInfo, threads: int | None) -> None:
        """Set up an encoder that is not open yet."""
        context.width, context.height = info.width, info.height
        context.pix_fmt = self.pixel_format
        context.time_base = info.time_base
        context.framerate = info.rate
        context.sample_aspect_ratio = info.sample_aspect
        context.color_range, context.colorspace = self.tags.range, self.tags.matrix
        context.color_primaries, context.color_trc = self.tags.primaries, self.tags.transfer
        context.options = dict(self.options)
        context.thread_count = threads or 0
        if self.woven:
            context.flags |= Flags.interlaced_dct.value
        if self.encoder == "libx265" and self.container in ("mp4", "mov"):
            context.codec_tag = "hvc1"  # without it, Apple's players refuse the film


def container_of(target: Path) -> str:
    """Return FFmpeg's name of the container that a suffix means.

    Raises
    ------
    UsageError
        Where films are not written with that suffix.
    """
    try:
        return CONTAINERS[target.suffix.lower()]
    except KeyError:
        raise UsageError(
            f"the output {target} has a suffix that cannot be written here",
            f"let it end in {', '.join(sorted(CONTAINERS))}",
        ) from None


def choose(first: av.VideoFrame, info: FilmInfo, target: Path, options: EncodeOptions) -> Encoding:
    """Return the encoder for a film.

    Parameters
    ----------
    first : av.VideoFrame
        A frame as it will be edited.
    info : FilmInfo
        The source.
    target : Path
        Its suffix chooses the container.
    options : EncodeOptions
        What the user asks for.

    Raises
    ------
    UsageError
        Where the container does not hold the codec, or the codec cannot keep the depth.
    """
    container = container_of(target)
    parsed = parse(first.format.name)
    assert parsed is not None
    depth, step = parsed
    codec: Codec = options.codec or (
        "h264" if container != "webm" else "vp9" if depth == 8 else "av1"
    )
    if container == "webm" and codec in ("h264", "h265"):
        raise UsageError(f"WebM does not hold {codec}", "choose vp9 or av1, or another suffix")
    if codec == "vp9" and depth > 8:
        raise UsageError(
            f"{info.path} has {depth} bits, and VP9 is written with 8 here", "choose av1"
        )
    depth = max(one for one in _DEPTHS[codec] if one <= depth)
    odd = info.width % 2 == 1 or info.height % 2 == 1
    if step == (0, 0) or codec == "av1":
        step = (2, 2)
    if odd and codec in ("h264", "h265") and step != (1, 1):
        step = (1, 1)
    return Encoding(
        _ENCODERS[codec],
        format_name(depth, step),
        tuple(_private(codec, options).items()),
        Tags.of(first),
        container,
        codec == "h264" and first.interlaced_frame,
    )


def repeatable_x264() -> dict[str, str]:
    """Options that make x264 write the same bytes every time.

    Its AVX-512 code, as PyAV 18.1 brings it with FFmpeg 8.1, reads memory that nothing has written:
    two runs differ by a few levels. AVX2's does not.
    """
    return {"x264-params": "asm=AVX2"} if cv2.checkHardwareSupport(_AVX_512) else {}


def _private(codec: Codec, options: EncodeOptions) -> dict[str, str]:
    crf = _CRF[codec] if options.crf is None else options.crf
    preset = options.preset or _PRESET[codec]
    if preset not in _PRESETS[codec]:
        raise UsageError(
            f"there is no preset {preset!r} of {codec}", f"choose {', '.join(_PRESETS[codec])}"
        )
    captions = "1" if options.keep_subtitles else "0"  # closed captions lie in the frames
    if codec == "h264":
        # Quantiser 0 is lossless at any depth; CRF 0 only at 8 bits.
        rate = {"qp": "0"} if crf == 0 else {"crf": f"{crf:g}"}
        return {"preset": preset, "a53cc": captions, **rate, **repeatable_x264()}
    if codec == "h265":
        lossless = ":lossless=1" if crf == 0 else ""
        quiet = f"log-level=none{lossless}"
        return {"preset": preset, "a53cc": captions, "crf": f"{crf:g}", "x265-params": quiet}
    if codec == "vp9":
        exact = {"lossless": "1"} if crf == 0 else {}
        speed = {"deadline": "good", "cpu-used": preset, "row-mt": "1"}
        return {"crf": f"{crf:g}", "b": "0", **speed, **exact}
    os.environ.setdefault("SVT_LOG", "1")  # errors only; it writes to standard error itself
    return {"preset": preset, "crf": f"{crf:g}"}
