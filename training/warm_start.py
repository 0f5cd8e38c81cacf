"""Start from weights of an earlier run, also where the network has grown since."""

from __future__ import annotations

from pathlib import Path

import torch
from torch import nn
from torch.nn import functional


def load_matching(net: nn.Module, path: Path) -> int:
    """Copy parameters by name from a checkpoint's average, or from a shipped ONNX file.

    Parameters that the file lacks keep their initial values: an added residual block starts at
    zero, so a grown network begins where the smaller one ended. A first layer that takes more
    channels than the file's is filled up with zeros.

    Returns
    -------
    int
        How many pictures those weights have seen.

    Raises
    ------
    ValueError
        Where a parameter of the file has another shape, or none fits.
    """
    if path.suffix == ".onnx":
        from training.shipping import read_parameters

        values, seen = read_parameters(path)
        # An attacker ships inside a module that brings its directions to length one.
        values = {name.removeprefix("reader."): value for name, value in values.items()}
    else:
        state = torch.load(path, map_location="cpu", weights_only=True)
        values, seen = state["ema"], int(state["seen"])
    own = net.state_dict()
    fitting = {name: value for name, value in values.items() if name in own}
    for name, value in fitting.items():
        if value.ndim == 4 and own[name].ndim == 2:  # a kernel that the exporter unfolded
            value = fitting[name] = value.flatten(1)
        if name == "stem.weight" and value.shape[1] < own[name].shape[1]:
            fitting[name] = functional.pad(value, (0, own[name].shape[1] - value.shape[1]))
    if not fitting:
        raise ValueError(f"{path} has no parameter of this network")
    for name, value in fitting.items():
        if own[name].shape != value.shape:
            raise ValueError(f"{name} is {tuple(value.shape)} in {path}, not {own[name].shape}")
    net.load_state_dict(fitting, strict=False)
    return seen
