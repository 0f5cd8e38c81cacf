"""``tracks.json``: tracks as a file that a person can edit, one keyframe a line.

To move a face, change the box of a keyframe: the boxes up to the neighbouring keyframes follow. Add
keyframes for a course that is not straight, add a track for a face that was missed (two keyframes
are enough: ``frame`` and ``box``), delete a track, or its first or last keyframes to shorten it.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from fractions import Fraction
from pathlib import Path
from typing import Any, cast, get_args

import numpy as np

from seethrough import files
from seethrough.errors import InputError, UsageError
from seethrough.tracker.tracks import (
    USUAL_LANDMARKS,
    FloatArray,
    How,
    Keyframe,
    Track,
    Tracks,
    UnsureSpan,
)
from seethrough.types import Box

SCHEMA = "seethrough/tracks/1"
_LIMIT = 500_000_000  # bytes of a file that is read
_FAR = 1e6  # pixels; what lies beyond is no coordinate


def as_dict(tracks: Tracks) -> dict[str, Any]:
    """Return tracks as plain data, as the schema ``tracks.json`` describes them."""
    return {
        "schema": SCHEMA,
        "film": {
            "width": tracks.width,
            "height": tracks.height,
            "rate": str(tracks.rate),
            "frames": tracks.frames,
        },
        "tracks": [
            {
                "number": track.number,
                "keyframes": [_keyframe(keyframe, tracks.rate) for keyframe in track.keyframes],
            }
            for track in tracks.tracks
        ],
        "unsure": [
            {
                "track": span.track,
                "first": span.first,
                "last": span.last,
                "from": round(span.from_, 3),
                "to": round(span.to, 3),
                "reason": span.reason,
            }
            for span in tracks.unsure
        ],
    }


def write_tracks(tracks: Tracks, path: Path, *, overwrite: bool) -> None:
    """Write tracks to a file.

    Raises
    ------
    OutputError
        Where it cannot be written, or exists and ``overwrite`` is false.
    """
    files.write_bytes(path, _lines(as_dict(tracks)).encode(), overwrite=overwrite)


def read_tracks(path: Path) -> Tracks:
    """Read tracks from a file, edited or not.

    Raises
    ------
    InputError
        Where it is missing, no JSON, or not what the schema describes; the error says where.
    """
    content = files.read_bytes(path, _LIMIT)
    try:
        data = json.loads(content)
    except (ValueError, RecursionError) as error:
        raise InputError(f"{path} is not JSON ({error})", "repair it or make it anew") from error
    try:
        return from_dict(data)
    except UsageError as error:
        raise InputError(f"{path}: {error.what}", error.remedy) from error


def from_dict(data: object) -> Tracks:
    """Return the tracks that plain data describe; the inverse of :func:`as_dict`.

    Raises
    ------
    UsageError
        Where the data are not what the schema describes; the error says where.
    """
    if not isinstance(data, dict) or "schema" not in data:
        raise UsageError("it holds no tracks", "give a tracks.json that `seethrough faces` wrote")
    if data["schema"] != SCHEMA:
        raise UsageError(
            f"its schema is {data['schema']!r}, not {SCHEMA!r}",
            "make it anew with this version of `seethrough faces`",
        )
    _check_keys(data, "the file", {"schema", "film", "tracks"}, {"unsure"})
    film = _object(data["film"], "film")
    _check_keys(film, "film", {"width", "height", "rate", "frames"})
    frames = _whole(film["frames"], "film.frames", 1)
    tracks = [
        _track(item, f"tracks[{index}]", frames)
        for index, item in enumerate(_list(data["tracks"], "tracks"))
    ]
    return Tracks(
        _whole(film["width"], "film.width", 1),
        _whole(film["height"], "film.height", 1),
        _rate(film["rate"]),
        frames,
        tuple(sorted(tracks, key=lambda track: track.number)),
        tuple(
            _span(item, f"unsure[{index}]")
            for index, item in enumerate(_list(data.get("unsure", []), "unsure"))
        ),
    )


def _keyframe(keyframe: Keyframe, rate: Fraction) -> dict[str, Any]:
    return {
        "frame": keyframe.frame,
        "time": round(float(keyframe.frame / rate), 3),
        "box": list(keyframe.box.as_tuple()),
        "landmarks": keyframe.landmarks.tolist(),
        "score": keyframe.score,
        "how": keyframe.how,
    }


def _lines(data: Mapping[str, Any]) -> str:
    """Format tracks so that each keyframe and each unsure span is one line."""
    tracks = ",\n".join(
        f'    {{"number": {track["number"]}, "keyframes": [\n'
        + ",\n".join(f"      {json.dumps(keyframe)}" for keyframe in track["keyframes"])
        + "\n    ]}"
        for track in data["tracks"]
    )
    unsure = ",\n".join(f"    {json.dumps(span)}" for span in data["unsure"])
    return (
        f'{{\n  "schema": {json.dumps(data["schema"])},\n  "film": {json.dumps(data["film"])},\n'
        f'  "tracks": [{_block(tracks)}],\n  "unsure": [{_block(unsure)}]\n}}\n'
    )


def _block(text: str) -> str:
    return f"\n{text}\n  " if text else ""


def _track(data: object, where: str, frames: int) -> Track:
    item = _object(data, where)
    _check_keys(item, where, {"number", "keyframes"})
    keyframes = [
        _read_keyframe(each, f"{where}.keyframes[{index}]", frames)
        for index, each in enumerate(_list(item["keyframes"], f"{where}.keyframes"))
    ]
    return Track(
        _whole(item["number"], f"{where}.number", 1), sorted(keyframes, key=lambda k: k.frame)
    )


def _read_keyframe(data: object, where: str, frames: int) -> Keyframe:
    item = _object(data, where)
    # The time is there for whoever reads; the frame counts.
    _check_keys(item, where, {"frame", "box"}, {"time", "landmarks", "score", "how"})
    frame = _whole(item["frame"], f"{where}.frame", 0)
    if frame >= frames:
        raise UsageError(
            f"{where}.frame is {frame}, and the film has {frames} frames",
            f"count frames from 0 to {frames - 1}",
        )
    how = item.get("how", "edited")
    if how not in get_args(How):
        raise UsageError(f"{where}.how is {how!r}", "let it be detected, followed, held or edited")
    score = _number(item.get("score", 1.0), f"{where}.score")
    if not 0 <= score <= 1:
        raise UsageError(f"{where}.score is {score:g}", "give 0 to 1")
    return Keyframe(
        frame, _box(item["box"], where), _landmarks(item.get("landmarks"), where), score, how
    )


def _box(data: object, where: str) -> Box:
    values = _list(data, f"{where}.box")
    if len(values) != 4:
        raise UsageError(f"{where}.box has {len(values)} numbers", "give x0, y0, x1, y1")
    x0, y0, x1, y1 = (round(_number(value, f"{where}.box"), 1) for value in values)
    if x1 <= x0 or y1 <= y0:
        raise UsageError(
            f"{where}.box is empty ({x0:g}, {y0:g}, {x1:g}, {y1:g})",
            "give x0, y0, x1, y1 with x0 < x1 and y0 < y1",
        )
    return Box(x0, y0, x1, y1)


def _landmarks(data: object, where: str) -> FloatArray:
    if data is None:
        return USUAL_LANDMARKS
    points = [_list(point, f"{where}.landmarks") for point in _list(data, f"{where}.landmarks")]
    if len(points) != 5 or any(len(point) != 2 for point in points):
        raise UsageError(
            f"{where}.landmarks are not five points",
            "give [x, y] five times, as shares of the box, or leave them out",
        )
    return np.array([[_number(value, f"{where}.landmarks") for value in point] for point in points])


def _span(data: object, where: str) -> UnsureSpan:
    item = _object(data, where)
    _check_keys(item, where, {"track", "first", "last", "from", "to", "reason"})
    track = item["track"]
    return UnsureSpan(
        None if track is None else _whole(track, f"{where}.track", 1),
        _whole(item["first"], f"{where}.first", 0),
        _whole(item["last"], f"{where}.last", 0),
        _number(item["from"], f"{where}.from"),
        _number(item["to"], f"{where}.to"),
        str(item["reason"]),
    )


def _rate(data: object) -> Fraction:
    try:
        rate = Fraction(data) if isinstance(data, str) else Fraction(0)
    except (ValueError, ZeroDivisionError):
        rate = Fraction(0)
    if rate <= 0:
        raise UsageError(f"film.rate is {data!r}", 'give frames per second, such as "30000/1001"')
    return rate


def _check_keys(
    item: Mapping[str, Any], where: str, needed: set[str], allowed: set[str] | None = None
) -> None:
    missing = sorted(needed - item.keys())
    if missing:
        raise UsageError(f"{where} has no {missing[0]!r}", "add it")
    unknown = sorted(item.keys() - needed - (allowed or set()))
    if unknown:  # a slip of the pen would otherwise be an edit that does nothing
        known = ", ".join(sorted(needed | (allowed or set())))
        raise UsageError(f"{where} has the unknown name {unknown[0]!r}", f"known are {known}")


def _object(data: object, where: str) -> Mapping[str, Any]:
    if not isinstance(data, dict):
        raise UsageError(f"{where} is no object", "write it in braces")
    return cast("Mapping[str, Any]", data)


def _list(data: object, where: str) -> list[Any]:
    if not isinstance(data, list):
        raise UsageError(f"{where} is no list", "write it in square brackets")
    return data


def _whole(data: object, where: str, least: int) -> int:
    if not isinstance(data, int) or isinstance(data, bool) or not least <= data < 2**31:
        raise UsageError(f"{where} is {data!r}", f"give a whole number from {least}")
    return data


def _number(data: object, where: str) -> float:
    if (
        not isinstance(data, int | float)
        or isinstance(data, bool)
        or not math.isfinite(data)
        or abs(data) > _FAR
    ):
        raise UsageError(f"{where} holds {data!r}", "give a number of ordinary size")
    return float(data)
