"""Sections survive their JSON, and the page shows them."""

from __future__ import annotations

import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from benchmarks import command, results, run
from benchmarks.results import Column, Estimate, Goal, Options, Section, Table


@pytest.fixture
def section() -> Section:
    return Section(
        key="some-thing",
        title="Some thing",
        text="Measured so: `x4`.",
        tables=(
            Table(
                "A caption",
                (
                    Column("name", "name"),
                    Column("psnr", "PSNR"),
                    Column("n", "n"),
                    Column("share", "share", 0, share=True),
                ),
                (
                    {
                        "name": "a|b",
                        "psnr": Estimate(24.123, 23.9, 24.35, 800),
                        "n": 800,
                        "share": 0.456,
                    },
                    {"name": "é", "psnr": None, "share": Estimate(0.5, 0.4, 0.6, 10)},
                ),
            ),
        ),
        provenance={"commit": "abc"},
    )


def test_json_round_trip(section: Section) -> None:
    assert results.from_json(results.to_json(section)) == section


def test_markdown_cells(section: Section) -> None:
    lines = results.markdown(section).splitlines()
    assert r"| a\|b | 24.12 (23.90 to 24.35) | 800 | 46 % |" in lines
    assert "| é |  |  | 50 % (40 to 60) |" in lines
    assert "|---|---:|---:|---:|" in lines
    assert "- commit: abc" in lines


def test_every_row_has_as_many_cells_as_the_heading(section: Section) -> None:
    rows = [
        line.replace(r"\|", "")
        for line in results.markdown(section).splitlines()
        if line.startswith("|")
    ]
    assert len(rows) == 4
    assert {row.count("|") for row in rows} == {5}


def test_page_keeps_sections_that_are_not_run_again(section: Section, tmp_path: Path) -> None:
    other = Section("another", "Another", "Text.", ())
    results.save(section, tmp_path)
    results.save(other, tmp_path)
    page = results.render(tmp_path, order=["some-thing"])
    assert page.index("## Some thing") < page.index("## Another")
    assert page.startswith("# Results")


def test_stray_keys_are_refused() -> None:
    with pytest.raises(ValueError, match="no column"):
        Table("t", (Column("a", "a"),), ({"a": 1, "b": 2},))


def test_infinity_is_not_written(section: Section) -> None:
    table = Table("t", (Column("a", "a"),), ({"a": float("inf")},))
    with pytest.raises(ValueError, match="JSON"):
        results.to_json(Section("k", "t", "", (table,)))


@pytest.mark.parametrize("wrong", [{"limit": 0}, {"threads": 0}])
def test_options_are_validated(wrong: dict[str, int]) -> None:
    with pytest.raises(ValueError, match="at least 1"):
        Options(Path("x"), **wrong)


def test_contact_sheets_stay_out_of_the_repository(repository: Path, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="outside"):
        Options(Path("x"), sheets=repository / "docs" / "sheets")
    assert Options(Path("x"), sheets=tmp_path).sheets == tmp_path


def test_stored_results_make_the_page(repository: Path) -> None:
    """``RESULTS.md`` is written by the program from ``results/*.json``, never by hand."""
    page = repository / "benchmarks" / "RESULTS.md"
    if not page.exists():
        pytest.skip("nothing has been measured yet")
    assert page.read_text("utf-8") == results.render(order=run.ORDER)


def test_unknown_benchmarks_are_refused(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        run.main(["astrology"])
    assert "astrology" in capsys.readouterr().err


def test_run_measures_stores_and_writes_the_page(
    section: Section, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[Options] = []

    def measure(options: Options) -> Section:
        told.append(options)
        return section

    monkeypatch.setitem(sys.modules, "benchmarks.some_thing", SimpleNamespace(run=measure))
    monkeypatch.setattr(run, "MODULES", ("some_thing",))
    monkeypatch.setattr(results, "SECTIONS", tmp_path / "stored")
    monkeypatch.setattr(results, "REPORT", tmp_path / "page.md")
    run.main(["some_thing", "--limit", "3", "--threads", "1"])
    page = (tmp_path / "page.md").read_text("utf-8")
    assert "command: `python -m benchmarks.run some_thing --limit 3 --threads 1`" in page
    assert [(o.limit, o.threads) for o in told] == [(3, 1)]
    run.main(["--render"])
    assert (tmp_path / "page.md").read_text("utf-8") == page
    assert len(told) == 1


def test_goals_stand_beside_what_was_reached() -> None:
    table = results.goals(
        "Against the goals",
        [Goal("a", 2.0, 1.5, least=True), Goal("b", 2.0, 1.5, least=False), Goal("c", 1, 1, True)],
    )
    assert [row["met"] for row in table.rows] == ["yes", "no", "yes"]
    assert [row["goal"] for row in table.rows] == ["at least 1.5", "at most 1.5", "at least 1"]


def test_every_benchmark_shares_its_options(tmp_path: Path) -> None:
    given = command.parser("benchmarks.some", None, threads=2).parse_args(
        ["--limit", "3", "--seed", "4", "--sheets", str(tmp_path)]
    )
    options = command.options(given)
    assert (options.limit, options.threads, options.seed) == (3, 2, 4)
    assert (options.weights, options.sheets) == (None, tmp_path)
