"""A network of the restorer's contract that a test can predict: restored = degraded + 0.1."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

SHIFT = 0.1


def write_standin(path: Path, shift: float = SHIFT) -> Path:
    """Write it to ``path``; text (kind 1) gets twice the shift."""
    nodes = [
        helper.make_node("Cast", ["kind"], ["kind_float"], to=TensorProto.FLOAT),
        helper.make_node("Unsqueeze", ["kind_float", "axes"], ["kind_4d"]),
        helper.make_node("Mul", ["kind_4d", "shift"], ["more"]),
        helper.make_node("Add", ["more", "shift"], ["change"]),
        helper.make_node("Add", ["degraded", "change"], ["restored"]),
    ]
    constants = [
        numpy_helper.from_array(np.array([1, 2, 3], np.int64), "axes"),
        numpy_helper.from_array(np.array(shift, np.float32), "shift"),
    ]
    picture = ["N", 3, 128, 128]
    graph = helper.make_graph(
        nodes,
        "standin",
        [
            helper.make_tensor_value_info("degraded", TensorProto.FLOAT, picture),
            helper.make_tensor_value_info("kind", TensorProto.INT64, ["N"]),
        ],
        [helper.make_tensor_value_info("restored", TensorProto.FLOAT, picture)],
        constants,
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
    onnx.save(model, path)
    return path
