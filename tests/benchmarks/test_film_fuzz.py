"""Damaged films and photos through the whole program: the interface's codes, or all covered."""

from __future__ import annotations

import logging
import time
from pathlib import Path

import av
import cv2
import numpy as np
import pytest
from skimage import data

from benchmarks import film_fuzz, film_tools
from benchmarks.film_coverage import BLACK
from benchmarks.film_damage import DAMAGES, FILM, PHOTO, Source, damaged
from benchmarks.film_tools import Run
from seethrough.cli import run

FACE = np.s_[44:104, 64:112]  # the middle of the astronaut's face in a picture of 160 px


@pytest.fixture(scope="module")
def astronaut() -> np.ndarray:
    """A picture of 160 px with one face, about 60 px wide."""
    part = np.ascontiguousarray(data.astronaut()[:256, 96:352])
    return np.asarray(cv2.resize(part, (160, 160), interpolation=cv2.INTER_AREA), np.uint8)


@pytest.fixture(scope="module")
def sources(astronaut: np.ndarray, tmp_path_factory: pytest.TempPathFactory) -> list[Source]:
    """A film of five frames and a photo."""
    folder = tmp_path_factory.mktemp("whole")
    film, photo = folder / "film.mp4", folder / "photo.jpg"
    with av.open(str(film), "w") as out:
        stream = out.add_stream("libx264", rate=10)
        stream.width, stream.height, stream.pix_fmt = 160, 160, "yuv420p"
        stream.options = {"threads": "1", "crf": "18"}
        for shift in range(5):
            moved = np.roll(astronaut, 2 * shift, axis=1)
            out.mux(stream.encode(av.VideoFrame.from_ndarray(moved, format="rgb24")))
        out.mux(stream.encode())
    assert cv2.imwrite(str(photo), astronaut[..., ::-1])
    return [Source(FILM, film), Source(PHOTO, photo)]


@pytest.mark.parametrize("kind", [FILM, PHOTO])
@pytest.mark.parametrize("damage", DAMAGES)
def test_damaged_files_end_by_the_interface(
    damage: str,
    kind: str,
    sources: list[Source],
    tmp_path: Path,
    capfd: pytest.CaptureFixture[str],
) -> None:
    if kind == PHOTO and damage in ("no-frames", "sound-only", "one-frame"):
        pytest.skip("a film's damage")
    rng = np.random.default_rng([5, list(DAMAGES).index(damage)])
    chosen = [source for source in sources if source.kind == kind or damage == "one-frame"]
    path = damaged(tmp_path / "in", damage, chosen, rng)
    target = tmp_path / f"out{path.suffix}"
    logging.getLogger("libav").setLevel(logging.CRITICAL)
    start = time.perf_counter()
    code = run(["redact", str(path), "-o", str(target), "--threads", "1", "--device", "cpu"])
    done = Run(code, time.perf_counter() - start, capfd.readouterr().err)
    assert film_fuzz.judged(done, target) == []
    if code == 0:  # every picture of the output is black where the face is
        pictures = film_fuzz._pictures(target)
        assert pictures
        for picture in pictures:
            assert (picture[FACE] <= BLACK).all(axis=2).mean() > 0.8
    if damage == "one-frame":
        assert code == 0
        assert film_tools.frame_count(target) == 1
