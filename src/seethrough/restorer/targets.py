"""One face or line of text between detection and restoration: how it was made, where it goes."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from seethrough import operators
from seethrough.errors import UsageError
from seethrough.geometry import Matrix, scale_of, similarity
from seethrough.restorer.blending import Change, Layer, matched_colour, placed_layer, region_mask
from seethrough.restorer.clarity import is_clear
from seethrough.restorer.reach import reached
from seethrough.text import is_clear as is_clear_line
from seethrough.text import line_tiles
from seethrough.types import (
    Box,
    CoveredRegion,
    Face,
    Image,
    Kind,
    Landmarks,
    Mask,
    Operator,
    Region,
    TextLine,
)

CROP = 128
"""Side in pixels of the crops that the network takes and returns."""

LEAST_FACE = 24  # px: a narrower face has no room to show what was restored
LEAST_LINE = 6  # px: likewise the height of a line of text
_SIGMA = {"gauss": 1.0, "box": 12**-0.5}
"""Standard deviation of a blur along an axis, as a share of its size."""
_COVER_SHARE = 0.2  # of a region: less cover than this is somebody else's


@dataclass(frozen=True, eq=False)
class Target:
    """A face or a line on its way through :class:`~seethrough.restorer.Restorer`."""

    kind: Kind
    box: Box
    landmarks: Landmarks | None
    score: float
    matrices: tuple[Matrix, ...]
    weights: tuple[Mask, ...] = ()
    line: TextLine | None = None
    cover: CoveredRegion | None = None
    operator: Operator | None = None
    reason: str | None = None
    seconds: float = 0.0

    def region(self, consistency_db: float | None, seconds: float) -> Region:
        """Return what became of it."""
        return Region(
            self.kind,
            self.box,
            self.landmarks,
            self.score,
            "skipped" if self.reason else "done",
            self.reason,
            self.operator,
            consistency_db,
            seconds,
        )


def face_target(face: Face) -> Target:
    """Return a face as a target."""
    matrix = similarity(face.landmarks, CROP)
    return Target("face", face.box, face.landmarks, face.score, (matrix,))


def line_target(line: TextLine) -> Target:
    """Return a line of text as a target."""
    tiles = line_tiles(line)
    return Target(
        "text",
        line.box,
        None,
        line.score,
        tuple(tile.matrix for tile in tiles),
        weights=tuple(tile.weight for tile in tiles),
        line=line,
    )


def judged(picture: Image, target: Target, covered: Sequence[CoveredRegion], force: bool) -> Target:
    """Find how a region was made, and whether it is to be restored."""
    started = time.perf_counter()
    cover = _cover_of(target.box, covered)
    operator = None if cover is None else cover.operator
    height, width = picture.shape[:2]
    frame = Box(0, 0, width, height)
    reason = None
    if target.box.intersection(frame) == 0:
        reason = "outside the picture"
    elif not force and _extent(target) < (LEAST_FACE if target.kind == "face" else LEAST_LINE):
        reason = "too small"
    else:
        if operator is None:
            operator = operators.estimate(picture, target.box)
        if operator is not None and operator.kind in ("solid", "eye-bar"):
            reason = operator.kind
        elif cover is None and not force and _clear(picture, target, operator):
            reason, operator = "clear", None
    seconds = time.perf_counter() - started
    return replace(target, cover=cover, operator=operator, reason=reason, seconds=seconds)


def _extent(target: Target) -> float:
    return target.box.width if target.kind == "face" else target.box.height


def _clear(picture: Image, target: Target, operator: Operator | None) -> bool:
    if target.line is not None:
        return is_clear_line(picture, target.line)
    # The borders of a mosaic's cells are sharp edges too.
    mosaic = operator is not None and operator.kind == "mosaic"
    return not mosaic and is_clear(picture, target.matrices[0], CROP)


def _cover_of(box: Box, covered: Sequence[CoveredRegion]) -> CoveredRegion | None:
    """Return the cover that hides most of a region, if it hides enough to count."""
    best = max(covered, key=lambda cover: cover.box.intersection(box), default=None)
    if best is None or best.box.intersection(box) < _COVER_SHARE * box.area:
        return None
    return best


def _mask(matrix: Matrix, target: Target, given: Image | None) -> Mask:
    """Which part of a crop is to be replaced: the cover, and as far as a blur goes on."""
    found = region_mask(matrix, CROP, target.cover)
    if given is None or target.cover is None or target.cover.operator.size is None:
        return found
    share = _SIGMA.get(target.cover.operator.kind)
    if share is None or target.kind != "face":
        return found
    pixel = scale_of(matrix)
    sigma = share * max(target.cover.operator.size) * pixel
    return np.minimum(reached(given, found, sigma, pixel), region_mask(matrix, CROP, None))


def layer_of(
    picture: Image,
    target: Target,
    crops: npt.NDArray[np.uint8],
    restored: npt.NDArray[np.uint8],
    *,
    grow: bool = True,
) -> Layer:
    """Fit the restored crops of one target into the picture that they are laid over.

    ``grow`` follows a blur farther than it was found. Not in films: its rim would move from frame
    to frame with the codec's noise.
    """
    replaced = target.operator is not None and target.operator.kind == "mosaic"
    masks = target.weights or tuple(
        _mask(matrix, target, given if grow else None)
        for matrix, given in zip(target.matrices, crops, strict=True)
    )
    pieces: list[tuple[Matrix, Mask, Change]] = []
    for matrix, mask, given, made in zip(target.matrices, masks, crops, restored, strict=True):
        before = given.astype(np.float32)
        levels = matched_colour(made.astype(np.float32), before, mask)
        pieces.append((matrix, mask, levels if replaced else levels - before))
    layer = placed_layer(picture, pieces, replace=replaced)
    if layer is None:  # the box touches the picture, so its crop does
        raise UsageError("a region lies outside the picture", "check its coordinates")
    return layer
