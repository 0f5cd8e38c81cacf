"""How far a blur reaches beyond what was found of it.

A strong blur looks like a smooth wall. The finder of covered regions is sure of it only where a
face has edges, and in a large photo that may be half of the cover: pasted back there alone, a
restored face would end in the middle of the nose.
"""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

from seethrough.types import Image, Mask

_AGAIN = 0.25  # of the blur's sigma: what a blurred place hardly changes under
_LEAST, _MOST = 0.7, 2.5  # px of the crop: the same, at its ends
_SMOOTH, _SHARP = 1.0, 2.5  # levels: change of what is surely blurred, and surely not
_SPREAD = 2.0  # px of the crop: over which that change is averaged
_RIM = 5  # px of the crop: a blur's own edge is sharp, and as wide as this
_SOFT = 1.5  # px of the crop: of the result's rim
_TOLD_FROM = 2.0  # px of the picture: a lesser sigma cannot be told from an enlargement
_BEYOND = 2.0  # sigmas: how far it grows outside of the face
_FACE = (slice(18, 128), slice(14, 114))
"""Rows and columns of an aligned crop where a face's cover lies; beyond is mostly backdrop."""


def reached(crop: Image, known: Mask, sigma: float, pixel: float) -> Mask:
    """Extend a mask over what is as smooth as the blur it lies on.

    Parameters
    ----------
    crop : Image
        ``uint8 (128, 128, 3)``: a face's aligned crop of the degraded picture.
    known : Mask
        ``float32 (128, 128)`` on [0, 1]: where the blur was found.
    sigma : float
        Of the blur, in pixels of the crop.
    pixel : float
        Of the picture, in pixels of the crop: above 1 where the crop is an enlargement.

    Returns
    -------
    Mask
        ``float32 (128, 128)`` on [0, 1], nowhere less than ``known``. It grows over smooth places
        that touch it, stops at clear ones, and does not leave the face by more than two sigmas: a
        plain backdrop is smooth too. ``known`` itself where the blur is too slight to tell.
    """
    if sigma < _TOLD_FROM * pixel:
        return known
    grey = cv2.cvtColor(crop, cv2.COLOR_RGB2GRAY).astype(np.float32)
    again = max(float(np.clip(_AGAIN * sigma, _LEAST, _MOST)), pixel)
    change = (grey - cv2.GaussianBlur(grey, (0, 0), again)) ** 2
    change = np.sqrt(np.maximum(cv2.GaussianBlur(change, (0, 0), _SPREAD), 0))
    smooth = change < (_SMOOTH + _SHARP) / 2
    _, places = cv2.connectedComponents((smooth | (known > 0.5)).astype(np.uint8), connectivity=4)
    touched = np.unique(places[known > 0.5])
    near = cv2.GaussianBlur(known, (0, 0), max(_BEYOND * sigma / 2, 0.5)) > 0.02
    near[_FACE] = True
    step = np.clip((_SHARP - change) / (_SHARP - _SMOOTH), 0, 1)
    more: npt.NDArray[np.float32] = np.where(np.isin(places, touched) & near, step, 0).astype(
        np.float32
    )
    more = np.asarray(cv2.dilate(more, np.ones((_RIM, _RIM), np.uint8)), np.float32)
    more = np.asarray(cv2.GaussianBlur(more, (0, 0), _SOFT), np.float32)
    return np.maximum(known, more)
