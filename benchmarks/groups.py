"""Groups of the evaluation faces by apparent skin tone, told from the pictures alone.

The individual typology angle (Chardon et al., 1991) of the cheeks in the clean crop,
``atan((L* - 50) / b*)``, CIELAB under D65, in the six classes of Del Bino and Bernerd (2013). A
photo's light and white balance move it: it says how a face looks in this picture, not what
somebody is.
"""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

from benchmarks.metrics import Crops
from seethrough import degrade
from seethrough.types import Image

CHEEKS = ((slice(76, 90), slice(38, 50)), (slice(76, 90), slice(78, 90)))
"""Rows and columns of both cheeks in a 128 px crop on the FFHQ template: beside the nose."""
CLASSES = (
    ("very light", 55.0),
    ("light", 41.0),
    ("intermediate", 28.0),
    ("tan", 10.0),
    ("brown", -30.0),
    ("dark", -90.0),
)
"""Names and the least angle of each, in degrees."""
FEWEST = 20
"""Groups with fewer faces are left out: their intervals would say nothing."""


def angle(crop: Image) -> float:
    """Individual typology angle of the cheeks, in degrees.

    Parameters
    ----------
    crop : Image
        ``uint8 (128, 128, 3)``, aligned.
    """
    lab = cv2.cvtColor(degrade.to_float(crop), cv2.COLOR_RGB2LAB)
    pixels = np.concatenate([lab[cheek].reshape(-1, 3) for cheek in CHEEKS])
    lightness, _, yellow = np.median(pixels, axis=0)
    return float(np.degrees(np.arctan2(lightness - 50, max(float(yellow), 1e-6))))


def name(degrees: float) -> str:
    """The class of an angle."""
    return next((known for known, least in CLASSES if degrees > least), CLASSES[-1][0])


def members(crops: Crops) -> dict[str, npt.NDArray[np.intp]]:
    """Class to the indices of its faces, from light to dark, small classes left out."""
    found = np.array([name(angle(crop)) for crop in crops])
    groups = {known: np.flatnonzero(found == known) for known, _ in CLASSES}
    return {known: indices for known, indices in groups.items() if len(indices) >= FEWEST}
