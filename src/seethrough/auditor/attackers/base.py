"""What every attacker is (PROTOCOL section 4): it looks at a covered face, reads, and compares."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import ClassVar, Protocol, TypeAlias

import numpy as np
import numpy.typing as npt

from seethrough.auditor.recognisers import Crops, Descriptors, Recogniser, RecogniserName
from seethrough.auditor.space import spaces
from seethrough.auditor.types import Level
from seethrough.types import OperatorKind

GREY = 128
"""Level of the pixels that an attacker is not shown."""

Flags: TypeAlias = npt.NDArray[np.bool_]
"""``bool (128, 128)``."""

Reads: TypeAlias = Mapping[RecogniserName, Descriptors]
"""What an attacker takes each face for, in each recogniser's space."""

Similarities: TypeAlias = npt.NDArray[np.float64]
"""``float64 (N, M)``, larger for more alike."""


class Attacker(Protocol):
    """One attacker.

    Attributes
    ----------
    level : str
        PROTOCOL's name.
    covers_gallery : bool
        Whether it covers the photos that it searches as well, before it looks at them.
    """

    level: ClassVar[Level]
    covers_gallery: ClassVar[bool]

    def look(self, shown: Crops) -> Crops:
        """Return what the attacker makes of the pixels that it is shown, one crop for each."""
        ...

    def read(self, seen: Crops) -> Reads:
        """Return who it takes the faces for."""
        ...

    def compare(
        self, name: RecogniserName, read: Descriptors, gallery: Descriptors
    ) -> Similarities:
        """Compare with photos, described by the recogniser ``name``."""
        ...


class Recognising:
    """Base of the attackers that hand what they see to the recognisers as it is."""

    def __init__(self, recognisers: Sequence[Recogniser]) -> None:
        self.recognisers = {recogniser.name: recogniser for recogniser in recognisers}

    def look(self, shown: Crops) -> Crops:
        """Return the pixels themselves."""
        return shown

    def read(self, seen: Crops) -> Reads:
        """Describe what is seen."""
        return {name: each.describe(seen) for name, each in self.recognisers.items()}

    def compare(
        self, name: RecogniserName, read: Descriptors, gallery: Descriptors
    ) -> Similarities:
        """Compare as the recogniser itself does."""
        return self.recognisers[name].similarity(read, gallery)


def mirrored(crops: Crops) -> Crops:
    """Turn crops left to right: a second look at the same people, whose errors differ."""
    return np.ascontiguousarray(crops[:, :, ::-1])


def directions(name: RecogniserName, read: Descriptors, gallery: Descriptors) -> Similarities:
    """Cosines between directions that were read and those of a gallery, seen from the mean."""
    towards = spaces()[name].direction(gallery)
    return np.asarray(read.astype(np.float64) @ towards.T.astype(np.float64), np.float64)


def visible(level: Level, kind: OperatorKind, covered: Flags) -> Flags:
    """Which pixels an attacker is shown.

    The context attacker sees what lies outside of the cover. The others see the whole crop, but
    under a solid cover only the covered pixels: what lies outside of it is the context attacker's.
    """
    if level == "A5":
        return ~covered
    return covered if kind == "solid" else np.ones_like(covered)


def shown(crops: Crops, seen: Flags) -> Crops:
    """Blank every pixel that is not seen to mid-grey."""
    return np.where(seen[..., None], crops, np.uint8(GREY))
