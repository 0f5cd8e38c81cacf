"""How small a face may be to be found in a large photo: by redact, and by what looks after it.

The photos are made here: a hundred people of ``eval/lfw``, all of one size, over a generated
backdrop.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import TypeAlias

import cv2
import numpy as np

from benchmarks import command, sets
from benchmarks.lfw import REPORTED
from benchmarks.location import subject
from benchmarks.photo import HEIGHT, WIDTH, backdrop
from benchmarks.results import Column, Options, Section, Table, Value
from seethrough import image
from seethrough.errors import InputError
from seethrough.faces import ACCEPT, ACCEPT_WARY, FaceDetector
from seethrough.redactor import StillPicture
from seethrough.redactor.second_detector import SecondDetector
from seethrough.types import Box, Face, Image

Search: TypeAlias = Callable[[Image], Sequence[Box]]

FACE_WIDTHS = (6, 8, 10, 12, 14, 16, 20, 24, 32)
ACROSS, DOWN = 10, 10
HEAD = 1.3
"""Sizes of a face, from its middle, that are set into the backdrop."""
FOUND = 0.3
"""IoU from which a box is a face of so few pixels."""


def people(options: Options, detector: FaceDetector) -> list[tuple[Image, Face]]:
    """Read the first photo of the first hundred reported people, each with its face.

    Raises
    ------
    InputError
        Where one is missing.
    """
    found: list[tuple[Image, Face]] = []
    for person in REPORTED:
        path = options.shared / "data" / "eval" / "lfw" / f"{person:04d}_0.jpg"
        if not path.is_file():
            raise InputError(f"{path} is missing", "see data/README.md")
        pixels = image.read(path).pixels
        face = subject(pixels, detector.detect(pixels))
        if face is not None:
            found.append((pixels, face))
        if len(found) == min(ACROSS * DOWN, options.limit or ACROSS * DOWN):
            break
    return found


def crowd(
    faces: Sequence[tuple[Image, Face]], width: float, rng: np.random.Generator
) -> tuple[Image, list[Box]]:
    """Set heads into a backdrop, their faces so wide.

    Returns
    -------
    Image
        ``uint8 (3000, 4000, 3)``.
    list of Box
        Where their faces lie in it.
    """
    photo = backdrop(rng)
    boxes = []
    for place, (portrait, face) in enumerate(faces):
        row, column = divmod(place, ACROSS)
        centre = np.array([(column + 0.5) * WIDTH / ACROSS, (row + 0.5) * HEIGHT / DOWN])
        centre += rng.uniform(-60, 60, 2)
        boxes.append(_set(photo, portrait, face, width, centre))
    return photo, boxes


def _set(photo: Image, portrait: Image, face: Face, width: float, centre: np.ndarray) -> Box:
    """Blend one head into the photo in place; return where its face lies."""
    scale = width / face.box.width
    size = [max(1, round(scale * side)) for side in portrait.shape[1::-1]]
    ratio = np.array(size) / portrait.shape[1::-1]
    small = cv2.resize(portrait, size, interpolation=cv2.INTER_AREA).astype(np.float32)
    middle, half = ratio * face.box.centre, HEAD * ratio * (face.box.width, face.box.height)
    y, x = np.mgrid[: size[1], : size[0]] + 0.5
    away = np.hypot((x - middle[0]) / half[0], (y - middle[1]) / half[1])
    alpha = np.clip((1 - away) * 4, 0, 1)[..., None]
    x0, y0 = np.rint(centre - middle).astype(int)
    there = photo[y0 : y0 + size[1], x0 : x0 + size[0]]
    there[:] = there + alpha * (small - there) + 0.5
    edges = np.array(face.box.as_tuple()).reshape(2, 2) * ratio + (x0, y0)
    return Box(*map(float, edges.ravel()))


def run(options: Options) -> Section:
    """Count who is found, at every size."""
    detector, second = FaceDetector("cpu", options.threads), SecondDetector("cpu", options.threads)
    searches: dict[str, Search] = {
        "whole": lambda photo: [f.box for f in detector.detect(photo, accept=ACCEPT_WARY)],
        "ours": lambda photo: [
            f.box for f in detector.detect(photo, accept=ACCEPT_WARY, small=ACCEPT)
        ],
        "second": lambda photo: [box for box, _ in second.find(StillPicture(photo), small=True)],
    }
    faces = people(options, detector)
    rows: list[dict[str, Value]] = []
    spent = dict.fromkeys(searches, 0.0)
    for width in FACE_WIDTHS:
        photo, boxes = crowd(faces, width, np.random.default_rng(options.seed))
        row: dict[str, Value] = {"width": width}
        seen: dict[str, Sequence[Box]] = {}
        for name, search in searches.items():
            start = time.process_time()
            seen[name] = search(photo)
            spent[name] += time.process_time() - start
        for name, found in (*seen.items(), ("either", [*seen["ours"], *seen["second"]])):
            hits = sum(any(box.iou(each) >= FOUND for each in found) for box in boxes)
            row[name] = hits / len(boxes)
        rows.append(row)
    bare = backdrop(np.random.default_rng(options.seed))
    columns = (
        Column("width", "face width, px"),
        Column("whole", "in the reduced photo alone", 2),
        Column("ours", "by the search of `redact`", 2),
        Column("second", "by the detector that verifies", 2),
        Column("either", "by either", 2),
    )
    text = (
        f"Photos of {WIDTH} x {HEIGHT} px, each with {len(faces)} people of `eval/lfw`, set into a "
        "generated backdrop, their faces all of one width. Share of them that is found "
        f"(IoU at least {FOUND}): by the views of the whole photo that `restore` searches; by the "
        "search of `redact`, which adds the photo enlarged, part by part; and by the second "
        "detector that looks at its result, in the photo's own pixels. In processor time they are "
        f"as 1 to {spent['ours'] / spent['whole']:.1f} to {spent['second'] / spent['whole']:.1f}. "
        f"In the backdrop alone the search of `redact` finds {len(searches['ours'](bare))} faces."
    )
    table = Table("Faces found", columns, tuple(rows))
    return Section(
        "small-faces", "Small faces in a large photo", text, (table,), sets.provenance(options)
    )


if __name__ == "__main__":
    command.print_section("benchmarks.small_faces", __doc__, run)
