"""Pixel formats: which a frame is kept in, and the planes of PyAV's frames as arrays."""

from __future__ import annotations

import re
from collections.abc import Sequence

import av
import cv2
import numpy as np
from av.video.reformatter import VideoReformatter

from seethrough.errors import InputError
from seethrough.video.samples import FULL_RANGE, Coding, Plane, matrix_of

_STEPS = {"gray": (0, 0), "420": (2, 2), "422": (2, 1), "444": (1, 1)}
_NAME = re.compile(r"(?:(gray)|yuvj?(420|422|444)p)(10le|12le)?")


def parse(name: str) -> tuple[int, tuple[int, int]] | None:
    """Return bits and chroma step of a format whose planes are edited as they are, or None."""
    match = _NAME.fullmatch(name)
    if match is None:
        return None
    return int((match[3] or "8").removesuffix("le")), _STEPS[match[1] or match[2]]


def format_name(depth: int, step: tuple[int, int]) -> str:
    """Return FFmpeg's name of a planar format."""
    chroma = next(name for name, pixels in _STEPS.items() if pixels == step)
    base = chroma if chroma == "gray" else f"yuv{chroma}p"
    return base if depth == 8 else f"{base}{depth}le"


def kept_as(name: str) -> str:
    """Return the planar format in which frames of any format are edited.

    Layouts that only order samples otherwise (NV12, big endian) are reordered; RGB becomes
    4:4:4; alpha is dropped; what is coarser than 4:2:0 across (4:1:1, 4:1:0) becomes 4:2:2 or
    4:2:0, more than 12 bits become 12.
    """
    if parse(name) is not None:
        return name.replace("yuvj", "yuv")
    layout = av.VideoFormat(name, 16, 16)
    bits = max(component.bits for component in layout.components)
    depth = 8 if bits <= 8 else 10 if bits == 10 else 12
    if layout.is_rgb or layout.has_palette or layout.name.startswith("pal"):
        return format_name(depth, (1, 1))
    if len(layout.components) < 3:
        return format_name(depth, (0, 0))
    across, down = 16 // layout.chroma_width(16), 16 // layout.chroma_height(16)
    return format_name(depth, (1 if across == 1 else 2, 1 if down == 1 or across == 1 else 2))


def planes_of(frame: av.VideoFrame) -> tuple[Plane, ...]:
    """Return the planes of a frame in a format that :func:`parse` knows, as views."""
    parsed = parse(frame.format.name)
    assert parsed is not None
    dtype = np.dtype(np.uint8 if parsed[0] == 8 else np.uint16)
    views = []
    for plane in frame.planes:
        rows = np.frombuffer(memoryview(plane), dtype).reshape(plane.height, -1)
        views.append(rows[:, : plane.width])
    return tuple(views)


def coding_of(frame: av.VideoFrame) -> Coding:
    """Return what the samples of a frame mean."""
    parsed = parse(frame.format.name)
    assert parsed is not None
    full = frame.color_range == FULL_RANGE
    weights = matrix_of(frame.colorspace, frame.width, frame.height)
    return Coding(parsed[0], parsed[1], weights, full, frame.interlaced_frame)


class Normaliser:
    """Brings decoded frames to the format in which they are edited, and turns them upright.

    Parameters
    ----------
    turn : Turn
        Quarter turns clockwise, and whether the picture is mirrored first.
    """

    def __init__(self, turn: tuple[int, bool]) -> None:
        self._turn = turn
        self._reformatter = VideoReformatter()

    def __call__(self, frame: av.VideoFrame) -> av.VideoFrame:
        name = frame.format.name
        wanted = kept_as(name)
        full = name.startswith("yuvj") or frame.color_range == FULL_RANGE
        if parse(name) is None or any(plane.line_size < 0 for plane in frame.planes):
            frame = self._converted(frame, wanted)
        if wanted != frame.format.name:  # yuvj420p says its range in its name
            frame = rebuilt(frame, planes_of(frame), wanted)
            full = True
        if self._turn != (0, False):
            frame = _turned(frame, *self._turn)
        if full:
            frame.color_range = FULL_RANGE
        return frame

    def _converted(self, frame: av.VideoFrame, wanted: str) -> av.VideoFrame:
        # From RGB, BT.709 in limited range is what encoders and players expect.
        rgb = frame.format.is_rgb or frame.format.has_palette
        try:
            new = self._reformatter.reformat(
                frame,
                format=wanted,
                dst_colorspace=1 if rgb else None,
                dst_color_range=1 if rgb else None,
                interpolation="POINT" if not rgb else "BICUBIC",
            )
        except (ValueError, av.FFmpegError) as error:
            raise InputError(
                f"the pixel format {frame.format.name} cannot be read", "convert the film first"
            ) from error
        if rgb:
            new.colorspace, new.color_range = 1, 1
        new.pts, new.time_base = frame.pts, frame.time_base
        return new


def rebuilt(frame: av.VideoFrame, planes: Sequence[Plane], name: str) -> av.VideoFrame:
    """Return a new frame of other planes or of another format, with the tags of the first."""
    height, width = planes[0].shape
    new = av.VideoFrame(width, height, name)
    for target, plane in zip(planes_of(new), planes, strict=True):
        np.copyto(target, plane)
    new.pts, new.time_base, new.duration = frame.pts, frame.time_base, frame.duration
    new.colorspace, new.color_range = frame.colorspace, frame.color_range
    new.color_primaries, new.color_trc = frame.color_primaries, frame.color_trc
    return new


def blank(frame: av.VideoFrame, width: int, height: int) -> av.VideoFrame:
    """Return a black frame of another size, with the format and the tags of the first."""
    parsed = parse(frame.format.name)
    assert parsed is not None
    across, down = parsed[1]
    dtype = planes_of(frame)[0].dtype
    sizes = [(height, width)]
    if across:
        sizes += [(-(-height // down), -(-width // across))] * 2
    return rebuilt(frame, [np.zeros(size, dtype) for size in sizes], frame.format.name)


def _turned(frame: av.VideoFrame, quarters: int, mirrored: bool) -> av.VideoFrame:
    """Turn the planes of a frame clockwise; samples keep their values."""
    parsed = parse(frame.format.name)
    assert parsed is not None
    depth, step = parsed
    planes = planes_of(frame)
    if quarters % 2 and step == (2, 1):  # turned, it would be 4:4:0, which few encoders take
        step = (1, 1)
        wide = planes[0].shape[1]
        planes = (planes[0], *(np.repeat(plane, 2, axis=1)[:, :wide] for plane in planes[1:]))
    how = {1: cv2.ROTATE_90_CLOCKWISE, 2: cv2.ROTATE_180, 3: cv2.ROTATE_90_COUNTERCLOCKWISE}
    turned = []
    for plane in planes:
        if mirrored:
            plane = cv2.flip(plane, 1)
        turned.append(cv2.rotate(plane, how[quarters]) if quarters else plane)
    return rebuilt(frame, turned, format_name(depth, step))


def converted(frame: av.VideoFrame, name: str) -> av.VideoFrame:
    """Bring a frame to the planar format that an encoder takes.

    Finer chroma repeats samples and coarser chroma averages them; a depth is changed by shifting.
    """
    if frame.format.name == name:
        return frame
    before, after = parse(frame.format.name), parse(name)
    assert before is not None
    assert after is not None
    planes = list(planes_of(frame))
    height, width = planes[0].shape
    shift = after[0] - before[0]
    dtype = np.uint8 if after[0] == 8 else np.uint16
    if after[1] != before[1]:
        across, down = after[1]
        if before[1] == (0, 0):
            grey = np.full((-(-height // down), -(-width // across)), 1 << (before[0] - 1))
            planes = [planes[0], grey.astype(planes[0].dtype), grey.astype(planes[0].dtype)]
        else:
            fine_x, fine_y = before[1]
            for index in (1, 2):
                full = np.repeat(np.repeat(planes[index], fine_y, axis=0), fine_x, axis=1)
                full = full[:height, :width]
                pad = ((0, -height % down), (0, -width % across))
                full = np.pad(full, pad, mode="edge").astype(np.uint32)
                blocks = full.reshape(full.shape[0] // down, down, -1, across)
                count = down * across
                mean = (blocks.sum(axis=(1, 3)) + count // 2) // count
                planes[index] = mean.astype(planes[0].dtype)
    if shift > 0:
        planes = [np.left_shift(plane.astype(dtype), shift) for plane in planes]
    elif shift < 0:
        planes = [np.right_shift(plane, -shift).astype(dtype) for plane in planes]
    return rebuilt(frame, planes, name)


def side_by_side(left: av.VideoFrame, right: av.VideoFrame) -> av.VideoFrame:
    """Return one frame with two of one size beside each other, in the format of the first.

    Where the width is odd, chroma that two columns share becomes finer.
    """
    parsed = parse(left.format.name)
    assert parsed is not None
    depth, step = parsed
    name = format_name(depth, (1, 1) if step[0] == 2 and left.width % 2 else step)
    pairs = zip(planes_of(converted(left, name)), planes_of(converted(right, name)), strict=True)
    return rebuilt(left, [np.hstack(pair) for pair in pairs], name)
