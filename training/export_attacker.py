"""Turn a checkpoint of an attacker into the ONNX file that ships, and write its model card.

    python -m training.export_attacker runs/attacker/best.pt --valid valid.tar \
        --descriptors descriptors.npz --onnx src/seethrough/assets/attacker.onnx

Inputs ``degraded`` float32 (N, 3, 128, 128) on [0, 1]; outputs ``descriptor`` float32 (N, 128), of
length one and seen from the mean descriptor of the training faces (``assets/distractors.npz``).
"""

from __future__ import annotations

import argparse
import json
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
import torch
from torch import Tensor, nn
from torch.nn import functional

from training import compact, data
from training.identity import rank_one, validation_sets
from training.identity_data import AttackMix
from training.identity_network import Reader, ReaderConfig
from training.shipping import ship, write_card

TEMPLATE = Path(__file__).with_name("attacker_card_template.md")
LARGEST_DIFFERENCE = 2e-3
"""Between PyTorch's and ONNX Runtime's directions, on pictures of pure noise."""


class Shipped(nn.Module):
    """A reader whose directions have length one."""

    def __init__(self, reader: Reader) -> None:
        super().__init__()
        self.reader = reader

    def forward(self, degraded: Tensor) -> Tensor:
        """See the module."""
        return functional.normalize(self.reader(degraded), dim=1)


def load_reader(checkpoint: Path) -> tuple[Reader, dict[str, Any]]:
    """The averaged network of a checkpoint, in the shipped file's values, and the checkpoint."""
    state = torch.load(checkpoint, map_location="cpu", weights_only=True)
    shape = json.loads(state["config"])["network"]
    shape = {k: tuple(v) if isinstance(v, list) else v for k, v in shape.items()}
    reader = Reader(ReaderConfig(**shape))
    reader.load_state_dict({k: v.half().float() for k, v in state["ema"].items()})
    compact.rounded(reader)
    return reader.eval(), state


def to_onnx(reader: Reader) -> onnx.ModelProto:
    """Trace a reader with a free batch size."""
    size = reader.config.size
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the exporter warns of its own deprecations
        program = torch.onnx.export(
            Shipped(reader).eval(), (torch.rand(2, 3, size, size),), dynamo=True, optimize=True,
            opset_version=20, verbose=False, input_names=["degraded"],
            output_names=["descriptor"],
            dynamic_shapes=({0: torch.export.Dim("batch", min=1, max=4096)},),
        )  # fmt: skip
    assert program is not None
    model: onnx.ModelProto = program.model_proto
    return model


def read(path: Path, crops: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """Directions of ``uint8 (N, H, W, 3)`` through ONNX Runtime."""
    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    found = []
    for start in range(0, len(crops), 16):
        x = crops[start : start + 16].transpose(0, 3, 1, 2).astype(np.float32) / 255
        found.append(session.run(None, {"degraded": x})[0])
    return np.concatenate(found)


def export(arguments: argparse.Namespace) -> None:
    """Write the ONNX file and its card; refuse if PyTorch and ONNX Runtime differ."""
    reader, state = load_reader(arguments.checkpoint)
    path: Path = arguments.onnx

    def difference(file: Path) -> float:
        noise = np.random.default_rng(0).integers(0, 256, (3, *[reader.config.size] * 2, 3))
        with torch.no_grad():
            levels = torch.from_numpy(noise.transpose(0, 3, 1, 2).astype(np.float32) / 255)
            expected = Shipped(reader)(levels).numpy()
        return float(np.abs(read(file, noise.astype(np.uint8)) - expected).max())

    found = ship(to_onnx(reader), path, state, difference, LARGEST_DIFFERENCE, eight_bit=True)
    config = json.loads(state["config"])
    mix = AttackMix(data.Mix(**config["mix"].pop("degradations")), **config["mix"])
    with np.load(arguments.descriptors, allow_pickle=False) as file:
        known, train = file["valid"], file["train"]
    rows = []
    for name, crops in validation_sets(data.read_crops(arguments.valid), mix).items():
        gallery = torch.from_numpy(np.concatenate([known, train])) - reader.mean
        directions = torch.from_numpy(read(path, crops))
        share = rank_one(directions, functional.normalize(gallery, dim=1))
        rows.append(f"| {name} | {len(crops)} | {share:.1f} % |")
    write_card(
        TEMPLATE, path, state, reader, found, rows,
        config_name="identity_context" if mix.context else "identity_face",
        reads="what a cover leaves outside of itself (A5)" if mix.context else "covered faces (A3)",
        gallery=f"{len(known) + len(train):,}",
    )  # fmt: skip


def main() -> None:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("checkpoint", type=Path)
    parser.add_argument("--onnx", type=Path, required=True, help="file to write; card beside it")
    parser.add_argument("--valid", type=Path, required=True, help="tar of held-out faces")
    parser.add_argument("--descriptors", type=Path, required=True, help="from training.describe")
    export(parser.parse_args())


if __name__ == "__main__":
    main()
