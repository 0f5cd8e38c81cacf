"""The restorer network, and a whole picture around it."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import numpy.typing as npt

from seethrough import operators
from seethrough.errors import MissingPartError, UsageError
from seethrough.geometry import Matrix, crop, similarity
from seethrough.restorer.blending import (
    Change,
    Layer,
    compose,
    matched_colour,
    placed_layer,
    region_mask,
    with_grain,
)
from seethrough.restorer.clarity import is_clear
from seethrough.restorer.consistency import consistency
from seethrough.session import Device, open_session
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
    Restoration,
    TextLine,
    WeightsUsed,
)
from seethrough.weights import record

CROP = 128
"""Side in pixels of the crops that the network takes and returns."""

BATCH = 16  # crops at a time: larger batches gain no speed and cost memory
KINDS: dict[Kind, int] = {"face": 0, "text": 1}

LEAST_FACE = 24  # px: a narrower face has no room to show what was restored
LEAST_LINE = 6  # px: likewise the height of a line of text
_COVER_SHARE = 0.2  # of a region: less cover than this is somebody else's


class Restorer:
    """One network for blurred, mosaicked and low-resolution faces and text.

    Parameters
    ----------
    device : {"auto", "cpu", "cuda"}
        Where the network runs.
    threads : int, optional
        Threads for one run on the CPU; all usable processors where absent.
    weights : Path, optional
        An ONNX file of the same contract in place of the shipped network: inputs ``degraded``,
        ``float32 (N, 3, 128, 128)``, RGB on [0, 1], and ``kind``, ``int64 (N,)``, 0 for a face
        and 1 for text; first output ``restored``, like ``degraded``.

    Raises
    ------
    UsageError
        Where an option is out of range.
    MissingPartError
        Where the weights or the device are missing.

    Examples
    --------
    >>> restorer = Restorer(threads=1)
    >>> crops = np.zeros((2, 128, 128, 3), np.uint8)
    >>> restorer.restore_crops(crops, ["face", "text"]).shape
    (2, 128, 128, 3)
    """

    def __init__(
        self, device: Device = "auto", threads: int | None = None, weights: Path | None = None
    ) -> None:
        # First, because its error names a path that does not exist.
        self.weights = record("restorer").used if weights is None else _used(weights)
        self._session = open_session(
            "restorer" if weights is None else weights, device=device, threads=threads
        )

    def restore_crops(self, crops: npt.NDArray[np.uint8], kinds: Sequence[Kind]) -> Image:
        """Restore aligned crops.

        Parameters
        ----------
        crops : ndarray
            ``uint8 (N, 128, 128, 3)`` RGB: faces aligned to the template, or text with capitals
            of about 20 px.
        kinds : sequence of str
            ``face`` or ``text``, one for each crop.

        Returns
        -------
        ndarray
            ``uint8 (N, 128, 128, 3)``.

        Raises
        ------
        UsageError
            Where the shapes or kinds are not these.
        """
        if crops.dtype != np.uint8 or crops.shape[1:] != (CROP, CROP, 3):
            raise UsageError(
                f"crops of shape {crops.shape} and type {crops.dtype}",
                f"give uint8 of shape (N, {CROP}, {CROP}, 3)",
            )
        if len(kinds) != len(crops) or not set(kinds) <= KINDS.keys():
            raise UsageError(
                f"{len(crops)} crops with the kinds {list(kinds)}", "give face or text for each"
            )
        restored = np.empty_like(crops)
        for start in range(0, len(crops), BATCH):
            part = slice(start, start + BATCH)
            degraded = crops[part].transpose(0, 3, 1, 2).astype(np.float32) / np.float32(255)
            kind = np.array([KINDS[name] for name in kinds[part]], np.int64)
            output = self._session.run({"degraded": degraded, "kind": kind})[0]
            levels = np.floor(np.clip(output, 0, 1) * np.float32(255) + np.float32(0.5))
            restored[part] = levels.astype(np.uint8).transpose(0, 2, 3, 1)
        return restored

    def restore_picture(
        self,
        picture: Image,
        faces: Sequence[Face] = (),
        lines: Sequence[TextLine] = (),
        covered: Sequence[CoveredRegion] = (),
        *,
        force: bool = False,
        rng: np.random.Generator | None = None,
    ) -> Restoration:
        """Restore faces and lines of text where they lie in a picture.

        Parameters
        ----------
        picture : Image
            ``uint8 (H, W, 3)``; not changed.
        faces : sequence of Face
            From :class:`seethrough.faces.FaceDetector`, or placed by hand.
        lines : sequence of TextLine
            From :class:`seethrough.text.TextFinder`, or placed by hand.
        covered : sequence of CoveredRegion
            From :func:`seethrough.operators.find_covered`.
        force : bool
            Restore regions that are clear already, or very small, all the same.
        rng : numpy.random.Generator, optional
            Source of the grain that is laid over replaced regions of a grainy picture; none is
            laid where it is absent.

        Returns
        -------
        Restoration
            Regions stand in the order given, faces first. Pixels outside ``synthesised`` are
            the picture's.

        Notes
        -----
        A region is skipped, with its reason, where it is ``clear`` already, ``too small``,
        ``outside the picture``, or under a ``solid`` cover or an ``eye-bar``: nothing is left
        there to restore from.
        """
        targets = [_face_target(face) for face in faces] + [_line_target(line) for line in lines]
        judged = [_judged(picture, target, covered, force) for target in targets]
        layers = self._layers(picture, [target for target in judged if not target.reason], rng)
        result, synthesised = compose(picture, [layer for layer, _ in layers])
        spent = iter(layers)
        regions = []
        for target in judged:
            started = time.perf_counter()
            explained, seconds = None, target.seconds
            if not target.reason:
                seconds += next(spent)[1]
                if target.operator is not None:
                    box = target.box if target.cover is None else target.cover.box
                    explained = consistency(picture, result, synthesised, target.operator, box)
            seconds += time.perf_counter() - started
            regions.append(target.region(explained, seconds))
        used = (self.weights,) if layers else ()
        return Restoration(result, synthesised, tuple(regions), used)

    def _layers(
        self, picture: Image, targets: Sequence[_Target], rng: np.random.Generator | None
    ) -> list[tuple[Layer, float]]:
        """Return the restored layer of each target, and the seconds that it took."""
        matrices = [(target, matrix) for target in targets for matrix in target.matrices]
        if not matrices:
            return []
        started = time.perf_counter()
        crops = np.stack([crop(picture, matrix, CROP) for _, matrix in matrices])
        restored = self.restore_crops(crops, [target.kind for target, _ in matrices])
        each = (time.perf_counter() - started) / len(matrices)
        layers = []
        done = 0
        for target in targets:
            started = time.perf_counter()
            count = len(target.matrices)
            part = slice(done, done + count)
            layer = _layer(picture, target, crops[part], restored[part])
            if rng is not None:
                layer = with_grain(layer, picture, rng)
            layers.append((layer, each * count + time.perf_counter() - started))
            done += count
        return layers


@dataclass(frozen=True, eq=False)
class _Target:
    """A face or a line on its way through :meth:`Restorer.restore_picture`."""

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


def _face_target(face: Face) -> _Target:
    matrix = similarity(face.landmarks, CROP)
    return _Target("face", face.box, face.landmarks, face.score, (matrix,))


def _line_target(line: TextLine) -> _Target:
    tiles = line_tiles(line)
    return _Target(
        "text",
        line.box,
        None,
        line.score,
        tuple(tile.matrix for tile in tiles),
        weights=tuple(tile.weight for tile in tiles),
        line=line,
    )


def _judged(
    picture: Image, target: _Target, covered: Sequence[CoveredRegion], force: bool
) -> _Target:
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


def _extent(target: _Target) -> float:
    return target.box.width if target.kind == "face" else target.box.height


def _clear(picture: Image, target: _Target, operator: Operator | None) -> bool:
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


def _layer(
    picture: Image,
    target: _Target,
    crops: npt.NDArray[np.uint8],
    restored: npt.NDArray[np.uint8],
) -> Layer:
    """Fit the restored crops of one target into the picture."""
    replaced = target.operator is not None and target.operator.kind == "mosaic"
    masks = target.weights or tuple(
        region_mask(matrix, CROP, target.cover) for matrix in target.matrices
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


def _used(weights: Path) -> WeightsUsed:
    try:
        content = weights.read_bytes()
    except OSError as error:
        raise MissingPartError(
            f"the weights {weights} cannot be read ({error.strerror})", "check the path"
        ) from error
    return WeightsUsed(weights.stem, hashlib.sha256(content).hexdigest())
