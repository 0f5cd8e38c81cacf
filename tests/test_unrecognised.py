"""Covers in which nothing is recognised, and faces that are placed under covers by hand.

The face is scikit-image's astronaut, which is in the public domain.
"""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest
from skimage.data import astronaut

import seethrough
from seethrough import degrade, geometry, pipeline
from seethrough.errors import NothingToDoError
from seethrough.types import Box, Image

FACE = Box(179, 59, 271, 176)
WALL = Box(20, 20, 112, 137)


def bare_wall(rng: np.random.Generator) -> Image:
    """A rough wall, part of which is blurred."""
    stones = rng.integers(0, 256, (15, 20, 3), np.uint8)
    wall = cv2.resize(stones, (320, 240), interpolation=cv2.INTER_CUBIC)
    rough = np.clip(wall + rng.normal(0, 25, wall.shape), 0, 255).astype(np.uint8)
    return degrade.Within(degrade.BoxBlur(21), WALL)(rough)


def save(path: Path, pixels: Image) -> Path:
    assert cv2.imwrite(str(path), pixels[..., ::-1])
    return path


def test_the_cover_is_named_where_its_box_can_be_given(
    tmp_path: Path, rng: np.random.Generator
) -> None:
    photo = save(tmp_path / "wall.png", bare_wall(rng))
    report = pipeline.restoring(
        [photo], tmp_path / "out.png", pipeline.RestoreOptions.of(threads=1)
    )
    (record,) = list(report)
    (region,) = record.regions
    assert (region.status, region.reason) == ("skipped", "no face recognised")
    assert region.box.iou(WALL) > 0.6
    with pytest.raises(NothingToDoError, match=r"no face or text found, but a blur over \d+,\d+"):
        seethrough.restore(photo, tmp_path / "out.png", threads=1)
    assert not (tmp_path / "out.png").exists()


def test_in_a_folder_it_is_a_reason_like_others(tmp_path: Path, rng: np.random.Generator) -> None:
    for name in ("a.png", "b.png"):
        save(tmp_path / name, bare_wall(rng))
    with pytest.raises(NothingToDoError, match="in any input: no face recognised"):
        seethrough.restore(tmp_path, tmp_path / "out", threads=1)


def test_boxes_are_corrected_and_landmarks_are_not(tmp_path: Path) -> None:
    covered = degrade.Within(degrade.GaussianBlur(10), FACE)(np.ascontiguousarray(astronaut()))
    photo = save(tmp_path / "blurred.png", covered)
    box = Box(FACE.x0 + 7, FACE.y0 - 6, FACE.x1 + 7, FACE.y1 - 6)
    points = geometry.upright_landmarks(Box(FACE.x0 - 4, FACE.y0, FACE.x1 - 4, FACE.y1))
    report = seethrough.restore(
        photo, tmp_path / "out.png", box=[box], landmarks=[points.ravel().tolist()], threads=1
    )
    boxed, pointed = report.records[0].regions
    assert boxed.box == box
    assert boxed.landmarks is not None
    moved = boxed.landmarks - geometry.upright_landmarks(box)
    assert moved.mean(axis=0)[0] < -2  # back to the left
    assert pointed.landmarks is not None
    np.testing.assert_allclose(pointed.landmarks, points)
