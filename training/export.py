"""Turn a checkpoint into the ONNX file that ships, and write its model card.

    python -m training.export runs/restorer/best.pt --valid valid.tar --atlas glyphs.npz \
        --onnx src/seethrough/assets/restorer.onnx

Weights are stored in 8 bit (:mod:`training.compact`), what is no matrix in half precision, and
brought to float32 when a session opens; the figures on the card are the file's own. The same file
is the warm start of the next training (:mod:`training.warm_start`).
"""

from __future__ import annotations

import argparse
import json
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
import torch
from onnx import numpy_helper

from training import compact, data
from training.network import NetworkConfig, Restorer
from training.restoration import psnr
from training.shipping import ship, write_card

TEMPLATE = Path(__file__).with_name("card_template.md")
REALISTIC = Path(__file__).with_name("realistic_card_template.md")
IDENTITY = Path(__file__).with_name("identity_restorer_card_template.md")
LARGEST_DIFFERENCE = 0.25 / 255
"""Between PyTorch and ONNX Runtime: a quarter of an 8-bit level, on pictures of pure noise."""


def load_restorer(checkpoint: Path) -> tuple[Restorer, dict[str, Any]]:
    """The averaged network of a checkpoint, of the values a file will hold, and the checkpoint."""
    state = torch.load(checkpoint, map_location="cpu", weights_only=True)
    shape = json.loads(state["config"])["network"]
    shape = {k: tuple(v) if isinstance(v, list) else v for k, v in shape.items()}
    net = Restorer(NetworkConfig(**shape))
    net.load_state_dict({k: v.half().float() for k, v in state["ema"].items()})
    compact.rounded(net)
    return net.eval(), state


def to_onnx(net: Restorer) -> onnx.ModelProto:
    """Trace a network with a free batch size; initialisers bear the parameters' names."""
    size = net.config.size
    example = torch.rand(2, 3, size, size), torch.tensor([0, 1])
    batch = torch.export.Dim("batch", min=1, max=4096)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the exporter warns of its own deprecations
        program = torch.onnx.export(
            net, example, dynamo=True, optimize=True, opset_version=20, verbose=False,
            input_names=["degraded", "kind"], output_names=["restored"],
            dynamic_shapes=({0: batch}, {0: batch}),
        )  # fmt: skip
    assert program is not None
    model = program.model_proto
    _name_parameters(model, net)
    return model


def _name_parameters(model: onnx.ModelProto, net: Restorer) -> None:
    """Give folded parameters their names back: the exporter reshapes the small ones itself."""
    named = {tensor.name for tensor in model.graph.initializer}
    for name, parameter in net.named_parameters():
        if name in named:
            continue
        values = parameter.detach().numpy().ravel()
        for tensor in model.graph.initializer:
            if np.array_equal(numpy_helper.to_array(tensor).ravel(), values):
                break
        else:
            raise SystemExit(f"the exported network lacks the parameter {name}")
        for node in model.graph.node:
            for place, argument in enumerate(node.input):
                if argument == tensor.name:
                    node.input[place] = name
        tensor.name = name


def run(path: Path, degraded: np.ndarray[Any, Any], kind: int) -> np.ndarray[Any, Any]:
    """Restore ``uint8 (N, H, W, 3)`` through ONNX Runtime; ``float32 (N, 3, H, W)``."""
    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    parts = []
    for start in range(0, len(degraded), 16):
        x = degraded[start : start + 16].transpose(0, 3, 1, 2).astype(np.float32) / 255
        kinds = np.full(len(x), kind, np.int64)
        parts.append(session.run(None, {"degraded": x, "kind": kinds})[0])
    return np.concatenate(parts)


def largest_difference(net: Restorer, path: Path) -> float:
    """Largest difference between PyTorch and ONNX Runtime on random crops of both kinds."""
    x = np.random.default_rng(0).integers(0, 256, (3, net.config.size, net.config.size, 3))
    worst = 0.0
    for kind in (data.FACE, data.TEXT):
        levels = torch.from_numpy(x.transpose(0, 3, 1, 2).astype(np.float32) / 255)
        with torch.no_grad():
            expected = net(levels, torch.full((3,), kind)).numpy()
        worst = max(worst, float(np.abs(run(path, x.astype(np.uint8), kind) - expected).max()))
    return worst


def export(arguments: argparse.Namespace) -> None:
    """Write the ONNX file and its card; refuse if PyTorch and ONNX Runtime differ."""
    net, state = load_restorer(arguments.checkpoint)
    path: Path = arguments.onnx
    config = json.loads(state["config"])
    difference = ship(
        to_onnx(net), path, state, lambda file: largest_difference(net, file), LARGEST_DIFFERENCE,
        eight_bit=True,
    )  # fmt: skip
    crops = data.read_crops(arguments.valid)
    rows = []
    for name, (degraded, clean, kind) in data.validation_sets(
        crops, arguments.atlas, len(crops)
    ).items():
        if kind == data.TEXT and config["mix"]["text"] == 0:
            continue
        truth = torch.from_numpy(clean).permute(0, 3, 1, 2).float() / 255
        before = psnr(torch.from_numpy(degraded).permute(0, 3, 1, 2).float() / 255, truth)
        after = psnr(torch.from_numpy(run(path, degraded, kind)), truth)
        rows.append(f"| {name} | {len(clean)} | {before:.2f} | {after:.2f} |")
    if "contrast" in config:
        write_card(IDENTITY, path, state, net, difference, rows)
    elif "adversary" in config:
        write_card(REALISTIC, path, state, net, difference, rows)
    else:
        write_card(TEMPLATE, path, state, net, difference, rows, **_recipe(config))


def _recipe(config: Mapping[str, Any]) -> dict[str, str]:
    """What a restorer's card says of how it learned."""
    reads, knows = config.get("reader", 0) > 0, config.get("identity", 0) > 0
    judges = []
    if reads:
        judges.append("what PP-OCRv6's small recogniser (Apache-2.0) misreads in restored text")
    if knows:
        judges.append("how unlike the person MobileFaceNet finds restored faces")
    return {
        "loss": config["loss"],
        "recipe": "restorer_legible" if judges else "restorer",
        "sources": "faces, glyph atlas" + (" and the reader's wheel" if reads else ""),
        "besides": " and, weakly, what a frozen network misjudges" if judges else "",
        "judges": "; bounded by it, " + " and ".join(judges) if judges else "",
    }


def main() -> None:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("checkpoint", type=Path)
    parser.add_argument("--onnx", type=Path, required=True, help="file to write; card beside it")
    parser.add_argument("--valid", type=Path, required=True, help="tar of held-out faces")
    parser.add_argument("--atlas", type=Path, required=True, help="from training.glyphs")
    export(parser.parse_args())


if __name__ == "__main__":
    main()
