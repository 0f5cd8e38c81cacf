"""Training pairs: a clean crop of a face or of text, and the same crop degraded at random.

Sample ``i`` is a pure function of ``(seed, i)``, so that a run resumes at the exact picture with
any number of loader workers. Needs NumPy and OpenCV only.
"""

from __future__ import annotations

import hashlib
import tarfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from seethrough import degrade
from seethrough.degrade import Degradation, Float
from seethrough.types import Box, Image
from training import typeface
from training.block_codec import block_codec
from training.photo_space import covered_in_photo, with_grain
from training.text_render import Page, random_page, random_text

FACE, TEXT = 0, 1
SIZE = 128
LARGEST_SAMPLED = 28.0
"""Pixels of the crop: tools that sample do not make their cells smaller with the face."""


@dataclass(frozen=True)
class Mix:
    """How often each degradation is drawn.

    Attributes
    ----------
    text : float
        Share of text among the pictures.
    text_x4 : float
        Added to the weights of ``x4`` and ``x8`` when the picture is text, which is drawn as
        ``x4`` then: what covers leave of text is either easy or nothing.
    low_resolution : dict
        Weights of ``x4``, ``x8`` and ``mixed`` (any factor, any interpolation).
    in_place : dict
        Weights of ``mosaic``, ``gauss``, ``box`` and ``motion``.
    sampled : float
        Share of mosaics whose cells take the colour of one pixel instead of their mean.
    codec : float
        Share of in-place degradations that are compressed afterwards.
    partial : float
        Share of in-place degradations that cover only the face's box or ellipse.
    turned : float
        Share of in-place degradations of faces that are drawn in a photo and cut out with the
        face (:mod:`training.photo_space`). No operator is told for these, so that losses which
        degrade the result again leave them out.
    misaligned : float
        Share of faces turned, scaled and shifted as a detector errs.
    photos : float
        Share of faces drawn from ``ffhq/`` alone, the sharpest photos of the training set; the rest
        are drawn from all sources.
    """

    text: float = 0.22
    text_x4: float = 0.25
    x4: float = 0.3
    x8: float = 0.1
    mixed: float = 0.04
    mosaic: float = 0.26
    gauss: float = 0.24
    box: float = 0.03
    motion: float = 0.03
    sampled: float = 0.12
    codec: float = 0.25
    partial: float = 0.12
    turned: float = 0.0
    misaligned: float = 0.3
    rotation: float = 2.0
    scale: float = 0.035
    shift: float = 1.8
    photos: float = 0.4


def read_crops(archive: Path) -> npt.NDArray[np.uint8]:
    """Decode every picture of a tar, in name order; ``uint8 (N, 128, 128, 3)`` RGB."""
    with tarfile.open(archive) as tar:
        members = sorted((m for m in tar.getmembers() if m.isfile()), key=lambda m: m.name)
        crops = np.empty((len(members), SIZE, SIZE, 3), np.uint8)
        for crop, member in zip(crops, members, strict=True):
            file = tar.extractfile(member)
            assert file is not None
            decoded = cv2.imdecode(np.frombuffer(file.read(), np.uint8), cv2.IMREAD_COLOR)
            assert decoded is not None
            crop[:] = decoded[..., ::-1]
    return crops


def sharp_photos(archive: Path) -> npt.NDArray[np.intp]:
    """Indices, in :func:`read_crops`' order, of the faces under ``ffhq/``."""
    with tarfile.open(archive) as tar:
        names = sorted(member.name for member in tar.getmembers() if member.isfile())
    return np.flatnonzero([name.removeprefix("./").startswith("ffhq/") for name in names])


def digest(*paths: Path) -> str:
    """SHA-256 over the bytes of files: which data a run has seen."""
    total = hashlib.sha256()
    for path in paths:
        total.update(path.read_bytes())
    return total.hexdigest()


def _log_uniform(rng: np.random.Generator, low: float, high: float) -> float:
    return float(np.exp(rng.uniform(np.log(low), np.log(high))))


def _length(rng: np.random.Generator, low: float, high: float, text: bool) -> float:
    """Strength of a cover; faces mostly under middling to strong ones: most to learn there."""
    if not text and rng.random() < 0.75:
        return float(rng.uniform(1.2 * low, 0.8 * high))
    return _log_uniform(rng, low, high)


def reduce_and_enlarge(picture: Float, operator: Degradation, rng: np.random.Generator) -> Float:
    """The protocol's ``x4`` and ``x8``, brought back to size bicubically."""
    small = operator.apply(picture, rng)
    return _enlarge(degrade.to_float(degrade.to_uint8(small)))


def _enlarge(small: Float) -> Float:
    enlarged = cv2.resize(small, (SIZE, SIZE), interpolation=cv2.INTER_CUBIC)
    return np.asarray(enlarged, np.float32)


def mixed_reduction(picture: Float, rng: np.random.Generator) -> Float:
    """A small, noisy, compressed picture of unknown history, brought back to size."""
    if rng.random() < 0.7:
        picture = degrade.GaussianBlur(_log_uniform(rng, 0.3, 5)).apply(picture)
    side = int(rng.integers(12, 97))
    ways = (cv2.INTER_AREA, cv2.INTER_LINEAR, cv2.INTER_CUBIC)
    small = np.asarray(
        cv2.resize(picture, (side, side), interpolation=ways[rng.integers(3)]), np.float32
    )
    small = degrade.Noise(_log_uniform(rng, 0.001, 0.06)).apply(small, rng)
    if rng.random() < 0.6:
        small = degrade.Jpeg(int(rng.integers(35, 98))).apply(small)
    if rng.random() < 0.3:
        nearest = cv2.resize(small, (SIZE, SIZE), interpolation=cv2.INTER_LINEAR)
        return np.asarray(nearest, np.float32)
    return _enlarge(degrade.to_float(degrade.to_uint8(small)))


def random_mosaic(rng: np.random.Generator, mix: Mix, text: bool) -> Degradation:
    """Mosaics as tools make them: whole or fractional cells, oblong, sampled, any phase."""
    sampled = rng.random() < mix.sampled
    low, high = (2.5, 10.0) if text else (2.5, LARGEST_SAMPLED if sampled else 20.0)
    cell = _length(rng, low, high, text)
    if rng.random() < 0.5:
        cell = round(cell)
    across = cell * (rng.uniform(0.6, 1.6) if rng.random() < 0.12 else 1.0)
    cells = max(1.0, across), max(1.0, cell)
    phase = rng.uniform(0, cells[0]), rng.uniform(0, cells[1])
    return degrade.Mosaic(cells, phase, sampled)


def random_cover(rng: np.random.Generator, mix: Mix, text: bool) -> Degradation:
    """One in-place operator; text is legible only under smaller ones."""
    weights = np.array([mix.mosaic, mix.gauss, mix.box, mix.motion])
    match rng.choice(4, p=weights / weights.sum()):
        case 0:
            return random_mosaic(rng, mix, text)
        case 1:
            return degrade.GaussianBlur(_length(rng, 1, 5.5 if text else 12.5, text))
        case 2:
            size = _log_uniform(rng, 3, 15 if text else 63)
            other = size * (rng.uniform(0.7, 1.4) if rng.random() < 0.3 else 1.0)
            return degrade.BoxBlur((max(1, round(size)), max(1, round(other))))
        case _:
            length = _log_uniform(rng, 4, 16 if text else 36)
            if rng.random() < 0.5:
                return degrade.MotionPath(length)
            return degrade.MotionBlur(length, rng.uniform(0, 180))


def limited(operator: Degradation, rng: np.random.Generator) -> Degradation:
    """An operator over the face's box or ellipse alone, hard or feathered."""
    dx, dy = rng.normal(0, 5, 2)
    grow = rng.normal(4, 9)  # from eyes and mouth alone to all but the rim of the crop
    x0, y0 = max(0.0, 28 + dx - grow), max(0.0, 36 + dy - grow)
    box = Box(x0, y0, max(x0 + 40, 100 + dx + grow), max(y0 + 48, 124 + dy + grow))
    region = box if rng.random() < 0.5 else degrade.Ellipse.inscribed(box)
    feather = rng.uniform(1, 8) if rng.random() < 0.5 else 0.0
    return degrade.Within(operator, region, feather, cropped=rng.random() < 0.3)


def compress(picture: Float, rng: np.random.Generator) -> Float:
    """JPEG or block-transform artefacts at one to two times the crop's size, reduced again."""
    zoom = rng.choice([1.0, 1.5, 2.0], p=[0.3, 0.2, 0.5])
    side = round(SIZE * zoom)
    enlarged = cv2.resize(picture, (side, side), interpolation=cv2.INTER_CUBIC)
    large = np.asarray(enlarged, np.float32)
    if rng.random() < 0.5:
        large = degrade.Jpeg(int(rng.integers(45, 97))).apply(np.clip(large, 0, 1))
    else:
        large = block_codec(large, rng.uniform(14, 34))
    return np.asarray(cv2.resize(large, (SIZE, SIZE), interpolation=cv2.INTER_AREA))


def random_degradation(
    clean: Float, text: bool, mix: Mix, rng: np.random.Generator
) -> tuple[Float, Degradation | None]:
    """Degrade ``float32 (128, 128, 3)``; same shape.

    Also returns the operator, without the noise and the compression that may have followed;
    ``None`` where it was not one, or was drawn in a photo.
    """
    operator: Degradation | None = None
    names = ("x4", "x8", "mixed", "cover")
    covers = mix.mosaic + mix.gauss + mix.box + mix.motion
    low = (mix.x4 + mix.x8 + mix.text_x4, 0.0) if text else (mix.x4, mix.x8)
    weights = np.array([*low, mix.mixed, covers])
    name = names[rng.choice(4, p=weights / weights.sum())]
    if name in ("x4", "x8"):
        operator = degrade.low_resolution(int(name[1:]), rng)
        degraded = reduce_and_enlarge(clean, operator, rng)
    elif name == "mixed":
        return mixed_reduction(clean, rng), None
    else:
        operator = random_cover(rng, mix, text)
        if not text and rng.random() < mix.partial:
            operator = limited(operator, rng)
        if not text and mix.turned > 0 and rng.random() < mix.turned:
            degraded, operator = covered_in_photo(clean, operator, rng), None
        else:
            degraded = operator.apply(with_grain(clean, operator, rng), rng)
        if rng.random() < 0.15:
            degraded = degrade.Noise(_log_uniform(rng, 0.002, 0.03)).apply(degraded, rng)
    if rng.random() < (mix.codec if name == "cover" else mix.codec / 2):
        degraded = compress(np.clip(degraded, 0, 1), rng)
    return degraded, operator


def misalign(crop: Image, mix: Mix, rng: np.random.Generator) -> Image:
    """Turn, scale and shift a crop as a detector errs on a degraded face."""
    angle = rng.normal(0, mix.rotation)
    scale = np.exp(rng.normal(0, mix.scale))
    centre = SIZE / 2 - 0.5
    matrix = cv2.getRotationMatrix2D((centre, centre), angle, scale)
    shift = np.zeros((2, 3))
    shift[:, 2] = rng.normal(0, mix.shift, 2)
    warped = cv2.warpAffine(
        crop, matrix + shift, (SIZE, SIZE), flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REFLECT_101
    )
    return np.asarray(warped, np.uint8)


@dataclass(frozen=True, slots=True, eq=False)
class Drawn:
    """A pair, and all that is known of it.

    Attributes
    ----------
    degraded, clean : Image
        ``uint8 (128, 128, 3)``.
    page : Page or None
        Where the lines of text are; ``None`` for faces.
    operator : Degradation or None
        As :func:`random_degradation` returns it.
    rng : numpy.random.Generator
        For what else is drawn.
    """

    degraded: Image
    clean: Image
    page: Page | None
    operator: Degradation | None
    rng: np.random.Generator

    def pair(self) -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.uint8], int]:
        """Degraded and clean, ``uint8 (3, 128, 128)``, and the class."""
        kind = FACE if self.page is None else TEXT
        return self.degraded.transpose(2, 0, 1), self.clean.transpose(2, 0, 1), kind


class Pairs:
    """Map-style data set: index to ``(degraded, clean, kind)``.

    Parameters
    ----------
    faces : ndarray
        ``uint8 (N, 128, 128, 3)``.
    atlas : Path
        What :mod:`training.glyphs` wrote; held-out families are left out here.
    mix : Mix
        Shares of degradations.
    seed : int
        With the index, the source of every choice.
    photos : ndarray, optional
        Indices of the faces that ``mix.photos`` favours; without it all are drawn alike.
    """

    def __init__(
        self,
        faces: npt.NDArray[np.uint8],
        atlas: Path,
        mix: Mix,
        seed: int,
        photos: npt.NDArray[np.intp] | None = None,
    ) -> None:
        typefaces, self.words = typeface.load(atlas)
        self.typefaces = [face for face in typefaces if not typeface.is_held_out(face.family)]
        self.faces, self.mix, self.seed = faces, mix, seed
        self.photos = np.arange(len(faces)) if photos is None or not len(photos) else photos

    def face(self, rng: np.random.Generator) -> Image:
        """Draw a face, mirrored and misaligned as it comes; ``uint8 (128, 128, 3)``."""
        if rng.random() < self.mix.photos:
            clean = np.asarray(self.faces[rng.choice(self.photos)])
        else:
            clean = np.asarray(self.faces[rng.integers(len(self.faces))])
        if rng.random() < 0.5:
            clean = np.ascontiguousarray(clean[:, ::-1])
        if rng.random() < self.mix.misaligned:
            clean = misalign(clean, self.mix, rng)
        return clean

    def drawn(self, index: int) -> Drawn:
        """Draw one pair, and all that is known of it."""
        rng = np.random.default_rng([self.seed, index])
        page = None
        if rng.random() < self.mix.text:
            page = random_page(self.typefaces, self.words, rng)
        clean = self.face(rng) if page is None else page.picture
        text = page is not None
        degraded, operator = random_degradation(degrade.to_float(clean), text, self.mix, rng)
        return Drawn(degrade.to_uint8(degraded), clean, page, operator, rng)

    def __getitem__(self, index: int) -> tuple[Any, ...]:
        return self.drawn(index).pair()


class Forever:
    """Sampler: ``start, start + step, ...`` without end."""

    def __init__(self, start: int, step: int = 1) -> None:
        self.start, self.step = start, step

    def __iter__(self) -> Iterator[int]:
        index = self.start
        while True:
            yield index
            index += self.step


def validation_sets(
    valid: npt.NDArray[np.uint8], atlas: Path, count: int
) -> dict[str, tuple[npt.NDArray[np.uint8], npt.NDArray[np.uint8], int]]:
    """Fixed pairs of held-out pictures: name to ``(degraded, clean, kind)``, NHWC.

    Text is set in families that training sees but other words and positions; held-out families
    are for the benchmarks alone.
    """
    faces = valid[:count]
    typefaces, words = typeface.load(atlas)
    typefaces = [face for face in typefaces if not typeface.is_held_out(face.family)]
    rng = np.random.default_rng(20261124)
    lines = np.stack([random_text(typefaces, words, rng) for _ in range(count // 2)])

    def low(factor: int) -> Callable[[Image], Image]:
        def reduce(clean: Image) -> Image:
            operator = degrade.low_resolution(factor, rng)
            return degrade.to_uint8(reduce_and_enlarge(degrade.to_float(clean), operator, rng))

        return reduce

    def mosaic(c: Image) -> Image:
        phase = np.floor(8 * rng.random(2))
        return degrade.Mosaic(8, (phase[0], phase[1]))(c)

    return {
        "x4": (np.stack([low(4)(c) for c in faces]), faces, FACE),
        "x8": (np.stack([low(8)(c) for c in faces]), faces, FACE),
        "mosaic-8": (np.stack([mosaic(c) for c in faces]), faces, FACE),
        "gauss-6": (np.stack([degrade.GaussianBlur(6)(c) for c in faces]), faces, FACE),
        "text-x4": (np.stack([low(4)(c) for c in lines]), lines, TEXT),
    }
