"""Lines of text: found, judged clear or not, and cut into tiles."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image as PilImage
from PIL import ImageDraw, ImageFont

from seethrough import degrade, geometry
from seethrough.errors import UsageError
from seethrough.text import TILE, TextFinder, cap_height_of, is_clear, line_in_box, line_tiles
from seethrough.text.lines import CAP_SHARE, oriented_quad
from seethrough.types import Box, CoveredRegion, Image, Operator, TextLine

Degrade = Callable[[Image], Image]

PAGE = (640, 480)
SIGN = (  # text, cap height, angle in degrees clockwise, centre
    ("Museum of Modern History", 26.0, 0.0, (320, 50)),
    ("Open daily from nine to five", 20.0, 0.0, (230, 110)),
    ("Platform 7", 36.0, -6.0, (150, 190)),
    ("Room 214", 24.0, 9.0, (480, 180)),
    ("Thank you for your visit", 20.0, 4.0, (380, 290)),
    ("EXIT", 40.0, 0.0, (110, 320)),
    ("Total due: 1482.50 EUR", 18.0, 0.0, (440, 380)),
    ("please keep this door closed", 18.0, -3.0, (200, 420)),
)


def set_line(text: str, cap: float) -> np.ndarray:
    """Coverage of a line, from 1.5 caps above the base line to 0.7 below, in Pillow's own font."""
    trial = ImageFont.load_default(100)
    _, top, _, bottom = trial.getbbox("H", anchor="ls")
    font = ImageFont.load_default(100 * cap / (bottom - top))
    width = int(font.getlength(text)) + 2
    canvas = PilImage.new("L", (width, round(2.2 * cap)))
    ImageDraw.Draw(canvas).text((1, round(1.5 * cap)), text, fill=255, font=font, anchor="ls")
    return np.asarray(canvas, np.float32) / 255


def sign(paper: int = 225, ink: int = 30) -> tuple[Image, list[TextLine]]:
    """A page of lines that differ in size and rotation, and their tight quads."""
    page = np.full((PAGE[1], PAGE[0], 3), paper, np.float32)
    truth = []
    for text, cap, angle, centre in SIGN:
        line = set_line(text, cap)
        height, width = line.shape
        turn = cv2.getRotationMatrix2D(((width - 1) / 2, (height - 1) / 2), -angle, 1)
        turn[:, 2] += np.array(centre) - ((width - 1) / 2, (height - 1) / 2)
        alpha = cv2.warpAffine(line, turn, PAGE, flags=cv2.INTER_LINEAR)[..., None]
        page = page * (1 - alpha) + ink * alpha
        # Letters stand between 1.1 caps above and 0.3 below the base line.
        corners = [(0, 0.4 * cap), (width, 0.4 * cap), (width, 1.8 * cap), (0, 1.8 * cap)]
        truth.append(TextLine(geometry.transform(turn, corners), 1.0))
    return np.clip(page, 0, 255).astype(np.uint8), truth


def share(line: TextLine, of: TextLine) -> float:
    """How much of one line's area another covers."""
    shared, _ = cv2.intersectConvexConvex(line.quad.astype(np.float32), of.quad.astype(np.float32))
    return float(shared) / cv2.contourArea(of.quad.astype(np.float32))


def recall(found: tuple[TextLine, ...], truth: list[TextLine]) -> float:
    """Share of the lines of which a found one (not one much taller) covers 70 per cent."""
    hits = [
        any(
            share(line, of) >= 0.7 and 0.6 < cap_height_of(line) / (height_of(of) / 1.4) < 1.7
            for line in found
        )
        for of in truth
    ]
    return sum(hits) / len(hits)


def height_of(line: TextLine) -> float:
    return float(np.linalg.norm(line.quad[3] - line.quad[0]))


def one_line(degradation: Degrade | None, cap: float = 20.0) -> tuple[Image, TextLine]:
    """One level line in the middle of a page, with the quad that a finder would give it."""
    coverage = set_line("Quick brown fox 1937", cap)
    width = coverage.shape[1]
    pad = round(2 * cap)
    page = np.pad(1 - coverage * 0.9, pad, constant_values=1.0)[..., None].repeat(3, 2)
    picture = (page * 240).astype(np.uint8)
    centre = np.array([pad + width / 2, pad + 1.05 * cap])
    quad = oriented_quad(centre, width + 0.6 * cap, cap / CAP_SHARE, 0.0)
    return picture if degradation is None else degradation(picture), TextLine(quad, 1.0)


def reduced_and_enlarged(picture: Image) -> Image:
    small = degrade.Downscale(4)(picture)
    size = picture.shape[1::-1]
    return np.asarray(cv2.resize(small, size, interpolation=cv2.INTER_CUBIC), np.uint8)


@pytest.fixture(scope="module")
def finder() -> TextFinder:
    return TextFinder("cpu", 1)


class TestFinder:
    @pytest.mark.parametrize(
        ("degradation", "least"),
        [
            pytest.param(None, 1.0, id="clean"),
            pytest.param(degrade.GaussianBlur(2), 1.0, id="gauss-2"),
            pytest.param(degrade.GaussianBlur(3), 0.85, id="gauss-3"),
            pytest.param(degrade.Mosaic(4, (1, 2)), 1.0, id="mosaic-4"),
            pytest.param(degrade.Mosaic(6, (3, 1)), 0.85, id="mosaic-6"),
            pytest.param(degrade.Mosaic(8, (5, 2)), 0.75, id="mosaic-8"),
            pytest.param(
                degrade.Chain([degrade.GaussianBlur(3), degrade.Jpeg(75)]), 0.85, id="gauss-3+jpeg"
            ),
            pytest.param(reduced_and_enlarged, 1.0, id="x4"),
        ],
    )
    def test_lines_of_many_sizes_and_angles_are_found(
        self, finder: TextFinder, degradation: Degrade | None, least: float
    ) -> None:
        page, truth = sign()
        found = finder.find(page if degradation is None else degradation(page))
        assert recall(found, truth) >= least
        stray = [line for line in found if sum(share(of, line) for of in truth) < 0.2]
        assert len(stray) <= 1

    def test_bright_text_on_dark_paper_is_found(self, finder: TextFinder) -> None:
        page, truth = sign(paper=20, ink=230)
        assert recall(finder.find(page), truth) == 1.0

    def test_quads_start_at_the_top_left_as_read(self, finder: TextFinder) -> None:
        page, _ = sign()
        for line in finder.find(page):
            along, down = line.quad[1] - line.quad[0], line.quad[3] - line.quad[0]
            assert along[0] > abs(along[1])
            assert down[1] > abs(down[0])

    def test_a_report_of_the_mosaic_finds_lines_that_whole_views_miss(
        self, finder: TextFinder
    ) -> None:
        page, truth = sign()
        page = degrade.Mosaic(16, (5, 2))(page)
        whole = Box(0, 0, *PAGE)
        region = CoveredRegion(whole, Operator("mosaic", (16, 16), (11, 14), 1.0))
        assert recall(finder.find(page, [region]), truth) > recall(finder.find(page), truth)

    def test_covers_without_a_size_or_outside_of_the_picture_do_no_harm(
        self, finder: TextFinder
    ) -> None:
        page, truth = sign()
        regions = [
            CoveredRegion(Box(10, 10, 60, 60), Operator("solid", None, None, 1.0)),
            CoveredRegion(Box(900, 900, 950, 950), Operator("gauss", (3, 3), None, 1.0)),
        ]
        assert recall(finder.find(page, regions), truth) == 1.0

    @pytest.mark.parametrize("shape", [(1, 1), (1, 300), (31, 33), (200, 200)])
    def test_pictures_without_text_have_no_lines(
        self, finder: TextFinder, rng: np.random.Generator, shape: tuple[int, int]
    ) -> None:
        flat = np.full((*shape, 3), 128, np.uint8)
        noise = rng.integers(0, 256, (*shape, 3), dtype=np.uint8)
        slope = np.linspace(0, 255, shape[1])[None, :, None].repeat(shape[0], 0).repeat(3, 2)
        for picture in (flat, noise, slope.astype(np.uint8)):
            assert finder.find(picture) == ()

    def test_a_large_page_is_searched_reduced(self, finder: TextFinder) -> None:
        page, truth = sign()
        large = cv2.resize(page, None, fx=4, fy=4, interpolation=cv2.INTER_CUBIC)
        enlarged = [TextLine(line.quad * 4, 1.0) for line in truth]
        assert recall(finder.find(np.asarray(large, np.uint8)), enlarged) >= 0.85

    @pytest.mark.slow
    def test_portraits_have_hardly_any_lines(self, finder: TextFinder, shared: Path) -> None:
        faces = [shared / f"data/eval/lfw/{i:04d}_0.jpg" for i in range(0, 500, 20)]
        found = [len(finder.find(read(path))) for path in faces]
        # Two of these 25 photos show real writing.
        assert np.count_nonzero(found) <= 4

    @pytest.mark.slow
    def test_studio_portraits_have_hardly_any_lines(self, finder: TextFinder, shared: Path) -> None:
        photos = sorted((shared / "data/eval/london/photos").glob("*.jpg"))[:4]
        assert sum(len(finder.find(read(path))) for path in photos) <= 1


def read(path: Path) -> Image:
    picture = cv2.imread(str(path))
    assert picture is not None
    return np.ascontiguousarray(picture[..., ::-1])


class TestClarity:
    @pytest.mark.parametrize("cap", [12.0, 20.0, 45.0])
    @pytest.mark.parametrize(
        "degradation",
        [
            pytest.param(None, id="clean"),
            pytest.param(degrade.Jpeg(75), id="jpeg-75"),
            pytest.param(lambda p: degrade.Noise(0.02)(p, np.random.default_rng(0)), id="noise"),
        ],
    )
    def test_sharp_text_is_clear(self, degradation: Degrade | None, cap: float) -> None:
        assert is_clear(*one_line(degradation, cap))

    @pytest.mark.parametrize(
        "degradation",
        [
            pytest.param(degrade.GaussianBlur(3), id="gauss-3"),
            pytest.param(degrade.GaussianBlur(2), id="gauss-2"),
            pytest.param(
                degrade.Chain([degrade.GaussianBlur(3), degrade.Jpeg(75)]), id="gauss-3+jpeg"
            ),
            pytest.param(
                lambda p: degrade.Noise(0.02)(degrade.GaussianBlur(3)(p), np.random.default_rng(0)),
                id="gauss-3+noise",
            ),
            pytest.param(reduced_and_enlarged, id="x4"),
            pytest.param(degrade.MotionBlur(9, 0), id="motion-9"),
            pytest.param(degrade.MotionBlur(9, 50), id="motion-9-50"),
            pytest.param(degrade.Mosaic(4, (1, 3)), id="mosaic-4"),
            pytest.param(degrade.Mosaic(6, (2, 5)), id="mosaic-6"),
            pytest.param(degrade.Mosaic((6.5, 5.75), (2, 1)), id="mosaic-uneven"),
            pytest.param(degrade.Mosaic(6, sampled=True), id="mosaic-sampled"),
            pytest.param(
                degrade.Chain([degrade.Mosaic(6, (1, 1)), degrade.Jpeg(75)]), id="mosaic-6+jpeg"
            ),
        ],
    )
    def test_degraded_text_is_not(self, degradation: Degrade) -> None:
        assert not is_clear(*one_line(degradation))

    def test_size_is_what_counts(self) -> None:
        """A blur that hides text of 20 px leaves text of 90 px clear."""
        assert not is_clear(*one_line(degrade.GaussianBlur(2.5), 20))
        assert is_clear(*one_line(degrade.GaussianBlur(2.5), 90))

    def test_a_line_of_nothing_is_not_clear(self) -> None:
        blank = np.full((60, 200, 3), 200, np.uint8)
        assert not is_clear(blank, line_in_box(Box(10, 10, 190, 50)))
        assert not is_clear(blank, line_in_box(Box(500, 10, 590, 50)))


class TestTiles:
    @settings(deadline=None, max_examples=40)
    @given(
        length=st.floats(20, 3000),
        height=st.floats(8, 300),
        angle=st.floats(-1.2, 1.2),
        cap=st.floats(10, 40),
    )
    def test_weights_add_up_to_one_on_the_line(
        self, length: float, height: float, angle: float, cap: float
    ) -> None:
        quad = oriented_quad(np.array([400.0, 300.0]), max(length, 1.6 * height), height, angle)
        line = TextLine(quad, 1.0)
        tiles = line_tiles(line, cap_height=cap)
        along = (quad[1] - quad[0]) / np.linalg.norm(quad[1] - quad[0])
        # Where each tile begins along the line, in whole tile pixels after the first.
        begins = [
            float(
                (geometry.transform(geometry.invert(t.matrix), (0, 63.5)) + 0.5 - quad[0]) @ along
            )
            * geometry.scale_of(t.matrix)
            for t in tiles
        ]
        offsets = np.array(begins) - begins[0]
        np.testing.assert_allclose(offsets, np.rint(offsets), atol=1e-6)
        strip = np.zeros(TILE + round(offsets[-1]))
        for tile, offset in zip(tiles, np.rint(offsets).astype(int), strict=True):
            strip[offset : offset + TILE] += tile.weight[TILE // 2]
        position = begins[0] + np.arange(len(strip))
        width = np.linalg.norm(quad[1] - quad[0]) * geometry.scale_of(tiles[0].matrix)
        on_line = (position >= 0) & (position <= width)
        np.testing.assert_allclose(strip[on_line], 1.0, atol=1e-5)
        assert strip.max() <= 1 + 1e-5
        assert all(np.rint(np.diff(offsets)) <= TILE - 32)
        if len(tiles) > 1:
            # The outermost pixel's centre lies at least 7.5 px into the rim of 8: 1.1 % is left.
            assert strip[0] < 0.0114
            assert strip[-1] < 0.0114

    def test_letters_have_the_canonical_size_and_stand_level(self) -> None:
        quad = oriented_quad(np.array([200.0, 150.0]), 300, 60, 0.4)
        (tile, *_) = line_tiles(TextLine(quad, 1.0), cap_height=20)
        corners = geometry.transform(tile.matrix, quad - 0.5)
        assert corners[0, 1] == pytest.approx(corners[1, 1])
        assert (corners[3, 1] - corners[0, 1]) * CAP_SHARE == pytest.approx(20)
        assert (corners[0, 1] + corners[3, 1]) / 2 == pytest.approx(63.5)

    def test_a_short_line_takes_one_tile_in_its_middle(self) -> None:
        (tile,) = line_tiles(line_in_box(Box(40, 30, 100, 74)))
        middle = geometry.transform(tile.matrix, (70 - 0.5, 52 - 0.5))
        np.testing.assert_allclose(middle, 63.5)

    def test_tiles_put_back_unchanged_leave_the_picture_as_it_was(self) -> None:
        page, truth = sign()
        page = degrade.GaussianBlur(2)(page)  # what resampling may not lose
        line = truth[4]
        tiles = line_tiles(line)
        assert len(tiles) > 2
        total = np.zeros(page.shape[:2], np.float32)
        blend = np.zeros(page.shape, np.float32)
        for tile in tiles:
            crop = geometry.crop(page, tile.matrix, TILE)
            window, weight = geometry.place(tile.weight, tile.matrix, page.shape)
            _, placed = geometry.place(crop, tile.matrix, page.shape)
            total[window] += weight
            blend[window] += weight[..., None] * placed
        inside = np.zeros(page.shape[:2], np.uint8)
        cv2.fillConvexPoly(inside, np.rint(line.quad - 0.5).astype(np.int32), 1)
        inside = cv2.erode(inside, np.ones((3, 3), np.uint8)).astype(bool)
        assert total[inside].min() > 0.99
        assert total.max() < 1.01
        error = np.abs(blend[inside] / total[inside, None] - page[inside])
        assert error.max() < 8
        assert error.mean() < 1

    @pytest.mark.parametrize("cap", [0, 3.9, 65, float("nan")])
    def test_a_cap_height_out_of_range_is_refused(self, cap: float) -> None:
        with pytest.raises(UsageError, match="cap height"):
            line_tiles(line_in_box(Box(0, 0, 100, 30)), cap_height=cap)

    def test_a_line_without_extent_is_refused(self) -> None:
        with pytest.raises(UsageError, match="extent"):
            line_tiles(TextLine(np.zeros((4, 2)), 1.0))


class TestLineInBox:
    def test_a_wide_box_is_a_level_line(self) -> None:
        line = line_in_box(Box(10, 20, 110, 50))
        np.testing.assert_allclose(line.quad, [(10, 20), (110, 20), (110, 50), (10, 50)])
        assert line.score == 1

    def test_a_tall_box_reads_downwards(self) -> None:
        line = line_in_box(Box(10, 20, 40, 120))
        np.testing.assert_allclose(line.quad, [(40, 20), (40, 120), (10, 120), (10, 20)], atol=1e-9)


@given(st.floats(-np.pi, np.pi), st.floats(0.2, 5))
def test_a_quad_keeps_its_rectangle_and_turns_clockwise(angle: float, ratio: float) -> None:
    quad = oriented_quad(np.array([5.0, 7.0]), 10 * ratio, 10, angle)
    along, down = quad[1] - quad[0], quad[3] - quad[0]
    assert sorted([np.linalg.norm(along), np.linalg.norm(down)]) == pytest.approx(
        sorted([10 * ratio, 10])
    )
    assert along[0] * down[1] - along[1] * down[0] > 0
    np.testing.assert_allclose(quad.mean(axis=0), (5, 7), atol=1e-9)
