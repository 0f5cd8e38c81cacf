"""Runs that stop in the middle."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import numpy as np
import pytest

from seethrough.errors import InputError
from seethrough.types import Patch
from seethrough.video import EncodeOptions, Frame, transcode
from tests.video import films

QUICK = EncodeOptions(preset="ultrafast")


class StoppedError(Exception):
    """What interrupts a run."""


class Editor:
    """Paints a square whose grey depends on all frames so far, and stops at one of them."""

    def __init__(self, stop: int | None = None) -> None:
        self.stop = stop
        self.memory = 0
        self.edited: list[int] = []

    def __call__(self, frame: Frame) -> None:
        if frame.index == self.stop:
            raise StoppedError
        self.remember(frame)
        self.edited.append(frame.index)
        pixels = np.full((30, 30, 3), self.memory % 256, np.uint8)
        frame.paint(Patch(40, 20, pixels, np.ones((30, 30), np.bool_)))

    def remember(self, frame: Frame) -> None:
        self.memory = self.memory * 3 + frame.index


def run(source: Path, target: Path, editor: Editor, *, resume: bool = False, key: str = "k"):
    return transcode(
        source,
        target,
        editor,
        QUICK,
        resume=resume,
        threads=1,
        key=key,
        skip=editor.remember,
        segment=5,
    )


@pytest.fixture
def film(tmp_path):
    return films.make(tmp_path / "in.mp4", frames=23, sound="aac", seconds=0.9)


@pytest.mark.parametrize("stop", [0, 4, 5, 13, 22])
def test_a_resumed_film_decodes_equal_to_an_uninterrupted_one(tmp_path, film, stop):
    whole, target = tmp_path / "whole.mp4", tmp_path / "out.mp4"
    run(film, whole, Editor())
    with pytest.raises(StoppedError):
        run(film, target, Editor(stop))
    assert not target.exists()
    again = Editor()
    run(film, target, again, resume=True)
    assert again.edited == list(range(stop // 5 * 5, 23))
    assert target.read_bytes() == whole.read_bytes()
    assert not (tmp_path / ".out.mp4.parts").exists()


def test_parts_are_their_owners_alone_and_no_film(tmp_path, film):
    with pytest.raises(StoppedError):
        run(film, tmp_path / "out.mp4", Editor(12))
    folder = tmp_path / ".out.mp4.parts"
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert {path.suffix for path in folder.iterdir()} <= {"", ".npz", ".packets", ".tmp"}


@pytest.mark.parametrize("harm", ["key", "flip", "cut", "table"])
def test_parts_that_do_not_fit_are_made_again(tmp_path, film, harm):
    whole, target = tmp_path / "whole.mp4", tmp_path / "out.mp4"
    run(film, whole, Editor())
    with pytest.raises(StoppedError):
        run(film, target, Editor(12))
    packets = tmp_path / ".out.mp4.parts" / "00000001.packets"
    if harm == "flip":
        data = bytearray(packets.read_bytes())
        data[len(data) // 2] ^= 4
        packets.write_bytes(data)
    elif harm == "cut":
        os.truncate(packets, packets.stat().st_size - 1)
    elif harm == "table":
        packets.with_suffix(".npz").write_bytes(b"PK")
    again = Editor()
    run(film, target, again, resume=True, key="other" if harm == "key" else "k")
    first = 0 if harm == "key" else 5
    assert again.edited == [*range(first, 10), *range(10, 23)]
    assert target.read_bytes() == whole.read_bytes()


def test_without_resume_all_begins_anew(tmp_path, film):
    with pytest.raises(StoppedError):
        run(film, tmp_path / "out.mp4", Editor(12))
    again = Editor()
    run(film, tmp_path / "out.mp4", again)
    assert again.edited == list(range(23))


def test_a_film_that_cannot_be_read_leaves_nothing(tmp_path, film):
    data = film.read_bytes()
    cut = tmp_path / "cut.mp4"
    cut.write_bytes(data[: len(data) * 2 // 3])
    with pytest.raises(InputError):
        run(cut, tmp_path / "out.mp4", Editor())
    assert {path.name for path in tmp_path.iterdir()} == {"in.mp4", "cut.mp4"}
