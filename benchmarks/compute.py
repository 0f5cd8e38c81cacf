"""What a restoration costs: parameters, multiply-accumulates, and time as ratios.

Time is never reported alone. It stands beside a peer's and beside the machine's own rate for a
2048 x 2048 x 2048 float32 matrix product in ONNX Runtime, measured in turns in the same run.
"""

from __future__ import annotations

import math
import os
import re
import statistics
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from benchmarks import command, parts, peers, sets
from benchmarks.results import Column, Options, Section, Table, Value
from seethrough import weights
from seethrough.session import open_session

MATRIX = 2048
BATCH = 16
ROUNDS = 5
"""Turns of restorer, product and peer; the median is taken."""

# Operators that multiply nothing worth counting next to convolutions and products. One that is
# in neither list stops the count, so that no new kind of layer is missed in silence.
_HEAVY = frozenset({"Conv", "ConvTranspose", "Gemm", "MatMul"})
_LIGHT = frozenset(
    {
        *("Abs", "Add", "AveragePool", "Cast", "Clip", "Concat", "Constant", "ConstantOfShape"),
        *("DepthToSpace", "Div", "Erf", "Exp", "Expand", "Flatten", "Gather", "Gelu"),
        *("GlobalAveragePool", "GroupNormalization", "Identity", "InstanceNormalization"),
        *(
            "LayerNormalization",
            "LeakyRelu",
            "Log",
            "Max",
            "MaxPool",
            "Min",
            "Mul",
            "Neg",
            "Pad",
            "Pow",
        ),
        *("Range", "Reciprocal", "ReduceMean", "ReduceSum", "Relu", "Reshape", "Resize"),
        *("Shape", "Sigmoid", "Slice", "Softmax", "SpaceToDepth", "Split", "Sqrt", "Squeeze"),
        *("Sub", "Sum", "Swish", "Tanh", "Tile", "Transpose", "Unsqueeze", "Where"),
        *("And", "Equal", "GatherElements", "GatherND", "Greater", "Less", "Not", "Or"),
    }
)


@dataclass(frozen=True, slots=True)
class Cost:
    """Parameters, and multiply-accumulates for one crop."""

    parameters: int
    macs: int


def count(model: onnx.ModelProto) -> Cost:
    """Count a network's parameters and its multiply-accumulates for one item.

    Convolutions, transposed convolutions and matrix products are counted; normalisation,
    activations and additions are not, as is usual. Sizes are those that one run on zeros has:
    inference from the graph alone stops at shapes that are computed.

    Parameters
    ----------
    model : onnx.ModelProto
        Free dimensions are set to 1.

    Raises
    ------
    ValueError
        Where a layer's cost is unknown.
    """
    if unknown := {node.op_type for node in model.graph.node} - _LIGHT - _HEAVY:
        raise ValueError(f"the cost of the layers {', '.join(sorted(unknown))} is not known")
    heavy = [node for node in model.graph.node if node.op_type in _HEAVY]
    sizes = _sizes(model, {name for node in heavy for name in (*node.input, *node.output)})
    stored = [
        *model.graph.initializer,
        *(a.t for n in model.graph.node if n.op_type == "Constant" for a in n.attribute),
    ]
    parameters = sum(math.prod(tensor.dims) for tensor in stored if _real(tensor))
    return Cost(parameters, sum(_macs(node, sizes) for node in heavy))


def _sizes(model: onnx.ModelProto, names: set[str]) -> dict[str, tuple[int, ...]]:
    """Shapes of the named values in a run on zeros."""
    open_ended = onnx.ModelProto()
    open_ended.CopyFrom(model)
    sizes = {weight.name: tuple(weight.dims) for weight in model.graph.initializer}
    known = sizes.keys() | {value.name for value in model.graph.output}
    given = {value.name for value in model.graph.input}
    # A value that is listed without a type is handed out with the one that it has.
    open_ended.graph.output.extend(
        onnx.ValueInfoProto(name=name) for name in sorted(names - known - given - {""})
    )
    feeds = {
        value.name: np.zeros(
            [dim.dim_value or 1 for dim in value.type.tensor_type.shape.dim],
            helper.tensor_dtype_to_np_dtype(value.type.tensor_type.elem_type),
        )
        for value in model.graph.input
        if value.name not in sizes
    }
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "open.onnx"
        onnx.save(open_ended, path)
        session = open_session(path, device="cpu", threads=1)
        found = zip(session.outputs, session.run(feeds), strict=True)
    sizes |= {name: value.shape for name, value in found}
    return sizes | {name: value.shape for name, value in feeds.items()}


def _real(tensor: onnx.TensorProto) -> bool:
    """Whether a stored tensor is a parameter, not an index, a shape or a single number."""
    return tensor.data_type in (TensorProto.FLOAT, TensorProto.FLOAT16) and bool(tensor.dims)


def _macs(node: onnx.NodeProto, sizes: dict[str, tuple[int, ...]]) -> int:
    first, second, output = (sizes[n] for n in (node.input[0], node.input[1], node.output[0]))
    if node.op_type == "Conv":  # a kernel's values (inputs of one group x area), at each output
        return math.prod(output) * math.prod(second[1:])
    if node.op_type == "ConvTranspose":  # likewise, spread from each input
        return math.prod(first) * math.prod(second[1:])
    if node.op_type == "MatMul":
        return math.prod(output) * first[-1]
    turned = any(a.name == "transA" and a.i for a in node.attribute)  # Gemm
    return math.prod(output) * first[0 if turned else 1]


def count_ncnn(param: str, side: int) -> Cost:
    """Count a chain of ncnn convolutions and enlargements on a ``side`` px square.

    Parameters
    ----------
    param : str
        Text of the ``.param`` file; its convolutions must keep the size (stride 1).
    side : int
        Side of the input in pixels.
    """
    parameters = macs = 0
    for line in param.splitlines():
        kind, _, rest = line.partition(" ")
        values = dict(re.findall(r"(?<=\s)(-?\d+)=([-+.\de]+)", rest))
        if kind == "Convolution":
            if int(values.get("3", 1)) != 1 or int(values.get("13", 1)) != 1:
                raise ValueError("a convolution with a stride")
            parameters += int(values["6"]) + int(values["0"]) * int(values.get("5", 0))
            macs += int(values["6"]) * side**2
        elif kind == "Interp":
            side = round(side * float(values["1"]))
        elif kind in ("InnerProduct", "Deconvolution", "ConvolutionDepthWise", "MatMul", "Gemm"):
            raise ValueError(f"the cost of the layer {kind} is not known")
    return Cost(parameters, macs)


def in_turns(tasks: Sequence[Callable[[], object]], rounds: int = ROUNDS) -> list[float]:
    """Median seconds of each task, run one after another in every round.

    Every task is run once before, unmeasured.
    """
    for task in tasks:
        task()
    seconds: list[list[float]] = [[] for _ in tasks]
    for _ in range(rounds):
        for spent, task in zip(seconds, tasks, strict=True):
            start = time.perf_counter()
            task()
            spent.append(time.perf_counter() - start)
    return [statistics.median(spent) for spent in seconds]


def product_network(folder: Path, size: int = MATRIX) -> Path:
    """An ONNX file of one ``size`` x ``size`` matrix product, input ``a``."""
    path = folder / f"matmul-{size}.onnx"
    matrix = np.random.default_rng(0).standard_normal((size, size), np.float32)
    values = [
        helper.make_tensor_value_info(name, TensorProto.FLOAT, [size, size]) for name in ("a", "c")
    ]
    graph = helper.make_graph(
        [helper.make_node("MatMul", ["a", "b"], ["c"])],
        "product",
        values[:1],
        values[1:],
        [numpy_helper.from_array(matrix, "b")],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    with parts.written(path) as temporary:
        onnx.save(model, temporary)
    return path


def run(options: Options) -> Section:
    """Measure the restorer's cost beside Real-ESRGAN's."""
    path = options.weights or weights.locate("restorer")
    cost = count(onnx.load(path))
    graph = parts.locate("realesrgan-x4plus-graph").read_text("utf-8")
    peer_cost = count_ncnn(graph, sets.SIZE // 4)

    session = open_session(path, device="cpu", threads=options.threads)
    product = open_session(
        product_network(parts.cache_folder()), device="cpu", threads=options.threads
    )
    peer = peers.RealEsrgan(options.threads)
    rng = np.random.default_rng(options.seed)
    crops = rng.random((BATCH, 3, sets.SIZE, sets.SIZE), np.float32)
    kind = np.zeros(BATCH, np.int64)
    a = rng.standard_normal((MATRIX, MATRIX), np.float32)
    small = rng.integers(0, 256, (sets.SIZE // 4, sets.SIZE // 4, 3), np.uint8)
    batched, single, matrix, enlarged = in_turns(
        [
            lambda: session.run({"degraded": crops, "kind": kind}),
            lambda: session.run({"degraded": crops[:1], "kind": kind[:1]}),
            lambda: product.run({"a": a}),
            lambda: peer.enlarge(small),
        ]
    )
    machine = MATRIX**3 / matrix
    rows: list[dict[str, Value]] = [
        {
            "what": "restorer",
            "parameters": cost.parameters / 1e6,
            "macs": cost.macs / 1e9,
            "share": cost.macs * BATCH / batched / machine,
            "ms": 1e3 * batched / BATCH,
            "ms_single": 1e3 * single,
        },
        {
            "what": peer.name,
            "parameters": peer_cost.parameters / 1e6,
            "macs": peer_cost.macs / 1e9,
            "share": peer_cost.macs / enlarged / machine,
            "ms": None,
            "ms_single": 1e3 * enlarged,
        },
        {
            "what": "Real-ESRGAN / restorer",
            "parameters": peer_cost.parameters / cost.parameters,
            "macs": peer_cost.macs / cost.macs,
            "share": None,
            "ms": enlarged * BATCH / batched,
            "ms_single": enlarged / single,
        },
    ]
    table = Table(
        "Cost of one 128 px crop",
        (
            Column("what", ""),
            Column("parameters", "parameters, M", 2),
            Column("macs", "multiply-accumulates, G", 3),
            Column("share", "rate / matrix product's", 0, share=True),
            Column("ms", f"ms, batch of {BATCH}", 1),
            Column("ms_single", "ms, one crop", 1),
        ),
        tuple(rows),
    )
    text = (
        f"Multiply-accumulates are counted from the graphs. The machine's own rate for a "
        f"{MATRIX}^3 float32 product in ONNX Runtime was {2 * machine / 1e12:.3f} TFLOP/s. "
        f"Restorer, product and Real-ESRGAN took turns, {ROUNDS} rounds, {options.threads} "
        "thread(s) each; medians. The last row's times compare one Real-ESRGAN crop with one "
        "crop of a batch, and with a single crop. Real-ESRGAN gets a 32 px crop, without tiling."
    )
    load = f"{os.getloadavg()[0]:.1f} just after the run, {os.cpu_count()} processors"
    provenance = {**sets.provenance(options), "load average": load}
    return Section("compute", "Cost", text, (table,), provenance)


if __name__ == "__main__":
    command.print_section("benchmarks.compute", __doc__, run)
