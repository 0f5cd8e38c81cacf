"""Weights of 8 bit: what a file holds is what the network computes with."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="training needs the `train` extra")

from training import compact, export, warm_start  # noqa: E402
from training.identity_restorer import IdentityRestorerConfig  # noqa: E402
from training.network import NetworkConfig, Restorer  # noqa: E402
from training.shipping import ship  # noqa: E402

TINY = NetworkConfig(channels=(16, 16, 32), blocks=(1, 1, 2), head=8)


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    torch.manual_seed(1)
    values = Restorer(TINY).state_dict()
    config = dataclasses.asdict(IdentityRestorerConfig("tiny", network=TINY))
    path = tmp_path_factory.mktemp("run") / "last.pt"
    torch.save(
        {
            "ema": {name: v + 0.02 * torch.randn_like(v) for name, v in values.items()},
            "seen": 7, "seed": 1, "commit": "0" * 40, "data": "1" * 64,
            "config": json.dumps(config),
        },
        path,
    )  # fmt: skip
    return path


def test_levels_times_scale_are_within_half_a_level(rng: np.random.Generator) -> None:
    matrix = rng.normal(size=(5, 300)) * np.array([[1], [1e-3], [40], [0], [1e-9]])
    levels, scale = compact.split(matrix)
    assert levels.dtype == np.int8
    assert (np.abs(levels * scale - matrix) <= 0.5001 * scale + 1e-30).all()
    again, same = compact.split(levels * scale)
    assert np.array_equal(levels, again)
    assert np.allclose(scale, same, rtol=1e-6)


def test_a_compact_file_is_half_as_large_and_restores_alike(
    checkpoint: Path, tmp_path: Path
) -> None:
    net, state = export.load_restorer(checkpoint)
    compact.rounded(net)
    sizes = []
    for eight_bit in (True, False):
        path = tmp_path / f"{eight_bit}.onnx"
        found = ship(
            export.to_onnx(net), path, state,
            lambda file: export.largest_difference(net, file), 1e-3, eight_bit=eight_bit,
        )  # fmt: skip
        assert found < export.LARGEST_DIFFERENCE
        sizes.append(path.stat().st_size)
    weights = sum(p.numel() for p in net.parameters() if p.ndim == 2)
    assert sizes[0] + 0.5 * weights < sizes[1]
    grown = Restorer(TINY)
    assert warm_start.load_matching(grown, tmp_path / "True.onnx") == 7
    x, kinds = torch.rand(2, 3, 128, 128), torch.tensor([0, 1])
    with torch.no_grad():
        assert torch.allclose(grown(x, kinds), net(x, kinds), atol=1e-3)
