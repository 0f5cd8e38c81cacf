"""Coverage on films with exact truth: ``redact`` at its defaults, beside PyPI's ``deface``."""

from __future__ import annotations

import sys

from benchmarks import (
    command,
    film_coverage,
    film_people,
    film_scenes,
    film_tools,
    film_truth,
    sets,
)
from benchmarks.film_coverage import Coverage
from benchmarks.film_tools import TOOLS, Tool
from benchmarks.results import Column, Goal, Options, Section, Table, Value, goals

BAR = 0.999


def run(options: Options) -> Section:
    """Make the films, cover them, count."""
    cast = film_people.people(options.shared, options.threads)
    rows: list[dict[str, Value]] = []
    found: dict[Tool, list[Coverage]] = {tool: [] for tool in TOOLS}
    for scene in film_scenes.SCENES[: options.limit]:
        film = film_truth.film(scene, cast, options.seed)
        for tool in TOOLS:
            output = film_tools.covered(tool, film.path, options.threads)
            counted = film_coverage.measure(film_tools.aligned(film.path, output), film.truth)
            found[tool].append(counted)
            rows.append(_row(f"`{scene.name}`: {scene.shows}", tool, counted))
            print(scene.name, tool, f"{counted.share:.4f}", counted.spans, file=sys.stderr)
    totals = {tool: film_coverage.joined(each) for tool, each in found.items()}
    rows += [_row("all", tool, counted) for tool, counted in totals.items()]
    ours, theirs = totals["SeeThrough"], totals["deface"]
    bars = goals(
        "Against the goals",
        [
            Goal("face-frames covered", ours.share, BAR, least=True),
            Goal("spans missed longer than one frame", ours.long_spans, 0, least=False),
            Goal("face-frames covered, more than deface", ours.share - theirs.share, 0, least=True),
        ],
        issue="issue on films",
    )
    provenance = {"peer": f"deface {film_tools.deface_version()}", **sets.provenance(options)}
    return Section(
        "films", "Films: coverage", _text(options.seed), (bars, _table(rows)), provenance
    )


def _row(film: str, tool: Tool, counted: Coverage) -> dict[str, Value]:
    return {
        "film": film,
        "tool": tool,
        "frames": counted.face_frames,
        "covered": counted.share,
        "bare": counted.bare,
        "pixels": counted.pixel_share,
        "spans": counted.long_spans,
        "longest": counted.longest,
        "black": counted.frame_share,
    }


def _table(rows: list[dict[str, Value]]) -> Table:
    columns = (
        Column("film", "film"),
        Column("tool", "program"),
        Column("frames", "face-frames"),
        Column("covered", "covered", 2, share=True),
        Column("bare", "less than half covered"),
        Column("pixels", "oval pixels covered", 3, share=True),
        Column("spans", "spans missed, longer than one frame"),
        Column("longest", "longest, frames"),
        Column("black", "of the whole picture covered", 1, share=True),
    )
    return Table("Faces covered, by film", columns, tuple(rows))


def _text(seed: int) -> str:
    played = (
        "These are the films that the tracker was made with (seed 0)."
        if seed == 0
        else f"Played with seed {seed}: other people, streets, sizes, paces and directions than "
        "in the films that the tracker was made with (seed 0)."
    )
    return (
        f"Films of {film_scenes.SECONDS:g} s with exact truth: eight portraits of the London set, "
        "cut out and moved over generated streets; H.264, 1280 x 720 unless said otherwise. "
        "`seethrough redact` at its defaults and `deface --replacewith solid`, from outside, on "
        "the same films. Counted from the decoded output: a pixel is covered where no colour is "
        f"above {film_coverage.BLACK}. A face counts in a frame where at least "
        f"{film_coverage.COUNTED:.0%} of its oval (forehead to chin, cheek to cheek, as an "
        "ellipse) shows, and where its shot is not faded to less than "
        f"{film_truth.SHOWING:.0%}; it is covered where at least {film_coverage.COVERED:.1%} of "
        "the oval's showing pixels are. A face that stays uncovered from one frame to the next is "
        "one span. " + played
    )


if __name__ == "__main__":
    command.print_section("benchmarks.films", __doc__, run)
