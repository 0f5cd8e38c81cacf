"""What every attacker is (PROTOCOL section 4): it looks at a covered face, reads, and compares."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import ClassVar, Protocol, TypeAlias

import numpy as np
import numpy.typing as npt

from seethrough.auditor.recognisers import Crops, Descriptors, Recogniser, RecogniserName
from seethrough.auditor.space import spaces, unit
from seethrough.auditor.types import Level
from seethrough.types import OperatorKind

GREY = 128
"""Level of the pixels that an attacker is not shown."""

COVERED_WEIGHT = 0.75
"""Of what is read in a photo of the gallery that was covered as well, beside the photo's own
descriptor; chosen on PROTOCOL's calibration people (``benchmarks.run odds`` has others)."""

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
        Whether it covers the photos that it searches as well, and reads them as it reads the face.
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
        self,
        name: RecogniserName,
        read: Descriptors,
        gallery: Descriptors,
        covered_gallery: Descriptors | None = None,
    ) -> Similarities:
        """Compare with photos.

        Parameters
        ----------
        name : str
            The recogniser in whose space that is done.
        read : ndarray
            ``(N, D)``: who the faces were taken for.
        gallery : ndarray
            ``(M, D)``: the photos as the recogniser describes them.
        covered_gallery : ndarray, optional
            ``(M, D)``: who the attacker takes the same photos for once they are covered as well,
            where it has the photos and not only their descriptors.
        """
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
        self,
        name: RecogniserName,
        read: Descriptors,
        gallery: Descriptors,
        covered_gallery: Descriptors | None = None,
    ) -> Similarities:
        """Compare as the recogniser itself does."""
        return self.recognisers[name].similarity(read, gallery)


class Directed:
    """Base of the attackers that read directions: they compare these by :func:`directions`."""

    def compare(
        self,
        name: RecogniserName,
        read: Descriptors,
        gallery: Descriptors,
        covered_gallery: Descriptors | None = None,
    ) -> Similarities:
        """Cosines."""
        return directions(name, read, gallery, covered_gallery)


def mirrored(crops: Crops) -> Crops:
    """Turn crops left to right: a second look at the same people, whose errors differ."""
    return np.ascontiguousarray(crops[:, :, ::-1])


def directions(
    name: RecogniserName,
    read: Descriptors,
    gallery: Descriptors,
    covered_gallery: Descriptors | None = None,
    weight: float = COVERED_WEIGHT,
) -> Similarities:
    """Cosines between directions that were read and those of a gallery, seen from the mean.

    What is read in a covered face differs from who it is, and much of that difference comes from
    the cover and the attacker: it comes back when a photo of the same person is covered as well.
    With ``covered_gallery``, a photo is looked for between its own direction and the one that is
    read then.

    Parameters
    ----------
    name : str
        The recogniser in whose space that is done.
    read : ndarray
        ``float32 (N, D)``, directions of length one.
    gallery : ndarray
        ``float32 (M, D)``, descriptors as the recogniser gives them.
    covered_gallery : ndarray, optional
        ``float32 (M, D)``, directions of length one.
    weight : float
        Of ``covered_gallery`` to one of ``gallery``, at least 0.

    Returns
    -------
    ndarray
        ``float64 (N, M)``, range [-1, 1].
    """
    towards = spaces()[name].direction(gallery)
    if covered_gallery is not None:
        towards = unit(towards + np.float32(weight) * covered_gallery)
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
