"""Several processes train one network, each on a device of its own.

    torchrun --nproc-per-node 4 -m training.train training/configs/restorer.py ...

PyTorch's launcher starts them and says in the environment who is who. Each takes every n-th
picture; gradients are averaged before a step, so that n processes with batches of b learn what one
does with a batch of n b. The first process keeps the time, validates and writes the files.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable
from datetime import timedelta

import torch
from torch import Tensor, distributed

_PATIENCE = timedelta(hours=1)
"""How long the others wait while the first process validates."""


def rank() -> int:
    """Return the number of this process, from 0."""
    return int(os.environ.get("RANK", "0"))


def size() -> int:
    """Return how many processes train together."""
    return int(os.environ.get("WORLD_SIZE", "1"))


def join(device: torch.device) -> None:
    """Meet the other processes, if there are any."""
    if size() > 1 and not distributed.is_initialized():
        backend = "nccl" if device.type == "cuda" else "gloo"
        distributed.init_process_group(backend, timeout=_PATIENCE)


def leave() -> None:
    """Wait for the others, then part: who left while another still works would tear its links."""
    if distributed.is_initialized():
        distributed.barrier()
        distributed.destroy_process_group()


def end() -> None:
    """End this process, whose work is done, without Python's own way out.

    Where several train together, one aborted in such an exit, once in about forty runs ("terminate
    called without an active exception": a thread of PyTorch's was still alive), and torchrun
    reported a failure.
    """
    if size() > 1:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(0)


@torch.no_grad()
def average_gradients(parameters: Iterable[Tensor]) -> None:
    """Replace every gradient by its mean over the processes; one transfer for all."""
    if not distributed.is_initialized():
        return
    gradients = [p.grad for p in parameters if p.grad is not None]
    whole = torch.cat([gradient.flatten() for gradient in gradients])
    distributed.all_reduce(whole)
    whole /= distributed.get_world_size()
    parts = torch.split(whole, [gradient.numel() for gradient in gradients])
    for gradient, part in zip(gradients, parts, strict=True):
        gradient.copy_(part.view_as(gradient))


def agree(number: float, device: torch.device) -> float:
    """Return what the first process says."""
    if not distributed.is_initialized():
        return number
    said = torch.tensor([number], dtype=torch.float64, device=device)
    distributed.broadcast(said, 0)
    return float(said)
