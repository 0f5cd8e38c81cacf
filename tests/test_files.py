"""Outputs appear whole or not at all, and bad paths are told before work begins."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from seethrough import files
from seethrough.errors import InputError, OutputError


def test_a_file_is_read_whole(tmp_path: Path) -> None:
    path = tmp_path / "a"
    path.write_bytes(b"12345")
    assert files.check_input(path) == 5
    assert files.read_bytes(path, 5) == b"12345"
    with pytest.raises(InputError, match="too large"):
        files.read_bytes(path, 4)


def test_a_dangling_link_is_missing_as_input_and_in_the_way_as_output(tmp_path: Path) -> None:
    path = tmp_path / "link"
    path.symlink_to(tmp_path / "nowhere")
    with pytest.raises(InputError, match="does not exist"):
        files.check_input(path)
    with pytest.raises(OutputError, match="exists already"):
        files.check_output(path, overwrite=False)


def test_an_output_below_a_file_is_refused_before_work(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(OutputError, match="Not a directory"):
        files.check_output(tmp_path / "file" / "x" / "a.png", overwrite=False)
    files.check_output(tmp_path / "new" / "x" / "a.png", overwrite=False)
    assert not (tmp_path / "new").exists()


def test_replacing_renames_when_the_block_succeeds(tmp_path: Path) -> None:
    path = tmp_path / "new" / "film.mp4"
    with files.replacing(path, overwrite=False) as temporary:
        assert temporary.parent == path.parent
        assert temporary.suffix == ".mp4"
        temporary.write_bytes(b"film")
        assert not path.exists()
    assert path.read_bytes() == b"film"
    assert list(path.parent.iterdir()) == [path]


def test_replacing_leaves_nothing_when_the_block_fails(tmp_path: Path) -> None:
    path = tmp_path / "a"
    path.write_bytes(b"old")

    def half() -> None:
        with files.replacing(path, overwrite=True) as temporary:
            temporary.write_bytes(b"half")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        half()
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


def test_an_output_that_appears_meanwhile_is_not_overwritten(tmp_path: Path) -> None:
    path = tmp_path / "a"

    def race() -> None:
        with files.replacing(path, overwrite=False) as temporary:
            temporary.write_bytes(b"ours")
            path.write_bytes(b"theirs")

    with pytest.raises(OutputError, match="exists already"):
        race()
    assert path.read_bytes() == b"theirs"
    assert list(tmp_path.iterdir()) == [path]


def test_the_longest_names_can_be_written(tmp_path: Path) -> None:
    for name in ("a" * 255, "漢" * 85):
        path = tmp_path / name
        files.write_bytes(path, b"x", overwrite=False)
        assert os.path.lexists(path)


def test_overwriting_a_link_leaves_its_target(tmp_path: Path) -> None:
    target, link = tmp_path / "target", tmp_path / "link"
    target.write_bytes(b"original")
    link.symlink_to(target)
    files.write_bytes(link, b"new", overwrite=True)
    assert target.read_bytes() == b"original"
    assert link.read_bytes() == b"new"
