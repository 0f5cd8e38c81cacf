"""The operator finder: kind, size, phase and place of covers, and silence on clean pictures."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest
from skimage import data

from seethrough import degrade, image
from seethrough.degrade import Ellipse, Within
from seethrough.errors import UsageError
from seethrough.operators import estimate, find_covered, luma_of, mosaic
from seethrough.operators.blur import FEATURES
from seethrough.operators.kernel import FEATURES as SPECTRAL_FEATURES
from seethrough.operators.parameters import parameters
from seethrough.types import Box, Image
from tests.operator_scene import about

FACE = Box(170, 60, 280, 200)
"""The astronaut's tight face."""


@pytest.fixture(scope="module")
def astronaut() -> Image:
    """A public-domain portrait, 512 px."""
    picture: Image = np.ascontiguousarray(data.astronaut())
    picture.setflags(write=False)
    return picture


@pytest.fixture(scope="module")
def textured() -> Image:
    """Noise with a natural spectrum and hard-edged discs, 256 px."""
    rng = np.random.default_rng(7)
    size = 256
    frequency = np.hypot(np.fft.fftfreq(size)[:, None], np.fft.fftfreq(size)[None])
    frequency[0, 0] = 1
    layers = []
    for _ in range(3):
        spectrum = np.fft.fft2(rng.normal(size=(size, size))) / frequency**1.1
        layer = np.fft.ifft2(spectrum).real
        layers.append(128 + 35 * layer / layer.std())
    picture = np.clip(np.stack(layers, axis=-1), 0, 255).astype(np.uint8)
    for _ in range(12):
        x, y, r = (int(v) for v in rng.integers([0, 0, 6], [size, size, 30]))
        cv2.circle(picture, (x, y), r, tuple(int(c) for c in rng.integers(0, 255, 3)), -1)
    noisy = picture + rng.normal(0, 5, picture.shape)  # or its discs are solid covers
    picture = np.clip(noisy, 0, 255).astype(np.uint8)
    picture.setflags(write=False)
    return picture


def whole(picture: Image) -> Box:
    return Box(0, 0, picture.shape[1], picture.shape[0])


def phase_error(found: float, ox: float, cell: float) -> float:
    """Distance on the circle between a found line and those at ``k * cell - ox``."""
    return abs((found + ox + cell / 2) % cell - cell / 2)


# --- mosaics ------------------------------------------------------------------------------


@pytest.mark.parametrize("cell", [4, 5, 6.4, 8, 9.37, 12, 15.5, 19, 24])
@pytest.mark.parametrize("quality", [None, 90, 75])
def test_a_mosaic_gives_its_cell_and_phase(
    astronaut: Image, cell: float, quality: int | None
) -> None:
    part = astronaut[20:240, 120:340]
    ox, oy = 0.3 * cell, 0.6 * cell
    covered = degrade.Mosaic(cell, (ox, oy))(part)
    if quality is not None:
        covered = degrade.Jpeg(quality)(covered)
    operator = estimate(covered, whole(covered))
    assert operator is not None
    assert operator.kind == "mosaic"
    assert operator.size == pytest.approx((cell, cell), rel=0.03)
    assert operator.phase is not None
    assert phase_error(operator.phase[0], ox, cell) < 0.75
    assert phase_error(operator.phase[1], oy, cell) < 0.75
    assert operator.confidence > 0.5


@pytest.mark.parametrize("cell", [(6.0, 9.0), (12.0, 8.0), (7.3, 11.9)])
def test_cells_need_not_be_square(textured: Image, cell: tuple[float, float]) -> None:
    operator = estimate(degrade.Mosaic(cell)(textured), whole(textured))
    assert operator is not None
    assert operator.kind == "mosaic"
    assert operator.size == pytest.approx(cell, rel=0.03)


@pytest.mark.parametrize("cell", [6, 10])
def test_sampled_mosaics_are_mosaics(textured: Image, cell: int) -> None:
    operator = estimate(degrade.Mosaic(cell, sampled=True)(textured), whole(textured))
    assert operator is not None
    assert operator.kind == "mosaic"
    assert operator.size == pytest.approx((cell, cell), rel=0.02)


@pytest.mark.parametrize(("dx", "dy"), [(0, 0), (3, 1), (5, 10), (11, 7)])
def test_the_phase_moves_with_the_picture(astronaut: Image, dx: int, dy: int) -> None:
    covered = Within(degrade.Mosaic(11.3), FACE)(astronaut)
    region = about(find_covered(covered), FACE)
    moved = about(
        find_covered(np.ascontiguousarray(covered[dy:, dx:])),
        Box(FACE.x0 - dx, FACE.y0 - dy, FACE.x1 - dx, FACE.y1 - dy),
    )
    for axis, shift in enumerate((dx, dy)):
        assert region.operator.size is not None
        assert moved.operator.size is not None
        cell = region.operator.size[axis]
        assert moved.operator.size[axis] == pytest.approx(cell, rel=0.01)
        assert region.operator.phase is not None
        assert moved.operator.phase is not None
        line = region.operator.phase[axis]
        assert phase_error(moved.operator.phase[axis] + shift, -line, cell) < 0.6
        assert 0 <= moved.operator.phase[axis] < cell


def test_estimate_speaks_picture_coordinates(astronaut: Image) -> None:
    covered = Within(degrade.Mosaic(9, (4, 2)), FACE)(astronaut)
    operator = estimate(covered, FACE)
    assert operator is not None
    assert operator.phase is not None
    assert phase_error(operator.phase[0], 4, 9) < 0.3
    assert phase_error(operator.phase[1], 2, 9) < 0.3


@pytest.mark.parametrize("cell", [7.7, 12.4])
@pytest.mark.parametrize("quality", [None, 75])
@pytest.mark.parametrize("elliptic", [False, True])
def test_mosaics_are_found_in_place(
    astronaut: Image, cell: float, quality: int | None, elliptic: bool
) -> None:
    region = Ellipse.inscribed(FACE) if elliptic else FACE
    covered = Within(degrade.Mosaic(cell, (1.2, 3.4)), region)(astronaut)
    if quality is not None:
        covered = degrade.Jpeg(quality)(covered)
    found = about(find_covered(covered), FACE)
    assert found.operator.kind == "mosaic"
    assert found.operator.size == pytest.approx((cell, cell), rel=0.05)


def test_a_mosaic_over_the_whole_picture_is_found(astronaut: Image) -> None:
    covered = degrade.Mosaic(10)(astronaut)
    (found,) = find_covered(covered)
    assert found.operator.size == pytest.approx((10, 10), rel=0.01)
    assert found.box.iou(whole(covered)) > 0.8


def test_a_mosaic_is_read_again_where_it_has_moved(astronaut: Image) -> None:
    first = Within(degrade.Mosaic((9, 9), (2, 4)), Box(170, 60, 280, 200))
    moved = Within(degrade.Mosaic((9, 9), (7, 1)), Box(181, 66, 291, 206))
    (known,) = (r for r in find_covered(first(astronaut)) if r.operator.kind == "mosaic")
    (wanted,) = (r for r in find_covered(moved(astronaut)) if r.operator.kind == "mosaic")
    found = mosaic.again(luma_of(moved(astronaut)), known.box, known.operator)
    assert found is not None
    assert found.box.iou(wanted.box) > 0.9
    assert found.operator.size == pytest.approx(wanted.operator.size, abs=0.02)
    assert found.operator.phase == pytest.approx(wanted.operator.phase, abs=0.1)
    assert mosaic.again(luma_of(astronaut), known.box, known.operator) is None


def test_two_mosaics_are_two_regions(astronaut: Image) -> None:
    other = Box(300, 300, 440, 440)
    covered = Within(degrade.Mosaic(9), FACE)(astronaut)
    covered = Within(degrade.Mosaic(14.5, (3, 3)), other)(covered)
    found = find_covered(covered)
    assert about(found, FACE).operator.size == pytest.approx((9, 9), rel=0.03)
    assert about(found, other).operator.size == pytest.approx((14.5, 14.5), rel=0.03)


@pytest.mark.parametrize("name", ["deface-mosaic", "editor-mosaic"])
def test_mosaics_of_real_tools_are_found(astronaut: Image, name: str) -> None:
    box = Box(120, 40, 320, 260)
    covered = degrade.preset(name, box, (512, 512))(astronaut)
    assert about(find_covered(covered), box).operator.size == pytest.approx((20, 20), rel=0.05)


@pytest.mark.parametrize("quality", [30, 50, 75])
def test_a_codecs_blocks_are_no_mosaic(astronaut: Image, textured: Image, quality: int) -> None:
    for picture in (astronaut, textured):
        found = find_covered(degrade.Jpeg(quality)(picture))
        assert not [r for r in found if r.operator.kind == "mosaic"]


@pytest.mark.parametrize("quality", [None, 75])
def test_a_mosaic_on_the_codecs_own_grid_is_one(astronaut: Image, quality: int | None) -> None:
    covered = degrade.Mosaic(8)(astronaut)
    if quality is not None:
        covered = degrade.Jpeg(quality)(covered)
    (found,) = find_covered(covered)
    assert found.operator.size == pytest.approx((8, 8), rel=0.01)


# --- blurs --------------------------------------------------------------------------------


@pytest.mark.parametrize("sigma", [3, 4.5, 6, 8, 12])
@pytest.mark.parametrize("quality", [None, 75])
def test_a_gaussian_gives_its_sigma(astronaut: Image, sigma: float, quality: int | None) -> None:
    covered = Within(degrade.GaussianBlur(sigma), FACE)(astronaut)
    if quality is not None:
        covered = degrade.Jpeg(quality)(covered)
    operator = estimate(covered, FACE)
    assert operator is not None
    assert operator.kind == "gauss"
    assert operator.size == pytest.approx((sigma, sigma), rel=0.2)
    assert operator.phase is None


@pytest.mark.parametrize("side", [11, 19, 27])
def test_a_box_kernel_is_told_from_a_gaussian(astronaut: Image, side: int) -> None:
    covered = Within(degrade.BoxBlur(side), FACE)(astronaut)
    operator = estimate(covered, FACE)
    assert operator is not None
    assert operator.kind == "box"
    assert operator.size == pytest.approx((side, side), rel=0.3)


@pytest.mark.parametrize("elliptic", [False, True])
@pytest.mark.parametrize("quality", [None, 75])
def test_blurs_are_found_in_place(astronaut: Image, quality: int | None, elliptic: bool) -> None:
    region = Ellipse.inscribed(FACE) if elliptic else FACE
    covered = Within(degrade.GaussianBlur(8), region)(astronaut)
    if quality is not None:
        covered = degrade.Jpeg(quality)(covered)
    found = about(find_covered(covered), FACE)
    assert found.operator.kind == "gauss"
    assert found.operator.size == pytest.approx((8, 8), rel=0.2)


@pytest.mark.parametrize("enlarged", [2, 3])
@pytest.mark.parametrize("elliptic", [False, True])
def test_a_strong_blur_in_a_large_picture_is_found_whole(
    astronaut: Image, enlarged: int, elliptic: bool
) -> None:
    """A wide blur leaves nothing to see over a few pixels: its middle must count all the same."""
    side = enlarged * 512
    large = cv2.resize(astronaut, (side, side), interpolation=cv2.INTER_CUBIC)
    grain = np.random.default_rng(0).normal(0, 6, large.shape)  # a camera's detail
    large = np.clip(large + grain, 0, 255).astype(np.uint8)
    box = Box(*(enlarged * v for v in (160, 60, 290, 220)))
    region = degrade.Ellipse.inscribed(box) if elliptic else box
    blurred = degrade.Within(degrade.GaussianBlur(box.width / 10), region)(large)
    found = about(find_covered(blurred), box)
    assert found.operator.kind == "gauss"
    assert found.box.intersection(box) > (0.6 if elliptic else 0.7) * box.area


def test_neighbouring_blurs_of_a_large_picture_are_all_covered(astronaut: Image) -> None:
    large = cv2.resize(astronaut, (1024, 1024), interpolation=cv2.INTER_CUBIC)
    grain = np.random.default_rng(0).normal(0, 6, large.shape)
    large = np.clip(large + grain, 0, 255).astype(np.uint8)
    boxes = Box(330, 130, 460, 300), Box(480, 130, 610, 300)
    for box in boxes:
        large = Within(degrade.GaussianBlur(10), box)(large)
    found = find_covered(large)
    for box in boxes:
        assert max(region.box.intersection(box) for region in found) > 0.6 * box.area


def test_a_background_out_of_focus_is_no_cover(astronaut: Image) -> None:
    blurred = degrade.GaussianBlur(9)(astronaut)
    outline = np.zeros((512, 512), np.uint8)
    cv2.ellipse(outline, (225, 130), (85, 115), 0, 0, 360, 1, -1)
    points = np.array([[60, 511], [110, 270], [330, 270], [420, 511]], np.int32)
    cv2.fillPoly(outline, [points], (1,))
    picture = np.where(outline[..., None] > 0, astronaut, blurred)
    assert find_covered(picture) == ()


def test_a_picture_blurred_all_over_is_left_to_estimate(astronaut: Image) -> None:
    blurred = degrade.GaussianBlur(6)(astronaut)
    assert find_covered(blurred) == ()
    operator = estimate(blurred, FACE)
    assert operator is not None
    assert operator.kind == "gauss"


# --- solid covers -------------------------------------------------------------------------


def test_an_eye_bar_is_found(astronaut: Image) -> None:
    bar = Box(165, 100, 285, 135)
    found = about(find_covered(degrade.EyeBar(bar)(astronaut)), bar)
    assert found.operator.kind == "eye-bar"
    assert found.operator.size is None
    assert found.box.iou(bar) > 0.9


@pytest.mark.parametrize("quality", [None, 75])
def test_a_solid_mask_is_found(astronaut: Image, quality: int | None) -> None:
    mask = Box(175, 65, 275, 175)  # above the collar, which is as black as the mask
    covered = degrade.SolidMask(mask.centre, (mask.width / 2, mask.height / 2))(astronaut)
    if quality is not None:
        covered = degrade.Jpeg(quality)(covered)
    found = about(find_covered(covered), mask)
    assert found.operator.kind == "solid"
    assert found.box.iou(mask) > 0.85


def test_margins_of_one_colour_are_no_cover(astronaut: Image) -> None:
    boxed = astronaut.copy()
    boxed[:70], boxed[-70:] = 0, 0
    assert find_covered(boxed) == ()


# --- clean and odd pictures ---------------------------------------------------------------


@pytest.mark.parametrize("quality", [None, 90, 75])
def test_clean_pictures_have_no_covers(
    astronaut: Image, textured: Image, quality: int | None
) -> None:
    for picture in (astronaut, textured):
        seen = picture if quality is None else degrade.Jpeg(quality)(picture)
        assert find_covered(seen) == ()


def test_a_sharp_box_is_not_explained(astronaut: Image, textured: Image) -> None:
    assert estimate(astronaut, FACE) is None
    assert estimate(textured, whole(textured)) is None


@pytest.mark.parametrize(
    "shape", [(1, 1), (1, 300), (300, 1), (4, 4), (5, 6), (7, 9), (16, 16), (33, 70), (90, 12)]
)
def test_small_pictures_are_no_trouble(shape: tuple[int, int], rng: np.random.Generator) -> None:
    picture = rng.integers(0, 256, (*shape, 3), dtype=np.uint8)
    assert find_covered(picture) == ()
    estimate(picture, whole(picture))
    estimate(np.zeros((*shape, 3), np.uint8), whole(picture))


@pytest.mark.parametrize("level", [0, 128, 255])
def test_one_colour_and_ramps_have_no_covers(level: int) -> None:
    plain = np.full((200, 300, 3), level, np.uint8)
    assert find_covered(plain) == ()
    ramp = np.broadcast_to(np.linspace(0, level, 300)[None, :, None], (200, 300, 3))
    assert find_covered(ramp.astype(np.uint8)) == ()


def test_a_box_beyond_the_picture_is_not_explained(astronaut: Image) -> None:
    assert estimate(astronaut, Box(600, 600, 700, 700)) is None


def test_the_same_picture_gives_the_same_answer(astronaut: Image) -> None:
    covered = Within(degrade.GaussianBlur(8), FACE)(astronaut)
    before = covered.copy()
    assert find_covered(covered) == find_covered(covered)
    assert np.array_equal(covered, before)


def test_other_arrays_are_refused() -> None:
    with pytest.raises(UsageError):
        find_covered(np.zeros((8, 8), np.uint8))
    with pytest.raises(UsageError):
        estimate(np.zeros((8, 8, 3), np.float32), Box(0, 0, 8, 8))  # type: ignore[arg-type]


def test_results_are_plain_numbers(astronaut: Image) -> None:
    covered = Within(degrade.GaussianBlur(8), FACE)(astronaut)
    for region in find_covered(covered):
        values = [*region.box.as_tuple(), *(region.operator.size or ()), region.operator.confidence]
        assert all(type(v) in (float, int) for v in values)
        assert 0 <= region.operator.confidence <= 1


def test_the_fitted_functions_match_the_features() -> None:
    fitted = parameters()
    assert len(fitted.is_covered.mean) == len(FEATURES)
    for function in (fitted.is_gauss, fitted.log_sigma, fitted.log_side):
        assert len(function.mean) == SPECTRAL_FEATURES
        assert len(function.terms(function.mean)) == len(function.weights)
        assert np.isfinite(function.weights).all()


@pytest.mark.slow
def test_calibration_photos(shared: Path) -> None:
    """A few photos of people whose pictures are there for calibration."""
    wrong, missed = 0, 0
    for person in range(460, 476):
        photo = image.read(shared / f"data/eval/lfw/{person:04d}_1.jpg").pixels
        wrong += bool(find_covered(photo))
        face = Box(78, 70, 172, 186)
        for operator, kind in (
            (degrade.Mosaic(10.7), "mosaic"),
            (degrade.GaussianBlur(8), "gauss"),
        ):
            found = find_covered(Within(operator, face)(photo))
            missed += not any(r.operator.kind == kind and r.box.iou(face) > 0.3 for r in found)
    assert wrong <= 1
    assert missed <= 2
