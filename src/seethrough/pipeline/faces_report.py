"""What ``faces`` hands back: a record for its input, and the JSON that INTERFACE.md fixes."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from seethrough.errors import NothingToDoError
from seethrough.pipeline.redact_report import FaceTrack, face_dict, span_dict
from seethrough.pipeline.report import Record, Report, header, record_dict
from seethrough.tracker import UnsureSpan


@dataclass(frozen=True, slots=True, eq=False)
class FacesRecord(Record):
    """The faces of one photo or film.

    Attributes
    ----------
    tracks : Path or None
        The ``tracks.json`` that was written.
    faces : tuple of FaceTrack
        Every face, by number.
    unsure : tuple of UnsureSpan
        Times of a film that a person should look at.
    """

    tracks: Path | None = None
    faces: tuple[FaceTrack, ...] = ()
    unsure: tuple[UnsureSpan, ...] = ()


@dataclass(frozen=True, slots=True, eq=False)
class FacesReport(Report):
    """What ``faces`` did."""

    def as_dict(self) -> dict[str, Any]:
        """Return the JSON object of INTERFACE.md."""
        return {
            **header(self.verb, self.weights, self.seconds),
            "inputs": [_record(record) for record in self.records],
        }

    def _nothing_to_do(self) -> NothingToDoError:
        where = str(self.records[0].path) if self.records else "the input"
        return NothingToDoError(
            f"nothing to show in {where}: no face found",
            "nothing is written; seethrough redact --box covers a face by hand",
        )


def _record(record: Record) -> dict[str, Any]:
    common = record_dict(record)
    made = record if isinstance(record, FacesRecord) else FacesRecord(record.path, None, "failed")
    regions = [
        face_dict(region, face) for region, face in zip(common["regions"], made.faces, strict=True)
    ]
    return {
        **common,
        "regions": regions,
        "tracks": None if made.tracks is None else str(made.tracks),
        "unsure": [span_dict(span) for span in made.unsure],
    }
