"""Faces of any size, anywhere, in pictures of any shape."""

from __future__ import annotations

import numpy as np
import pytest

from seethrough.redactor import STYLES, Coverer, StillPicture, Style, region, verify_picture
from seethrough.types import Box
from tests.redactor.scene import Seen, paint


def seen_somewhere(rng: np.random.Generator, height: int, width: int) -> Seen:
    size = np.exp(rng.uniform(0, 6, 2)) if rng.random() < 0.3 else np.exp(rng.uniform(0, 5)) * 1.3
    wide, high = np.broadcast_to(size, 2)
    x, y = (
        rng.uniform(-200, 500, 2) if rng.random() < 0.4 else rng.uniform(0, 1, 2) * (width, height)
    )
    box = Box(float(x), float(y), float(x + wide), float(y + high))
    usual = np.array([[0.3, 0.35], [0.7, 0.35], [0.5, 0.6], [0.35, 0.8], [0.65, 0.8]])
    spread = rng.choice([0.02, 0.2, 2.0]) * wide
    points = usual * (wide, high) + (x, y) + rng.normal(0, spread, (5, 2))
    return Seen(box, None if rng.random() < 0.2 else points, int(rng.integers(1, 1000)))


@pytest.mark.parametrize("style", STYLES)
def test_covers_fit_the_picture_and_hold_every_oval(style: str, rng: np.random.Generator) -> None:
    for _ in range(25):
        height, width = (int(side) for side in rng.integers(1, 300, 2))
        picture = rng.integers(0, 256, (height, width, 3), np.uint8)
        seen = [seen_somewhere(rng, height, width) for _ in range(int(rng.integers(1, 4)))]
        chosen = Style(style, grow=float(rng.choice([1.0, 1.25, 2.0])))
        coverer = Coverer(chosen, (height, width), threads=1)
        patches = coverer.patches(StillPicture(picture), seen)
        output = paint(picture, patches)
        painted = np.zeros((height, width), np.bool_)
        for patch in patches:
            rows = slice(patch.y0, patch.y0 + patch.mask.shape[0])
            painted[rows, patch.x0 : patch.x0 + patch.mask.shape[1]] |= patch.mask
        assert np.array_equal(output[~painted], picture[~painted])
        for one in seen if style != "eye-bar" else []:
            oval = region.oval(one, (height, width))
            if oval is not None:
                inside = painted[oval.y0 : oval.y1, oval.x0 : oval.x1]
                assert not (oval.mask & ~inside).any()
        assert verify_picture(picture, output, seen, chosen, threads=1) == ()
