"""Covers of real tools, as their sources define them."""

from __future__ import annotations

from seethrough.degrade.base import Degradation
from seethrough.degrade.blurs import BoxBlur, GaussianBlur
from seethrough.degrade.combine import Within, scaled
from seethrough.degrade.covers import Ellipse
from seethrough.degrade.mosaics import Mosaic
from seethrough.errors import UsageError
from seethrough.types import Box

PRESETS: tuple[str, ...] = (
    "deface-blur",
    "deface-mosaic",
    "egoblur",
    "understand-ai",
    "editor-mosaic",
    "editor-gauss",
)
"""Names of the covers of real tools that :func:`preset` builds."""


def preset(name: str, face: Box, picture_size: tuple[int, int], pixel: float = 1.0) -> Degradation:
    """The cover that a real tool would put over a face, as its source defines it.

    Parameters
    ----------
    name : str
        One of :data:`PRESETS`. ``deface-blur``: box kernel of half the box, in the inscribed
        ellipse (deface 1.5, ``draw_det``). ``deface-mosaic``: one pixel sampled per 20 px cell,
        in the box (same). ``egoblur``: box kernel of half the picture, in the inscribed ellipse
        (EgoBlur demo, ``visualize``). ``understand-ai``: Gaussian, kernel 21, sigma 2, rim of
        9 px (anonymizer, ``Obfuscator``). ``editor-mosaic``: cell of a tenth of the box's width.
        ``editor-gauss``: radius of an eighth of the box's width.
    face : Box
        The face box in pixels of the picture.
    picture_size : (int, int)
        Width and height of the picture in pixels.
    pixel : float
        Size of one pixel of the source photo in pixels of this picture, where the picture is a
        rescaled crop of it; lengths that a tool gives in photo pixels are multiplied by it.

    Raises
    ------
    UsageError
        If the name is unknown.
    """
    ellipse = Ellipse.inscribed(face)
    half = (max(1, int(face.width) // 2), max(1, int(face.height) // 2))
    match name:
        case "deface-blur":
            return Within(BoxBlur(half), ellipse, cropped=True)
        case "deface-mosaic":
            mosaic = Mosaic(max(1.0, 20 * pixel), sampled=True)
            return Within(mosaic, face, cropped=True)
        case "egoblur":
            kernel = (max(1, picture_size[1] // 2), max(1, picture_size[0] // 2))
            return Within(BoxBlur(kernel), ellipse, cropped=True)
        case "understand-ai":
            return Within(scaled(GaussianBlur(2, 21), pixel), face, feather=9 * pixel)
        case "editor-mosaic":
            return Within(Mosaic(max(1.0, face.width / 10)), face, cropped=True)
        case "editor-gauss":
            return Within(GaussianBlur(face.width / 8), face)
        case _:
            raise UsageError(f"no tool is named {name!r}", f"choose from {', '.join(PRESETS)}")
