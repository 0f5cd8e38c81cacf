"""Every attacker by one contract, and the engine around them, on a public-domain face."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper
from skimage.data import astronaut

from seethrough import geometry
from seethrough.auditor.attackers import (
    GREY,
    Attacker,
    Context,
    Naive,
    Parrot,
    Restoring,
    Trained,
    fused,
    shown,
    visible,
)
from seethrough.auditor.engine import AuditEngine, verdict
from seethrough.auditor.recognisers import RECOGNISERS, Recogniser
from seethrough.auditor.types import Case, Odds, Reading
from seethrough.degrade import MASK_HEAD, GaussianBlur, Mosaic
from seethrough.restorer import Restorer
from seethrough.types import Image, Operator, OperatorKind
from seethrough.weights import WEIGHTS

FULL = np.ones((128, 128), np.bool_)
SHIPPED = {record.name for record in WEIGHTS}


@pytest.fixture(scope="module")
def face() -> Image:
    points = [[206.5, 107.5], [248.5, 105], [231, 131], [211, 150], [248.5, 147.5]]
    picture = np.ascontiguousarray(astronaut())
    return geometry.crop(picture, geometry.similarity(np.array(points), 128), 128)


@pytest.fixture(scope="module")
def stranger(face: Image) -> Image:
    """The same face so distorted that no recogniser takes it for the same person."""
    wide = cv2.resize(face[30:118, 20:108], (128, 128), interpolation=cv2.INTER_CUBIC)
    return np.ascontiguousarray(255 - np.asarray(wide, np.uint8)[:, ::-1])


@pytest.fixture(scope="module")
def engine() -> AuditEngine:
    return AuditEngine("cpu", 1)


def attackers() -> list[str]:
    names = ["A0", "A1", "A2"]
    names += ["A3"] if "attacker" in SHIPPED else []
    return names + (["A5"] if "attacker-context" in SHIPPED else [])


@pytest.fixture(scope="module", params=attackers())
def attacker(request: pytest.FixtureRequest) -> Attacker:
    recognisers = [Recogniser(name, "cpu", 1) for name in RECOGNISERS]
    made: dict[str, Callable[[], Attacker]] = {
        "A0": lambda: Naive(recognisers),
        "A1": lambda: Parrot(recognisers),
        "A2": lambda: Restoring(recognisers, Restorer("cpu", 1)),
        "A3": lambda: Trained("cpu", 1),
        "A5": lambda: Context("cpu", 1),
    }
    return made[request.param]()


def case(
    face: Image,
    op: Callable[[Image], Image],
    kind: OperatorKind,
    size: float | None,
    covered: np.ndarray = FULL,
    references: tuple[Image, ...] = (),
) -> Case:
    both = None if size is None else (size, size)
    return Case(
        clean=face,
        probe=op(face),
        covered=covered,
        cover=op,
        operator=Operator(kind, both, None, 1.0),
        references=references or (face,),
        same_frame=not references,
    )


def painted(mask: np.ndarray) -> Callable[[Image], Image]:
    return lambda picture: np.where(mask[..., None], np.uint8(0), picture)


# -- one contract --------------------------------------------------------------------------


def test_attackers_read_in_both_spaces(attacker: Attacker, face: Image, stranger: Image) -> None:
    crops = np.stack([face, stranger])
    seen = attacker.look(crops)
    assert (seen.dtype, seen.shape) == (np.uint8, crops.shape)
    reads = attacker.read(seen)
    assert set(reads) == set(RECOGNISERS)
    for name, read in reads.items():
        gallery = Recogniser(name, "cpu", 1).describe(crops)
        assert read.shape == gallery.shape
        assert np.isfinite(read).all()
        for covered in (None, read) if attacker.level != "A1" else (read,):
            similarities = attacker.compare(name, read, gallery, covered)
            assert similarities.shape == (2, 2)
            if attacker.level != "A5":  # which never saw a whole face
                assert similarities[0, 0] > similarities[0, 1]


def test_attackers_read_each_crop_by_itself(
    attacker: Attacker, face: Image, stranger: Image
) -> None:
    together = attacker.read(attacker.look(np.stack([face, stranger])))
    alone = attacker.read(attacker.look(stranger[None]))
    for name in RECOGNISERS:
        assert np.abs(together[name][1] - alone[name][0]).max() < 2e-3


def test_what_is_hidden_cannot_be_read(attacker: Attacker, face: Image, stranger: Image) -> None:
    """Under a solid cover, or outside of it for the context attacker, all people look the same."""
    mask = MASK_HEAD.mask(128, 128)
    cover = painted(mask)
    pair = np.stack([face, stranger])
    if attacker.level == "A5":  # the same surroundings, another face
        pair[1] = np.where(mask[..., None], stranger, face)
    crops = np.stack([cover(crop) for crop in pair])
    seen = attacker.look(shown(crops, visible(attacker.level, "solid", mask)))
    assert np.array_equal(seen[0], seen[1])


def test_who_covers_the_gallery(attacker: Attacker) -> None:
    assert attacker.covers_gallery == (attacker.level in ("A1", "A2", "A3"))


def test_who_sees_what() -> None:
    mask = MASK_HEAD.mask(128, 128)
    assert np.array_equal(visible("A5", "mosaic", mask), ~mask)
    assert np.array_equal(visible("A2", "solid", mask), mask)
    assert visible("A0", "mosaic", mask).all()
    assert visible("A3", "eye-bar", mask).all()
    blanked = shown(np.zeros((1, 128, 128, 3), np.uint8), mask)
    assert (blanked[0][~mask] == GREY).all()
    assert (blanked[0][mask] == 0).all()


def test_fusion_adds_directions() -> None:
    one, two = np.array([[1.0, 0.0]], np.float32), np.array([[0.0, 1.0]], np.float32)
    both = fused({"dlib": one}, {"dlib": two}, {"dlib": 0.5})
    assert both["dlib"][0] == pytest.approx(np.array([1.0, 0.5]) / math.hypot(1, 0.5))


def test_trained_attackers_run_any_network_of_their_contract(tmp_path: Path, face: Image) -> None:
    """A stand-in whose descriptor is the crop's mean colour, in the first three numbers."""
    matrix = np.eye(3, 128, dtype=np.float32)
    nodes = [
        helper.make_node("ReduceMean", ["degraded"], ["mean"], axes=[2, 3], keepdims=0),
        helper.make_node("MatMul", ["mean", "matrix"], ["descriptor"]),
    ]
    graph = helper.make_graph(
        nodes,
        "standin",
        [helper.make_tensor_value_info("degraded", TensorProto.FLOAT, ["N", 3, 128, 128])],
        [helper.make_tensor_value_info("descriptor", TensorProto.FLOAT, ["N", 128])],
        [numpy_helper.from_array(matrix, "matrix")],
    )
    path = tmp_path / "standin.onnx"
    opset = [helper.make_opsetid("", 17)]
    onnx.save(helper.make_model(graph, opset_imports=opset, ir_version=9), path)
    red = np.zeros((20, 128, 128, 3), np.uint8)
    red[..., 0] = 200
    red[7] = face
    for made in (Trained("cpu", 1, path), Context("cpu", 1, path)):
        reads = made.read(made.look(red))
        assert reads["dlib"].shape == (20, 128)
        assert reads["mobilefacenet"].shape == (20, 512)
        assert reads["dlib"][0, :3] == pytest.approx([1, 0, 0], abs=1e-6)
        colour = face.reshape(-1, 3).mean(axis=0)
        assert reads["dlib"][7, :3] == pytest.approx(colour / np.linalg.norm(colour), abs=1e-4)
        for read in reads.values():
            assert np.linalg.norm(read, axis=1) == pytest.approx(np.ones(20), abs=1e-5)


# -- the engine ----------------------------------------------------------------------------


@pytest.mark.parametrize("same_frame", [True, False])
def test_a_weak_mosaic_is_found(engine: AuditEngine, face: Image, same_frame: bool) -> None:
    other = np.ascontiguousarray(np.clip(face[:, ::-1] * 0.9, 0, 255).astype(np.uint8))
    references = () if same_frame else (other,)
    readings, sights = engine.read(case(face, Mosaic(2.5), "mosaic", 2.5, references=references))
    judged, strongest = verdict(readings)
    assert judged == "exposed"
    assert strongest is not None
    assert all(reading.upper_bound_only == same_frame for reading in readings)
    assert {reading.recogniser for reading in readings} == set(RECOGNISERS)
    assert {sight.level for sight in sights} >= {"A0", "A1", "A2"}
    for reading in readings:
        assert 0 <= reading.of_100.low <= reading.of_100.p <= reading.of_100.high <= 1


def test_a_solid_cover_gives_chance(engine: AuditEngine, face: Image) -> None:
    readings, _ = engine.read(case(face, painted(FULL), "solid", None))
    assert {reading.of_100.p for reading in readings} == {0.01}
    assert {reading.of_1000.p for reading in readings} == {0.001}
    assert verdict(readings) == ("not distinguishable from chance", None)


def test_a_stronger_cover_leaves_less(engine: AuditEngine, face: Image) -> None:
    def best(op: Callable[[Image], Image], kind: OperatorKind, size: float) -> float:
        readings, _ = engine.read(case(face, op, kind, size))
        return max(reading.of_100.p for reading in readings)

    assert best(Mosaic(4), "mosaic", 4) > best(Mosaic(12), "mosaic", 12) > best(
        Mosaic(24), "mosaic", 24
    )  # fmt: skip
    assert best(GaussianBlur(2), "gauss", 2) > best(GaussianBlur(12), "gauss", 12)


def test_readings_do_not_depend_on_earlier_cases(engine: AuditEngine, face: Image) -> None:
    first, _ = engine.read(case(face, GaussianBlur(6), "gauss", 6))
    engine.read(case(np.ascontiguousarray(face[::-1]), Mosaic(8), "mosaic", 8))
    again, _ = engine.read(case(face, GaussianBlur(6), "gauss", 6))
    assert first == again


def test_weights_are_named(engine: AuditEngine) -> None:
    names = {used.name for used in engine.weights}
    assert {"restorer", "recogniser-dlib", "recogniser-mobilefacenet"} <= names
    assert all(len(used.sha256) == 64 for used in engine.weights)


# -- the verdict ---------------------------------------------------------------------------


def reading(level: str, p: float, low: float, high: float) -> Reading:
    odds = Odds(100, p, low, high)
    return Reading(level, "dlib", odds, Odds(1000, p / 5, low / 5, high / 5), False)  # type: ignore[arg-type]


def test_verdicts() -> None:
    nothing = [reading("A0", 0.01, 0.004, 0.02), reading("A2", 0.012, 0.006, 0.024)]
    assert verdict(nothing) == ("not distinguishable from chance", None)
    assert verdict([*nothing, reading("A3", 0.2, 0.12, 0.3)]) == ("partly exposed", "A3")
    assert verdict([*nothing, reading("A2", 0.6, 0.4, 0.8)]) == ("exposed", "A2")
    assert verdict([]) == ("not distinguishable from chance", None)
