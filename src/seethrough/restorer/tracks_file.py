"""What the first pass over a film has seen, kept for a run that goes on with another's work."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any, get_args
from zipfile import BadZipFile

import numpy as np

from seethrough.restorer.targets import Target, face_target
from seethrough.restorer.tracks import Sight
from seethrough.types import Box, CoveredRegion, Face, Operator, OperatorKind

_KINDS: tuple[str, ...] = get_args(OperatorKind)


def write_courses(courses: Sequence[Sequence[Sight]], path: Path) -> None:
    """Write faces, seen frame by frame, to a NumPy file; it appears whole or not at all."""
    arrays: dict[str, Any] = {}
    for number, course in enumerate(courses):
        arrays[f"{number}.frames"] = np.array([sight.frame for sight in course], np.int64)
        arrays[f"{number}.landmarks"] = np.array([sight.landmarks for sight in course])
        arrays[f"{number}.scores"] = np.array([sight.score for sight in course])
        arrays[f"{number}.covers"] = np.array([_row(sight.cover) for sight in course])
        judged = [[sight.frame, _target(sight.target)] for sight in course if sight.target]
        arrays[f"{number}.targets"] = np.array(json.dumps(judged))
    temporary = path.with_suffix(".tmp")
    with temporary.open("wb") as file:
        np.savez(file, count=np.array(len(courses)), **arrays)
    temporary.replace(path)


def read_courses(path: Path) -> tuple[tuple[Sight, ...], ...] | None:
    """Read them back, equal to the last bit; ``None`` where there is no whole file."""
    try:
        with path.open("rb") as file, np.load(file, allow_pickle=False) as content:
            return tuple(_course(content, number) for number in range(int(content["count"])))
    except (OSError, ValueError, KeyError, BadZipFile, EOFError):
        return None


def _course(content: Any, number: int) -> tuple[Sight, ...]:
    columns = (content[f"{number}.{name}"] for name in ("frames", "landmarks", "covers", "scores"))
    judged = dict(json.loads(str(content[f"{number}.targets"])))
    return tuple(
        Sight(
            int(frame),
            landmarks,
            _cover(row.tolist()),
            float(score),
            None if int(frame) not in judged else _face(judged[int(frame)]),
        )
        for frame, landmarks, row, score in zip(*columns, strict=True)
    )


def _row(cover: CoveredRegion | None) -> list[float]:
    """Return a cover as eleven numbers, NaN for what is absent."""
    if cover is None:
        return [np.nan] * 11
    operator = cover.operator
    absent = (np.nan, np.nan)
    residual = np.nan if operator.residual is None else operator.residual
    return [
        *cover.box.as_tuple(),
        _KINDS.index(operator.kind),
        *(operator.size or absent),
        *(operator.phase or absent),
        operator.confidence,
        residual,
    ]


def _cover(row: list[float]) -> CoveredRegion | None:
    if np.isnan(row[0]):
        return None
    kind: Any = _KINDS[int(row[4])]
    size = None if np.isnan(row[5]) else (row[5], row[6])
    phase = None if np.isnan(row[7]) else (row[7], row[8])
    residual = None if np.isnan(row[10]) else row[10]
    return CoveredRegion(Box(*row[:4]), Operator(kind, size, phase, row[9], residual))


def _target(target: Target) -> dict[str, Any]:
    return {
        "box": [float(value) for value in target.box.as_tuple()],
        "landmarks": None if target.landmarks is None else target.landmarks.tolist(),
        "score": float(target.score),
        "cover": None if target.cover is None else _row(target.cover),
        "operator": None if target.operator is None else asdict(target.operator),
        "reason": target.reason,
    }


def _face(given: dict[str, Any]) -> Target:
    face = Face(Box(*given["box"]), np.array(given["landmarks"]), given["score"])
    operator = given["operator"]
    if operator is not None:
        for name in ("size", "phase"):
            operator[name] = None if operator[name] is None else tuple(operator[name])
        operator = Operator(**operator)
    cover = None if given["cover"] is None else _cover(given["cover"])
    return replace(face_target(face), cover=cover, operator=operator, reason=given["reason"])
