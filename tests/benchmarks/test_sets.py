"""PROTOCOL's pictures and inputs."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from benchmarks import metrics, parts, sets
from benchmarks.sets import FaceSet, Setting
from seethrough.errors import InputError, UsageError


def _set(crops: np.ndarray, name: str = "valid") -> FaceSet:
    return FaceSet(name, tuple(str(i) for i in range(len(crops))), crops)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("x4", Setting("x4")),
        ("mosaic-8", Setting("mosaic-8")),
        (" gauss-6+h264-23", Setting("gauss-6", "h264", 23)),
        ("x8 +jpeg 75", Setting("x8", "jpeg", 75)),
    ],
)
def test_names_are_read(text: str, expected: Setting) -> None:
    assert Setting.parse(text) == expected
    assert Setting.parse(str(expected)) == expected


@pytest.mark.parametrize(
    "text",
    ["", "x2", "mosaic", "mosaic-0", "mosaic-x", "gauss-6+mp3-2", "x4+h264", "x4+", "blur-3"],
)
def test_other_names_are_refused(text: str) -> None:
    with pytest.raises(UsageError):
        Setting.parse(text)


def test_mosaic_grid_lies_where_protocol_puts_it() -> None:
    """Grid lines at x = c - ox, 2c - ox, ... with (ox, oy) = floor(c * phase)."""
    ramp = np.broadcast_to(np.arange(128, dtype=np.uint8)[None, :, None], (128, 128, 3))
    operator = sets.operator(Setting("mosaic-8"), np.array([0.70, 0.2]))  # ox = 5, oy = 1
    row = operator(np.ascontiguousarray(ramp))[0, :, 0].astype(int)
    assert np.flatnonzero(np.diff(row))[:3].tolist() == [2, 10, 18]


def test_size_changing_settings_have_no_operator_in_place() -> None:
    with pytest.raises(UsageError):
        sets.operator(Setting("x4"), np.zeros(2))


def test_random_inputs_do_not_depend_on_the_other_pictures(
    crops: np.ndarray, tmp_path: Path
) -> None:
    for setting in (Setting("x4"), Setting("mosaic-12")):
        both = sets.degraded(_set(crops), setting, tmp_path, seed=5)
        first = sets.degraded(_set(crops[:1]), setting, tmp_path, seed=5)
        other = sets.degraded(_set(crops[:1]), setting, tmp_path, seed=6)
        assert np.array_equal(both.crops[0], first.crops[0])
        assert not np.array_equal(other.crops[0], first.crops[0])


def test_reduced_pictures_come_with_their_enlargement(crops: np.ndarray, tmp_path: Path) -> None:
    found = sets.degraded(_set(crops), Setting("x8"), tmp_path)
    assert found.reduced is not None
    assert found.reduced.shape == (2, 16, 16, 3)
    assert np.array_equal(found.crops[1], sets.resize(found.reduced[1], 128))


@pytest.mark.parametrize("codec", [Setting("gauss-4", "h264", 23), Setting("gauss-4", "jpeg", 75)])
def test_encoding_costs_a_little_and_is_kept(
    codec: Setting, crops: np.ndarray, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plain = sets.degraded(_set(crops), Setting("gauss-4"), cache)
    coded = sets.degraded(_set(crops), codec, cache)
    assert coded.reduced is None
    assert 30 < metrics.psnr(coded.crops[0], plain.crops[0]) < 60

    def broken(*_: object) -> None:
        raise AssertionError("encoded again")

    monkeypatch.setattr(sets, "encoded", broken)
    assert np.array_equal(sets.degraded(_set(crops), codec, cache).crops, coded.crops)
    with pytest.raises(AssertionError):
        sets.degraded(_set(crops[:1]), codec, cache)


def test_missing_pictures_are_an_input_error(tmp_path: Path) -> None:
    for name in sets.NAMES:
        with pytest.raises(InputError):
            sets.load(name, tmp_path)
    with pytest.raises(UsageError):
        sets.load("celebrities", tmp_path)


def test_loaded_pictures_are_protocols(shared: Path) -> None:
    reference = np.load(shared / "protocol" / "reference.npz")["clean"]
    faces = sets.load("ffhq", shared, len(reference))
    assert np.array_equal(faces.clean, reference)
    assert faces.files[:2] == ("00000.jpg", "00001.jpg")


@pytest.mark.parametrize("name", ["mosaic-6", "mosaic-12", "gauss-6", "box-31"])
def test_inputs_are_protocols(name: str, shared: Path) -> None:
    reference = np.load(shared / "protocol" / "reference.npz")[name]
    faces = sets.load("ffhq", shared, len(reference))
    found = sets.degraded(faces, Setting.parse(name), shared).crops
    assert np.abs(found.astype(int) - reference).max() <= 1


def test_stored_random_inputs_are_used(shared: Path) -> None:
    stored = np.load(shared / "protocol" / "inputs.npz")["x4"]
    found = sets.degraded(sets.load("ffhq", shared, 3), Setting("x4"), shared).reduced
    assert found is not None
    assert np.array_equal(found, stored[:3])


def test_other_sets_load(shared: Path) -> None:
    for name, count in (("valid", 268), ("london", 51)):
        faces = sets.load(name, shared)
        assert faces.clean.shape == (count, 128, 128, 3)
        assert list(faces.files) == sorted(faces.files)


def test_cpu_name_is_one_line() -> None:
    assert sets.cpu_name()
    assert "\n" not in sets.cpu_name()


def test_cache_files_are_written_whole_or_not_at_all(cache: Path) -> None:
    path = cache / "x.bin"

    def interrupted() -> None:
        with parts.written(path) as temporary:
            temporary.write_bytes(b"half")
            raise RuntimeError

    with pytest.raises(RuntimeError):
        interrupted()
    assert list(cache.iterdir()) == []
