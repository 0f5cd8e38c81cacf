"""dlib's face descriptor network, read from its own file and written as ONNX.

dlib runs it at 0.13 s a face on one core; ONNX Runtime is an order of magnitude faster with
the same weights (a test holds the two descriptors together). The network is ``anet_type`` of
dlib's ``dnn_face_recognition_ex.cpp``: a 7 x 7 stride-2 convolution, a 3 x 3 stride-2 maximum,
then residual blocks of 32, 64, 128, 256 and 256 channels, the mean over space and a linear map
to 128 numbers. Three habits of dlib matter: a convolution of stride 2 has no padding; where a
block's two paths differ in size or channels the smaller is filled up with zeros at its end
(``add_prev``); and pixels come in as ``(rgb - mean) / 256``.
"""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import numpy.typing as npt
import onnx
from onnx import TensorProto

from benchmarks.graph import Graph

Float = npt.NDArray[np.float32]

CHIP = 150
"""Side of the network's input in pixels."""
MEAN_RGB = (122.782, 117.001, 104.298)
BLOCKS: tuple[tuple[int, bool], ...] = (
    *[(32, False)] * 3,
    (64, True),
    *[(64, False)] * 3,
    (128, True),
    *[(128, False)] * 2,
    (256, True),
    *[(256, False)] * 2,
    (256, True),
)
"""Channels of each residual block from the input up, and whether it halves the size."""

_TAG = re.compile(rb"\x01[\x04-\x07](con_4|affine_|fc_2)")


def _integer(data: bytes, at: int) -> tuple[int, int]:
    """Read dlib's packed integer: a byte count, then little-endian bytes."""
    count = data[at]
    if not 1 <= count <= 8:
        raise ValueError(f"no integer at byte {at}")
    return int.from_bytes(data[at + 1 : at + 1 + count], "little"), at + 1 + count


def _tensor(data: bytes, at: int) -> tuple[Float, int]:
    """Read dlib's tensor: version 2, four sizes, then float32."""
    version, at = _integer(data, at)
    if version != 2:
        raise ValueError(f"tensor version {version} at byte {at}")
    sizes = []
    for _ in range(4):
        size, at = _integer(data, at)
        sizes.append(size)
    count = int(np.prod(sizes))
    return np.frombuffer(data, "<f4", count, at).copy(), at + 4 * count


def read(path: Path) -> list[tuple[str, Float]]:
    """Parameters in the file's order, which runs from the picture up to the descriptor.

    Returns
    -------
    list of (str, ndarray)
        ``con_4`` (weights, then biases), ``affine_`` (gammas, then betas) or ``fc_2``, each with
        its flat float32 parameters.
    """
    data = path.read_bytes()
    found: list[tuple[str, Float]] = []
    at = 0
    while match := _TAG.search(data, at):
        tag, at = match[1].decode(), match.end()
        if tag == "fc_2":  # its sizes stand before the tensor
            _, at = _integer(data, at)
            _, at = _integer(data, at)
        values, at = _tensor(data, at)
        found.append((tag, values))
    expected = ["con_4", "affine_"] * (1 + 2 * len(BLOCKS)) + ["fc_2"]
    if [tag for tag, _ in found] != expected:
        raise ValueError(f"{path} does not hold dlib's face descriptor network")
    return found


class _Network(Graph):
    """A graph that takes its parameters from the file, in order."""

    def __init__(self, parameters: list[tuple[str, Float]]) -> None:
        super().__init__()
        self._parameters = iter(parameters)

    def parameters(self) -> Float:
        """Flat parameters of the next layer."""
        return next(self._parameters)[1]

    def convolution(self, x: str, channels: int, kernel: int, stride: int) -> str:
        """Add a convolution with the affine layer that follows it folded in."""
        values, affine = self.parameters(), self.parameters()
        weight = values[:-channels].reshape(channels, -1, kernel, kernel)
        bias = values[-channels:]
        gamma, beta = affine[:channels], affine[channels:]
        return self.add(
            "Conv",
            x,
            self.constant(weight * gamma[:, None, None, None]),
            self.constant(bias * gamma + beta),
            strides=[stride, stride],
            pads=[kernel // 2 if stride == 1 else 0] * 4,
        )

    def filled_up(self, x: str, channels: int, size: int) -> str:
        """Add zeros at the end of the channel axis and of both space axes."""
        if channels == 0 and size == 0:
            return x
        pads = self.constant([0, 0, 0, 0, 0, channels, size, size], np.int64)
        return self.add("Pad", x, pads)


def build(path: Path) -> onnx.ModelProto:
    """Write dlib's file as an ONNX model.

    Returns
    -------
    onnx.ModelProto
        Input ``chips`` uint8 ``(N, 150, 150, 3)`` RGB; output ``descriptors`` float32
        ``(N, 128)``, compared by Euclidean distance.
    """
    graph = _Network(read(path))
    x = graph.add("Transpose", graph.add("Cast", "chips", to=TensorProto.FLOAT), perm=[0, 3, 1, 2])
    x = graph.add("Sub", x, graph.constant(np.reshape(MEAN_RGB, (1, 3, 1, 1))))
    x = graph.add("Mul", x, graph.constant(1 / 256))
    x = graph.add("Relu", graph.convolution(x, 32, 7, 2))
    x = graph.add("MaxPool", x, kernel_shape=[3, 3], strides=[2, 2])
    channels, size = 32, ((CHIP - 7) // 2 + 1 - 3) // 2 + 1
    for out, halves in BLOCKS:
        y = graph.add("Relu", graph.convolution(x, out, 3, 2 if halves else 1))
        y = graph.convolution(y, out, 3, 1)
        if halves:
            x = graph.add("AveragePool", x, kernel_shape=[2, 2], strides=[2, 2])
            main, short = (size - 3) // 2 + 1, size // 2
            size = max(main, short)
            y = graph.filled_up(y, 0, size - main)
            x = graph.filled_up(x, out - channels, size - short)
        channels = out
        x = graph.add("Relu", graph.add("Add", x, y))
    x = graph.add("Flatten", graph.add("GlobalAveragePool", x))
    linear = graph.constant(graph.parameters().reshape(channels, 128))
    graph.add("MatMul", x, linear, output="descriptors")
    return graph.model(
        "dlib_face_recognition_resnet_model_v1",
        {"chips": (TensorProto.UINT8, ["n", CHIP, CHIP, 3])},
        {"descriptors": (TensorProto.FLOAT, ["n", 128])},
    )
