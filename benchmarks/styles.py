"""The covers whose leakage is measured (PROTOCOL section 4), on aligned crops of 128 px.

Our settings: one phase for all people under each mosaic, so that the parrot covers its gallery by
the very same operator; a photo's pixel is :data:`PHOTO_PIXEL` of the crop's, as in ``eval/lfw``,
for tools whose sources give lengths in photo pixels; no segmentation is at hand, so ``silhouette``
is ``mask-head`` with everything below the chin.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from benchmarks.metrics import Crops
from benchmarks.sets import SIZE, Setting, encoded, operator, resize
from seethrough import degrade, geometry
from seethrough.types import Box, Image, Operator, OperatorKind

FACE = geometry.TIGHT
"""The tight face of PROTOCOL's tools."""
PHOTO = 250
"""Side of an ``eval/lfw`` photo in its own pixels."""
PHOTO_PIXEL = 0.75
"""Of a pixel of the crop, on average over ``eval/lfw``."""
CHIN = 124
CODEC = "h264-23"
MOSAICS = (4, 6, 8, 12, 16, 20)
GAUSSIANS = (2, 4, 6, 8, 12)
BOXES = (15, 31, 63)
SOLID = ("mask-face", "mask-head", "silhouette")

Cover = Callable[[Image, np.random.Generator], Image]
Flags = npt.NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class Style:
    """One way of covering a face.

    Attributes
    ----------
    name : str
        PROTOCOL's, with ``+h264-23`` where encoded.
    cover : callable
        Crop and generator to covered crop; never encoded.
    covered : ndarray
        ``bool (128, 128)``.
    operator : Operator or None
        As the audit would name it; ``None`` for ``clean`` and ``x4``, which are no covers.
    """

    name: str
    cover: Cover
    covered: Flags
    operator: Operator | None

    @property
    def codec(self) -> bool:
        """Whether an encoder came after."""
        return "+" in self.name

    @property
    def base(self) -> str:
        """The name without the encoder."""
        return self.name.partition("+")[0]

    @property
    def partial(self) -> bool:
        """Whether a part of the crop is left as it was."""
        return not bool(self.covered.all())

    def apply(self, crops: Crops, people: npt.NDArray[np.intp]) -> Crops:
        """Cover the crops of these people; what is random depends on the person alone."""
        done = [
            self.cover(crop, np.random.default_rng([7, int(person)]))
            for crop, person in zip(crops, people, strict=True)
        ]
        if self.codec:
            setting = Setting(self.base, "h264", 23)
            done = [encoded(crop, setting) for crop in done]
        return np.stack(done)


def styles() -> tuple[Style, ...]:
    """Every style, plain: what :func:`with_codec` encodes is found from these."""
    full = np.ones((SIZE, SIZE), np.bool_)
    none = ~full
    found = [
        Style("clean", lambda crop, rng: crop, none, None),
        Style("x4", _reduced, full, None),
    ]
    found += [_mosaic(cell) for cell in MOSAICS]
    found += [_gauss(sigma) for sigma in GAUSSIANS]
    for size in BOXES:
        op = degrade.BoxBlur(size)
        found.append(Style(f"box-{size}", _cover(op), full, _as("box", size)))
    found.append(_painted("eye-bar", _inside(degrade.EYE_BAR), "eye-bar"))
    masks = {
        "mask-face": degrade.MASK_FACE.mask(SIZE, SIZE),
        "mask-head": degrade.MASK_HEAD.mask(SIZE, SIZE),
    }
    masks["silhouette"] = masks["mask-head"] | (np.arange(SIZE) >= CHIN)[:, None]
    found += [_painted(name, mask, "solid") for name, mask in masks.items()]
    return (*found, *(_tool(name) for name in degrade.PRESETS))


def stronger() -> tuple[Style, ...]:
    """Covers beyond PROTOCOL's, for the fit of odds: editors use them too."""
    return (_mosaic(32), _gauss(18))


def with_codec(style: Style) -> Style:
    """The same style, encoded."""
    return replace(style, name=f"{style.name}+{CODEC}")


def by_name(name: str) -> Style:
    """The style of that name.

    Raises
    ------
    KeyError
        Where there is none.
    """
    base, plus, _ = name.partition("+")
    plain = {style.name: style for style in (*styles(), *stronger())}[base]
    return with_codec(plain) if plus else plain


def _mosaic(cell: int) -> Style:
    phase = np.random.default_rng([11, cell]).random(2)
    corner = tuple(-np.floor(cell * phase) % cell)
    op = operator(Setting(f"mosaic-{cell}"), phase)
    full = np.ones((SIZE, SIZE), np.bool_)
    return Style(f"mosaic-{cell}", _cover(op), full, _as("mosaic", cell, corner))


def _gauss(sigma: int) -> Style:
    full = np.ones((SIZE, SIZE), np.bool_)
    return Style(f"gauss-{sigma}", _cover(degrade.GaussianBlur(sigma)), full, _as("gauss", sigma))


def _tool(name: str) -> Style:
    side = round(PHOTO * PHOTO_PIXEL)
    op = degrade.preset(name, FACE, (side, side), PHOTO_PIXEL)
    ellipse = name in ("deface-blur", "egoblur")
    covered = degrade.Ellipse.inscribed(FACE).mask(SIZE, SIZE) if ellipse else _inside(FACE)
    known = {
        "deface-blur": _as("box", (FACE.width / 2, FACE.height / 2)),
        "deface-mosaic": _as("mosaic", 20 * PHOTO_PIXEL, (FACE.x0, FACE.y0)),
        "egoblur": _as("box", side / 2),
        "understand-ai": _as("gauss", 2 * PHOTO_PIXEL),
        "editor-mosaic": _as("mosaic", FACE.width / 10, (FACE.x0, FACE.y0)),
        "editor-gauss": _as("gauss", FACE.width / 8),
    }
    return Style(f"tool:{name}", _cover(op), covered, known[name])


def _as(
    kind: OperatorKind, size: float | tuple[float, float], phase: tuple[float, ...] | None = None
) -> Operator:
    both = size if isinstance(size, tuple) else (float(size), float(size))
    corner = None if phase is None else (float(phase[0] % both[0]), float(phase[1] % both[1]))
    return Operator(kind, both, corner, 1.0)


def _cover(op: degrade.Degradation) -> Cover:
    return lambda crop, rng: op(crop, rng)


def _reduced(crop: Image, rng: np.random.Generator) -> Image:
    return resize(degrade.low_resolution(4, rng)(crop, rng), SIZE)


def _inside(box: Box) -> Flags:
    mask = np.zeros((SIZE, SIZE), np.bool_)
    x0, y0, x1, y1 = (round(value) for value in box.as_tuple())
    mask[y0:y1, x0:x1] = True
    return mask


def _painted(name: str, mask: Flags, kind: OperatorKind) -> Style:
    def paint(crop: Image, rng: np.random.Generator) -> Image:
        return np.where(mask[..., None], np.uint8(0), crop)

    return Style(name, paint, mask, Operator(kind, None, None, 1.0))


def strength(style: Style) -> float | None:
    """PROTOCOL's number in the name, pixels of the 128 px crop."""
    found = re.fullmatch(r"(mosaic|gauss|box)-(\d+)", style.base)
    return None if found is None else float(found[2])
