"""Convert the person segmenter of npm's ``@mediapipe/selfie_segmentation`` to ONNX.

``python -m training.export_segmenter PACKAGE.tgz src/seethrough/assets/segmenter.onnx``

The package comes from ``npm pack @mediapipe/selfie_segmentation@0.1.1675465747`` (Apache-2.0). Its
network is a TensorFlow Lite file with half-precision weights; the flatbuffer is read with PyPI's
``tflite`` (``pip install tflite``, needed by nothing else), and each of its few operators becomes
one of ONNX, channels first, with the same explicit padding. The weights stay in half precision,
with a cast in front.
"""

from __future__ import annotations

import argparse
import hashlib
import struct
import tarfile
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import onnx
import onnxruntime as ort
import tflite
from onnx import TensorProto, helper, numpy_helper

from training.shipping import halve

MEMBER = "package/selfie_segmentation.tflite"
SHA256 = "8d13b7fae74af625c641226813616a2117bd6bca19eb3b75574621fc08557f27"
NOTICE = (
    "MediaPipe Selfie Segmentation (general), copyright Google LLC, Apache-2.0; changed here: "
    "converted from TensorFlow Lite to ONNX, channels first"
)
_NAMES = {v: k for k, v in vars(tflite.BuiltinOperator).items() if isinstance(v, int)}
_TYPES = {0: np.float32, 1: np.float16, 2: np.int32}
_SAME = 0


class Converter:
    """Walks the operators of a TensorFlow Lite graph and writes ONNX nodes.

    Parameters
    ----------
    data : bytes
        The flatbuffer.
    """

    def __init__(self, data: bytes) -> None:
        self._model = tflite.Model.GetRootAsModel(data, 0)
        self._graph = self._model.Subgraphs(0)
        self._constants = self._read_constants()
        self._nodes: list[onnx.NodeProto] = []
        self._initialisers: dict[str, npt.NDArray[Any]] = {}

    def convert(self) -> onnx.ModelProto:
        """Return the model: ``picture`` float32 (N, 3, H, W) to ``person`` (N, 1, H, W)."""
        graph = self._graph
        (source,), (result,) = graph.InputsAsNumpy(), graph.OutputsAsNumpy()
        for index in range(graph.OperatorsLength()):
            self._operator(graph.Operators(index))
        rename = {_name(source): "picture", _name(result): "person"}
        for node in self._nodes:
            node.input[:] = [rename.get(name, name) for name in node.input]
            node.output[:] = [rename.get(name, name) for name in node.output]
        values = []
        for name, tensor in (("picture", source), ("person", result)):
            _, high, wide, channels = self._shape(tensor)
            values.append(
                helper.make_tensor_value_info(name, TensorProto.FLOAT, ["n", channels, high, wide])
            )
        made = helper.make_graph(
            self._nodes,
            "segmenter",
            values[:1],
            values[1:],
            [numpy_helper.from_array(value, name) for name, value in self._initialisers.items()],
        )
        opset = [helper.make_opsetid("", 17)]
        return helper.make_model(made, opset_imports=opset, ir_version=8)

    def _read_constants(self) -> dict[int, npt.NDArray[Any]]:
        found = {}
        for index in range(self._graph.TensorsLength()):
            tensor = self._graph.Tensors(index)
            buffer = self._model.Buffers(tensor.Buffer())
            if buffer.DataLength():
                values = np.frombuffer(buffer.DataAsNumpy().tobytes(), _TYPES[tensor.Type()])
                found[index] = values.reshape(tensor.ShapeAsNumpy())
        return found

    def _shape(self, tensor: int) -> tuple[int, ...]:
        return tuple(int(side) for side in self._graph.Tensors(tensor).ShapeAsNumpy())

    def _add(self, kind: str, inputs: list[str], output: int, **attributes: Any) -> None:
        self._nodes.append(helper.make_node(kind, inputs, [_name(output)], **attributes))

    def _constant(self, name: str, value: npt.NDArray[Any]) -> str:
        self._initialisers[name] = np.ascontiguousarray(value)
        return name

    def _weights(self, tensor: int, order: tuple[int, ...]) -> str:
        values = self._constants[tensor].astype(np.float32)
        return self._constant(f"{_name(tensor)}.weights", values.transpose(order))

    def _bias(self, tensor: int) -> str:
        values = self._constants[tensor].astype(np.float32)
        return self._constant(f"{_name(tensor)}.bias", values)

    def _operator(self, operator: Any) -> None:
        code = self._model.OperatorCodes(operator.OpcodeIndex())
        kind = _NAMES[max(code.BuiltinCode(), code.DeprecatedBuiltinCode())]
        inputs = [int(i) for i in operator.InputsAsNumpy()]
        output = int(operator.OutputsAsNumpy()[0])
        options = operator.BuiltinOptions()
        match kind:
            case "DEQUANTIZE":  # half precision to single: of constants only
                self._constants[output] = self._constants[inputs[0]].astype(np.float32)
            case "CONV_2D" | "DEPTHWISE_CONV_2D":
                self._convolution(kind == "DEPTHWISE_CONV_2D", inputs, output, _read(options, kind))
            case "RELU" | "LOGISTIC" | "HARD_SWISH":
                name = {"RELU": "Relu", "LOGISTIC": "Sigmoid", "HARD_SWISH": "HardSwish"}[kind]
                self._add(name, [_name(inputs[0])], output)
            case "ADD" | "MUL":
                if _read(options, kind).FusedActivationFunction():
                    raise SystemExit(f"{kind} with an activation has no conversion")
                self._add(kind.capitalize(), [_name(i) for i in inputs], output)
            case "AVERAGE_POOL_2D":
                pool = _read(options, kind)
                if (pool.FilterHeight(), pool.FilterWidth()) != self._shape(inputs[0])[1:3]:
                    raise SystemExit("only means over whole maps have a conversion")
                self._add("GlobalAveragePool", [_name(inputs[0])], output)
            case "RESIZE_BILINEAR":
                resize = _read(options, kind)
                mode = "align_corners" if resize.AlignCorners() else "asymmetric"
                mode = "half_pixel" if resize.HalfPixelCenters() else mode
                _, high, wide, channels = self._shape(output)
                del channels
                before = self._shape(inputs[0])
                scale = np.array([1, 1, high / before[1], wide / before[2]], np.float32)
                name = self._constant(f"{_name(output)}.scale", scale)
                self._add(
                    "Resize",
                    [_name(inputs[0]), "", name],
                    output,
                    mode="linear",
                    coordinate_transformation_mode=mode,
                )
            case "CUSTOM" if code.CustomCode() == b"Convolution2DTransposeBias":
                raw = operator.CustomOptionsAsNumpy().tobytes()
                _, across, down = struct.unpack("<3i", raw[:12])  # padding, strides
                kernel = self._constants[inputs[1]].shape[1:3]
                if kernel != (down, across):
                    raise SystemExit("only transposed convolutions without overlap are known")
                weights = self._weights(inputs[1], (3, 0, 1, 2))
                names = [_name(inputs[0]), weights, self._bias(inputs[2])]
                self._add("ConvTranspose", names, output, strides=[down, across])
            case _:
                raise SystemExit(f"the operator {kind} has no conversion")

    def _convolution(self, depthwise: bool, inputs: list[int], output: int, options: Any) -> None:
        if options.FusedActivationFunction():
            raise SystemExit("a convolution with an activation has no conversion")
        kernel = self._constants[inputs[1]].shape[1:3]
        strides = (options.StrideH(), options.StrideW())
        dilations = (options.DilationHFactor(), options.DilationWFactor())
        pads = [0, 0, 0, 0]
        if options.Padding() == _SAME:
            for axis, side in enumerate(self._shape(inputs[0])[1:3]):
                reach = (kernel[axis] - 1) * dilations[axis] + 1
                total = (-(-side // strides[axis]) - 1) * strides[axis] + reach - side
                pads[axis], pads[axis + 2] = max(total, 0) // 2, (max(total, 0) + 1) // 2
        order = (3, 0, 1, 2) if depthwise else (0, 3, 1, 2)
        names = [_name(inputs[0]), self._weights(inputs[1], order), self._bias(inputs[2])]
        self._add(
            "Conv",
            names,
            output,
            strides=strides,
            dilations=dilations,
            pads=pads,
            group=self._shape(inputs[0])[3] if depthwise else 1,
        )


def _name(tensor: int) -> str:
    return f"t{tensor}"


def _read(table: Any, kind: str) -> Any:
    classes = {
        "CONV_2D": tflite.Conv2DOptions,
        "DEPTHWISE_CONV_2D": tflite.DepthwiseConv2DOptions,
        "ADD": tflite.AddOptions,
        "MUL": tflite.MulOptions,
        "AVERAGE_POOL_2D": tflite.Pool2DOptions,
        "RESIZE_BILINEAR": tflite.ResizeBilinearOptions,
    }
    options = classes[kind]()
    options.Init(table.Bytes, table.Pos)
    return options


def read(package: Path) -> bytes:
    """Return the network inside the package, its checksum verified."""
    with tarfile.open(package) as archive:
        file = archive.extractfile(MEMBER)
        if file is None:
            raise SystemExit(f"{package} has no {MEMBER}")
        data = file.read()
    found = hashlib.sha256(data).hexdigest()
    if found != SHA256:
        raise SystemExit(f"{MEMBER} has checksum {found}, not {SHA256}")
    return data


def main() -> None:
    """Write the asset and print what the card and the table quote."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("package", type=Path)
    parser.add_argument("output", type=Path)
    arguments = parser.parse_args()
    model = Converter(read(arguments.package)).convert()
    halve(model)
    helper.set_model_props(model, {"notice": NOTICE, "source_sha256": SHA256})
    onnx.checker.check_model(model, full_check=True)
    data = model.SerializeToString(deterministic=True)
    session = ort.InferenceSession(data, providers=["CPUExecutionProvider"])
    (node,) = session.get_inputs()
    grey = np.full((1, *node.shape[1:]), 0.5, np.float32)
    (person,) = session.run(None, {"picture": grey})
    arguments.output.write_bytes(data)
    print(f"{len(data):,} bytes, an empty picture has {float(person.mean()):.4f} of a person")
    print(f"sha256 {hashlib.sha256(data).hexdigest()}")


if __name__ == "__main__":
    main()
