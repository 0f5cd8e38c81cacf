"""The audit's report: its words, its page, and how a real browser shows and prints it."""

from __future__ import annotations

import importlib.util
import itertools
import re
import stat
import subprocess
import sys
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest

from seethrough.auditor import report
from seethrough.auditor.report import plot, words
from seethrough.auditor.types import Leak, Odds, PictureAudit, Sight
from seethrough.errors import MissingPartError, NothingToDoError, OutputError
from seethrough.types import Box, Operator, WeightsUsed
from tests.audit_examples import bare, exposed, picture, reading, safe

WEIGHTS = (WeightsUsed("restorer", "ab" * 32),)
HOSTILE = "<script>alert(1)</script>&\"'"


def write(folder: Path, *audits: PictureAudit) -> str:
    pytest.importorskip("jinja2", reason="needs seethrough[audit]")
    pytest.importorskip("matplotlib", reason="needs seethrough[audit]")
    path = report.write(audits, folder, seconds=8.25, weights=WEIGHTS)
    return path.read_text(encoding="utf-8")


class Page(HTMLParser):
    """The elements of a page in order, and the words of each kind of element."""

    def __init__(self, source: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str]]] = []
        self.words: list[str] = []
        self._hidden = 0
        self.feed(source)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, {name: value or "" for name, value in attrs}))
        self._hidden += tag in ("style", "svg")
        if tag not in ("b", "em", "span", "strong"):
            self.words.append(" ")

    def handle_endtag(self, tag: str) -> None:
        self._hidden -= tag in ("style", "svg")

    def handle_data(self, data: str) -> None:
        if not self._hidden:
            self.words.append(data)

    @property
    def text(self) -> str:
        """What is read, with plain single spaces."""
        return " ".join("".join(self.words).split())

    def all(self, *tags: str) -> list[dict[str, str]]:
        return [attributes for tag, attributes in self.elements if tag in tags]


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> str:
    first = picture(
        exposed(bound=True), safe(), bare(), leaks=(Leak("thumbnail", "It shows the face."),)
    )
    return write(tmp_path_factory.mktemp("report"), first, picture(safe(), name="other.jpg"))


@pytest.fixture(scope="module")
def page(source: str) -> Page:
    return Page(source)


# Words


@pytest.mark.parametrize(
    ("p", "expected"),
    [
        (0.0, "under 1 in 2,000"),
        (0.00049, "under 1 in 2,000"),
        (0.0005, "1 in 2,000"),
        (0.001, "1 in 1,000"),
        (0.0012, "1 in 830"),
        (0.01, "1 in 100"),
        (0.031, "1 in 32"),
        (1 / 99.6, "1 in 100"),
        (0.1, "1 in 10"),
        (0.3, "1 in 3"),
        (1 / 3, "1 in 3"),
        (0.4, "1 in 3"),
        (0.401, "4 in 10"),
        (0.5, "1 in 2"),
        (0.68, "7 in 10"),
        (0.949, "9 in 10"),
        (0.95, "95 in 100"),
        (0.994, "99 in 100"),
        (1.0, "over 99 in 100"),
    ],
)
def test_odds_are_said_as_one_in_so_many(p: float, expected: str) -> None:
    assert words.one_in(p) == expected


def test_larger_odds_never_read_as_smaller() -> None:
    def value(text: str) -> float:
        part, whole = re.findall(r"[\d,]+", text)
        return float(part.replace(",", "")) / float(whole.replace(",", ""))

    said = [value(words.one_in(p)) for p in np.geomspace(0.0005, 1, 4000)]
    assert said == sorted(said)


def test_said_odds_stay_close_to_the_truth() -> None:
    for p in np.geomspace(0.0005, 0.99, 4000):
        part, whole = (float(n.replace(",", "")) for n in re.findall(r"[\d,]+", words.one_in(p)))
        assert part / whole == pytest.approx(p, rel=0.21)


@pytest.mark.parametrize("p", [-0.1, 1.1, float("nan")])
def test_what_is_no_probability_is_refused(p: float) -> None:
    with pytest.raises(ValueError, match="no probability"):
        words.one_in(p)


@pytest.mark.parametrize(
    ("low", "high", "expected"),
    [
        (0.2, 0.5, "1 in 5 to 1 in 2"),
        (0.33, 0.34, "1 in 3"),
        (0.0, 0.02, "up to 1 in 50"),
        (0.0, 0.0001, "under 1 in 2,000"),
    ],
)
def test_an_interval_in_words(low: float, high: float, expected: str) -> None:
    assert words.between(Odds(100, (low + high) / 2, low, high)) == expected


def test_above_chance_means_the_whole_interval() -> None:
    assert words.above_chance(Odds(100, 0.05, 0.011, 0.1))
    assert not words.above_chance(Odds(100, 0.05, 0.009, 0.1))
    assert words.above_chance(Odds(1000, 0.005, 0.0011, 0.1))


@pytest.mark.parametrize(
    ("operator", "strength", "expected"),
    [
        (Operator("mosaic", (18, 18), (0, 0), 1), 8.0, "Mosaic, cells of 18 px, 8 to a face width"),
        (Operator("mosaic", (18, 20.25), None, 1), None, "Mosaic, cells of 18 by 20.2 px"),
        (
            Operator("gauss", (12, 12), None, 1),
            0.11,
            "Gaussian blur, sigma 12 px, 11 % of the face width",
        ),
        (
            Operator("box", (31, 31), None, 1),
            0.284,
            "Box blur, kernel 31 px, 28 % of the face width",
        ),
        (Operator("solid", None, None, 1), None, "Solid cover"),
        (Operator("eye-bar", None, None, 1), None, "Bar over the eyes"),
        (None, None, "Covered in a way that could not be named"),
    ],
)
def test_a_cover_in_words(operator: Operator | None, strength: float | None, expected: str) -> None:
    assert words.cover(operator, strength) == expected


def test_the_finding_names_the_strongest_attacker_its_odds_and_chance() -> None:
    said = words.finding(exposed())
    assert "a network trained to read identity straight from covered faces (A3)" in said
    assert "1 in 3 times (95 %: 1 in 5 to 1 in 2); a blind guess is right 1 in 100 times" in said
    assert "Among 1,000 people it is right 1 in 9 times" in said
    assert "dlib; MobileFaceNet also finds it above chance" in said


def test_a_finding_of_one_recogniser_alone_is_said_to_be_so() -> None:
    face = replace(
        exposed(), readings=(reading("A3", "dlib", 0.3), reading("A3", "mobilefacenet", 0.01))
    )
    assert "MobileFaceNet finds nothing above chance" in words.finding(face)


def test_a_finding_of_chance_quotes_the_bound_of_what_lies_outside() -> None:
    said = words.finding(safe())
    assert "no proof" in said
    assert "(hair, outline, ears) is matched 1 in 83 times" in said
    assert "at the 95 % limit, 1 in 29 times" in said


def test_a_leak_beside_attackers_that_fail_is_said_first() -> None:
    said = words.finding(replace(safe(), leaks=(Leak("transparent", "It shines through."),)))
    assert said.startswith("The redacted file itself gives this face away")
    assert "None of our attackers" in said


def test_faces_without_attackers_are_explained() -> None:
    assert "leaves this face uncovered" in words.finding(bare())
    assert "No attacker could be run" in words.finding(replace(exposed(), readings=()))


@pytest.mark.parametrize(
    ("faces", "expected"),
    [
        ((bare(), safe()), "In 1 of 2 pictures a face is not covered at all."),
        ((exposed(), exposed()), "In 2 of 2 pictures a covered face can still be recognised."),
        ((safe(), safe()), "In none of 2 pictures did our attackers beat a blind guess."),
    ],
)
def test_the_headline_of_several_pictures(faces: tuple[object, ...], expected: str) -> None:
    assert words.headline([picture(face) for face in faces]) == expected  # type: ignore[arg-type]


def test_odds_stay_on_one_line() -> None:
    assert words.glued("from 1 in 3 to 95 % of 2") == "from 1\xa0in\xa03 to 95\xa0% of 2"
    assert words.glued("7 in 10 times, 1 in 1,000") == "7\xa0in\xa010 times, 1\xa0in\xa01,000"


def test_durations() -> None:
    assert words.duration(8.44) == "8.4 seconds"
    assert words.duration(185.2) == "3 min 5 s"


# The page


def test_the_page_needs_nothing_else(source: str, page: Page) -> None:
    assert not page.all("script", "link", "iframe", "object", "embed", "base", "form")
    for attributes in page.all("img"):
        assert attributes["src"].startswith(("data:image/png;base64,", "data:image/jpeg;base64,"))
    for _, attributes in page.elements:
        assert not [name for name in attributes if name.startswith("on")]
        for name in ("href", "src", "srcset", "action"):
            assert attributes.get(name, "#").startswith(("#", "data:image/"))
    assert not re.search(r"https?:|@import|url\((?!#)", source)
    policy = next(a["content"] for a in page.all("meta") if "http-equiv" in a)
    assert policy.startswith("default-src 'none'")


def test_the_page_is_accessible(page: Page) -> None:
    assert page.all("html")[0]["lang"] == "en"
    assert page.all("title")
    levels = [int(tag[1]) for tag, _ in page.elements if re.fullmatch(r"h[1-6]", tag)]
    assert levels.count(1) == 1
    assert levels[0] == 1
    assert all(after <= before + 1 for before, after in itertools.pairwise(levels))
    assert all(attributes["alt"].strip() for attributes in page.all("img"))
    assert {a.get("scope") for a in page.all("th")} == {"col", "row", "rowgroup"}
    assert len(page.all("caption")) == len(page.all("table"))
    assert all(a["aria-hidden"] == "true" for a in page.all("svg"))


def test_identifiers_are_unique_and_every_reference_resolves(page: Page) -> None:
    identifiers = [a["id"] for _, a in page.elements if "id" in a]
    assert len(identifiers) == len(set(identifiers))
    for _, attributes in page.elements:
        used = re.findall(r"url\(#([^)]*)\)", " ".join(attributes.values()))
        used += [attributes["href"][1:]] if "href" in attributes else []
        used += attributes.get("aria-labelledby", "").split()
        assert set(used) <= set(identifiers)


def test_the_page_says_what_was_found(page: Page) -> None:
    text = page.text
    in_order = [
        "This report contains faces.",
        "In 1 of 2 pictures a face is not covered at all.",
        "Thumbnail. It shows the face.",
        "Face 1: exposed",
        "The strongest attacker uses a network trained",
        "Mosaic, cells of 11.8 px, 8 to a face width.",
        "upper bound No other photograph",
        "Restoration: a guess, not the person",
        "Trained on covers A3 strongest dlib 1 in 3 1 in 5 to 1 in 2 1 in 9",
        "Blind guess (chance) 1 in 100 1 in 1,000",
        "What would lower it Solid over the whole head: from 1 in 3 to chance.",
        "Face 2: not distinguishable from chance",
        "Face 3: uncovered",
        "Uncovered. The cover is missing on this face.",
        "The redacted picture leaves this face uncovered.",
        "How this was measured",
        "Nothing under the cover of the redacted file is ever attacked.",
        "by our attackers” is no proof",
        "Restorations are guesses, matches are measurements.",
        "3f" * 32,
        "9c" * 32,
        "restorer",
        "ab" * 32,
        "audited in 8.2 seconds",
    ]
    places = [text.index(words_) for words_ in in_order]
    assert places == sorted(places)


def test_upper_bounds_are_marked_only_where_they_are(tmp_path: Path) -> None:
    def tags(name: str, bound: bool) -> int:
        return write(tmp_path / name, picture(exposed(bound=bound))).count('class="tag">upper')

    assert tags("bound", True) == 2  # in the words and over the table
    assert tags("free", False) == 0
    mixed = Page(write(tmp_path / "mixed", picture(safe())))
    assert mixed.text.count("dlib upper bound") == 2  # of five attackers, two


def test_a_simulated_style_has_no_file_to_hash(tmp_path: Path) -> None:
    audit = replace(picture(exposed()), redacted="mosaic, 12 cells", redacted_sha256="")
    assert "mosaic, 12 cells simulated, no file" in Page(write(tmp_path, audit)).text


def test_a_picture_without_faces_says_so(tmp_path: Path) -> None:
    assert "No face was found in the original." in Page(write(tmp_path, picture())).text


def test_outlines_lie_on_the_faces(tmp_path: Path) -> None:
    face = exposed()
    edge = replace(face, face=replace(face.face, box=Box(-64, 256, 128, 600)))
    page = Page(write(tmp_path, replace(picture(face), faces=(edge,))))
    styles = [a["style"] for a in page.all("a") if "style" in a]
    assert styles == ["left:0.00%;top:50.00%;width:25.00%;height:50.00%"]


def test_whatever_comes_in_is_escaped(tmp_path: Path) -> None:
    face = replace(exposed(), advice=(HOSTILE,), leaks=(Leak(HOSTILE, HOSTILE),))
    audit = replace(
        picture(face, leaks=(Leak("thumbnail", HOSTILE),)),
        original=HOSTILE,
        redacted=HOSTILE,
        summary=HOSTILE,
    )
    source = write(tmp_path, audit)
    assert "<script" not in source.casefold()
    assert Page(source).text.count(HOSTILE) >= 8


def test_ten_faces_stay_under_five_megabytes(tmp_path: Path, rng: np.random.Generator) -> None:
    def noise(*shape: int) -> np.ndarray[tuple[int, ...], np.dtype[np.uint8]]:
        return rng.integers(0, 256, (*shape, 3), dtype=np.uint8)

    levels = ("A0", "A2", "A5")
    faces = [
        replace(exposed(), sights=tuple(Sight(level, noise(128, 128)) for level in levels))
        for _ in range(10)
    ]
    assert len(write(tmp_path, replace(picture(*faces), preview=noise(1500, 2000)))) < 5_000_000


# The file


def test_the_owner_alone_can_read_it(tmp_path: Path) -> None:
    write(tmp_path / "new", picture(bare()))
    assert stat.S_IMODE((tmp_path / "new" / "report.html").stat().st_mode) == 0o600
    assert stat.S_IMODE((tmp_path / "new").stat().st_mode) == 0o700


def test_a_folder_that_exists_keeps_its_mode(tmp_path: Path) -> None:
    tmp_path.chmod(0o755)
    write(tmp_path, picture(bare()))
    assert stat.S_IMODE(tmp_path.stat().st_mode) == 0o755


def test_a_report_that_exists_is_kept(tmp_path: Path) -> None:
    before = write(tmp_path, picture(bare()))
    with pytest.raises(OutputError, match="exists already"):
        write(tmp_path, picture(bare(), bare()))
    assert (tmp_path / "report.html").read_text() == before
    report.write([picture(bare(), bare())], tmp_path, seconds=1, weights=(), overwrite=True)
    assert (tmp_path / "report.html").read_text() != before
    assert [path.name for path in tmp_path.iterdir()] == ["report.html"]


def test_nothing_audited_writes_nothing(tmp_path: Path) -> None:
    with pytest.raises(NothingToDoError, match="no picture"):
        report.write([], tmp_path / "out", seconds=0, weights=())
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("name", ["jinja2", "matplotlib"])
def test_a_missing_extra_is_one_clear_line(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for part in ("jinja2", "matplotlib"):
        pytest.importorskip(part, reason="needs seethrough[audit]")
    monkeypatch.setitem(sys.modules, name, None)
    with pytest.raises(MissingPartError) as caught:
        report.write([picture(safe())], tmp_path / "out", seconds=0, weights=())
    assert caught.value.exit_code == 6
    assert name in caught.value.what
    assert str(caught.value).endswith("Run pip install seethrough[audit].")
    assert not (tmp_path / "out").exists()


def test_the_extra_is_loaded_late_and_without_its_global_state(repository: Path) -> None:
    plots = ["and plot"] if importlib.util.find_spec("matplotlib") else []
    program = (
        "import sys, seethrough.auditor.report.plot as plot\n"
        "from seethrough.auditor.types import Odds, Reading\n"
        "assert not {'jinja2', 'matplotlib'} & set(sys.modules)\n"
        "if sys.argv[1:]:\n"
        "    odds = Odds(100, 0.1, 0.05, 0.2)\n"
        "    plot.odds_plot([Reading('A0', 'dlib', odds, odds, False)], 'x')\n"
        "    assert 'matplotlib.pyplot' not in sys.modules\n"
    )
    subprocess.run(
        [sys.executable, "-W", "error", "-c", program, *plots], cwd=repository, check=True
    )


def test_a_plot_leaves_no_trace_in_matplotlib() -> None:
    matplotlib = pytest.importorskip("matplotlib", reason="needs seethrough[audit]")
    before = dict(matplotlib.rcParams)
    readings = exposed().readings
    first = plot.odds_plot(readings, "face-1")
    assert dict(matplotlib.rcParams) == before
    assert plot.odds_plot(readings, "face-1") == first
    for name in ("Restores first (A2)", "blind guess", "1 in 10", "always"):
        assert f">{name}<" in first
