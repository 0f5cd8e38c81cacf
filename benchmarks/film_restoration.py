"""How steady restored faces are in films, and how fast films are restored."""

from __future__ import annotations

import os
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import av
import numpy as np
import numpy.typing as npt

from benchmarks import command, sets
from benchmarks.results import Column, Goal, Options, Section, Table, Value, goals
from seethrough.degrade import Degradation, GaussianBlur, Mosaic
from seethrough.geometry import crop, similarity
from seethrough.operators import find_covered
from seethrough.pipeline.inputs import Item
from seethrough.pipeline.networks import Networks
from seethrough.pipeline.options import REALISM, RestoreOptions
from seethrough.pipeline.progress import Progress
from seethrough.pipeline.restoring_films import FilmRestoring, Spent
from seethrough.restorer.tracks import smoothed
from seethrough.tracker import Track, TrackOptions, track
from seethrough.types import Image, Patch
from seethrough.video import EncodeOptions, FilmReader, Frame, transcode

BAR = 1.3
FILMS = ("s18", "s32")
FRAMES = 60
CELLS = 14  # of a mosaic, in a face's width
SIGMA = 0.05  # of a blur, in face widths
MARGIN = 0.1  # of a face's width, around the tight face: what is covered
TIGHT = (slice(36, 124), slice(28, 100))  # the tight face in the 128 px crop

Array = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Cover:
    """A cover that moves with the face, and how it reads."""

    name: str
    make: Callable[[float], Degradation]


COVERS = (
    Cover(f"mosaic, {CELLS} cells per face", lambda width: Mosaic(cells(width))),
    Cover(f"blur, sigma {100 * SIGMA:g} % of the face", lambda width: GaussianBlur(SIGMA * width)),
)


def cells(width: float) -> tuple[int, int]:
    """Return the side of a mosaic's cells."""
    side = max(4, round(width / CELLS))
    return side, side


def run(options: Options) -> Section:
    """Cover the largest face of each film, restore it, and compare with the clean film."""
    rows: list[dict[str, Value]] = []
    times: list[dict[str, Value]] = []
    with tempfile.TemporaryDirectory() as folder:
        for name in FILMS[: options.limit]:
            clean = _shortened(
                options.shared / "data" / "video" / f"{name}.mp4", Path(folder) / f"{name}.mp4"
            )
            course, points = _course(clean, options)
            steady = flicker(_pictures(clean), points)
            for cover in COVERS:
                covered = _covered(clean, course, cover, options)
                restored, spent, seconds = _restored(covered, options)
                ours = flicker(_pictures(restored), points)
                frames = len(points)
                row: dict[str, Value] = {
                    "film": f"`{name}`, {frames} frames",
                    "cover": cover.name,
                    "covered": flicker(_pictures(covered), points) / steady,
                    "alone": flicker(_one_by_one(covered, options), points) / steady,
                    "ours": ours / steady,
                    "clean": steady,
                }
                if options.weights is None:  # the dial belongs to the shipped networks
                    sharp, _, _ = _restored(covered, options, REALISM)
                    row["realistic"] = flicker(_pictures(sharp), points) / steady
                rows.append(row)
                times.append(
                    {"film": row["film"], "cover": cover.name, **_shares(spent, seconds, frames)}
                )
                print(row, times[-1], file=sys.stderr, flush=True)
    worst = max(float(str(row["ours"])) for row in rows)
    columns = (
        Column("film", "film"),
        Column("cover", "cover"),
        Column("covered", "covered", 2),
        Column("alone", "each frame as a photo", 2),
        Column("ours", "`restore` on the film", 2),
        Column("realistic", f"`restore --realism {REALISM:g}`", 2),
        Column("clean", "clean film, levels", 2),
    )
    stages = ("find", "decode", "restore", "encode", "other")
    shares = (
        Column("film", "film"),
        Column("cover", "cover"),
        Column("rate", "frames a second", 2),
        *(Column(stage, stage, 0, share=True) for stage in stages),
    )
    text = (
        f"The first {FRAMES} frames of films at 1280 x 720; the largest face is covered in every "
        "frame (the mosaic's grid begins at the box, which moves with the face), encoded, "
        "restored, encoded again. Flicker: the mean absolute difference of consecutive aligned "
        "crops of the tight face, as a ratio to that of the clean film; all are aligned by the "
        "landmarks of the clean film. Each frame as a photo: found and restored without knowledge "
        "of the others. Films are restored at realism 0 unless told otherwise; beside it stands "
        "the default of photos. Find: the first pass, which looks for covers and faces every "
        "0.6 s and follows them between."
    )
    tables = (
        goals(
            "Against the goal",
            [Goal("flicker, ratio to the clean film (worst)", worst, BAR, least=False)],
            issue="issue on films",
        ),
        Table("Flicker, as a ratio to the clean film's", columns, tuple(rows)),
        Table("Throughput, and shares of the time", shares, tuple(times)),
    )
    provenance = {
        **sets.provenance(options),
        "load average": f"{os.getloadavg()[0]:.1f} just after the run",
    }
    return Section("film-restoration", "Films: restoration", text, tables, provenance)


def flicker(pictures: Iterator[Image], points: Array) -> float:
    """Return the mean absolute difference of consecutive aligned faces, in levels.

    Parameters
    ----------
    pictures : iterator of Image
        Frames.
    points : ndarray
        ``float64 (frames, 5, 2)``: landmarks in each.
    """
    last = None
    changes = []
    for picture, landmarks in zip(pictures, points, strict=True):
        face = crop(picture, similarity(landmarks, 128), 128)[TIGHT].astype(np.float64)
        if last is not None:
            changes.append(float(np.abs(face - last).mean()))
        last = face
    return float(np.mean(changes))


def _pictures(path: Path) -> Iterator[Image]:
    for frame in FilmReader(path):
        yield frame.picture()


def _shortened(source: Path, target: Path) -> Path:
    """Copy the first packets of a film."""
    with av.open(str(source)) as film, av.open(str(target), "w") as short:
        stream = short.add_stream_from_template(film.streams.video[0], opaque=True)
        for number, packet in enumerate(film.demux(video=0)):
            if number == FRAMES:
                break
            packet.stream = stream
            short.mux(packet)
    return target


def _course(clean: Path, options: Options) -> tuple[Track, Array]:
    """Return the largest face of a clean film, and its landmarks in every frame."""
    with FilmReader(clean, options.threads) as film:
        found = track(film, film.info, TrackOptions(), device="cpu", threads=options.threads)
    whole = [one for one in found.tracks if one.last - one.first == found.frames]

    def size(one: Track) -> float:
        sighting = one.at(one.first)
        return 0.0 if sighting is None else sighting.box.area

    face = max(whole, key=size)
    sightings = [face.at(index) for index in range(face.first, face.last)]
    points = np.array([each.landmarks for each in sightings if each is not None])
    return face, smoothed(points.reshape(len(points), -1)).reshape(points.shape)


def _covered(clean: Path, course: Track, cover: Cover, options: Options) -> Path:
    """Cover a face in every frame, and encode the film."""
    target = clean.with_name(f"{clean.stem}-{cover.name.split(',')[0]}.mp4")

    def edit(frame: Frame) -> None:
        sighting = course.at(frame.index)
        assert sighting is not None
        box, width = sighting.box, sighting.box.width
        x0, y0 = (max(0, round(v - MARGIN * width)) for v in (box.x0, box.y0))
        x1 = min(frame.shape[1], round(box.x1 + MARGIN * width))
        y1 = min(frame.shape[0], round(box.y1 + MARGIN * width))
        first = course.at(course.first)
        assert first is not None
        pixels = cover.make(first.box.width)(frame.part(x0, y0, x1, y1))
        frame.paint(Patch(x0, y0, pixels, np.ones(pixels.shape[:2], np.bool_)))

    transcode(clean, target, edit, EncodeOptions(), overwrite=True, threads=options.threads)
    return target


def _restored(covered: Path, options: Options, realism: float = 0.0) -> tuple[Path, Spent, float]:
    target = covered.with_name(f"{covered.stem}-restored-{realism:g}.mp4")
    wanted = RestoreOptions(
        kind="face",
        overwrite=True,
        threads=options.threads,
        device="cpu",
        weights=options.weights,
        realism=realism,
    )
    networks = Networks("cpu", options.threads, options.weights)
    restoring = FilmRestoring(wanted, networks, Progress(), lambda _: ((), ()))
    started = time.perf_counter()
    restoring(Item(covered, target))
    return target, restoring.spent, time.perf_counter() - started


def _one_by_one(covered: Path, options: Options) -> Iterator[Image]:
    """Restore every frame as if it were a photo."""
    networks = Networks("cpu", options.threads, options.weights)
    for picture in _pictures(covered):
        regions = find_covered(picture)
        faces = networks.detector.detect(picture, regions)
        yield networks.restorer().restore_picture(picture, faces, (), regions).picture


def _shares(spent: Spent, seconds: float, frames: int) -> dict[str, Value]:
    timings = spent.timings
    assert timings is not None
    stages: Sequence[tuple[str, float]] = (
        ("find", spent.follow),
        ("decode", timings.decode),
        ("restore", timings.edit),
        ("encode", timings.encode + timings.join),
    )
    shares: dict[str, Value] = {name: each / seconds for name, each in stages}
    rest = seconds - sum(each for _, each in stages)
    return {"rate": frames / seconds, **shares, "other": max(rest, 0.0) / seconds}


if __name__ == "__main__":
    command.print_section("benchmarks.film_restoration", __doc__, run)
