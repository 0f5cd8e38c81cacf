"""How much of what a device can do a training uses."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import torch
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils.flop_counter import flop_registry

SIDE = 2048
ROUNDS = 5


def _wait(device: torch.device) -> None:
    if device.type == "cuda":
        torch.cuda.synchronize(device)


def matmul_rate(device: torch.device, bf16: bool) -> float:
    """Operations a second in a product of two square matrices, in the training's precision.

    A multiply-accumulate counts as two operations, as PyTorch's own counter has it.
    """
    dtype = torch.bfloat16 if bf16 else torch.float32
    a, b = (torch.full((SIDE, SIDE), 0.5, device=device, dtype=dtype) for _ in range(2))
    _ = a @ b
    _wait(device)
    seconds = []
    for _ in range(ROUNDS):
        start = time.perf_counter()
        _ = a @ b
        _wait(device)
        seconds.append(time.perf_counter() - start)
    return 2.0 * SIDE**3 / min(seconds)


class _Counting(TorchDispatchMode):  # type: ignore[no-untyped-call]
    """Adds up what PyTorch's table says of each operator.

    ``FlopCounterMode`` follows modules as well, which gradients of gradients do not survive, and
    takes operators apart, which changes results in their last digits.
    """

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.total = 0

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        found = func(*args, **(kwargs or {}))
        known = flop_registry.get(func._overloadpacket)
        if known is not None:
            self.total += known(*args, **(kwargs or {}), out_val=found)
        return found


def counted(step: Callable[[], float]) -> tuple[float, int]:
    """Run a step; return its result and the operations of its products and convolutions."""
    with _Counting() as counter:
        found = step()
    return found, counter.total
