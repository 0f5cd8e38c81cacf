"""``kill -9`` at random moments of a long run, then ``--resume``: is the film the same one?"""

from __future__ import annotations

import hashlib
import os
import signal
import stat
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import av
import numpy as np

from benchmarks import command, film_loops, film_people, film_scenes, film_tools, film_truth, sets
from benchmarks.results import Column, Goal, Options, Section, Table, Value, goals
from seethrough.errors import MissingPartError

MOMENTS = 10
TIMES = 10
"""How often the ten seconds are shown: several of the segments that a run is kept by."""
WIDTH, HEIGHT, RATE = 320, 180, 12
SCENE = "cross"
WORDS: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Killed:
    """What a killed run left.

    Attributes
    ----------
    seconds : float
        When it was killed, after its start.
    over : bool
        It had ended by then.
    readable : bool
        A file stood under the asked name (while ``over`` is false, that must not be).
    others : tuple of str
        Files beside it that are films a player opens, or that others may read.
    """

    seconds: float
    over: bool
    readable: bool
    others: tuple[str, ...]


def digest(film: Path) -> str:
    """Digest of every decoded picture with its time, and of every packet of sound."""
    found = hashlib.sha256()
    with av.open(str(film)) as container:
        for frame in container.decode(video=0):
            found.update(f"{frame.time} {frame.width} {frame.height} {frame.format.name}".encode())
            found.update(np.ascontiguousarray(frame.to_ndarray()).tobytes())
    with av.open(str(film)) as container:
        for packet in container.demux(*container.streams.audio):
            found.update(f"{packet.pts}".encode() + bytes(packet))
    return found.hexdigest()


def kill_after(words: list[str], target: Path, seconds: float) -> Killed:
    """Start a run, kill it and its children without warning, and look at what is there."""
    process = subprocess.Popen(
        words, env=film_tools.environment(), stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True,
    )  # fmt: skip
    try:
        process.wait(seconds)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        return Killed(seconds, False, target.exists(), _readable(target))
    return Killed(seconds, True, target.exists(), _readable(target))


def _readable(target: Path) -> tuple[str, ...]:
    """Return files around the target, the target excluded, that show or could show something."""
    found = []
    for path in sorted(target.parent.rglob("*")):
        if not path.is_file() or path == target:
            continue
        inside = path.relative_to(target.parent).parts
        private = (
            len(inside) > 1 and not stat.S_IMODE((target.parent / inside[0]).stat().st_mode) & 0o077
        )
        if opens(path) and not private:
            found.append("/".join(inside))
    return tuple(found)


def opens(path: Path) -> bool:
    """Whether a file is a film of which a picture can be decoded."""
    try:
        with av.open(str(path)) as container:
            return next(container.decode(video=0), None) is not None
    except (av.FFmpegError, IndexError, ValueError):
        return False


def run(options: Options) -> Section:
    """Run once undisturbed, then kill and resume."""
    scene = next(scene for scene in film_scenes.SCENES if scene.name == SCENE)
    cast = film_people.people(options.shared, options.threads)
    film = film_loops.small(film_truth.film(scene, cast, options.seed).path, WIDTH, HEIGHT, RATE)
    film = film_loops.looped(film, TIMES)
    rng = np.random.default_rng([options.seed, 9])
    rows: list[dict[str, Value]] = []
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        start = time.perf_counter()
        reference = folder / "whole.mp4"
        _call(_words(film, reference, options.threads))
        whole = time.perf_counter() - start
        expected = digest(reference)
        for number in range(min(MOMENTS, options.limit or MOMENTS)):
            row = _once(
                film, folder / str(number), whole * rng.uniform(0.05, 0.98), expected, options
            )
            rows.append(row)
            print(row, file=sys.stderr, flush=True)
    return _section(rows, film, whole, options)


def _once(
    film: Path, folder: Path, seconds: float, expected: str, options: Options
) -> dict[str, Value]:
    folder.mkdir()
    target = folder / "out.mp4"
    words = _words(film, target, options.threads)
    killed = kill_after(words, target, seconds)
    while killed.over:  # the machine was faster than the run before
        target.unlink(missing_ok=True)
        seconds *= 0.7
        killed = kill_after(words, target, seconds)
    early = (killed.readable and digest(target) != expected) or bool(killed.others)
    start = time.perf_counter()
    _call([*words, "--resume"])
    return {
        "killed": killed.seconds,
        "resumed": time.perf_counter() - start,
        "readable": "yes" if early else "no",
        "equal": "yes" if digest(target) == expected else "no",
        "left": ", ".join(p.name for p in sorted(folder.iterdir()) if p != target) or "nothing",
    }


def _words(film: Path, target: Path, threads: int) -> list[str]:
    words = film_tools.command("SeeThrough", film, target, threads, WORDS)
    return [word for word in words if word != "--overwrite"]


def _call(words: list[str]) -> None:
    done = subprocess.run(
        words, env=film_tools.environment(), stdin=subprocess.DEVNULL, capture_output=True,
        text=True, check=False,
    )  # fmt: skip
    if done.returncode != 0:
        raise MissingPartError(
            f"{' '.join(words[1:])} ended with code {done.returncode}", done.stderr[-300:]
        )


def _section(rows: list[dict[str, Value]], film: Path, whole: float, options: Options) -> Section:
    columns = (
        Column("killed", "killed after, s", 1),
        Column("readable", "a film to be read, then"),
        Column("resumed", "`--resume` took, s", 1),
        Column("equal", "decodes equal"),
        Column("left", "left beside it"),
    )
    bars = goals(
        "Against the goals",
        [
            Goal(f"of {len(rows)} resumed films, not equal to the undisturbed one",
                 sum(row["equal"] != "yes" for row in rows), 0, least=False),
            Goal("killed runs that left a film to be read",
                 sum(row["readable"] != "no" for row in rows), 0, least=False),
        ],
        issue="issue on films",
    )  # fmt: skip
    text = (
        f"`seethrough redact` on {film_tools.frame_count(film):,} frames of "
        f"{WIDTH} x {HEIGHT} with sound ({whole:.0f} s undisturbed) is killed with its children "
        "by SIGKILL at a random moment and called again with `--resume`. Equal: every decoded "
        "picture, its time, and every packet of sound. A film to be read: a file under the asked "
        "name that is not the finished film, or beside it one that a player opens and others may "
        "read."
    )
    return Section(
        "film-robustness", "Films: killed and resumed", text,
        (bars, Table("Killed runs", columns, tuple(rows))), sets.provenance(options),
    )  # fmt: skip


if __name__ == "__main__":
    command.print_section("benchmarks.film_robustness", __doc__, run)
