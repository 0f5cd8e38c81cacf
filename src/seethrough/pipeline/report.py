"""What a verb hands back: one record for each input, and the JSON that INTERFACE.md fixes."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from seethrough import __version__
from seethrough.errors import NothingToDoError, SeeThroughError
from seethrough.types import Operator, Region, WeightsUsed

RESUMED = "finished earlier"
"""Reason of an input that ``resume`` skips."""

INTERRUPTED = "interrupted"
"""Reason of an input that Ctrl-C has left undone."""


@dataclass(frozen=True, slots=True, eq=False)
class Record:
    """What became of one input.

    Attributes
    ----------
    path : Path
        The input.
    output : Path or None
        The file that was written (or, with ``resume``, found); ``None`` where there is none.
    status : str
        ``done``, ``skipped`` or ``failed``.
    reason : str or None
        Why it was skipped or failed.
    width, height : int or None
        Of the upright picture, in pixels; ``None`` where it was not read.
    regions : tuple of Region
        Faces and lines of text in the input.
    error : SeeThroughError or None
        What failed.
    seconds : float
        Time spent.
    summary : str or None
        What to say of it in one sentence, where a count of regions says too little.
    """

    path: Path
    output: Path | None
    status: Literal["done", "skipped", "failed"]
    reason: str | None = None
    width: int | None = None
    height: int | None = None
    regions: tuple[Region, ...] = ()
    error: SeeThroughError | None = None
    seconds: float = 0.0
    summary: str | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Report:
    """What a verb did.

    Attributes
    ----------
    verb : str
        ``restore`` or ``degrade``.
    records : tuple of Record
        One for each input, in the order in which they were handled.
    weights : tuple of WeightsUsed
        The networks that were loaded.
    seconds : float
        Time spent, loading included.
    placed : bool
        Whether a person has said where regions lie.
    """

    verb: str
    records: tuple[Record, ...] = ()
    weights: tuple[WeightsUsed, ...] = ()
    seconds: float = field(default=0.0)
    placed: bool = False

    @property
    def failures(self) -> tuple[SeeThroughError, ...]:
        """The error of each input that failed; or, where no input failed but none was worth
        writing either, the one :class:`~seethrough.NothingToDoError` that says so.
        """
        errors = tuple(record.error for record in self.records if record.error is not None)
        if errors or any(r.status == "done" or r.reason == RESUMED for r in self.records):
            return errors
        return (self._nothing_to_do(),)

    @property
    def exit_code(self) -> int:
        """The first failure's code; 0 where every input was handled."""
        return self.failures[0].exit_code if self.failures else 0

    def raise_for_failure(self) -> None:
        """Raise the first of :attr:`failures`, if there is one."""
        for error in self.failures:
            raise error

    def as_dict(self) -> dict[str, Any]:
        """Return the JSON object of INTERFACE.md."""
        return {
            **header(self.verb, self.weights, self.seconds),
            "inputs": [record_dict(record) for record in self.records],
        }

    def _nothing_to_do(self) -> NothingToDoError:
        if not self.records:
            return NothingToDoError(
                "there is no picture in the input", "name a picture, or a folder that holds one"
            )
        reasons = sorted({record.reason or "" for record in self.records})
        where = str(self.records[0].path) if len(self.records) == 1 else "any input"
        advice = [] if self.placed else ["--box names a region by hand"]
        if "clear" in reasons:
            advice.append("--force restores clear ones")
        if self.placed and not advice:
            advice.append("look whether it lies where you want it")
        remedy = {
            "restore": f"Nothing is written; {', '.join(advice)}",
            "audit": "Nothing is written; faces are sought in the original",
            "degrade": "Nothing is written; without --faces the whole picture is degraded",
        }[self.verb]
        return NothingToDoError(f"nothing to do in {where}: {'; '.join(reasons)}", remedy)


def header(verb: str, weights: tuple[WeightsUsed, ...], seconds: float) -> dict[str, Any]:
    """Return the part of the JSON object that every verb shares."""
    return {
        "schema": f"seethrough/{verb}/1",
        "version": __version__,
        "weights": [{"name": used.name, "sha256": used.sha256} for used in weights],
        "seconds": round(seconds, 3),
    }


def record_dict(record: Record) -> dict[str, Any]:
    """Return the part of an input's JSON that every verb shares."""
    return {
        "path": str(record.path),
        "output": None if record.output is None else str(record.output),
        "status": record.status,
        "reason": record.reason,
        "width": record.width,
        "height": record.height,
        "regions": [_region(region) for region in record.regions],
        "seconds": round(record.seconds, 3),
    }


def _region(region: Region) -> dict[str, Any]:
    return {
        "kind": region.kind,
        "box": rounded(region.box.as_tuple()),
        "landmarks": None
        if region.landmarks is None
        else [rounded(point) for point in region.landmarks.tolist()],
        "score": round(float(region.score), 4),
        "status": region.status,
        "reason": region.reason,
        "operator": None if region.operator is None else operator_dict(region.operator),
        "consistency_db": None
        if region.consistency_db is None
        else round(float(region.consistency_db), 2),
        "seconds": round(region.seconds, 3),
        **_span(region.span),
    }


def _span(span: tuple[float, float] | None) -> dict[str, float]:
    return {} if span is None else {"from": round(span[0], 3), "to": round(span[1], 3)}


def operator_dict(operator: Operator) -> dict[str, Any]:
    """Return an operator's JSON."""
    return {
        "kind": operator.kind,
        "size": None if operator.size is None else rounded(operator.size),
        "phase": None if operator.phase is None else rounded(operator.phase),
        "confidence": round(float(operator.confidence), 4),
    }


def rounded(values: tuple[float, ...] | list[float]) -> list[float]:
    """Return coordinates as they stand in the JSON."""
    return [round(float(value), 2) for value in values]
