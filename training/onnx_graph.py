"""Networks that are not trained but pass gradients on: an ONNX file run by PyTorch.

Only the operators that recognisers (:mod:`training.frozen`) and the reader (:mod:`training.reader`)
are made of; anything else is refused when the file is read.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import onnx
import torch
from onnx import TensorProto, helper, numpy_helper
from torch import Tensor, nn
from torch.nn import functional


class FrozenGraph(nn.Module):
    """An ONNX graph of a few plain operators.

    Parameters
    ----------
    model : Path or ModelProto
        One input, one output.
    output : str, optional
        Name of the value to return instead of the graph's output.

    Raises
    ------
    ValueError
        Where the graph has an operator, or an option of one, that this class does not know.
    """

    def __init__(self, model: Path | onnx.ModelProto, output: str = "") -> None:
        super().__init__()
        if isinstance(model, Path):
            model = onnx.load(str(model))
        self._nodes: list[tuple[str, list[str], str, dict[str, Any]]] = []
        self._input = model.graph.input[0].name
        self._output = output or model.graph.output[0].name
        stored = {tensor.name: tensor for tensor in model.graph.initializer}
        self._alias: dict[str, str] = {}
        for node in model.graph.node:
            if node.op_type == "Cast" and node.input[0] in stored:
                self._alias[node.output[0]] = node.input[0]
                continue
            options = {a.name: helper.get_attribute_value(a) for a in node.attribute}
            _refuse_unknown(model.graph.name, node.op_type, options)
            self._nodes.append((node.op_type, list(node.input), node.output[0], options))
            if node.output[0] == self._output:
                break
        used = {self._alias.get(name, name) for _, inputs, _, _ in self._nodes for name in inputs}
        # Shapes and places are asked for on the host, wherever the network runs.
        self._whole: dict[str, Tensor] = {}
        for name in used & set(stored):
            values = torch.from_numpy(numpy_helper.to_array(stored[name]).copy())
            if values.is_floating_point():
                self.register_buffer(_buffer(name), values.float())
            else:
                self._whole[name] = values

    def forward(self, x: Tensor) -> Tensor:
        """Run the graph on its input; shape and dtype are the file's."""
        values = {self._input: x}

        def value(name: str) -> Tensor:
            name = self._alias.get(name, name)
            if name in values:
                return values[name]
            return self._whole[name] if name in self._whole else self.get_buffer(_buffer(name))

        for kind, inputs, output, options in self._nodes:
            values[output] = _OPERATORS[kind](*map(value, inputs), **options)
        return values[self._output]


def _buffer(name: str) -> str:
    return "w_" + name.replace(".", "_")


def _refuse_unknown(graph: str, kind: str, options: dict[str, Any]) -> None:
    if kind not in _OPERATORS:
        raise ValueError(f"{graph} has the operator {kind}")
    odd = [set(options.get("dilations", [1])) != {1}, options.get("ceil_mode", 0) != 0]
    odd.append(options.get("auto_pad", b"NOTSET") not in (b"NOTSET", b"SAME_UPPER"))
    odd.append("Pool" in kind and any(options.get("pads", [])))
    odd.append("to" in options and options["to"] not in _TYPES)
    if any(odd):
        raise ValueError(f"{graph} has {kind} with {options}")


def _same(x: Tensor, kernel: list[int], fill: float = 0.0) -> Tensor:
    """Pad so that a window with stride 1 keeps the size; the odd pixel comes last."""
    high, wide = (side - 1 for side in kernel)
    sides = (wide // 2, wide - wide // 2, high // 2, high - high // 2)
    return functional.pad(x, sides, value=fill)


def _convolution(x: Tensor, weight: Tensor, bias: Tensor | None = None, **options: Any) -> Tensor:
    pads = options.get("pads", [0, 0, 0, 0])
    if options.get("auto_pad", b"NOTSET") == b"SAME_UPPER":
        assert set(options["strides"]) == {1}
        x = _same(x, options["kernel_shape"])
    assert pads[:2] == pads[2:]
    return functional.conv2d(
        x, weight, bias, tuple(options["strides"]), tuple(pads[:2]), groups=options.get("group", 1)
    )


def _largest(x: Tensor, kernel_shape: list[int], strides: list[int], **options: Any) -> Tensor:
    if options.get("auto_pad", b"NOTSET") == b"SAME_UPPER":
        assert set(strides) == {1}
        x = _same(x, kernel_shape, float("-inf"))
    return functional.max_pool2d(x, kernel_shape, strides)


def _normalised(x: Tensor, *parts: Tensor, epsilon: float, **_: Any) -> Tensor:
    gain, offset, mean, variance = parts
    return functional.batch_norm(x, mean, variance, gain, offset, eps=epsilon)


def _part(x: Tensor, *bounds: Tensor) -> Tensor:
    starts, ends, axes = (b.tolist() for b in bounds[:3])
    assert len(bounds) == 3 or set(bounds[3].tolist()) == {1}
    for start, end, axis in zip(starts, ends, axes, strict=True):
        size = x.shape[axis]
        # Negative places count from the end; ONNX writes the largest integer for "to the end".
        first, last = (min(max(b + size if b < 0 else b, 0), size) for b in (start, end))
        x = x.narrow(axis, first, last - first)
    return x


def _reshaped(x: Tensor, shape: Tensor) -> Tensor:
    sides = [x.shape[i] if side == 0 else side for i, side in enumerate(shape.tolist())]
    return x.reshape(sides)


def _unsqueezed(x: Tensor, axes: list[int]) -> Tensor:
    for axis in sorted(axes):
        x = x.unsqueeze(axis)
    return x


def _filled_up(x: Tensor, pads: Tensor) -> Tensor:
    first, last = pads.long().reshape(2, -1).tolist()
    assert not any(first)
    # PyTorch counts axes from the last one.
    return functional.pad(x, [v for end in reversed(last) for v in (0, end)])


_TYPES = {TensorProto.FLOAT: torch.float32, TensorProto.INT64: torch.int64}
_OPERATORS: dict[str, Any] = {
    "Cast": lambda x, to: x.to(_TYPES[to]),
    "Transpose": lambda x, perm: x.permute(*perm),
    "Gather": lambda x, index, axis: x.index_select(axis, index.to(x.device)),
    "Sub": torch.sub,
    "Mul": torch.mul,
    "Add": torch.add,
    "MatMul": torch.matmul,
    "Conv": _convolution,
    "Pad": _filled_up,
    "Relu": functional.relu,
    "MaxPool": _largest,
    "AveragePool": lambda x, kernel_shape, strides, **_: functional.avg_pool2d(
        x, kernel_shape, strides
    ),
    "GlobalAveragePool": lambda x: x.mean(dim=(2, 3), keepdim=True),
    "PRelu": lambda x, slope: torch.where(x > 0, x, slope * x),
    "Flatten": lambda x, axis=1: x.flatten(axis),
    "LpNormalization": lambda x, axis, p: functional.normalize(x, p=p, dim=axis),
    "Identity": lambda x: x,
    "Div": torch.div,
    "ReduceMean": lambda x, axes, keepdims=1: x.mean(dim=tuple(axes), keepdim=bool(keepdims)),
    "Erf": torch.erf,
    "Slice": _part,
    "Squeeze": lambda x, axes: x.squeeze(tuple(axes)),
    "Unsqueeze": _unsqueezed,
    "Reshape": _reshaped,
    "Shape": lambda x: torch.tensor(x.shape),
    "HardSigmoid": lambda x, alpha, beta: (alpha * x + beta).clamp(0, 1),
    "Sigmoid": torch.sigmoid,
    "Pow": torch.pow,
    "Sqrt": torch.sqrt,
    "Concat": lambda *parts, axis: torch.cat(parts, dim=axis),
    "BatchNormalization": _normalised,
    "Softmax": lambda x, axis: x.softmax(dim=axis),
}
