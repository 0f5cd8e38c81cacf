"""What is stronger at a frequency than in the clean picture: grids and chequers.

What a network enlarges by rearranging channels, and what it takes over of a mosaic's cells, repeats
every few pixels; a discriminator of patches hardly minds, but a spectrum shows it as a peak (Durall
et al., "Watch your up-convolution", CVPR 2020; there spectra are averaged over circles, here peaks
stay where they are).
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

ALLOWED = 0.7
"""Natural logarithm of the excess that one picture may have by chance: twice the power."""
FLOOR = 0.5 / 255
"""Detail weaker than this, root mean square on [0, 1], is not seen."""


def excess(restored: Tensor, clean: Tensor) -> Tensor:
    """How much too strong frequencies are, mean over all, in natural logarithms of the power.

    Parameters
    ----------
    restored, clean : Tensor
        ``float32 (N, 3, H, W)`` on [0, 1]. What is too weak costs nothing.

    Returns
    -------
    Tensor
        ``float32 ()``, 0 or more.
    """
    with torch.autocast(restored.device.type, enabled=False):
        ratio = _power(restored.float()).log() - _power(clean.float()).log()
        return functional.relu(ratio - ALLOWED).mean()


def _power(pictures: Tensor) -> Tensor:
    """Power at each frequency, smoothed over its neighbours, ``(N, 3, H, W / 2 + 1)``."""
    height, width = pictures.shape[2:]
    window = torch.hann_window(height, periodic=False, device=pictures.device)[:, None]
    window = window * torch.hann_window(width, periodic=False, device=pictures.device)
    even = pictures - pictures.mean(dim=(2, 3), keepdim=True)
    found = torch.fft.rfft2(even * window)
    power = found.real.square() + found.imag.square()
    smooth = functional.avg_pool2d(power, 3, stride=1, padding=1, count_include_pad=False)
    return smooth + FLOOR**2 * window.square().sum()
