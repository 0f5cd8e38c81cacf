"""Turn a checkpoint of the aligner into the ONNX file that ships, and write its model card.

``python -m training.export_aligner runs/aligner/cooled.pt --valid valid.tar --onnx PATH``
"""

from __future__ import annotations

import argparse
import hashlib
import json
import string
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import onnx
import onnxruntime
import torch
from onnx import helper

from training import data
from training.alignment import SIZE, Aligner, fixed_sets, offset
from training.export import halve

TEMPLATE = Path(__file__).with_name("aligner_card.md")
LARGEST_DIFFERENCE = 1e-3
"""Between PyTorch and ONNX Runtime, of the crop's side: an eighth of a pixel of 128."""


def to_onnx(net: Aligner) -> onnx.ModelProto:
    """Trace a network with a free batch size."""
    batch = torch.export.Dim("batch", min=1, max=4096)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the exporter warns of its own deprecations
        program = torch.onnx.export(
            net, (torch.rand(2, 3, SIZE, SIZE),), dynamo=True, optimize=True, opset_version=20,
            verbose=False, input_names=["crop"], output_names=["correction"],
            dynamic_shapes=({0: batch},),
        )  # fmt: skip
    assert program is not None
    return program.model_proto


def run(path: Path, crops: torch.Tensor) -> npt.NDArray[np.float32]:
    """Answers of ONNX Runtime for ``uint8 (N, 3, 64, 64)``."""
    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    answers: Any = session.run(None, {"crop": crops.numpy().astype(np.float32) / 255})[0]
    return np.asarray(answers, np.float32)


def export(arguments: argparse.Namespace) -> None:
    """Write the ONNX file and its card; refuse if PyTorch and ONNX Runtime differ."""
    state = torch.load(arguments.checkpoint, map_location="cpu", weights_only=True)
    config = json.loads(state["config"])
    net = Aligner(tuple(config["channels"]), tuple(config["blocks"])).eval()
    net.load_state_dict({k: v.half().float() for k, v in state["ema"].items()})
    model = to_onnx(net)
    halve(model)
    facts = {name: str(state[name]) for name in ("config", "commit", "seed", "data", "seen")}
    helper.set_model_props(model, facts)
    path: Path = arguments.onnx
    partial = path.with_suffix(".partial")
    onnx.save(model, str(partial))
    onnx.checker.check_model(str(partial))

    rows, difference = [], 0.0
    for name, (crops, truth) in fixed_sets(data.read_crops(arguments.valid)).items():
        answers = torch.from_numpy(run(partial, crops))
        with torch.no_grad():
            difference = max(difference, float((net(crops / 255) - answers).abs().max()))
        before, after = (offset(a, truth).square().mean().sqrt() for a in (0 * truth, answers))
        rows.append(f"| `{name}` | {len(crops)} | {before:.2f} px | {after:.2f} px |")
    if difference > LARGEST_DIFFERENCE:
        partial.unlink()
        raise SystemExit(f"PyTorch and ONNX Runtime differ by {difference:.1e}: not written")
    partial.rename(path)
    checksum = hashlib.sha256(path.read_bytes()).hexdigest()
    card = string.Template(TEMPLATE.read_text(encoding="utf-8")).substitute(
        facts,
        seen=f"{state['seen']:,}",
        parameters=f"{sum(p.numel() for p in net.parameters()):,}",
        bytes=f"{path.stat().st_size:,}",
        sha256=checksum,
        difference=f"{difference:.1e}",
        rows="\n".join(rows),
        config=json.dumps(config, indent=2),
    )
    path.with_suffix(".md").write_text(card, encoding="utf-8")
    print(f"{path}: {path.stat().st_size:,} bytes, sha256 {checksum}")
    print("\n".join(rows))


def main() -> None:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("checkpoint", type=Path)
    parser.add_argument("--onnx", type=Path, required=True, help="file to write; card beside it")
    parser.add_argument("--valid", type=Path, required=True, help="tar of held-out faces")
    export(parser.parse_args())


if __name__ == "__main__":
    main()
