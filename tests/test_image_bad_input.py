"""Every bad input ends in one clear error, and never in a file that is half there."""

from __future__ import annotations

import errno
import os
import struct
import subprocess
import sys
import zlib
from pathlib import Path

import numpy as np
import PIL.Image
import pytest

from seethrough import image
from seethrough.errors import InputError, OutputError

NOTE = "a note"


def noise(size: tuple[int, int] = (64, 48), seed: int = 0) -> PIL.Image.Image:
    pixels = np.random.default_rng(seed).integers(0, 256, (size[1], size[0], 3), np.uint8)
    return PIL.Image.fromarray(pixels)


def refused(path: Path, words: str) -> None:
    with pytest.raises(InputError, match=words) as caught:
        image.read(path)
    assert str(path) in caught.value.what
    assert "\n" not in str(caught.value)


def test_missing(tmp_path: Path) -> None:
    refused(tmp_path / "no.png", "does not exist")


def test_below_a_file(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    refused(tmp_path / "file" / "a.png", "cannot be read")


def test_folder(tmp_path: Path) -> None:
    refused(tmp_path, "is a folder")


def test_pipe(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "a.png")
    refused(tmp_path / "a.png", "not a regular file")


def test_empty(tmp_path: Path) -> None:
    (tmp_path / "a.png").touch()
    refused(tmp_path / "a.png", "is empty")


@pytest.mark.parametrize("content", [b"Dear Sir,\n" * 50, b"\0" * 4096, b"%PDF-1.7\n", b"P"])
def test_no_picture(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "a.jpg").write_bytes(content)
    refused(tmp_path / "a.jpg", "not a picture of a known type")


@pytest.mark.parametrize("share", [0.02, 0.3, 0.6, 0.9])
@pytest.mark.parametrize("suffix", [".bmp", ".gif", ".jpg", ".png", ".tif", ".webp"])
def test_truncated(suffix: str, share: float, tmp_path: Path) -> None:
    path = tmp_path / f"a{suffix}"
    noise().save(path)
    data = path.read_bytes()
    path.write_bytes(data[: int(share * len(data))])
    refused(path, "damaged or truncated|not a picture of a known type")


def test_decoders_print_nothing(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "a.tif"
    noise().save(path, compression="tiff_lzw")
    data = bytearray(path.read_bytes())
    data[1000:1100] = b"\xff" * 100
    path.write_bytes(data)
    refused(path, "damaged or truncated")
    print("still open", file=sys.stderr)
    assert capfd.readouterr().err == "still open\n"


@pytest.mark.parametrize("suffix", [".png", ".tif"])
def test_truncated_at_sixteen_bits(suffix: str, tmp_path: Path) -> None:
    path = tmp_path / f"a{suffix}"
    samples = np.random.default_rng(0).integers(0, 65536, (40, 30, 3), np.uint16)
    picture = image.Picture((samples // 257).astype(np.uint8), samples)
    image.write(path, picture, picture.pixels, description=NOTE)
    data = path.read_bytes()
    path.write_bytes(data[: len(data) * 2 // 3])
    refused(path, "damaged or truncated")


def test_damaged_in_the_middle(tmp_path: Path) -> None:
    path = tmp_path / "a.png"
    noise().save(path)
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 0xFF
    path.write_bytes(data)
    refused(path, "damaged or truncated")


def header_of(width: int, height: int) -> bytes:
    body = b"IHDR" + struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    header = struct.pack(">I", 13) + body + struct.pack(">I", zlib.crc32(body))
    rows = b"IDAT" + zlib.compress(bytes(1000))
    data = struct.pack(">I", len(rows) - 4) + rows + struct.pack(">I", zlib.crc32(rows))
    return b"\x89PNG\r\n\x1a\n" + header + data


@pytest.mark.parametrize("size", [(50_000, 50_000), (13_400, 13_400), (4_000_000_000 // 2, 1)])
def test_too_large_by_its_header(size: tuple[int, int], tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(header_of(*size))
    refused(tmp_path / "a.png", "megapixels")


def test_large_files_are_not_read(tmp_path: Path) -> None:
    path = tmp_path / "a.png"
    with path.open("wb") as file:
        file.truncate(image.MAX_BYTES + 1)  # sparse: takes no space
    refused(path, "too large")


def test_pillow_does_not_warn_of_pictures_within_the_limit(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "a.png"
    noise((64, 48)).save(path)
    monkeypatch.setattr(PIL.Image, "MAX_IMAGE_PIXELS", 2000)  # it warns from there to 4000
    assert image.read(path).width == 64
    monkeypatch.setattr(PIL.Image, "MAX_IMAGE_PIXELS", 1000)
    refused(path, "megapixels")


@pytest.mark.parametrize("suffix", [".gif", ".png", ".tif", ".webp"])
def test_animated_or_of_several_pages(suffix: str, tmp_path: Path) -> None:
    path = tmp_path / f"a{suffix}"
    noise(seed=1).save(path, save_all=True, append_images=[noise(seed=2), noise(seed=3)])
    refused(path, "several pictures")


@pytest.mark.parametrize("suffix", [".gif", ".png", ".webp"])
def test_one_frame_is_a_still(suffix: str, tmp_path: Path) -> None:
    path = tmp_path / f"a{suffix}"
    noise().save(path, save_all=True)
    assert image.read(path).width == 64


@pytest.mark.parametrize("dtype", [np.float32, np.int32])
def test_depths_that_have_no_levels(dtype: type, tmp_path: Path) -> None:
    path = tmp_path / "a.tif"
    PIL.Image.fromarray(np.zeros((4, 4), dtype)).save(path)
    refused(path, "32 bits")


@pytest.mark.parametrize("size", [(1, 1), (1, 7), (7, 1), (17, 13)])
@pytest.mark.parametrize("suffix", [".bmp", ".gif", ".jpg", ".png", ".tif", ".webp"])
def test_odd_and_one_pixel_sizes_are_read(
    suffix: str, size: tuple[int, int], tmp_path: Path
) -> None:
    path = tmp_path / f"a{suffix}"
    noise(size).save(path)
    picture = image.read(path)
    assert (picture.width, picture.height) == size


# Root may read and write everything: where the tests run as root, an ordinary user's process
# does what is tested.
AS_ORDINARY_USER = """
import os, sys
from pathlib import Path
import numpy as np
import PIL.Image
from seethrough import image
from seethrough.errors import SeeThroughError
PIL.Image.init()  # all plugins, while the interpreter's files can be read for certain
if os.getuid() == 0:
    os.setgid(65534)
    os.setuid(65534)
path = Path(sys.argv[2])
try:
    if sys.argv[1] == "read":
        image.read(path)
    else:
        picture = image.Picture.of(np.zeros((4, 4, 3), np.uint8))
        image.write(path, picture, picture.pixels, description="a note", overwrite=True)
except SeeThroughError as error:
    print(type(error).__name__, error)
"""


@pytest.fixture
def open_folder(tmp_path: Path) -> Path:
    """A folder that every user may enter."""
    for folder in (tmp_path, *tmp_path.parents[:2]):
        folder.chmod(0o755)
    return tmp_path


def as_ordinary_user(verb: str, path: Path, repository: Path) -> str:
    command = [sys.executable, "-c", AS_ORDINARY_USER, verb, str(path)]
    done = subprocess.run(command, capture_output=True, text=True, cwd=repository, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_no_permission_to_read(open_folder: Path, repository: Path) -> None:
    path = open_folder / "a.png"
    noise().save(path)
    path.chmod(0)
    said = as_ordinary_user("read", path, repository)
    assert said.startswith(f"InputError {path} cannot be read (Permission denied)")


@pytest.mark.parametrize("name", ["a.png", "below/a.png"])
def test_no_permission_to_write(name: str, open_folder: Path, repository: Path) -> None:
    folder = open_folder / "closed"
    folder.mkdir()
    folder.chmod(0o555)
    said = as_ordinary_user("write", folder / name, repository)
    assert said.startswith(f"OutputError {folder / name} cannot be written (Permission denied)")
    assert not list(folder.iterdir())


@pytest.fixture
def picture() -> image.Picture:
    return image.Picture.of(np.asarray(noise()))


def test_an_existing_output_is_refused(picture: image.Picture, tmp_path: Path) -> None:
    path = tmp_path / "a.png"
    path.write_text("precious")
    with pytest.raises(OutputError, match="exists already"):
        image.write(path, picture, picture.pixels, description=NOTE)
    assert path.read_text() == "precious"
    image.write(path, picture, picture.pixels, description=NOTE, overwrite=True)
    assert image.read(path).width == 64
    assert [p.name for p in tmp_path.iterdir()] == ["a.png"]


def test_an_output_that_is_a_folder_is_refused(picture: image.Picture, tmp_path: Path) -> None:
    (tmp_path / "a.png").mkdir()
    with pytest.raises(OutputError, match="is a folder"):
        image.write(tmp_path / "a.png", picture, picture.pixels, description=NOTE, overwrite=True)


def test_missing_folders_are_made(picture: image.Picture, tmp_path: Path) -> None:
    image.write(tmp_path / "x" / "y" / "a.png", picture, picture.pixels, description=NOTE)
    assert (tmp_path / "x" / "y" / "a.png").is_file()


def test_a_folder_below_a_file_cannot_be_made(picture: image.Picture, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(OutputError, match="cannot be written"):
        image.write(tmp_path / "file" / "a.png", picture, picture.pixels, description=NOTE)


def test_a_disk_that_fills_up_leaves_what_was_there(
    picture: image.Picture, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "a.png"
    path.write_text("precious")

    def fill(self: Path, content: bytes) -> int:
        with self.open("wb") as file:
            file.write(content[: len(content) // 2])
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(Path, "write_bytes", fill)
    with pytest.raises(OutputError, match="No space left"):
        image.write(path, picture, picture.pixels, description=NOTE, overwrite=True)
    monkeypatch.undo()
    assert path.read_text() == "precious"
    assert [p.name for p in tmp_path.iterdir()] == ["a.png"]


def test_a_real_full_disk(picture: image.Picture, tiny_disk: Path) -> None:
    big = image.Picture.of(np.asarray(noise((200, 200))))
    with pytest.raises(OutputError, match="No space left"):
        image.write(tiny_disk / "a.png", big, big.pixels, description=NOTE)
    assert not list(tiny_disk.iterdir())


def test_an_interrupted_write_leaves_nothing(
    picture: image.Picture, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupt(self: Path, content: bytes) -> int:
        self.touch()
        raise KeyboardInterrupt

    monkeypatch.setattr(Path, "write_bytes", interrupt)
    with pytest.raises(KeyboardInterrupt):
        image.write(tmp_path / "a.png", picture, picture.pixels, description=NOTE)
    assert not list(tmp_path.iterdir())


def test_written_files_get_the_permissions_of_new_files(
    picture: image.Picture, tmp_path: Path
) -> None:
    (tmp_path / "plain").touch()
    image.write(tmp_path / "a.png", picture, picture.pixels, description=NOTE)
    assert (tmp_path / "a.png").stat().st_mode == (tmp_path / "plain").stat().st_mode
