"""Samples for the attackers: a covered face, and which face it is.

Sample ``i`` is a pure function of ``(seed, i)``, as in :mod:`training.data`.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from seethrough import degrade
from seethrough.types import Box, Image
from training import data
from training.virtual import VirtualFaces

GREY = 128
"""What a covered pixel shows to the attacker by context."""


@dataclass(frozen=True)
class AttackMix:
    """How often each cover is drawn.

    Attributes
    ----------
    degradations : Mix
        Shares of blurs, mosaics and reductions; its text is not used.
    bar : float
        Share of black bars over the eyes.
    context : bool
        Blank the cover and show the rest instead: hair, outline, ears.
    virtual : float
        Share of people who do not exist, where the labels have some.
    """

    degradations: data.Mix = field(default_factory=data.Mix)
    bar: float = 0.04
    context: bool = False
    virtual: float = 0.75


def random_region(rng: np.random.Generator) -> Box | degrade.Ellipse:
    """Outline of a cover in a 128 px crop: PROTOCOL's masks, boxes and bars, not quite in place."""
    dx, dy = rng.normal(0, 3, 2)
    grow = float(np.exp(rng.normal(0, 0.1)))
    choice = rng.random()
    if choice < 0.4:
        return degrade.Ellipse((64 + dx, 82 + dy), (37 * grow, 43 * grow))
    if choice < 0.75:
        return degrade.Ellipse((64 + dx, 62 + dy), (62 * grow, 70 * grow))
    if choice < 0.9:
        x, y = 36 * grow, 44 * grow
        return Box(64 + dx - x, 80 + dy - y, 64 + dx + x, 80 + dy + y)
    x, y = 44 * grow, 11.5 * grow
    return Box(64 + dx - x, 58.5 + dy - y, 64 + dx + x, 58.5 + dy + y)


def bar(rng: np.random.Generator) -> degrade.EyeBar:
    """A black bar over the eyes, not quite in place."""
    dx, dy = rng.normal(0, 2, 2)
    return degrade.EyeBar(Box(20 + dx, 47 + dy, 108 + dx, 70 + dy))


class CoveredFaces:
    """Map-style data set: index to ``(covered, number, flipped)``.

    Parameters
    ----------
    faces : ndarray
        ``uint8 (N, 128, 128, 3)``.
    mix : AttackMix
        Shares of covers.
    seed : int
        With the index, the source of every choice.
    virtual : int
        So many people who do not exist follow the faces in number; they are never flipped.
    """

    def __init__(
        self, faces: npt.NDArray[np.uint8], mix: AttackMix, seed: int, virtual: int = 0
    ) -> None:
        self.faces, self.mix, self.seed = faces, mix, seed
        self.virtual, self._nobody = virtual, VirtualFaces(faces)

    def __getitem__(self, index: int) -> tuple[npt.NDArray[np.uint8], int, int]:
        rng = np.random.default_rng([self.seed, index])
        number, flipped = int(rng.integers(len(self.faces))), int(rng.random() < 0.5)
        if self.virtual and rng.random() < self.mix.virtual:
            made = int(rng.integers(self.virtual))
            number, flipped, face = len(self.faces) + made, 0, self._nobody[made]
        else:
            face = self.faces[number]
        if flipped:
            face = np.ascontiguousarray(face[:, ::-1])
        if rng.random() < self.mix.degradations.misaligned:
            face = data.misalign(face, self.mix.degradations, rng)
        return self.cover(face, rng).transpose(2, 0, 1), number, flipped

    def cover(self, face: Image, rng: np.random.Generator) -> Image:
        """Degrade a face, or blank what a cover would hide of it."""
        if self.mix.context:
            return blank(face, random_region(rng))
        if rng.random() < self.mix.bar:
            return bar(rng)(face)
        clean = degrade.to_float(face)
        degraded, _ = data.random_degradation(clean, False, self.mix.degradations, rng)
        return degrade.to_uint8(degraded)


def blank(face: Image, region: Box | degrade.Ellipse) -> Image:
    """Show only what lies outside of a region."""
    height, width = face.shape[:2]
    if isinstance(region, Box):
        covered = np.zeros((height, width), np.bool_)
        x0, y0, x1, y1 = (max(0, round(v)) for v in region.as_tuple())
        covered[y0:y1, x0:x1] = True
    else:
        covered = region.mask(height, width)
    return np.where(covered[..., None], np.uint8(GREY), face)
