"""Between a picture's own colour space and depth, and the 8-bit sRGB that networks look at.

Profiles are applied by Little CMS, relative colorimetric. A profile that cannot be applied
(damaged, or of another kind of picture) is dropped, as viewers do.
"""

from __future__ import annotations

import io
from functools import lru_cache
from typing import Any, Literal, cast

import cv2
import numpy as np
import numpy.typing as npt
import PIL.Image
from PIL import ImageCms

from seethrough.types import Image

_Mode = Literal["L", "RGB"]

_DARK, _DARK_SHARE = 32, 0.02  # levels below, and share of a picture, from which shadows count
_LIFT = 8  # times as bright as they are


def to_srgb(samples: npt.NDArray[Any], profile: bytes | None) -> tuple[Image, bytes | None]:
    """Return the view of ``samples`` that networks get, and the profile if it can be applied.

    Parameters
    ----------
    samples : ndarray
        ``uint8`` or ``uint16``, ``(H, W)`` or ``(H, W, 3)`` RGB.
    profile : bytes or None
        Their ICC profile; sRGB where absent.

    Returns
    -------
    Image
        ``uint8 (H, W, 3)``, RGB, sRGB.
    bytes or None
        ``profile``, or ``None`` where it cannot be applied to such samples.
    """
    eight = to_eight_bits(samples)
    mode: _Mode = "L" if eight.ndim == 2 else "RGB"
    rgb = cast(Image, cv2.cvtColor(eight, cv2.COLOR_GRAY2RGB)) if mode == "L" else eight
    if profile is None:
        return rgb, None
    try:
        transforms = _transforms(profile, mode)
    except (ImageCms.PyCMSError, OSError, ValueError):
        return rgb, None
    if transforms is None:
        return rgb, profile
    return _apply(transforms[0], eight), profile


def from_srgb(
    pixels: npt.NDArray[np.uint8], *, grey: bool, bits: int, profile: bytes | None
) -> npt.NDArray[Any]:
    """Return samples for pixels that a network wrote.

    Parameters
    ----------
    pixels : ndarray
        ``uint8 (N, 3)``, RGB, sRGB.
    grey : bool
        Whether the samples are grey: luma (ITU-R BT.601) then.
    bits : int
        8 or 16: 8-bit levels times 257.
    profile : bytes or None
        A profile that :func:`to_srgb` has accepted.

    Returns
    -------
    ndarray
        ``(N,)`` or ``(N, 3)``, ``uint8`` or ``uint16``.
    """
    samples: npt.NDArray[Any] = pixels[None]
    transforms = _transforms(profile, "L" if grey else "RGB") if profile and len(pixels) else None
    if transforms is not None:
        samples = _apply(transforms[1], pixels[None])
    elif grey and len(pixels):
        samples = cv2.cvtColor(pixels[None], cv2.COLOR_RGB2GRAY)
    elif grey:
        samples = pixels[None, :, 0]
    levels: npt.NDArray[Any] = samples[0]
    return levels.astype(np.uint16) * np.uint16(257) if bits == 16 else levels


def to_eight_bits(samples: npt.NDArray[Any]) -> npt.NDArray[np.uint8]:
    """Return 16-bit samples at the nearest 8-bit level (8-bit ones as they are)."""
    if samples.dtype == np.uint8:
        return cast("npt.NDArray[np.uint8]", samples)
    return ((samples.astype(np.uint32) + 128) // 257).astype(np.uint8)


def other_views(
    pixels: Image, samples: npt.NDArray[Any], alpha: npt.NDArray[Any] | None
) -> list[Image]:
    """Return what else than ``pixels`` a viewer may make of a picture.

    Whoever hides something in a picture has to look at these, too: at deep shadows made bright, at
    what 16 bits hold below the levels of 8, and at a picture with transparent parts over white and
    over black. Views that would show nothing new are left away.

    Parameters
    ----------
    pixels : Image
        ``uint8 (H, W, 3)``, what :func:`to_srgb` returns.
    samples : ndarray
        ``uint8`` or ``uint16``, ``(H, W)`` or ``(H, W, 3)``.
    alpha : ndarray or None
        ``(H, W)``, dtype of ``samples``; not premultiplied.

    Returns
    -------
    list of Image
        ``uint8 (H, W, 3)``.
    """
    views = []
    if _is_dark(pixels):
        views.append(np.minimum(pixels, 255 // _LIFT) * np.uint8(_LIFT))
    if (low := low_bytes(samples)) is not None:
        views.append(low)
    if alpha is not None and (alpha < np.iinfo(alpha.dtype).max).any():
        opaque = to_eight_bits(alpha)[..., None].astype(np.uint16)
        over = (pixels * opaque + 127) // 255  # black
        white = over + (255 - opaque)
        views += [over.astype(np.uint8), white.astype(np.uint8)]
        views.append(np.repeat(opaque, 3, axis=2).astype(np.uint8))
    return views


def low_bytes(samples: npt.NDArray[Any]) -> Image | None:
    """Return what 16-bit samples hold below the levels of 8, as a picture; of 8-bit ones nothing.

    Parameters
    ----------
    samples : ndarray
        ``uint8`` or ``uint16``, ``(H, W)`` or ``(H, W, 3)``.
    """
    if samples.dtype != np.uint16:
        return None
    low = (samples & 0xFF).astype(np.uint8)
    return np.dstack([low] * 3) if low.ndim == 2 else low


def _is_dark(pixels: Image) -> bool:
    """Tell whether a part of a picture is so dark that faces in it may be overlooked."""
    return bool(np.mean(pixels.max(axis=2) < _DARK) > _DARK_SHARE)


def cmyk_to_srgb(source: PIL.Image.Image, profile: bytes | None) -> Image:
    """Return a CMYK picture as ``uint8 (H, W, 3)`` sRGB, through its profile where it has one."""
    if profile is not None:
        try:
            own = ImageCms.ImageCmsProfile(io.BytesIO(profile))
            transform = ImageCms.buildTransform(own, _srgb(), "CMYK", "RGB", _INTENT)
            return np.asarray(ImageCms.applyTransform(source, transform))
        except (ImageCms.PyCMSError, OSError, ValueError):
            pass  # the plain conversion below
    return np.asarray(source.convert("RGB"))


_INTENT = ImageCms.Intent.RELATIVE_COLORIMETRIC


def _srgb() -> ImageCms.ImageCmsProfile:
    return ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB"))


@lru_cache(maxsize=8)
def _transforms(
    profile: bytes, mode: _Mode
) -> tuple[ImageCms.ImageCmsTransform, ImageCms.ImageCmsTransform] | None:
    """Return the ways to sRGB and back, or ``None`` where the profile is sRGB itself."""
    own = ImageCms.ImageCmsProfile(io.BytesIO(profile))
    there = ImageCms.buildTransform(own, _srgb(), mode, "RGB", _INTENT)
    back = ImageCms.buildTransform(_srgb(), own, "RGB", mode, _INTENT)
    levels = np.linspace(0, 255, 18).round().astype(np.uint8)
    if mode == "L":
        probe, same = levels[None], np.repeat(levels[None, :, None], 3, axis=2)
    else:
        probe = same = np.stack(np.meshgrid(levels, levels, levels), axis=-1).reshape(1, -1, 3)
    if np.abs(_apply(there, probe).astype(int) - same).max() <= 1:
        return None
    return there, back


def _apply(transform: ImageCms.ImageCmsTransform, samples: npt.NDArray[np.uint8]) -> Image:
    return np.asarray(ImageCms.applyTransform(PIL.Image.fromarray(samples), transform))
