"""The aligner's training: samples, answers and export."""

from __future__ import annotations

import argparse
import json
from dataclasses import asdict
from pathlib import Path

import cv2
import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="training needs the `train` extra")

from training import alignment, data, export_aligner  # noqa: E402
from training.alignment import CENTRE, SIZE, AlignerConfig, Errors  # noqa: E402
from training.configs.aligner import CONFIG  # noqa: E402


@pytest.fixture(scope="module")
def face() -> np.ndarray:
    """A smooth picture that stands in for a face."""
    coarse = np.random.default_rng(3).random((7, 7, 3), np.float32)
    return (cv2.resize(coarse, (128, 128), interpolation=cv2.INTER_CUBIC) * 200 + 20).astype(
        np.uint8
    )


def tiny(**changes: object) -> AlignerConfig:
    return AlignerConfig("tiny", channels=(16, 16), blocks=(1, 1), **changes)  # type: ignore[arg-type]


def test_the_answer_undoes_the_misalignment(face: np.ndarray) -> None:
    rng = np.random.default_rng(5)
    aligned = cv2.resize(face, (SIZE, SIZE), interpolation=cv2.INTER_AREA).astype(float)
    for _ in range(10):
        photo, to_photo = alignment.in_photo(face, Errors(roll=4.0), rng)
        crop, (a, b, x, y) = alignment.misaligned(photo, to_photo, Errors(), rng)
        linear = np.array([[1 + a, -b], [b, 1 + a]])
        centre = np.array(CENTRE) * SIZE - 0.5
        back = alignment.about(linear, centre, SIZE * np.array([x, y]))
        undone = cv2.warpAffine(crop, back, (SIZE, SIZE)).astype(float)
        middle = slice(20, 44)
        difference = np.abs(undone - aligned)[middle, middle].mean()
        assert difference < 2.5
        assert difference < np.abs(crop - aligned)[middle, middle].mean()


def test_a_sample_depends_on_its_index_alone(face: np.ndarray) -> None:
    faces = np.stack([face, face[::-1]])
    one, other = (alignment.Samples(faces, tiny()) for _ in range(2))
    other[3]
    for index in (9, 2, 9):
        for ours, theirs in zip(one[index], other[index], strict=True):
            np.testing.assert_array_equal(ours, theirs)
    crop, answer = one[9]
    assert crop.shape == (3, SIZE, SIZE)
    assert crop.dtype == np.uint8
    assert answer.dtype == np.float32
    assert (one[8][1] != answer).all()


def test_the_offset_is_in_pixels_of_the_face() -> None:
    answer = torch.tensor([[0.0, 0, 3 / 128, 4 / 128], [0.1, 0, 0, 0]])
    offsets = alignment.offset(answer, torch.zeros(2, 4))
    torch.testing.assert_close(offsets, torch.tensor([5.0, 3.2]), atol=0.1, rtol=0)


def test_what_lies_outside_of_the_window_does_not_matter() -> None:
    net = alignment.Aligner((16, 16), (1, 1)).eval()
    torch.nn.init.normal_(net.answer)
    crop = torch.rand(1, 3, SIZE, SIZE)
    changed = crop.clone()
    changed[..., :8, :8] = 0  # far from the disc, also for the low-pass pictures
    torch.testing.assert_close(net(crop), net(changed), atol=1e-3, rtol=0)
    changed[..., 30:34, 30:34] = 0
    assert (net(crop) - net(changed)).abs().max() > 1e-3


def test_the_shipped_shape_is_small_enough() -> None:
    from torch.utils.flop_counter import FlopCounterMode

    net = alignment.Aligner(CONFIG.channels, CONFIG.blocks)
    with FlopCounterMode(display=False) as counter, torch.no_grad():
        net(torch.rand(1, 3, SIZE, SIZE))
    assert counter.get_total_flops() / 2 < 100e6


def test_a_checkpoint_becomes_a_network_and_its_card(
    tmp_path: Path, face: np.ndarray, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = tiny()
    net = alignment.Aligner(config.channels, config.blocks)
    torch.nn.init.normal_(net.answer)
    facts = {"config": json.dumps(asdict(config)), "commit": "c", "seed": 1, "data": "d"}
    checkpoint, onnx = tmp_path / "best.pt", tmp_path / "aligner.onnx"
    torch.save(facts | {"ema": net.state_dict(), "seen": 12_345}, checkpoint)
    monkeypatch.setattr(data, "read_crops", lambda path: np.stack([face] * 3))
    export_aligner.export(argparse.Namespace(checkpoint=checkpoint, onnx=onnx, valid=tmp_path))
    card = onnx.with_suffix(".md").read_text()
    assert "12,345" in card
    assert "`mosaic-12` | 3 |" in card
    crops = torch.randint(0, 256, (5, 3, SIZE, SIZE), dtype=torch.uint8)
    with torch.no_grad():
        expected = net(crops / 255).numpy()
    np.testing.assert_allclose(export_aligner.run(onnx, crops), expected, atol=2e-3)


def test_training_learns_to_align(face: np.ndarray) -> None:
    """A few steps on one face under weak covers at least halve what is left."""
    config = tiny(errors=Errors(roll=1.0))
    task = alignment.Alignment.__new__(alignment.Alignment)
    samples = alignment.Samples(np.stack([face]), config)
    torch.manual_seed(0)
    net = alignment.Aligner(config.channels, config.blocks)
    from training.train import optimisers

    optims = optimisers(net, config)
    losses = []
    for step in range(60):
        drawn = [samples[16 * step + i] for i in range(16)]
        batch = [torch.from_numpy(np.stack(part)) for part in zip(*drawn, strict=True)]
        loss = task.loss(net, batch, torch.device("cpu"), False)
        loss.backward()  # type: ignore[no-untyped-call]
        for optim in optims:
            optim.step()
            optim.zero_grad()
        losses.append(float(loss.detach()))
    assert np.mean(losses[-10:]) < 0.6 * np.mean(losses[:5])


def test_validation_repeats_and_scores_what_is_gained(face: np.ndarray) -> None:
    one, other = (alignment.fixed_sets(np.stack([face] * 4)) for _ in range(2))
    assert set(one) >= {"mosaic-8", "mosaic-12", "gauss-6", "deface-blur", "deface-mosaic"}
    for name, (crops, answers) in one.items():
        torch.testing.assert_close(crops, other[name][0])
        torch.testing.assert_close(answers, other[name][1])
    assert not torch.equal(one["mosaic-8"][0], one["mosaic-12"][0])
