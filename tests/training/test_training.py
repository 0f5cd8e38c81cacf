"""The training room: data, losses, optimisers, the loop's resume, export and warm start."""

from __future__ import annotations

import argparse
import dataclasses
import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="training needs the `train` extra")

from seethrough import degrade  # noqa: E402
from training import data, export, pack, text_render, typeface, warm_start  # noqa: E402
from training.block_codec import block_codec  # noqa: E402
from training.losses import LOSSES, psnr_loss  # noqa: E402
from training.network import Bands, Conv, NetworkConfig, Restorer  # noqa: E402
from training.restoration import RestorerConfig, psnr  # noqa: E402
from training.train import Average, optimisers, train  # noqa: E402

TINY = NetworkConfig(channels=(16, 16, 32), blocks=(1, 1, 2), head=8)


class TestText:
    def test_held_out_families_are_never_trained_on(self, atlas: Path, faces: np.ndarray) -> None:
        pairs = data.Pairs(faces, atlas, data.Mix(), seed=1)
        assert pairs.typefaces
        assert not any(typeface.is_held_out(face.family) for face in pairs.typefaces)

    def test_atlas_survives_its_file(self, atlas: Path, tmp_path: Path) -> None:
        typefaces, words = typeface.load(atlas)
        typeface.save(tmp_path / "again.npz", typefaces, words)
        again, same_words = typeface.load(tmp_path / "again.npz")
        assert same_words == words
        for one, other in zip(typefaces, again, strict=True):
            assert one.family == other.family
            assert np.array_equal(one.advances, other.advances)
            assert all(map(np.array_equal, one.bitmaps, other.bitmaps))

    def test_capitals_have_the_cap_height(self, atlas: Path) -> None:
        typefaces, _ = typeface.load(atlas)
        for face in typefaces:
            canvas = np.zeros((128, 128), np.float32)
            text_render.draw(canvas, face, "H", (20, 80), 24.0)
            rows = np.flatnonzero((canvas > 0.5).any(axis=1))
            assert len(rows) == pytest.approx(24, abs=1.5)
            assert rows[-1] == pytest.approx(79, abs=1)

    def test_a_phrase_mixes_no_letters_with_digits(self, rng: np.random.Generator) -> None:
        for _ in range(300):
            for word in text_render.phrase(["alpha", "beta"], rng, 12).split():
                assert not (any(map(str.isdigit, word)) and any(map(str.isalpha, word)))

    def test_text_stands_out(self, atlas: Path, rng: np.random.Generator) -> None:
        typefaces, words = typeface.load(atlas)
        pictures = [text_render.random_text(typefaces, words, rng) for _ in range(20)]
        assert all(p.shape == (128, 128, 3) and p.dtype == np.uint8 for p in pictures)
        assert np.mean([np.ptp(p.mean(axis=2)) > 60 for p in pictures]) > 0.8


class TestData:
    def test_a_sample_is_a_function_of_its_index(self, atlas: Path, faces: np.ndarray) -> None:
        one = data.Pairs(faces, atlas, data.Mix(), seed=3)
        other = data.Pairs(faces, atlas, data.Mix(), seed=3)
        for index in (0, 17, 10**9):
            for mine, theirs in zip(one[index], other[index], strict=True):
                assert np.array_equal(mine, theirs)
        assert not np.array_equal(one[0][0], data.Pairs(faces, atlas, data.Mix(), seed=4)[0][0])

    def test_shapes_and_kinds(self, atlas: Path, faces: np.ndarray) -> None:
        pairs = data.Pairs(faces, atlas, data.Mix(text=0.5), seed=1)
        samples = [pairs[i] for i in range(60)]
        assert {kind for *_, kind in samples} == {data.FACE, data.TEXT}
        for degraded, clean, _ in samples:
            assert degraded.shape == clean.shape == (3, 128, 128)
            assert degraded.dtype == clean.dtype == np.uint8

    def test_the_sampler_goes_on_where_it_stopped(self) -> None:
        sampler: Iterator[int] = iter(data.Forever(40))
        assert [next(sampler) for _ in range(3)] == [40, 41, 42]

    def test_a_packed_set_is_smaller_and_much_the_same(
        self, archive: Path, faces: np.ndarray, tmp_path: Path
    ) -> None:
        target = tmp_path / "packed.tar"
        assert pack.pack(archive, target, quality=90) == len(faces)
        packed = data.read_crops(target)
        assert np.abs(packed.astype(int) - faces).mean() < 3
        assert target.stat().st_size < archive.stat().st_size

    def test_block_codec_gets_worse_with_its_quantiser(self, faces: np.ndarray) -> None:
        picture = degrade.to_float(faces[0])
        noisy = picture + np.random.default_rng(0).normal(0, 0.03, picture.shape)
        noisy = noisy.astype(np.float32)
        errors = [np.square(block_codec(noisy, qp) - noisy).mean() for qp in (10, 25, 40)]
        assert errors[0] < errors[1] < errors[2]
        flat = np.full((32, 32, 3), 0.5, np.float32)
        assert np.abs(block_codec(flat, 20) - flat).max() < 0.02


class TestNetwork:
    def test_starts_as_the_identity(self) -> None:
        x = torch.rand(2, 3, 128, 128)
        assert torch.allclose(Restorer(TINY)(x, torch.tensor([0, 1])), x, atol=1e-6)

    def test_bands_show_weak_detail_at_unit_strength(self) -> None:
        bands = Bands(128)
        wave = 0.5 + 0.05 * torch.sin(torch.arange(128) * 2 * torch.pi / 16).expand(1, 3, 128, 128)
        weak, strong = bands(wave), bands(0.5 + 8 * (wave - 0.5))
        assert weak.shape == (1, Bands.CHANNELS, 32, 32)
        for first in (0, 13, 26):
            picture = weak[:, first : first + 12]
            assert float(picture.square().mean()) == pytest.approx(1, rel=0.1)
            assert torch.allclose(picture, strong[:, first : first + 12], atol=0.2)
            level = strong[:, first + 12] - weak[:, first + 12]
            assert float(level.mean()) == pytest.approx(np.log(8) / 3, rel=0.05)

    def test_bands_of_a_plain_picture_are_empty(self) -> None:
        plain = Bands(128)(torch.full((1, 3, 128, 128), 0.7))
        assert plain[:, [*range(12), *range(13, 25), *range(26, 38)]].abs().max() < 0.02

    def test_the_class_is_a_condition(self) -> None:
        torch.manual_seed(0)
        net = Restorer(TINY)
        for parameter in net.parameters():
            parameter.data += 0.05 * torch.randn_like(parameter)
        x = torch.rand(1, 3, 128, 128)
        face, text = net(x, torch.tensor([0])), net(x, torch.tensor([1]))
        assert (face - text).abs().max() > 1e-3
        both = net(x.expand(2, -1, -1, -1), torch.tensor([0, 1]))
        assert torch.allclose(both, torch.cat([face, text]), atol=1e-5)

    def test_the_shipped_shape_is_within_its_budget(self) -> None:
        """At most 1.4 G multiply-accumulates for a crop."""
        from training.configs.restorer import CONFIG

        net, total = Restorer(CONFIG.network), 0

        def count(module: Conv, _: object, output: torch.Tensor) -> None:
            nonlocal total
            total += module.weight.numel() * output.shape[2] * output.shape[3]

        for module in net.modules():
            if isinstance(module, Conv):
                module.register_forward_hook(count)
        net(torch.rand(1, 3, 128, 128), torch.tensor([0]))
        assert 0.3e9 < total < 1.4e9

    def test_every_parameter_is_trained_once(self) -> None:
        net = Restorer(TINY)
        groups = [g["params"] for o in optimisers(net, RestorerConfig("t")) for g in o.param_groups]
        trained = [id(p) for group in groups for p in group]
        assert sorted(trained) == sorted(id(p) for p in net.parameters())

    @pytest.mark.parametrize("name", LOSSES)
    def test_losses_fall_towards_the_truth(self, name: str) -> None:
        clean = torch.rand(3, 3, 16, 16)
        noise = torch.randn_like(clean)
        values = [float(LOSSES[name](clean + s * noise, clean)) for s in (0.2, 0.1, 0.0)]
        assert values == sorted(values, reverse=True)

    def test_psnr_loss_is_psnr(self) -> None:
        clean = torch.rand(4, 3, 16, 16)
        restored = (clean + 0.1 * torch.randn_like(clean)).clamp(0, 1)
        decibels = -10 / np.log(10) * float(psnr_loss(restored, clean, floor=0.0))
        assert decibels == pytest.approx(psnr(restored, clean), abs=0.02)

    def test_the_average_follows(self) -> None:
        net = torch.nn.Linear(1, 1)
        average = Average(net)
        with torch.no_grad():
            net.weight += 1
        before = average.values["weight"].clone()
        average.update(net, 0.75)
        assert torch.allclose(average.values["weight"], before + 0.25)


def arguments_for(archive: Path, atlas: Path, out: Path, **changed: object) -> argparse.Namespace:
    values: dict[str, object] = {
        "faces": archive, "valid": archive, "atlas": atlas, "out": out, "warm": None,
        "minutes": float("inf"), "pictures": 0, "cooldown": 0.0, "threads": 1, "compile": False,
        "precision": "float32",
        "workers": 0, "report": 10**9, "save_every": 10**9, "valid_count": 4,
    }  # fmt: skip
    return argparse.Namespace(**values | changed)


CONFIG = RestorerConfig("tiny", network=TINY, batch=4, warmup=8)


@pytest.mark.slow
class TestLoop:
    def test_resumes_to_the_exact_step(self, archive: Path, atlas: Path, tmp_path: Path) -> None:
        train(CONFIG, arguments_for(archive, atlas, tmp_path / "whole", pictures=24))
        train(CONFIG, arguments_for(archive, atlas, tmp_path / "parts", pictures=12))
        train(CONFIG, arguments_for(archive, atlas, tmp_path / "parts", pictures=24))
        whole, parts = (
            torch.load(tmp_path / name / "trunk.pt", weights_only=True)
            for name in ("whole", "parts")
        )
        assert whole["seen"] == parts["seen"] == 24
        for name, value in whole["net"].items():
            assert torch.equal(value, parts["net"][name]), name
        for name, value in whole["ema"].items():
            assert torch.equal(value, parts["ema"][name]), name

    def test_facts_travel_and_weights_come_back(
        self, archive: Path, atlas: Path, tmp_path: Path
    ) -> None:
        train(CONFIG, arguments_for(archive, atlas, tmp_path, pictures=16))
        assert (tmp_path / "grid.png").exists()
        assert json.loads((tmp_path / "curve.jsonl").read_text())["seen"] == 16
        shipped = tmp_path / "tiny.onnx"
        export.export(
            argparse.Namespace(
                checkpoint=tmp_path / "best.pt", onnx=shipped, valid=archive, atlas=atlas
            )
        )
        net, state = export.load_restorer(tmp_path / "best.pt")
        assert json.loads(state["config"])["batch"] == 4
        card = shipped.with_suffix(".md").read_text(encoding="utf-8")
        assert "$" not in card
        assert "non-commercial" in card
        assert "configs/restorer.py`, loss `psnr`.\nMuon" in card
        assert export.largest_difference(net, shipped) < 2e-4

        grown = Restorer(dataclasses.replace(TINY, blocks=(1, 2, 3)))
        assert warm_start.load_matching(grown, shipped) == 16
        x, kinds = torch.rand(2, 3, 128, 128), torch.tensor([0, 1])
        with torch.no_grad():
            assert torch.allclose(grown(x, kinds), net(x, kinds), atol=1e-4)

    def test_a_recogniser_and_a_reader_have_a_say(
        self, archive: Path, atlas: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        class Shade(torch.nn.Module):
            def forward(self, strips: torch.Tensor) -> torch.Tensor:
                shade = strips.mean(dim=(1, 2))
                return torch.stack([shade, 1 - shade], dim=-1).log_softmax(dim=-1)

        monkeypatch.setattr("training.reader.read_model", lambda _: None)
        monkeypatch.setattr("training.reader.FrozenReader", lambda _: Shade())
        half = dataclasses.replace(CONFIG, mix=data.Mix(text=0.5))
        nets = {}
        for judge in ("nobody", "reader", "identity"):
            config = half if judge == "nobody" else dataclasses.replace(half, **{judge: 9.0})
            train(
                config, arguments_for(archive, atlas, tmp_path / judge, pictures=12, reader=atlas)
            )
            nets[judge] = torch.load(tmp_path / judge / "trunk.pt", weights_only=True)["net"]
        for judge in ("reader", "identity"):
            changed = [
                not torch.equal(nets["nobody"][key], nets[judge][key]) for key in nets[judge]
            ]
            assert any(changed), judge

    def test_a_reader_must_be_given(self, archive: Path, atlas: Path, tmp_path: Path) -> None:
        given = arguments_for(archive, atlas, tmp_path, reader=None)
        with pytest.raises(SystemExit, match=r"--reader; pip download .*rapidocr"):
            train(dataclasses.replace(CONFIG, reader=0.1), given)

    def test_a_stranger_is_refused(self, tmp_path: Path) -> None:
        torch.save({"ema": {"other": torch.zeros(2)}, "seen": 1}, tmp_path / "other.pt")
        with pytest.raises(ValueError, match="no parameter"):
            warm_start.load_matching(Restorer(TINY), tmp_path / "other.pt")
