"""Rows of the leakage benchmark: one attacker against one style, and with another gallery."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from benchmarks import odds_fit
from benchmarks.identification import Outcome, outcome, wilson
from benchmarks.reads import Name, People, Reader
from benchmarks.results import Estimate, Options
from benchmarks.styles import FACE, SOLID, Style, by_name, strength
from seethrough.auditor.rates import Rate
from seethrough.auditor.recognisers import RecogniserName

GOALS = {"mosaic-8": 0.35, "gauss-6": 0.45}
"""Rank-1 at N = 1,000 that the fused attacker was meant to reach."""


@dataclass(frozen=True, slots=True, eq=False)
class Row:
    """One attacker against one style, through one recogniser's eyes."""

    style: Style
    attacker: Name
    recogniser: RecogniserName
    people: People
    scored: Outcome
    significant: bool = False

    def rate(self) -> Rate:
        """What the package ships of it."""
        return Rate(
            style=self.style.name,
            family=family(self.style),
            relative=relative(self.style),
            attacker=self.attacker,
            recogniser=self.recogniser,
            of_100=_three(wilson(self.scored.of_100)),
            of_1000=_three(wilson(self.scored.first)),
            people=len(self.people),
            significant=self.significant,
        )


def family(style: Style) -> str:
    """The style's name without its strength."""
    known = strength(style) is not None
    name = style.base.rpartition("-")[0] if known else style.base
    return "tool" if name.startswith("tool:") else name


def relative(style: Style) -> float | None:
    """Cells per face width, or a blur's length as a share of it; ``None`` for other covers."""
    length = strength(style)
    if length is None:
        return None
    return FACE.width / length if family(style) == "mosaic" else length / FACE.width


def apart(row: Row, near: npt.NDArray[np.bool_]) -> Row:
    """The row without people who lie near a training face."""
    far = ~near[row.people]
    scored = Outcome(*(getattr(row.scored, name)[far] for name in Outcome.__slots__))
    return replace(row, people=row.people[far], scored=scored)


@dataclass(frozen=True, slots=True, eq=False)
class Otherwise:
    """The attackers with another gallery than theirs.

    Attributes
    ----------
    bare : tuple of Row
        A2 and A3 that leave the photos as they are, under the styles of :data:`GOALS`.
    scenes : tuple of Row
        A5 that blanks its photos as well, under solid covers: it finds the scene again.
    """

    bare: tuple[Row, ...]
    scenes: tuple[Row, ...]

    @classmethod
    def of(cls, reader: Reader, options: Options) -> Otherwise:
        """Measure both."""
        goals = [by_name(name) for name in GOALS]
        fusion = odds_fit.fit_fusion(reader, goals, reader.calibration, covers=False)

        def rows(style: Style, name: Name, *, covers: bool) -> list[Row]:
            people = reader.reported
            found = reader.similarities(name, style, people, fusion, covers=covers)
            owners = reader.owners(people)
            return [
                Row(style, name, recogniser, people, outcome(scores, owners, options.seed))
                for recogniser, scores in found.items()
            ]

        ours: tuple[Name, ...] = ("A2", "A3", "A2+A3")
        bare = [
            row
            for style in goals
            for name in ours
            if name in reader.names
            for row in rows(style, name, covers=False)
        ]
        scenes = [
            row
            for style in map(by_name, SOLID)
            if "A5" in reader.names
            for row in rows(style, "A5", covers=True)
        ]
        return cls(tuple(bare), tuple(scenes))

    def without(self, near: npt.NDArray[np.bool_]) -> Otherwise:
        """Leave out people who lie near a training face."""
        return Otherwise(
            tuple(apart(row, near) for row in self.bare),
            tuple(apart(row, near) for row in self.scenes),
        )


def _three(estimate: Estimate) -> tuple[float, float, float]:
    first, second, third = (
        float(f"{value:.4g}") for value in (estimate.mean, estimate.low, estimate.high)
    )
    return first, second, third
