"""The two recognisers: where they look, and what their descriptors tell apart."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from skimage.data import astronaut

import seethrough
from seethrough import geometry
from seethrough.auditor.recognisers import (
    RECOGNISERS,
    Recogniser,
    RecogniserName,
    chip,
    chip_matrix,
)
from seethrough.errors import UsageError

SIDES: dict[RecogniserName, int] = {"dlib": 150, "mobilefacenet": 112}
POINTS: dict[RecogniserName, np.ndarray] = {  # eyes, nose and mouth corners in each chip
    "dlib": np.array([[47.5, 46.6], [100.5, 46.6], [74, 76.6], [50.4, 103], [97.6, 103]]),
    "mobilefacenet": np.array([[38.3, 51.7], [73.5, 51.5], [56, 71.7], [41.5, 92.4], [70.7, 92.2]]),
}


@pytest.fixture(scope="module", params=RECOGNISERS)
def recogniser(request: pytest.FixtureRequest) -> Recogniser:
    return Recogniser(request.param, "cpu", 1)


@pytest.fixture(scope="module")
def face() -> np.ndarray:
    """The astronaut's face, aligned: public domain."""
    points = [[206.5, 107.5], [248.5, 105], [231, 131], [211, 150], [248.5, 147.5]]
    picture = np.ascontiguousarray(astronaut())
    return geometry.crop(picture, geometry.similarity(np.array(points), 128), 128)


@pytest.mark.parametrize("name", RECOGNISERS)
def test_chips_put_the_template_where_the_network_wants_it(name: RecogniserName) -> None:
    landed = geometry.transform(chip_matrix(name), geometry.template(128))
    assert np.abs(landed - POINTS[name]).max() < 2.5
    error = ((landed - POINTS[name]) ** 2).sum()
    for angle, scale, shift in ((0.02, 1, 0), (0, 1.02, 0), (0, 1, 0.6)):  # nothing comes nearer
        turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
        other = (landed - landed.mean(0)) @ turn.T * scale + landed.mean(0) + shift
        assert ((other - POINTS[name]) ** 2).sum() > error


@pytest.mark.parametrize("name", RECOGNISERS)
def test_chips_do_not_depend_on_the_crops_size(name: RecogniserName) -> None:
    y, x = np.mgrid[:256, :256]
    large = np.repeat((60 + 0.3 * x + 0.2 * y)[..., None], 3, axis=2).astype(np.uint8)
    small = np.asarray(cv2.resize(large, (128, 128), interpolation=cv2.INTER_AREA), np.uint8)
    difference = chip(large, name).astype(int) - chip(small, name)
    assert chip(small, name).shape == (SIDES[name], SIDES[name], 3)
    assert np.abs(difference).max() <= 1


def test_descriptors_know_a_face_again_and_tell_it_from_noise(
    recogniser: Recogniser, face: np.ndarray, rng: np.random.Generator
) -> None:
    darker = (face * 0.8).astype(np.uint8)
    mirrored = np.ascontiguousarray(face[:, ::-1])
    noise = rng.integers(0, 256, face.shape).astype(np.uint8)
    found = recogniser.describe(np.stack([face, darker, mirrored, noise]))
    assert found.shape == (4, recogniser.dimensions)
    assert found.dtype == np.float32
    (same,) = recogniser.similarity(found[:1], found)
    assert same[0] == pytest.approx(0 if recogniser.name == "dlib" else 1, abs=1e-3)
    assert same[1] > same[2] > same[3]
    least = -0.6 if recogniser.name == "dlib" else 0.4
    assert same[2] > least > same[3]


def test_batches_do_not_change_descriptors(recogniser: Recogniser, face: np.ndarray) -> None:
    crops = np.stack([np.roll(face, shift, axis=1) for shift in range(11)])
    together = recogniser.describe(crops)
    alone = np.concatenate([recogniser.describe(crop[None]) for crop in crops])
    assert np.abs(together - alone).max() < 1e-4
    assert recogniser.describe(crops[:0]).shape == (0, recogniser.dimensions)


def test_similarities_are_the_networks_own() -> None:
    a = np.array([[3.0, 4.0] + [0.0] * 126], np.float32)
    b = np.array([[0.0] * 128, [6.0, 8.0] + [0.0] * 126], np.float32)
    assert Recogniser("dlib", "cpu", 1).similarity(a, b).tolist() == [[-5.0, -5.0]]
    wide = np.zeros((2, 512), np.float32)
    wide[0, :2], wide[1, 1] = (3, 4), 2
    cosines = Recogniser("mobilefacenet", "cpu", 1).similarity(wide, wide)
    assert cosines.round(6).tolist() == [[1.0, 0.8], [0.8, 1.0]]


def test_crops_that_are_not_square_are_refused(recogniser: Recogniser) -> None:
    for shape in ((1, 128, 100, 3), (128, 128, 3)):
        with pytest.raises(UsageError, match="square"):
            recogniser.describe(np.zeros(shape, np.uint8))


def test_no_descriptor_is_public() -> None:
    assert not [name for name in seethrough.__all__ if "ecogni" in name or "escriptor" in name]
