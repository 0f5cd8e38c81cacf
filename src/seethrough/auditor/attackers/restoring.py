"""A2: restores the face first, then recognises it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

import numpy as np

from seethrough.auditor.attackers.base import (
    Reads,
    Recognising,
    Similarities,
    directions,
    mirrored,
)
from seethrough.auditor.recognisers import Crops, Descriptors, Recogniser, RecogniserName
from seethrough.auditor.space import spaces
from seethrough.auditor.types import Level
from seethrough.restorer import Restorer


class Restoring(Recognising):
    """Recognises what a restorer makes of the face, seen as it is and mirrored.

    The restorer is the audit's own (``attacker-restorer``): trained on from the posterior mean, so
    that a recogniser takes what it restores for the right person.

    Restored faces resemble the average one; the mean descriptor is taken off before directions
    are compared.
    """

    level: ClassVar[Level] = "A2"
    covers_gallery: ClassVar[bool] = False

    def __init__(self, recognisers: Sequence[Recogniser], restorer: Restorer) -> None:
        super().__init__(recognisers)
        self.restorer = restorer

    def look(self, shown: Crops) -> Crops:
        """Return the restored faces."""
        return self.restorer.restore_crops(shown, ["face"] * len(shown))

    def read(self, seen: Crops) -> Reads:
        """Describe them as directions from the mean."""
        found, turned = super().read(seen), super().read(mirrored(seen))
        return {
            name: spaces()[name].direction(np.float32(0.5) * (described + turned[name]))
            for name, described in found.items()
        }

    def compare(
        self, name: RecogniserName, read: Descriptors, gallery: Descriptors
    ) -> Similarities:
        """Cosines."""
        return directions(name, read, gallery)
