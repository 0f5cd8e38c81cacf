"""Ways in which files go bad: cut off, flipped, mislabelled, empty, or without a picture."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import TypeAlias

import av
import numpy as np

from benchmarks import film_loops

FILM, PHOTO = "film", "photo"

DAMAGES: dict[str, str] = {
    "cut": "cut off at a random byte",
    "cut-end": "the last bytes missing",
    "bits": "1 to 200 bits flipped anywhere",
    "bits-head": "1 to 8 bits flipped in the first 2,000 bytes",
    "bits-tail": "1 to 8 bits flipped in the last 2,000 bytes",
    "hole": "a block of zeros in the middle",
    "suffix": "another kind's suffix",
    "before": "noise before it",
    "after": "noise after it",
    "noise": "noise alone",
    "empty": "no bytes",
    "no-frames": "a film without a frame",
    "sound-only": "sound alone",
    "one-frame": "a film of one frame, undamaged",
}
"""Name to what it is in words."""


@dataclass(frozen=True, slots=True)
class Source:
    """A file that is whole: ``film`` or ``photo``, and where it is."""

    kind: str
    path: Path


Change: TypeAlias = Callable[[bytearray, np.random.Generator], None]


def damaged(stem: Path, damage: str, sources: Sequence[Source], rng: np.random.Generator) -> Path:
    """Write a damaged file.

    Parameters
    ----------
    stem : Path
        Where, without suffix.
    damage : str
        A name of :data:`DAMAGES`.
    sources : sequence of Source
        One of them is drawn; the damages without a picture make their own.
    rng : Generator
        Decides everything.

    Returns
    -------
    Path
        With its suffix.
    """
    source = sources[int(rng.integers(len(sources)))]
    suffix = source.path.suffix
    content = bytearray(source.path.read_bytes())
    if damage == "suffix":
        others = sorted({s.path.suffix for s in sources} | {".mov", ".webm"} - {suffix})
        suffix = others[int(rng.integers(len(others)))]
    elif damage == "empty":
        content.clear()
    elif damage == "noise":
        content[:] = rng.bytes(int(rng.integers(1, 20_000)))
    elif damage in _CHANGES:
        _CHANGES[damage](content, rng)
    elif damage in _WITHOUT:
        path = stem.with_suffix((".mp4", ".mkv", ".mov")[int(rng.integers(3))])
        _WITHOUT[damage](path, next(s.path for s in sources if s.kind == FILM))
        return path
    else:
        raise KeyError(damage)
    path = stem.with_suffix(suffix)
    path.write_bytes(content)
    return path


def _flip(content: bytearray, rng: np.random.Generator, low: int, high: int, most: int) -> None:
    for _ in range(int(rng.integers(1, most + 1))):
        content[int(rng.integers(max(low, 0), min(high, len(content))))] ^= 1 << int(
            rng.integers(8)
        )


def _cut(content: bytearray, rng: np.random.Generator) -> None:
    del content[int(rng.integers(1, len(content))) :]


def _cut_end(content: bytearray, rng: np.random.Generator) -> None:
    del content[-int(rng.integers(1, 500)) :]


def _hole(content: bytearray, rng: np.random.Generator) -> None:
    size = int(rng.integers(16, 4096))
    start = int(rng.integers(0, max(len(content) - size, 1)))
    content[start : start + size] = bytes(len(content[start : start + size]))


def _before(content: bytearray, rng: np.random.Generator) -> None:
    content[:0] = rng.bytes(int(rng.integers(1, 3000)))


def _after(content: bytearray, rng: np.random.Generator) -> None:
    content += rng.bytes(int(rng.integers(1, 3000)))


_CHANGES: dict[str, Change] = {
    "cut": _cut,
    "cut-end": _cut_end,
    "bits": lambda content, rng: _flip(content, rng, 0, len(content), 200),
    "bits-head": lambda content, rng: _flip(content, rng, 0, 2000, 8),
    "bits-tail": lambda content, rng: _flip(content, rng, len(content) - 2000, len(content), 8),
    "hole": _hole,
    "before": _before,
    "after": _after,
}


def no_frames(path: Path, source: Path) -> None:
    """Write a film that has a picture track and nothing in it, but sound."""
    _sound(path, picture=True)


def sound_only(path: Path, source: Path) -> None:
    """Write a file in a film's container that holds a hum."""
    _sound(path, picture=False)


def one_frame(path: Path, source: Path) -> None:
    """Write a film of a source's first frame."""
    with av.open(str(source)) as film:
        frame = next(film.decode(video=0))
    with av.open(str(path), "w") as out:
        stream = out.add_stream("libx264", rate=10)
        stream.width, stream.height, stream.pix_fmt = frame.width, frame.height, "yuv420p"
        stream.options = {"threads": "1"}
        frame.pts, frame.time_base, frame.pict_type = 0, Fraction(1, 10), 0
        out.mux(stream.encode(frame))
        out.mux(stream.encode())


_WITHOUT: dict[str, Callable[[Path, Path], None]] = {
    "no-frames": no_frames,
    "sound-only": sound_only,
    "one-frame": one_frame,
}


def _sound(path: Path, *, picture: bool) -> None:
    with av.open(str(path), "w") as out:
        if picture:
            stream = out.add_stream("libx264", rate=10)
            stream.width, stream.height, stream.pix_fmt = 320, 180, "yuv420p"
        hum = out.add_stream("aac", rate=film_loops.RATE, layout="mono")
        film_loops.play(out, hum, 1.0)
