"""What this machine trains best with: device, precision and number of threads."""

from __future__ import annotations

import os
import time
from dataclasses import dataclass, field
from pathlib import Path

import torch
from torch.nn import functional


def _seconds_per_step(device: torch.device, bf16: bool, seconds: float) -> float:
    """Time a convolution forwards and backwards, as the network's middle level has it."""
    x = torch.randn(16, 112, 16, 16, device=device).to(memory_format=torch.channels_last)
    w = torch.randn(112, 112, 3, 3, device=device, requires_grad=True)
    done, end, start = 0, 0.0, 0.0
    while end - start < seconds:
        with torch.autocast(device.type, torch.bfloat16, enabled=bf16):
            loss = functional.conv2d(x, w, padding=1).float().sum()
        loss.backward()  # type: ignore[no-untyped-call]
        if device.type == "cuda":
            torch.cuda.synchronize()
        end = time.perf_counter()
        if done == 0 and start == 0.0:
            start = end  # the first step warms up
            continue
        done += 1
    return (end - start) / done


def choose_device() -> torch.device:
    """CUDA where it is present; of several GPUs that which torchrun gave this process."""
    if not torch.cuda.is_available():
        return torch.device("cpu")
    device = torch.device("cuda", int(os.environ.get("LOCAL_RANK", "0")))
    torch.cuda.set_device(device)
    return device


def bf16_is_faster(device: torch.device, seconds: float = 0.8) -> bool:
    """Probe the machine for about two seconds: some run bf16 five times faster, some ten slower."""
    plain = _seconds_per_step(device, False, seconds)
    return _seconds_per_step(device, True, seconds) < 0.9 * plain


def _busy_seconds() -> float:
    """CPU seconds spent by everybody on this machine since it started (Linux)."""
    ticks = [int(v) for v in Path("/proc/stat").read_text().split("\n", 1)[0].split()[1:9]]
    user, nice, system, _idle, _iowait, irq, softirq, _steal = ticks
    return (user + nice + system + irq + softirq) / os.sysconf("SC_CLK_TCK")


@dataclass
class ThreadGovernor:
    """Takes the cores that others leave idle: two while you wait, one while you work.

    Parameters
    ----------
    period : float
        Seconds between decisions.
    """

    period: float = 15.0
    cores: int = field(default_factory=lambda: len(os.sched_getaffinity(0)))
    _last: tuple[float, float, float] | None = None

    def update(self) -> None:
        """Call once a step; changes PyTorch's thread count when it is time to."""
        if not Path("/proc/stat").exists():
            return
        now = time.monotonic()
        if self._last is not None and now - self._last[0] < self.period:
            return
        times = os.times()
        own = times.user + times.system
        state = now, _busy_seconds(), own
        if self._last is not None:
            elapsed = state[0] - self._last[0]
            others = (state[1] - self._last[1] - (state[2] - self._last[2])) / elapsed
            torch.set_num_threads(max(1, min(self.cores, int(self.cores - others + 0.4))))
        self._last = state
