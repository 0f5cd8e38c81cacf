"""The verb `degrade`: the model's operators on whole pictures, faces and files."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from skimage.data import astronaut

from seethrough import degrade as operators
from seethrough import image, pipeline
from seethrough.degrade import GaussianBlur, Mosaic
from seethrough.geometry import template, tight_box
from seethrough.pipeline.degrading import degraded, degraded_faces
from seethrough.pipeline.options import DegradeOptions
from seethrough.pipeline.run import generator
from seethrough.types import Face, Image


@pytest.fixture
def soft() -> Image:
    return GaussianBlur(4)(np.ascontiguousarray(astronaut()))


def save(path: Path, pixels: Image) -> Path:
    assert cv2.imwrite(str(path), pixels[..., ::-1])
    return path


def load(path: Path) -> Image:
    return image.read(path).pixels


@pytest.fixture
def face128(rng: np.random.Generator) -> Image:
    return GaussianBlur(2)(rng.integers(0, 256, (128, 128, 3), np.uint8))


def degrade_(pixels: Image, **options: Any) -> Image:
    return degraded(pixels, DegradeOptions.of(**options), np.random.default_rng(0))


def test_a_whole_picture_is_degraded_by_the_model(face128: Image) -> None:
    cases: list[tuple[dict[str, Any], operators.Degradation]] = [
        ({"mosaic": 8}, Mosaic(8)),
        ({"mosaic": 12, "phase": "3,7", "sampled": True}, Mosaic(12, (3, 7), sampled=True)),
        ({"gauss": 4}, GaussianBlur(4)),
        ({"box": 15}, operators.BoxBlur(15)),
        ({"motion": "9,30"}, operators.MotionBlur(9, 30)),
        ({"jpeg": 40}, operators.Jpeg(40)),
        ({"gauss": "10%"}, GaussianBlur(7.2)),
        ({"eye_bar": True}, operators.EyeBar()),
        ({"mask_face": True}, operators.SolidMask((64, 82), (37, 43))),
        ({"mask_head": True}, operators.SolidMask((64, 62), (62, 70))),
        (
            {"jpeg": 60, "mosaic": 8, "gauss": 2},
            operators.Chain([Mosaic(8), GaussianBlur(2), operators.Jpeg(60)]),
        ),
    ]
    for options, operator in cases:
        np.testing.assert_array_equal(degrade_(face128, **options), operator(face128), str(options))


def test_bars_and_masks_scale_with_the_picture(face128: Image) -> None:
    big = cv2.resize(face128, (384, 256), interpolation=cv2.INTER_NEAREST)
    covered = degrade_(np.asarray(big, np.uint8), eye_bar=True)
    assert not covered[94:140, 60:324].any()
    np.testing.assert_array_equal(covered[:94], big[:94])
    np.testing.assert_array_equal(covered[:, 324:], big[:, 324:])


@pytest.mark.parametrize(("flag", "side"), [("x4", 32), ("x8", 16)])
def test_reductions_shrink_and_depend_on_the_seed(face128: Image, flag: str, side: int) -> None:
    options = DegradeOptions.of(**{flag: True})
    one = degraded(face128, options, generator(1, face128))
    assert one.shape == (side, side, 3)
    np.testing.assert_array_equal(one, degraded(face128, options, generator(1, face128)))
    assert (one != degraded(face128, options, generator(2, face128))).any()


def a_face(scale: float = 1.0) -> Face:
    points = template(128) * scale + (150, 120)
    return Face(tight_box(points), points, 1.0)


@pytest.mark.parametrize(
    "options",
    [
        {"mosaic": 8},
        {"gauss": 5},
        {"box": 20},
        {"motion": "9,0"},
        {"x4": True},
        {"noise": 0.1},
        {"jpeg": 20},
        {"h264": 40},
    ],
)
def test_faces_alone_are_degraded(soft: Image, options: dict[str, Any]) -> None:
    face = a_face()
    made = degraded_faces(soft, [face], DegradeOptions.of(**options), np.random.default_rng(0))
    changed = (made != soft).any(axis=2)
    x0, y0, x1, y1 = (round(v) for v in face.box.as_tuple())
    assert changed[y0:y1, x0:x1].mean() > 0.5
    changed[y0:y1, x0:x1] = False
    assert not changed.any()


def test_a_face_is_degraded_as_in_the_whole_picture(soft: Image) -> None:
    face = a_face()
    for options, operator in (
        ({"mosaic": 9.5, "phase": "2,4"}, Mosaic(9.5, (2, 4))),
        ({"gauss": 6}, GaussianBlur(6)),
        ({"box": 31}, operators.BoxBlur(31)),
    ):
        made = degraded_faces(soft, [face], DegradeOptions.of(**options), np.random.default_rng(0))
        x0, y0, x1, y1 = (round(v) for v in face.box.as_tuple())
        whole = operator(soft)[y0:y1, x0:x1].astype(int)
        assert np.abs(made[y0:y1, x0:x1] - whole).max() <= 1


def test_a_bar_turns_with_its_face(soft: Image) -> None:
    upright = a_face()
    turn = cv2.getRotationMatrix2D((220, 200), 30, 1.0)
    points = upright.landmarks @ turn[:, :2].T + turn[:, 2]
    made = degraded_faces(
        soft,
        [Face(tight_box(points), points, 1.0)],
        DegradeOptions.of(eye_bar=True),
        np.random.default_rng(0),
    )
    black = (made != soft).any(axis=2)
    assert not made[black].any()
    eyes = np.rint(points[:2]).astype(int)
    assert black[eyes[:, 1], eyes[:, 0]].all()
    assert 0.9 < black.sum() / (88 * 23) < 1.1


def test_degrading_writes_an_honest_file(tmp_path: Path, soft: Image) -> None:
    photo = save(tmp_path / "photo.png", soft)
    report = pipeline.degrade(photo, tmp_path / "m.png", mosaic=8)
    np.testing.assert_array_equal(load(tmp_path / "m.png"), Mosaic(8)(soft))
    assert b"Degraded by seethrough" in (tmp_path / "m.png").read_bytes()
    assert b"trainedAlgorithmicMedia" not in (tmp_path / "m.png").read_bytes()
    assert report.records[0].regions == ()
    small = pipeline.degrade(photo, tmp_path / "s.png", x4=True, seed=3)
    assert load(tmp_path / "s.png").shape == (128, 128, 3)
    assert (small.records[0].width, small.records[0].height) == (512, 512)


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
@pytest.mark.parametrize("channels", [1, 3, 4])
def test_a_reduction_keeps_depth_alpha_and_grey(
    tmp_path: Path, soft: Image, dtype: type[np.unsignedinteger[Any]], channels: int
) -> None:
    most = np.iinfo(dtype).max
    pixels = soft.astype(dtype) * dtype(most // 255)
    alpha = np.zeros((512, 512, 1), dtype)
    alpha[:, 256:] = most
    planes = pixels[..., 1] if channels == 1 else np.dstack([pixels[..., ::-1], alpha])
    assert cv2.imwrite(str(tmp_path / "a.png"), planes[..., :channels] if channels > 1 else planes)
    pipeline.degrade(tmp_path / "a.png", tmp_path / "b.png", x8=True)
    made = image.read(tmp_path / "b.png")
    assert made.pixels.shape == (64, 64, 3)
    assert made.samples.dtype == dtype
    assert made.grey == (channels == 1)
    if channels == 4:
        assert made.alpha is not None
        assert not made.alpha[:, :32].any()
        assert (made.alpha[:, 32:] == most).all()
    else:
        assert made.alpha is None
