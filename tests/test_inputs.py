"""Which file becomes which output."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from seethrough.errors import OutputError, UsageError
from seethrough.pipeline.inputs import paths_of, plan


def tree(root: Path, *names: str) -> Path:
    for name in names:
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"x")
    return root


def test_a_folder_is_walked_and_names_are_kept(tmp_path: Path) -> None:
    photos = tree(
        tmp_path / "in", "b.png", "a.JPG", "sub/c.webp", "notes.txt", ".hidden.png", ".git/d.png"
    )
    items = plan([photos], tmp_path / "out")
    pairs = [(i.source.relative_to(photos), i.output.relative_to(tmp_path / "out")) for i in items]
    names = ["a.JPG", "b.png", "sub/c.webp"]
    assert [(str(a), str(b)) for a, b in pairs] == [(name, name) for name in names]


def test_formats_that_can_only_be_read_become_png(tmp_path: Path) -> None:
    photos = tree(tmp_path / "in", "a.bmp", "b.gif")
    assert [i.output.name for i in plan([photos], tmp_path / "out")] == ["a.png", "b.png"]
    aligned = plan([tree(tmp_path / "jpg", "c.jpg")], tmp_path / "out", suffix=".png")
    assert [i.output.name for i in aligned] == ["c.png"]


def test_the_output_folder_is_not_an_input(tmp_path: Path) -> None:
    photos = tree(tmp_path, "a.png", "out/a.png")
    assert [i.source.name for i in plan([photos], photos / "out")] == ["a.png"]


def test_files_and_folders_mix(tmp_path: Path) -> None:
    photos = tree(tmp_path / "in", "a.png", "more/b.png")
    items = plan([photos / "a.png", photos / "more"], tmp_path / "out", compare=True)
    assert [i.output for i in items] == [tmp_path / "out/a.png", tmp_path / "out/b.png"]
    assert [i.compare for i in items] == [
        tmp_path / "out/a.compare.png",
        tmp_path / "out/b.compare.png",
    ]


def test_an_empty_folder_holds_nothing(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    assert plan([tmp_path / "in"], tmp_path / "out") == ()


@pytest.mark.parametrize(
    ("inputs", "output", "options", "error"),
    [
        ([], "out", {}, UsageError),
        (["in/a.png"], "out.xyz", {}, UsageError),
        (["in/a.png"], "out", {}, UsageError),
        (["in/a.png"], "out.jpg", {"suffix": ".png"}, UsageError),
        (["in/a.png", "in/b.png"], "in/a.png", {}, OutputError),
    ],
)
def test_impossible_plans_are_refused(
    tmp_path: Path, inputs: list[str], output: str, options: dict[str, Any], error: type
) -> None:
    tree(tmp_path / "in", "a.png", "b.png", "a.jpg", "sub/a.png")
    with pytest.raises(error):
        plan([tmp_path / name for name in inputs], tmp_path / output, **options)


def test_a_folder_for_one_file_is_refused_with_a_name_to_give(tmp_path: Path) -> None:
    photos = tree(tmp_path / "in", "a.bmp")
    with pytest.raises(UsageError) as told:
        plan([photos / "a.bmp"], tmp_path / "in")
    assert told.value.remedy.endswith(f"{tmp_path}/in/a.png")


@pytest.mark.parametrize(
    ("inputs", "output", "options", "refused"),
    [
        (["in/a.png"], "in/a.png", {}, ["a.png"]),
        (["in"], "in", {}, ["a.jpg", "a.png", "b.png", "a.png"]),
        (["in/a.png", "in/sub/a.png", "in/b.png"], "out", {}, ["sub/a.png"]),
        (["in/a.png", "in/a.jpg", "in/b.png"], "out", {"suffix": ".png"}, ["a.jpg"]),
        (["in"], "out", {"compare": True}, ["a.png"]),
    ],
)
def test_outputs_that_are_taken_are_refused_alone(
    tmp_path: Path, inputs: list[str], output: str, options: dict[str, Any], refused: list[str]
) -> None:
    tree(tmp_path / "in", "a.png", "b.png", "a.jpg", "sub/a.png")
    items = plan([tmp_path / name for name in inputs], tmp_path / output, **options)
    marked = [item for item in items if item.error is not None]
    assert all(isinstance(item.error, OutputError) for item in marked)
    assert all(str(i.source).endswith(name) for i, name in zip(marked, refused, strict=True))
    free = [path for item in items if item.error is None for path in item.outputs]
    assert len(set(free)) == len(free)


def test_what_is_named_twice_is_planned_once(tmp_path: Path) -> None:
    photos = tree(tmp_path / "in", "a.png", "b.png")
    inputs = [photos / "a.png", photos, photos / "../in/b.png"]
    items = plan(inputs, tmp_path / "out", compare=True)
    assert [(item.source.name, item.error) for item in items] == [("a.png", None), ("b.png", None)]


def test_links_in_a_circle_are_inputs_like_others(tmp_path: Path) -> None:
    photos = tree(tmp_path / "in", "c.png", "sub/d.png")
    (photos / "a.png").symlink_to("b.png")
    (photos / "b.png").symlink_to("a.png")
    (photos / "loop").symlink_to("loop")
    names = ["a.png", "b.png", "c.png", "d.png"]
    assert [item.source.name for item in plan([photos], tmp_path / "out")] == names
    (single,) = plan([photos / "a.png"], tmp_path / "out.png")
    assert single.source == photos / "a.png"


def test_empty_names_are_refused() -> None:
    assert paths_of("a.png") == (Path("a.png"),)
    assert paths_of(["a.png", Path("b.png")]) == (Path("a.png"), Path("b.png"))
    for given in ("", ["a.png", ""]):
        with pytest.raises(UsageError, match="empty"):
            paths_of(given)
