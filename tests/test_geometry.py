"""Alignment, crops and paste-back."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from seethrough import geometry
from seethrough.errors import UsageError
from seethrough.types import Box

ANGLES = st.floats(-3.1, 3.1)
SCALES = st.floats(0.05, 20)
SHIFTS = st.floats(-500, 500)


def similarity_matrix(angle: float, scale: float, x: float, y: float) -> geometry.Matrix:
    cos, sin = scale * np.cos(angle), scale * np.sin(angle)
    return np.array([[cos, -sin, x], [sin, cos, y]])


def smooth_picture(height: int, width: int) -> np.ndarray:
    y, x = np.mgrid[:height, :width]
    channels = [
        128 + 100 * np.sin(x / 17 + 0.3) * np.cos(y / 23),
        128 + 100 * np.sin((x + y) / 31),
        128 + 100 * np.cos(x / 29 - y / 19),
    ]
    return np.stack(channels, axis=-1).astype(np.uint8)


def test_template_of_512_is_the_ffhq_template() -> None:
    np.testing.assert_allclose(geometry.template(512), geometry.TEMPLATE_512)


def test_template_scales_about_pixel_centres() -> None:
    corner = (geometry.TEMPLATE_512 + 0.5) / 4  # measured from the left edge of the crop
    np.testing.assert_allclose(geometry.template(128) + 0.5, corner)


@given(ANGLES, SCALES, SHIFTS, SHIFTS)
def test_similarity_recovers_an_exact_similarity(
    angle: float, scale: float, x: float, y: float
) -> None:
    truth = similarity_matrix(angle, scale, x, y)
    landmarks = geometry.transform(geometry.invert(truth), geometry.template(128))
    np.testing.assert_allclose(geometry.similarity(landmarks, 128), truth, atol=1e-6, rtol=1e-6)


def test_similarity_is_the_least_squares_one() -> None:
    rng = np.random.default_rng(1)
    landmarks = geometry.template(200) + rng.normal(0, 5, (5, 2))

    def error(matrix: geometry.Matrix) -> float:
        moved = geometry.transform(matrix, landmarks)
        return float(((moved - geometry.template(128)) ** 2).sum())

    best = geometry.similarity(landmarks, 128)
    angle = np.arctan2(best[1, 0], best[0, 0])
    scale = geometry.scale_of(best)
    for d_angle, d_scale, d_x, d_y in rng.normal(0, 0.01, (100, 4)):
        other = similarity_matrix(
            angle + d_angle, scale * (1 + d_scale), best[0, 2] + d_x, best[1, 2] + d_y
        )
        assert error(best) <= error(other) + 1e-9


def test_similarity_never_mirrors() -> None:
    mirrored = geometry.template(128) * (-1, 1) + (128, 0)
    assert np.linalg.det(geometry.similarity(mirrored, 128)[:, :2]) > 0


@pytest.mark.parametrize(
    "landmarks",
    [np.zeros((5, 2)), np.full((5, 2), np.nan), np.zeros((4, 2)), np.full((5, 2), 7.0)],
)
def test_similarity_refuses_what_is_no_face(landmarks: np.ndarray) -> None:
    with pytest.raises(UsageError):
        geometry.similarity(landmarks, 128)


def test_crop_of_the_identity_is_the_picture() -> None:
    picture = smooth_picture(128, 128)
    np.testing.assert_array_equal(geometry.crop(picture, np.eye(2, 3), 128), picture)


def test_reducing_crop_is_the_area_mean() -> None:
    rng = np.random.default_rng(2)
    picture = rng.integers(0, 256, (512, 512, 3), dtype=np.uint8)
    matrix = geometry.similarity(geometry.template(512), 128)
    cells = picture.reshape(128, 4, 128, 4, 3).mean(axis=(1, 3))
    assert np.abs(geometry.crop(picture, matrix, 128) - cells).max() <= 1


def test_reducing_crop_does_not_alias_when_rotated() -> None:
    picture = np.zeros((1000, 1000, 3), np.uint8)
    picture[:, ::2] = 255
    cut = geometry.crop(picture, similarity_matrix(0.3, 0.128, 10, -20), 128)
    assert cut.std() < 6
    assert abs(cut.mean() - 127.5) < 3


def test_crop_reflects_at_the_border() -> None:
    picture = smooth_picture(100, 90)
    reflected = np.pad(picture, ((40, 40), (40, 40), (0, 0)), mode="reflect")
    cut = geometry.crop(picture, np.array([[1.0, 0, 40], [0, 1.0, 40]]), 170)
    np.testing.assert_array_equal(cut, reflected[:170, :170])


def test_crop_reads_pictures_wider_than_opencv_warps() -> None:
    picture = np.zeros((40, 40_000, 3), np.uint8)
    picture[:, 39_000:] = 200
    cut = geometry.crop(picture, np.array([[1.0, 0, -39_100], [0, 1.0, 0]]), 32)
    assert (cut == 200).all()


def test_crop_refuses_a_face_beyond_all_measure() -> None:
    matrix = geometry.similarity(geometry.template(128) * 1e6, 128)
    with pytest.raises(UsageError):
        geometry.crop(smooth_picture(50, 50), matrix, 128)


@pytest.mark.parametrize("shape", [(1, 1), (1, 500), (500, 1), (3, 2)])
def test_tiny_pictures_are_cropped_and_pasted(shape: tuple[int, int]) -> None:
    picture = np.full((*shape, 3), 90, np.uint8)
    matrix = geometry.similarity(geometry.template(40) - 10, 64)
    cut = geometry.crop(picture, matrix, 64)
    assert (cut == 90).all()
    pasted = geometry.paste(picture, cut, matrix, geometry.feather_mask(64))
    np.testing.assert_array_equal(pasted, picture)


@given(ANGLES, st.floats(0.2, 3), st.floats(-80, 200), st.floats(-80, 200))
def test_paste_changes_nothing_where_the_mask_is_zero(
    angle: float, scale: float, x: float, y: float
) -> None:
    picture = np.random.default_rng(3).integers(0, 256, (120, 150, 3), dtype=np.uint8)
    matrix = geometry.invert(similarity_matrix(angle, scale, x, y))
    mask = geometry.feather_mask(64)
    white = np.full((64, 64, 3), 255, np.uint8)
    pasted = geometry.paste(picture, white, matrix, mask)
    window, weight = geometry.place(mask, matrix, picture.shape)
    touched = np.zeros(picture.shape[:2], bool)
    touched[window] = weight > 0
    np.testing.assert_array_equal(pasted[~touched], picture[~touched])
    rows, columns = np.mgrid[:120, :150]
    inside = geometry.transform(matrix, np.stack([columns, rows], axis=-1))
    reach = 2 + 1 / scale  # half the diagonal of a picture pixel, in the crop
    far = ((inside < -reach) | (inside > 63 + reach)).any(axis=-1)
    assert not touched[far].any()


@pytest.mark.parametrize("scale", [0.4, 1.0, 2.7])
def test_crop_then_paste_returns_a_smooth_picture(scale: float) -> None:
    picture = smooth_picture(300, 300)
    matrix = similarity_matrix(0.2, scale, 64 - 150 * scale + 20, 64 - 150 * scale)
    cut = geometry.crop(picture, matrix, 128)
    pasted = geometry.paste(picture, cut, matrix, geometry.feather_mask(128))
    assert not np.array_equal(pasted, picture)
    difference = np.abs(pasted.astype(int) - picture)
    assert difference.max() <= (6 if scale < 1 else 2)
    assert difference.mean() < 0.5


def test_paste_into_a_small_face_is_the_area_mean() -> None:
    rng = np.random.default_rng(4)
    face = rng.integers(0, 256, (128, 128, 3), dtype=np.uint8)
    matrix = np.array([[4.0, 0, 1.5], [0, 4.0, 1.5]])  # one picture pixel is four of the crop
    pasted = geometry.paste(
        np.zeros((32, 32, 3), np.uint8), face, matrix, np.ones((128, 128), np.float32)
    )
    cells = face.reshape(32, 4, 32, 4, 3).mean(axis=(1, 3))
    assert np.abs(pasted - cells)[1:-1, 1:-1].max() <= 1


def test_paste_leaves_its_input_alone() -> None:
    picture = smooth_picture(64, 64)
    before = picture.copy()
    geometry.paste(picture, picture[::-1], np.eye(2, 3), np.ones((64, 64), np.float32))
    np.testing.assert_array_equal(picture, before)


@pytest.mark.parametrize("size", [16, 128, 129])
def test_feather_mask_is_full_inside_and_zero_at_the_rim(size: int) -> None:
    mask = geometry.feather_mask(size)
    assert mask.dtype == np.float32
    rim = np.concatenate([mask[0], mask[-1], mask[:, 0], mask[:, -1]])
    assert (rim == 0).all()
    assert mask[size // 2, size // 2] == 1
    np.testing.assert_allclose(mask, mask.T)
    np.testing.assert_allclose(mask, mask[::-1])
    assert (np.diff(mask[size // 2, : size // 2]) >= 0).all()


def test_feather_mask_covers_the_whole_tight_face() -> None:
    assert (geometry.feather_mask(128)[36:112, 28:100] > 0.9).all()


def test_tight_box_of_the_template_is_the_protocols() -> None:
    np.testing.assert_allclose(
        geometry.tight_box(geometry.template(128)).as_tuple(), (28, 36, 100, 124)
    )


@given(SCALES, SHIFTS, SHIFTS)
def test_tight_box_moves_with_the_face(scale: float, x: float, y: float) -> None:
    landmarks = (geometry.template(128) + 0.5) * scale - 0.5 + (x, y)
    expected = np.array([28, 36, 100, 124]) * scale + (x, y, x, y)
    np.testing.assert_allclose(geometry.tight_box(landmarks).as_tuple(), expected, atol=1e-6)


def test_overlap_is_the_share_of_the_smaller_box() -> None:
    large, small = Box(0, 0, 10, 10), Box(8, 0, 12, 5)
    assert large.overlap(small) == small.overlap(large) == 0.5
    assert large.overlap(large) == 1
    assert large.overlap(Box(20, 20, 30, 30)) == 0
