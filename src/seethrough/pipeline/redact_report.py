"""What a redaction hands back: a record for each input, and the JSON that INTERFACE.md fixes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

from seethrough.errors import NothingToDoError
from seethrough.pipeline.remains import Remain
from seethrough.pipeline.report import Record, Report, header, record_dict, rounded
from seethrough.redactor import Finding, Style
from seethrough.tracker import UnsureSpan
from seethrough.types import Region

NO_FACE = "no face found"
"""Reason of an input that shows no face, as far as the detector can tell."""

NOT_CHOSEN = "not chosen"
"""Reason of a face, or of all, that ``only``, ``keep``, ``from_`` or ``to`` leave as it is."""


@dataclass(frozen=True, slots=True, eq=False)
class FaceTrack:
    """One face of a photo, or one face followed through a film.

    Attributes
    ----------
    number : int
        As ``only`` and ``keep`` name it.
    region : Region
        Where it is first seen, and whether it was covered.
    first, last : int
        Its frames, half-open; 0 and 1 in a photo.
    from_, to : float or None
        The same in seconds; ``None`` in a photo.
    """

    number: int
    region: Region
    first: int = 0
    last: int = 1
    from_: float | None = None
    to: float | None = None


@dataclass(frozen=True, slots=True, eq=False)
class RedactRecord(Record):
    """What became of one photo or film.

    Attributes
    ----------
    style : Style or None
        With which it was covered in the end; ``None`` where nothing was covered.
    faces : tuple of FaceTrack
        Every face, by number.
    unsure : tuple of UnsureSpan
        Times of a film that a person should look at.
    verified : bool or None
        Whether verification passed; ``None`` where it was not asked for, or not reached.
    findings : tuple of Remain
        What still shows, where verification failed.
    untracked : tuple of Remain
        Faces that show beside those of a given tracks file.
    unverified : Path or None
        Where the output is kept that failed.
    stages : mapping of str to float
        Seconds: decode, detect, track, cover, encode, verify, as far as they can be told apart.
    from_, to : float or None
        Seconds of a film between which faces are to be covered, as the options say; ``None`` from
        its start, and to its end.
    """

    style: Style | None = None
    faces: tuple[FaceTrack, ...] = ()
    unsure: tuple[UnsureSpan, ...] = ()
    verified: bool | None = None
    findings: tuple[Remain, ...] = ()
    untracked: tuple[Remain, ...] = ()
    unverified: Path | None = None
    stages: Mapping[str, float] = field(default_factory=dict)
    from_: float | None = None
    to: float | None = None

    @classmethod
    def of(cls, record: Record) -> RedactRecord:
        """Return a record of a run as one of a redaction, of which nothing else is known."""
        if isinstance(record, cls):
            return record
        return cls(**{each.name: getattr(record, each.name) for each in fields(Record)})


@dataclass(frozen=True, slots=True, eq=False)
class RedactReport(Report):
    """What a redaction did."""

    def as_dict(self) -> dict[str, Any]:
        """Return the JSON object of INTERFACE.md."""
        return {
            **header(self.verb, self.weights, self.seconds),
            "inputs": [_record(record) for record in self.records],
        }

    def _nothing_to_do(self) -> NothingToDoError:
        if not self.records:
            return NothingToDoError(
                "there is no picture and no film in the input",
                "name one, or a folder that holds one",
            )
        reasons = sorted({record.reason or "" for record in self.records})
        where = str(self.records[0].path) if len(self.records) == 1 else "any input"
        return NothingToDoError(
            f"nothing to cover in {where}: {'; '.join(reasons)}",
            "nothing is written, as a copy would pass for redacted"
            + ("" if self.placed else "; --box names a face by hand"),
        )


def place(finding: Finding, *, film: bool) -> str:
    """Say where something was found."""
    at = ",".join(f"{value:.0f}" for value in finding.box.as_tuple())
    return f"at {at}" + (f" at {float(finding.time):.2f} s" if film else "")


def _record(record: Record) -> dict[str, Any]:
    common = record_dict(record)
    seconds = common.pop("seconds")
    made = RedactRecord.of(record)
    style = made.style
    common["regions"] = [
        {
            **face_dict(region, face),
            "unsure": [span_dict(span) for span in made.unsure if span.track == face.number],
            "findings": [_remain(r) for r in made.findings if r.finding.track == face.number],
        }
        for region, face in zip(common["regions"], made.faces, strict=True)
    ]
    return {
        **common,
        "from": None if made.from_ is None else round(made.from_, 3),
        "to": None if made.to is None else round(made.to, 3),
        "style": None if style is None else style.name,
        "strength": None if style is None or not style.amount else round(style.amount, 4),
        "grow": None if style is None else round(style.grow, 3),
        "verified": made.verified,
        "findings": [_remain(remain) for remain in made.findings],
        "untracked": [_remain(remain) for remain in made.untracked],
        "unverified": None if made.unverified is None else str(made.unverified),
        "unsure": [span_dict(span) for span in made.unsure],
        "stages": {stage: round(spent, 3) for stage, spent in made.stages.items()},
        "seconds": seconds,
    }


def face_dict(region: dict[str, Any], face: FaceTrack) -> dict[str, Any]:
    """Return the JSON of a face: what every verb says of its region, and when it is seen."""
    return {
        **region,
        "number": face.number,
        "first": face.first,
        "last": face.last,
        "from": None if face.from_ is None else round(face.from_, 3),
        "to": None if face.to is None else round(face.to, 3),
    }


def _remain(remain: Remain) -> dict[str, Any]:
    finding = remain.finding
    return {
        "what": finding.what,
        "words": finding.words,
        "number": finding.track,
        "first": finding.frame,
        "last": remain.last,
        "from": round(float(finding.time), 3),
        "to": round(float(remain.to), 3),
        "box": rounded(finding.box.as_tuple()),
    }


def span_dict(span: UnsureSpan) -> dict[str, Any]:
    """Return the JSON of an unsure span."""
    return {
        "number": span.track,
        "first": span.first,
        "last": span.last,
        "from": round(span.from_, 3),
        "to": round(span.to, 3),
        "reason": span.reason,
    }
