"""Films as they are read, and films that cannot be."""

from __future__ import annotations

import os
from fractions import Fraction

import av
import numpy as np
import pytest
from PIL import Image as PillowImage

from seethrough.errors import InputError
from seethrough.types import Patch
from seethrough.video import FilmReader, Frame
from tests.video import films


def read(path):
    return [frame.index for frame in FilmReader(path)]


def test_info_says_what_the_film_is(tmp_path):
    film = films.make(tmp_path / "in.mp4", rate=Fraction(24000, 1001), sound="aac")
    info = FilmReader(film).info
    assert (info.width, info.height, info.codec, info.pixel_format) == (160, 96, "h264", "yuv420p")
    assert info.rate == Fraction(24000, 1001)
    assert info.frames == 12
    assert info.duration == 12 / info.rate
    assert (info.audio, info.subtitles, info.rotation, info.sample_aspect) == (1, 0, 0, 1)


def test_every_iteration_begins_at_the_start(tmp_path):
    with FilmReader(films.make(tmp_path / "in.mp4", frames=5)) as film:
        next(iter(film))
        assert [frame.index for frame in film] == [0, 1, 2, 3, 4]


@pytest.mark.parametrize("suffix", ["mp4", "mkv"])
def test_what_is_listed_is_what_is_decoded(tmp_path, suffix):
    stamps = [0, 3, 5, 6, 11, 14]
    path = films.make(tmp_path / f"film.{suffix}", frames=6, stamps=stamps, sound="aac")
    film = FilmReader(path)
    times = [frame.time for frame in film]
    assert film.listed() == (6, times[-1])
    assert film.times() == [*times, times[-1] + 1 / film.info.rate]


def test_what_an_edit_list_hides_is_not_listed(tmp_path):
    film = films.trimmed(films.make(tmp_path / "film.mp4", frames=30), Fraction(12, 25))
    reader = FilmReader(film)
    times = [frame.time for frame in reader]
    assert len(times) == 18
    assert reader.listed() == (18, times[-1])
    assert reader.times()[:-1] == times


def test_parts_and_pictures_agree_with_ffmpeg(tmp_path):
    film = films.make(tmp_path / "in.mp4", frames=1, tags=(1, 1, 1, 1))
    frame = next(iter(FilmReader(film)))
    whole = frame.picture()
    theirs = frame.coded.reformat(
        format="rgb24", src_colorspace=1, interpolation="BICUBIC", width=160
    ).to_ndarray()
    assert np.abs(whole.astype(int) - theirs).mean() < 2
    assert np.array_equal(frame.part(13, 7, 58, 40), whole[7:40, 13:58])
    small, (fx, fy) = frame.reduced(80)
    assert small.shape == (48, 80, 3)
    assert (fx, fy) == (2, 2)
    blocks = whole.reshape(48, 2, 80, 2, 3).mean(axis=(1, 3))
    assert np.abs(small - blocks).max() <= 2


def test_reduced_makes_pixels_square_and_enlarges_nothing(tmp_path):
    film = films.make(tmp_path / "in.mp4", frames=1, aspect=Fraction(2))
    small, factors = next(iter(FilmReader(film))).reduced(1000)
    assert small.shape == (48, 160, 3)
    assert factors == (1, 2)
    film = films.make(tmp_path / "tall.mp4", frames=1, aspect=Fraction(1, 2))
    small, factors = next(iter(FilmReader(film))).reduced(1000)
    assert small.shape == (96, 80, 3)
    assert factors == (2, 1)


@pytest.mark.parametrize("place", [(0, 0), (13, 7), (129, 66), (20, 30)])
def test_every_chroma_sample_that_a_masked_pixel_touches_is_replaced(place, rng):
    frame = Frame.of_picture(rng.integers(0, 256, (97, 161, 3), np.uint8))
    mask = rng.random((31, 32)) < 0.1
    frame_before = [
        np.frombuffer(memoryview(plane), np.uint8)
        .reshape(plane.height, -1)[:, : plane.width]
        .copy()
        for plane in frame.coded.planes
    ]
    red = np.broadcast_to(np.array([250, 5, 5], np.uint8), (31, 32, 3)).copy()
    red[~mask] = (0, 255, 0)  # what is not masked has no influence
    frame.paint(Patch(*place, red, mask))
    whole = np.zeros((98, 162), np.bool_)
    whole[place[1] : place[1] + 31, place[0] : place[0] + 32] = mask
    touched = whole.reshape(49, 2, 81, 2).any(axis=(1, 3))
    alone = Frame.of_picture(np.broadcast_to(np.array([250, 5, 5], np.uint8), (2, 2, 3)).copy())
    for plane, before, hit, colour in zip(
        frame.coded.planes,
        frame_before,
        (whole[:97, :161], touched, touched),
        (plane for plane in alone.coded.planes),
        strict=True,
    ):
        after = np.frombuffer(memoryview(plane), np.uint8).reshape(plane.height, -1)
        after = after[:, : plane.width]
        assert np.array_equal(after[~hit], before[~hit])
        assert (after[hit] == bytes(colour)[0]).all()


def test_a_part_painted_back_changes_next_to_nothing(tmp_path):
    film = films.make(tmp_path / "in.mp4", frames=1)
    frame = next(iter(FilmReader(film)))
    before = frame.picture()
    part = frame.part(21, 11, 121, 81)
    frame.paint(Patch(21, 11, part, np.ones(part.shape[:2], np.bool_)))
    after = frame.picture()
    assert np.abs(after.astype(int) - before).max() <= 6
    outside = np.ones((96, 160), np.bool_)
    outside[10:82, 20:122] = False
    assert np.array_equal(after[outside], before[outside])


@pytest.mark.parametrize(
    ("codec", "pixel_format", "suffix"),
    [
        ("mpeg4", "yuv420p", ".avi"),
        ("mpeg2video", "yuv420p", ".mpg"),
        ("ffv1", "gray", ".mkv"),
        ("ffv1", "bgr0", ".mkv"),
        ("ffv1", "yuv411p", ".mkv"),
        ("rawvideo", "nv12", ".mkv"),
        ("mjpeg", "yuvj422p", ".mkv"),
        ("ffv1", "yuva420p", ".mkv"),
    ],
)
def test_many_codecs_and_layouts_are_read(tmp_path, codec, pixel_format, suffix):
    film = films.make(tmp_path / f"in{suffix}", codec=codec, pixel_format=pixel_format, frames=4)
    frames = list(FilmReader(film))
    assert [frame.index for frame in frames] == [0, 1, 2, 3]
    times = [float(frame.time) for frame in frames]
    assert np.allclose(times, np.arange(4) / 25, atol=0.001)
    shown = frames[1].picture().astype(float)
    meant = films.scene(1, 160, 96).astype(float)
    if pixel_format == "gray":
        meant = np.repeat((meant @ [0.299, 0.587, 0.114])[..., None], 3, axis=-1)
    assert np.abs(shown - meant).mean() < 8


@pytest.mark.parametrize(
    "content", [b"", b"not a film at all" * 100, b"#EXTM3U\n#EXTINF:1,\n/etc/passwd\n"]
)
def test_garbage_is_refused(tmp_path, content):
    path = tmp_path / "in.mp4"
    path.write_bytes(content)
    with pytest.raises(InputError, match=r"in\.mp4"):
        read(path)


def test_what_is_no_film_is_refused(tmp_path):
    with pytest.raises(InputError, match="does not exist"):
        read(tmp_path / "missing.mp4")
    with pytest.raises(InputError, match="folder"):
        read(tmp_path)
    picture = tmp_path / "picture.mp4"
    PillowImage.new("RGB", (64, 64)).save(picture, "PNG")
    with pytest.raises(InputError, match="no film"):
        read(picture)


def test_sound_alone_is_refused(tmp_path):
    path = tmp_path / "in.mp4"
    with av.open(str(path), "w") as container:
        films._sing(container, container.add_stream("aac", rate=48000, layout="mono"), 0.5)
    with pytest.raises(InputError, match="sound only"):
        read(path)


def test_a_film_without_frames_is_refused(tmp_path):
    path = tmp_path / "in.mkv"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=25)
        stream.width, stream.height = 64, 64
        container.start_encoding()
    with pytest.raises(InputError):
        read(path)


@pytest.mark.parametrize("suffix", [".mp4", ".mkv", ".avi", ".webm"])
@pytest.mark.parametrize("share", [0.02, 0.5, 0.8])
def test_a_truncated_film_is_refused(tmp_path, suffix, share):
    codec = {".avi": "mpeg4", ".webm": "libvpx-vp9"}.get(suffix, "libx264")
    film = films.make(
        tmp_path / f"in{suffix}", frames=150, size=(64, 48), codec=codec, pixel_format="yuv420p"
    )
    os.truncate(film, int(film.stat().st_size * share))
    with pytest.raises(InputError):
        read(film)


def test_damage_in_the_middle_is_named_with_its_time(tmp_path):
    film = films.make(tmp_path / "in.mp4", frames=60, options={"crf": "10", "g": "10"})
    with av.open(str(film)) as container:
        packets = [packet.pos for packet in container.demux(video=0) if packet.size > 200]
    data = bytearray(film.read_bytes())
    place = packets[30] + 20
    data[place : place + 120] = bytes(range(120))
    film.write_bytes(data)
    with pytest.raises(InputError, match=r"damaged at 00:00:0[012]\.\d+"):
        read(film)


@pytest.mark.slow
def test_no_corruption_hangs_or_escapes(tmp_path):
    rng = np.random.default_rng(7)
    whole = films.make(tmp_path / "in.mp4", frames=30, sound="aac").read_bytes()
    path = tmp_path / "bad.mp4"
    refused = 0
    for _ in range(60):
        data = bytearray(whole)
        for place in rng.integers(0, len(data), rng.integers(1, 40)):
            data[place] ^= 1 << rng.integers(8)
        path.write_bytes(data)
        try:
            read(path)
        except InputError:
            refused += 1
    assert refused > 20
