"""Faces under solid covers, which no detector sees: reported as skipped, never passed over."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest
from skimage import data

from seethrough import image
from seethrough.errors import NothingToDoError
from seethrough.pipeline.options import RestoreOptions
from seethrough.pipeline.restoring import restoring

MASK = ((225, 118), (52, 56))
"""Centre and half-axes of an ellipse over the astronaut's face."""


@pytest.mark.parametrize("suffix", [".png", ".jpg"])
def test_a_masked_portrait_is_a_skipped_region(tmp_path: Path, suffix: str) -> None:
    pixels = np.ascontiguousarray(data.astronaut()[:400])
    cv2.ellipse(pixels, *MASK, 0, 0, 360, (0, 0, 0), -1)
    source, output = tmp_path / f"masked{suffix}", tmp_path / "out.png"
    quality = [cv2.IMWRITE_JPEG_QUALITY, 75] if suffix == ".jpg" else []
    assert cv2.imwrite(str(source), pixels[..., ::-1], quality)
    assert image.read(source).pixels.shape == pixels.shape
    run = restoring([source], output, RestoreOptions(kind="face", threads=1))
    (record,) = run
    assert record.status == "skipped"
    assert record.reason == "solid"
    (region,) = record.regions
    assert (region.status, region.reason, region.landmarks) == ("skipped", "solid", None)
    assert region.operator is not None
    assert region.operator.kind == "solid"
    assert abs(region.box.centre[0] - MASK[0][0]) < 4
    assert abs(region.box.centre[1] - MASK[0][1]) < 4
    assert not output.exists()
    with pytest.raises(NothingToDoError, match="solid"):
        run.report().raise_for_failure()
