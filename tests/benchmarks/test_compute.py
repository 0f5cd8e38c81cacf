"""Counting on graphs that are small enough to count by hand."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto

from benchmarks import compute, parts
from benchmarks.graph import Graph


def _model(graph: Graph, shape: list[int | str], output: list[int | str | None]) -> onnx.ModelProto:
    return graph.model(
        "small", {"x": (TensorProto.FLOAT, shape)}, {"y": (TensorProto.FLOAT, output)}
    )


def test_convolution_with_stride_and_groups() -> None:
    graph = Graph()
    weight = graph.constant(np.zeros((8, 2, 3, 3)))
    graph.add(
        "Conv",
        "x",
        weight,
        graph.constant(np.zeros(8)),
        output="y",
        strides=[2, 2],
        pads=[1, 1, 1, 1],
        group=2,
    )
    cost = compute.count(_model(graph, ["n", 4, 10, 10], ["n", 8, 5, 5]))
    assert cost.macs == 8 * 5 * 5 * (2 * 3 * 3)
    assert cost.parameters == 8 * 2 * 3 * 3 + 8


def test_transposed_convolution() -> None:
    graph = Graph()
    graph.add(
        "ConvTranspose", "x", graph.constant(np.zeros((4, 6, 2, 2))), output="y", strides=[2, 2]
    )
    cost = compute.count(_model(graph, ["n", 4, 5, 5], ["n", 6, 10, 10]))
    assert cost.macs == (4 * 5 * 5) * (6 * 2 * 2)


def test_products_between_activations_and_after_a_computed_shape() -> None:
    """Attention: a product of two activations whose shape the graph computes itself."""
    graph = Graph()
    sizes = graph.add(
        "Concat", graph.add("Shape", "x", start=0, end=1), graph.constant([7, 5], np.int64), axis=0
    )
    tokens = graph.add("Reshape", "x", sizes)
    scores = graph.add("MatMul", tokens, graph.add("Transpose", tokens, perm=[0, 2, 1]))
    graph.add("MatMul", graph.add("Softmax", scores), tokens, output="y")
    cost = compute.count(_model(graph, ["n", 35], ["n", None, None]))
    assert cost.macs == 7 * 7 * 5 + 7 * 5 * 7
    assert cost.parameters == 0


def test_gemm_with_transposed_input() -> None:
    graph = Graph()
    graph.add("Gemm", "x", graph.constant(np.zeros((6, 3))), output="y", transA=1)
    assert compute.count(_model(graph, [6, 4], [4, 3])).macs == 4 * 6 * 3


def test_unknown_layers_are_not_counted_as_nothing() -> None:
    graph = Graph()
    graph.add("Einsum", "x", graph.constant(np.zeros((6, 3))), output="y", equation="ab,bc->ac")
    with pytest.raises(ValueError, match="Einsum"):
        compute.count(_model(graph, [4, 6], [4, 3]))


PARAM = """7767517
4 4
Input                    data                     0 1 data
Convolution              Conv_0                   1 1 data a 0=8 1=3 4=1 5=1 6=216 -23310=1,2.0e-01
Interp                   Resize_1                 1 1 a b 0=1 1=2.000000e+00 2=2.000000e+00
Convolution              Conv_2                   1 1 b output 0=3 1=3 4=1 5=0 6=216
"""


def test_ncnn_chain() -> None:
    cost = compute.count_ncnn(PARAM, 10)
    assert cost.parameters == 216 + 8 + 216
    assert cost.macs == 216 * 10**2 + 216 * 20**2


def test_ncnn_strides_are_refused() -> None:
    with pytest.raises(ValueError, match="stride"):
        compute.count_ncnn(PARAM.replace("1=3 4=1 5=0", "1=3 3=2 4=1 5=0"), 10)


def test_real_esrgan_has_its_published_size() -> None:
    path = parts.cache_folder() / parts.part("realesrgan-x4plus-graph").file
    if not path.exists():
        pytest.skip("Real-ESRGAN has not been fetched (python -m benchmarks.parts)")
    cost = compute.count_ncnn(path.read_text("utf-8"), 32)
    # RRDBNet by hand: 23 blocks of 3 x 5 dense convolutions, 64 channels growing by 32.
    dense = sum(9 * (64 + 32 * i) * (32 if i < 4 else 64) for i in range(5))
    body = 9 * 3 * 64 + 23 * 3 * dense + 9 * 64 * 64
    rest = (9 * 64 * 64) * (4 + 16 + 16) + (9 * 64 * 3) * 16
    assert cost.macs == 32**2 * (body + rest)


def test_tasks_take_turns() -> None:
    order: list[str] = []
    seconds = compute.in_turns([lambda: order.append("a"), lambda: order.append("b")], rounds=2)
    assert order == ["a", "b"] * 3
    assert all(s >= 0 for s in seconds)


def test_product_network(tmp_path: Path, rng: np.random.Generator) -> None:
    model = onnx.load(compute.product_network(tmp_path, 8))
    assert compute.count(model).macs == 8**3
