"""Take the text detector out of PyPI's ``rapidocr`` wheel and store it in half precision.

``python -m training.export_text_detector RAPIDOCR.whl src/seethrough/assets/text-detector.onnx``

The wheel comes from ``pip download --no-deps rapidocr==3.10.0``. It holds PP-OCRv6's small
detector as ONNX already (Apache-2.0); nothing of the package's code runs. The weights become
half precision with a cast in front, as the restorer's, which halves the file; the result is
compared with the original in ONNX Runtime, and the wheel's licence text is written beside it.
"""

from __future__ import annotations

import argparse
import hashlib
import zipfile
from pathlib import Path

import numpy as np
import onnx
import onnxruntime as ort

from training.shipping import halve

MEMBER = "rapidocr/models/PP-OCRv6_det_small.onnx"
SHA256 = "090f04abcd9d9a7498bc4ebf677e4cb9bdce1fe4197ddb7e529f1ef44e1ff94f"
LICENCE = "rapidocr-3.10.0.dist-info/licenses/LICENSE"
NOTICE = (
    "PP-OCRv6_small_det, weights copyright Baidu and the PaddleOCR authors, Apache-2.0; "
    "converted to ONNX and packaged by RapidOCR; changed here: initialisers stored as float16"
)


def read(wheel: Path) -> tuple[bytes, bytes]:
    """Return the detector and its licence text, the detector's checksum verified."""
    with zipfile.ZipFile(wheel) as archive:
        data, licence = archive.read(MEMBER), archive.read(LICENCE)
    found = hashlib.sha256(data).hexdigest()
    if found != SHA256:
        raise SystemExit(f"{MEMBER} has checksum {found}, not {SHA256}")
    return data, licence


def convert(data: bytes) -> onnx.ModelProto:
    """Return the model with half-precision weights and a notice of where it comes from."""
    model = onnx.load_from_string(data)
    halve(model)
    onnx.helper.set_model_props(model, {"notice": NOTICE, "source_sha256": SHA256})
    onnx.checker.check_model(model)
    return model


def largest_difference(first: bytes, second: bytes) -> float:
    """Compare two models' probabilities on smooth random pictures of differing sizes."""
    options = ort.SessionOptions()
    options.intra_op_num_threads = 1
    sessions = [
        ort.InferenceSession(data, options, providers=["CPUExecutionProvider"])
        for data in (first, second)
    ]
    rng = np.random.default_rng(0)
    worst = 0.0
    for height, width in ((64, 96), (160, 320)):
        coarse = rng.uniform(-1, 1, (1, 3, height // 8, width // 8)).astype(np.float32)
        picture = np.kron(coarse, np.ones((8, 8), np.float32))
        one, two = (session.run(None, {"x": picture})[0] for session in sessions)
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
    difference = largest_difference(original, data)
    if difference > 0.02:
        raise SystemExit(f"half precision changes a probability by {difference:.3f}")
    arguments.output.write_bytes(data)
    arguments.output.with_suffix(".LICENSE").write_bytes(licence)
    print(f"{len(data):,} bytes, largest difference of a probability {difference:.1e}")
    print(f"sha256 {hashlib.sha256(data).hexdigest()}")


if __name__ == "__main__":
    main()
