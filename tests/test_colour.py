"""Networks see sRGB at 8 bits; files keep their own colour space and depth."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import PIL.Image
import pytest
from PIL import ImageCms

from seethrough import colour, image

NOTE = "a note"


def test_the_view_of_sixteen_bits_is_the_nearest_level() -> None:
    samples = np.array([[0, 128, 129, 257, 65535, 65535 - 129]], np.uint16)
    assert colour.to_eight_bits(samples).tolist() == [[0, 0, 1, 1, 255, 254]]


def wide_gamut_profile() -> bytes:
    """An RGB profile with red and green exchanged: far from sRGB, and easy to foretell."""
    profile = bytearray(ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes())
    at = {profile[132 + 12 * i : 136 + 12 * i].decode(): 132 + 12 * i for i in range(profile[131])}
    red, green = (profile[at[tag] + 4 : at[tag] + 12] for tag in ("rXYZ", "gXYZ"))
    profile[at["rXYZ"] + 4 : at["rXYZ"] + 12] = green
    profile[at["gXYZ"] + 4 : at["gXYZ"] + 12] = red
    return bytes(profile)


@pytest.mark.parametrize("suffix", [".png", ".tif", ".webp", ".jpg"])
@pytest.mark.parametrize("bits", [8, 16])
def test_networks_see_srgb_and_the_file_keeps_its_profile(
    suffix: str, bits: int, tmp_path: Path
) -> None:
    profile = wide_gamut_profile()
    samples = np.zeros((16, 16, 3), np.uint8 if bits == 8 else np.uint16)
    samples[..., 0] = 200 * (257 if bits == 16 else 1)
    pixels, kept = colour.to_srgb(samples, profile)
    assert kept == profile
    assert np.abs(pixels[0, 0].astype(int) - (0, 200, 0)).max() <= 3
    picture = image.Picture(pixels, samples, profile=profile)
    restored = pixels.copy()
    restored[4:8] = (0, 0, 0)
    restored[8:] = (220, 0, 0)
    path = tmp_path / f"a{suffix}"
    image.write(path, picture, restored, changed=np.ones((16, 16), bool), description=NOTE)
    again = image.read(path)
    assert again.profile == profile
    assert np.abs(again.pixels.astype(int) - restored).max() <= 3
    if suffix in (".png", ".tif"):
        assert np.array_equal(again.samples[:4], samples[:4])


def test_an_srgb_profile_changes_nothing(rng: np.random.Generator) -> None:
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    samples = rng.integers(0, 256, (5, 5, 3), np.uint8)
    pixels, kept = colour.to_srgb(samples, profile)
    assert np.array_equal(pixels, samples)
    assert kept == profile


@pytest.mark.parametrize("profile", [b"no profile", b"\0" * 400])
def test_a_damaged_profile_is_dropped(
    profile: bytes, rng: np.random.Generator, tmp_path: Path
) -> None:
    samples = rng.integers(0, 256, (5, 5, 3), np.uint8)
    path = tmp_path / "a.png"
    PIL.Image.fromarray(samples).save(path, icc_profile=profile)
    picture = image.read(path)
    assert picture.profile is None
    assert np.array_equal(picture.pixels, samples)


def test_a_colour_profile_on_a_grey_picture_is_dropped() -> None:
    pixels, kept = colour.to_srgb(np.full((3, 3), 9, np.uint8), wide_gamut_profile())
    assert kept is None
    assert (pixels == 9).all()
