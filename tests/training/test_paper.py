"""The ablation's generator, discriminator and task."""

from __future__ import annotations

import argparse
import runpy
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="training needs the `train` extra")

from training.adversary import Adversary, AdversaryConfig  # noqa: E402
from training.discriminator import Discriminator, DiscriminatorConfig  # noqa: E402
from training.paper import AblationConfig, SmallPairs, generator  # noqa: E402
from training.paper_network import PaperConfig, PaperGenerator  # noqa: E402
from training.train import train  # noqa: E402

CONFIGS = sorted((Path(__file__).parents[2] / "training" / "configs").glob("iccv17_*.py"))
SMALL = AdversaryConfig(network=DiscriminatorConfig(channels=(8, 8, 8, 8)))


def row(path: Path) -> AblationConfig:
    config = runpy.run_path(str(path))["CONFIG"]
    assert isinstance(config, AblationConfig)
    return config


def batch(count: int = 4) -> tuple[torch.Tensor, ...]:
    draw = torch.Generator().manual_seed(1)
    real = torch.rand(count, 3, 64, 64, generator=draw)
    degraded = torch.nn.functional.avg_pool2d(real, 4)
    return degraded, real, torch.arange(count) % 2


def test_rows_differ_in_one_thing_at_a_time() -> None:
    rows = {path.stem.removeprefix("iccv17_"): row(path) for path in CONFIGS}
    assert set(rows) == {"pixel", "gan", "mcgan", "scgan_face", "scgan_text", "body"}
    assert len({(r.seed, r.batch, r.muon, r.adamw, r.ema) for r in rows.values()}) == 1
    assert [rows[name].text for name in ("scgan_face", "mcgan", "scgan_text")] == [0.0, 0.5, 1.0]
    assert rows["scgan_face"].adversary == rows["mcgan"].adversary
    assert len({r.name for r in rows.values()}) == len(rows)


@pytest.mark.parametrize("path", CONFIGS, ids=lambda path: path.stem)
def test_generators_enlarge_four_times(path: Path) -> None:
    degraded, real, kind = batch(2)
    with torch.no_grad():
        assert generator(row(path).network)(degraded, kind).shape == real.shape


def test_the_papers_generator_costs_what_its_layers_say() -> None:
    net = PaperGenerator(PaperConfig(channels=64))
    assert sum(p.numel() for p in net.parameters()) == (
        3 * 64 * 36 + 64 + 64 * 64 * 36 + 64 + 8 * (64 * 64 * 25 + 64) + 64 * 3 * 25 + 3
    )


def test_the_discriminator_judges_by_class() -> None:
    _, real, kind = batch()
    degraded = real[:, :, ::4, ::4]
    net = Discriminator(SMALL.network)
    verdict, features = net(real, degraded, kind)
    other, _ = net(real, degraded, 1 - kind)
    assert verdict.shape == (4,)
    assert [f.shape[-1] for f in features] == [32, 16, 8, 4]
    assert not torch.allclose(verdict, other)


def test_a_conditional_discriminator_sees_where_the_picture_came_from() -> None:
    degraded, real, kind = batch()
    net = Discriminator(DiscriminatorConfig(channels=(8, 8), conditional=True))
    assert not torch.allclose(net(real, degraded, kind)[0], net(real, 1 - degraded, kind)[0])


@pytest.mark.parametrize("game", ["basic", "relativistic"])
def test_a_discriminator_learns_to_tell_and_the_generator_hears_of_it(game: str) -> None:
    torch.manual_seed(2)
    degraded, real, kind = batch(8)
    restored = torch.nn.functional.interpolate(degraded, scale_factor=4)
    config = AdversaryConfig(
        network=SMALL.network, game=game, weight=1.0, features=1.0, penalty=0.1, rate=2e-3
    )
    adversary = Adversary(config, torch.device("cpu"))
    first = adversary.teach(restored, real, degraded, kind)
    for _ in range(40):
        last = adversary.teach(restored, real, degraded, kind)
    assert last < 0.8 * first
    wanted = restored.clone().requires_grad_(True)
    worse = adversary.judge(wanted, real, degraded, kind)
    better = adversary.judge(real, real, degraded, kind)
    assert better < worse
    worse.backward()
    assert wanted.grad is not None
    assert wanted.grad.abs().max() > 0
    assert all(p.grad is None or p.requires_grad for p in adversary.net.parameters())


def test_a_class_of_its_own_does_not_change_the_pictures(atlas: Path, faces: np.ndarray) -> None:
    both, alone = (SmallPairs(faces, atlas, share, seed=3) for share in (0.5, 0.0))
    found = 0
    for index in range(12):
        degraded, clean, kind = both[index]
        assert degraded.shape == (3, 16, 16)
        assert clean.shape == (3, 64, 64)
        if kind == 0:
            found += 1
            assert np.array_equal(degraded, alone[index][0])
    assert 0 < found < 12


@pytest.mark.slow
def test_a_run_with_a_discriminator_resumes_where_it_was(
    atlas: Path, archive: Path, tmp_path: Path
) -> None:
    config = AblationConfig(
        name="tiny", network=PaperConfig(channels=8, layers=1), adversary=SMALL, batch=2
    )

    def run(out: Path, pictures: int) -> dict[str, torch.Tensor]:
        arguments = argparse.Namespace(
            faces=archive, valid=archive, atlas=atlas, out=out, warm=None, minutes=10.0,
            pictures=pictures, cooldown=0.0, threads=1, precision="float32", compile=False,
            workers=0, report=1_000, save_every=10.0, valid_count=2, descriptors=None,
        )  # fmt: skip
        train(config, arguments)
        state = torch.load(out / "trunk.pt", weights_only=True)
        return state["net"] | {f"d.{k}": v for k, v in state["task"]["adversary"]["net"].items()}

    whole = run(tmp_path / "whole", 8)
    run(tmp_path / "parts", 4)
    parts = run(tmp_path / "parts", 8)
    assert all(torch.equal(whole[name], parts[name]) for name in whole)
