"""What sensors and codecs do: fewer pixels, noise, compression."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from seethrough.degrade.base import Degradation, Float, check, float32, to_float, to_uint8


@dataclass(frozen=True)
class Downscale(Degradation):
    """Area-average to a smaller picture.

    Parameters
    ----------
    factor : float
        Above 1; the size is divided by it and rounded, to 1 px at least.
    """

    factor: float

    def __post_init__(self) -> None:
        check(self.factor > 1, f"a reduction by {self.factor:g}", "give a factor above 1")

    def apply(self, picture: Float, rng: np.random.Generator | None = None) -> Float:
        height, width = (max(1, round(n / self.factor)) for n in picture.shape[:2])
        return float32(cv2.resize(picture, (width, height), interpolation=cv2.INTER_AREA))


@dataclass(frozen=True)
class Noise(Degradation):
    """Additive Gaussian noise, independent per pixel and channel.

    Parameters
    ----------
    sigma : float
        Standard deviation on the scale [0, 1], not negative.
    """

    sigma: float
    random = True

    def __post_init__(self) -> None:
        check(0 <= self.sigma <= 1, f"noise of sigma {self.sigma:g}", "give a value in [0, 1]")

    def apply(self, picture: Float, rng: np.random.Generator | None = None) -> Float:
        assert rng is not None
        return picture + rng.standard_normal(picture.shape, np.float32) * np.float32(self.sigma)


@dataclass(frozen=True)
class Jpeg(Degradation):
    """JPEG compression with 4:2:0 chroma (libjpeg).

    Parameters
    ----------
    quality : int
        1 to 100.
    """

    quality: int

    def __post_init__(self) -> None:
        check(1 <= self.quality <= 100, f"JPEG quality {self.quality}", "give 1 to 100")

    def apply(self, picture: Float, rng: np.random.Generator | None = None) -> Float:
        options = [
            cv2.IMWRITE_JPEG_QUALITY,
            self.quality,
            cv2.IMWRITE_JPEG_SAMPLING_FACTOR,
            cv2.IMWRITE_JPEG_SAMPLING_FACTOR_420,
        ]
        done, data = cv2.imencode(".jpg", to_uint8(picture)[..., ::-1], options)
        assert done
        decoded = cv2.imdecode(data, cv2.IMREAD_COLOR)
        assert decoded is not None
        return to_float(np.ascontiguousarray(decoded[..., ::-1], np.uint8))


@dataclass(frozen=True)
class H264(Degradation):
    """H.264 compression of a one-second still film (x264 ``medium``, yuv420p), last frame.

    Parameters
    ----------
    crf : float
        Constant rate factor, 0 to 51.
    """

    crf: float

    def __post_init__(self) -> None:
        check(0 <= self.crf <= 51, f"H.264 CRF {self.crf:g}", "give 0 to 51")

    def apply(self, picture: Float, rng: np.random.Generator | None = None) -> Float:
        from seethrough.video import still_through_h264  # loads PyAV, which few callers need

        return to_float(still_through_h264(to_uint8(picture), crf=self.crf))
