"""Pictures that go in come out again, with all that was not restored bit for bit."""

from __future__ import annotations

import io
import struct
import zlib
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import PIL.Image
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from seethrough import colour, image
from seethrough.errors import OutputError, UsageError

NOTE = "Restored by seethrough with restorer (sha256 0123abcd)"
SOURCE_TYPE = "compositeWithTrainedAlgorithmicMedia"


def picture_of(samples: np.ndarray, **parts: Any) -> image.Picture:
    return image.Picture(colour.to_srgb(samples, parts.get("profile"))[0], samples, **parts)


def round_trip(picture: image.Picture, path: Path, **options: Any) -> image.Picture:
    image.write(path, picture, picture.pixels, description=NOTE, overwrite=True, **options)
    return image.read(path)


@st.composite
def pictures(draw: st.DrawFn, dtypes: tuple[type, ...], colours: tuple[bool, ...]) -> image.Picture:
    """Small pictures, 1 x 1 and flat or noisy ones included, with and without alpha."""
    dtype = draw(st.sampled_from(dtypes))
    size = draw(hnp.array_shapes(min_dims=2, max_dims=2, max_side=9))
    shape = (*size, 3) if draw(st.sampled_from(colours)) else size
    samples = draw(hnp.arrays(dtype, shape))
    alpha = draw(st.none() | hnp.arrays(dtype, size))
    return picture_of(samples, alpha=alpha)


# One folder serves all examples of a property: each overwrites the last.
every_example = settings(
    max_examples=60,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)


@every_example
@given(picture=pictures((np.uint8, np.uint16), (True, False)))
@pytest.mark.parametrize("suffix", [".png", ".tif"])
def test_lossless_formats_keep_every_sample(
    picture: image.Picture, suffix: str, tmp_path: Path
) -> None:
    again = round_trip(picture, tmp_path / f"a{suffix}")
    assert again.samples.dtype == picture.samples.dtype
    # 16-bit grey with alpha is stored as colour (8-bit too in TIFF).
    if picture.grey and not again.grey:
        assert picture.alpha is not None
        assert suffix == ".tif" or picture.bits == 16
        assert (again.samples == picture.samples[..., None]).all()
    else:
        assert np.array_equal(again.samples, picture.samples)
    assert (again.alpha is None) == (picture.alpha is None)
    assert picture.alpha is None or np.array_equal(again.alpha, picture.alpha)
    assert np.array_equal(again.pixels, picture.pixels)


@every_example
@given(picture=pictures((np.uint8,), (True,)))
def test_webp_is_lossless_under_full_transparency_too(
    picture: image.Picture, tmp_path: Path
) -> None:
    again = round_trip(picture, tmp_path / "a.webp")
    assert np.array_equal(again.samples, picture.samples)
    opaque = picture.alpha is None or (picture.alpha == 255).all()
    assert opaque or np.array_equal(again.alpha, picture.alpha)


@every_example
@given(picture=pictures((np.uint8, np.uint16), (True, False)), data=st.data())
def test_only_changed_pixels_change(
    picture: image.Picture, data: st.DataObject, tmp_path: Path
) -> None:
    size = picture.pixels.shape[:2]
    pixels = data.draw(hnp.arrays(np.uint8, picture.pixels.shape))
    changed = data.draw(hnp.arrays(np.bool_, size))
    path = tmp_path / "a.png"
    image.write(path, picture, pixels, changed=changed, description=NOTE, overwrite=True)
    again = image.read(path)
    kept = picture.samples if again.grey or not picture.grey else picture.samples[..., None]
    assert (again.samples == kept)[~changed].all()
    if not picture.grey:
        assert (again.pixels == pixels)[changed].all()


@pytest.mark.parametrize("suffix", [".png", ".tif"])
def test_a_pixel_restored_to_the_level_it_had_keeps_its_sixteen_bits(
    suffix: str, rng: np.random.Generator, tmp_path: Path
) -> None:
    picture = picture_of(rng.integers(0, 65536, (8, 9, 3), np.uint16))
    pixels = picture.pixels.copy()
    pixels[2, 3] ^= 0x80
    path = tmp_path / f"a{suffix}"
    image.write(path, picture, pixels, changed=np.ones((8, 9), bool), description=NOTE)
    again = image.read(path)
    differs = (again.samples != picture.samples).any(axis=2)
    assert np.argwhere(differs).tolist() == [[2, 3]]
    assert np.array_equal(again.samples[2, 3], pixels[2, 3].astype(np.uint16) * 257)


def test_jpeg_is_close_and_keeps_grey(tmp_path: Path) -> None:
    ramp = np.linspace(0, 255, 64).astype(np.uint8)
    colours = np.dstack(np.broadcast_arrays(ramp[None], ramp[:, None], ramp[None, ::-1]))
    again = round_trip(picture_of(colours), tmp_path / "a.jpg")
    assert np.abs(again.samples.astype(int) - colours).max() <= 6  # 4:2:0 would be off by 20
    grey = round_trip(picture_of(np.tile(ramp, (8, 1))), tmp_path / "g.jpg")
    assert grey.grey


def test_jpeg_puts_transparent_parts_over_white(tmp_path: Path) -> None:
    samples = np.zeros((16, 16, 3), np.uint8)
    alpha = np.zeros((16, 16), np.uint8)
    alpha[:, 8:] = 255
    again = round_trip(picture_of(samples, alpha=alpha), tmp_path / "a.jpg")
    assert again.alpha is None
    assert again.pixels[:, :7].min() > 245
    assert again.pixels[:, 9:].max() < 10


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGB", "RGBA", "I;16"])
def test_every_mode_of_png_is_read_as_pillow_shows_it(
    mode: str, rng: np.random.Generator, tmp_path: Path
) -> None:
    rgba = PIL.Image.fromarray(rng.integers(0, 256, (6, 5, 4), np.uint8))
    if mode == "I;16":
        source = PIL.Image.fromarray(rng.integers(0, 65536, (6, 5), np.uint16))
    else:
        source = (rgba.convert("RGB") if mode == "P" else rgba).convert(mode)
    path = tmp_path / "a.png"
    source.save(path)
    picture = image.read(path)
    assert picture.grey == (mode in ("1", "L", "LA", "I;16"))
    assert picture.bits == (16 if mode == "I;16" else 8)
    assert (picture.alpha is not None) == (mode in ("LA", "RGBA"))
    if mode != "I;16":
        assert np.array_equal(picture.pixels, np.asarray(source.convert("RGB")))
    else:
        assert np.array_equal(picture.samples, np.asarray(source))


def test_a_transparent_palette_becomes_alpha(tmp_path: Path) -> None:
    source = PIL.Image.new("P", (4, 3))
    source.putpalette([255, 0, 0, 0, 255, 0])
    source.putpixel((1, 1), 1)
    path = tmp_path / "a.gif"
    source.save(path, transparency=0)
    picture = image.read(path)
    assert picture.alpha is not None
    assert picture.alpha[1, 1] == 255
    assert picture.alpha[0, 0] == 0
    assert picture.pixels[1, 1].tolist() == [0, 255, 0]


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize(
    ("suffix", "bits"),
    [(".jpg", 8), (".png", 8), (".tif", 8), (".webp", 8), (".png", 16), (".tif", 16)],
)
def test_turned_pictures_are_read_upright(
    orientation: int, suffix: str, bits: int, rng: np.random.Generator, tmp_path: Path
) -> None:
    upright = rng.integers(0, 1 << bits, (6, 4, 3), np.uint8 if bits == 8 else np.uint16)
    # The inverse of what the tag says: rows and columns of the stored picture.
    backward = {1: 1, 2: 2, 3: 3, 4: 4, 5: 5, 6: 8, 7: 7, 8: 6}[orientation]
    stored = np.ascontiguousarray(image._UPRIGHT[backward](upright))
    path = tmp_path / f"a{suffix}"
    if bits == 8:
        exif = PIL.Image.Exif()
        exif[0x0112] = orientation
        lossless = {"lossless": True} if suffix == ".webp" else {"quality": 100, "subsampling": 0}
        options = {} if suffix in (".png", ".tif") else lossless
        PIL.Image.fromarray(stored).save(path, exif=exif, **options)
        expected = np.asarray(PIL.ImageOps.exif_transpose(PIL.Image.open(path)))
    else:
        write_sixteen_bits(path, stored, orientation)
        expected = upright
    picture = image.read(path)
    assert np.array_equal(picture.samples, expected)
    if suffix != ".jpg":
        assert np.array_equal(picture.samples, upright)
    again = round_trip(picture, tmp_path / f"b{suffix}")
    assert again.samples.shape == upright.shape
    with PIL.Image.open(tmp_path / f"b{suffix}") as written:
        assert written.getexif().get(0x0112, 1) == 1


def write_sixteen_bits(path: Path, stored: np.ndarray, orientation: int) -> None:
    _, encoded = cv2.imencode(path.suffix, stored[..., ::-1])
    data = encoded.tobytes()
    if path.suffix == ".png":
        exif = PIL.Image.Exif()
        exif[0x0112] = orientation
        body = b"eXIf" + exif.tobytes().removeprefix(b"Exif\0\0")
        chunk = struct.pack(">I", len(body) - 4) + body + struct.pack(">I", zlib.crc32(body))
        data = data[:33] + chunk + data[33:]
    else:  # OpenCV has written an orientation of 1; or else we add the tag
        data = with_tiff_tag(data, 0x0112, orientation)
    path.write_bytes(data)


def with_tiff_tag(data: bytes, tag: int, value: int) -> bytes:
    """Return a little-endian TIFF file with one SHORT tag set, its directory moved to the end."""
    assert data[:2] == b"II"
    (at,) = struct.unpack_from("<I", data, 4)
    (count,) = struct.unpack_from("<H", data, at)
    entries = [data[at + 2 + 12 * i : at + 14 + 12 * i] for i in range(count)]
    entries = [e for e in entries if struct.unpack_from("<H", e)[0] != tag]
    entries.append(struct.pack("<HHIHH", tag, 3, 1, value, 0))
    entries.sort(key=lambda e: struct.unpack_from("<H", e)[0])
    end = len(data) + len(data) % 2
    directory = struct.pack("<H", len(entries)) + b"".join(entries) + bytes(4)
    return data[:4] + struct.pack("<I", end) + data[8:].ljust(end - 8, b"\0") + directory


def test_sixteen_bit_png_with_grey_and_alpha_is_read(
    rng: np.random.Generator, tmp_path: Path
) -> None:
    both = rng.integers(0, 65536, (3, 4, 2), np.uint16)
    path = tmp_path / "a.png"
    rows = b"".join(b"\0" + row.astype(">u2").tobytes() for row in both)

    def chunk(kind: bytes, content: bytes) -> bytes:
        body = kind + content
        return struct.pack(">I", len(content)) + body + struct.pack(">I", zlib.crc32(body))

    header = struct.pack(">IIBBBBB", 4, 3, 16, 4, 0, 0, 0)
    path.write_bytes(
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", header)
        + chunk(b"IDAT", zlib.compress(rows))
        + chunk(b"IEND", b"")
    )
    picture = image.read(path)
    assert picture.grey
    assert np.array_equal(picture.samples, both[..., 0])
    assert np.array_equal(picture.alpha, both[..., 1])


def test_cmyk_becomes_rgb(tmp_path: Path) -> None:
    path = tmp_path / "a.jpg"
    PIL.Image.new("CMYK", (16, 16), (0, 255, 255, 0)).save(path, quality=95)
    picture = image.read(path)
    assert picture.pixels.shape == (16, 16, 3)
    red, green, blue = picture.pixels[8, 8].tolist()
    assert red > 200
    assert max(green, blue) < 90


@pytest.mark.parametrize("suffix", sorted(image.WRITE_SUFFIXES))
def test_every_format_says_that_it_is_a_reconstruction(suffix: str, tmp_path: Path) -> None:
    path = tmp_path / f"a{suffix}"
    picture = image.Picture.of(np.zeros((4, 5, 3), np.uint8))
    image.write(path, picture, picture.pixels, description=NOTE)
    assert SOURCE_TYPE.encode() in path.read_bytes()
    with PIL.Image.open(path) as written:
        written.load()
        exif = written.getexif()
        assert exif[0x010E] == NOTE
        assert exif[0x0131].startswith("seethrough ")
        if suffix == ".png":
            assert written.text["Description"] == NOTE
            assert SOURCE_TYPE in written.text["XML:com.adobe.xmp"]


def test_a_file_that_no_network_made_is_not_called_a_reconstruction(tmp_path: Path) -> None:
    path = tmp_path / "a.png"
    picture = image.Picture.of(np.zeros((4, 5, 3), np.uint8))
    image.write(path, picture, picture.pixels, description="mosaic of 8 px", reconstruction=False)
    assert SOURCE_TYPE.encode() not in path.read_bytes()
    assert b"mosaic of 8 px" in path.read_bytes()


def test_a_description_beyond_latin_letters_is_written_in_full_as_xmp(tmp_path: Path) -> None:
    path = tmp_path / "a.png"
    picture = image.Picture.of(np.zeros((4, 5, 3), np.uint8))
    image.write(path, picture, picture.pixels, description="復元 <&>")
    assert "復元 &lt;&amp;&gt;".encode() in path.read_bytes()


@pytest.mark.parametrize("name", ["a.bmp", "a.gif", "a.xyz", "a"])
def test_formats_that_hold_no_mark_are_refused(name: str, tmp_path: Path) -> None:
    picture = image.Picture.of(np.zeros((4, 5, 3), np.uint8))
    with pytest.raises(UsageError, match=r"\.png"):
        image.write(tmp_path / name, picture, picture.pixels, description=NOTE)
    assert not list(tmp_path.iterdir())


def test_a_side_too_long_for_the_format_is_refused(tmp_path: Path) -> None:
    picture = image.Picture.of(np.zeros((1, 16_384, 3), np.uint8))
    with pytest.raises(OutputError, match="16383"):
        image.write(tmp_path / "a.webp", picture, picture.pixels, description=NOTE)
    assert not list(tmp_path.iterdir())


def test_pixels_of_another_size_are_a_programming_error(tmp_path: Path) -> None:
    picture = image.Picture.of(np.zeros((4, 5, 3), np.uint8))
    other = np.zeros((5, 4, 3), np.uint8)
    with pytest.raises(ValueError, match="shape"):
        image.write(tmp_path / "a.png", picture, other, description=NOTE)


def test_a_phone_photo_with_an_embedded_preview_is_a_still(tmp_path: Path) -> None:
    path = tmp_path / "a.jpg"
    frames = [PIL.Image.new("RGB", (16, 16), c) for c in ("red", "blue")]
    frames[0].save(path, "MPO", save_all=True, append_images=frames[1:])
    assert image.read(path).pixels[8, 8, 0] > 240


def test_the_suffix_need_not_be_true(tmp_path: Path) -> None:
    data = io.BytesIO()
    PIL.Image.new("RGB", (3, 2), "red").save(data, "PNG")
    path = tmp_path / "a.jpg"
    path.write_bytes(data.getvalue())
    assert image.read(path).format == "PNG"
