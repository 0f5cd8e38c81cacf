"""Damaged files: seeded, as they are called, and judged by how a run on them ended."""

from __future__ import annotations

from pathlib import Path

import av
import numpy as np
import pytest

from benchmarks import film_damage, film_fuzz, film_loops, film_tools
from benchmarks.film_damage import DAMAGES, FILM, PHOTO, Source, damaged
from benchmarks.film_tools import Run


def write_film(path: Path, frames: int = 6) -> Path:
    with av.open(str(path), "w") as out:
        stream = out.add_stream("libx264", rate=10)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        stream.options = {"threads": "1"}
        hum = out.add_stream("aac", rate=film_loops.RATE, layout="mono")
        for number in range(frames):
            picture = np.full((48, 64, 3), 40 * number % 255, np.uint8)
            picture[10:30, 5 * number : 5 * number + 12] = 200
            out.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
        out.mux(stream.encode())
        film_loops.play(out, hum, frames / 10)
    return path


@pytest.fixture
def sources(tmp_path: Path) -> list[Source]:
    photo = tmp_path / "photo.png"
    photo.write_bytes(np.random.default_rng(1).bytes(5000))
    return [Source(FILM, write_film(tmp_path / "film.mp4")), Source(PHOTO, photo)]


@pytest.mark.parametrize("damage", DAMAGES)
def test_damage_is_seeded_and_is_damage(damage: str, sources: list[Source], tmp_path: Path) -> None:
    whole = {source.path.suffix: source.path.read_bytes() for source in sources}
    first, again, other = (
        damaged(tmp_path / name, damage, sources, np.random.default_rng(seed))
        for name, seed in (("a", 3), ("b", 3), ("c", 4))
    )
    assert first.suffix == again.suffix
    assert first.read_bytes() == again.read_bytes()
    changed = first.read_bytes() != whole.get(first.suffix)
    assert changed
    assert damage == "empty" or other.suffix != first.suffix or (
        other.read_bytes() != first.read_bytes() or damage in film_damage._WITHOUT
    )  # fmt: skip


def test_films_without_pictures_and_of_one(sources: list[Source], tmp_path: Path) -> None:
    film = sources[0].path
    film_damage.one_frame(tmp_path / "one.mp4", film)
    assert len(list(film_tools.frames(tmp_path / "one.mp4"))) == 1
    film_damage.sound_only(tmp_path / "sound.mp4", film)
    with av.open(str(tmp_path / "sound.mp4")) as container:
        assert [stream.type for stream in container.streams] == ["audio"]
    film_damage.no_frames(tmp_path / "none.mp4", film)
    with pytest.raises((av.FFmpegError, IndexError)):
        next(film_tools.frames(tmp_path / "none.mp4"))


@pytest.mark.parametrize(
    ("run", "output", "fault"),
    [
        (Run(0, 1, ""), True, None),
        (Run(3, 1, "seethrough: error: a.mp4 is empty. Look."), False, None),
        (Run(-9, 31, ""), False, "no end"),
        (Run(-11, 1, ""), False, "exit code -11"),
        (Run(1, 1, "seethrough: error: a defect"), False, "exit code 1"),
        (Run(3, 1, "Traceback (most recent call last)\nseethrough: error: "), False, "traceback"),
        (Run(3, 1, ""), False, "no line"),
        (Run(3, 1, "seethrough: error: x. Y."), True, "in spite"),
        (Run(0, 1, ""), False, "no output"),
    ],
)
def test_what_counts_as_a_fault(run: Run, output: bool, fault: str | None, tmp_path: Path) -> None:
    target = tmp_path / "out.mp4"
    if output:
        target.write_bytes(b"x")
    found = film_fuzz.judged(run, target)
    if fault is None:
        assert found == []
    else:
        assert fault in found[0]


def test_a_bare_face_is_told_from_a_cover() -> None:
    picture = np.full((100, 100, 3), 120, np.uint8)
    box = np.array([20.0, 20, 80, 80])
    assert not film_fuzz._black(picture, box)
    picture[15:85, 15:85] = 5
    assert film_fuzz._black(picture, box)
    picture[45:55, 45:55] = 120  # a hole in it
    assert not film_fuzz._black(picture, box)


def test_a_film_shown_again_and_again_goes_on_evenly(sources: list[Source], cache: Path) -> None:
    small = film_loops.small(sources[0].path, 32, 24, 5)
    assert film_loops.small(sources[0].path, 32, 24, 5, frames=2) != small
    times = [at for at, _ in film_tools.timed_frames(film_loops.looped(small, 4))]
    assert times == pytest.approx(np.arange(12) / 5)
