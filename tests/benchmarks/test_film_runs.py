"""Programs run from outside: their memory, their end, and what a killed one leaves."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest

from benchmarks import film_memory, film_robustness, film_speed, film_tools
from seethrough.errors import MissingPartError
from tests.benchmarks.test_film_damage import write_film


def test_peak_memory_is_the_programs_own() -> None:
    program = "import sys; a = b'x' * (int(sys.argv[1]) << 20)"
    small, large = (film_memory.peak([sys.executable, "-c", program, n]) for n in ("1", "80"))
    assert 60e6 < large - small < 100e6
    ballast = np.ones(200 << 20, np.uint8)  # the caller's memory does not count
    assert film_memory.peak([sys.executable, "-c", program, "1"]) < 1.2 * small
    del ballast
    with pytest.raises(MissingPartError, match="code 4"):
        film_memory.peak([sys.executable, "-c", "import sys; sys.exit(4)"])


def test_a_killed_run_is_looked_at(tmp_path: Path) -> None:
    target = tmp_path / "out.mp4"
    script = (
        "import pathlib, shutil, sys, time; source, target = map(pathlib.Path, sys.argv[1:])\n"
        "(target.parent / '.hidden').mkdir(mode=0o700)\n"
        "shutil.copy(source, target.parent / '.hidden' / 'part.mp4')\n"
        "shutil.copy(source, target.parent / 'other.mp4')\n"
        "(target.parent / 'notes.txt').write_text('no film')\n"
        "time.sleep(60)\n"
    )
    (tmp_path / "source").mkdir()
    film = write_film(tmp_path / "source" / "film.mp4")
    folder = tmp_path / "run"
    folder.mkdir()
    target = folder / "out.mp4"
    words = [sys.executable, "-c", script, str(film), str(target)]
    killed = film_robustness.kill_after(words, target, 3.0)
    assert not killed.over
    assert not killed.readable
    assert killed.others == ("other.mp4",)
    quick = film_robustness.kill_after([sys.executable, "-c", "pass"], film, 30.0)
    assert quick.over
    assert quick.readable


def test_films_are_equal_by_their_pictures_times_and_sound(tmp_path: Path) -> None:
    films = [write_film(tmp_path / f"{n}.mp4", frames) for n, frames in enumerate((6, 6, 7))]
    first, same, longer = map(film_robustness.digest, films)
    assert first == same
    assert first != longer


def test_copies_of_another_rate_are_compared_by_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    films = {
        "a": [(0.0, np.uint8(0)), (0.1, np.uint8(1)), (0.5, np.uint8(2))],
        "b": [(n / 10, np.uint8(n)) for n in range(6)],
    }
    monkeypatch.setattr(film_tools, "timed_frames", lambda path: iter(films[path.name]))
    monkeypatch.setattr(film_tools, "frame_count", lambda path: len(films[path.name]))
    pairs = list(film_tools.aligned(Path("a"), Path("b")))
    assert [(int(x), int(y)) for x, y in pairs] == [(0, 0), (1, 1), (2, 5)]


def test_stages_are_read_out_of_a_report(tmp_path: Path) -> None:
    report = tmp_path / "r.json"
    report.write_text('{"inputs": [{"stages": {"decode": 1.5, "cover": 1, "more": 3}}]}')
    assert film_speed.stage_seconds(report) == {"decode": 1.5, "cover": 1.0}
    report.write_text('{"inputs": [{}]}')
    assert film_speed.stage_seconds(report) == {}


def test_a_run_that_lasts_too_long_is_ended(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def sleeping(*_: object) -> list[str]:
        return [sys.executable, "-c", "import time; time.sleep(60)"]

    monkeypatch.setattr(film_tools, "command", sleeping)
    done = film_tools.cover("SeeThrough", tmp_path, tmp_path, 1, timeout=0.5)
    assert done.code == -9
    assert done.seconds < 30
