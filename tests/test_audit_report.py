"""The audit's report: what stands on its page, and how the file is written."""

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
from seethrough.auditor.report import plot
from seethrough.auditor.types import Bare, Leak, PictureAudit, Sight
from seethrough.errors import MissingPartError, NothingToDoError, OutputError
from seethrough.types import Box, WeightsUsed
from tests.audit_examples import bare, exposed, followed, picture, safe

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
    places = [text.index(said) for said in in_order]
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


def test_a_film_with_many_faces_stays_small(tmp_path: Path, rng: np.random.Generator) -> None:
    def noise(*shape: int) -> np.ndarray[tuple[int, ...], np.dtype[np.uint8]]:
        return rng.integers(0, 256, (*shape, 3), dtype=np.uint8)

    one = exposed()
    grain = tuple(replace(sight, picture=noise(128, 128)) for sight in one.sights * 2)
    faces = [followed(replace(one, sights=grain), number) for number in range(1, 31)]
    film = replace(picture(*faces), preview=noise(540, 960), length=1.2)
    assert len(write(tmp_path, film)) < 5_000_000


def test_a_film_shows_its_strip_and_what_is_not_calibrated(tmp_path: Path) -> None:
    spans = (Bare(0.3, 0.38, 2),)
    face = followed(exposed(), 7, spans)
    readings = tuple(
        replace(each, level="A4", calibrated=False) if each.level == "A3" else each
        for each in face.readings
    )
    film = replace(picture(replace(face, readings=readings)), length=1.2, notes=("Mind this.",))
    page = write(tmp_path, film)
    assert "In 2 frames the redacted film leaves this face uncovered" in words_of(page)
    for said in ("The film", "Face 7", "0:00.30, bare", "read as one look", "Mind this."):
        assert said in words_of(page)
    assert page.count("in the redacted film at") == 11


def test_odds_stand_beside_those_without_a_cover(tmp_path: Path) -> None:
    page = words_of(write(tmp_path, picture(exposed())))
    assert "No cover at all, dlib 99\xa0in\xa0100 9\xa0in\xa010" in page


def words_of(page: str) -> str:
    """What a reader sees, on one line."""
    return re.sub(r"[ \n]+", " ", re.sub(r"<[^>]+>", " ", page))
