"""Films of the scenes on disk, made once, and the truth about every face in every frame."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import TypeAlias

import av
import cv2
import numpy as np
import numpy.typing as npt

from benchmarks import film_loops, film_scenery, film_stage, film_variants, parts
from benchmarks.film_people import Person
from benchmarks.film_scenes import Look, Scene
from benchmarks.film_stage import Seen
from seethrough.types import Image

VERSION = 1
"""Of the films: raise it with every change of what they show, and they are made anew."""
SUBFRAMES = 8
"""Of a frame with motion blur. The truth is that of the middle of the exposure."""
SHOWING = 0.25
"""A face whose shot is faded or dissolved to less than this does not count."""

Rows: TypeAlias = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False)
class Film:
    """A film, and which pixels of each face show.

    Attributes
    ----------
    scene : Scene
    path : Path
        An MP4 file.
    frames : int
        How many it has.
    truth : tuple of tuple of Seen
        For each frame, every face of which something shows.
    """

    scene: Scene
    path: Path
    frames: int
    truth: tuple[tuple[Seen, ...], ...]


def film(scene: Scene, cast: Sequence[Person], seed: int = 0) -> Film:
    """Return the film of a scene as a seed plays it, from the cache or made now."""
    path = film_loops.films_folder() / f"{scene.name}-{VERSION}-{seed}.mp4"
    kept = path.with_suffix(".npz")
    if not (path.exists() and kept.exists()):
        with parts.written(path) as temporary:
            played, people = film_variants.of(scene, seed), film_variants.cast(cast, scene, seed)
            truth = list(_write(temporary, played, people, seed))
        with parts.written(kept) as temporary:
            _keep(temporary, truth)
    truth_read = _read(kept)
    return Film(scene, path, len(truth_read), truth_read)


def frame(scene: Scene, cast: Sequence[Person], t: float, seed: int = 0) -> Image:
    """Paint the frame that is exposed around a moment, grain included."""
    exposed = scene.shutter / float(scene.rate)
    count = SUBFRAMES if scene.shutter else 1
    moments = [max(t + exposed * ((step + 0.5) / count - 0.5), 0.0) for step in range(count)]
    painted_parts = [
        (weight / count, film_stage.paint(shot, cast, scene.width, scene.height))
        for moment in moments
        for weight, shot in scene.look(moment)
    ]
    if len(painted_parts) == 1 and painted_parts[0][0] == 1:
        picture = painted_parts[0][1]
    else:
        total = np.zeros((scene.height, scene.width, 3), np.float32)
        for weight, painted in painted_parts:
            total += np.float32(weight) * painted
        picture = np.asarray(total + np.float32(0.5), np.uint8)
    noise = film_scenery.grain(scene.height, scene.width, seed)
    x, y = np.random.default_rng([seed, round(1e6 * t)]).integers(0, 64, 2)
    shifted = noise[y : y + scene.height, x : x + scene.width]
    return np.asarray(cv2.add(picture, shifted, dtype=cv2.CV_8U), np.uint8)


def faces(look: Look, cast: Sequence[Person], width: int, height: int) -> tuple[Seen, ...]:
    """Return the faces of one moment that show."""
    return tuple(
        face
        for weight, shot in look
        if weight >= SHOWING
        for face in film_stage.seen(shot, cast, width, height)
    )


def _write(
    path: Path, scene: Scene, cast: Sequence[Person], seed: int
) -> Iterator[tuple[Seen, ...]]:
    """Encode a scene frame by frame, yielding the truth of each."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=scene.rate)
        stream.width, stream.height, stream.pix_fmt = scene.width, scene.height, "yuv420p"
        stream.time_base = 1 / scene.rate
        stream.codec_context.color_range = 1  # limited
        for name in ("colorspace", "color_primaries", "color_trc"):
            setattr(stream.codec_context, name, 1)  # BT.709
        stream.options = {"crf": str(scene.crf), "preset": "veryfast", "threads": "1"}
        for tick in scene.ticks():
            t = float(tick / scene.rate)
            picture = av.VideoFrame.from_ndarray(frame(scene, cast, t, seed), format="rgb24")
            picture = picture.reformat(format="yuv420p", dst_colorspace="ITU709")
            picture.pts, picture.time_base = tick, Fraction(1) / scene.rate
            container.mux(stream.encode(picture))
            yield faces(scene.look(t), cast, scene.width, scene.height)
        container.mux(stream.encode())


def _keep(path: Path, truth: Sequence[Sequence[Seen]]) -> None:
    """Store truth: a row for each face of each frame, and the masks' bits one after another."""
    every = [(number, face) for number, found in enumerate(truth) for face in found]
    bits = [np.packbits(face.mask) for _, face in every]
    np.savez_compressed(
        path,
        allow_pickle=False,
        frames=len(truth),
        rows=np.array([(n, f.face, f.x0, f.y0, *f.mask.shape) for n, f in every], np.int64).reshape(
            -1, 6
        ),
        ellipses=np.array([f.ellipse for _, f in every]).reshape(-1, 5),
        shares=np.array([f.share for _, f in every]),
        bits=np.concatenate([np.zeros(0, np.uint8), *bits]),
    )


def _read(path: Path) -> tuple[tuple[Seen, ...], ...]:
    with np.load(path, allow_pickle=False) as kept:
        found: list[list[Seen]] = [[] for _ in range(int(kept["frames"]))]
        bits, start = kept["bits"], 0
        for row, ellipse, share in zip(kept["rows"], kept["ellipses"], kept["shares"], strict=True):
            number, face, x0, y0, height, width = (int(value) for value in row)
            stop = start + -(-height * width // 8)
            mask = np.unpackbits(bits[start:stop], count=height * width).astype(np.bool_)
            start = stop
            x, y, a, b, angle = (float(value) for value in ellipse)
            found[number].append(
                Seen(face, (x, y, a, b, angle), float(share), x0, y0, mask.reshape(height, width))
            )
    return tuple(tuple(each) for each in found)
