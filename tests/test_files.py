"""Outputs appear whole or not at all, and bad paths are told before work begins."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from seethrough import files
from seethrough.errors import InputError, OutputError, UsageError


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


def test_an_empty_name_names_nothing() -> None:
    assert files.named("a/b.png") == Path("a/b.png")
    assert files.named(".") == Path()
    with pytest.raises(UsageError, match="empty"):
        files.named("")


def test_links_in_a_circle_lead_somewhere_and_cannot_be_read(tmp_path: Path) -> None:
    a, b = tmp_path / "a", tmp_path / "b"
    a.symlink_to(b)
    b.symlink_to(a)
    assert files.resolved(a).parent == tmp_path.resolve()
    with pytest.raises(InputError, match="a cannot be read"):
        files.check_input(a)
    with pytest.raises(OutputError):
        files.check_output(a / "c.png", overwrite=True)


def test_names_that_are_too_long_are_refused_before_work(tmp_path: Path) -> None:
    for path in (
        tmp_path / ("a" * 300),
        tmp_path / ("漢" * 100),  # three bytes each
        tmp_path / "new" / ("a" * 300) / "b.png",
        tmp_path.joinpath(*["a" * 200] * 30),
    ):
        with pytest.raises(OutputError, match="too long") as caught:
            files.check_output(path, overwrite=True)
        assert caught.value.remedy == "Choose a shorter name"
    files.check_output(tmp_path / ("a" * 255), overwrite=False)
    assert list(tmp_path.iterdir()) == []
