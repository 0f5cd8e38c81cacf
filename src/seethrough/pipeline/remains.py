"""What still shows, by time: the same finding in frame after frame is one that lasts."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from fractions import Fraction

from seethrough.redactor import Finding

_GAP = 2  # frames between two findings that are told as one


@dataclass(frozen=True, slots=True)
class Remain:
    """Something that still shows.

    Attributes
    ----------
    finding : Finding
        Its first frame.
    last : int
        The frame after the last one.
    to : Fraction
        When the last one is shown, in seconds.
    """

    finding: Finding
    last: int
    to: Fraction


class Remains:
    """Collects findings in constant memory, as long as they go on."""

    def __init__(self) -> None:
        self._found: list[Remain] = []
        self._open: dict[tuple[str, int | None], int] = {}

    def add(self, findings: Iterable[Finding]) -> None:
        """Take the findings of one frame; frames come in order."""
        for finding in findings:
            key = (finding.what, finding.track)
            index = self._open.get(key) if finding.track is not None else None
            if index is not None and finding.frame <= self._found[index].last + _GAP:
                self._found[index] = replace(
                    self._found[index], last=finding.frame + 1, to=finding.time
                )
            else:
                self._open[key] = len(self._found)
                self._found.append(Remain(finding, finding.frame + 1, finding.time))

    def all(self) -> tuple[Remain, ...]:
        """Return what was found, by first frame."""
        return tuple(self._found)
