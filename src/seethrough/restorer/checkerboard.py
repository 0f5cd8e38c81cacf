"""What repeats at every fourth pixel of a crop is a network's pattern, and is taken away.

The networks work on 4 x 4 pixels folded into channels and unfold them at the end; each of the
sixteen places comes from other weights, and a small bias of one of them is a chequered pattern over
the whole crop, long known of such layers (Odena et al., "Deconvolution and checkerboard artifacts",
Distill 2016). A photo has no such pattern: its mean is the same at all sixteen places, but for a
little of its detail.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

PERIOD = 4
"""Pixels a side that the networks fold."""


def without_checkerboard(pictures: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """Take away what repeats every four pixels.

    Parameters
    ----------
    pictures : ndarray
        ``float32 (N, C, H, W)``; sides are multiples of 4.

    Returns
    -------
    ndarray
        Like ``pictures``, with the mean of each picture and channel as it was.
    """
    n, channels, height, width = pictures.shape
    folded = pictures.reshape(n, channels, height // PERIOD, PERIOD, width // PERIOD, PERIOD)
    pattern = folded.mean(axis=(2, 4), keepdims=True)
    pattern -= pattern.mean(axis=(3, 5), keepdims=True)
    return np.asarray((folded - pattern).reshape(pictures.shape), np.float32)
