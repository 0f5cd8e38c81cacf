"""A2: restores the face first, then recognises it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

import numpy as np

from seethrough.auditor.attackers.base import Directed, Reads, Recognising, mirrored
from seethrough.auditor.recognisers import Crops, Recogniser
from seethrough.auditor.space import spaces
from seethrough.auditor.types import Level
from seethrough.restorer import Restorer

SHARE = 0.65
"""Of the tuned restorer in the blend; chosen on PROTOCOL's calibration people."""


class Restoring(Directed, Recognising):
    """Recognises what a restorer makes of the face, seen as it is and mirrored.

    Two restorers look, and their pictures are blended: the posterior mean, which guesses each pixel
    best, and one that went on from its weights until it guesses best who it is.

    Restored faces resemble the average one; the mean descriptor is taken off before directions
    are compared. Photos at hand are covered and restored as well, as the parrot covers them, so
    that what a restorer always gets wrong about somebody counts as a likeness.
    """

    level: ClassVar[Level] = "A2"
    covers_gallery: ClassVar[bool] = True

    def __init__(
        self,
        recognisers: Sequence[Recogniser],
        restorer: Restorer,
        tuned: Restorer | None = None,
    ) -> None:
        super().__init__(recognisers)
        self._restorers = (restorer,) if tuned is None else (restorer, tuned)

    def look(self, shown: Crops) -> Crops:
        """Return the restored faces."""
        made = [each.restore_crops(shown, ["face"] * len(shown)) for each in self._restorers]
        if len(made) == 1:
            return made[0]
        plain, tuned = (pictures.astype(np.float32) for pictures in made)
        return np.asarray(np.rint(plain + SHARE * (tuned - plain)), np.uint8)

    def read(self, seen: Crops) -> Reads:
        """Describe them as directions from the mean."""
        found, turned = super().read(seen), super().read(mirrored(seen))
        return {
            name: spaces()[name].direction(np.float32(0.5) * (described + turned[name]))
            for name, described in found.items()
        }
