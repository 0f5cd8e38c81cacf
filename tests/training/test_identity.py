"""Training of the attackers: samples, loss, the loop, export."""

from __future__ import annotations

import argparse
import tarfile
from io import BytesIO
from pathlib import Path

import cv2
import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="training needs the `train` extra")

from seethrough import degrade  # noqa: E402
from training import export_attacker  # noqa: E402
from training.identity import IdentityConfig, rank_one  # noqa: E402
from training.identity_data import GREY, AttackMix, CoveredFaces, blank  # noqa: E402
from training.identity_network import Reader, ReaderConfig  # noqa: E402
from training.train import train  # noqa: E402
from training.virtual import VirtualFaces  # noqa: E402

TINY = ReaderConfig(channels=(8, 16, 16), blocks=(1, 1, 1), descriptor=12)
CONFIG = IdentityConfig("tiny", network=TINY, batch=4, warmup=8, others=16)


@pytest.fixture(scope="module")
def faces() -> np.ndarray:
    """Six pictures that stand in for faces."""
    coarse = np.random.default_rng(4).random((6, 9, 9, 3), np.float32)
    return np.stack([(cv2.resize(c, (128, 128)) * 255).astype(np.uint8) for c in coarse])


@pytest.fixture
def arguments(tmp_path: Path, faces: np.ndarray) -> argparse.Namespace:
    archive, descriptors = tmp_path / "faces.tar", tmp_path / "descriptors.npz"
    with tarfile.open(archive, "w") as tar:
        for i, face in enumerate(faces):
            encoded = cv2.imencode(".png", face[..., ::-1])[1].tobytes()
            entry = tarfile.TarInfo(f"{i}.png")
            entry.size = len(encoded)
            tar.addfile(entry, BytesIO(encoded))
    found = np.random.default_rng(5).normal(size=(6, 12)).astype(np.float32)
    np.savez(descriptors, train=found, flipped=found, valid=found)
    return argparse.Namespace(
        faces=archive, valid=archive, descriptors=descriptors, out=tmp_path / "run", warm=None,
        minutes=float("inf"), pictures=16, cooldown=0.0, threads=1, compile=False,
        precision="float32", workers=0, report=10**9, save_every=10**9, valid_count=4,
    )  # fmt: skip


@pytest.mark.parametrize("context", [False, True])
def test_a_sample_is_a_function_of_its_index(faces: np.ndarray, context: bool) -> None:
    one, other = (CoveredFaces(faces, AttackMix(context=context), seed=3) for _ in range(2))
    for index in (0, 17, 10**9):
        for mine, theirs in zip(one[index], other[index], strict=True):
            assert np.array_equal(mine, theirs)
    assert {flipped for _, _, flipped in map(one.__getitem__, range(20))} == {0, 1}


def test_context_shows_nothing_of_what_is_covered(faces: np.ndarray) -> None:
    mask = degrade.MASK_FACE.mask(128, 128)
    changed = np.where(mask[..., None], 255 - faces[0], faces[0])
    shown = blank(faces[0], degrade.MASK_FACE)
    assert np.array_equal(shown, blank(changed, degrade.MASK_FACE))
    assert (shown[mask] == GREY).all()
    assert np.array_equal(shown[~mask], faces[0][~mask])


def test_people_who_do_not_exist_have_numbers_of_their_own(faces: np.ndarray) -> None:
    nobody = VirtualFaces(faces)
    assert np.array_equal(nobody[3], VirtualFaces(faces)[3])
    assert not np.array_equal(nobody[3], nobody[4])
    drawn = [CoveredFaces(faces, AttackMix(), seed=3, virtual=40)[i] for i in range(60)]
    made = [flipped for _, number, flipped in drawn if number >= len(faces)]
    assert 30 < len(made) < 58
    assert not any(made)
    assert max(number for _, number, _ in drawn) < len(faces) + 40


def test_virtual_people_are_judged_by_their_own_descriptors(
    arguments: argparse.Namespace,
) -> None:
    with np.load(arguments.descriptors) as file:
        known = dict(file)
    made = -2 * known["train"][:3]
    np.savez(arguments.descriptors, **known, virtual=made)
    task = CONFIG.task(arguments)
    assert task.samples.virtual == 3
    numbers = torch.tensor([6, 7, 8, 0])
    batch = [torch.zeros(4, 3, 128, 128, dtype=torch.uint8), numbers, torch.zeros(4).long()]
    expected = torch.nn.functional.normalize(torch.from_numpy(made) - task.net.mean, dim=1)
    assert torch.allclose(task.centred[0, numbers[:3]], expected)
    right, wrong = (
        task.loss(lambda _, n=n: task.centred[0, n], batch, torch.device("cpu"), False)
        for n in (numbers, numbers.flip(0))
    )
    assert right + 1 < wrong


def test_the_loss_prefers_the_right_face(arguments: argparse.Namespace) -> None:
    task = CONFIG.task(arguments)
    batch = [torch.zeros(4, 3, 128, 128, dtype=torch.uint8), torch.arange(4), torch.zeros(4).long()]
    losses = [
        task.loss(lambda _, n=numbers: task.centred[0, n], batch, torch.device("cpu"), False)
        for numbers in (torch.arange(4), torch.tensor([1, 2, 3, 0]))
    ]
    assert losses[0] + 1 < losses[1]


def test_rank_one_counts_whole_galleries() -> None:
    gallery = torch.eye(4)
    assert rank_one(gallery[[0, 1, 3, 2]], gallery) == 50.0


def test_the_shipped_shapes_are_within_their_budget() -> None:
    """At most 0.15 G multiply-accumulates."""
    from torch.utils.flop_counter import FlopCounterMode

    from training.configs.identity_context import CONFIG as CONTEXT
    from training.configs.identity_face import CONFIG as FACE

    for config in (FACE, CONTEXT):
        with FlopCounterMode(display=False) as counter:
            Reader(config.network).eval()(torch.zeros(1, 3, 128, 128))
        assert counter.get_total_flops() / 2 < 0.15e9


@pytest.mark.slow
def test_resumes_exactly_and_exports(arguments: argparse.Namespace, tmp_path: Path) -> None:
    train(CONFIG, arguments)
    parts = argparse.Namespace(**vars(arguments) | {"out": tmp_path / "parts", "pictures": 8})
    train(CONFIG, parts)
    parts.pictures = 16
    train(CONFIG, parts)
    whole, other = (
        torch.load(out / "trunk.pt", weights_only=True) for out in (arguments.out, parts.out)
    )
    for name, value in whole["net"].items():
        assert torch.equal(value, other["net"][name]), name

    shipped = tmp_path / "attacker.onnx"
    export_attacker.export(
        argparse.Namespace(
            checkpoint=arguments.out / "best.pt", onnx=shipped, valid=arguments.valid,
            descriptors=arguments.descriptors,
        )
    )  # fmt: skip
    crops = np.zeros((3, 128, 128, 3), np.uint8)
    directions = export_attacker.read(shipped, crops)
    assert np.allclose(np.linalg.norm(directions, axis=1), 1, atol=1e-4)
    assert "$" not in shipped.with_suffix(".md").read_text(encoding="utf-8")
