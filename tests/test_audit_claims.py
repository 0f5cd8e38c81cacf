"""What a redacted file says of its covers is believed only where its pixels agree."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from skimage import data

import seethrough
from seethrough import image
from seethrough.auditor.claims import believed, claimed_style
from seethrough.auditor.covers import Cover
from seethrough.auditor.leaks import read_container
from seethrough.auditor.pairing import Pair
from seethrough.degrade import GaussianBlur, Jpeg
from seethrough.faces import FaceDetector
from seethrough.types import Operator

BLUR = Operator("gauss", (9.0, 9.0), None, 1.0)


@pytest.fixture(scope="module")
def astronaut() -> np.ndarray:
    return np.ascontiguousarray(data.astronaut()[:256, 64:384], np.uint8)


@pytest.fixture(scope="module")
def redacted(astronaut: np.ndarray, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("claims")
    picture = image.Picture.of(astronaut)
    image.write(folder / "raw.png", picture, astronaut, description="", reconstruction=False)
    seethrough.redact(folder / "raw.png", folder / "safe.png", style="safe-blur")
    return folder / "safe.png"


def judged(style: str | None, before: np.ndarray, after: np.ndarray) -> Cover:
    changed = (before != after).any(axis=2)
    (face,) = FaceDetector("cpu", 1).detect(before)
    pair = Pair(before, after, 1.0, changed)
    (found,) = believed(style, pair, [face], [Cover(changed, BLUR, 1.0)])
    assert found is not None
    return found


def test_the_mark_is_read(redacted: Path) -> None:
    assert claimed_style(read_container(redacted.read_bytes()).description) == "safe-blur"
    assert claimed_style("A photo of my dog, style safe-blur") is None


@pytest.mark.parametrize("quality", [None, 60])
def test_a_soft_blur_made_of_surroundings_is_believed(
    astronaut: np.ndarray, redacted: Path, quality: int | None
) -> None:
    after = image.read(redacted).pixels
    if quality is not None:
        where = (astronaut != after).any(axis=2)
        after = np.where(where[..., None], Jpeg(quality)(after), astronaut)
    found = judged("safe-blur", astronaut, after)
    assert found.stand_in
    assert found.operator is not None
    assert found.operator.kind == "solid"


@pytest.mark.parametrize("sigma", [4.0, 9.0, 14.0, 30.0])
def test_a_real_blur_is_not_believed(astronaut: np.ndarray, redacted: Path, sigma: float) -> None:
    where = (astronaut != image.read(redacted).pixels).any(axis=2)
    blurred = np.where(where[..., None], GaussianBlur(sigma)(astronaut), astronaut)
    found = judged("safe-blur", astronaut, np.asarray(blurred, np.uint8))
    assert not found.stand_in
    assert found.operator is BLUR


@pytest.mark.parametrize("style", ["blur", "solid", None])
def test_other_marks_change_nothing(
    astronaut: np.ndarray, redacted: Path, style: str | None
) -> None:
    assert judged(style, astronaut, image.read(redacted).pixels).operator is BLUR
