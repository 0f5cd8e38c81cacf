"""What every operator promises, the properties of each, and PROTOCOL's reference outputs."""

from __future__ import annotations

from dataclasses import FrozenInstanceError, fields
from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from seethrough import degrade
from seethrough.degrade import (
    H264,
    MASK_FACE,
    MASK_HEAD,
    PRESETS,
    BoxBlur,
    Chain,
    Degradation,
    Downscale,
    Ellipse,
    EyeBar,
    GaussianBlur,
    Jpeg,
    Mosaic,
    MotionBlur,
    MotionPath,
    Noise,
    SolidMask,
    Within,
    low_resolution,
    preset,
    scaled,
)
from seethrough.errors import UsageError
from seethrough.types import Box, Image

OPERATORS: dict[str, Degradation] = {
    "gauss": GaussianBlur(3),
    "gauss-kernel": GaussianBlur(2, 21),
    "box": BoxBlur(15),
    "box-oblong": BoxBlur((6, 9)),
    "motion": MotionBlur(9, 30),
    "path": MotionPath(12),
    "mosaic": Mosaic(8, (3, 5)),
    "mosaic-fractional": Mosaic(7.3, (1.5, 0.2)),
    "mosaic-oblong": Mosaic((5, 9)),
    "mosaic-sampled": Mosaic(8, sampled=True),
    "noise": Noise(0.02),
    "jpeg": Jpeg(75),
    "h264": H264(23),
    "eye-bar": EyeBar(),
    "mask": SolidMask(MASK_FACE.centre, MASK_FACE.half_axes),
    "within": Within(Mosaic(6), Ellipse((60, 60), (30, 40)), feather=4),
    "within-cropped": Within(GaussianBlur(4), Box(20, 30, 90, 100), cropped=True),
    "chain": Chain([GaussianBlur(1), Noise(0.01), Jpeg(80)]),
    **{name: preset(name, Box(28, 36, 100, 124), (128, 128)) for name in PRESETS},
}
SMALL = {name: op for name, op in OPERATORS.items() if name != "h264"}


def picture_of(rng: np.random.Generator, height: int = 128, width: int = 128) -> Image:
    """Smooth colours with edges and some noise."""
    base = rng.random((height // 16 + 1, width // 16 + 1, 3), np.float32)
    smooth = cv2.resize(base, (width, height), interpolation=cv2.INTER_CUBIC)
    smooth[height // 3 : height // 2, width // 4 : width // 2] = rng.random(3)
    noisy = smooth + rng.normal(0, 0.02, smooth.shape)
    return (np.clip(noisy, 0, 1) * 255).astype(np.uint8)


@pytest.mark.parametrize("operator", OPERATORS.values(), ids=OPERATORS)
class TestEveryOperator:
    def test_keeps_type_and_size_and_input(
        self, operator: Degradation, rng: np.random.Generator
    ) -> None:
        picture = picture_of(rng)
        before = picture.copy()
        degraded = operator(picture, rng)
        assert degraded.dtype == np.uint8
        assert degraded.shape == picture.shape
        assert np.array_equal(picture, before), "an operator changed its input"
        assert not np.array_equal(degraded, picture)

    def test_is_decided_by_its_generator(self, operator: Degradation) -> None:
        picture = picture_of(np.random.default_rng(1))
        first = operator(picture, np.random.default_rng(7))
        assert np.array_equal(first, operator(picture, np.random.default_rng(7)))
        if operator.random:
            assert not np.array_equal(first, operator(picture, np.random.default_rng(8)))
            with pytest.raises(UsageError, match="random"):
                operator(picture)
        else:
            assert np.array_equal(first, operator(picture))

    def test_is_frozen_and_comparable(self, operator: Degradation) -> None:
        with pytest.raises(FrozenInstanceError):
            setattr(operator, fields(operator)[0].name, None)
        assert scaled(operator, 1.0) == operator

    def test_names_its_lengths(self, operator: Degradation) -> None:
        assert set(operator.lengths) <= {field.name for field in fields(operator)}

    def test_scales_with_the_picture(self, operator: Degradation) -> None:
        """The same operator on twice the picture shows the same thing, twice the size."""
        if operator.random or isinstance(operator, Jpeg | H264):
            pytest.skip("random or codec: the result does not scale")
        picture = cv2.GaussianBlur(picture_of(np.random.default_rng(3)), (0, 0), 3)
        large = cv2.resize(picture, None, fx=2, fy=2, interpolation=cv2.INTER_CUBIC)
        twice = scaled(operator, 2.0)(np.asarray(large, np.uint8))
        reduced = cv2.resize(twice, (128, 128), interpolation=cv2.INTER_AREA)
        error = np.abs(reduced.astype(int) - operator(np.asarray(picture, np.uint8)))
        assert np.quantile(error, 0.75) <= 3  # borders fall between pixels

    def test_accepts_one_pixel(self, operator: Degradation, rng: np.random.Generator) -> None:
        assert operator(np.full((1, 1, 3), 90, np.uint8), rng).shape == (1, 1, 3)


@given(
    cell=st.integers(1, 20),
    phase=st.tuples(st.integers(0, 19), st.integers(0, 19)),
    seed=st.integers(0, 99),
)
def test_a_mosaic_is_idempotent_on_its_grid(cell: int, phase: tuple[int, int], seed: int) -> None:
    mosaic = Mosaic(cell, phase)
    once = mosaic(picture_of(np.random.default_rng(seed), 61, 47))
    assert np.array_equal(mosaic(once), once)


@given(cell=st.sampled_from([2, 4, 8, 16]), seed=st.integers(0, 99))
def test_a_mosaic_keeps_the_mean(cell: int, seed: int) -> None:
    picture = picture_of(np.random.default_rng(seed))
    levels = Mosaic(cell).apply(degrade.to_float(picture)).astype(np.float64)
    np.testing.assert_allclose(levels.mean((0, 1)), picture.mean((0, 1)) / 255, atol=1e-5)


@given(cell=st.floats(1.5, 20), offset=st.floats(0, 1, exclude_max=True))
def test_a_fractional_mosaic_has_lines_at_its_grid(cell: float, offset: float) -> None:
    """A cell's pixels are those whose centres lie in it."""
    phase = offset * cell
    picture = picture_of(np.random.default_rng(5), 24, 96)
    mosaic = Mosaic((cell, 24), (phase, 0))(picture)
    changes = np.flatnonzero((np.diff(mosaic[0].astype(int), axis=0) != 0).any(axis=1)) + 1
    exact = np.arange(1, 100) * cell - phase - 0.5
    gaps = np.abs(exact - np.rint(exact))
    assume(not ((gaps > 0) & (gaps < 1e-9)).any())  # rounding decides where a line hits a centre
    lines = np.ceil(exact)
    assert set(changes) <= set(lines.astype(int))


def test_a_sampled_mosaic_takes_the_first_pixel(rng: np.random.Generator) -> None:
    picture = picture_of(rng, 40, 40)
    mosaic = Mosaic(20, sampled=True)(picture)
    assert np.array_equal(mosaic[::20, ::20], picture[::20, ::20])
    assert len(np.unique(mosaic.reshape(-1, 3), axis=0)) <= 4


@pytest.mark.parametrize("name", ["gauss", "box", "box-oblong", "motion"])
@given(shift=st.tuples(st.integers(-9, 9), st.integers(-9, 9)))
def test_a_blur_commutes_with_shifts(name: str, shift: tuple[int, int]) -> None:
    """Away from the border."""
    picture = picture_of(np.random.default_rng(2))
    blur = OPERATORS[name]
    moved = np.roll(picture, shift, axis=(0, 1))
    inner = slice(30, -30)
    expected = np.roll(blur(picture), shift, axis=(0, 1))[inner, inner]
    assert np.abs(blur(moved)[inner, inner].astype(int) - expected).max() <= 1


@pytest.mark.parametrize("name", ["gauss", "box", "motion", "path"])
def test_a_blur_keeps_a_plain_picture(name: str, rng: np.random.Generator) -> None:
    plain = np.full((40, 50, 3), (10, 128, 250), np.uint8)
    assert np.array_equal(OPERATORS[name](plain, rng), plain)


@given(length=st.floats(0.5, 60), angle=st.floats(-180, 180))
def test_a_motion_kernel_is_as_long_as_asked(length: float, angle: float) -> None:
    steps = np.linspace(-0.5, 0.5, 400)[:, None] * length
    heading = np.array([[np.cos(np.deg2rad(angle)), -np.sin(np.deg2rad(angle))]])
    kernel = degrade.motion_kernel(steps * heading)
    radius = kernel.shape[0] // 2
    assert kernel.shape[0] % 2 == 1
    assert kernel.sum() == pytest.approx(1, abs=1e-5)
    y, x = np.mgrid[-radius : radius + 1, -radius : radius + 1]
    # A uniform segment of length L has variance L^2 / 12; bilinear splatting adds at most 1/2.
    spread = float((kernel * (x**2 + y**2)).sum())
    assert 0.99 * length**2 / 12 <= spread <= 1.01 * length**2 / 12 + 0.55


def test_downscaling_averages() -> None:
    picture = np.arange(48, dtype=np.uint8).reshape(4, 4, 3)
    expected = picture.reshape(2, 2, 2, 2, 3).mean(axis=(1, 3))
    assert np.abs(Downscale(2)(picture) - expected).max() <= 0.5
    assert Downscale(4)(np.zeros((10, 3, 3), np.uint8)).shape == (2, 1, 3)


def test_jpeg_and_h264_get_worse_with_their_setting(rng: np.random.Generator) -> None:
    picture = picture_of(rng)

    def error(operator: Degradation) -> float:
        return float(np.square(operator(picture).astype(float) - picture).mean())

    assert error(Jpeg(95)) < error(Jpeg(60)) < error(Jpeg(10))
    assert error(H264(10)) < error(H264(23)) < error(H264(45))


@pytest.mark.parametrize("size", [(1, 1), (33, 7), (64, 128)])
def test_h264_keeps_odd_sizes(size: tuple[int, int], rng: np.random.Generator) -> None:
    picture = picture_of(rng, *size)
    assert H264(18)(picture).shape == picture.shape


def test_covers_hide_what_they_cover_and_nothing_else(rng: np.random.Generator) -> None:
    picture = np.maximum(picture_of(rng), 1)
    bar = EyeBar()(picture)
    assert (bar[47:70, 20:108] == 0).all()
    for ellipse in (MASK_FACE, MASK_HEAD):
        inside = ellipse.mask(128, 128)
        covered = SolidMask(ellipse.centre, ellipse.half_axes)(picture)
        assert (covered[inside] == 0).all()
        assert np.array_equal(covered[~inside], picture[~inside])


def test_a_limited_operator_leaves_the_rest_alone(rng: np.random.Generator) -> None:
    picture = picture_of(rng)
    region = Box(30, 40, 80, 100)
    for cropped in (False, True):
        covered = Within(Mosaic(8), region, cropped=cropped)(picture)
        outside = np.ones((128, 128), bool)
        outside[40:100, 30:80] = False
        assert np.array_equal(covered[outside], picture[outside])
    alone = Within(Mosaic(8), region, cropped=True)(picture)
    assert np.array_equal(alone[40:100, 30:80], Mosaic(8)(picture[40:100, 30:80]))


def test_a_feathered_rim_is_gradual(rng: np.random.Generator) -> None:
    alpha = Within(Mosaic(8), Box(40, 40, 90, 90), feather=6).alpha(128, 128)
    assert alpha[65, 65] == pytest.approx(1)
    assert alpha[5, 5] == 0
    assert np.diff(alpha[65, :65]).min() >= -1e-6
    assert 4 < ((alpha[65, :65] > 0.05) & (alpha[65, :65] < 0.95)).sum() < 16


def test_a_region_outside_the_picture_does_nothing(rng: np.random.Generator) -> None:
    picture = picture_of(rng)
    away = Within(BoxBlur(9), Box(300, 300, 340, 350), cropped=True)
    assert np.array_equal(away(picture), picture)


class TestPresets:
    FACE = Box(28, 36, 100, 124)

    def test_deface_blur_is_its_quoted_kernel(self, rng: np.random.Generator) -> None:
        picture = picture_of(rng)
        covered = preset("deface-blur", self.FACE, (128, 128))(picture)
        face = cv2.blur(picture[36:124, 28:100], (72 // 2, 88 // 2))
        inside = Ellipse.inscribed(self.FACE).mask(128, 128)[36:124, 28:100]
        assert np.abs(covered[36:124, 28:100][inside].astype(int) - face[inside]).max() <= 1
        assert np.array_equal(covered[:36], picture[:36])

    def test_deface_mosaic_samples_its_cells(self, rng: np.random.Generator) -> None:
        picture = picture_of(rng)
        covered = preset("deface-mosaic", self.FACE, (128, 128))(picture)
        assert np.array_equal(covered[36:56, 28:48], np.broadcast_to(picture[36, 28], (20, 20, 3)))
        # In a crop of half the photo's resolution its cells are half as large.
        half = preset("deface-mosaic", self.FACE, (128, 128), pixel=0.5)(picture)
        assert np.array_equal(half[36:46, 28:38], np.broadcast_to(picture[36, 28], (10, 10, 3)))

    def test_egoblur_leaves_hardly_more_than_a_mean(self, rng: np.random.Generator) -> None:
        picture = picture_of(rng, 256, 256)
        covered = preset("egoblur", self.FACE, (256, 256))(picture)
        inside = Ellipse.inscribed(self.FACE).mask(256, 256)
        assert covered[inside].astype(float).std(0).max() < 0.5 * picture[inside].std(0).max()

    def test_understand_ai_is_its_quoted_kernel(self, rng: np.random.Generator) -> None:
        picture = picture_of(rng)
        covered = preset("understand-ai", self.FACE, (128, 128))(picture)
        blurred = cv2.GaussianBlur(picture, (21, 21), 2)
        assert np.abs(covered[60:100, 50:80].astype(int) - blurred[60:100, 50:80]).max() <= 1

    def test_editor_mosaic_has_ten_cells_across(self, rng: np.random.Generator) -> None:
        covered = preset("editor-mosaic", self.FACE, (128, 128))(picture_of(rng))
        row = covered[80, 28:100].astype(int)
        assert (np.diff(row, axis=0) != 0).any(axis=1).sum() == 9

    def test_unknown_names_are_refused(self) -> None:
        with pytest.raises(UsageError, match="Choose from"):
            preset("photoshop", self.FACE, (128, 128))


@pytest.mark.parametrize(
    "make",
    [
        lambda: GaussianBlur(0),
        lambda: GaussianBlur(-1),
        lambda: GaussianBlur(2, 4),
        lambda: BoxBlur(0),
        lambda: MotionBlur(0),
        lambda: MotionPath(-3),
        lambda: Mosaic(0.5),
        lambda: Mosaic((4, 0)),
        lambda: Downscale(1),
        lambda: Noise(-0.1),
        lambda: Jpeg(0),
        lambda: Jpeg(101),
        lambda: H264(52),
        lambda: SolidMask((5, 5), (0, 3)),
        lambda: Within(Mosaic(4), Box(0, 0, 9, 9), feather=-1),
        lambda: scaled(Mosaic(4), 0),
        lambda: GaussianBlur(float("nan")),
        lambda: Mosaic(float("nan")),
    ],
)
def test_nonsense_is_refused(make: object) -> None:
    with pytest.raises(UsageError):
        make()  # type: ignore[operator]


def reference_operator(name: str, phase: np.ndarray) -> Degradation:
    kind, _, value = name.partition("-")
    if kind == "mosaic":
        x, y = np.floor(int(value) * phase)
        return Mosaic(int(value), (x, y))
    if kind == "gauss":
        return GaussianBlur(float(value))
    if kind == "box":
        return BoxBlur(int(value))
    if name == "eye-bar":
        return EyeBar()
    ellipse = {"mask-face": MASK_FACE, "mask-head": MASK_HEAD}[name]
    return SolidMask(ellipse.centre, ellipse.half_axes)


def test_reproduces_the_reference_outputs(shared: Path) -> None:
    """PROTOCOL's own outputs, within one 8-bit level."""
    phases = np.load(shared / "protocol/inputs.npz")["phase"]
    with np.load(shared / "protocol/reference.npz") as reference:
        names = [name for name in reference.files if name != "clean"]
        assert len(names) == 17
        for name in names:
            expected = reference[name]
            for i, clean in enumerate(reference["clean"]):
                ours = reference_operator(name, phases[i])(clean)
                assert np.abs(ours.astype(int) - expected[i]).max() <= 1, (name, i)


def test_the_random_blurs_are_those_of_the_protocol() -> None:
    rng = np.random.default_rng(0)
    for factor, least in ((4, 0.5), (8, 1.0)):
        chains = [low_resolution(factor, rng).operators for _ in range(300)]
        sigmas = [c[0].sigma for c in chains if isinstance(c[0], GaussianBlur)]
        lengths = [c[0].length for c in chains if isinstance(c[0], MotionPath)]
        assert 110 < len(sigmas) < 190
        assert least <= min(sigmas) < least + 0.2
        assert 3.8 < max(sigmas) <= 4
        assert 3 <= min(lengths) < 3.6
        assert 18 < max(lengths) <= 19
        assert {c[1] for c in chains} == {Downscale(factor)}
        assert 0.018 < max(c[2].sigma for c in chains) <= 0.02  # type: ignore[attr-defined]


def test_a_low_resolution_that_the_protocol_does_not_have_is_refused() -> None:
    with pytest.raises(UsageError, match="reduces by 3"):
        low_resolution(3, np.random.default_rng(0))
