"""Which detection belongs to which track: an assignment of least cost."""

from __future__ import annotations

from collections.abc import Sequence

import lap
import numpy as np
import numpy.typing as npt

from seethrough.tracker.course import Spot
from seethrough.tracker.looking import overlap

_LIMIT = 1.6  # cost above which nothing is matched


def assign(
    expected: Sequence[Spot], reach: npt.ArrayLike, seen: Sequence[Spot]
) -> list[tuple[int, int]]:
    """Match faces that are expected with faces that are seen.

    Parameters
    ----------
    expected : sequence of Spot
        Where each track should be.
    reach : array_like
        How far from there each may be, in sizes of the face; 0.5 and more.
    seen : sequence of Spot
        Detections.

    Returns
    -------
    list of (int, int)
        Indices of matches: Jonker and Volgenant's assignment over 1 - IoU, plus the distance of
        the centres as a share of the reach.
    """
    if not expected or not seen:
        return []
    reaches = np.asarray(reach, np.float64)[:, None]
    sizes = np.array([spot.size for spot in expected])[:, None]
    others = np.array([spot.size for spot in seen])[None]
    gap = np.array([spot.centre for spot in expected])[:, None] - np.array(
        [spot.centre for spot in seen]
    )
    distance = np.linalg.norm(gap, axis=-1) / np.maximum(sizes, others)
    cost = 1 - overlap(expected, seen) + distance / reaches
    cost += 0.3 * np.abs(np.log(sizes / others))
    impossible = (distance > reaches) | (np.abs(np.log(sizes / others)) > np.log(2.2))
    cost[impossible] = 10 * _LIMIT
    _, columns, _ = lap.lapjv(cost, extend_cost=True, cost_limit=_LIMIT)
    return [
        (row, int(column))
        for row, column in enumerate(columns)
        if column >= 0 and not impossible[row, column]
    ]
