"""From a covered face to what attackers meet: the original, degraded again."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import cv2
import numpy as np

from seethrough import geometry
from seethrough.auditor.covers import Cover
from seethrough.auditor.pairing import Flags
from seethrough.auditor.types import Case
from seethrough.degrade import BoxBlur, Degradation, GaussianBlur, Jpeg, Mosaic
from seethrough.types import Face, Image, Operator

CROP = 128
_BLOCK = 16  # px: parts are cut on the grid of JPEG's blocks
PARTIAL = 0.6
"""Share of a face: a cover of less leaves a part of it bare."""
_LARGEST = 384  # px: side of the part in which crops of others are covered


def aligned(picture: Image, face: Face) -> Image:
    """Return the aligned crop of a face, ``uint8 (128, 128, 3)``."""
    return geometry.crop(picture, geometry.similarity(face.landmarks, CROP), CROP)


def make_case(
    original: Image,
    face: Face,
    cover: Cover,
    compression: int | Degradation | None,
    clean: Image,
    references: Sequence[Image],
) -> Case:
    """Cover a face of an original again, as its redacted file does.

    Parameters
    ----------
    original : Image
        ``uint8 (H, W, 3)``, at the redacted picture's size.
    face : Face
        In its pixels.
    cover : Cover
        With a known operator.
    compression : int or Degradation or None
        JPEG quality of the redacted file, or what its codec does.
    clean : Image
        The face's aligned crop, from the original file's own pixels.
    references : sequence of Image
        Aligned crops of the same person from other pictures; the frame itself where empty.
    """
    assert cover.operator is not None
    operator = cover.operator
    x0, y0, x1, y1 = _part(face, cover, original.shape)
    matrix = geometry.similarity(face.landmarks, CROP)
    local = matrix.copy()
    local[:, 2] += matrix[:, :2] @ (x0, y0)
    again = _Again(_shifted(operator, x0, y0), cover.mask[y0:y1, x0:x1], _codec(compression), local)
    part = np.ascontiguousarray(original[y0:y1, x0:x1])
    under = geometry.crop(
        np.repeat(again.mask[..., None].astype(np.uint8) * 255, 3, axis=2), local, CROP
    )
    # A rim of one pixel: resampling carries what was covered across the border.
    covered = cv2.dilate((under[..., 0] > 0).astype(np.uint8), np.ones((3, 3), np.uint8)) > 0
    reduced = again.reduced()
    return Case(
        clean=clean,
        probe=geometry.crop(again.on_picture(part), local, CROP),
        covered=covered,
        cover=reduced.on_crop,
        operator=_in_crop(_partial(operator, cover.share), matrix),
        references=tuple(references) or (clean,),
        same_frame=not references,
        plain=replace(reduced, codec=None).on_crop,
    )


def covered_again(original: Image, covers: Sequence[Cover]) -> Image:
    """Return a picture with these covers put over it."""
    result = original.copy()
    for cover in covers:
        if cover.operator is None:
            continue
        x0, y0, x1, y1 = _grown(cover.box.as_tuple(), cover.operator, original.shape)
        part = np.ascontiguousarray(original[y0:y1, x0:x1])
        identity = np.eye(2, 3)
        again = _Again(_shifted(cover.operator, x0, y0), cover.mask[y0:y1, x0:x1], None, identity)
        under = again.mask
        result[y0:y1, x0:x1][under] = again.on_picture(part)[under]
    return result


@dataclass(frozen=True, slots=True, eq=False)
class _Again:
    """A cover, applied once more: in the part of the picture around it, or to anybody's crop."""

    operator: Operator  # pixels of the part
    mask: Flags
    codec: Degradation | None
    matrix: geometry.Matrix  # part to crop

    def on_picture(self, part: Image) -> Image:
        """Cover the part as the redacted file does, its compression included."""
        covered = part.copy()
        degradation = degradation_of(self.operator)
        under = self.mask
        covered[under] = 0 if degradation is None else degradation(part)[under]
        return covered if self.codec is None else self.codec(covered)

    def on_crop(self, crop: Image) -> Image:
        """Cover an aligned crop as if it had stood in the picture."""
        part = np.empty((*self.mask.shape, 3), np.uint8)
        part[:] = crop.reshape(-1, 3).mean(axis=0).astype(np.uint8)
        window, placed = geometry.place(crop, self.matrix, part.shape)
        part[window] = placed
        return geometry.crop(self.on_picture(part), self.matrix, CROP)

    def reduced(self) -> _Again:
        """Return the same in fewer pixels, so that covering a crop takes no time."""
        factor = _LARGEST / max(self.mask.shape)
        if factor >= 1:
            return self
        height, width = (max(1, round(n * factor)) for n in self.mask.shape)
        mask = cv2.resize(
            self.mask.astype(np.uint8), (width, height), interpolation=cv2.INTER_NEAREST
        )
        matrix = self.matrix / factor
        matrix[:, 2] = self.matrix[:, 2] - self.matrix[:, :2] @ (0.5, 0.5)
        matrix[:, 2] += matrix[:, :2] @ (0.5, 0.5)
        return _Again(_scaled(self.operator, factor), mask > 0, self.codec, matrix)


def _codec(compression: int | Degradation | None) -> Degradation | None:
    return Jpeg(compression) if isinstance(compression, int) else compression


def degradation_of(operator: Operator) -> Degradation | None:
    """Return what makes an operator's pixels; ``None`` for covers that paint."""
    if operator.size is None:
        return None
    width, height = operator.size
    match operator.kind:
        case "mosaic":
            x, y = operator.phase or (0.0, 0.0)
            return Mosaic((max(width, 1.0), max(height, 1.0)), (-x, -y))
        case "gauss":
            return GaussianBlur(width)
        case _:
            return BoxBlur((max(1, round(width)), max(1, round(height))))


def _partial(operator: Operator, share: float) -> Operator:
    """Call paint that leaves much of the face bare a bar: attackers look beside it."""
    if operator.kind == "solid" and share < PARTIAL:
        return Operator("eye-bar", None, None, operator.confidence)
    return operator


def _shifted(operator: Operator, x0: float, y0: float) -> Operator:
    """Return an operator in coordinates whose origin lies at ``x0, y0``."""
    if operator.phase is None or operator.size is None:
        return operator
    x, y = ((p - o) % c for p, o, c in zip(operator.phase, (x0, y0), operator.size, strict=True))
    return Operator(operator.kind, operator.size, (x, y), operator.confidence)


def _scaled(operator: Operator, factor: float) -> Operator:
    if operator.size is None:
        return operator
    width, height = (length * factor for length in operator.size)
    phase = None
    if operator.phase is not None:
        phase = (operator.phase[0] * factor, operator.phase[1] * factor)
    return Operator(operator.kind, (width, height), phase, operator.confidence)


def _in_crop(operator: Operator, matrix: geometry.Matrix) -> Operator:
    """Return an operator in pixels of the aligned crop."""
    found = _scaled(operator, geometry.scale_of(matrix))
    if operator.phase is None or found.size is None:
        return found
    corner = geometry.transform(matrix, np.array(operator.phase) - 0.5) + 0.5
    phase = (float(corner[0] % found.size[0]), float(corner[1] % found.size[1]))
    return Operator(found.kind, found.size, phase, found.confidence)


def _part(face: Face, cover: Cover, shape: tuple[int, ...]) -> tuple[int, int, int, int]:
    """Return the part of a picture that decides how a face comes out: x0, y0, x1, y1."""
    assert cover.operator is not None
    corners = geometry.transform(
        geometry.invert(geometry.similarity(face.landmarks, CROP)),
        [(0, 0), (CROP, 0), (0, CROP), (CROP, CROP)],
    )
    box = cover.box
    low = np.minimum(corners.min(axis=0), (box.x0, box.y0))
    high = np.maximum(corners.max(axis=0), (box.x1, box.y1))
    return _grown((*low, *high), cover.operator, shape)


def _grown(
    edges: tuple[float, ...], operator: Operator, shape: tuple[int, ...]
) -> tuple[int, int, int, int]:
    """Return a box with all around it that has a part in what an operator makes of it."""
    reach = max(operator.size or (0.0,)) * (4 if operator.kind == "gauss" else 1)
    margin = math.ceil(reach) + _BLOCK
    x0, y0, x1, y1 = edges
    return (
        max(0, math.floor(x0 - margin) // _BLOCK * _BLOCK),
        max(0, math.floor(y0 - margin) // _BLOCK * _BLOCK),
        min(shape[1], math.ceil(x1 + margin)),
        min(shape[0], math.ceil(y1 + margin)),
    )
