"""Two hundred damaged films and photos: an exit code of the interface, or a covered result."""

from __future__ import annotations

import collections
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import av
import cv2
import numpy as np

from benchmarks import (
    command,
    film_detectors,
    film_loops,
    film_people,
    film_scenes,
    film_tools,
    film_truth,
    sets,
)
from benchmarks.film_coverage import BLACK
from benchmarks.film_damage import DAMAGES, FILM, PHOTO, Source, damaged
from benchmarks.film_detectors import Boxes, Detector
from benchmarks.film_tools import Run
from benchmarks.results import Column, Goal, Options, Section, Table, Value, goals
from seethrough.types import Image

CASES = 200
LIMIT = 30.0
"""Seconds after which a run counts as hanging."""
CODES = (0, 2, 3, 4, 5, 6, 7)
"""INTERFACE's, but for an interruption."""
SCENE = "cross"


@dataclass(frozen=True, slots=True)
class Case:
    """What happened to one damaged file.

    Attributes
    ----------
    damage : str
        A name of :data:`DAMAGES`.
    code : int
    seconds : float
    faults : tuple of str
        What should not have been, in words.
    """

    damage: str
    code: int
    seconds: float
    faults: tuple[str, ...]


def run(options: Options) -> Section:
    """Damage, redact, judge."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        sources = _sources(folder, options)
        detect = film_detectors.detector("CenterFace", options.threads)
        count = options.limit or CASES
        cases = []
        for number in range(count):
            rng = np.random.default_rng([options.seed, number])
            case = once(folder, number, sources, rng, detect, options.threads)
            cases.append(case)
            if case.faults:
                print(number, case, file=sys.stderr, flush=True)
    return _section(cases, options)


def once(
    folder: Path,
    number: int,
    sources: Sequence[Source],
    rng: np.random.Generator,
    detect: Detector,
    threads: int,
) -> Case:
    """Damage one file and redact it."""
    damage = list(DAMAGES)[number % len(DAMAGES)]
    path = damaged(folder / f"case-{number}", damage, sources, rng)
    target = folder / f"out-{number}{path.suffix}"
    done = film_tools.cover("SeeThrough", path, target, threads, timeout=LIMIT)
    faults = list(judged(done, target))
    if done.code == 0 and target.exists() and (bare := _bare(path, target, detect)):
        faults.append(f"{bare} bare face(s) in the output")
    kept = bool(faults)
    for file in (path, target):
        if not kept:
            file.unlink(missing_ok=True)
    return Case(damage, done.code, done.seconds, tuple(faults))


def judged(done: Run, target: Path) -> list[str]:
    """Say what is wrong with how a run ended."""
    faults = []
    if done.code == -9 and done.seconds >= LIMIT:
        faults.append(f"no end after {LIMIT:g} s")
    elif done.code not in CODES:
        faults.append(f"exit code {done.code}: {done.errors[-200:].strip()}")
    if "Traceback" in done.errors:
        faults.append("a traceback")
    if done.code in CODES[1:] and "seethrough: error: " not in done.errors:
        faults.append("no line that says what is wrong")
    if done.code != 0 and target.exists():
        faults.append("an output in spite of an error")
    if done.code == 0 and not target.exists():
        faults.append("no output, and no error")
    return faults


def _bare(source: Path, target: Path, detect: Detector) -> int:
    """Count the faces of an output that lie where the input had one, and are not black."""
    there = [np.zeros((0, 4))]
    there += [detect(picture) for picture in _pictures(source)]
    known = np.concatenate(there)
    count = 0
    for picture in _pictures(target):
        for box in detect(picture):
            count += bool(film_detectors.again(box[None], [known])) and not _black(picture, box)
    return count


def _black(picture: Image, box: Boxes) -> bool:
    """Whether the middle of a box is covered: what is found is the cover's outline."""
    x0, y0, x1, y1 = box
    width, height = x1 - x0, y1 - y0
    part = picture[
        max(round(y0 + height / 4), 0) : round(y1 - height / 4),
        max(round(x0 + width / 4), 0) : round(x1 - width / 4),
    ]
    return bool((part <= BLACK).all(axis=2).mean() > 0.95) if part.size else False


def _pictures(path: Path) -> list[Image]:
    """Decode what can be decoded of a film or photo."""
    photo = cv2.imread(str(path))
    if photo is not None:
        return [np.ascontiguousarray(photo[..., ::-1], np.uint8)]
    found: list[Image] = []
    try:
        for picture in film_tools.frames(path):
            found.append(picture)  # noqa: PERF402 - what came before an error is kept
    except (av.FFmpegError, IndexError, ValueError):
        pass
    return found


def _sources(folder: Path, options: Options) -> list[Source]:
    """Return two films and three photos, undamaged."""
    scene = next(scene for scene in film_scenes.SCENES if scene.name == SCENE)
    cast = film_people.people(options.shared, options.threads)
    film = film_truth.film(scene, cast, options.seed).path
    short = film_loops.small(film, 480, 270, 10, frames=12)
    matroska = folder / "film.mkv"
    _remuxed(short, matroska)
    sources = [Source(FILM, short), Source(FILM, matroska)]
    photos = sorted((options.shared / "data" / "eval" / "london" / "photos").glob("*.jpg"))
    for photo, suffix in zip(photos, (".jpg", ".png", ".webp"), strict=False):
        pixels = cv2.imread(str(photo))
        assert pixels is not None
        path = folder / f"photo{suffix}"
        assert cv2.imwrite(str(path), cv2.resize(pixels, (400, 400), interpolation=cv2.INTER_AREA))
        sources.append(Source(PHOTO, path))
    return sources


def _remuxed(source: Path, target: Path) -> None:
    with av.open(str(source)) as film, av.open(str(target), "w") as out:
        stream = film.streams.video[0]
        copy = out.add_stream_from_template(stream)
        for packet in film.demux(stream):
            if packet.dts is not None:
                packet.stream = copy
                out.mux(packet)


def _section(cases: Sequence[Case], options: Options) -> Section:
    rows: list[dict[str, Value]] = []
    for damage, words in DAMAGES.items():
        these = [case for case in cases if case.damage == damage]
        codes = collections.Counter(case.code for case in these)
        rows.append(
            {
                "damage": words,
                "cases": len(these),
                "codes": ", ".join(f"{code}: {n}" for code, n in sorted(codes.items())),
                "slowest": max((case.seconds for case in these), default=0.0),
                "faults": sum(bool(case.faults) for case in these),
            }
        )
    columns = (
        Column("damage", "damage"),
        Column("cases", "cases"),
        Column("codes", "exit codes, and how often"),
        Column("slowest", "slowest, s", 1),
        Column("faults", "faults"),
    )
    faulty = sum(bool(case.faults) for case in cases)
    text = (
        "Small films (H.264 in MP4 and Matroska) and photos (JPEG, PNG, WebP) with faces, damaged "
        f"in seeded ways; `seethrough redact` from outside. A fault: an exit code that INTERFACE "
        f"does not have, a traceback, no end within {LIMIT:g} s, no error line, an output in "
        "spite of an error, or, where the code is 0, a face in the output that CenterFace finds "
        "where it had found one in the input, unless the middle of it is black."
    )
    bar = goals(
        "Against the goal",
        [Goal(f"faults in {len(cases)} damaged files", faulty, 0, least=False)],
        issue="issue on films",
    )
    return Section(
        "film-fuzz", "Films and photos: damaged", text,
        (bar, Table("Damaged files", columns, tuple(rows))), sets.provenance(options),
    )  # fmt: skip


if __name__ == "__main__":
    command.print_section("benchmarks.film_fuzz", __doc__, run)
