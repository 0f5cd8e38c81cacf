"""The loss on text through a reader: the graph that runs it, the strips, and how it pulls."""

from __future__ import annotations

import hashlib
import zipfile
from pathlib import Path

import numpy as np
import onnx
import onnxruntime as ort
import pytest
from onnx import helper, numpy_helper

torch = pytest.importorskip("torch", reason="training needs the `train` extra")

from training import data, reader, text_render, typeface  # noqa: E402
from training.bounded import bounded_loss  # noqa: E402
from training.lined_pairs import LinedPairs  # noqa: E402
from training.losses import psnr_loss  # noqa: E402
from training.onnx_graph import FrozenGraph  # noqa: E402


def graph(nodes: list[onnx.NodeProto], **stored: np.ndarray) -> onnx.ModelProto:
    """A model from ``x`` to ``y``."""
    shapeless = [helper.make_tensor_value_info(n, onnx.TensorProto.FLOAT, None) for n in "xy"]
    tensors = [numpy_helper.from_array(array, name) for name, array in stored.items()]
    made = helper.make_graph(nodes, "test", shapeless[:1], shapeless[1:], tensors)
    return helper.make_model(made, opset_imports=[helper.make_opsetid("", 11)], ir_version=8)


def place(*values: int) -> np.ndarray:
    return np.array(values, np.int64)


RANDOM = np.random.default_rng(8)
KERNEL = RANDOM.standard_normal((6, 4, 2, 2)).astype(np.float32)
FOUR = [RANDOM.uniform(0.5, 1.5, 4).astype(np.float32) for _ in range(4)]
GRAPHS = {
    "same convolution": graph(
        [helper.make_node("Conv", ["x", "k"], ["y"], auto_pad="SAME_UPPER", kernel_shape=[2, 2],
                          strides=[1, 1])],
        k=KERNEL,
    ),
    "strided convolution": graph(
        [helper.make_node("Conv", ["x", "k"], ["y"], kernel_shape=[2, 2], strides=[2, 1],
                          pads=[1, 0, 1, 0])],
        k=KERNEL,
    ),
    "same pooling": graph(
        [helper.make_node("MaxPool", ["x"], ["y"], auto_pad="SAME_UPPER", kernel_shape=[2, 2],
                          strides=[1, 1])]
    ),
    "mean pooling": graph(
        [helper.make_node("AveragePool", ["x"], ["y"], kernel_shape=[3, 2], strides=[3, 2])]
    ),
    "normalisation": graph(
        [helper.make_node("BatchNormalization", ["x", *"abcd"], ["y"], epsilon=1e-5)],
        **dict(zip("abcd", FOUR, strict=True)),
    ),
    "layer norm by hand": graph(
        [
            helper.make_node("ReduceMean", ["x"], ["m"], axes=[-1]),
            helper.make_node("Sub", ["x", "m"], ["d"]),
            helper.make_node("Pow", ["d", "two"], ["q"]),
            helper.make_node("ReduceMean", ["q"], ["v"], axes=[-1]),
            helper.make_node("Sqrt", ["v"], ["s"]),
            helper.make_node("Div", ["d", "s"], ["y"]),
        ],
        two=np.float32(2),
    ),
    "gates": graph(
        [
            helper.make_node("HardSigmoid", ["x"], ["a"], alpha=1 / 6, beta=0.5),
            helper.make_node("Sigmoid", ["x"], ["b"]),
            helper.make_node("Erf", ["x"], ["c"]),
            helper.make_node("Concat", ["a", "b", "c"], ["d"], axis=1),
            helper.make_node("Softmax", ["d"], ["e"], axis=3),
            helper.make_node("Identity", ["e"], ["y"]),
        ]
    ),
    "last rows": graph(
        [helper.make_node("Slice", ["x", "s", "e", "a"], ["y"])],
        s=place(-2), e=place(2**62), a=place(2),
    ),
    "shapes": graph(
        [
            helper.make_node("Shape", ["x"], ["n"]),
            helper.make_node("Slice", ["n", "zero", "two", "zero"], ["front"]),
            helper.make_node("Concat", ["front", "rest"], ["wanted"], axis=0),
            helper.make_node("Reshape", ["x", "wanted"], ["flat"]),
            helper.make_node("Transpose", ["flat"], ["turned"], perm=[0, 2, 1]),
            helper.make_node("Unsqueeze", ["turned"], ["wide"], axes=[1]),
            helper.make_node("Squeeze", ["wide"], ["narrow"], axes=[1]),
            helper.make_node("Reshape", ["narrow", "split"], ["y"]),
        ],
        zero=place(0), two=place(2), rest=place(-1), split=place(0, -1, 2, 2),
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", GRAPHS)
def test_a_frozen_graph_computes_what_onnx_runtime_does(name: str) -> None:
    x = np.random.default_rng(3).standard_normal((2, 4, 6, 8)).astype(np.float32)
    session = ort.InferenceSession(
        GRAPHS[name].SerializeToString(), providers=["CPUExecutionProvider"]
    )
    (expected,) = session.run(None, {"x": x})
    given = torch.from_numpy(x).requires_grad_()
    found = FrozenGraph(GRAPHS[name])(given)
    np.testing.assert_allclose(found.detach().numpy(), expected, rtol=1e-4, atol=1e-5)
    found.square().sum().backward()
    assert float(given.grad.abs().sum()) > 0


def test_a_frozen_graph_ends_where_it_is_told_to() -> None:
    x = torch.full((1, 4, 2, 2), 0.3)
    assert torch.equal(FrozenGraph(GRAPHS["gates"], "b")(x), torch.sigmoid(x))


def test_a_frozen_graph_refuses_what_it_does_not_know() -> None:
    with pytest.raises(ValueError, match="Tanh"):
        FrozenGraph(graph([helper.make_node("Tanh", ["x"], ["y"])]))
    wide = helper.make_node("Conv", ["x", "k"], ["y"], strides=[1, 1], dilations=[2, 2])
    with pytest.raises(ValueError, match="dilations"):
        FrozenGraph(graph([wide], k=KERNEL))


class Columns(torch.nn.Module):
    """Reads two characters: how dark and how bright each eighth column is."""

    def forward(self, strips: torch.Tensor) -> torch.Tensor:
        shade = strips.mean(dim=(1, 2)).unflatten(1, (-1, 8)).mean(dim=2)
        return torch.stack([8 * shade, 8 * (1 - shade)], dim=-1).log_softmax(dim=-1)


def written(count: int = 4) -> tuple[torch.Tensor, torch.Tensor]:
    """Bars for letters, and where they stand."""
    pictures = torch.ones(count, 3, 128, 128)
    for i in range(count):
        pictures[i, :, 40:60, 10 + 5 * i : 90 : 30] = 0
    return pictures, torch.tensor([[60.0, 20.0]]).repeat(count, 1)


def test_strips_show_the_line() -> None:
    rows = torch.arange(128.0)[None, None, :, None].expand(2, 1, 128, 128)
    lines = torch.tensor([[80.0, 20.0], [100.0, 30.0]])
    found = reader.strips(rows, lines)
    assert found.shape == (2, 1, reader.HEIGHT, reader.WIDTH)
    for strip, (baseline, cap) in zip(found, lines.tolist(), strict=True):
        assert float(strip[0, 0, 0]) == pytest.approx(baseline - reader.ABOVE * cap, abs=0.5)
        assert float(strip[0, -1, 0]) == pytest.approx(baseline + reader.BELOW * cap, abs=1.5)


def test_strips_begin_at_the_left_and_keep_proportions() -> None:
    columns = torch.arange(128.0)[None, None, None].expand(1, 1, 128, 128)
    strip = reader.strips(columns, torch.tensor([[80.0, 20.0]]))[0, 0, 0]
    pitch = (reader.ABOVE + reader.BELOW) * 20 / reader.HEIGHT
    assert float(strip[9] - strip[8]) == pytest.approx(pitch, rel=0.01)
    assert float(strip[0]) < 1
    assert float(strip[-1]) == 127  # beyond the right border it stands still


def test_what_reads_alike_costs_nothing() -> None:
    clean, lines = written()
    wrong = reader.misread(Columns(), clean, clean, lines)
    assert wrong.shape == (4,)
    assert float(wrong.abs().max()) < 1e-6
    assert float(reader.misread(Columns(), 1 - clean, clean, lines).min()) > 0.1


def test_a_bounded_loss_pulls_towards_the_judge_and_never_harder_than_pixels() -> None:
    clean, lines = written()

    def judge(a: torch.Tensor, b: torch.Tensor) -> torch.Tensor:
        return reader.misread(Columns(), a, b, lines)

    for near in (0.5, 0.98):  # of the clean picture: below the loss's floor the second time
        restored = (near * clean + 0.6 * (1 - near)).requires_grad_()
        (pixels,) = torch.autograd.grad(psnr_loss(restored, clean) * len(clean), restored)
        for weight in (1e-4, 1e5):
            loss = bounded_loss(judge, restored, clean, weight)
            (pull,) = torch.autograd.grad(loss, restored)
            strength = pull.flatten(1).norm(dim=1) / pixels.flatten(1).norm(dim=1)
            assert float(strength.min()) > 0
            assert float(strength.max()) <= 1.001
            before, after = (
                float(judge(picture.detach(), clean).mean())
                for picture in (
                    restored,
                    restored - 0.05 * (restored - clean).norm() * pull / pull.norm(),
                )
            )
            assert float(loss.detach()) == pytest.approx(4 * weight * before, rel=1e-4)
            assert after < before
        assert float(strength.min()) > 0.99  # the bound was reached


def test_a_weak_bounded_loss_is_the_judges(rng: np.random.Generator) -> None:
    clean, lines = written()
    restored = torch.from_numpy(rng.random(clean.shape, np.float32)).requires_grad_()

    def judge(a: torch.Tensor, b: torch.Tensor) -> torch.Tensor:
        return reader.misread(Columns(), a, b, lines)

    (bounded,) = torch.autograd.grad(bounded_loss(judge, restored, clean, 1e-3), restored)
    (plain,) = torch.autograd.grad(1e-3 * judge(restored, clean).sum(), restored)
    assert torch.allclose(bounded, plain, rtol=1e-4, atol=1e-9)


def test_lined_pairs_are_pairs_and_tell_of_whole_lines(atlas: Path, faces: np.ndarray) -> None:
    mix = data.Mix(text=0.6)
    lined, plain = (kind(faces, atlas, mix, seed=6) for kind in (LinedPairs, data.Pairs))
    lines = 0
    for index in range(40):
        *pair, line = lined[index]
        for found, expected in zip(pair, plain[index], strict=True):
            np.testing.assert_array_equal(found, expected)
        baseline, cap = line.tolist()
        assert pair[2] == data.TEXT or cap == 0
        if cap > 0:
            lines += 1
            page = lined.drawn(index).page
            assert page is not None
            assert 0.9 <= cap / page.cap_height <= 1.15
            assert min(abs(baseline - y) for y in page.baselines) < 0.3 * page.cap_height
    assert lines > 8


def test_a_page_says_where_its_lines_are(atlas: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    typefaces, words = typeface.load(atlas)
    level = text_render.draw

    def upright(canvas: np.ndarray, face: object, text: str, *rest: object) -> None:
        level(canvas, face, "H" * len(text), *rest[:2])

    white, black = np.ones((data.SIZE, data.SIZE, 3), np.float32), np.zeros(3, np.float32)
    monkeypatch.setattr(text_render, "draw", upright)
    monkeypatch.setattr(text_render, "background", lambda rng: white)
    monkeypatch.setattr(text_render, "ink", lambda paper, rng: black)
    checked = 0
    for seed in range(12):
        page = text_render.random_page(typefaces, words, np.random.default_rng(seed))
        inked = page.picture.min(axis=(1, 2)) < 100
        for baseline in page.baselines:
            top = baseline - page.cap_height
            if top < 4 or baseline > data.SIZE - 4:
                continue
            checked += 1
            assert inked[int(top + 2) : int(baseline - 1)].all()
            assert not inked[int(top - 3)]
            assert not inked[int(baseline + 3)]
    assert checked > 12


def small_reader(tmp_path: Path) -> tuple[onnx.ModelProto, Path]:
    """A recogniser of three shades, and a wheel with it: as PP-OCR's ends, with other letters."""
    known = ["é", *map(chr, range(126, 32, -1)), "字"]
    rng = np.random.default_rng(2)
    nodes = [
        helper.make_node("ReduceMean", ["x"], ["shade"], axes=[2], keepdims=0),
        helper.make_node("Transpose", ["shade"], ["places"], perm=[0, 2, 1]),
        helper.make_node("MatMul", ["places", "table"], ["scores"]),
        helper.make_node("Add", ["scores", "offset"], ["sum"]),
        helper.make_node("Softmax", ["sum"], ["y"], axis=2),
    ]
    size = len(known) + 2
    model = graph(
        nodes,
        table=rng.standard_normal((3, size)).astype(np.float32),
        offset=rng.standard_normal(size).astype(np.float32),
    )
    helper.set_model_props(model, {"character": "\n".join(known)})
    wheel = tmp_path / "rapidocr.whl"
    with zipfile.ZipFile(wheel, "w") as archive:
        archive.writestr(reader.MEMBER, model.SerializeToString())
    return model, wheel


def test_the_reader_reads_what_its_file_does(tmp_path: Path) -> None:
    model, _ = small_reader(tmp_path)
    found = reader.FrozenReader(model)
    strips = np.random.default_rng(1).random((2, 3, 48, 32)).astype(np.float32)
    session = ort.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    (whole,) = session.run(None, {"x": 2 * strips[:, ::-1] - 1})  # BGR on [-1, 1]
    letters = ["", "é", *map(chr, range(126, 32, -1)), "字", " "]
    kept = whole[..., [letters.index(c) for c in found.characters]]
    expected = np.log(kept / kept.sum(axis=-1, keepdims=True))
    np.testing.assert_allclose(
        found(torch.from_numpy(strips)).numpy(), expected, rtol=1e-4, atol=1e-4
    )
    assert found.characters[:3] == ["", " ", "!"]


def test_another_reader_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    model, wheel = small_reader(tmp_path)
    with pytest.raises(SystemExit, match="checksum"):
        reader.read_model(wheel)
    digest = hashlib.sha256(model.SerializeToString()).hexdigest()
    monkeypatch.setattr(reader, "SHA256", digest)
    assert reader.read_model(wheel) == model
    model.metadata_props[0].value += "\nñ"
    with pytest.raises(ValueError, match="characters"):
        reader.FrozenReader(model)
