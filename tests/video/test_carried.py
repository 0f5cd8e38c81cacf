"""What a film carries over beside its picture: no other picture, wherever it was put."""

from __future__ import annotations

import base64
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np
import pytest
from av.packet import Packet, PacketSideData

from seethrough.errors import InputError
from seethrough.video import EncodeOptions, carried, transcode
from tests.video import films

_FACE = cv2.imencode(".jpg", films.scene(3, 48, 48))[1].tobytes()
_LETTERS = base64.b64encode(_FACE).decode()
_PLAIN = EncodeOptions(preset="ultrafast")
_KEPT = EncodeOptions(preset="ultrafast", keep_metadata=True)
_FONT = b"\x00\x01\x00\x00\x00\x00 glyphs"


def through(source: Path, suffix: str, options: EncodeOptions = _PLAIN) -> Path:
    target = source.with_name(f"out{suffix}")
    if suffix == ".webm":
        options = EncodeOptions(preset="8", keep_metadata=options.keep_metadata)
    transcode(source, target, lambda frame: None, options, threads=1, overwrite=True)
    return target


def dressed(
    path: Path,
    codec: str,
    header: Callable[[bytes], bytes] = bytes,
    picture: str = "libx264",
    change: Callable[[Packet[Any]], Packet[Any]] = lambda packet: packet,
    **tags: str,
) -> Path:
    """A film whose sound has another header, other packets and tags of its own."""
    quiet = path.with_name("quiet.mkv")
    films.make(quiet, codec=picture, b_frames=False, options=None if "x26" in picture else {})
    voice = path.with_name("voice.mka")
    with av.open(str(voice), "w") as container:
        track = container.add_stream(
            codec, rate=48000, layout="stereo", options={"strict": "experimental"}
        )
        for index in range(24):
            wave = np.sin(np.arange(index * 1024, (index + 1) * 1024) * 440 * 2 * np.pi / 48000)
            samples = np.rint(wave * 9000).astype(np.int16).repeat(2)[None]
            frame = av.AudioFrame.from_ndarray(samples, format="s16", layout="stereo")
            frame.sample_rate, frame.pts = 48000, index * 1024
            frame.time_base = Fraction(1, 48000)
            container.mux(track.encode(frame))
        container.mux(track.encode(None))
    with av.open(str(quiet)) as one, av.open(str(voice)) as two, av.open(str(path), "w") as target:
        streams = [target.add_stream_from_template(source.streams[0]) for source in (one, two)]
        context = streams[1].codec_context
        context.extradata = header(bytes(context.extradata or b""))
        streams[1].metadata.update(tags)
        for source, stream in zip((one, two), streams, strict=True):
            for packet in source.demux():
                if packet.size:
                    sent = packet if source is one else change(packet)
                    sent.stream = stream
                    target.mux(sent)
    return path


def again(packet: Packet[Any], data: bytes) -> Packet[Any]:
    """The packet with other bytes."""
    copy: Any = Packet(data)
    copy.time_base, copy.pts, copy.dts = packet.time_base, packet.pts, packet.dts
    copy.duration, copy.is_keyframe = packet.duration, True
    return copy


def heard(path: Path) -> np.ndarray:
    with av.open(str(path)) as container:
        return np.concatenate([frame.to_ndarray() for frame in container.decode(audio=0)], axis=1)


def header_of(path: Path) -> bytes:
    with av.open(str(path)) as container:
        return bytes(container.streams.audio[0].codec_context.extradata)


def comments(headers: bytes, prefixed: bool = False) -> bytes:
    """Vorbis headers as FFmpeg writes them, with cover art and a name among the comments."""
    first, third = headers[3:33], headers[33 + headers[2] :]
    listed = [b"ARTIST=Ada Leeds", b"METADATA_BLOCK_PICTURE=" + _LETTERS.encode() + _FACE]
    counted = b"".join(len(one).to_bytes(4, "little") + one for one in listed)
    second = b"\x03vorbis" + bytes(4) + len(listed).to_bytes(4, "little") + counted + b"\x01"
    if prefixed:
        parts = (first, second, third)
        return b"".join(len(part).to_bytes(2, "big") + part for part in parts)
    laced = [2, 30, *[255] * (len(second) // 255), len(second) % 255]
    return bytes(laced) + first + second + third


def blocks(streaminfo: bytes) -> bytes:
    """FLAC's STREAMINFO, and a PICTURE behind it."""
    length = len(_FACE).to_bytes(3, "big")
    return b"fLaC\x00\x00\x00\x22" + streaminfo + b"\x86" + length + _FACE


@pytest.mark.parametrize("prefixed", [False, True], ids=["laced", "prefixed"])
@pytest.mark.parametrize("suffix", [".mkv", ".webm", ".mp4"])
def test_a_vorbis_header_loses_its_comments(tmp_path, suffix, prefixed):
    film = dressed(
        tmp_path / ("in.mp4" if prefixed else "in.mkv"),
        "vorbis",
        lambda headers: comments(headers, prefixed),
    )
    assert _FACE in film.read_bytes()
    assert header_of(film)[:2] == (b"\x00\x1e" if prefixed else b"\x02\x1e")
    out = through(film, suffix)
    data = out.read_bytes()
    assert not any(word in data for word in (_FACE, _LETTERS[:60].encode(), b"Leeds"))
    assert np.array_equal(heard(out), heard(film))
    assert films.packets_of(out, "audio") == films.packets_of(film, "audio")


def test_a_flac_header_is_its_streaminfo(tmp_path):
    film = dressed(tmp_path / "in.avi", "flac", blocks, picture="mpeg4")
    assert _FACE in header_of(film)
    for suffix in (".mkv", ".mp4"):
        out = through(film, suffix)
        assert len(header_of(out)) == 34
        assert _FACE not in out.read_bytes()
    assert np.array_equal(heard(through(film, ".mkv")), heard(film))


@pytest.mark.parametrize("suffix", [".mkv", ".webm"])
def test_an_opus_header_ends_where_it_should(tmp_path, suffix):
    film = dressed(tmp_path / "in.mkv", "libopus", lambda header: header + _FACE)
    assert _FACE in header_of(film)
    out = through(film, suffix)
    assert len(header_of(out)) == 19
    assert _FACE not in out.read_bytes()
    assert np.array_equal(heard(out), heard(film))


@pytest.mark.parametrize(
    ("codec", "inside", "suffix"),
    [
        *[("vorbis", ".mkv", one) for one in (".mkv", ".webm")],
        *[("flac", ".mkv", one) for one in (".mkv", ".mp4")],
        *[("libopus", ".mkv", one) for one in (".mkv", ".webm")],
        ("libopus", ".mp4", ".mp4"),
        *[("aac", ".mkv", one) for one in (".mkv", ".mp4", ".mov")],
    ],
)
def test_sound_is_heard_as_it_was(tmp_path, codec, inside, suffix):
    film = dressed(tmp_path / f"in{inside}", codec)
    assert np.array_equal(heard(through(film, suffix)), heard(film))


@pytest.mark.parametrize(
    ("codec", "header"),
    [
        ("vorbis", lambda headers: b"\x03" + headers[1:]),
        ("vorbis", lambda headers: headers[:1] + bytes(2) + headers[1:]),
        ("vorbis", lambda headers: headers + _FACE),
        ("aac", lambda header: header + _FACE),
        ("libopus", lambda header: header[:12]),
    ],
    ids=["another count", "another length", "a face behind it", "a face in AAC's", "short"],
)
def test_a_header_that_is_none_is_damage(tmp_path, codec, header):
    film = dressed(tmp_path / "in.mkv", codec)
    with av.open(str(film)) as container:
        track = container.streams.audio[0]
        track.codec_context.extradata = header(bytes(track.codec_context.extradata))
        with pytest.raises(InputError, match=r"in.mkv are damaged"):
            carried.header(track, film)


def test_a_film_with_a_picture_in_its_sounds_header_is_refused_at_once(tmp_path):
    film = dressed(tmp_path / "in.mp4", "aac", lambda header: header + _FACE)

    def never(frame: object) -> None:
        raise AssertionError("no frame should have been edited")

    with pytest.raises(InputError, match=r"in.mp4 are damaged"):
        transcode(film, tmp_path / "out.mp4", never, _PLAIN, threads=1)
    assert not list(tmp_path.glob(".out*"))


def test_what_lies_beside_a_packet_stays_behind(tmp_path):
    def change(packet: Packet[Any]) -> Packet[Any]:
        beside: Any = PacketSideData(15, 8 + len(_FACE))  # a BlockAddition: its number, its bytes
        beside.update((1).to_bytes(8, "big") + _FACE)
        packet.set_sidedata(beside)
        return packet

    film = dressed(tmp_path / "in.mkv", "libopus", change=change)
    assert _FACE in film.read_bytes()
    out = through(film, ".mkv")
    assert _FACE not in out.read_bytes()
    assert np.array_equal(heard(out), heard(film))  # where it ends is said beside a packet, too


@pytest.mark.parametrize("suffix", [".mkv", ".avi", ".mp4"])
def test_cover_art_among_the_sound_stays_behind(tmp_path, suffix):
    art = b"APIC" + len(_FACE).to_bytes(4, "big") + bytes(2) + _FACE
    length = bytes(len(art) >> shift & 127 for shift in (21, 14, 7, 0))
    tag = b"ID3\x03\x00\x00" + length + art
    picture = "mpeg4" if suffix == ".avi" else "libx264"
    numbers = iter(range(1000))

    def change(packet: Packet[Any]) -> Packet[Any]:
        return again(packet, (b"" if next(numbers) else tag) + bytes(packet))

    film = dressed(tmp_path / f"in{suffix}", "libmp3lame", picture=picture, change=change)
    assert _FACE in film.read_bytes()
    for target in (".mkv", ".mp4"):
        out = through(film, target)
        assert _FACE not in out.read_bytes()
        voice = films.packets_of(tmp_path / "voice.mka", "audio")
        assert films.packets_of(out, "audio") == voice


@pytest.mark.parametrize("suffix", [".mkv", ".mp4"])
def test_words_are_kept_and_pictures_in_letters_are_not(tmp_path, suffix):
    broken = "\n".join(_LETTERS[at : at + 76] for at in range(0, 760, 76))
    hidden = {
        "comment": _LETTERS[:900],
        "description": broken,
        "synopsis": "A word, and another. " * 50,
        "METADATA_BLOCK_PICTURE": "short",
        "com.apple.quicktime.artwork": "small",
        "copyright": _FACE[:200].hex(),
    }
    film = dressed(tmp_path / "in.mkv", "aac", title="Her voice", NOTES=_LETTERS[:800])
    tagged = tmp_path / "tagged.mkv"
    with av.open(str(film)) as source, av.open(str(tagged), "w") as container:
        container.metadata.update({**hidden, "title": "Interview in Leeds"})
        streams = [container.add_stream_from_template(stream) for stream in source.streams]
        streams[1].metadata.update(source.streams[1].metadata)
        chapter = {"id": 1, "start": 0, "end": 90, "time_base": Fraction(1, 1000)}
        titles = ("At home", _LETTERS[:700])
        container.set_chapters(
            [
                {**chapter, "id": number, "start": 100 * number, "end": 100 * number + 90,
                 "metadata": {"title": title}}
                for number, title in enumerate(titles, 1)
            ]
        )  # fmt: skip
        for packet in source.demux():
            if packet.size:
                packet.stream = streams[packet.stream.index]
                container.mux(packet)
    out = through(tagged, suffix, _KEPT)
    with av.open(str(out)) as container:
        assert container.metadata["title"] == "Interview in Leeds"
        assert next(iter(container.chapters()))["metadata"]["title"] == "At home"
        voice = container.streams.audio[0].metadata
    assert suffix == ".mp4" or voice["title"] == "Her voice"
    data = out.read_bytes()
    found = [_LETTERS[:60], _FACE[:40].hex(), "A word", "PICTURE", "artwork"]
    assert [word for word in found if word.encode() in data] == []


@pytest.mark.parametrize("options", [_PLAIN, _KEPT], ids=["plain", "kept"])
def test_a_language_is_a_code_or_it_is_none(tmp_path, options):
    for said, kept in {"deu": "deu", "pt-BR": "pt-BR", "a name: Ada Leeds": None}.items():
        film = dressed(tmp_path / "in.mkv", "aac", language=said)
        assert said.encode() in film.read_bytes()
        out = through(film, ".mkv", options)
        with av.open(str(out)) as container:
            assert container.streams.audio[0].metadata.get("language") in (kept, kept and "und")
        assert (said.encode() in out.read_bytes()) is (kept is not None)


def test_attachments_are_fonts_or_stay_behind(tmp_path):
    plain = films.make(tmp_path / "plain.mkv", frames=3)
    whole = tmp_path / "in.mkv"
    attached = {
        "Leeds.ttf": ("font/ttf", _FONT),
        "Leeds.otf": ("application/vnd.ms-opentype", b"OTTO more glyphs"),
        "notes.txt": ("text/plain", _FACE),
        "words.txt": ("text/plain", b"her name and address"),
        "colour.ttf": ("font/ttf", _FONT + b"sbix" + _FACE),
        "drawn.ttf": ("font/ttf", _FONT + b"CBDT\x89PNG\r\n\x1a\n"),
        "cover.webp": ("font/ttf", _FONT + b"by name"),
        "cover.ttf": ("image/webp", _FONT + b"by type"),
    }
    with av.open(str(plain)) as source, av.open(str(whole), "w") as container:
        stream = container.add_stream_from_template(source.streams.video[0])
        for name, (kind, data) in attached.items():
            container.add_attachment(name, kind, data).metadata["title"] = _LETTERS
        for packet in source.demux(video=0):
            if packet.size:
                packet.stream = stream
                container.mux(packet)
    with av.open(str(through(whole, ".mkv", _KEPT))) as container:
        found = {one.name: (one.mimetype, one.data) for one in container.streams.attachments}
        assert found == {name: attached[name] for name in ("Leeds.ttf", "Leeds.otf")}
        assert len(container.streams.video) == 1
    assert _LETTERS[:60].encode() not in (tmp_path / "out.mkv").read_bytes()


def test_cover_art_of_the_film_stays_behind(tmp_path):
    plain = films.make(tmp_path / "plain.mkv", frames=3)
    whole = tmp_path / "in.mkv"
    with av.open(str(plain)) as source, av.open(str(whole), "w") as container:
        stream = container.add_stream_from_template(source.streams.video[0])
        container.add_attachment("cover.jpg", "image/jpeg", _FACE)
        for packet in source.demux(video=0):
            if packet.size:
                packet.stream = stream
                container.mux(packet)
    assert _FACE in whole.read_bytes()
    for suffix in (".mkv", ".mp4", ".mov"):
        assert _FACE not in through(whole, suffix, _KEPT).read_bytes()


def test_subtitles_lose_the_files_in_their_head(tmp_path):
    plain = films.make(tmp_path / "plain.mkv", frames=12)
    whole = tmp_path / "in.mkv"
    head = (
        b"[Script Info]\r\nScriptType: v4.00+\r\n\r\n"
        b"[Graphics]\r\nfilename: face.jpg\r\nTHE+FACE[IN]LETTERS\r\n[AND+MORE]\r\n\r\n"
        b"[V4+ Styles]\r\nFormat: Name, Fontname\r\nStyle: Default,Arial\r\n\r\n"
        b"[Events]\r\nFormat: Layer, Start, End, Style, Text\r\n"
    )
    with av.open(str(plain)) as source, av.open(str(whole), "w") as container:
        stream = container.add_stream_from_template(source.streams.video[0])
        script = container.add_stream("ass")
        script.codec_context.subtitle_header = head
        script.time_base = Fraction(1, 1000)
        for packet in source.demux(video=0):
            if packet.size:
                packet.stream = stream
                container.mux(packet)
        line: Any = Packet(b"0,0,Default,,0,0,0,,Hello")
        line.stream, line.time_base = script, Fraction(1, 1000)
        line.pts = line.dts = 0
        line.duration = 300
        container.mux(line)
    assert b"LETTERS" in whole.read_bytes()
    out = through(whole, ".mkv", EncodeOptions(preset="ultrafast", keep_subtitles=True))
    data = out.read_bytes()
    assert not any(word in data for word in (b"face.jpg", b"LETTERS", b"AND+MORE"))
    assert all(word in data for word in (b"v4.00+", b"Style: Default,Arial", b"[Events]"))
    assert films.packets_of(out, "subtitles") == films.packets_of(whole, "subtitles")
