"""The restorer around a network that a test can predict."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from skimage.data import astronaut

from seethrough.degrade import GaussianBlur, Mosaic, Within
from seethrough.errors import MissingPartError, UsageError
from seethrough.geometry import template, tight_box
from seethrough.restorer import CROP, Restorer
from seethrough.restorer.blending import (
    noise_sigma,
)
from seethrough.restorer.dial import blended
from seethrough.types import Box, CoveredRegion, Face, Image, Operator, TextLine
from tests.standin import SHIFT, write_standin

LEVELS = SHIFT * 255
FACE = np.array([[204, 104], [243, 104], [226, 128], [210, 150], [241, 149]], np.float64)
"""The astronaut's landmarks."""


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_standin(tmp_path_factory.mktemp("weights") / "standin.onnx")


@pytest.fixture(scope="module")
def restorer(weights: Path) -> Restorer:
    return Restorer("cpu", 1, weights)


@pytest.fixture(scope="module")
def photo() -> Image:
    return np.ascontiguousarray(astronaut())


def face_at(x: float, y: float, scale: float, turn: float = 0.0) -> Face:
    """A face whose crop is centred on x, y with ``scale`` picture pixels per crop pixel."""
    points = template(CROP) - 63.5
    angle = np.deg2rad(turn)
    rotation = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    landmarks = points @ rotation.T * scale + (x, y)
    return Face(tight_box(landmarks), landmarks, 0.9)


def astronaut_face() -> Face:
    return Face(tight_box(FACE), FACE, 0.99)


# Crops


def test_crops_are_restored_and_rounded(restorer: Restorer, rng: np.random.Generator) -> None:
    crops = rng.integers(0, 256, (3, CROP, CROP, 3), np.uint8)
    faces = restorer.restore_crops(crops, ["face"] * 3)
    assert faces.dtype == np.uint8
    exact = np.clip(crops + LEVELS, 0, 255)
    assert np.abs(faces - exact).max() <= 0.5 + 1e-3
    text = restorer.restore_crops(crops, ["text"] * 3)
    assert np.abs(text - np.clip(crops + 2 * LEVELS, 0, 255)).max() <= 0.5 + 1e-3


def test_batches_do_not_change_results(restorer: Restorer, rng: np.random.Generator) -> None:
    crops = rng.integers(0, 256, (35, CROP, CROP, 3), np.uint8)
    kinds = ["face", "text", "face", "face", "text"] * 7
    together = restorer.restore_crops(crops, kinds)
    alone = [restorer.restore_crops(crops[i : i + 1], kinds[i : i + 1])[0] for i in range(35)]
    np.testing.assert_array_equal(together, alone)


def test_no_crops_are_no_error(restorer: Restorer) -> None:
    assert restorer.restore_crops(np.empty((0, CROP, CROP, 3), np.uint8), []).shape[0] == 0


@pytest.mark.parametrize(
    ("crops", "kinds"),
    [
        (np.zeros((1, 64, 64, 3), np.uint8), ["face"]),
        (np.zeros((1, CROP, CROP, 3), np.float32), ["face"]),
        (np.zeros((CROP, CROP, 3), np.uint8), ["face"]),
        (np.zeros((1, CROP, CROP, 3), np.uint8), []),
        (np.zeros((1, CROP, CROP, 3), np.uint8), ["plate"]),
    ],
)
def test_other_crops_are_refused(restorer: Restorer, crops: Image, kinds: list[str]) -> None:
    with pytest.raises(UsageError):
        restorer.restore_crops(crops, kinds)


def test_weights_are_named_by_their_checksum(restorer: Restorer) -> None:
    assert restorer.weights.name == "standin"
    assert len(restorer.weights.sha256) == 64


def test_missing_weights_are_a_missing_part(tmp_path: Path) -> None:
    with pytest.raises(MissingPartError, match=r"none\.onnx"):
        Restorer("cpu", 1, tmp_path / "none.onnx")


# Realism


def test_the_dial_goes_from_one_network_to_the_other() -> None:
    face = GaussianBlur(4)(np.ascontiguousarray(astronaut()[56:184, 160:288]))
    crops = np.stack([face, face])
    soft, half, real = (
        Restorer("cpu", 1, realism=dial).restore_crops(crops, ["face", "text"]).astype(float)
        for dial in (0.0, 0.5, 1.0)
    )
    assert np.abs(real[0] - soft[0]).max() > 8
    ends = [(each[:1] / 255).transpose(0, 3, 1, 2).astype(np.float32) for each in (soft, real)]
    between = 255 * blended(*ends, 0.5).clip(0, 1).transpose(0, 2, 3, 1)
    assert np.abs(half[:1] - between).max() <= 2
    # Detail of letters is not made up.
    np.testing.assert_array_equal(half[1], soft[1])
    np.testing.assert_array_equal(real[1], soft[1])


def test_all_networks_with_a_part_in_a_picture_are_named() -> None:
    assert [used.name for used in Restorer("cpu", 1).used()] == ["restorer"]
    both = Restorer("cpu", 1, realism=0.5)
    assert [used.name for used in both.used()] == ["restorer", "realistic"]
    assert [used.name for used in both.used(["text"])] == ["restorer"]


@pytest.mark.parametrize("dial", [-0.1, 1.1, float("nan")])
def test_a_dial_beyond_its_ends_is_refused(dial: float) -> None:
    with pytest.raises(UsageError, match="realism"):
        Restorer("cpu", 1, realism=dial)


def test_other_weights_have_no_realistic_twin(weights: Path) -> None:
    with pytest.raises(UsageError, match="realism 0"):
        Restorer("cpu", 1, weights, realism=0.5)


# Pictures


def blurred_photo(photo: Image, sigma: float = 4.0) -> Image:
    return GaussianBlur(sigma)(photo)


def test_a_blurred_face_is_restored_in_place(restorer: Restorer, photo: Image) -> None:
    given_ = blurred_photo(photo)
    before = given_.copy()
    done = restorer.restore_picture(given_, [astronaut_face()])
    np.testing.assert_array_equal(given_, before)
    (region,) = done.regions
    assert (region.kind, region.status, region.reason) == ("face", "done", None)
    assert done.weights == (restorer.weights,)
    change = done.picture[128, 226].astype(int) - before[128, 226]
    # The stand-in's shift; what of it is a slow change of colour is taken off.
    assert (change > 0.3 * LEVELS).all()
    assert (change < LEVELS + 1).all()


def test_nothing_found_changes_nothing(restorer: Restorer, photo: Image) -> None:
    done = restorer.restore_picture(photo)
    np.testing.assert_array_equal(done.picture, photo)
    assert not done.synthesised.any()
    assert done.regions == ()
    assert done.weights == ()


def test_a_clear_face_is_skipped_unless_forced(restorer: Restorer, photo: Image) -> None:
    done = restorer.restore_picture(photo, [astronaut_face()])
    assert (done.regions[0].status, done.regions[0].reason) == ("skipped", "clear")
    assert not done.synthesised.any()
    forced = restorer.restore_picture(photo, [astronaut_face()], force=True)
    assert forced.regions[0].status == "done"
    assert forced.synthesised.any()


@pytest.mark.parametrize(
    ("face", "reason"),
    [
        (face_at(100, 100, 0.2), "too small"),
        (face_at(-900, 100, 1.0), "outside the picture"),
    ],
)
def test_faces_that_cannot_be_restored_say_why(
    restorer: Restorer, photo: Image, face: Face, reason: str
) -> None:
    done = restorer.restore_picture(blurred_photo(photo), [face])
    assert (done.regions[0].status, done.regions[0].reason) == ("skipped", reason)
    np.testing.assert_array_equal(done.picture, blurred_photo(photo))


@pytest.mark.parametrize("kind", ["solid", "eye-bar"])
def test_nothing_is_invented_under_a_solid_cover(
    restorer: Restorer, photo: Image, kind: str
) -> None:
    face = astronaut_face()
    cover = CoveredRegion(face.box, Operator(kind, None, None, 0.9))
    done = restorer.restore_picture(photo, [face], covered=[cover], force=True)
    assert (done.regions[0].status, done.regions[0].reason) == ("skipped", kind)
    assert not done.synthesised.any()


def mosaicked(photo: Image, cell: float = 8.0) -> tuple[Image, CoveredRegion]:
    box = Box(170, 60, 274, 196)
    operator = Operator("mosaic", (cell, cell), (0.0, 0.0), 0.95)
    return Within(Mosaic(cell), box)(photo), CoveredRegion(box, operator)


def test_only_the_cover_is_replaced(restorer: Restorer, photo: Image) -> None:
    given_, cover = mosaicked(photo)
    done = restorer.restore_picture(given_, [astronaut_face()], covered=[cover])
    assert done.regions[0].operator == cover.operator
    far = np.ones(photo.shape[:2], bool)
    far[60 - 20 : 196 + 20, 170 - 20 : 274 + 20] = False
    assert not (done.synthesised & far).any()
    inside = done.synthesised[80:180, 190:260]
    assert inside.all()


def test_a_mosaic_leaves_no_cell_borders(restorer: Restorer, photo: Image) -> None:
    big = np.asarray(cv2.resize(photo, None, fx=3, fy=3, interpolation=cv2.INTER_CUBIC), np.uint8)
    box = Box(510, 180, 822, 588)
    given_ = Within(Mosaic(48), box)(big)
    cover = CoveredRegion(box, Operator("mosaic", (48.0, 48.0), (0.0, 0.0), 0.9))
    face = Face(tight_box(FACE * 3), FACE * 3, 0.9)
    done = restorer.restore_picture(given_, [face], covered=[cover])

    def steps(picture: Image) -> float:
        inner = picture[288:528, 576:768].astype(np.float32).mean(axis=2)
        return float(np.abs(np.diff(inner, axis=1)).max())

    # 3 picture pixels show one of the crop: a cell's hard border is spread over them.
    assert steps(done.picture) < 0.6 * steps(given_)


def test_detail_beyond_the_network_survives(restorer: Restorer, photo: Image) -> None:
    """A blurred face ten times as large as the crop keeps its own grain."""
    rng = np.random.default_rng(0)
    big = np.asarray(
        cv2.resize(blurred_photo(photo), None, fx=8, fy=8, interpolation=cv2.INTER_CUBIC), np.uint8
    )[300:2000, 1000:2700]
    grain = rng.normal(0, 4, (*big.shape[:2], 1))
    given_ = np.clip(big + grain, 0, 255).astype(np.uint8)
    face = Face(tight_box(FACE * 8 - (1000, 300)), FACE * 8 - (1000, 300), 0.9)
    done = restorer.restore_picture(given_, [face], force=True)
    at = (slice(500, 900), slice(600, 900))
    assert done.synthesised[at].all()
    assert noise_sigma(done.picture[at]) == pytest.approx(noise_sigma(given_[at]), rel=0.1)


def test_lines_of_text_are_restored(restorer: Restorer, rng: np.random.Generator) -> None:
    page = np.full((200, 500, 3), 230, np.uint8)
    cv2.putText(page, "Restored text", (40, 110), cv2.FONT_HERSHEY_SIMPLEX, 1.2, (20,) * 3, 2)
    given_ = GaussianBlur(3)(page)
    quad = np.array([[36, 76], [320, 76], [320, 122], [36, 122]], np.float64)
    done = restorer.restore_picture(given_, lines=[TextLine(quad, 0.8)])
    (region,) = done.regions
    assert (region.kind, region.status, region.landmarks) == ("text", "done", None)
    assert done.synthesised[80:118, 44:312].mean() > 0.95
    clear = restorer.restore_picture(page, lines=[TextLine(quad, 0.8)])
    assert clear.regions[0].reason == "clear"


@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    seed=st.integers(0, 2**16),
    height=st.integers(1, 220),
    width=st.integers(1, 220),
    faces=st.lists(
        st.tuples(
            st.floats(-40, 260), st.floats(-40, 260), st.floats(0.3, 2.5), st.floats(-180, 180)
        ),
        max_size=4,
    ),
)
def test_no_pixel_outside_changes_by_a_level(
    restorer: Restorer,
    seed: int,
    height: int,
    width: int,
    faces: list[tuple[float, float, float, float]],
) -> None:
    rng = np.random.default_rng(seed)
    picture = rng.integers(0, 256, (height, width, 3), np.uint8)
    done = restorer.restore_picture(
        picture, [face_at(*where) for where in faces], force=True, rng=rng
    )
    outside = ~done.synthesised
    np.testing.assert_array_equal(done.picture[outside], picture[outside])
    assert len(done.regions) == len(faces)
    assert done.picture.shape == picture.shape
    assert all((region.reason is None) == (region.status == "done") for region in done.regions)


def test_the_same_seed_gives_the_same_picture(restorer: Restorer, photo: Image) -> None:
    noisy = np.clip(photo + np.random.default_rng(1).normal(0, 6, photo.shape), 0, 255)
    given_, cover = mosaicked(noisy.astype(np.uint8))

    def once(seed: int) -> Image:
        rng = np.random.default_rng(seed)
        done = restorer.restore_picture(given_, [astronaut_face()], covered=[cover], rng=rng)
        return done.picture

    np.testing.assert_array_equal(once(5), once(5))
    assert (once(5) != once(6)).any()


def test_overlapping_faces_share_their_pixels(restorer: Restorer, photo: Image) -> None:
    given_ = blurred_photo(photo)
    one, two = face_at(200, 200, 1.0), face_at(260, 200, 0.9)
    both = restorer.restore_picture(given_, [one, two], force=True)
    swapped = restorer.restore_picture(given_, [two, one], force=True)
    difference = both.picture.astype(int) - swapped.picture
    assert np.abs(difference).max() <= 1  # rounding alone depends on the order
    np.testing.assert_array_equal(both.synthesised, swapped.synthesised)
    alone = restorer.restore_picture(given_, [one], force=True)
    assert (both.synthesised >= alone.synthesised).all()
    assert [region.status for region in both.regions] == ["done", "done"]
