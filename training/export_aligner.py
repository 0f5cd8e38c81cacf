"""Turn a checkpoint of the aligner into the ONNX file that ships, and write its model card.

``python -m training.export_aligner runs/aligner/cooled.pt --valid valid.tar --onnx PATH``
"""

from __future__ import annotations

import argparse
import json
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import onnx
import onnxruntime
import torch

from training import data
from training.alignment import SIZE, Aligner, fixed_sets, offset
from training.shipping import ship, write_card

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
    path: Path = arguments.onnx
    sets = fixed_sets(data.read_crops(arguments.valid))

    def difference(file: Path) -> float:
        with torch.no_grad():
            return max(
                float((net(crops / 255) - torch.from_numpy(run(file, crops))).abs().max())
                for crops, _ in sets.values()
            )

    found = ship(to_onnx(net), path, state, difference, LARGEST_DIFFERENCE)
    rows = []
    for name, (crops, truth) in sets.items():
        answers = torch.from_numpy(run(path, crops))
        before, after = (offset(a, truth).square().mean().sqrt() for a in (0 * truth, answers))
        rows.append(f"| `{name}` | {len(crops)} | {before:.2f} px | {after:.2f} px |")
    write_card(TEMPLATE, path, state, net, found, rows)


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
