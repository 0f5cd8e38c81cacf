"""Pairs for a reader: where one line of each text stands."""

from __future__ import annotations

from typing import Any

import numpy as np

from training.data import SIZE, Pairs


class LinedPairs(Pairs):
    """Pairs, with one line of each text: ``(degraded, clean, kind, line)``.

    The last is ``float32 (2,)``: the row of a base line and the cap height in pixels, nearly, or
    zeros where no line is whole, as in a face.
    """

    def __getitem__(self, index: int) -> tuple[Any, ...]:
        drawn = self.drawn(index)
        line = np.zeros(2, np.float32)
        if drawn.page is not None:
            rng, cap = drawn.rng, drawn.page.cap_height
            whole = [y for y in drawn.page.baselines if 1.1 * cap <= y <= SIZE - 0.3 * cap]
            if whole:
                # Not always the same strip: a reader could be fooled where it always looks.
                line[0] = whole[int(rng.integers(len(whole)))] + rng.normal(0, 0.04 * cap)
                line[1] = cap * rng.uniform(0.9, 1.15)
        return *drawn.pair(), line
