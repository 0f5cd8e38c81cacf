"""The realistic restorer's losses: each says what it is for."""

from __future__ import annotations

import argparse
import dataclasses
import json
from pathlib import Path

import cv2
import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="training needs the `train` extra")

from seethrough import degrade  # noqa: E402
from seethrough.auditor.recognisers import RECOGNISERS, Recogniser, RecogniserName  # noqa: E402
from seethrough.pipeline.options import REALISM  # noqa: E402
from seethrough.restorer.checkerboard import without_checkerboard  # noqa: E402
from seethrough.restorer.dial import blended  # noqa: E402
from seethrough.weights import ASSETS  # noqa: E402
from training import dial, export, warm_start  # noqa: E402
from training.critic import CriticConfig, CriticGame  # noqa: E402
from training.explain import axes, explained  # noqa: E402
from training.frozen import FrozenRecogniser  # noqa: E402
from training.network import NetworkConfig, Restorer  # noqa: E402
from training.perceptual import STAGES, WIDTHS, Perceptual  # noqa: E402
from training.realism import DEFAULT, RealismConfig  # noqa: E402

OPERATORS = {
    "gauss": degrade.GaussianBlur(3.0),
    "box": degrade.BoxBlur((9, 5)),
    "mosaic": degrade.Mosaic((7.3, 5), (2.5, 1)),
    "sampled": degrade.Mosaic(6, (1, 2), sampled=True),
    "chain": degrade.Chain([degrade.GaussianBlur(1.5), degrade.Downscale(4), degrade.Noise(0.01)]),
}


@pytest.mark.parametrize("name", OPERATORS)
def test_matrices_degrade_as_the_operator_does(name: str, rng: np.random.Generator) -> None:
    picture = rng.random((64, 64, 3), np.float32)
    operator = OPERATORS[name]
    steps = operator.operators if isinstance(operator, degrade.Chain) else (operator,)
    expected = picture
    for step in steps:
        if not isinstance(step, degrade.Noise):
            expected = step.apply(expected)
    rows, columns = axes(operator, 64)
    found = np.einsum("ij,jkc,lk->ilc", rows, picture, columns)
    height, width = expected.shape[:2]
    assert np.abs(found[:height, :width] - expected).max() < 1e-4
    assert not found[height:].any()


def test_paths_and_partial_covers_have_no_matrices() -> None:
    for operator in (
        None,
        degrade.MotionPath(9.0),
        degrade.Within(degrade.Mosaic(8), degrade.MASK_FACE),
    ):
        assert not any(matrix.any() for matrix in axes(operator, 64))


def test_what_the_operator_removes_costs_nothing(rng: np.random.Generator) -> None:
    clean = rng.random((2, 64, 64, 3), np.float32)
    rows, columns = axes(degrade.Mosaic(8), 64)
    other = clean.copy()
    other[:, ::2], other[:, 1::2] = clean[:, 1::2], clean[:, ::2]  # within their cells

    def loss(picture: np.ndarray) -> float:
        x, y = (torch.from_numpy(p).permute(0, 3, 1, 2) for p in (picture, clean))
        matrices = (torch.from_numpy(np.stack([m, 0 * m])) for m in (rows, columns))
        return float(explained(x, y, *matrices))

    assert loss(other) < 1e-9
    assert loss(clean + 0.1) == pytest.approx(0.01, rel=1e-3)


@pytest.mark.parametrize("name", RECOGNISERS)
def test_a_frozen_recogniser_is_the_shipped_one(name: RecogniserName, faces: np.ndarray) -> None:
    smooth = np.stack([cv2.GaussianBlur(face, (0, 0), 2) for face in faces])
    expected = Recogniser(name, "cpu", 1).describe(smooth)
    x = torch.from_numpy(smooth).permute(0, 3, 1, 2).float() / 255
    found = FrozenRecogniser(ASSETS / f"recogniser-{name}.onnx", name)(x).numpy()
    assert np.linalg.norm(found - expected, axis=1).max() < 0.1


def test_the_perceptual_distance_knows_equal_pictures(tmp_path: Path) -> None:
    draw = np.random.default_rng(1)
    widths, arrays, inputs, number = (8, 8, 8, 8, 8), {}, 3, 0
    for stage, width in enumerate(widths):
        for _ in range(STAGES[stage]):
            arrays[f"weight{number}"] = draw.normal(0, 0.2, (width, inputs, 3, 3))
            arrays[f"bias{number}"] = np.zeros(width)
            inputs, number = width, number + 1
        arrays[f"head{stage}"] = np.full((1, width, 1, 1), 0.1)
    np.savez(tmp_path / "vgg.npz", allow_pickle=False, **arrays)
    distance = Perceptual(tmp_path / "vgg.npz")
    a = torch.rand(2, 3, 32, 32, generator=torch.Generator().manual_seed(1))
    assert float(distance(a, a)) == 0
    assert 0 < float(distance(a, a + 0.02)) < float(distance(a, 1 - a))


def test_a_refiner_begins_at_the_estimate() -> None:
    config = NetworkConfig(channels=(16, 16, 32), blocks=(1, 1, 2), head=8, refines=True)
    degraded, estimate = torch.rand(2, 3, 128, 128), torch.rand(2, 3, 128, 128)
    restored = Restorer(config)(degraded, torch.tensor([0, 1]), estimate)
    assert torch.allclose(restored, estimate)


def test_a_wider_first_layer_is_filled_up_with_zeros(tmp_path: Path) -> None:
    small = NetworkConfig(channels=(16, 16, 32), blocks=(1, 1, 2), head=8)
    old, new = Restorer(small), Restorer(dataclasses.replace(small, refines=True))
    torch.save({"ema": old.state_dict(), "seen": 5}, tmp_path / "old.pt")
    assert warm_start.load_matching(new, tmp_path / "old.pt") == 5
    count = old.stem.weight.shape[1]
    assert torch.equal(new.stem.weight[:, :count], old.stem.weight)
    assert not new.stem.weight[:, count:].any()


def features(seed: int) -> list[torch.Tensor]:
    """Unit vectors as VGG-16's stages have them, for two small pictures."""
    draw = torch.Generator().manual_seed(seed)
    maps = [torch.randn(2, width, 4, 4, generator=draw) for width in WIDTHS]
    return [torch.nn.functional.normalize(each, dim=1) for each in maps]


def test_a_critic_learns_what_is_real_and_says_so_to_the_generator() -> None:
    torch.manual_seed(1)
    game = CriticGame(CriticConfig(channels=8, weight=1.0, rate=3e-3), torch.device("cpu"))
    real, degraded = features(1), features(2)
    restored = [part.requires_grad_(True) for part in features(3)]
    first = game.teach(restored, real, degraded)
    for _ in range(40):
        last = game.teach(restored, real, degraded)
    assert last < 0.5 * first
    assert all(part.grad is None for part in restored)
    kept = [parameter.clone() for parameter in game.net.parameters()]
    wrong = game.judge(restored, real, degraded)
    assert game.judge(real, real, degraded).detach() < wrong.detach()
    wrong.backward()
    looked_at = [part.grad is not None for part in restored]
    assert looked_at == [stage in game.config.stages for stage in range(len(WIDTHS))]
    again = CriticGame(game.config, torch.device("cpu"))
    again.load(game.state())
    assert all(map(torch.equal, kept, again.net.parameters()))


def test_the_card_says_how_it_was_trained(tmp_path: Path, archive: Path, atlas: Path) -> None:
    config = RealismConfig(
        "tiny", network=NetworkConfig(channels=(16, 16, 32), blocks=(1, 1, 2), head=8)
    )
    torch.manual_seed(1)
    values = Restorer(config.network).state_dict()
    values = {name: value + 0.01 * torch.randn_like(value) for name, value in values.items()}
    checkpoint = {
        "ema": values, "seen": 5, "seed": 1, "commit": "0" * 40,
        "data": "1" * 64, "config": json.dumps(dataclasses.asdict(config)), "scores": {},
    }  # fmt: skip
    torch.save(checkpoint, tmp_path / "last.pt")
    export.export(
        argparse.Namespace(
            checkpoint=tmp_path / "last.pt", onnx=tmp_path / "tiny.onnx", valid=archive, atlas=atlas
        )
    )
    card = (tmp_path / "tiny.md").read_text(encoding="utf-8")
    assert "$" not in card
    assert "never evidence" in card
    assert "relativistic" in card
    assert "| text" not in card


def test_the_dial_that_is_trained_is_the_one_that_ships(rng: np.random.Generator) -> None:
    mean, realistic = rng.random((2, 3, 3, 128, 128)).astype(np.float32)
    places = (0.0, 0.7, 1.0)
    made = dial.blended(
        torch.from_numpy(mean), torch.from_numpy(realistic), torch.tensor(places)
    ).numpy()
    for i, place in enumerate(places):
        shipped = blended(mean[i : i + 1], realistic[i : i + 1], place)
        assert np.abs(made[i] - shipped[0]).max() < 1e-4
    assert DEFAULT == REALISM


def test_the_checkerboard_that_training_takes_away_is_the_one_that_shipping_does(
    rng: np.random.Generator,
) -> None:
    pictures = rng.random((2, 3, 128, 128)).astype(np.float32)
    made = dial.without_checkerboard(torch.from_numpy(pictures)).numpy()
    assert np.abs(made - without_checkerboard(pictures)).max() < 1e-5


def test_the_dial_lets_detail_through_to_the_network() -> None:
    mean = torch.full((1, 3, 128, 128), 0.5)
    cells = (torch.arange(128)[:, None] + torch.arange(128)) % 2 * 2.0 - 1
    wave = torch.sin(torch.arange(128) / 128 * 2 * torch.pi).expand(128, 128)
    felt = {}
    for name, pattern in (("fine", cells), ("coarse", wave)):
        realistic = mean.clone().requires_grad_(True)
        shown = dial.blended(mean, realistic, torch.tensor([0.7]))
        (shown * pattern).sum().backward()
        assert realistic.grad is not None
        felt[name] = float((realistic.grad[0] * pattern).sum() / (3 * pattern.square().sum()))
    assert felt["fine"] > 0.69
    assert 0.4 > felt["coarse"] > 0.02
