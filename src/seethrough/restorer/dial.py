"""Between the posterior mean and the realistic picture: fine detail first, colour last.

A picture looks real by its fine detail, but most of its error lies in what is coarser: where eyes
stand, how wide a mouth is. So one share of what the realistic network changed is taken above a
frequency and another below it, as in X. Deng, R. Yang, M. Xu, P. L. Dragotti, "Wavelet Domain Style
Transfer for an Effective Perception-Distortion Tradeoff in Single Image Super-Resolution", ICCV
2019, which joins the bands of two such networks. Here a Gaussian tells them apart. Colour comes
last of all: the eye sees hardly any detail in it, and what is made up there shows as stains and as
the cells of a mosaic.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt


@dataclass(frozen=True, slots=True)
class Bands:
    """How the dial tells detail from structure; ``benchmarks/dial.py`` compares others.

    Attributes
    ----------
    sigma : float
        Of the Gaussian, in pixels of the 128 px crop.
    fine, coarse : float
        Exponents of the dial: which share of the change above and below is taken.
    chroma : float
        Exponent of the dial: which share of what is taken also changes the colour, and not the
        brightness alone.
    """

    sigma: float = 1.75
    fine: float = 1.0
    coarse: float = 8.0
    chroma: float = 8.0


BANDS = Bands()

LUMA = (0.299, 0.587, 0.114)
"""Weights of red, green and blue (ITU-R BT.601)."""


def blended(
    mean: npt.NDArray[np.float32],
    realistic: npt.NDArray[np.float32],
    realism: float,
    bands: Bands = BANDS,
) -> npt.NDArray[np.float32]:
    """Blend two restorations of the same crops.

    Parameters
    ----------
    mean, realistic : ndarray
        ``float32 (N, 3, H, W)``, RGB on [0, 1].
    realism : float
        Range [0, 1]: 0 gives the posterior mean back, 1 the realistic picture.
    bands : Bands
        What is detail.

    Returns
    -------
    ndarray
        ``float32 (N, 3, H, W)``; may leave [0, 1] where detail is added to what is near its end.
    """
    fine, coarse = np.float32(realism**bands.fine), np.float32(realism**bands.coarse)
    change = np.asarray(realistic - mean, np.float32)
    # Channel by channel: a product of matrices rounds as the number of pictures has it.
    parts = (np.float32(w) * change[:, i : i + 1] for i, w in enumerate(LUMA))
    luma = np.sum(list(parts), axis=0, dtype=np.float32)
    chroma = np.float32(realism**bands.chroma)
    change = np.ascontiguousarray(luma + chroma * (change - luma))
    planes = change.reshape(-1, *change.shape[-2:])
    smooth = np.stack(
        [
            cv2.GaussianBlur(p, (0, 0), bands.sigma, borderType=cv2.BORDER_REFLECT_101)
            for p in planes
        ]
    ).reshape(change.shape)
    return np.asarray(mean + fine * change + (coarse - fine) * smooth, np.float32)
