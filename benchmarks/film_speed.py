"""How fast films are redacted, beside deface on the same films, in turns in one run."""

from __future__ import annotations

import json
import os
import statistics
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from benchmarks import command, film_people, film_scenes, film_tools, film_truth, sets
from benchmarks.film_tools import Tool
from benchmarks.results import Column, Goal, Options, Section, Table, Value, goals
from seethrough.errors import MissingPartError

BAR = 2.0
ROUNDS = 2
SCENE = "walk"
REAL = "s18"
STAGES = ("decode", "detect", "track", "cover", "encode", "verify")


def run(options: Options) -> Section:
    """Time both programs, and ours with verification, on a synthesised and on a real film."""
    scene = next(scene for scene in film_scenes.SCENES if scene.name == SCENE)
    cast = film_people.people(options.shared, options.threads)
    films = [film_truth.film(scene, cast, options.seed).path]
    films += [options.shared / "data" / "video" / f"{REAL}.mp4"]
    rows: list[dict[str, Value]] = []
    shares: list[dict[str, Value]] = []
    ratios = []
    for film in films[: options.limit]:
        seconds, stages = _timed(film, options)
        count = film_tools.frame_count(film)
        theirs = seconds["`deface --replacewith solid`"]
        for what, spent in seconds.items():
            rows.append(
                {
                    "film": f"`{film.stem}`, {count} frames",
                    "what": what,
                    "seconds": spent,
                    "rate": count / spent,
                    "ratio": theirs / spent,
                }
            )
            print(rows[-1], file=sys.stderr, flush=True)
        for what, spent_by in stages.items():
            shares.append({"film": f"`{film.stem}`", "what": what, **_shares(spent_by)})
        ratios.append(theirs / seconds["`redact --style solid --no-verify`"])
    columns = (
        Column("film", "film"),
        Column("what", "command"),
        Column("seconds", "seconds, file to file", 1),
        Column("rate", "frames a second", 1),
        Column("ratio", "times as fast as deface", 2),
    )
    tables = [
        goals(
            "Against the goal",
            [Goal("times as fast as deface (worst film)", min(ratios), BAR, least=True)],
            issue="issue on films",
        ),
        Table("Time", columns, tuple(rows)),
    ]
    if shares:
        stage_columns = [Column(stage, stage, 0, share=True) for stage in (*STAGES, "other")]
        head = (Column("film", "film"), Column("what", "command"))
        tables.append(Table("Shares of the time", (*head, *stage_columns), tuple(shares)))
    text = (
        "1280 x 720; two cores, two threads for each program; wall clock from start to exit of "
        f"the process, its start and the loading of networks included; the median of "
        f"{_rounds(options)} rounds in turns in one run. deface 1.5 runs ONNX Runtime with "
        f"{options.threads} threads."
    )
    provenance = {
        "peer": f"deface {film_tools.deface_version()}",
        **sets.provenance(options),
        "load average": f"{os.getloadavg()[0]:.1f} just after the run",
    }
    return Section("film-speed", "Films: throughput", text, tuple(tables), provenance)


def _rounds(options: Options) -> int:
    return min(ROUNDS, options.limit or ROUNDS)


def _timed(film: Path, options: Options) -> tuple[dict[str, float], dict[str, Mapping[str, float]]]:
    """Return the median seconds of each command, and our stages' seconds."""
    style = ("--style", "solid")
    commands: dict[str, tuple[Tool, tuple[str, ...]]] = {
        "`redact --style solid --no-verify`": ("SeeThrough", (*style, "--no-verify")),
        "`deface --replacewith solid`": ("deface", ()),
        "`redact --style solid --verify`": ("SeeThrough", (*style, "--verify")),
    }
    spent: dict[str, list[float]] = {name: [] for name in commands}
    stages: dict[str, Mapping[str, float]] = {}
    with tempfile.TemporaryDirectory() as folder:
        for number in range(_rounds(options)):
            for name, (tool, words) in commands.items():
                report = Path(folder) / "report.json"
                target = Path(folder) / f"{number}-{tool}.mp4"
                if tool == "SeeThrough":
                    words = (*words, "--json", str(report))
                done = film_tools.cover(tool, film, target, options.threads, words)
                if done.code != 0:
                    raise MissingPartError(
                        f"{name} ended with code {done.code}", done.errors[-300:]
                    )
                target.unlink()
                spent[name].append(done.seconds)
                if tool == "SeeThrough":
                    stages[name] = {**stage_seconds(report), "all": done.seconds}
    return {name: statistics.median(each) for name, each in spent.items()}, stages


def stage_seconds(report: Path) -> dict[str, float]:
    """Read how long each stage took out of a report; nothing where it does not say."""
    document: Any = json.loads(report.read_text("utf-8"))
    inputs: Sequence[Any] = document.get("inputs", [])
    found = inputs[0].get("stages", {}) if inputs else {}
    return {stage: float(found[stage]) for stage in STAGES if stage in found}


def _shares(spent: Mapping[str, float]) -> dict[str, Value]:
    """Return each stage's share of the whole process, and of what is no stage."""
    whole = spent["all"]
    shares: dict[str, Value] = {s: spent[s] / whole for s in STAGES if s in spent}
    named = sum(spent[s] for s in STAGES if s in spent)
    return {**shares, "other": max(whole - named, 0.0) / whole}


if __name__ == "__main__":
    command.print_section("benchmarks.film_speed", __doc__, run)
