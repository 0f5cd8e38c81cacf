"""Networks that are not trained but pass gradients on: a recogniser's ONNX file run by PyTorch."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import onnx
import torch
from onnx import TensorProto, helper, numpy_helper
from torch import Tensor, nn
from torch.nn import functional

from seethrough.auditor.recognisers import RecogniserName, chip_matrix

SIDES: dict[RecogniserName, int] = {"mobilefacenet": 112, "dlib": 150}
"""px: what each recogniser looks at."""


class FrozenGraph(nn.Module):
    """An ONNX graph of a few plain operators.

    Parameters
    ----------
    path : Path
        One input, one output.

    Raises
    ------
    ValueError
        Where the graph has an operator that this class does not know.
    """

    def __init__(self, path: Path) -> None:
        super().__init__()
        model = onnx.load(str(path))
        self._nodes: list[tuple[str, list[str], str, dict[str, Any]]] = []
        self._input, self._output = model.graph.input[0].name, model.graph.output[0].name
        stored = {tensor.name: tensor for tensor in model.graph.initializer}
        self._alias: dict[str, str] = {}
        for node in model.graph.node:
            if node.op_type == "Cast" and node.input[0] in stored:
                self._alias[node.output[0]] = node.input[0]
                continue
            if node.op_type not in _OPERATORS:
                raise ValueError(f"{path} has the operator {node.op_type}")
            options = {a.name: helper.get_attribute_value(a) for a in node.attribute}
            self._nodes.append((node.op_type, list(node.input), node.output[0], options))
        for name, tensor in stored.items():
            values = torch.from_numpy(numpy_helper.to_array(tensor).copy())
            if tensor.data_type == TensorProto.FLOAT16:
                values = values.float()
            self.register_buffer(_buffer(name), values)

    def forward(self, x: Tensor) -> Tensor:
        """Run the graph."""
        values = {self._input: x}

        def value(name: str) -> Tensor:
            if name in values:
                return values[name]
            return self.get_buffer(_buffer(self._alias.get(name, name)))

        for kind, inputs, output, options in self._nodes:
            values[output] = _OPERATORS[kind](*map(value, inputs), **options)
        return values[self._output]


def _buffer(name: str) -> str:
    return "w_" + name.replace(".", "_")


def _convolution(x: Tensor, weight: Tensor, bias: Tensor, **options: Any) -> Tensor:
    pads = options["pads"]
    assert len(set(pads)) == 1
    return functional.conv2d(
        x, weight, bias, tuple(options["strides"]), pads[0], groups=options.get("group", 1)
    )


def _filled_up(x: Tensor, pads: Tensor) -> Tensor:
    first, last = pads.long().reshape(2, -1).tolist()
    assert not any(first)
    # PyTorch counts axes from the last one.
    return functional.pad(x, [v for end in reversed(last) for v in (0, end)])


_OPERATORS: dict[str, Any] = {
    "Cast": lambda x, to: x.float(),
    "Transpose": lambda x, perm: x.permute(*perm),
    "Gather": lambda x, index, axis: x.index_select(axis, index),
    "Sub": torch.sub,
    "Mul": torch.mul,
    "Add": torch.add,
    "MatMul": torch.matmul,
    "Conv": _convolution,
    "Pad": _filled_up,
    "Relu": functional.relu,
    "MaxPool": lambda x, kernel_shape, strides: functional.max_pool2d(x, kernel_shape, strides),
    "AveragePool": lambda x, kernel_shape, strides: functional.avg_pool2d(x, kernel_shape, strides),
    "GlobalAveragePool": lambda x: x.mean(dim=(2, 3), keepdim=True),
    "PRelu": lambda x, slope: torch.where(x > 0, x, slope * x),
    "Flatten": lambda x, axis=1: x.flatten(axis),
    "LpNormalization": lambda x, axis, p: functional.normalize(x, p=p, dim=axis),
}


class FrozenRecogniser(nn.Module):
    """A recogniser on aligned crops, for a loss.

    Parameters
    ----------
    path : Path
        ``recogniser-NAME.onnx``.
    name : str
        Which one it is.
    size : int
        Side of the crops in pixels.
    """

    def __init__(self, path: Path, name: RecogniserName = "mobilefacenet", size: int = 128) -> None:
        super().__init__()
        side = SIDES[name]
        self._graph = FrozenGraph(path)
        # grid_sample wants, for each pixel of the chip, its place in the crop on [-1, 1].
        matrix = chip_matrix(name, size)
        inverse = np.linalg.inv(np.vstack([matrix, [0, 0, 1]]))[:2]
        ys, xs = np.mgrid[:side, :side]
        places = np.stack([xs, ys, np.ones_like(xs)], axis=-1) @ inverse.T
        grid = (2 * places + 1) / size - 1
        self.register_buffer("_grid", torch.from_numpy(grid.astype(np.float32))[None])

    def forward(self, crops: Tensor) -> Tensor:
        """Bring ``float32 (N, 3, size, size)`` on [0, 1] to descriptors ``float32 (N, D)``."""
        grid = self.get_buffer("_grid").expand(len(crops), -1, -1, -1)
        chips = functional.grid_sample(crops, grid, padding_mode="reflection", align_corners=False)
        described: Tensor = self._graph((255 * chips).permute(0, 2, 3, 1))
        return described
