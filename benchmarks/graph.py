"""A small writer of ONNX graphs, for the judges' networks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import onnx
from onnx import helper, numpy_helper

Shape = Sequence[int | str | None]
OPSET = 17


class Graph:
    """Nodes and weights under construction; values are known by name."""

    def __init__(self) -> None:
        self._nodes: list[onnx.NodeProto] = []
        self._weights: list[onnx.TensorProto] = []

    def add(self, kind: str, *inputs: str, output: str | None = None, **attributes: Any) -> str:
        """Append a node and return the name of its output."""
        name = output or f"v{len(self._nodes)}"
        self._nodes.append(helper.make_node(kind, list(inputs), [name], **attributes))
        return name

    def constant(self, values: npt.ArrayLike, dtype: npt.DTypeLike = np.float32) -> str:
        """Store an array and return its name."""
        name = f"w{len(self._weights)}"
        array = np.asarray(values, dtype)
        self._weights.append(numpy_helper.from_array(array.copy(order="C"), name))
        return name

    def model(
        self,
        name: str,
        inputs: Mapping[str, tuple[int, Shape]],
        outputs: Mapping[str, tuple[int, Shape]],
    ) -> onnx.ModelProto:
        """Close the graph; inputs and outputs map a name to its element type and shape."""
        first, last = (
            [helper.make_tensor_value_info(n, kind, shape) for n, (kind, shape) in side.items()]
            for side in (inputs, outputs)
        )
        graph = helper.make_graph(self._nodes, name, first, last, self._weights)
        opset = [helper.make_opsetid("", OPSET)]
        model = helper.make_model(graph, opset_imports=opset, ir_version=8)
        onnx.checker.check_model(model)
        return model
