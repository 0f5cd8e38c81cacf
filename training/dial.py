"""The dial between the posterior mean and the realistic picture, to be differentiated.

What users see is the blend of :mod:`seethrough.restorer.dial`; a network that is judged by it
learns the detail that the blend takes, and not what the posterior mean knows better.
"""

from __future__ import annotations

from functools import lru_cache

import cv2
import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from seethrough.restorer.checkerboard import PERIOD
from seethrough.restorer.dial import BANDS, LUMA, Bands


def blended(mean: Tensor, realistic: Tensor, realism: Tensor, bands: Bands = BANDS) -> Tensor:
    """Blend as :func:`seethrough.restorer.dial.blended` does.

    Parameters
    ----------
    mean, realistic : Tensor
        ``float32 (N, 3, H, W)``, RGB on [0, 1].
    realism : Tensor
        ``float32 (N,)``, range [0, 1]: a place of the dial for each picture.
    bands : Bands
        What is detail.

    Returns
    -------
    Tensor
        ``float32 (N, 3, H, W)``.
    """
    fine, coarse, chroma = (
        realism[:, None, None, None] ** power for power in (bands.fine, bands.coarse, bands.chroma)
    )
    change = realistic.float() - mean.float()
    weights = torch.tensor(LUMA, device=change.device)[:, None, None]
    luma = (weights * change).sum(dim=1, keepdim=True)
    change = luma + chroma * (change - luma)
    return mean + fine * change + (coarse - fine) * _smooth(change, bands.sigma)


def without_checkerboard(pictures: Tensor) -> Tensor:
    """Do as :func:`seethrough.restorer.checkerboard.without_checkerboard` does."""
    n, channels, height, width = pictures.shape
    folded = pictures.reshape(n, channels, height // PERIOD, PERIOD, width // PERIOD, PERIOD)
    pattern = folded.mean(dim=(2, 4), keepdim=True)
    pattern = pattern - pattern.mean(dim=(3, 5), keepdim=True)
    return (folded - pattern).reshape(pictures.shape)


def _smooth(picture: Tensor, sigma: float) -> Tensor:
    """Gaussian blur as OpenCV does it, mirrored borders included.

    By products with matrices: for bfloat16 convolutions of single channels with long kernels some
    processors' library takes minutes to write code.
    """
    with torch.autocast(picture.device.type, enabled=False):
        rows, columns = (
            torch.from_numpy(_blurring(side, sigma)).to(picture.device)
            for side in picture.shape[2:]
        )
        return rows @ picture.float() @ columns.T


@lru_cache(maxsize=8)
def _blurring(side: int, sigma: float) -> npt.NDArray[np.float32]:
    """Return the matrix that blurs a line of pixels, ``float32 (side, side)``."""
    size = round(8 * sigma + 1) | 1  # what OpenCV chooses for floating point
    eye = np.eye(side, dtype=np.float32)
    border = cv2.BORDER_REFLECT_101
    blurred = cv2.GaussianBlur(eye, (1, size), sigma, sigmaY=sigma, borderType=border)
    return np.asarray(blurred, np.float32)
