"""The dial between the posterior mean and the realistic picture, to be differentiated.

What users see is the blend of :mod:`seethrough.restorer.dial`; a network that is judged by it
learns the detail that the blend takes, and not what the posterior mean knows better.
"""

from __future__ import annotations

import cv2
import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from seethrough.restorer.chequers import PERIOD
from seethrough.restorer.dial import BANDS, BRIGHTNESS, Bands


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
    fine, coarse, colour = (
        realism[:, None, None, None] ** power for power in (bands.fine, bands.coarse, bands.colour)
    )
    change = realistic.float() - mean.float()
    weights = torch.tensor(BRIGHTNESS, device=change.device)[:, None, None]
    brightness = (weights * change).sum(dim=1, keepdim=True)
    change = brightness + colour * (change - brightness)
    return mean + fine * change + (coarse - fine) * _smooth(change, bands.sigma)


def without_chequers(pictures: Tensor) -> Tensor:
    """Do as :func:`seethrough.restorer.chequers.without_chequers` does."""
    n, channels, height, width = pictures.shape
    folded = pictures.reshape(n, channels, height // PERIOD, PERIOD, width // PERIOD, PERIOD)
    pattern = folded.mean(dim=(2, 4), keepdim=True)
    pattern = pattern - pattern.mean(dim=(3, 5), keepdim=True)
    return (folded - pattern).reshape(pictures.shape)


def _smooth(picture: Tensor, sigma: float) -> Tensor:
    """Gaussian blur with OpenCV's kernel and mirrored borders."""
    size = round(8 * sigma + 1) | 1  # what OpenCV chooses for floating point
    line = cv2.getGaussianKernel(size, sigma, cv2.CV_32F).ravel()
    kernel = torch.from_numpy(np.ascontiguousarray(line)).to(picture.device)
    channels, reach = picture.shape[1], size // 2
    padded = functional.pad(picture, (reach, reach, reach, reach), mode="reflect")
    along = kernel.expand(channels, 1, 1, size)
    across = kernel[:, None].expand(channels, 1, size, 1)
    return functional.conv2d(
        functional.conv2d(padded, along, groups=channels), across, groups=channels
    )
