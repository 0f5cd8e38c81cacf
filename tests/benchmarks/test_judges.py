"""LPIPS and dlib's descriptor: read, rebuilt as ONNX, and compared with other implementations."""

from __future__ import annotations

import hashlib
import io
import pickle
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from benchmarks import dlib_onnx, identity, lpips, parts
from seethrough.auditor.recognisers import chip
from seethrough.errors import MissingPartError
from seethrough.session import open_session


def _cached(name: str) -> Path:
    path = parts.cache_folder() / parts.part(name).file
    if not path.exists():
        pytest.skip(f"{name} has not been fetched (python -m benchmarks.parts)")
    return path


@pytest.fixture
def metric() -> lpips.Lpips:
    _cached("lpips-alexnet")
    return lpips.Lpips()


@pytest.fixture
def descriptor() -> identity.Descriptor:
    return identity.Descriptor()


# -- parts ---------------------------------------------------------------------------------


def test_altered_parts_are_refused(cache: Path) -> None:
    (cache / parts.part("lpips-alexnet").file).write_bytes(b"something else")
    with pytest.raises(MissingPartError, match="SHA-256"):
        parts.locate("lpips-alexnet")


def test_missing_parts_say_how_to_fetch_them(cache: Path) -> None:
    with pytest.raises(MissingPartError, match=r"benchmarks\.parts"):
        parts.locate("dlib-descriptor", fetch=False)


def test_parts_are_pinned() -> None:
    assert all(len(p.sha256) == 64 and p.version and p.licence for p in parts.PARTS)
    assert len({p.file for p in parts.PARTS}) == len(parts.PARTS)


def test_a_good_part_is_found(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    known = replace(parts.PARTS[0], sha256=hashlib.sha256(b"weights").hexdigest())
    monkeypatch.setattr(parts, "PARTS", (known,))
    (cache / known.file).write_bytes(b"weights")
    assert parts.locate(known.name).read_bytes() == b"weights"


# -- LPIPS ---------------------------------------------------------------------------------


def _random_arrays(rng: np.random.Generator) -> dict[str, dict[str, dict[str, np.ndarray]]]:
    sizes = [(11, 3, 8), (5, 8, 6), (3, 6, 7), (3, 7, 5), (3, 5, 5)]
    trunk = {
        f"Conv_{i}": {
            "kernel": rng.normal(0, (k * k * a) ** -0.5, (k, k, a, b)).astype(np.float32),
            "bias": rng.normal(0, 0.1, b).astype(np.float32),
        }
        for i, (k, a, b) in enumerate(sizes)
    }
    heads = {
        f"NetLinLayer_{i}": {"Conv_0": {"kernel": rng.random((1, 1, b, 1)).astype(np.float32)}}
        for i, (_, _, b) in enumerate(sizes)
    }
    return {"AlexNet_0": trunk, **heads}


def test_lpips_graph_computes_the_authors_formula(rng: np.random.Generator, tmp_path: Path) -> None:
    """Against the metric written in PyTorch, on weights that no file holds."""
    torch = pytest.importorskip("torch")
    import onnx

    arrays = _random_arrays(rng)
    pictures = rng.integers(0, 256, (2, 3, 64, 48, 3), dtype=np.uint8)

    def features(picture: np.ndarray) -> list[torch.Tensor]:
        x = torch.tensor(picture.astype(np.float32) / 127.5 - 1).permute(0, 3, 1, 2)
        shift = torch.tensor([-0.030, -0.088, -0.188])[None, :, None, None]
        scale = torch.tensor([0.458, 0.448, 0.450])[None, :, None, None]
        x = (x - shift) / scale
        units = []
        for i, (stride, pad) in enumerate([(4, 2), (1, 2), (1, 1), (1, 1), (1, 1)]):
            if i in (1, 2):
                x = torch.nn.functional.max_pool2d(x, 3, 2)
            layer = arrays["AlexNet_0"][f"Conv_{i}"]
            kernel = torch.tensor(layer["kernel"]).permute(3, 2, 0, 1)
            x = torch.conv2d(x, kernel, torch.tensor(layer["bias"]), stride, pad).relu()
            units.append(x / (x.pow(2).sum(1, keepdim=True).sqrt() + 1e-10))
        return units

    expected = sum(
        torch.conv2d(
            (u - v) ** 2,
            torch.tensor(arrays[f"NetLinLayer_{i}"]["Conv_0"]["kernel"]).permute(3, 2, 0, 1),
        ).mean((1, 2, 3))
        for i, (u, v) in enumerate(zip(*map(features, pictures), strict=True))
    )
    onnx.save(lpips.build(arrays), tmp_path / "metric.onnx")
    session = open_session(tmp_path / "metric.onnx", device="cpu", threads=1)
    found = session.run({"a": pictures[0], "b": pictures[1]})[0]
    np.testing.assert_allclose(found, expected.numpy(), rtol=1e-4)


def test_lpips_knows_equal_pictures_and_grows_with_noise(
    metric: lpips.Lpips, crops: np.ndarray, rng: np.random.Generator
) -> None:
    assert metric.each(crops, crops).tolist() == [0, 0]
    noisy = [
        np.clip(crops + rng.normal(0, sigma, crops.shape), 0, 255).astype(np.uint8)
        for sigma in (3, 10, 30)
    ]
    scores = [metric.each(crops, picture).mean() for picture in noisy]
    assert 0 < scores[0] < scores[1] < scores[2] < 2
    assert np.allclose(metric.each(noisy[1], crops), metric.each(crops, noisy[1]), atol=1e-6)


def test_lpips_refuses_pictures_that_do_not_match(metric: lpips.Lpips, crops: np.ndarray) -> None:
    with pytest.raises(ValueError, match="shape"):
        metric.each(crops, crops[:1])


def test_pickles_hold_arrays_only() -> None:
    good = {"a": np.arange(3, dtype=np.float32)}
    assert np.array_equal(lpips.read_arrays(io.BytesIO(pickle.dumps(good, 3)))["a"], good["a"])
    for bad in ({"a": print}, {"a": Path()}):
        with pytest.raises(pickle.UnpicklingError, match="no array"):
            lpips.read_arrays(io.BytesIO(pickle.dumps(bad)))
    with pytest.raises(pickle.UnpicklingError, match="no dict"):
        lpips.read_arrays(io.BytesIO(pickle.dumps([1])))


# -- dlib's descriptor ---------------------------------------------------------------------


def test_packed_integers() -> None:
    assert dlib_onnx._integer(b"\x02\x80\x12", 0) == (0x1280, 3)
    with pytest.raises(ValueError, match="no integer"):
        dlib_onnx._integer(b"\x09", 0)


def test_files_of_another_network_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "other.dat"
    tensor = b"\x01\x02\x01\x02" + b"\x01\x01" * 3 + np.zeros(2, "<f4").tobytes()
    path.write_bytes(b"\x01\x05con_4" + tensor)
    with pytest.raises(ValueError, match="does not hold"):
        dlib_onnx.read(path)


def test_descriptors_are_dlibs_own(descriptor: identity.Descriptor, crops: np.ndarray) -> None:
    dlib = pytest.importorskip("dlib")
    net = dlib.face_recognition_model_v1(str(_cached("dlib-descriptor")))
    expected = [np.array(net.compute_face_descriptor(chip(crop, "dlib"))) for crop in crops]
    found = descriptor.describe(crops)
    # Half precision moves a descriptor by a thousandth of the distance between two people.
    assert np.linalg.norm(found - np.stack(expected), axis=1).max() < 2e-3


def test_descriptors_are_kept(
    descriptor: identity.Descriptor,
    crops: np.ndarray,
    cache: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    first = descriptor.describe_cached(crops)
    monkeypatch.setattr(descriptor, "describe", None)
    assert np.array_equal(descriptor.describe_cached(crops), first)
    assert identity.distances(first, first).tolist() == [0, 0]


def test_distance_is_euclidean() -> None:
    a, b = np.zeros((1, 128), np.float32), np.zeros((1, 128), np.float32)
    b[0, :2] = 3, 4
    assert identity.distances(a, b).tolist() == [5]
