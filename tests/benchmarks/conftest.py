"""Fixtures of the benchmarks' tests."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto

from benchmarks import parts
from benchmarks.graph import Graph


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty cache folder in place of the user's."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return parts.cache_folder()


@pytest.fixture
def half_bright(tmp_path: Path) -> Path:
    """A restorer by contract that halves every value and ignores the kind."""
    graph = Graph()
    graph.add("Mul", "degraded", graph.constant(0.5), output="restored")
    shape = ("n", 3, 128, 128)
    model = graph.model(
        "half",
        {"degraded": (TensorProto.FLOAT, shape), "kind": (TensorProto.INT64, ("n",))},
        {"restored": (TensorProto.FLOAT, shape)},
    )
    path = tmp_path / "half.onnx"
    onnx.save(model, path)
    return path


@pytest.fixture
def crops(rng: np.random.Generator) -> np.ndarray:
    """Two smooth pictures, ``uint8 (2, 128, 128, 3)``."""
    y, x = np.mgrid[:128, :128] / 128
    waves = [
        np.stack([np.sin(f * x + p) * np.cos(f * y - p) for p in (0, 1, 2)], axis=-1)
        for f in rng.uniform(5, 20, 2)
    ]
    return ((np.stack(waves) + 1) * 120).astype(np.uint8)
