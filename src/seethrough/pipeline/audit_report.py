"""What an audit hands back: a record for each pair, and the JSON that INTERFACE.md fixes."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from seethrough.auditor.rates import Rate, uncovered
from seethrough.auditor.types import (
    VERDICTS,
    FaceAudit,
    FilmFace,
    Leak,
    Odds,
    PictureAudit,
    Reading,
)
from seethrough.files import replacing
from seethrough.pipeline.report import Record, Report, header, operator_dict, record_dict, rounded
from seethrough.types import Face


@dataclass(frozen=True, slots=True, eq=False)
class AuditRecord(Record):
    """What became of one original and its redaction.

    Attributes
    ----------
    audit : PictureAudit or None
        What was found.
    unnamed : tuple of Face
        Faces that were not audited, as their cover could not be named.
    redacted : Path or None
        The redacted file; ``None`` where a style was simulated.
    """

    audit: PictureAudit | None = None
    unnamed: tuple[Face, ...] = ()
    redacted: Path | None = None


@dataclass(frozen=True, slots=True, eq=False)
class AuditReport(Report):
    """What an audit found."""

    @property
    def audits(self) -> tuple[PictureAudit, ...]:
        """The audits that were finished."""
        found = (record.audit for record in self.records if isinstance(record, AuditRecord))
        return tuple(audit for audit in found if audit is not None)

    def as_dict(self) -> dict[str, Any]:
        """Return the JSON object of INTERFACE.md."""
        verdicts = [audit.verdict for audit in self.audits]
        return {
            **header(self.verb, self.weights, self.seconds),
            "verdict": min(verdicts, key=VERDICTS.index, default=None),
            "unredacted": [_rate(rate) for rate in uncovered()],
            "inputs": [_record(record) for record in self.records],
        }


def write_data(path: Path, report: AuditReport, *, overwrite: bool) -> None:
    """Write the report's data beside its page, for its owner alone.

    Raises
    ------
    OutputError
        Where it exists and ``overwrite`` is false, or cannot be written.
    """
    text = json.dumps(report.as_dict(), indent=2) + "\n"
    with replacing(path, overwrite=overwrite) as temporary:
        temporary.touch(mode=0o600, exist_ok=False)
        temporary.write_text(text, encoding="utf-8")


def _record(record: Record) -> dict[str, Any]:
    common = record_dict(record)
    seconds = common.pop("seconds")
    audit = record.audit if isinstance(record, AuditRecord) else None
    redacted = record.redacted if isinstance(record, AuditRecord) else None
    common["regions"] = []
    if audit is not None and isinstance(record, AuditRecord):
        faces = [(face.face, _audited(face)) for face in audit.faces]
        faces += [(face, _unaudited(face)) for face in record.unnamed]
        common["regions"] = [region for _, region in sorted(faces, key=lambda f: f[0].box.x0)]
        if audit.length is not None:  # by number
            common["regions"].sort(key=lambda region: region.get("number", math.inf))
    return {
        **common,
        "redacted": None if redacted is None else str(redacted),
        "original_sha256": None if audit is None else audit.original_sha256,
        "redacted_sha256": None if audit is None else audit.redacted_sha256 or None,
        "verdict": None if audit is None else audit.verdict,
        "summary": None if audit is None else audit.summary,
        "leaks": [] if audit is None else [_leak(leak) for leak in audit.leaks],
        "length": None if audit is None or audit.length is None else round(audit.length, 3),
        "notes": [] if audit is None else list(audit.notes),
        "seconds": seconds,
    }


def _audited(audit: FaceAudit) -> dict[str, Any]:
    return {
        **_face(audit.face),
        "status": "done",
        "reason": None,
        "operator": None if audit.operator is None else operator_dict(audit.operator),
        "consistency_db": None,
        "seconds": round(audit.seconds, 3),
        "covered": audit.covered,
        "cover_box": None if audit.cover_box is None else rounded(audit.cover_box.as_tuple()),
        "strength": None if audit.cells is None else round(audit.cells, 3),
        "attackers": [_reading(reading) for reading in audit.readings],
        "strongest": audit.strongest,
        "verdict": audit.verdict,
        "leaks": [_leak(leak) for leak in audit.leaks],
        "advice": list(audit.advice),
        **({} if audit.film is None else _in_film(audit.film)),
    }


def _in_film(face: FilmFace) -> dict[str, Any]:
    return {
        "number": face.number,
        "from": round(face.from_, 3),
        "to": round(face.to, 3),
        "looks": face.looks,
        "covered_frames": face.covered_frames,
        "bare": [
            {"from": round(span.from_, 3), "to": round(span.to, 3), "frames": span.frames}
            for span in face.bare
        ],
    }


def _unaudited(face: Face) -> dict[str, Any]:
    return {
        **_face(face),
        "status": "skipped",
        "reason": "the cover cannot be named; give --style",
        "operator": None,
        "consistency_db": None,
        "seconds": 0.0,
        "covered": True,
        "cover_box": None,
        "strength": None,
        "attackers": [],
        "strongest": None,
        "verdict": None,
        "leaks": [],
        "advice": [],
    }


def _face(face: Face) -> dict[str, Any]:
    return {
        "kind": "face",
        "box": rounded(face.box.as_tuple()),
        "landmarks": [rounded(point) for point in face.landmarks.tolist()],
        "score": round(float(face.score), 4),
    }


def _reading(reading: Reading) -> dict[str, Any]:
    return {
        "level": reading.level,
        "recogniser": reading.recogniser,
        "of_100": _odds(reading.of_100),
        "of_1000": _odds(reading.of_1000),
        "upper_bound_only": reading.upper_bound_only,
        "calibrated": reading.calibrated,
    }


def _rate(rate: Rate) -> dict[str, Any]:
    return {
        "recogniser": rate.recogniser,
        "people": rate.people,
        "of_100": _odds(Odds(100, *rate.of_100)),
        "of_1000": _odds(Odds(1000, *rate.of_1000)),
    }


def _odds(odds: Odds) -> dict[str, float]:
    values = {"p": odds.p, "low": odds.low, "high": odds.high, "chance": odds.chance}
    return {name: round(float(value), 5) for name, value in values.items()}


def _leak(leak: Leak) -> dict[str, str]:
    return {"kind": leak.kind, "words": leak.words}
