"""Training of the restoring attacker's restorer: its loss is about who it is."""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="training needs the `train` extra")

from training.identity_restorer import IdentityRestorerConfig  # noqa: E402
from training.network import NetworkConfig  # noqa: E402
from training.train import train  # noqa: E402

TINY = NetworkConfig(channels=(16, 16, 32), blocks=(1, 1, 2), head=8)
CONFIG = IdentityRestorerConfig("tiny", network=TINY, batch=2, warmup=8)


@pytest.fixture
def arguments(tmp_path: Path, archive: Path, atlas: Path) -> argparse.Namespace:
    return argparse.Namespace(
        faces=archive, valid=archive, atlas=atlas, out=tmp_path / "run", warm=None,
        minutes=float("inf"), pictures=4, cooldown=0.0, threads=1, compile=False,
        precision="float32", workers=0, report=10**9, save_every=10**9, valid_count=4,
    )  # fmt: skip


def test_the_loss_prefers_the_same_person(arguments: argparse.Namespace, faces: np.ndarray) -> None:
    task = CONFIG.task(arguments)
    device = torch.device("cpu")
    task.prepare(device)
    clean = torch.from_numpy(faces[:4]).permute(0, 3, 1, 2)
    batch = [clean, clean, torch.zeros(4, dtype=torch.long)]
    losses = [
        float(task.loss(lambda x, _, n=order: x[n], batch, device, False))
        for order in ([0, 1, 2, 3], [1, 2, 3, 0])
    ]
    assert losses[0] + 0.1 < losses[1]


def test_it_trains_and_says_who_is_recognised(
    arguments: argparse.Namespace, capsys: pytest.CaptureFixture[str]
) -> None:
    train(CONFIG, arguments)
    last = capsys.readouterr().out.strip().splitlines()[-1]
    assert last.startswith("valid 4 mean")
    assert "mosaic-8" in last
    assert (arguments.out / "trunk.pt").exists()
