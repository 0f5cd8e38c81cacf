"""What is too strong at a frequency costs; what is too weak, or elsewhere, does not."""

from __future__ import annotations

import pytest

torch = pytest.importorskip("torch")

from training.spectrum import excess  # noqa: E402


@pytest.fixture
def faces() -> torch.Tensor:
    noise = torch.rand(2, 3, 128, 128, generator=torch.Generator().manual_seed(1))
    soft = torch.nn.functional.avg_pool2d(noise, 9, stride=1, padding=4)
    return 0.5 + 3 * (soft - 0.5)


def chequered(pictures: torch.Tensor, period: int, strength: float) -> torch.Tensor:
    rows, columns = torch.meshgrid(torch.arange(128), torch.arange(128), indexing="ij")
    cells = ((rows // (period // 2) + columns // (period // 2)) % 2).float() - 0.5
    return pictures + 2 * strength * cells


def test_the_clean_picture_and_a_moved_one_cost_nothing(faces: torch.Tensor) -> None:
    assert excess(faces, faces) == 0
    assert excess(faces.roll((5, 3), (2, 3)), faces) < 0.02


def test_a_softer_picture_costs_nothing(faces: torch.Tensor) -> None:
    softer = torch.nn.functional.avg_pool2d(faces, 3, stride=1, padding=1)
    assert excess(softer, faces) < 0.01


@pytest.mark.parametrize("period", [2, 4, 8])
def test_a_chequer_costs_the_more_the_stronger_it_is(faces: torch.Tensor, period: int) -> None:
    costs = [float(excess(chequered(faces, period, s), faces)) for s in (0.0, 0.01, 0.03, 0.1)]
    assert costs == sorted(costs)
    assert costs[1] > 0


def test_its_gradient_takes_a_chequer_away(faces: torch.Tensor) -> None:
    pattern = chequered(torch.zeros_like(faces), 4, 1.0)
    strength = torch.tensor(0.03, requires_grad=True)
    excess(faces + strength * pattern, faces).backward()
    assert strength.grad is not None
    assert strength.grad > 0
