"""Rendered text for training and benchmarks: lines from a glyph atlas, NumPy and OpenCV only."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from seethrough.degrade import to_uint8
from seethrough.types import Image
from training.typeface import CAP_HEIGHT, CHARACTERS, Typeface

SIZE = 128
SPACE = len(CHARACTERS)
Coverage = npt.NDArray[np.uint8]


def compose(face: Typeface, text: str, spacing: float = 0.0) -> tuple[Coverage, int]:
    """Set a line at the atlas's own size.

    Parameters
    ----------
    face : Typeface
        Which glyphs.
    text : str
        Printable ASCII.
    spacing : float
        Extra pen movement per character, in pixels.

    Returns
    -------
    coverage : ndarray
        ``uint8 (H, W)``: 0 paper, 255 ink, with two cap heights above the base line and one
        below it.
    baseline : int
        Row of the base line.
    """
    index = [SPACE if c == " " else ord(c) - 33 for c in text]
    pens = np.concatenate([[0], np.cumsum(face.advances[index] + spacing)])
    margin = CAP_HEIGHT // 2
    baseline = 2 * CAP_HEIGHT
    line = np.zeros((3 * CAP_HEIGHT, int(pens[-1]) + 2 * margin + CAP_HEIGHT), np.uint8)
    for pen, i in zip(pens, index, strict=False):
        if i == SPACE:
            continue
        bitmap = face.bitmaps[i]
        dx, dy = face.offsets[i]
        x, y = int(pen) + margin + int(dx), baseline + int(dy)
        top, left = max(0, -y), max(0, -x)
        part = bitmap[top : line.shape[0] - y, left : line.shape[1] - x]
        place = line[y + top : y + top + part.shape[0], x + left : x + left + part.shape[1]]
        np.maximum(place, part, out=place)
    return line, baseline


def line_width(face: Typeface, text: str, cap_height: float, spacing: float = 0.0) -> float:
    """Width of a line in pixels at a cap height."""
    index = [SPACE if c == " " else ord(c) - 33 for c in text]
    width = float(face.advances[index].sum()) + spacing * len(text)
    return width * cap_height / CAP_HEIGHT


def draw(
    canvas: npt.NDArray[np.float32],
    face: Typeface,
    text: str,
    position: tuple[float, float],
    cap_height: float,
    angle: float = 0.0,
    spacing: float = 0.0,
) -> None:
    """Draw a line's coverage into a canvas, in place.

    Parameters
    ----------
    canvas : ndarray
        ``float32 (H, W)`` on [0, 1]; takes the maximum with the line.
    face, text, spacing
        As in :func:`compose`.
    position : (float, float)
        xy of the start of the base line, in pixels.
    cap_height : float
        In pixels, at most :data:`training.typeface.CAP_HEIGHT`.
    angle : float
        Degrees, clockwise on screen.
    """
    line, baseline = compose(face, text, spacing)
    scale = cap_height / CAP_HEIGHT
    size = max(1, round(line.shape[1] * scale)), max(1, round(line.shape[0] * scale))
    small = cv2.resize(line, size, interpolation=cv2.INTER_AREA)
    sx, sy = size[0] / line.shape[1], size[1] / line.shape[0]
    start = CAP_HEIGHT // 2 * sx, baseline * sy
    cos, sin = np.cos(np.deg2rad(angle)), np.sin(np.deg2rad(angle))
    matrix = np.array([[cos, -sin, 0], [sin, cos, 0]])
    matrix[:, 2] = np.array(position) - matrix[:, :2] @ start
    drawn = cv2.warpAffine(
        small.astype(np.float32) / 255, matrix, canvas.shape[::-1], flags=cv2.INTER_LINEAR
    )
    np.maximum(canvas, drawn, out=canvas)


def phrase(words: Sequence[str], rng: np.random.Generator, length: int) -> str:
    """Random text of at least ``length`` characters: words, numbers, dates, prices.

    Never letters and digits mixed in one word, as on a licence plate.
    """
    parts: list[str] = []
    case = rng.choice(4, p=[0.55, 0.2, 0.15, 0.1])
    while sum(map(len, parts)) + len(parts) < length:
        pick = rng.random()
        if pick < 0.72:
            word = words[int(rng.integers(len(words)))]
            word = {0: word, 1: word.capitalize(), 2: word.upper(), 3: word.lower()}[int(case)]
            if rng.random() < 0.12:
                word += str(rng.choice([",", ".", ";", ":", "!", "?"]))
        elif pick < 0.80:
            word = str(rng.integers(10 ** int(rng.integers(1, 6))))
        elif pick < 0.85:
            word = f"{rng.integers(1, 32)}.{rng.integers(1, 13)}.{rng.integers(1900, 2030)}"
        elif pick < 0.90:
            word = f"{rng.choice(['$', '', '-'])}{rng.integers(1000)}.{rng.integers(100):02d}"
        elif pick < 0.94:
            word = f"{rng.integers(24):02d}:{rng.integers(60):02d}"
        else:
            letters = rng.integers(97, 123, rng.integers(2, 8))
            word = "".join(chr(c) for c in letters)
            word = word.upper() if rng.random() < 0.5 else word
        parts.append(word)
    return " ".join(parts)


def background(rng: np.random.Generator, size: int = SIZE) -> npt.NDArray[np.float32]:
    """Paper: plain, a slope, or soft random texture; ``float32 (size, size, 3)`` on [0, 1]."""
    tone = rng.uniform(0, 1) if rng.random() < 0.6 else rng.choice([0.0, 0.95, 1.0])
    tint = rng.normal(0, 0.12 if rng.random() < 0.5 else 0.0, 3)
    paper = np.full((size, size, 3), np.clip(tone + tint, 0, 1), np.float32)
    kind = rng.random()
    if kind < 0.2:
        ramp = np.linspace(-0.5, 0.5, size, dtype=np.float32) * rng.uniform(-0.4, 0.4)
        paper += (ramp[None, :] if rng.random() < 0.5 else ramp[:, None])[..., None]
    elif kind < 0.35:
        grid = int(rng.integers(2, 17))
        noise = rng.standard_normal((grid, grid, 3 if rng.random() < 0.2 else 1), np.float32)
        soft = cv2.resize(noise, (size, size), interpolation=cv2.INTER_CUBIC)
        paper += soft.reshape(size, size, -1) * np.float32(rng.uniform(0.02, 0.12))
    return np.clip(paper, 0, 1)


def ink(paper: npt.NDArray[np.float32], rng: np.random.Generator) -> npt.NDArray[np.float32]:
    """A colour that stands out from the paper by at least 0.35 in brightness."""
    mean = float(paper.mean())
    if rng.random() < 0.5:
        return np.full(3, 0.0 if mean > 0.5 else 1.0, np.float32)
    low, high = mean - 0.35, mean + 0.35
    if low > 0 and (high >= 1 or rng.random() < low / (low + max(0.0, 1 - high))):
        tone = rng.uniform(0, low)
    else:
        tone = rng.uniform(min(high, 1.0), 1)
    return np.clip(tone + rng.normal(0, 0.08, 3), 0, 1).astype(np.float32)


@dataclass(frozen=True, slots=True, eq=False)
class Page:
    """A picture of text, and where its lines are.

    Attributes
    ----------
    picture : Image
        ``uint8 (128, 128, 3)``, clean.
    baselines : tuple of float
        Row of each line's base line where its text begins, in pixels.
    cap_height : float
        In pixels.
    """

    picture: Image
    baselines: tuple[float, ...]
    cap_height: float


def random_text(faces: Sequence[Typeface], words: Sequence[str], rng: np.random.Generator) -> Image:
    """A 128 px square of text; see :func:`random_page`."""
    return random_page(faces, words, rng).picture


def random_page(faces: Sequence[Typeface], words: Sequence[str], rng: np.random.Generator) -> Page:
    """A 128 px square filled by one or more lines of text.

    Parameters
    ----------
    faces : sequence of Typeface
        Type faces to choose from.
    words : sequence of str
        The vocabulary.
    rng : numpy.random.Generator
        Source of every choice.

    Returns
    -------
    Page
        Cap heights 9 to 40 px, mostly 14 to 28.
    """
    face = faces[int(rng.integers(len(faces)))]
    cap = float(np.exp(rng.normal(np.log(21), 0.25)))
    cap = min(max(cap, 9.0), 40.0)
    angle = rng.normal(0, 1.5) if rng.random() < 0.5 else 0.0
    spacing = rng.normal(0, 1.5) if rng.random() < 0.3 else 0.0
    paper = background(rng)
    coverage = np.zeros((SIZE, SIZE), np.float32)
    pitch = cap * rng.uniform(1.6, 2.6)
    single = rng.random() < 0.25
    y = rng.uniform(cap + 8, SIZE - 0.4 * cap) if single else rng.uniform(0.2, 1.4) * cap
    baselines = []
    while True:
        text = phrase(words, rng, int(rng.integers(2, 12)))
        x = -rng.uniform(0, 40) if rng.random() < 0.4 else rng.uniform(2, 24)
        draw(coverage, face, text, (x, y), cap, angle, spacing)
        baselines.append(float(y))
        y += pitch
        if single or y > SIZE + cap * 0.3:
            break
    strength = 1.0 if rng.random() < 0.7 else rng.uniform(0.6, 1.0)
    alpha = coverage[..., None] * np.float32(strength)
    picture = paper * (1 - alpha) + ink(paper, rng) * alpha
    return Page(to_uint8(picture), tuple(baselines), cap)
