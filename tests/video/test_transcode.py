"""What a film keeps on its way through, and what it loses."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from seethrough.errors import InputError, OutputError, UsageError
from seethrough.types import Patch
from seethrough.video import EncodeOptions, FilmReader, Frame, Timings, transcode
from tests.video import films

LOSSLESS = EncodeOptions(crf=0, preset="ultrafast")
QUICK = EncodeOptions(preset="ultrafast")


def nothing(frame: Frame) -> None:
    """Leave the frame as it is."""


def through(source: Path, options: EncodeOptions = QUICK, suffix: str | None = None, **more):
    target = source.with_name(f"out{suffix or source.suffix}")
    transcode(source, target, more.pop("edit", nothing), options, threads=1, **more)
    return target


def test_times_of_a_variable_rate_are_equal(tmp_path):
    stamps = [0, 3, 4, 9, 10, 11, 30, 31, 200, 201, 207, 208]
    film = films.make(tmp_path / "in.mp4", stamps=stamps, time_base=Fraction(1, 90000) * 300)
    out = through(film)
    assert films.stamps_of(out) == films.stamps_of(film)
    assert len(set(np.diff(films.stamps_of(out)))) > 3


def test_29_97_stays_exact(tmp_path):
    rate = Fraction(30000, 1001)
    film = films.make(tmp_path / "in.mp4", rate=rate)
    out = through(film)
    assert FilmReader(out).info.rate == rate
    assert films.stamps_of(out) == [index / rate for index in range(12)]


@pytest.mark.parametrize("delay", [1, 7, 40])
def test_a_picture_that_starts_late_starts_as_late(tmp_path, delay):
    rate = Fraction(30000, 1001)
    film = films.make(
        tmp_path / "in.mp4", rate=rate, stamps=range(delay, delay + 8), sound="aac", b_frames=False
    )
    times = [frame.time for frame in FilmReader(film)]
    assert times[0] > 0
    out = through(film)
    assert [frame.time for frame in FilmReader(out)] == times
    with av.open(str(film)) as before, av.open(str(out)) as after:
        assert before.streams.audio[0].start_time == after.streams.audio[0].start_time


@pytest.mark.parametrize("suffix", [".mkv", ".mov", ".m4v", ".mp4"])
def test_each_container_keeps_times_and_sound(tmp_path, suffix):
    film = films.make(tmp_path / "in.mp4", sound="aac")
    out = through(film, suffix=suffix)
    before, after = (np.array(films.stamps_of(path), np.float64) for path in (film, out))
    assert np.abs(before - after).max() < (0.00051 if suffix == ".mkv" else 1e-12)
    assert films.packets_of(out, "audio") == films.packets_of(film, "audio")


@pytest.mark.parametrize("codec", ["h265", "vp9", "av1"])
def test_other_codecs_keep_times_and_size(tmp_path, codec):
    preset = {"h265": "ultrafast", "vp9": "8", "av1": "13"}[codec]
    film = films.make(tmp_path / "in.mp4", size=(160, 96))
    out = through(film, EncodeOptions(codec=codec, preset=preset), edit=nothing)
    info = FilmReader(out).info
    assert (info.width, info.height) == (160, 96)
    assert films.stamps_of(out) == films.stamps_of(film)
    before, after = (next(iter(FilmReader(path))).picture() for path in (film, out))
    assert np.abs(before.astype(int) - after).mean() < 6


def test_webm_takes_vp9_and_refuses_h264(tmp_path):
    film = films.make(tmp_path / "in.mp4", frames=3)
    out = through(film, EncodeOptions(preset="8"), suffix=".webm")
    assert FilmReader(out).info.codec == "vp9"
    with pytest.raises(UsageError, match="WebM"):
        through(film, EncodeOptions(codec="h264"), suffix=".webm", overwrite=True)


def test_several_sound_tracks_are_copied_byte_for_byte(tmp_path):
    film = films.make(tmp_path / "in.mkv", sound=("aac", "flac", "libopus"))
    out = through(film)
    tracks = films.packets_of(film, "audio")
    assert len(tracks) == 3
    assert films.packets_of(out, "audio") == tracks


@pytest.mark.parametrize("suffix", [".mp4", ".mkv"])
def test_sound_that_an_edit_list_hides_stays_behind(tmp_path, suffix):
    whole = films.make(tmp_path / "in.mp4", frames=50, sound="aac", seconds=2)
    film = films.trimmed(whole, Fraction(1))
    out = through(film, suffix=suffix)
    (before,), (after,) = (films.packets_of(path, "audio") for path in (film, out))
    run_in = round(0.1 * 48000 / 1024)
    assert len(before) - len(after) == pytest.approx(48000 / 1024 - run_in, abs=2)
    assert after == before[-len(after) :]
    with av.open(str(out)) as container:
        first = next(iter(container.demux(audio=0)))
        assert -0.101 < first.pts * first.time_base < 0
    pictures = np.array(films.stamps_of(out), np.float64)
    assert np.allclose(pictures, np.array(films.stamps_of(film), np.float64), atol=5e-4)


@pytest.mark.parametrize("left", [0, 4096])
def test_a_disk_that_is_full_is_no_fault_of_the_container(tmp_path, tiny_disk, left):
    film = films.make(tmp_path / "in.mp4", frames=3)
    (tiny_disk / "full").write_bytes(bytes(8192 - left))
    with pytest.raises(OutputError, match=r"out.mp4 cannot be written \(No space left"):
        transcode(film, tiny_disk / "out.mp4", nothing, QUICK, threads=1)
    assert [path.name for path in tiny_disk.iterdir()] == ["full"]


def test_mute_drops_every_track(tmp_path):
    film = films.make(tmp_path / "in.mkv", sound=("aac", "flac"))
    out = through(film, EncodeOptions(preset="ultrafast", voice="mute"))
    assert films.packets_of(out, "audio") == []


def test_sound_that_the_container_cannot_hold_is_refused_at_once(tmp_path):
    film = films.make(tmp_path / "in.mov", sound="pcm_mulaw", frames=3)

    def never(frame: Frame) -> None:
        raise AssertionError("no frame should have been edited")

    with pytest.raises(UsageError, match=r"pcm_mulaw.*mov"):
        through(film, suffix=".mp4", edit=never)
    assert [path.name for path in tmp_path.iterdir()] == ["in.mov"]


def test_sound_that_is_damaged_is_told_as_such(tmp_path, monkeypatch):
    film = films.make(tmp_path / "in.mkv", sound="aac", frames=3)
    original = av.container.InputContainer.demux

    def backwards(source, others):
        packets = [packet for packet in original(source, audio=0) if packet.size]
        for packet in packets:
            packet.stream = next(iter(others.values()))
            packet.pts, packet.dts = 0, 100  # shown before it can be decoded
            yield packet

    monkeypatch.setattr("seethrough.video.joining._copies", backwards)
    with pytest.raises(InputError, match=r"sound.*damaged"):
        through(film)
    assert [path.name for path in tmp_path.iterdir()] == ["in.mkv"]


@pytest.mark.parametrize(
    ("matrix", "degrees", "turn"),
    [
        ((0, 1, -1, 0), 90, lambda picture: np.rot90(picture, -1)),
        ((-1, 0, 0, -1), 180, lambda picture: np.rot90(picture, 2)),
        ((0, -1, 1, 0), 270, lambda picture: np.rot90(picture, 1)),
        ((-1, 0, 0, 1), 0, lambda picture: picture[:, ::-1]),
    ],
)
def test_a_turned_film_comes_out_upright(tmp_path, matrix, degrees, turn):
    film = films.make(tmp_path / "in.mp4", frames=3, aspect=Fraction(4, 3))
    stored = next(iter(FilmReader(film))).picture()
    films.turned(film, matrix)
    reader = FilmReader(film)
    upright = turn(stored)
    assert reader.info.rotation == degrees
    assert (reader.info.height, reader.info.width) == upright.shape[:2]
    assert np.array_equal(next(iter(reader)).picture(), upright)
    out = FilmReader(through(film, LOSSLESS))
    assert out.info.rotation == 0
    aspect = Fraction(3, 4) if degrees in (90, 270) else Fraction(4, 3)
    assert out.info.sample_aspect == aspect
    assert np.array_equal(next(iter(out)).picture(), upright)


def test_non_square_pixels_stay_so(tmp_path):
    film = films.make(tmp_path / "in.mp4", frames=3, aspect=Fraction(16, 11))
    assert FilmReader(film).info.sample_aspect == Fraction(16, 11)
    assert FilmReader(through(film)).info.sample_aspect == Fraction(16, 11)


def test_odd_sizes_lose_no_sample(tmp_path):
    film = films.make(
        tmp_path / "in.mkv", size=(161, 97), frames=3, codec="ffv1", pixel_format="yuv420p"
    )
    before = films.planes_of(film)
    assert before[0][1].shape == (49, 81)
    after = films.planes_of(through(film, LOSSLESS, suffix=".mp4"))
    for old, new in zip(before, after, strict=True):
        assert np.array_equal(old[0], new[0])
        for rough, fine in zip(old[1:], new[1:], strict=True):
            assert np.array_equal(fine, rough.repeat(2, 0).repeat(2, 1)[:97, :161])


@pytest.mark.parametrize(
    ("pixel_format", "codec"), [("yuv420p10le", "h264"), ("yuv422p10le", "h265")]
)
def test_ten_bits_stay_ten(tmp_path, pixel_format, codec):
    film = films.make(tmp_path / "in.mkv", frames=3, codec="ffv1", pixel_format=pixel_format)
    options = EncodeOptions(codec=codec, crf=0, preset="ultrafast")
    out = through(film, options)
    assert FilmReader(out).info.pixel_format == pixel_format
    before, after = films.planes_of(film), films.planes_of(out)
    assert all(
        np.array_equal(one, other)
        for old, new in zip(before, after, strict=True)
        for one, other in zip(old, new, strict=True)
    )


@pytest.mark.parametrize("tags", [(1, 1, 1, 1), (2, 5, 5, 6), (1, 9, 9, 16)])
def test_colour_tags_are_kept(tmp_path, tags):
    film = films.make(tmp_path / "in.mp4", frames=3, tags=tags)
    with av.open(str(through(film))) as container:
        frame = next(container.decode(video=0))
    found = (frame.color_range, frame.colorspace, frame.color_primaries, frame.color_trc)
    assert found == tags


@pytest.mark.parametrize("tags", [(1, 1, 1, 1), (2, 5, 5, 6), (1, 9, 9, 16)])
def test_what_is_painted_has_the_colour_asked_for(tmp_path, tags):
    film = films.make(tmp_path / "in.mp4", frames=2, tags=tags)
    colour = np.array([201, 87, 30], np.uint8)

    def edit(frame: Frame) -> None:
        pixels = np.broadcast_to(colour, (40, 50, 3)).copy()
        frame.paint(Patch(21, 13, pixels, np.ones((40, 50), np.bool_)))

    out = through(film, LOSSLESS, edit=edit)
    with av.open(str(out)) as container:
        decoded = next(container.decode(video=0))
        rgb = decoded.reformat(
            format="rgb24", src_colorspace=tags[1], src_color_range=tags[0]
        ).to_ndarray()
    assert np.abs(rgb[20:46, 28:64].astype(int) - colour).max() <= 4


def test_woven_fields_stay_woven_and_no_chroma_of_either_is_left(tmp_path):
    film = films.make(tmp_path / "in.mp4", frames=3, woven=True)

    def edit(frame: Frame) -> None:
        frame.paint(Patch(32, 22, np.zeros((17, 32, 3), np.uint8), np.ones((17, 32), np.bool_)))

    out = through(film, LOSSLESS, edit=edit)
    with av.open(str(out)) as container:
        assert all(frame.interlaced_frame for frame in container.decode(video=0))
    before, after = films.planes_of(film), films.planes_of(out)
    for old, new in zip(before, after, strict=True):
        for plane in new[1:]:
            assert (plane[10:20, 16:32] == 128).all()  # rows 20 to 39 hold what was painted
        assert np.array_equal(new[1][:10], old[1][:10])
        assert np.array_equal(new[1][20:], old[1][20:])


def test_metadata_goes_unless_kept(tmp_path):
    words = {"title": "Interview in Leeds", "location": "+53.80-001.55/"}
    film = films.make(tmp_path / "in.mp4", frames=3, metadata=words)
    plain = through(film, EncodeOptions(preset="ultrafast", description="Redacted"))
    with av.open(str(plain)) as container:
        assert container.metadata["comment"] == "Redacted"
    data = plain.read_bytes()
    assert b"Leeds" not in data
    assert b"53.80" not in data
    kept = EncodeOptions(preset="ultrafast", keep_metadata=True, description="Redacted")
    with av.open(str(through(film, kept, overwrite=True))) as container:
        assert container.metadata["title"] == "Interview in Leeds"
        assert container.metadata["comment"] == "Redacted"


def test_subtitles_go_unless_kept(tmp_path):
    film = films.make(tmp_path / "in.mkv", frames=12, subtitles=True)
    assert films.packets_of(film, "subtitles") == [[b"A name in a subtitle"]]
    assert b"A name" not in through(film).read_bytes()
    kept = EncodeOptions(preset="ultrafast", keep_subtitles=True)
    out = through(film, kept, overwrite=True)
    assert films.packets_of(out, "subtitles") == [[b"A name in a subtitle"]]
    with pytest.raises(UsageError, match="subtitles"):
        through(film, kept, suffix=".mp4")


def test_chapters_and_attachments_go_unless_kept(tmp_path):
    film = films.make(tmp_path / "plain.mkv", frames=3)
    whole = tmp_path / "in.mkv"
    with av.open(str(film)) as source, av.open(str(whole), "w") as container:
        stream = container.add_stream_from_template(source.streams.video[0])
        container.add_attachment("font.ttf", "font/ttf", b"OTTO: a font")
        container.add_attachment("cover.png", "image/png", b"a face")
        container.set_chapters(
            [
                {
                    "id": 1,
                    "start": 0,
                    "end": 80,
                    "time_base": Fraction(1, 1000),
                    "metadata": {"title": "At home"},
                }
            ]
        )
        for packet in source.demux(video=0):
            if packet.size:
                packet.stream = stream
                container.mux(packet)
    data = through(whole).read_bytes()
    assert not any(word in data for word in (b"a font", b"a face", b"At home"))
    kept = EncodeOptions(preset="ultrafast", keep_metadata=True)
    data = through(whole, kept, overwrite=True).read_bytes()
    assert b"a font" in data
    assert b"At home" in data
    assert b"a face" not in data


def test_what_is_not_painted_is_identical(tmp_path):
    film = films.make(tmp_path / "in.mp4", frames=4)

    def edit(frame: Frame) -> None:
        frame.paint(Patch(31, 21, np.zeros((20, 30, 3), np.uint8), np.ones((20, 30), np.bool_)))

    before, after = films.planes_of(film), films.planes_of(through(film, LOSSLESS, edit=edit))
    for old, new in zip(before, after, strict=True):
        same = [one == other for one, other in zip(old, new, strict=True)]
        same[0][21:41, 31:61] = True
        for plane in same[1:]:
            plane[10:21, 15:31] = True
        assert all(plane.all() for plane in same)
        assert (new[0][21:41, 31:61] == 16).all()


@pytest.mark.parametrize("size", [(160, 96), (161, 97)])
def test_two_films_are_shown_beside_each_other(tmp_path, size):
    film = films.make(tmp_path / "in.mkv", size=size, frames=3, codec="ffv1")
    right = films.make(
        tmp_path / "right.mkv", size=size, frames=3, codec="ffv1",
        picture=lambda index, width, height: films.scene(index + 40, width, height),
    )  # fmt: skip
    out = FilmReader(through(film, LOSSLESS, suffix=".mp4", beside=right))
    for both, one, other in zip(out, FilmReader(film), FilmReader(right), strict=True):
        assert both.shape == (size[1], 2 * size[0])
        assert np.array_equal(both.picture()[:, : size[0]], one.picture())
        assert np.array_equal(both.picture()[:, size[0] :], other.picture())
    short = films.make(tmp_path / "short.mkv", size=size, frames=2, codec="ffv1")
    with pytest.raises(InputError, match="other frames"):
        through(film, suffix=".mp4", beside=short, overwrite=True)


def test_painting_leaves_the_decoder_alone(tmp_path):
    film = films.make(tmp_path / "in.mp4", frames=6)
    untouched = [frame.picture() for frame in FilmReader(film)]
    for frame, picture in zip(FilmReader(film), untouched, strict=True):
        assert np.array_equal(frame.picture(), picture)
        ones = np.ones(frame.shape, np.bool_)
        frame.paint(Patch(0, 0, np.zeros((*frame.shape, 3), np.uint8), ones))


def test_progress_and_timings_are_told(tmp_path):
    film = films.make(tmp_path / "in.mp4")
    told: list[tuple[int, int | None]] = []
    clocks = Timings()
    through(film, timings=clocks, progress=lambda *step: told.append(step))
    assert told == [(index + 1, 12) for index in range(12)]
    assert clocks.frames == 12
    assert min(clocks.decode, clocks.edit, clocks.encode, clocks.join) > 0


def test_an_output_that_exists_is_left_alone(tmp_path):
    film = films.make(tmp_path / "in.mp4", frames=2)
    (tmp_path / "out.mp4").write_bytes(b"mine")
    with pytest.raises(OutputError, match="exists"):
        through(film)
    with pytest.raises(OutputError, match="is an input"):
        transcode(film, film, nothing, QUICK, overwrite=True)
    assert (tmp_path / "out.mp4").read_bytes() == b"mine"
    with pytest.raises(UsageError, match="suffix"):
        transcode(film, tmp_path / "out.avi", nothing, QUICK)


def test_the_same_film_gives_the_same_bytes(tmp_path, rng):
    """Whatever lies about in memory: x264's AVX-512 code once read it."""
    drawn = [films.scene(index, 160, 128) for index in range(6)]
    for picture in drawn:
        picture[30:100, 40:120] = rng.integers(0, 256, (70, 80, 3), np.uint8)
    source = films.make(
        tmp_path / "in.mp4", frames=6, size=(160, 128), options={"qp": "0"},
        picture=lambda index, width, height: drawn[index],
    )  # fmt: skip
    written = set()
    for number in range(10):
        left_behind = [rng.integers(0, 256, 200_000 * size, np.uint8) for size in range(1, 9)]
        del left_behind
        target = tmp_path / f"{number}.mp4"
        transcode(source, target, lambda frame: None, EncodeOptions(), threads=1)
        written.add(target.read_bytes())
    assert len(written) == 1
