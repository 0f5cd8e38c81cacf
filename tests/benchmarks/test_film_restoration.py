"""The measure of flicker."""

from __future__ import annotations

import numpy as np
import pytest
from skimage import data

from benchmarks.film_restoration import flicker
from seethrough.geometry import template


def test_flicker_is_blind_to_motion_and_sees_change() -> None:
    astronaut = data.astronaut()
    points = template(128) + np.array([160.0, 50.0])
    courses = np.array([np.add(points, (3 * index, index)) for index in range(5)])
    moved = [np.roll(astronaut, (index, 3 * index), axis=(0, 1)) for index in range(5)]
    assert flicker(iter(moved), courses) == 0
    brighter = [
        np.minimum(picture, 200).astype(np.uint8) + np.uint8(2 * (index % 2))
        for index, picture in enumerate(moved)
    ]
    assert flicker(iter(brighter), courses) == pytest.approx(2)
    assert flicker(iter(moved), np.array([points] * 5)) > 5
