"""The seed paper's experiment: rows are loaded as they were trained, and claims are computed."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="the experiment needs the `train` extra")

from benchmarks import paper  # noqa: E402
from benchmarks.results import Estimate  # noqa: E402
from training.network import NetworkConfig  # noqa: E402
from training.paper import generator  # noqa: E402
from training.paper_network import PaperConfig  # noqa: E402

SMALL = PaperConfig(channels=8, layers=2)
BODY = NetworkConfig(channels=(16, 32), blocks=(1, 1), head=8, size=64)


def trained(folder: Path, name: str, shape: PaperConfig | NetworkConfig) -> paper.Row:
    (folder / name).mkdir()
    config = json.dumps({"network": dataclasses.asdict(shape)})
    state = {"config": config, "ema": generator(shape).state_dict(), "seen": 30_000}
    torch.save(state, folder / name / "trunk.pt")
    return paper.Row.load(name, folder)


def test_rows_come_back_as_they_were_trained(tmp_path: Path) -> None:
    row, body = trained(tmp_path, "pixel", SMALL), trained(tmp_path, "body", BODY)
    assert (row.channels, row.seen) == (8, 30_000)
    small = np.random.default_rng(0).integers(0, 256, (3, 16, 16, 3), np.uint8)
    for each in (row, body):
        restored = each.restore(small, 0)
        assert (restored.shape, restored.dtype) == ((3, 64, 64, 3), np.uint8)
    # Two 5 x 5 convolutions of 8 channels, the output's, and two up-convolutions of 6 x 6.
    layers = 2 * 25 * 64 + 25 * 8 * 3
    expected = 64 * 64 * layers + 36 * (16 * 16 * 3 * 8 + 32 * 32 * 8 * 8)
    assert row.macs() == pytest.approx(expected / 1e9)


def scored(names: dict[str, float], metric: str) -> list[dict[str, object]]:
    """Rows whose LPIPS falls as their PSNR rises."""
    return [
        {
            "row": paper.ROWS[name],
            "psnr": Estimate(psnr, psnr, psnr, 4),
            "lpips": Estimate(1 / psnr, 0, 0, 4),
            metric: Estimate(0.5, 0, 0, 4),
        }
        for name, psnr in names.items()
    ]


def test_claims_are_computed_from_the_tables() -> None:
    common = {"pixel": 20.0, "gan": 19.0, "mcgan": 19.5, "body": 20.4}
    table = paper.claims(
        scored({**common, "scgan_face": 19.6}, "identity"),  # type: ignore[arg-type]
        scored({**common, "scgan_text": 20.0}, "cer"),  # type: ignore[arg-type]
        [
            {"row": paper.ROWS["pixel"], "macs": 0.9, "channels": 32},
            {"row": paper.ROWS["body"], "macs": 0.2, "channels": 40},
        ],
    )
    met = {row["what"]: row["met"] for row in table.rows}
    assert met["faces: dB lost to the single-class network"] == "yes"
    assert met["text: dB lost to the single-class network"] == "no"
    assert met["faces: LPIPS that the basic GAN lacks"] == "yes"
    assert met["faces: dB of our body over the paper's"] == "yes"
    assert met["multiply-accumulates of the paper's, of our body's"] == "yes"
