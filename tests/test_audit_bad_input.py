"""Audits of what should not be handed in: each has one clear outcome."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import skimage.data

from seethrough import pipeline
from seethrough.auditor.picture import Outcome, Style, audit_picture, check_swapped
from seethrough.errors import InputError, NothingToDoError, UsageError
from seethrough.pipeline.audit_options import AuditOptions
from seethrough.pipeline.pairs import pair_items
from seethrough.types import Face, Image
from tests.audit_scene import StandIn, cover, covered, crowd, face, file, save, scene


def audited(
    original: Image,
    redacted: Image,
    faces: Sequence[Face] | None = None,
    style: Style | None = None,
    engine: StandIn | None = None,
) -> Outcome:
    found = [face()] if faces is None else faces
    return audit_picture(
        file(original, name="a.png"),
        file(redacted, name="b.png"),
        found,
        [()] * len(found),
        style,
        lambda: engine or StandIn(),
    )


def test_an_identical_file_covers_nothing() -> None:
    def never() -> StandIn:
        raise AssertionError("nothing is covered, so no attacker is loaded")

    original = file(scene(), name="a.png")
    outcome = audit_picture(original, original, [face()], [()], None, never)
    (found,) = outcome.audit.faces
    assert (found.covered, found.verdict, found.readings) == (False, "uncovered", ())
    assert [leak.kind for leak in found.leaks] == ["uncovered"]
    assert outcome.audit.summary == "The face is not covered at all."


def test_a_compressed_copy_covers_nothing() -> None:
    redacted = file(scene(), "JPEG", quality=40)
    outcome = audit_picture(file(scene()), redacted, [face()], [()], None, StandIn)
    assert outcome.audit.verdict == "uncovered"


def test_swapped_files_are_told() -> None:
    redacted = covered(scene(), [cover("mosaic", 10)])
    with pytest.raises(InputError, match="swapped") as caught:
        audited(redacted, scene())
    assert caught.value.exit_code == 3
    with pytest.raises(InputError, match="swapped"):  # no face to be found in the "original"
        check_swapped(file(covered(scene(), [cover("mask-head")])), file(scene()), [face()])
    check_swapped(file(scene()), file(scene()), [face()])


def test_other_scenes_are_refused() -> None:
    with pytest.raises(InputError, match="do not match"):
        audited(scene(), np.ascontiguousarray(np.roll(scene(), 200, axis=1)))


@pytest.fixture(scope="module")
def some_covered() -> Outcome:
    picture, faces = crowd()
    redacted = covered(picture, [cover("mask-head", None, faces[0]), cover("mosaic", 9, faces[2])])
    return audited(picture, redacted, faces[::-1])


def test_a_cover_missing_on_one_face_is_found_and_named(some_covered: Outcome) -> None:
    left, middle, right = some_covered.audit.faces  # left to right, whatever order they came in
    assert [f.covered for f in (left, middle, right)] == [True, False, True]
    assert [leak.kind for leak in middle.leaks] == ["uncovered"]
    assert some_covered.audit.verdict == middle.verdict == "uncovered"
    assert some_covered.audit.summary == (
        "1 of 3 faces is not covered at all, and 1 more is given away under the cover."
    )


def test_a_weak_cover_is_found_and_paint_is_not(some_covered: Outcome) -> None:
    left, _, right = some_covered.audit.faces
    assert right.verdict in ("exposed", "partly exposed")
    assert right.strongest == "A2"
    assert right.operator is not None
    assert right.operator.kind == "mosaic"
    assert right.cells == pytest.approx(9, abs=0.4)
    assert left.verdict == "not distinguishable from chance"
    assert left.strongest is None
    assert left.operator is not None
    assert left.operator.kind == "solid"
    assert right.advice[0].startswith("Solid over the head: from ")
    assert right.advice[0].endswith("to chance, picked out of 100 people.")


def test_a_cover_without_a_name_asks_for_a_style() -> None:
    rng = np.random.default_rng(8)
    over = cover("mosaic", 8)
    noisy = scene()
    noisy[over.mask] = rng.integers(0, 256, (int(over.mask.sum()), 3), np.uint8)
    with pytest.raises(InputError, match="--style") as caught:
        audited(scene(), noisy)
    assert "cannot be named" in caught.value.what
    named = audited(scene(), noisy, style=Style("blur", (0.1, False)))
    assert named.audit.faces[0].operator is not None
    assert named.audit.faces[0].operator.kind == "gauss"


def test_a_face_that_was_not_audited_never_passes_for_safe() -> None:
    picture, faces = crowd()
    rng = np.random.default_rng(8)
    redacted = covered(picture, [cover("mask-head", None, faces[0])])
    unknown = cover("mosaic", 8, faces[2])
    redacted[unknown.mask] = rng.integers(0, 256, (int(unknown.mask.sum()), 3), np.uint8)
    outcome = audited(picture, redacted, (faces[0], faces[2]))
    assert len(outcome.unnamed) == 1
    assert "1 face was not audited" in outcome.audit.summary
    assert [leak.kind for leak in outcome.audit.leaks] == ["unknown cover"]


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"style": "swirl"}, "unknown"),
        ({"style": "mosaic"}, "how strong"),
        ({"style": "mosaic", "strength": 0.2}, "out of range"),
        ({"style": "blur", "strength": "5"}, "out of range"),
        ({"style": "blur", "strength": "much"}, "no number"),
        ({"style": "blur", "strength": float("nan")}, "out of range"),
        ({"style": "solid", "strength": 3}, "no strength"),
        ({"strength": 3}, "--style"),
        ({"threads": 0}, "threads"),
    ],
)
def test_options_that_make_no_sense_are_refused(given: dict[str, Any], words: str) -> None:
    with pytest.raises(UsageError, match=words):
        AuditOptions(**given)


def test_strengths_are_shares_or_pixels() -> None:
    assert AuditOptions(style="gauss", strength="0.1").cover == Style("blur", (0.1, False))
    assert AuditOptions(style="mosaic", strength="9px").cover == Style("mosaic", (9.0, True))
    assert AuditOptions(style="eye-bar").cover == Style("eye-bar", None)


def test_files_pair_by_name(tmp_path: Path) -> None:
    for name in (
        "in/a.jpg",
        "in/sub/b.png",
        "in/c.png",
        "out/a.png",
        "out/sub/b.webp",
        "out/d.png",
    ):
        save(tmp_path / name, np.zeros((8, 8, 3), np.uint8))
    items = pair_items(tmp_path / "in", tmp_path / "out", tmp_path / "report")
    found = {
        str(item.source.relative_to(tmp_path)): (
            None if item.redacted is None else str(item.redacted.relative_to(tmp_path)),
            item.error is None,
        )
        for item in items
    }
    assert found == {
        "in/a.jpg": ("out/a.png", True),
        "in/sub/b.png": ("out/sub/b.webp", True),
        "in/c.png": (None, False),
        "out/d.png": ("out/d.png", False),
    }
    assert "no redacted file" in str(items[1].error)
    assert "no original" in str(items[3].error)
    save(tmp_path / "out/sub/b.jpg", np.zeros((8, 8, 3), np.uint8))
    again = pair_items(tmp_path / "in", tmp_path / "out", tmp_path / "report")
    assert any("several" in str(item.error) for item in again)


def _missing(at: Path) -> None:
    return None


def _broken(at: Path) -> None:
    at.write_bytes(b"\xff\xd8\xff\xe0 broken")


def _empty(at: Path) -> None:
    at.write_bytes(b"")


def _film(at: Path) -> None:
    at.with_suffix(".mp4").write_bytes(b"\0" * 64)


@pytest.mark.parametrize("side", ["original", "redacted"])
@pytest.mark.parametrize("spoil", [_missing, _broken, _empty])
def test_files_that_cannot_be_read(
    tmp_path: Path, side: str, spoil: Callable[[Path], None]
) -> None:
    paths = {name: save(tmp_path / f"{name}.png", scene()) for name in ("original", "redacted")}
    paths[side].unlink()
    spoil(paths[side])
    with pytest.raises(InputError, match=side):
        pipeline.audit(paths["original"], tmp_path / "report", redacted=paths["redacted"])
    assert not (tmp_path / "report").exists()


def test_films_are_refused(tmp_path: Path) -> None:
    _film(tmp_path / "a")
    picture = save(tmp_path / "a.png", scene())
    with pytest.raises(InputError, match="film"):
        pipeline.audit(tmp_path / "a.mp4", tmp_path / "r", redacted=picture)
    with pytest.raises(InputError, match="film"):
        pipeline.audit(picture, tmp_path / "r", redacted=tmp_path / "a.mp4")


def test_commands_that_make_no_sense(tmp_path: Path) -> None:
    picture = save(tmp_path / "in/a.png", scene())
    with pytest.raises(UsageError, match="nothing to audit"):
        pipeline.audit(picture, tmp_path / "r")
    with pytest.raises(UsageError, match="folder"):
        pipeline.audit(picture, tmp_path / "r", redacted=tmp_path / "in")
    with pytest.raises(UsageError, match="folder"):
        pipeline.audit(tmp_path / "in", tmp_path / "r", redacted=picture)


def test_nobody_in_the_picture_is_nothing_to_do(tmp_path: Path) -> None:
    coffee = np.ascontiguousarray(skimage.data.coffee())
    picture = save(tmp_path / "a.png", coffee)
    with pytest.raises(NothingToDoError, match="no face"):
        pipeline.audit(picture, tmp_path / "r", style="solid")
    assert not (tmp_path / "r").exists()
    (tmp_path / "empty").mkdir()
    with pytest.raises(NothingToDoError, match="no picture"):
        pipeline.audit(tmp_path / "empty", tmp_path / "r", style="solid")


@pytest.mark.parametrize(
    "pixels",
    [np.full((60, 80, 3), 90, np.uint8), np.zeros((40, 40, 3), np.uint8), skimage.data.coffee()],
)
def test_a_file_and_its_copy_without_faces_match_and_are_nothing_to_do(
    tmp_path: Path, pixels: Any, rng: np.random.Generator
) -> None:
    picture = save(tmp_path / "a.png", np.ascontiguousarray(pixels))
    for copy in (picture, save(tmp_path / "b.png", np.ascontiguousarray(pixels))):
        with pytest.raises(NothingToDoError, match="no face found in the original"):
            pipeline.audit(picture, tmp_path / "r", redacted=copy, threads=1)
    other = save(tmp_path / "c.png", rng.integers(0, 255, pixels.shape, np.uint8))
    with pytest.raises(InputError, match="do not match"):
        pipeline.audit(picture, tmp_path / "r", redacted=other, threads=1)
    assert not (tmp_path / "r").exists()
