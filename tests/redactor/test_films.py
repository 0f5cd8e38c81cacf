"""Covers in films: nothing under them reaches the encoded file."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from seethrough.redactor import SAFE, Coverer, Style, Verifier
from seethrough.types import Image
from seethrough.video import EncodeOptions, FilmReader, transcode
from seethrough.video.frame import Frame
from tests.redactor.scene import Seen, face, under
from tests.video.films import make, scene

SIZE = (160, 128)
SHAPE = (128, 160)
LOSSLESS = {"qp": "0", "preset": "ultrafast"}


def seen_in(frame: int) -> list[Seen]:
    """Two heads that move and meet."""
    found = [face(50 + 4 * frame, 60, 26)]
    return found if frame < 3 else [*found, face(100, 70, 22, 30, track=2)]


def cover(source: Path, target: Path, style: Style) -> Path:
    coverer = Coverer(style, SHAPE, threads=1)

    def edit(frame: Frame) -> None:
        for patch in coverer.patches(frame, seen_in(frame.index)):
            frame.paint(patch)

    transcode(source, target, edit, EncodeOptions(), threads=1)
    return target


@pytest.mark.parametrize("pixel_format", ["yuv420p", "yuv444p"])
@pytest.mark.parametrize("style", [*sorted(SAFE), "mosaic"])
def test_faces_decide_no_byte_of_the_film(style: str, pixel_format: str, tmp_path: Path) -> None:
    chosen = Style(style)

    def film(name: str, seed: int) -> Path:
        rng = np.random.default_rng(seed)

        def picture(index: int, width: int, height: int) -> Image:
            drawn = scene(index, width, height)
            mask = under(SHAPE, seen_in(index), chosen)
            if pixel_format == "yuv420p":  # making the film spreads colour over some pixels
                mask = cv2.erode(mask.view(np.uint8), np.ones((17, 17), np.uint8)) > 0
            drawn[mask] = rng.integers(0, 256, (int(mask.sum()), 3), np.uint8)
            return drawn

        return make(
            tmp_path / name,
            frames=6,
            size=SIZE,
            pixel_format=pixel_format,
            options=LOSSLESS,
            picture=picture,
        )

    one, two = film("one.mp4", 1), film("two.mp4", 2)
    assert one.read_bytes() != two.read_bytes()
    covered = [cover(path, path.with_suffix(".out.mp4"), chosen) for path in (one, two)]
    same = covered[0].read_bytes() == covered[1].read_bytes()
    assert same == chosen.safe  # a mosaic is made of the face


@pytest.mark.parametrize("style", ["solid", "safe-blur"])
def test_covered_film_passes_verification(style: str, tmp_path: Path) -> None:
    chosen = Style(style)
    source = make(tmp_path / "film.mp4", frames=6, size=SIZE)
    target = cover(source, tmp_path / "out.mp4", chosen)

    def findings(redacted: Path) -> list[str]:
        verifier = Verifier(chosen, SHAPE, threads=1)
        with FilmReader(source, threads=1) as before, FilmReader(redacted, threads=1) as after:
            return [
                found.what
                for original, output in zip(before, after, strict=True)
                for found in verifier.look(
                    original.index, original.time, original, output, seen_in(original.index)
                )
            ]

    assert findings(target) == []
    assert "bare" in findings(source)
