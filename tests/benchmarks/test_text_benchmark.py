"""The text benchmark: lines, degradations, the judge and the scores."""

from __future__ import annotations

import shutil

import numpy as np
import pytest

from benchmarks import ocr, text
from benchmarks.metrics import Crops
from benchmarks.results import Estimate, Value
from benchmarks.sets import Setting
from seethrough.errors import MissingPartError
from training.typeface import Typeface, is_held_out

VOCABULARY = ("plain", "words", "about", "seven", "bridge", "over", "a", "river")

needs_tesseract = pytest.mark.skipif(
    shutil.which("tesseract") is None, reason="tesseract-ocr is not installed"
)


@pytest.fixture(scope="module")
def faces() -> list[Typeface]:
    """The held-out type faces of this machine; skips where none is installed."""
    try:
        return text.held_out_faces()
    except MissingPartError as error:
        pytest.skip(error.what)


@pytest.fixture(scope="module")
def lines(faces: list[Typeface]) -> text.Lines:
    return text.render(faces, VOCABULARY, 12)


def test_every_family_is_held_out_from_training(lines: text.Lines) -> None:
    assert lines.families
    assert all(is_held_out(family) for family in lines.families)


def test_larger_lines_are_drawn_larger_and_fit(
    faces: list[Typeface], monkeypatch: pytest.MonkeyPatch
) -> None:
    # The same word every time, on paper without texture.
    monkeypatch.setattr(text, "phrase", lambda *_: "Hill")
    monkeypatch.setattr(text, "background", lambda _: np.ones((128, 128, 3), np.float32))
    monkeypatch.setattr(text, "ink", lambda *_: np.zeros(3, np.float32))
    for cap_height in (text.CAP_HEIGHT, *text.LARGER):
        lines = text.render(faces[:1], VOCABULARY, 3, 0, cap_height)
        assert lines.cap_height == cap_height
        dark = lines.clean[0, ..., 0] < 128
        assert np.ptp(np.flatnonzero(dark.any(axis=1))) == pytest.approx(cap_height, rel=0.15)
        assert not dark[:, [0, -1]].any()


def test_lines_fit_into_their_square(faces: list[Typeface], lines: text.Lines) -> None:
    assert lines.clean.shape == (12, 128, 128, 3)
    assert lines.clean.dtype == np.uint8
    for line, baseline in zip(lines.texts, lines.baselines, strict=True):
        assert min(text.line_width(face, line, text.CAP_HEIGHT) for face in faces) <= 112
        assert 1.5 * text.CAP_HEIGHT <= baseline <= 128 - 0.7 * text.CAP_HEIGHT


def test_a_line_does_not_depend_on_how_many_follow(faces: list[Typeface]) -> None:
    few, many = text.render(faces, VOCABULARY, 2, seed=3), text.render(faces, VOCABULARY, 5, seed=3)
    np.testing.assert_array_equal(few.clean, many.clean[:2])
    assert few.texts == many.texts[:2]
    other = text.render(faces, VOCABULARY, 5, seed=4)
    assert other.texts != many.texts


@pytest.mark.parametrize("name", ["x4", "mosaic-6", "gauss-3", "gauss-3+jpeg-75"])
def test_degrading_repeats_itself(lines: text.Lines, name: str) -> None:
    setting = Setting.parse(name)
    once, again = (text.degraded(lines.clean[:3], setting, seed=1) for _ in range(2))
    assert once.shape == (3, 128, 128, 3)
    np.testing.assert_array_equal(once, again)
    assert not np.array_equal(once, lines.clean[:3])


def test_the_settings_are_the_protocols() -> None:
    plain = [str(setting) for setting in text.SETTINGS if not setting.codec]
    assert plain == ["x4", "mosaic-4", "mosaic-6", "mosaic-8", "gauss-2", "gauss-3", "gauss-4"]
    assert [str(s) for s in text.SETTINGS if s.codec] == [f"{name}+jpeg-75" for name in plain]


@pytest.mark.parametrize(
    ("read", "truth", "distance"),
    [
        ("kitten", "sitting", 3),
        ("", "abc", 3),
        ("abc", "", 3),
        ("same", "same", 0),
        ("Same", "same", 1),
        ("a b", "ab", 1),
        ("ba", "ab", 2),
    ],
)
def test_edits_are_levenshteins(read: str, truth: str, distance: int) -> None:
    assert ocr.edits(read, truth) == distance


def test_the_judge_sees_the_line_alone_dark_on_bright() -> None:
    crop = np.full((128, 128, 3), 10, np.uint8)
    crop[60:80, 20:100] = 240  # the line: bright on dark
    crop[100:, :] = 130  # something below it
    seen = ocr.prepared(crop, 80, text.CAP_HEIGHT)
    assert seen.ndim == 2
    assert np.median(seen) > 200
    assert seen.min() < 30
    assert not np.isin(seen, [125, 130]).any()
    assert seen.shape == (3 * 44 + 48, 3 * 128 + 48)


def test_a_missing_judge_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    with pytest.raises(MissingPartError, match="apt-get install tesseract-ocr"):
        ocr.Tesseract()


def test_missing_type_faces_say_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(text, "installed_fonts", list)
    with pytest.raises(MissingPartError, match="fonts-roboto"):
        text.held_out_faces()


def test_a_missing_fontconfig_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    with pytest.raises(MissingPartError, match="apt-get install fontconfig"):
        text.held_out_faces()


@needs_tesseract
class TestJudge:
    def test_larger_print_is_measured_at_every_height(self, faces: list[Typeface]) -> None:
        seen = []

        def nothing(crops: Crops) -> Crops:
            seen.append(crops)
            return crops

        table = text.by_size(nothing, faces, VOCABULARY, 6, judge=ocr.Tesseract())
        assert [row["cap"] for row in table.rows] == list(text.LARGER)
        assert all(row["ratio"] in (None, 1) for row in table.rows)
        assert len(seen) == len(text.LARGER)

    def test_clean_lines_are_read_and_blurred_ones_are_not(self, lines: text.Lines) -> None:
        judge, rng = ocr.Tesseract(), np.random.default_rng(0)
        clean = text.error_rate(lines.clean, lines, judge, rng)
        hidden = text.degraded(lines.clean, Setting("mosaic-8"))
        assert clean.n == 12
        assert clean.mean < 0.25
        assert text.error_rate(hidden, lines, judge, rng).mean > clean.mean + 0.3

    def test_an_unreadable_picture_does_not_shift_the_others(self, lines: text.Lines) -> None:
        judge = ocr.Tesseract()
        pairs = zip(lines.clean, lines.baselines, strict=True)
        pictures = [ocr.prepared(*pair, lines.cap_height) for pair in pairs]
        blank = np.full_like(pictures[0], 255)
        plain = judge.read(pictures[:2])
        read = judge.read([pictures[0], blank, pictures[1], blank])
        assert len(read) == 4
        assert read[::2] == plain
        assert "tesseract" in judge.version

    def test_any_restorer_can_be_scored(self, lines: text.Lines) -> None:
        seen = []

        def perfect(crops: Crops) -> Crops:
            seen.append(crops)
            return lines.clean ^ np.uint8(1)

        rows = text.evaluate(perfect, lines, [Setting("gauss-4")], judge=ocr.Tesseract())
        assert [row["picture"] for row in rows] == ["clean", "input", "restored"]
        clean, given, restored = (row["cer"] for row in rows)
        assert isinstance(clean, Estimate)
        assert isinstance(given, Estimate)
        assert isinstance(restored, Estimate)
        assert given.mean > restored.mean
        assert restored.mean == pytest.approx(clean.mean, abs=0.1)
        assert isinstance(rows[2]["psnr"], Estimate)
        assert rows[2]["psnr"].mean == pytest.approx(48.13, abs=0.01)
        np.testing.assert_array_equal(seen[0], text.degraded(lines.clean, Setting("gauss-4")))


def test_x4_is_held_against_the_goals() -> None:
    def row(setting: str, picture: str, cer: float) -> dict[str, Value]:
        return {"setting": setting, "picture": picture, "cer": Estimate(cer, cer, cer, 9)}

    clean, given, good = (row("none", "clean", 0.02), row("x4", "input", 0.6), 0.04)
    table = text.against_goals([clean, given, row("x4", "restored", good)])
    assert table is not None
    assert [r["met"] for r in table.rows] == ["yes", "yes"]
    table = text.against_goals([clean, given, row("x4", "restored", 0.21)])
    assert table is not None
    assert [r["met"] for r in table.rows] == ["no", "no"]
    assert text.against_goals([clean, row("gauss-3", "input", 0.4)]) is None
