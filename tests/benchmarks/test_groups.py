"""Groups by apparent skin tone."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from benchmarks import groups


def face_of(lightness: float, yellow: float) -> np.ndarray:
    """A crop of one colour."""
    lab = np.full((128, 128, 3), (lightness, 10, yellow), np.float32)
    return np.round(255 * cv2.cvtColor(lab, cv2.COLOR_LAB2RGB)).astype(np.uint8)


@pytest.mark.parametrize(
    ("lightness", "yellow", "expected"),
    [(80, 15, "very light"), (70, 18, "light"), (63, 20, "intermediate"), (56, 20, "tan"),
     (45, 20, "brown"), (25, 15, "dark")],
)  # fmt: skip
def test_the_angle_is_lightness_against_yellow(
    lightness: float, yellow: float, expected: str
) -> None:
    crop = face_of(lightness, yellow)
    exact = np.degrees(np.arctan2(lightness - 50, yellow))
    assert groups.angle(crop) == pytest.approx(exact, abs=1.5)
    assert groups.name(groups.angle(crop)) == expected


def test_only_the_cheeks_count() -> None:
    crop = face_of(45, 20)
    around = crop.copy()
    around[:60], around[:, :30], around[:, 98:], around[100:] = 255, 255, 0, 0
    assert groups.angle(around) == groups.angle(crop)


def test_small_groups_are_left_out() -> None:
    crops = np.stack([face_of(70, 18)] * groups.FEWEST + [face_of(25, 15)] * 3)
    found = groups.members(crops)
    assert list(found) == ["light"]
    assert len(found["light"]) == groups.FEWEST
