"""The whole program with the weights that ship: find, restore, paste back."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest
from skimage.data import astronaut

from seethrough import pipeline
from seethrough.degrade import GaussianBlur, Mosaic, Within
from seethrough.errors import NothingToDoError
from seethrough.image import read
from seethrough.types import Box, Image

FACE = Box(179, 63, 271, 175)
"""The astronaut's face, as the detector finds it in the clean photo."""


def save(path: Path, pixels: Image) -> Path:
    assert cv2.imwrite(str(path), pixels[..., ::-1])
    return path


@pytest.fixture(scope="module")
def photo() -> Image:
    return np.ascontiguousarray(astronaut())


def psnr(one: Image, other: Image) -> float:
    return float(-10 * np.log10(np.mean(((one.astype(float) - other) / 255) ** 2)))


@pytest.mark.parametrize("cover", ["mosaic", "gauss", "everything"])
def test_a_degraded_face_is_found_and_restored(tmp_path: Path, photo: Image, cover: str) -> None:
    degraded = {
        "mosaic": Within(Mosaic(9, (4, 2)), FACE),
        "gauss": Within(GaussianBlur(5), FACE),
        "everything": GaussianBlur(3),
    }[cover](photo)
    given = save(tmp_path / "given.png", degraded)
    report = pipeline.restore(given, tmp_path / "out.png", kind="face", threads=1, compare=True)
    (record,) = report.records
    done = [region for region in record.regions if region.status == "done"]
    assert len(done) == 1
    assert done[0].box.iou(FACE) > 0.5
    restored = read(tmp_path / "out.png").pixels
    face = (slice(75, 165), slice(185, 265))
    assert psnr(restored[face], photo[face]) > psnr(degraded[face], photo[face]) + 0.3
    far = np.ones(photo.shape[:2], bool)
    far[:260, 100:360] = False
    np.testing.assert_array_equal(restored[far], degraded[far])
    if cover != "everything":
        assert done[0].operator is not None
        assert done[0].consistency_db is not None
        assert done[0].consistency_db > 25
    assert {used.name for used in report.weights} == {
        "detector",
        "aligner",
        "restorer",
        "realistic",
    }


def test_a_clear_photo_is_left_alone(tmp_path: Path, photo: Image) -> None:
    given = save(tmp_path / "given.png", photo)
    with pytest.raises(NothingToDoError, match="clear"):
        pipeline.restore(given, tmp_path / "out.png", threads=1)
    assert not (tmp_path / "out.png").exists()


def test_a_photo_of_nobody_is_nothing_to_do(tmp_path: Path) -> None:
    ramp = np.tile(np.linspace(30, 220, 300).astype(np.uint8)[None, :, None], (200, 1, 3))
    given = save(tmp_path / "given.png", ramp)
    with pytest.raises(NothingToDoError, match="no face or text"):
        pipeline.restore(given, tmp_path / "out.png", threads=1)


def test_blurred_lines_are_found_and_restored(tmp_path: Path) -> None:
    page = np.full((220, 640, 3), 235, np.uint8)
    for row, words in enumerate(("Meeting room closed", "Return on Monday")):
        where = (40, 80 + 80 * row)
        cv2.putText(page, words, where, cv2.FONT_HERSHEY_SIMPLEX, 1.2, (25,) * 3, 2, cv2.LINE_AA)
    degraded = GaussianBlur(3)(page)
    given = save(tmp_path / "given.png", degraded)
    report = pipeline.restore(given, tmp_path / "out.png", kind="text", threads=1)
    assert [region.kind for region in report.records[0].regions] == ["text", "text"]
    restored = read(tmp_path / "out.png").pixels
    assert psnr(restored, page) > psnr(degraded, page) + 0.5


def test_faces_alone_are_degraded_and_reported(tmp_path: Path, photo: Image) -> None:
    given = save(tmp_path / "given.png", photo)
    report = pipeline.degrade(given, tmp_path / "m.png", mosaic="10%", faces=True, threads=1)
    (region,) = report.records[0].regions
    assert region.box.iou(FACE) > 0.7
    made = read(tmp_path / "m.png").pixels
    changed = (made != photo).any(axis=2)
    x0, y0, x1, y1 = (round(v) for v in region.box.as_tuple())
    assert changed[y0:y1, x0:x1].mean() > 0.9
    changed[y0:y1, x0:x1] = False
    assert not changed.any()
    empty = save(tmp_path / "empty.png", np.full((90, 90, 3), 120, np.uint8))
    with pytest.raises(NothingToDoError, match="no face"):
        pipeline.degrade(empty, tmp_path / "e.png", mosaic=8, faces=True, threads=1)


def test_aligned_crops_come_closer_to_the_original(tmp_path: Path, photo: Image) -> None:
    crop = np.asarray(cv2.resize(photo[20:240, 115:335], (128, 128), interpolation=cv2.INTER_AREA))
    degraded = GaussianBlur(4)(crop)
    given = save(tmp_path / "given.png", degraded)
    pipeline.restore(given, tmp_path / "out.png", aligned=True, kind="face", threads=1)
    restored = read(tmp_path / "out.png").pixels
    assert psnr(restored, crop) > psnr(degraded, crop) + 1
