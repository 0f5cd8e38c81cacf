"""The verb ``degrade``: the operators of the degradation model, applied to files."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt

from seethrough import __version__, image
from seethrough.degrade import (
    EYE_BAR,
    H264,
    MASK_FACE,
    MASK_HEAD,
    BoxBlur,
    Chain,
    Degradation,
    Ellipse,
    Float,
    GaussianBlur,
    Jpeg,
    Mosaic,
    MotionBlur,
    Noise,
    low_resolution,
    preset,
)
from seethrough.geometry import Matrix, similarity, template, tight_box, transform
from seethrough.operators import find_covered
from seethrough.pipeline.degrading_films import FilmDegrading
from seethrough.pipeline.inputs import Item, plan
from seethrough.pipeline.networks import Networks
from seethrough.pipeline.options import DegradeOptions
from seethrough.pipeline.progress import Progress
from seethrough.pipeline.report import Record
from seethrough.pipeline.run import Run, generator
from seethrough.types import Box, Face, Image, Region, WeightsUsed
from seethrough.weights import record

FRAME = 128
"""Side of the aligned crop in which PROTOCOL places bars, masks and tools' boxes."""

_SHAPES: dict[str, Box | Ellipse] = {
    "eye_bar": EYE_BAR,
    "mask_face": MASK_FACE,
    "mask_head": MASK_HEAD,
}
_BLOCK = 16  # px: parts are cut on the grid of JPEG's and H.264's blocks
_REDUCTION_REACH = 64  # px: the farthest that the random blurs before x4 and x8 are felt


def degrading(inputs: Sequence[Path], output: Path, options: DegradeOptions) -> Run:
    """Plan a degradation; iterating over the result does the work.

    Parameters
    ----------
    inputs : sequence of Path
        Pictures, films and folders.
    output : Path
        A file for a single file, otherwise a folder.
    options : DegradeOptions
        Which operators act.

    Raises
    ------
    UsageError
        Where options and paths contradict each other.
    OutputError
        Where the output cannot be what the inputs need.
    """
    networks = Networks(options.device, options.threads)
    # Refuses lengths that no operator takes, before any file is read.
    _filters(options, face_width=100, rng=np.random.default_rng(0), in_place=options.faces)

    items = plan(inputs, output, films=True)
    progress = Progress()
    films = FilmDegrading(
        options,
        progress,
        lambda pixels, rng, fixed: degraded(pixels, options, rng, fixed=fixed, still=False),
        lambda pixels, face, rng, fixed: degraded_faces(
            pixels, [face], options, rng, fixed=fixed, still=False
        ),
    )
    tracked = False

    def used() -> tuple[WeightsUsed, ...]:
        loaded = networks.used()
        seen = (record("detector").used,) if tracked else ()
        return tuple(dict.fromkeys([*seen, *loaded]))

    def work(item: Item) -> Record:
        nonlocal tracked
        if item.film:
            tracked = tracked or options.faces
            return films(item)
        picture = image.read(item.source)
        pixels = picture.pixels
        rng = generator(options.seed, pixels)
        faces: tuple[Face, ...] = ()
        if options.faces:
            faces = networks.detector.detect(pixels, find_covered(pixels))
            if not faces:
                return Record(
                    item.source, None, "skipped", "no face found", picture.width, picture.height
                )
            result = degraded_faces(pixels, faces, options, rng)
        else:
            result = degraded(pixels, options, rng)
        height, width = result.shape[:2]
        same_size = result.shape == pixels.shape
        image.write(
            item.output,
            picture if same_size else picture.reduced(width, height),
            result,
            description=f"Degraded by seethrough {__version__}: {', '.join(options.operators)}",
            overwrite=options.overwrite or options.resume,
            reconstruction=False,
        )
        return Record(
            item.source,
            item.output,
            "done",
            width=picture.width,
            height=picture.height,
            regions=tuple(_region(face) for face in faces),
        )

    return Run("degrade", items, work, used, options, films=True, progress=progress)


def degraded(
    pixels: Image,
    options: DegradeOptions,
    rng: np.random.Generator,
    *,
    fixed: np.random.Generator | None = None,
    still: bool = True,
) -> Image:
    """Degrade a whole picture, taken as one aligned crop of any size.

    Parameters
    ----------
    pixels : Image
        ``uint8 (H, W, 3)``.
    options : DegradeOptions
        Which operators act.
    rng : numpy.random.Generator
        Source of noise, and of random blurs where ``fixed`` is absent.
    fixed : numpy.random.Generator, optional
        Source of random blurs.
    still : bool
        Whether it is a picture; a film's encoder does what ``h264`` asks for.

    Returns
    -------
    Image
        Smaller with ``x4`` and ``x8``.
    """
    height, width = pixels.shape[:2]
    stretch = np.array([FRAME / width, FRAME / height])
    matrix = np.column_stack([np.diag(stretch), (stretch - 1) / 2])
    face = tight_box(template(FRAME))
    box = Box(
        face.x0 / stretch[0], face.y0 / stretch[1], face.x1 / stretch[0], face.y1 / stretch[1]
    )
    covers = _covers(options, matrix, box, (width, height))
    drawn = rng if fixed is None else fixed
    filters = _filters(options, box.width, drawn, in_place=False, still=still)
    return Chain([*covers, *filters])(pixels, rng)


def degraded_faces(
    pixels: Image,
    faces: Sequence[Face],
    options: DegradeOptions,
    rng: np.random.Generator,
    *,
    fixed: np.random.Generator | None = None,
    still: bool = True,
) -> Image:
    """Degrade faces where they lie in a picture.

    Bars, masks and tools cover what their shapes say; all other operators act inside the tight
    box. Mosaic grids are those of the picture.

    Parameters
    ----------
    pixels : Image
        ``uint8 (H, W, 3)``; not changed.
    faces : sequence of Face
        Where to act.
    options : DegradeOptions
        Which operators act.
    rng : numpy.random.Generator
        Source of noise, and of random blurs where ``fixed`` is absent.
    fixed : numpy.random.Generator, optional
        Source of random blurs.
    still : bool
        As for :func:`degraded`.
    """
    height, width = pixels.shape[:2]
    result = pixels.copy()
    for face in faces:
        x0, y0, x1, y1 = _part(face, options, width, height)
        part = np.ascontiguousarray(result[y0:y1, x0:x1])
        matrix = similarity(face.landmarks, FRAME)
        local = matrix.copy()
        local[:, 2] += matrix[:, :2] @ (x0, y0)
        box = Box(face.box.x0 - x0, face.box.y0 - y0, face.box.x1 - x0, face.box.y1 - y0)
        covered = Chain(_covers(options, local, box, (width, height)))(part, rng)
        drawn = rng if fixed is None else fixed
        filters = _filters(
            options, face.box.width, drawn, in_place=True, origin=(x0, y0), still=still
        )
        filtered = Chain(filters)(covered, rng)
        left, top, right, bottom = (max(0, round(edge)) for edge in box.as_tuple())
        covered[top:bottom, left:right] = filtered[top:bottom, left:right]
        result[y0:y1, x0:x1] = covered
    return result


@dataclass(frozen=True)
class _Painted(Degradation):
    """A black shape of the aligned frame, wherever that lies in the picture."""

    shape: Box | Ellipse
    matrix: Matrix  # picture to frame

    def apply(self, picture: Float, rng: np.random.Generator | None = None) -> Float:
        ys, xs = np.mgrid[: picture.shape[0], : picture.shape[1]]
        # Shapes count from edges, points from pixel centres.
        points = transform(self.matrix, np.stack([xs, ys], axis=-1)) + 0.5
        return np.where(_inside(self.shape, points)[..., None], np.float32(0), picture)


@dataclass(frozen=True)
class _InPlace(Degradation):
    """An operator that reduces a picture, brought back to its size bicubically."""

    operator: Degradation
    random = True

    def apply(self, picture: Float, rng: np.random.Generator | None = None) -> Float:
        small = np.clip(self.operator.apply(picture, rng), 0, 1)
        size = (picture.shape[1], picture.shape[0])
        return np.asarray(cv2.resize(small, size, interpolation=cv2.INTER_CUBIC), np.float32)


def _inside(shape: Box | Ellipse, points: npt.NDArray[np.float64]) -> npt.NDArray[np.bool_]:
    x, y = points[..., 0], points[..., 1]
    if isinstance(shape, Box):
        return np.asarray((shape.x0 <= x) & (x < shape.x1) & (shape.y0 <= y) & (y < shape.y1))
    (cx, cy), (a, b) = shape.centre, shape.half_axes
    return np.asarray(((x - cx) / a) ** 2 + ((y - cy) / b) ** 2 <= 1)


def _covers(
    options: DegradeOptions, matrix: Matrix, box: Box, size: tuple[int, int]
) -> list[Degradation]:
    """Return the operators that hide a shape: tool, bar, masks."""
    covers: list[Degradation] = []
    if options.tool is not None:
        covers.append(preset(options.tool, box, size))
    covers += [_Painted(shape, matrix) for name, shape in _SHAPES.items() if getattr(options, name)]
    return covers


def _filters(
    options: DegradeOptions,
    face_width: float,
    rng: np.random.Generator,
    *,
    in_place: bool,
    origin: tuple[int, int] = (0, 0),
    still: bool = True,
) -> list[Degradation]:
    """Return the operators that act everywhere, in INTERFACE's order."""
    chain: list[Degradation] = []
    if options.mosaic is not None:
        cell = max(1.0, options.mosaic.pixels(face_width))
        phase = (options.phase[0] + origin[0], options.phase[1] + origin[1])
        chain.append(Mosaic(cell, phase, options.sampled))
    if options.gauss is not None:
        chain.append(GaussianBlur(options.gauss.pixels(face_width)))
    if options.box is not None:
        chain.append(BoxBlur(max(1, round(options.box.pixels(face_width)))))
    if options.motion is not None:
        length, angle = options.motion
        chain.append(MotionBlur(length.pixels(face_width), angle))
    for factor, wanted in ((4, options.x4), (8, options.x8)):
        if wanted:
            reduction = low_resolution(factor, rng)
            chain.append(_InPlace(reduction) if in_place else reduction)
    if options.noise is not None:
        chain.append(Noise(options.noise))
    if options.jpeg is not None:
        chain.append(Jpeg(options.jpeg))
    if options.h264 is not None and still:
        chain.append(H264(options.h264))
    return chain


def _part(
    face: Face, options: DegradeOptions, width: int, height: int
) -> tuple[int, int, int, int]:
    """Return the part of a picture that decides how its face comes out: x0, y0, x1, y1."""
    box = face.box
    lengths = [options.mosaic, options.box, options.motion and options.motion[0]]
    reach = [length.pixels(box.width) for length in lengths if length is not None]
    if options.gauss is not None:
        reach.append(5 * options.gauss.pixels(box.width))
    # Heads and feathered rims reach beyond the tight face by less than its size.
    margin = math.ceil(max(_REDUCTION_REACH, 1.5 * box.width, 1.5 * box.height, *reach))
    return (
        max(0, (math.floor(box.x0) - margin) // _BLOCK * _BLOCK),
        max(0, (math.floor(box.y0) - margin) // _BLOCK * _BLOCK),
        min(width, math.ceil(box.x1) + margin),
        min(height, math.ceil(box.y1) + margin),
    )


def _region(face: Face) -> Region:
    return Region("face", face.box, face.landmarks, face.score, "done", None, None, None, 0.0)
