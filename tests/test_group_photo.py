"""A group photo of several dozen faces: each is handled, nothing else changes, memory is kept."""

from __future__ import annotations

import tracemalloc
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt
import pytest
from skimage.data import astronaut

from seethrough.degrade import Degradation, GaussianBlur, Mosaic, Within
from seethrough.faces import FaceDetector
from seethrough.geometry import template, tight_box
from seethrough.operators import find_covered
from seethrough.restorer import CROP, Restorer
from seethrough.types import Box, Face, Image
from tests.standin import write_standin

ROWS, COLUMNS = 5, 8
TILE = 150
HEAD = (slice(10, 250), slice(105, 345))
"""Of the astronaut."""
FACE = Box(179, 63, 271, 175)
"""The face in the whole picture."""


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_standin(tmp_path_factory.mktemp("weights") / "standin.onnx")


def head(rng: np.random.Generator, mirrored: bool) -> tuple[Image, Box]:
    """The astronaut's head, turned, lit and tinted by chance, and where its face lies."""
    picture = np.ascontiguousarray(astronaut()[HEAD])
    corner = np.array([HEAD[1].start, HEAD[0].start, HEAD[1].start, HEAD[0].start])
    x0, y0, x1, y1 = np.array(FACE.as_tuple()) - corner
    if mirrored:
        picture, x0, x1 = picture[:, ::-1], 240 - x1, 240 - x0
    light = (picture / 255.0) ** rng.uniform(0.7, 1.4) * rng.uniform(0.85, 1.05, 3) * 255
    scale = TILE / 240
    small = cv2.resize(light.clip(0, 255).astype(np.uint8), (TILE, TILE), interpolation=3)
    return np.asarray(small, np.uint8), Box(x0 * scale, y0 * scale, x1 * scale, y1 * scale)


def group(rng: np.random.Generator) -> tuple[Image, list[Box], list[bool]]:
    """Forty heads beside each other, two thirds of their faces covered."""
    photo = np.empty((ROWS * TILE, COLUMNS * TILE, 3), np.uint8)
    boxes, covered = [], []
    for i in range(ROWS * COLUMNS):
        y, x = TILE * (i // COLUMNS), TILE * (i % COLUMNS)
        tile, face = head(rng, mirrored=i % 2 == 1)
        cover: Degradation | None = (Mosaic(6, (i % 6, i % 5)), GaussianBlur(4), None)[i % 3]
        photo[y : y + TILE, x : x + TILE] = Within(cover, face)(tile) if cover else tile
        boxes.append(Box(face.x0 + x, face.y0 + y, face.x1 + x, face.y1 + y))
        covered.append(cover is not None)
    return photo, boxes, covered


def test_every_face_of_a_group_is_found_and_the_covered_ones_are_restored(
    rng: np.random.Generator, weights: Path
) -> None:
    photo, boxes, hidden = group(rng)
    covered = find_covered(photo)
    faces = FaceDetector("cpu", 1).detect(photo, covered)
    assert len(faces) == len(boxes)
    result = Restorer("cpu", 1, weights).restore_picture(photo, faces, (), covered)
    changed = (result.picture != photo).any(axis=2)
    assert not changed[~result.synthesised].any()
    for box, covered_face in zip(boxes, hidden, strict=True):
        region = max(result.regions, key=lambda region: region.box.iou(box))
        assert region.box.iou(box) > 0.5
        x0, y0, x1, y1 = (round(v) for v in box.as_tuple())
        assert changed[y0:y1, x0:x1].mean() > 0.9 or not covered_face
        if covered_face:
            assert region.status == "done"


def crowd(count: int, side: int) -> list[Face]:
    """Faces so close that each crop overlaps its neighbours'."""
    points = template(CROP) - 63.5
    across = round(count**0.5)
    places = [((i % across + 0.5) / across, (i // across + 0.5) / across) for i in range(count)]
    scale = 1.5 * side / across / CROP
    found = [points * scale + np.array(place) * side for place in places]
    return [Face(tight_box(landmarks), landmarks, 1.0) for landmarks in found]


@pytest.fixture
def wall(rng: np.random.Generator) -> Image:
    """Soft texture without a face: 900 px square."""
    return GaussianBlur(3)(rng.integers(40, 160, (900, 900, 3), np.uint8))


def test_overlapping_faces_share_their_pixels(weights: Path, wall: Image) -> None:
    """The stand-in adds the same to every face: so must it be in a crowd, without seams."""
    restorer = Restorer("cpu", 1, weights)

    def change(count: int) -> npt.NDArray[np.int_]:
        made = restorer.restore_picture(wall, crowd(count, 900), force=True)
        assert [region.status for region in made.regions] == ["done"] * count
        return made.picture.astype(int) - wall

    one, many = change(1), change(49)
    assert many.max() <= one.max() + 1
    assert many.min() >= 0
    steps = np.abs(np.diff(many[200:700, 200:700], axis=1))
    assert steps.max() <= 3  # a face counted twice would be a step of its whole change


def test_memory_does_not_grow_with_the_number_of_faces(weights: Path, wall: Image) -> None:
    restorer = Restorer("cpu", 1, weights)
    restorer.restore_picture(wall, crowd(4, 900), force=True)
    peaks = []
    for count in (16, 64):
        faces = crowd(count, 900)  # smaller ones: the same area in all
        tracemalloc.start()
        restorer.restore_picture(wall, faces, force=True)
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert max(peaks) < 40 * wall.nbytes
    assert peaks[1] < 2 * peaks[0]
