"""Block-transform artefacts like H.264's, for training where no encoder is at hand.

Blocks of 8 x 8 luma and subsampled chroma are transformed, quantised with one step and a dead
zone (H.264's flat intra matrices: step = 2^((qp - 4) / 6)), and block edges are smoothed a
little, as the in-loop filter does. An approximation: benchmarks encode with x264.
"""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

Float = npt.NDArray[np.float32]
BLOCK = 8


def _dct_matrix() -> Float:
    k, n = np.mgrid[:BLOCK, :BLOCK]
    matrix = np.cos(np.pi * (2 * n + 1) * k / (2 * BLOCK)) * np.sqrt(2 / BLOCK)
    matrix[0] /= np.sqrt(2)
    return np.asarray(matrix, np.float32)


DCT = _dct_matrix()


def _quantise(plane: Float, step: float) -> Float:
    """Quantise a plane of 0-255 levels, whose sides are multiples of 8, block by block."""
    h, w = plane.shape
    blocks = plane.reshape(h // BLOCK, BLOCK, w // BLOCK, BLOCK).swapaxes(1, 2)
    coefficients = DCT @ blocks @ DCT.T
    levels = np.sign(coefficients) * np.floor(np.abs(coefficients) / step + 1 / 3)
    levels[..., 0, 0] = np.round(coefficients[..., 0, 0] / step)
    decoded = DCT.T @ (levels * np.float32(step)) @ DCT
    return np.asarray(decoded.swapaxes(1, 2).reshape(h, w), np.float32)


def _deblock(plane: Float, step: float) -> Float:
    """Smooth small steps across block edges."""
    for axis in (0, 1):
        p = np.moveaxis(plane, axis, 0)
        inner, outer = p[BLOCK - 1 : -1 : BLOCK], p[BLOCK::BLOCK]
        jump = outer - inner
        change = np.where(np.abs(jump) < 1.5 * step, jump / 4, 0)
        inner += change
        outer -= change
    return plane


def block_codec(picture: Float, qp: float) -> Float:
    """Pass a picture through the block transform.

    Parameters
    ----------
    picture : ndarray
        ``float32 (H, W, 3)`` RGB on [0, 1]; both sides multiples of 16.
    qp : float
        H.264's quantisation parameter, 0 to 51.

    Returns
    -------
    ndarray
        Of the same shape, not clipped.
    """
    step = 2 ** ((qp - 4) / 6)
    luma, cr, cb = cv2.split(cv2.cvtColor(picture, cv2.COLOR_RGB2YCrCb) * 255)
    half = luma.shape[1] // 2, luma.shape[0] // 2
    planes = [_deblock(_quantise(np.asarray(luma, np.float32), step), step)]
    for chroma in (cr, cb):
        small = cv2.resize(chroma, half, interpolation=cv2.INTER_AREA)
        coded = _quantise(np.asarray(small, np.float32), step)
        planes.append(
            np.asarray(cv2.resize(coded, luma.shape[::-1], interpolation=cv2.INTER_LINEAR))
        )
    merged = cv2.merge([plane / np.float32(255) for plane in planes])
    return np.asarray(cv2.cvtColor(merged, cv2.COLOR_YCrCb2RGB), np.float32)
