"""From a traced network to the file that ships, and its model card."""

from __future__ import annotations

import hashlib
import json
import string
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import torch
from onnx import TensorProto, helper, numpy_helper
from torch import nn

from training.compact import compact, multiplied

SMALLEST_HALF = 64
"""Initialisers with fewer elements stay as they are."""


def halve(model: onnx.ModelProto, *, exact: bool = False) -> None:
    """Store float32 initialisers as float16, with a cast back in front of their use.

    Where ``exact``, only those that lose nothing: the parameters of a network that was rounded
    before, not the constants beside them.
    """
    kept, casts = [], []
    for tensor in model.graph.initializer:
        values = numpy_helper.to_array(tensor)
        if tensor.data_type != TensorProto.FLOAT or values.size < SMALLEST_HALF:
            kept.append(tensor)
            continue
        if exact and (values.astype(np.float16).astype(np.float32) != values).any():
            kept.append(tensor)
            continue
        half = f"{tensor.name}.half"
        kept.append(numpy_helper.from_array(values.astype("float16"), half))
        casts.append(helper.make_node("Cast", [half], [tensor.name], to=TensorProto.FLOAT))
    nodes = casts + list(model.graph.node)
    del model.graph.initializer[:], model.graph.node[:], model.graph.value_info[:]
    model.graph.initializer.extend(kept)
    model.graph.node.extend(nodes)


def ship(
    model: onnx.ModelProto,
    path: Path,
    state: Mapping[str, Any],
    difference: Callable[[Path], float],
    limit: float,
    *,
    eight_bit: bool = False,
) -> float:
    """Write a network in half precision or less, with the facts of its training inside.

    Parameters
    ----------
    model : onnx.ModelProto
        Traced; changed in place.
    path : Path
        Where it goes, under a temporary name until it is found right.
    state : mapping
        The checkpoint: ``config``, ``commit``, ``seed``, ``data`` and ``seen``.
    difference : callable
        Returns the largest difference between PyTorch's results and those of the file.
    limit : float
        Above it nothing is written.
    eight_bit : bool
        Whether matrices are stored as :mod:`training.compact` does.

    Returns
    -------
    float
        That difference.

    Raises
    ------
    SystemExit
        Where it is above the limit.
    """
    if eight_bit:
        compact(model)
    halve(model, exact=True)
    helper.set_model_props(model, _facts(state))
    partial = path.with_suffix(".partial")
    onnx.save(model, str(partial))
    onnx.checker.check_model(str(partial))
    found = difference(partial)
    if found > limit:
        partial.unlink()
        raise SystemExit(f"PyTorch and ONNX Runtime differ by {found:.1e}: not written")
    partial.rename(path)
    return found


def write_card(
    template: Path,
    path: Path,
    state: Mapping[str, Any],
    net: nn.Module,
    difference: float,
    rows: Sequence[str],
    **words: str,
) -> None:
    """Write a file's model card beside it, and say what was measured.

    Parameters
    ----------
    template : Path
        Markdown with ``$names``.
    path : Path
        The file that :func:`ship` wrote.
    state, difference
        As there.
    net : nn.Module
        Whose parameters are counted.
    rows : sequence of str
        Of the table of figures.
    **words : str
        What the template names besides.
    """
    checksum = hashlib.sha256(path.read_bytes()).hexdigest()
    facts = {
        **_facts(state),
        "name": path.stem,
        "seen": f"{state['seen']:,}",
        "parameters": f"{sum(p.numel() for p in net.parameters()):,}",
        "bytes": f"{path.stat().st_size:,}",
        "sha256": checksum,
        "difference": f"{difference:.1e}",
        "rows": "\n".join(rows),
        "config": json.dumps(json.loads(state["config"]), indent=2),
    }
    card = string.Template(template.read_text(encoding="utf-8")).substitute(facts, **words)
    path.with_suffix(".md").write_text(card, encoding="utf-8")
    print(f"{path}: {path.stat().st_size:,} bytes, sha256 {checksum}")
    print("\n".join(rows))


def _facts(state: Mapping[str, Any]) -> dict[str, str]:
    return {name: str(state[name]) for name in ("config", "commit", "seed", "data", "seen")}


def read_parameters(path: Path) -> tuple[dict[str, torch.Tensor], int]:
    """Parameters of a shipped file by name, and how many pictures they have seen."""
    model = onnx.load(str(path))
    facts = {entry.key: entry.value for entry in model.metadata_props}
    kept = (TensorProto.FLOAT, TensorProto.FLOAT16, TensorProto.INT8)
    values = {
        tensor.name.removesuffix(".half"): torch.from_numpy(
            numpy_helper.to_array(tensor).astype(np.float32)
        )
        for tensor in model.graph.initializer
        if tensor.data_type in kept
    }
    return multiplied(values), int(facts["seen"])
