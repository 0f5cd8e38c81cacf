"""Leakage: identification, styles, kept reads, the odds' fit, and what is written from rates."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from benchmarks import findings, identification, leakage, leakage_rows, lfw, odds_fit, reads
from benchmarks import odds as odds_benchmark
from benchmarks.identification import binomial_tail, holm, outcome, wilson
from benchmarks.results import Options
from benchmarks.styles import SOLID, Style, by_name, styles, with_codec
from seethrough import degrade
from seethrough.auditor import odds, rates
from seethrough.auditor.recognisers import RECOGNISERS
from seethrough.auditor.space import Space, unit
from seethrough.types import Operator

# -- identification ------------------------------------------------------------------------


def test_ranks_of_known_similarities() -> None:
    table = np.tile(-np.arange(200.0), (3, 1))  # column 0 is the most similar, then 1, ...
    found = outcome(table, np.array([0, 9, 10]))
    assert found.first.tolist() == [1, 0, 0]
    assert found.tenth.tolist() == [1, 1, 0]
    assert found.of_100[0] == pytest.approx(1)
    assert found.of_100[1] < 0.1  # nine are ahead; rarely is none of them among 99 of 199


def test_ties_are_shared() -> None:
    found = outcome(np.zeros((4, 1000)), np.arange(4))
    assert found.first.tolist() == [1 / 1000] * 4
    assert found.tenth.tolist() == [10 / 1000] * 4
    assert found.of_100 == pytest.approx([0.01] * 4)


def test_chance_is_chance(rng: np.random.Generator) -> None:
    found = outcome(rng.normal(size=(3000, 200)), rng.integers(0, 200, 3000))
    assert found.first.mean() == pytest.approx(1 / 200, abs=0.005)
    assert found.of_100.mean() == pytest.approx(0.01, abs=0.005)
    assert found.accepted.mean() == pytest.approx(0.001, abs=0.003)


def test_odds_out_of_100_agree_with_those_of_a_normal_score() -> None:
    rng = np.random.default_rng(3)
    table = rng.normal(size=(400, 1000))
    table[np.arange(400), np.arange(400)] = 2.0
    found = outcome(table, np.arange(400))
    assert found.of_100.mean() == pytest.approx(0.97725**99, abs=0.03)


def test_intervals_hold_for_none_and_all() -> None:
    none, every = wilson(np.zeros(500)), wilson(np.ones(500))
    assert (none.mean, none.low) == (0, 0)
    assert 0.005 < none.high < 0.01
    assert every.high == pytest.approx(1)
    assert every.low > 0.99


def test_binomial_tail_and_holm() -> None:
    assert binomial_tail(0, 500, 0.001) == 1
    assert binomial_tail(1, 500, 0.001) == pytest.approx(1 - 0.999**500)
    assert binomial_tail(500, 500, 0.001) < 1e-300
    # Alone each of the first two would be significant at 0.01; together only the first is.
    assert holm([0.001, 0.006, 0.5]) == [True, False, False]
    assert holm([]) == []


# -- styles --------------------------------------------------------------------------------


def test_styles_are_protocols() -> None:
    names = [style.name for style in styles()]
    assert names[:2] == ["clean", "x4"]
    assert {*SOLID, "eye-bar", "mosaic-20", "gauss-2", "box-63", "tool:egoblur"} <= set(names)
    assert len(names) == len(set(names)) == 2 + 6 + 5 + 3 + 1 + 3 + len(degrade.PRESETS)


@pytest.mark.parametrize("style", styles(), ids=lambda style: style.name)
def test_covers_change_what_they_cover_only(style: Style, crops: np.ndarray) -> None:
    done = style.apply(crops, np.arange(2))
    assert (done.dtype, done.shape) == (np.uint8, crops.shape)
    changed = (done != crops).any(axis=(0, 3))
    if style.name == "tool:understand-ai":  # its rim fades out over the border
        return
    assert not changed[~style.covered].any()
    assert style.name == "clean" or changed[style.covered].mean() > 0.8


@pytest.mark.parametrize("name", ["mosaic-8", "mosaic-20", "gauss-6", "tool:deface-mosaic"])
def test_operators_name_what_covers_do(name: str, crops: np.ndarray) -> None:
    style = by_name(name)
    assert style.operator is not None
    size = style.operator.size
    assert size is not None
    (done,) = style.apply(crops[:1], np.arange(1))
    if style.operator.kind == "gauss":
        assert np.array_equal(done, degrade.GaussianBlur(size[0])(crops[0]))
        return
    assert style.operator.phase is not None
    x0, y0 = (round(p) for p in style.operator.phase)
    cell = done[y0 + 3 * round(size[1]) :, x0 + 3 * round(size[0]) :]
    cell = cell[: round(size[1]), : round(size[0])]
    assert (cell == cell[0, 0]).all()


def test_random_covers_depend_on_the_person_alone(crops: np.ndarray) -> None:
    style = by_name("x4")
    one = style.apply(crops, np.array([3, 8]))
    other = style.apply(crops[1:], np.array([8]))
    assert np.array_equal(one[1], other[0])


def test_encoded_styles() -> None:
    style = with_codec(by_name("mosaic-8"))
    assert (style.name, style.base, style.codec) == ("mosaic-8+h264-23", "mosaic-8", True)
    assert by_name(style.name).codec
    assert leakage_rows.relative(style) == 9
    assert leakage_rows.family(by_name("tool:egoblur")) == "tool"
    assert leakage_rows.family(by_name("mask-head")) == "mask-head"


# -- reads that are kept -------------------------------------------------------------------


class Counting:
    """An attacker that counts the crops it reads."""

    level = "A0"
    covers_gallery = False

    def __init__(self) -> None:
        self.count = 0

    def look(self, shown: np.ndarray) -> np.ndarray:
        self.count += len(shown)
        return shown

    def read(self, seen: np.ndarray) -> dict[str, np.ndarray]:
        values = seen.reshape(len(seen), -1)[:, :512].astype(np.float32)
        return {"dlib": values[:, :128], "mobilefacenet": values}


@pytest.fixture
def reader(monkeypatch: pytest.MonkeyPatch, cache: Path) -> tuple[reads.Reader, Counting]:
    rng = np.random.default_rng(0)
    faces = rng.integers(0, 256, (2, 1000, 16, 16, 3)).astype(np.uint8)
    people = lfw.People(faces[0], faces[1], np.arange(1000) % 3 == 0, 0)
    monkeypatch.setattr(lfw, "load", lambda shared, threads: people)
    made = reads.Reader(Options(Path(), limit=8))
    counting = Counting()
    monkeypatch.setitem(made._attackers, "A0", counting)  # type: ignore[arg-type]
    return made, counting


def test_nothing_is_read_twice(reader: tuple[reads.Reader, Counting]) -> None:
    made, counting = reader
    first = made.frames(np.array([1, 5, 900]))
    assert counting.count == 3
    again = made.frames(np.array([5, 7]))
    assert counting.count == 4
    assert np.array_equal(first["dlib"][1], again["dlib"][0])
    assert first["mobilefacenet"].shape == (3, 512)


def test_limited_runs_have_a_small_crowd(reader: tuple[reads.Reader, Counting]) -> None:
    made, _ = reader
    assert len(made.crowd) == 100
    assert set(made.calibration) | set(made.reported) <= set(made.crowd)
    assert not set(made.calibration) & set(made.reported)
    assert np.array_equal(made.crowd[made.owners(made.reported)], made.reported)


def test_the_covers_that_odds_are_fitted_on_are_the_benchmark_s() -> None:
    for kind, (low, high) in odds._FITTED.items():
        lengths = [
            float(np.sqrt(np.prod(style.operator.size)))
            for style in odds_benchmark.covers()
            if style.operator is not None and style.operator.kind == kind and style.operator.size
        ]
        assert min(lengths) == pytest.approx(low)
        assert max(lengths) == pytest.approx(high)


# -- the odds' fit, on people who are made up ----------------------------------------------


class Invented:
    """Recognisable to a known extent: less, the stronger the cover."""

    names = ("A0", "A1", "A2")
    calibration = np.arange(0, 400, 2)
    reported = np.arange(400, 800)

    def __init__(self) -> None:
        rng = np.random.default_rng(5)
        self.faces = {
            name: rng.normal(size=(2, 800, width)).astype(np.float32) * 0.35
            + rng.normal(size=(800, width)).astype(np.float32)
            for name, width in (("dlib", 20), ("mobilefacenet", 30))
        }
        self.spaces = {
            name: Space(
                np.zeros(faces.shape[2], np.float32), rng.normal(size=(500, faces.shape[2]))
            )  # type: ignore[arg-type]
            for name, faces in self.faces.items()
        }

    def owners(self, people: np.ndarray) -> np.ndarray:
        return people

    def applies(self, name: str, style: Style) -> bool:
        return True

    def attacker(self, name: str) -> SimpleNamespace:
        return SimpleNamespace(covers_gallery=name != "A0", compare=self.compare)

    def compare(self, name: str, read: np.ndarray, gallery: np.ndarray) -> np.ndarray:
        return unit(read).astype(float) @ unit(gallery).T.astype(float)

    def similarities(
        self, name: str, style: Style, people: np.ndarray, fusion: object
    ) -> dict[str, np.ndarray]:
        gallery = self.clean_gallery()
        if name != "A0":  # what is read in covered photos errs as it does in covered faces
            covered = self.reads(name, style, np.arange(800), fusion, photo=0)
            gallery = {key: unit(gallery[key]) + unit(covered[key]) for key in gallery}
        reads = self.reads(name, style, people, fusion)
        return {key: self.compare(key, reads[key], gallery[key]) for key in gallery}

    def frames(self, people: np.ndarray) -> dict[str, np.ndarray]:
        return {name: faces[1, people] for name, faces in self.faces.items()}

    def clean_gallery(self) -> dict[str, np.ndarray]:
        return {name: faces[0] for name, faces in self.faces.items()}

    def reads(
        self, name: str, style: Style, people: np.ndarray, fusion: object, photo: int = 1
    ) -> dict[str, np.ndarray]:
        cover = odds.Cover(style.operator or Operator("solid", None, None, 1), 1)
        left = {"A0": 0.5, "A1": 0.7, "A2": 1.0}[name] / (1 + 2**cover.strength)
        rng = np.random.default_rng([len(style.name), ord(style.name[-1]), ord(name[1])])
        return {
            key: left * faces[photo, people] + rng.normal(size=faces.shape[2]) * 0.5
            + rng.normal(size=(800, faces.shape[2]))[people] * 0.7
            for key, faces in self.faces.items()
        }  # fmt: skip


@pytest.fixture(scope="module")
def fitted() -> tuple[odds.Calibration, dict[bool, list[odds_fit.Sample]]]:
    invented = Invented()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(odds_fit, "spaces", lambda: invented.spaces)
        fusion = odds.alike(dict.fromkeys(RECOGNISERS, 1.0))

        def gathered(people: np.ndarray, as_people: bool) -> list[odds_fit.Sample]:
            return odds_benchmark.gathered(
                invented,  # type: ignore[arg-type]
                people,
                fusion,
                people_as_strangers=as_people,
            )

        made = odds_fit.calibrate(gathered(invented.calibration, False), fusion)
        unseen = {flag: gathered(invented.reported, flag) for flag in (False, True)}
    return made, {
        flag: [odds_fit.with_impostors(s, made.impostors) for s in found]
        for flag, found in unseen.items()
    }


@pytest.mark.slow
@pytest.mark.parametrize("same_frame", [False, True])
@pytest.mark.parametrize("strangers_are_people", [False, True])
def test_odds_are_right_about_unseen_people(
    fitted: tuple[odds.Calibration, dict[bool, list[odds_fit.Sample]]],
    same_frame: bool,
    strangers_are_people: bool,
) -> None:
    calibration, samples = fitted
    checked = odds_fit.check(
        calibration, samples[strangers_are_people], same_frame=same_frame, people=100
    )
    assert 0.05 < checked.hits.mean() < 0.9  # there is something to predict
    assert checked.error() < 0.03
    low, high = checked.interval(np.random.default_rng(0), draws=40)
    assert 0 <= low < high < 0.05


@pytest.mark.slow
def test_the_error_sees_a_wrong_calibration(
    fitted: tuple[odds.Calibration, dict[bool, list[odds_fit.Sample]]],
) -> None:
    calibration, samples = fitted
    checked = odds_fit.check(calibration, samples[False], same_frame=False, people=100)
    swapped = odds_fit.Checked(1 - checked.predicted, checked.hits, checked.people)
    assert swapped.error() > 0.3


# -- what is written -----------------------------------------------------------------------


def made_up() -> tuple[rates.Rate, ...]:
    found = []
    for style in styles():
        for attacker in ("A0", "A2", "A3", "A2+A3", "A5"):
            for recogniser in RECOGNISERS:
                p = 0.5 if style.name in ("clean", "mosaic-4") else 0.002
                found.append(
                    rates.Rate(
                        style=style.name,
                        family=leakage_rows.family(style),
                        relative=leakage_rows.relative(style),
                        attacker=attacker,
                        recogniser=recogniser,
                        of_100=(min(1.0, 2 * p), p, 1.0),
                        of_1000=(p, p / 2, min(1.0, 1.5 * p)),
                        people=500,
                        significant=p > 0.1,
                    )
                )
    return tuple(found)


def test_rates_survive_their_file() -> None:
    assert rates.from_json(rates.to_json(made_up())) == made_up()


def test_findings_name_what_is_not_above_chance(tmp_path: Path) -> None:
    findings.write(tmp_path, made_up(), (0.1, 0.09, 0.03), {"CPU": "a toaster"})
    text = (tmp_path / "findings.md").read_text(encoding="utf-8")
    safe = text[text.index("## Not distinguishable") : text.index("## Another recogniser")]
    assert "| `mosaic-20` |" in safe
    assert "| `mosaic-4` |" not in safe
    assert "no proof" in safe
    assert "a toaster" in text
    for family in ("mosaic", "gauss", "box"):
        drawing = (tmp_path / "images" / f"leakage-{family}.svg").read_text(encoding="utf-8")
        assert drawing.count("<path") > 10
        assert f"images/leakage-{family}.svg" in text


def test_findings_do_not_change_without_a_reason(tmp_path: Path) -> None:
    for name in ("one", "two"):
        findings.write(tmp_path / name, made_up(), (0, 0, 0), {})
    one, two = (
        {p.name: p.read_bytes() for p in (tmp_path / name).rglob("*.*")} for name in ("one", "two")
    )
    assert one == two


def row(hits: Sequence[int], name: str = "mosaic-8", attacker: reads.Name = "A2") -> leakage.Row:
    first = np.array(hits, np.float64)
    scored = identification.Outcome(first, first, first, first)
    return leakage.Row(by_name(name), attacker, "dlib", np.arange(len(hits)), scored)


def test_significance_is_judged_over_all_rows() -> None:
    strong, weak = row([1] * 20 + [0] * 480), row([1, 1] + [0] * 498)
    (alone,) = leakage.judged([weak], 20)
    assert not alone.significant
    judged = leakage.judged([strong, weak, row([0] * 500)], 1000)
    assert [each.significant for each in judged] == [True, False, False]


def test_people_near_the_training_set_are_told_apart() -> None:
    near = np.zeros(1000, np.bool_)
    near[:2] = True
    rows = [row([1, 1, 0, 0]), row([0, 0, 0, 0], attacker="A0")]
    assert leakage.contamination(rows, near) == (0.5, 0.0, 0.5)
    without = leakage.apart(rows[0], near)
    assert without.people.tolist() == [2, 3]
    assert without.scored.first.tolist() == [0, 0]


def test_limited_runs_do_not_touch_the_package(cache: Path) -> None:
    limited = Options(Path(), limit=3)
    assert leakage._folders(limited) == (cache, cache)
    assert odds_benchmark.asset(limited).parent == cache
    assert odds_benchmark.asset(Options(Path())).name == "odds.json"
    assert odds_benchmark.asset(Options(Path())).parent != cache
