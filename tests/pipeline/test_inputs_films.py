"""Films among the inputs, and how far a run is inside one of them."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
from rich.console import Console

from seethrough.cli.voice import Voice
from seethrough.errors import InputError, UsageError
from seethrough.pipeline.inputs import Item, pictures_in, plan
from seethrough.pipeline.options import RunOptions
from seethrough.pipeline.progress import Progress
from seethrough.pipeline.report import Record
from seethrough.pipeline.run import Run
from tests.test_inputs import tree


def test_a_folder_may_mix_photos_and_films(tmp_path: Path) -> None:
    inputs = tree(tmp_path / "in", "a.png", "b.MP4", "sub/c.mov", "d.avi", ".e.mp4", "f.txt")
    items = plan([inputs], tmp_path / "out", films=True, compare=True)
    assert [i.output.relative_to(tmp_path / "out").as_posix() for i in items] == [
        "a.png",
        "b.MP4",
        "d.mkv",
        "sub/c.mov",
    ]
    assert [i.film for i in items] == [False, True, True, True]
    assert [i.compare.name for i in items if i.compare] == [
        "a.compare.png",
        "b.compare.MP4",
        "d.compare.mkv",
        "c.compare.mov",
    ]
    assert [i.source.name for i in plan([inputs], tmp_path / "out")] == ["a.png"]
    found = pictures_in(inputs, tmp_path / "out", films=True)
    assert [path.name for path, _ in found] == ["a.png", "b.MP4", "d.avi", "c.mov"]


def test_a_film_becomes_a_film_and_a_photo_a_photo(tmp_path: Path) -> None:
    tree(tmp_path, "a.png", "b.mp4")
    (item,) = plan([tmp_path / "b.mp4"], tmp_path / "out.webm", films=True)
    assert item.output == tmp_path / "out.webm"
    for name, output in (("a.png", "out.mp4"), ("b.mp4", "out.png"), ("b.mp4", "out.avi")):
        with pytest.raises(UsageError, match="suffix"):
            plan([tmp_path / name], tmp_path / output, films=True)


def test_an_unknown_suffix_is_the_inputs_fault(tmp_path: Path) -> None:
    for output in ("out.mp4", "out.png"):
        (item,) = plan([tree(tmp_path, "a.xyz") / "a.xyz"], tmp_path / output, films=True)
        assert item.output.name == output


def run_over(tmp_path: Path, *, films: bool) -> Run:
    progress = Progress()

    def work(item: Item) -> Record:
        for done in (1, 2, 3):
            progress.step("restore", done, 3)
            progress.warn("a voice identifies too")
        return Record(item.source, item.output, "done", width=1, height=1)

    tree(tmp_path / "in", "a.mp4", "b.mp4")
    items = plan([tmp_path / "in"], tmp_path / "out", films=True)
    return Run("restore", items, work, tuple, RunOptions(), films=films, progress=progress)


def test_verbs_without_films_refuse_them(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="takes pictures alone"):
        run_over(tmp_path, films=False).finish()


def test_frames_and_warnings_are_passed_on(tmp_path: Path) -> None:
    heard: list[object] = []

    class Ear:
        def step(self, stage: str, done: int, total: int | None) -> None:
            heard.append((stage, done, total))

        def warn(self, words: str) -> None:
            heard.append(words)

    run = run_over(tmp_path, films=True)
    run.progress.listener = Ear()
    run.finish()
    steps = [("restore", 1, 3), ("restore", 2, 3), ("restore", 3, 3)]
    assert heard == [steps[0], "a voice identifies too", *steps[1:], *steps]  # warned once
    with pytest.warns(UserWarning, match="a voice identifies too"):  # where nobody listens
        run_over(tmp_path, films=True).finish()


def test_the_bar_shows_frames_and_pace(monkeypatch: pytest.MonkeyPatch) -> None:
    screen = io.StringIO()
    monkeypatch.setattr("sys.stderr.isatty", lambda: True, raising=False)
    terminal = Console(file=screen, force_terminal=True, width=100)
    monkeypatch.setattr("rich.console.Console", lambda **_: terminal)
    voice = Voice()
    with voice.bar("restore", ["film"], 1) as steps:
        for _ in steps:
            for done in range(1, 40):
                voice.step("restore", done, None if done < 5 else 50)
            voice.step("verify", 1, 50)
            voice.warn("look")
    shown = screen.getvalue()
    assert "39/50" in shown or "1/50" in shown
    assert "seethrough: warning: look" in shown
    voice.step("restore", 1, 2)  # after the bar nothing is shown, and nothing fails
