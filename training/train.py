"""Train a network: one loop for every task.

    python -m training.train training/configs/restorer.py --faces train.tar --valid valid.tar \
        --atlas glyphs.npz --out runs/restorer --minutes 120

The learning rate is constant after a short warm-up, so that a run can be continued for ever;
``--cooldown M`` lets it fall to nothing over the last M minutes, in a branch of its own: the trunk
is saved before, and the same command continues from the trunk next time.

    torchrun --nproc-per-node 4 -m training.train ...

trains on several GPUs; see :mod:`training.parallel`.
"""

from __future__ import annotations

import argparse
import copy
import dataclasses
import json
import runpy
import signal
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch
from torch import Tensor, nn

from training import data, parallel, throughput
from training.machine import ThreadGovernor, bf16_is_faster, choose_device
from training.muon import Muon
from training.warm_start import load_matching


class Task:
    """What is learned: a network, its samples, its loss and its judge.

    Attributes
    ----------
    net : nn.Module
        The network, freshly initialised.
    samples : object
        Map-style: an index, however large, to arrays.
    sources : tuple of Path
        The files behind the samples; their hash travels inside the checkpoint.
    rate : float
        The schedule's present share of the learning rates, for a task that has optimisers of its
        own.
    """

    net: nn.Module
    samples: Any
    sources: tuple[Path, ...]
    rate: float = 1.0

    def prepare(self, device: torch.device) -> None:
        """Bring what the task has besides the network to its device."""

    def loss(
        self, net: Callable[..., Tensor], batch: list[Tensor], device: torch.device, bf16: bool
    ) -> Tensor:
        """Loss of one batch, to be differentiated."""
        raise NotImplementedError

    def validate(
        self, net: nn.Module, device: torch.device, bf16: bool
    ) -> tuple[dict[str, float], np.ndarray[Any, Any] | None]:
        """Scores by name, higher is better, and a grid of pictures to look at, if any."""
        raise NotImplementedError

    def state(self) -> dict[str, Any]:
        """What a checkpoint keeps besides the network and its optimisers."""
        return {}

    def load(self, state: dict[str, Any]) -> None:
        """Go on from what :meth:`state` returned."""


_MADE_BY = {
    "atlas": "python -m training.glyphs writes it",
    "perceptual": "python -m training.perceptual writes it",
    "descriptors": "python -m training.describe writes it",
    "reader": "pip download --no-deps rapidocr==3.10.0 fetches it",
}


@dataclass(frozen=True)
class TrainConfig:
    """Everything that decides what is learned; it travels inside every checkpoint.

    Learning rates: ``muon`` for convolutions (momentum orthogonalised by Newton-Schulz steps;
    Jordan et al., 2024), ``adamw`` for gains, offsets and position maps. ``ema`` is the averaging
    time of the weights that are shipped, in pictures.
    """

    name: str
    seed: int = 1
    batch: int = 16
    muon: float = 0.01
    adamw: float = 1e-3
    weight_decay: float = 0.01
    warmup: int = 2_000
    ema: int = 16_000
    clip: float = 1.0

    def require(self, arguments: argparse.Namespace, *names: str) -> None:
        """End with one line where an optional argument that this task needs is missing."""
        for name in names:
            if getattr(arguments, name) is None:
                made = _MADE_BY[name]
                raise SystemExit(f"{self.name} needs --{name}; {made}")

    def task(self, arguments: argparse.Namespace) -> Task:
        """Load the data that the command line names."""
        raise NotImplementedError


class Average:
    """Exponential moving average of a network's parameters, in float32."""

    def __init__(self, net: nn.Module) -> None:
        self.values = {k: v.detach().clone().float() for k, v in net.state_dict().items()}

    @torch.no_grad()
    def update(self, net: nn.Module, decay: float) -> None:
        """Move towards the network's present parameters."""
        for name, value in net.state_dict().items():
            self.values[name].lerp_(value.float(), 1 - decay)


def optimisers(net: nn.Module, config: TrainConfig) -> list[torch.optim.Optimizer]:
    """Muon for the matrices of convolutions, AdamW for the rest."""
    matrices = [p for name, p in net.named_parameters() if p.ndim == 2 and name.endswith("weight")]
    chosen = {id(p) for p in matrices}
    rest = [p for p in net.parameters() if id(p) not in chosen]
    return [
        Muon(matrices, lr=config.muon, weight_decay=config.weight_decay),
        torch.optim.AdamW(rest, lr=config.adamw, betas=(0.9, 0.99), weight_decay=0.0),
    ]


def commit() -> str:
    """The commit that the run was started from, or ``unknown`` outside a checkout."""
    try:
        found = subprocess.run(
            ["git", "rev-parse", "HEAD"], check=True, capture_output=True, text=True
        )
    except (OSError, subprocess.CalledProcessError):
        return "unknown"
    return found.stdout.strip()


def save(path: Path, state: dict[str, Any]) -> None:
    """Write a checkpoint under a temporary name, then rename it."""
    partial = path.with_suffix(".partial")
    torch.save(state, partial)
    partial.rename(path)


def train(config: TrainConfig, arguments: argparse.Namespace) -> None:
    """Run the loop until ``--minutes`` or ``--pictures`` is reached, or a signal asks to stop."""
    began = time.monotonic()
    out: Path = arguments.out
    out.mkdir(parents=True, exist_ok=True)
    cv2.setNumThreads(0)
    torch.manual_seed(config.seed)
    device = choose_device()
    parallel.join(device)
    leads, step_size = parallel.rank() == 0, config.batch * parallel.size()
    torch.set_num_threads(arguments.threads or 1)
    governor = ThreadGovernor() if not arguments.threads and device.type == "cpu" else None
    wanted = arguments.precision
    bf16 = bf16_is_faster(device) if wanted == "auto" else wanted == "bf16"
    peak = throughput.matmul_rate(device, bf16) / torch.get_num_threads()
    if leads:
        words = f"{device}, {'bf16' if bf16 else 'float32'}, processes: {parallel.size()}"
        print(
            f"{words}, {peak / 1e9:,.0f} GFLOP/s a thread in products, commit {commit()}",
            flush=True,
        )

    task = config.task(arguments)
    task.prepare(device)
    net = _on_device(task.net, device)
    forward = torch.compile(net) if arguments.compile else net
    optims = optimisers(net, config)
    average = Average(net)
    seen, best = 0, _best_so_far(out / "best.pt")
    trunk = out / "trunk.pt"
    if trunk.exists():
        state = torch.load(trunk, map_location=device, weights_only=True)
        net.load_state_dict(state["net"])
        average.values = state["ema"]
        for optim, saved in zip(optims, state["optims"], strict=True):
            optim.load_state_dict(saved)
        task.load(state.get("task", {}))
        seen = state["seen"]
        print(f"resumed at {seen:,} pictures", flush=True)
    elif arguments.warm:
        seen = load_matching(net, arguments.warm)
        average = Average(net)
        print(f"warm start from {arguments.warm} ({seen:,} pictures)", flush=True)

    loader = iter(
        torch.utils.data.DataLoader(
            task.samples,
            batch_size=config.batch,
            sampler=data.Forever(seen + parallel.rank(), parallel.size()),
            num_workers=arguments.workers,
            worker_init_fn=_quiet_worker,
            persistent_workers=arguments.workers > 0,
            prefetch_factor=4 if arguments.workers else None,
        )
    )
    facts = {
        "config": json.dumps(dataclasses.asdict(config)),
        "commit": commit(),
        "seed": config.seed,
        "data": data.digest(*task.sources),
    }
    stopping = False

    def stop(*_: object) -> None:
        nonlocal stopping
        stopping = True

    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, stop)

    def state_now() -> dict[str, Any]:
        optims_now = [optim.state_dict() for optim in optims]
        return facts | {
            "net": net.state_dict(),
            "ema": average.values,
            "optims": optims_now,
            "task": task.state(),
            "seen": seen,
        }

    def keep_trunk() -> None:
        if leads:
            save(trunk, state_now())

    def report(path: Path) -> None:
        nonlocal best
        if not leads:
            return
        judge = copy.deepcopy(net)
        judge.load_state_dict(average.values)
        scores, grid = task.validate(judge.eval(), device, bf16)
        mean = float(np.mean(list(scores.values())))
        words = " ".join(f"{name} {value:.2f}" for name, value in scores.items())
        print(f"valid {seen:,} mean {mean:.3f} {words}", flush=True)
        if grid is not None:
            cv2.imwrite(str(out / "grid.png"), grid[..., ::-1])
        with (out / "curve.jsonl").open("a") as file:
            file.write(json.dumps({"seen": seen, "cooling": cooling, **scores}) + "\n")
        if mean > best:
            best = mean
            save(path, facts | {"ema": average.values, "seen": seen, "scores": scores})

    def learn(batch: list[Tensor]) -> float:
        loss = task.loss(forward, batch, device, bf16)
        loss.backward()  # type: ignore[no-untyped-call]
        return float(loss.detach())

    cooling = False
    started, waited, spent, losses = seen, 0.0, time.monotonic(), []
    saved_at = time.monotonic()
    next_report = seen + arguments.report
    work = 0
    while True:
        left = float("-inf") if stopping else arguments.minutes - (time.monotonic() - began) / 60
        left = parallel.agree(left, device)
        if left <= 0 or (arguments.pictures and seen >= arguments.pictures):
            break
        if not cooling and left <= arguments.cooldown:
            keep_trunk()
            cooling, best = True, float("-inf")
            if leads:
                print(f"cooling down from {seen:,} pictures", flush=True)
        rate = min(1.0, (seen + step_size) / config.warmup)
        if cooling:
            rate *= max(0.01, left / arguments.cooldown)
        task.rate = rate
        for optim, base in zip(optims, (config.muon, config.adamw), strict=True):
            for group in optim.param_groups:
                group["lr"] = base * rate

        fetched = time.monotonic()
        batch = next(loader)
        waited += time.monotonic() - fetched
        if work or arguments.compile:
            losses.append(learn(batch))
        else:  # the first step is counted
            first, work = throughput.counted(partial(learn, batch))
            losses.append(first)
        parallel.average_gradients(net.parameters())
        nn.utils.clip_grad_norm_(net.parameters(), config.clip)
        for optim in optims:
            optim.step()
            optim.zero_grad(set_to_none=True)
        seen += step_size
        average.update(net, min(1 - step_size / config.ema, seen / (seen + 10 * step_size)))
        if governor:
            governor.update()

        if len(losses) == 50:
            rate_now = (seen - started) / (time.monotonic() - spent)
            share = waited / (time.monotonic() - spent)
            used = work * rate_now / step_size / peak / torch.get_num_threads()
            if leads:
                print(
                    f"{seen:,} loss {np.mean(losses):.4f} {rate_now:.1f} pictures/s "
                    f"{torch.get_num_threads()} threads, waiting {share:.1%}, "
                    f"{used:.0%} of the products' rate",
                    flush=True,
                )
            started, waited, spent, losses = seen, 0.0, time.monotonic(), []
        if seen >= next_report:
            next_report += arguments.report
            report(out / ("cooled.pt" if cooling else "best.pt"))
        if time.monotonic() - saved_at > 60 * arguments.save_every and not cooling:
            keep_trunk()
            saved_at = time.monotonic()
    if not cooling:
        keep_trunk()
    elif leads:  # scores say little of an adversarial task: its last weights may well be its best
        save(out / "last.pt", facts | {"ema": average.values, "seen": seen, "scores": {}})
    report(out / ("cooled.pt" if cooling else "best.pt"))
    parallel.leave()


def _best_so_far(path: Path) -> float:
    """Mean validation score of the best weights that an earlier call left."""
    if not path.exists():
        return float("-inf")
    scores = torch.load(path, map_location="cpu", weights_only=True)["scores"]
    return float(np.mean(list(scores.values())))


def _on_device(net: nn.Module, device: torch.device) -> nn.Module:
    net.to(device)
    net.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    return net


def _quiet_worker(_: int) -> None:
    cv2.setNumThreads(0)
    signal.signal(signal.SIGINT, signal.SIG_IGN)


def main() -> None:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("config", type=Path, help="a file that defines CONFIG")
    parser.add_argument("--faces", type=Path, required=True, help="tar of 128 px faces")
    parser.add_argument("--valid", type=Path, required=True, help="tar of held-out faces")
    parser.add_argument("--atlas", type=Path, help="restorer: from training.glyphs")
    parser.add_argument("--perceptual", type=Path, help="realism: from training.perceptual")
    parser.add_argument("--reader", type=Path, help="text: the wheel rapidocr 3.10.0")
    parser.add_argument("--descriptors", type=Path, help="identity: from training.describe")
    parser.add_argument("--out", type=Path, required=True, help="folder for checkpoints")
    parser.add_argument("--warm", type=Path, help="weights to start from (.pt or .onnx)")
    parser.add_argument("--minutes", type=float, default=float("inf"), help="end cleanly after")
    parser.add_argument("--pictures", type=int, default=0, help="end at this many seen")
    parser.add_argument("--cooldown", type=float, default=0.0, help="minutes of falling rate")
    parser.add_argument("--threads", type=int, default=0, help="0: what others leave idle")
    precisions = ("auto", "bf16", "float32")
    parser.add_argument("--precision", choices=precisions, default="auto", help="auto: faster")
    parser.add_argument("--compile", action="store_true", help="needs a compiler; a sixth faster")
    parser.add_argument("--workers", type=int, default=1, help="loader processes")
    parser.add_argument("--report", type=int, default=8_000, help="pictures between validations")
    parser.add_argument("--save-every", type=float, default=10.0, help="minutes")
    parser.add_argument("--valid-count", type=int, default=96, help="faces per validation set")
    arguments = parser.parse_args()
    train(runpy.run_path(str(arguments.config))["CONFIG"], arguments)
    parallel.end()


if __name__ == "__main__":
    main()
