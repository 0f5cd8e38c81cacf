"""Peak memory of ``redact`` for ten seconds and for ten minutes of the same film."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from benchmarks import command, film_loops, film_people, film_scenes, film_tools, film_truth, sets
from benchmarks.results import Column, Goal, Options, Section, Table, Value, goals
from seethrough.errors import MissingPartError

WIDTH, HEIGHT, RATE = 640, 360, 10
MINUTES = 10
BAR = 1.05
SCENE = "walk"

_WATCH = """
import resource, subprocess, sys
code = subprocess.run(sys.argv[1:], stdin=subprocess.DEVNULL).returncode
print(code, resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)
"""


def peak(words: Sequence[str], timeout: float = 3600) -> int:
    """Run a program and return the most memory that it, or a child of it, held; bytes.

    It is started by a process that is small itself: what the parent holds at a fork counts too.

    Raises
    ------
    MissingPartError
        Where the program fails.
    """
    done = subprocess.run(
        [sys.executable, "-I", "-S", "-c", _WATCH, *words],
        env=film_tools.environment(), capture_output=True, text=True, check=True, timeout=timeout,
    )  # fmt: skip
    code, kilobytes = (int(value) for value in done.stdout.split()[-2:])
    if code != 0:
        raise MissingPartError(f"{' '.join(words)} ended with code {code}", done.stderr[-300:])
    return 1024 * kilobytes


def run(options: Options) -> Section:
    """Measure both lengths."""
    scene = next(scene for scene in film_scenes.SCENES if scene.name == SCENE)
    cast = film_people.people(options.shared, options.threads)
    film = film_truth.film(scene, cast, options.seed)
    short = film_loops.small(film.path, WIDTH, HEIGHT, RATE)
    seconds = film_scenes.SECONDS
    long = film_loops.looped(short, options.limit or round(60 * MINUTES / seconds))
    first, last = (_peak_of(path, options.threads) for path in (short, long))
    row: dict[str, Value] = {
        "what": "`redact`", "short": first / 1e6, "long": last / 1e6, "ratio": last / first
    }  # fmt: skip
    length = film_tools.frame_count(long)
    columns = (
        Column("what", "command"),
        Column("short", f"{film_tools.frame_count(short)} frames, MB", 1),
        Column("long", f"{length} frames, MB", 1),
        Column("ratio", "ratio", 3),
    )
    text = (
        f"Peak resident memory of `seethrough redact` (verification included) for {seconds:g} s "
        f"of the film `{SCENE}`, {WIDTH} x {HEIGHT} at {RATE} frames a second with sound, and "
        f"for the same shown {length // film_tools.frame_count(short)} times over; from outside, "
        f"`--threads {options.threads}`; 1 MB is a million bytes."
    )
    bar = goals(
        "Against the goal",
        [Goal("peak memory, long over short", last / first, BAR, least=False)],
        issue="issue on films",
    )
    return Section(
        "film-memory", "Films: memory", text,
        (bar, Table("Peak memory", columns, (row,))), sets.provenance(options),
    )  # fmt: skip


def _peak_of(film: Path, threads: int) -> int:
    with tempfile.TemporaryDirectory(dir=os.environ.get("TMPDIR")) as folder:
        target = Path(folder) / "out.mp4"
        return peak(film_tools.command("SeeThrough", film, target, threads))


if __name__ == "__main__":
    command.print_section("benchmarks.film_memory", __doc__, run)
