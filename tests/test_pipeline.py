"""The verbs on files, around a network that a test can predict."""

from __future__ import annotations

import inspect
from dataclasses import fields
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from skimage.data import astronaut

from seethrough import image, pipeline
from seethrough.degrade import GaussianBlur
from seethrough.errors import (
    InputError,
    MissingPartError,
    NothingToDoError,
    OutputError,
    SeeThroughError,
    UsageError,
)
from seethrough.geometry import tight_box, upright_landmarks
from seethrough.pipeline.options import REALISM, DegradeOptions, Length, RestoreOptions
from seethrough.pipeline.restoring import mark, network_sized, restoring
from seethrough.types import Box, Image, WeightsUsed
from tests.standin import write_standin

BOX = (170, 60, 274, 196)
"""The astronaut's face."""


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_standin(tmp_path_factory.mktemp("weights") / "standin.onnx")


@pytest.fixture
def soft() -> Image:
    return GaussianBlur(4)(np.ascontiguousarray(astronaut()))


def save(path: Path, pixels: Image) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    assert cv2.imwrite(str(path), pixels[..., ::-1])
    return path


def load(path: Path) -> Image:
    return image.read(path).pixels


def tree(root: Path, *names: str) -> Path:
    for name in names:
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"x")
    return root


# Options


def test_python_keywords_are_the_options_fields() -> None:
    for verb, options in ((pipeline.restore, RestoreOptions), (pipeline.degrade, DegradeOptions)):
        keywords = set(inspect.signature(verb).parameters) - {"inputs", "output"}
        assert keywords == {field.name for field in fields(options)}
        for name in keywords:
            assert name in str(verb.__doc__), f"{verb.__name__} does not document {name}"


def test_defaults_are_the_same_everywhere() -> None:
    for verb, options in (
        (pipeline.restore, RestoreOptions()),
        (pipeline.degrade, DegradeOptions(jpeg=75)),
    ):
        for name, parameter in inspect.signature(verb).parameters.items():
            if name not in ("inputs", "output", "jpeg"):
                assert parameter.default == getattr(options, name)


@pytest.mark.parametrize(
    "given",
    [
        {"kind": "plate"},
        {"realism": -0.1},
        {"realism": 1.5},
        {"realism": float("nan")},
        {"device": "tpu"},
        {"threads": 0},
        {"seed": -1},
        {"box": ["1,2,3"]},
        {"box": ["1,2,3,x"]},
        {"box": ["5,5,5,9"]},
        {"box": [(0, 0, 9)]},
        {"landmarks": ["1,2,3"]},
        {"landmarks": ["5,5,5,5,5,5,5,5,5,5"]},
        {"aligned": True, "box": ["0,0,9,9"]},
        {"aligned": True, "landmarks": ["1,2,3,4,5,6,7,8,9,10"]},
        {"kind": "text", "landmarks": ["1,2,3,4,5,6,7,8,9,10"]},
    ],
)
def test_restore_options_out_of_range_are_refused(given: dict[str, Any]) -> None:
    with pytest.raises(UsageError):
        RestoreOptions.of(**given)


@pytest.mark.parametrize(
    "given",
    [
        {},
        {"tool": "photoshop"},
        {"mosaic": "8x"},
        {"mosaic": 0},
        {"mosaic": -3},
        {"mosaic": "inf"},
        {"gauss": "0%"},
        {"motion": "7"},
        {"motion": "7,x"},
        {"noise": 2},
        {"jpeg": 0},
        {"h264": 60},
        {"sampled": True, "gauss": 3},
        {"phase": "1,1", "gauss": 3},
        {"mosaic": 8, "phase": "1"},
    ],
)
def test_degrade_options_out_of_range_are_refused(given: dict[str, Any]) -> None:
    with pytest.raises(UsageError):
        DegradeOptions.of(**given)


def test_the_dial_is_the_default_unless_told_otherwise(tmp_path: Path) -> None:
    assert RestoreOptions().dial() == REALISM
    assert RestoreOptions().dial(film=True) == 0
    assert RestoreOptions(realism=0.0).dial() == 0
    assert RestoreOptions(realism=0.25).dial() == 0.25
    assert RestoreOptions(realism=0.25).dial(film=True) == 0.25
    other = tmp_path / "other.onnx"
    assert RestoreOptions(weights=other).dial() == 0
    assert RestoreOptions(weights=other, realism=0).dial() == 0
    with pytest.raises(UsageError, match="realism 0"):
        RestoreOptions(weights=other, realism=0.5)


def test_lengths_are_pixels_or_shares() -> None:
    assert Length.parse("8").pixels(200) == 8
    assert Length.parse("8%").pixels(200) == 16
    assert Length.parse(2.5) == Length(2.5)


# Aligned crops


@pytest.mark.parametrize("side", [32, 128, 300, 512])
def test_an_aligned_crop_comes_out_at_the_networks_size(
    tmp_path: Path, weights: Path, rng: np.random.Generator, side: int
) -> None:
    small = rng.integers(30, 200, (side, side, 3), np.uint8)
    crop = save(tmp_path / "crop.png", small)
    report = pipeline.restore(crop, tmp_path / "out.png", aligned=True, weights=weights)
    made = load(tmp_path / "out.png")
    assert made.shape == (128, 128, 3)
    how = cv2.INTER_AREA if side > 128 else cv2.INTER_CUBIC
    sized = small if side == 128 else cv2.resize(small, (128, 128), interpolation=how)
    assert np.abs(made - np.clip(sized + 25.5, 0, 255)).max() <= 0.5 + 1e-3
    (record,) = report.records
    assert (record.status, record.width, record.height) == ("done", side, side)
    assert record.regions[0].box.as_tuple()[2] < side
    assert report.weights[0].name == "standin"


def test_text_crops_are_restored_as_text(
    tmp_path: Path, weights: Path, rng: np.random.Generator
) -> None:
    crop = save(tmp_path / "crop.png", rng.integers(30, 200, (128, 128, 3), np.uint8))
    report = pipeline.restore(
        crop, tmp_path / "out.png", aligned=True, kind="text", weights=weights
    )
    change = load(tmp_path / "out.png").astype(int) - load(crop)
    assert change.min() >= 50  # twice the shift: the stand-in was told that this is text
    assert report.records[0].regions[0].kind == "text"
    assert report.records[0].regions[0].landmarks is None


@pytest.mark.parametrize("shape", [(128, 127), (513, 513), (1, 2)])
def test_other_shapes_are_no_aligned_crops(
    tmp_path: Path, weights: Path, shape: tuple[int, int]
) -> None:
    crop = save(tmp_path / "crop.png", np.zeros((*shape, 3), np.uint8))
    with pytest.raises(InputError, match=r"crop\.png"):
        pipeline.restore(crop, tmp_path / "out.png", aligned=True, weights=weights)
    assert not (tmp_path / "out.png").exists()


def test_network_size_is_the_size_itself() -> None:
    pixels = np.zeros((128, 128, 3), np.uint8)
    assert network_sized(pixels) is pixels


# Photos


def test_a_photo_is_restored_in_the_box_and_nowhere_else(
    tmp_path: Path, weights: Path, soft: Image
) -> None:
    photo = save(tmp_path / "photo.png", soft)
    report = pipeline.restore(photo, tmp_path / "out.png", box=[BOX], weights=weights, compare=True)
    made = load(tmp_path / "out.png")
    changed = (made != soft).any(axis=2)
    assert changed[100:160, 200:240].all()
    assert not changed[:, 400:].any()
    assert not changed[300:].any()
    both = load(tmp_path / "out.compare.png")
    np.testing.assert_array_equal(both, np.concatenate([soft, made], axis=1))
    (region,) = report.records[0].regions
    assert region.box == Box(*BOX)
    assert region.score == 1


def test_every_restored_file_says_what_it_is(tmp_path: Path, weights: Path, soft: Image) -> None:
    photo = save(tmp_path / "photo.png", soft)
    pipeline.restore(photo, tmp_path / "out.png", box=[BOX], weights=weights, compare=True)
    for name in ("out.png", "out.compare.png"):
        content = (tmp_path / name).read_bytes()
        assert b"Reconstruction by seethrough" in content
        assert b"not evidence" in content
        assert b"standin sha256" in content


def test_the_mark_names_weights_and_checksums() -> None:
    words = mark([WeightsUsed("restorer", "ab" * 32)], realism=0.25)
    assert "Realism 0.25" in words
    assert "restorer sha256 " + "ab" * 32 in words


def test_a_clear_region_is_left_alone_unless_forced(tmp_path: Path, weights: Path) -> None:
    photo = save(tmp_path / "photo.png", np.ascontiguousarray(astronaut()))
    with pytest.raises(NothingToDoError, match="clear"):
        pipeline.restore(photo, tmp_path / "out.png", box=[BOX], weights=weights)
    assert not (tmp_path / "out.png").exists()
    pipeline.restore(photo, tmp_path / "out.png", box=[BOX], weights=weights, force=True)
    assert (tmp_path / "out.png").exists()


def test_an_upright_face_fills_its_box() -> None:
    box = Box(30, 40, 102, 128)
    again = tight_box(upright_landmarks(box))
    np.testing.assert_allclose(again.as_tuple(), box.as_tuple(), atol=0.5)


def test_boxes_need_a_single_picture(tmp_path: Path, weights: Path) -> None:
    tree(tmp_path / "in", "a.png", "b.png")
    for inputs in ([tmp_path / "in"], [tmp_path / "in/a.png", tmp_path / "in/b.png"]):
        with pytest.raises(UsageError, match="--box"):
            pipeline.restore(inputs, tmp_path / "out", box=[BOX], weights=weights)


def test_films_are_no_aligned_crops(tmp_path: Path, weights: Path) -> None:
    film = tree(tmp_path, "film.mp4") / "film.mp4"
    with pytest.raises(InputError, match="takes pictures alone"):
        pipeline.restore(film, tmp_path / "out.png", weights=weights, aligned=True)


# Runs over several inputs


def crops(folder: Path, rng: np.random.Generator, *names: str) -> Path:
    for name in names:
        save(folder / name, rng.integers(0, 200, (64, 64, 3), np.uint8))
    return folder


def test_one_bad_file_does_not_stop_the_others(
    tmp_path: Path, weights: Path, rng: np.random.Generator
) -> None:
    folder = crops(tmp_path / "in", rng, "a.png", "c.png")
    (folder / "b.png").write_bytes(b"not a picture")
    options = RestoreOptions(aligned=True, weights=weights)
    run = restoring([folder], tmp_path / "out", options)
    assert [record.status for record in run] == ["done", "failed", "done"]
    report = run.report()
    assert report.exit_code == InputError.exit_code
    assert sorted(p.name for p in (tmp_path / "out").iterdir()) == ["a.png", "c.png"]
    with pytest.raises(InputError, match=r"b\.png"):
        report.raise_for_failure()


def test_existing_outputs_are_refused_overwritten_or_resumed(
    tmp_path: Path, weights: Path, rng: np.random.Generator
) -> None:
    folder = crops(tmp_path / "in", rng, "a.png", "b.png")
    out = tmp_path / "out"
    pipeline.restore(folder / "a.png", out / "a.png", aligned=True, weights=weights)
    first = (out / "a.png").stat().st_mtime_ns
    with pytest.raises(OutputError, match="exists"):
        pipeline.restore(folder, out, aligned=True, weights=weights)
    assert (out / "b.png").exists()  # the other one is not held up
    (out / "b.png").unlink()
    report = pipeline.restore(folder, out, aligned=True, weights=weights, resume=True)
    assert [(r.status, r.reason) for r in report.records] == [
        ("skipped", "finished earlier"),
        ("done", None),
    ]
    assert (out / "a.png").stat().st_mtime_ns == first
    again = pipeline.restore(folder, out, aligned=True, weights=weights, resume=True)
    assert again.exit_code == 0
    report = pipeline.restore(folder, out, aligned=True, weights=weights, overwrite=True)
    assert [r.status for r in report.records] == ["done", "done"]
    assert (out / "a.png").stat().st_mtime_ns != first


def test_a_comparison_that_is_missing_is_resumed(
    tmp_path: Path, weights: Path, rng: np.random.Generator
) -> None:
    folder = crops(tmp_path / "in", rng, "a.png")
    out = tmp_path / "out.png"
    pipeline.restore(folder / "a.png", out, aligned=True, weights=weights)
    report = pipeline.restore(
        folder / "a.png", out, aligned=True, weights=weights, compare=True, resume=True
    )
    assert report.records[0].status == "done"
    assert load(tmp_path / "out.compare.png").shape == (128, 256, 3)


def test_missing_weights_stop_a_run(tmp_path: Path, rng: np.random.Generator) -> None:
    folder = crops(tmp_path / "in", rng, "a.png", "b.png")
    options = RestoreOptions(aligned=True, weights=tmp_path / "none.onnx")
    run = restoring([folder], tmp_path / "out", options)
    assert [record.status for record in run] == ["failed"]
    assert run.report().exit_code == MissingPartError.exit_code


def test_a_defect_is_an_error_of_one_input(
    tmp_path: Path, weights: Path, rng: np.random.Generator, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = crops(tmp_path / "in", rng, "a.png", "b.png")
    run = restoring([folder], tmp_path / "out", RestoreOptions(aligned=True, weights=weights))
    handle = run.work

    def broken(item: Any) -> Any:
        if item.source.name == "a.png":
            raise ZeroDivisionError("1 / 0")
        return handle(item)

    monkeypatch.setattr(run, "work", broken)
    assert [record.status for record in run] == ["failed", "done"]
    (error,) = run.report().failures
    assert type(error) is SeeThroughError
    assert isinstance(error.__cause__, ZeroDivisionError)


def test_too_large_for_memory_is_an_input_error(
    tmp_path: Path, weights: Path, rng: np.random.Generator, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = crops(tmp_path / "in", rng, "a.png")
    run = restoring([folder], tmp_path / "out", RestoreOptions(aligned=True, weights=weights))

    def hungry(item: Any) -> Any:
        raise MemoryError

    monkeypatch.setattr(run, "work", hungry)
    list(run)
    assert run.report().exit_code == InputError.exit_code


def test_an_empty_folder_is_nothing_to_do(tmp_path: Path, weights: Path) -> None:
    (tmp_path / "in").mkdir()
    with pytest.raises(NothingToDoError, match="no picture"):
        pipeline.restore(tmp_path / "in", tmp_path / "out", weights=weights)
    assert not (tmp_path / "out").exists()
