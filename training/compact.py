"""Matrices of 8 bit, a scale for each row: half of half precision.

    python -m training.compact src/seethrough/assets/attacker.onnx      # a shipped file, in place

What an attacker reads hardly changes (``benchmarks/RESULTS.md`` measures the files that ship), a
restorer loses at most 0.003 dB (96 faces and lines of ``valid``), and with them the base install
stays within its 600 MB, the repository's history within 300.
"""

from __future__ import annotations

import argparse
import hashlib
import re
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import onnx
import torch
from onnx import TensorProto, helper, numpy_helper
from torch import nn

LEVELS, SCALE = ".int8", ".scale"
"""What an initialiser's two parts are called after its own name."""
MADE = "8-bit weights, made by `python -m training.compact` after the figures here were measured"
SMALLEST = 1024
"""Matrices with fewer elements stay as they are."""


def split(matrix: npt.NDArray[Any]) -> tuple[npt.NDArray[np.int8], npt.NDArray[np.float32]]:
    """Return levels ``int8 (O, I)`` and scales ``float32 (O, 1)`` whose product is nearest."""
    values = matrix.astype(np.float32)
    scale = np.abs(values).max(axis=1, keepdims=True) / np.float32(127)
    levels = np.rint(values / np.maximum(scale, np.float32(1e-30)))
    return levels.astype(np.int8), scale.astype(np.float32)


@torch.no_grad()
def rounded(net: nn.Module) -> None:
    """Bring a network's matrices to the values that a compact file will hold, in place."""
    for parameter in net.parameters():
        if parameter.ndim == 2 and parameter.numel() >= SMALLEST:
            levels, scale = split(parameter.numpy())
            parameter.copy_(torch.from_numpy(levels.astype(np.float32) * scale))


def compact(model: onnx.ModelProto) -> None:
    """Store a graph's matrices in 8 bit, with a multiplication in front of their use, in place."""
    kept, nodes = [], []
    for tensor in model.graph.initializer:
        values = numpy_helper.to_array(tensor)
        name = tensor.name.removesuffix(".half")
        floating = tensor.data_type in (TensorProto.FLOAT, TensorProto.FLOAT16)
        trained = floating and name.endswith("weight")
        if not trained or values.ndim != 2 or values.size < SMALLEST:
            kept.append(tensor)
            continue
        levels, scale = split(values)
        kept.append(numpy_helper.from_array(levels, name + LEVELS))
        kept.append(numpy_helper.from_array(scale, name + SCALE))
        cast = helper.make_node("Cast", [name + LEVELS], [name + ".levels"], to=TensorProto.FLOAT)
        nodes += [cast, helper.make_node("Mul", [name + ".levels", name + SCALE], [name])]
    made = {output for node in nodes for output in node.output}
    rest = [node for node in model.graph.node if not made & set(node.output)]  # casts from half
    del model.graph.initializer[:], model.graph.node[:], model.graph.value_info[:]
    model.graph.initializer.extend(kept)
    model.graph.node.extend([*nodes, *rest])


def multiplied(values: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """Join what :func:`compact` took apart: initialisers by name, to parameters by name."""
    whole = {name: v for name, v in values.items() if not name.endswith((LEVELS, SCALE))}
    for name, levels in values.items():
        if name.endswith(LEVELS):
            own = name.removesuffix(LEVELS)
            whole[own] = levels * values[own + SCALE]
    return whole


def main() -> None:
    """Convert a shipped file in place, and correct its card."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("path", type=Path)
    path: Path = parser.parse_args().path
    model = onnx.load(str(path))
    compact(model)
    onnx.checker.check_model(model)
    partial = path.with_suffix(".partial")
    onnx.save(model, str(partial))
    partial.rename(path)
    size, checksum = path.stat().st_size, hashlib.sha256(path.read_bytes()).hexdigest()
    card = path.with_suffix(".md")
    words = card.read_text(encoding="utf-8")
    words = re.sub(r"`, [\d,]+ bytes, [\w-]+ weights", f"`, {size:,} bytes, {MADE}", words)
    words = re.sub(r"sha256 \| `[0-9a-f]{64}`", f"sha256 | `{checksum}`", words)
    card.write_text(words, encoding="utf-8")
    print(f"{path}: {size:,} bytes, sha256 {checksum}")


if __name__ == "__main__":
    main()
