"""The degradation model: what blurs, mosaics, covers and codecs do to a picture.

Restoration, training, audit and benchmarks all use these operators, so that one definition
answers every question about a cover. Each operator is a frozen dataclass that is called on a
picture; lengths are in pixels of that picture (:func:`scaled` rescales them, for operators
defined relative to a face). Arithmetic is float32 on [0, 1] with reflected borders
(``BORDER_REFLECT_101``), rounded half up to 8 bit once, at the end of a chain.
"""

from seethrough.degrade.base import Degradation, Float, to_float, to_uint8
from seethrough.degrade.blurs import BoxBlur, GaussianBlur, MotionBlur, MotionPath, motion_kernel
from seethrough.degrade.capture import H264, Downscale, Jpeg, Noise
from seethrough.degrade.combine import Chain, Within, scaled
from seethrough.degrade.covers import EYE_BAR, MASK_FACE, MASK_HEAD, Ellipse, EyeBar, SolidMask
from seethrough.degrade.mosaics import Mosaic
from seethrough.degrade.paper import low_resolution
from seethrough.degrade.tools import PRESETS, preset

__all__ = [
    "EYE_BAR",
    "H264",
    "MASK_FACE",
    "MASK_HEAD",
    "PRESETS",
    "BoxBlur",
    "Chain",
    "Degradation",
    "Downscale",
    "Ellipse",
    "EyeBar",
    "Float",
    "GaussianBlur",
    "Jpeg",
    "Mosaic",
    "MotionBlur",
    "MotionPath",
    "Noise",
    "SolidMask",
    "Within",
    "low_resolution",
    "motion_kernel",
    "preset",
    "scaled",
    "to_float",
    "to_uint8",
]
