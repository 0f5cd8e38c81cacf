"""Several processes learn what one does with a larger batch."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

torch = pytest.importorskip("torch", reason="training needs the `train` extra")

from training import throughput  # noqa: E402

ROOT = Path(__file__).parents[2]
CONFIG = """
from training.network import NetworkConfig
from training.restoration import RestorerConfig

SHAPE = NetworkConfig(channels=(16, 16, 32), blocks=(1, 1, 2), head=8)
CONFIG = RestorerConfig("tiny", network=SHAPE, batch={batch}, warmup=8)
"""


def run(processes: int, batch: int, folder: Path, archive: Path, atlas: Path) -> str:
    """Train for 8 pictures; return what was printed."""
    config = folder / f"config{batch}.py"
    config.write_text(CONFIG.format(batch=batch), encoding="utf-8")
    launcher = ["-m", "torch.distributed.run", "--standalone", "--nproc-per-node", str(processes)]
    words = [
        sys.executable, *launcher, "-m", "training.train", config, "--faces", archive, "--valid",
        archive, "--atlas", atlas, "--out", folder / str(processes), "--pictures", 8,
        "--threads", 1, "--precision", "float32", "--workers", 0, "--valid-count", 4,
    ]  # fmt: skip
    done = subprocess.run(
        [str(word) for word in words], cwd=ROOT, capture_output=True, text=True, timeout=240,
        env={**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT / "src"), str(ROOT)])},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.slow
def test_two_processes_learn_what_one_does_with_twice_the_batch(
    tmp_path: Path, archive: Path, atlas: Path
) -> None:
    assert "processes: 1" in run(1, 4, tmp_path, archive, atlas)
    printed = run(2, 2, tmp_path, archive, atlas)
    assert printed.count("processes: 2") == 1  # the first alone speaks
    assert printed.count("valid 8 mean") == 1
    one, two = (torch.load(tmp_path / name / "trunk.pt", weights_only=True) for name in ("1", "2"))
    assert one["seen"] == two["seen"] == 8
    for name, value in one["net"].items():
        assert torch.allclose(value, two["net"][name], atol=2e-4), name


def test_operations_are_counted_backwards_too() -> None:
    layer = torch.nn.Linear(32, 16)
    x = torch.rand(8, 32, requires_grad=True)

    def step() -> float:
        loss = layer(x).sum()
        loss.backward()
        return float(loss.detach())

    value, work = throughput.counted(step)
    assert value == pytest.approx(float(layer(x).sum().detach()))
    assert work == 3 * 2 * 8 * 32 * 16


def test_products_are_timed_in_the_precision_of_the_training() -> None:
    for bf16 in (False, True):
        assert throughput.matmul_rate(torch.device("cpu"), bf16) > 1e8
