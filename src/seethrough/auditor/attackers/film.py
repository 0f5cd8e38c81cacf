"""A4: joins what several frames of a film show of one covered face.

What the other attackers read in each frame is added up: the mean of their directions, in which the
errors of single frames cancel.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from seethrough.auditor.attackers.base import Reads
from seethrough.auditor.space import unit


def joined(reads: Sequence[Reads]) -> Reads:
    """Return the mean direction of one face over several looks at it.

    Parameters
    ----------
    reads : sequence of mapping
        What was read in each frame, ``float32 (1, D)`` directions in each recogniser's space; at
        least one.
    """
    return {
        name: unit(np.mean([unit(each[name]) for each in reads], axis=0, dtype=np.float32))
        for name in reads[0]
    }
