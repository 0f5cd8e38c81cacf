"""Names that lead in circles, and names that no file system holds."""

from __future__ import annotations

import json
from pathlib import Path

import cv2
import numpy as np
import pytest

from seethrough.cli import run

LONG = "x" * 300


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a picture and two links that lead to each other."""
    (tmp_path / "in").mkdir()
    for name in ("photo.png", "in/c.png"):
        assert cv2.imwrite(str(tmp_path / name), np.full((40, 60, 3), 90, np.uint8))
    (tmp_path / "in/a.png").symlink_to("b.png")
    (tmp_path / "in/b.png").symlink_to("a.png")
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize(
    "words",
    [
        "restore in/a.png -o o.png",
        "redact in/a.png -o o.png",
        "faces in/a.png -o o.png",
        "degrade in/a.png -o o.png --mosaic 8",
        "audit --original in/a.png --redacted in/b.png -o o",
        "audit --original photo.png --redacted in/b.png -o o",
    ],
)
def test_links_in_a_circle_are_code_3(words: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run([*words.split(), "--json", "r.json"]) == 3
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("seethrough: error: in/")
    assert "cannot be read" in line
    (record,) = json.loads(Path("r.json").read_text())["inputs"]
    assert record["status"] == "failed"


def test_links_in_a_circle_do_not_stop_a_folder(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["degrade", "in", "-o", "out", "--mosaic", "8", "--json", "r.json"]) == 3
    assert "1 done, 0 skipped, 2 failed (in/a.png, in/b.png)" in capsys.readouterr().err
    states = {r["path"]: r["status"] for r in json.loads(Path("r.json").read_text())["inputs"]}
    assert states == {"in/a.png": "failed", "in/b.png": "failed", "in/c.png": "done"}
    assert [path.name for path in (folder / "out").iterdir()] == ["c.png"]


@pytest.mark.parametrize(
    "words",
    [
        f"restore photo.png -o {LONG}.png",
        f"restore photo.png -o {LONG}.png --resume",
        f"restore photo.png -o {'x' * 245}.png --compare",
        f"restore photo.png photo2.png -o {LONG}",
        f"redact photo.png -o {LONG}.png",
        f"redact photo.png -o {'x' * 245}.png",  # NAME.unverified.png would be too long
        f"faces photo.png -o {LONG}.png",
        f"degrade photo.png -o {LONG}.png --mosaic 8",
        f"audit --original photo.png --style solid -o {LONG}",
    ],
)
def test_names_that_are_too_long_are_code_5(
    words: str, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "photo2.png").symlink_to("photo.png")
    before = set(folder.iterdir())
    assert run([*words.split(), "--json", "-"]) == 5
    out, err = capsys.readouterr()
    lines = [line for line in err.splitlines() if "error" in line]
    assert lines
    assert all("too long). Choose a shorter name." in line for line in lines)
    assert {record["status"] for record in json.loads(out)["inputs"]} == {"failed"}
    assert json.loads(out)["weights"] == []  # before any work
    assert set(folder.iterdir()) == before
