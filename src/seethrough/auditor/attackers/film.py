"""A4: joins what several frames of a film show of one covered face.

Two things are joined. What the other attackers read in each frame is added up: in the mean of
their directions the errors of single frames cancel. And the degraded frames themselves are laid
over one another, aligned by the landmarks of the original: a mosaic's grid stands still while the
face moves under it, so that every frame samples it anew. The mean of the frames is then corrected
until it explains each of them (iterative back-projection: M. Irani, S. Peleg, "Improving resolution
by image registration", CVGIP 53(3), 1991), and read like a frame of its own. The more the grid has
moved, the more this counts: it shows what no single frame does.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import numpy as np

from seethrough.auditor.attackers.base import Reads
from seethrough.auditor.space import unit
from seethrough.auditor.types import Case, Reading, Sight
from seethrough.types import Image

_ROUNDS = 12
_WEIGHT = 2.0  # of frames laid over one another, where the grid has moved, beside all single ones

_STILL = 0.05  # movement: less samples nothing anew


def joined(reads: Sequence[Reads], weights: Sequence[float] | None = None) -> Reads:
    """Return the mean direction of one face over several looks at it.

    Parameters
    ----------
    reads : sequence of mapping
        What was read in each frame, ``float32 (1, D)`` directions in each recogniser's space; at
        least one.
    weights : sequence of float, optional
        Of each; equal where absent.
    """
    return {
        name: unit(
            np.asarray(
                np.average([unit(each[name]) for each in reads], axis=0, weights=weights),
                np.float32,
            )
        )
        for name in reads[0]
    }


def movement(cases: Sequence[Case]) -> float:
    """How much a mosaic's grid has moved over a face, range [0, 1]; 0 for other covers."""
    turns = []
    for case in cases:
        size, phase = case.operator.size, case.operator.phase
        if size is None or phase is None:
            return 0.0
        turns.append(np.exp(2j * np.pi * np.array(phase) / np.array(size)))
    return float(np.max(1 - np.abs(np.mean(turns, axis=0))))


def weight(cases: Sequence[Case]) -> float:
    """How much frames that were laid over one another count beside each single one."""
    return max(1.0, _WEIGHT * len(cases) * movement(cases))


def alike(cases: Sequence[Case]) -> list[int]:
    """Return the indices of the looks whose operator is the most frequent one."""
    kinds = [case.operator.kind for case in cases]
    ((most, _),) = Counter(kinds).most_common(1)
    return [index for index, kind in enumerate(kinds) if kind == most]


def registered(cases: Sequence[Case]) -> Image:
    """Lay degraded frames over one another.

    Parameters
    ----------
    cases : sequence of Case
        At least one; all under one kind of cover.

    Returns
    -------
    Image
        ``uint8 (128, 128, 3)``: one look that explains all of them as well as it can.
    """
    probes = [case.probe.astype(np.float32) for case in cases]
    estimate = np.mean(probes, axis=0)
    if movement(cases) > _STILL:
        for _ in range(_ROUNDS):
            guess = np.asarray(np.clip(np.rint(estimate), 0, 255), np.uint8)
            errors = [
                (probe - (case.plain or case.cover)(guess)) * case.covered[..., None]
                for probe, case in zip(probes, cases, strict=True)
            ]
            estimate = np.clip(estimate + np.mean(errors, axis=0), 0, 255)
    return np.asarray(np.rint(estimate), np.uint8)


def typical(
    looks: Sequence[tuple[Sequence[Reading], Sequence[Sight]]],
) -> tuple[tuple[Reading, ...], tuple[Sight, ...]]:
    """Return what single looks read: for each attacker and recogniser the look in the middle.

    Its readings come from that frame whose odds are the median's, the higher one of two, so that
    several looks are the film attacker's alone. Its sights are those of the same frames.

    Parameters
    ----------
    looks : sequence of (readings, sights)
        One for each frame, at least one.
    """
    ordered: dict[tuple[str, str], list[tuple[float, int, Reading]]] = {}
    for number, (readings, _) in enumerate(looks):
        for reading in readings:
            rows = ordered.setdefault((reading.level, reading.recogniser), [])
            rows.append((reading.of_100.p, number, reading))
    found = []
    middle: dict[str, int] = {}
    for (level, _), rows in ordered.items():
        rows.sort(key=lambda row: row[:2])
        _, number, reading = rows[len(rows) // 2]
        found.append(reading)
        middle.setdefault(level, number)
    sights: dict[str, Sight] = {}
    for number, (_, seen) in enumerate(looks):
        for sight in seen:
            if middle.get(sight.level, 0) == number or sight.level not in sights:
                sights[sight.level] = sight
    return tuple(found), tuple(sights.values())
