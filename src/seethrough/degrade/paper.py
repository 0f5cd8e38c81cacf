"""The low-resolution settings ``x4`` and ``x8`` of the paper that the project set out from."""

from __future__ import annotations

import numpy as np

from seethrough.degrade.base import Degradation
from seethrough.degrade.blurs import GaussianBlur, MotionPath
from seethrough.degrade.capture import Downscale, Noise
from seethrough.degrade.combine import Chain
from seethrough.errors import UsageError

_LEAST_SIGMA = {4: 0.5, 8: 1.0}
_MOST_SIGMA = 4.0
_MOTION = (3, 19)  # px
_NOISE = 0.02


def low_resolution(factor: int, rng: np.random.Generator) -> Chain:
    """Draw ``x4`` or ``x8``: a random blur, reduction by area, noise.

    Half of the blurs are Gaussian (sigma 0.5 to 4 px, from 1 px at ``x8``), half motions along a
    random path of 3 to 19 px; sigma of the noise is at most 0.02. Lengths are pixels of a 128 px
    crop.

    Parameters
    ----------
    factor : int
        4 or 8.
    rng : numpy.random.Generator
        Draws kind and size of the blur and the noise's sigma, in this order. What comes back
        draws the path and the noise from the generator that it is called with.
    """
    if factor not in _LEAST_SIGMA:
        raise UsageError(f"no low-resolution setting reduces by {factor}", "give 4 or 8")
    blur: Degradation
    if rng.random() < 0.5:
        blur = GaussianBlur(float(rng.uniform(_LEAST_SIGMA[factor], _MOST_SIGMA)))
    else:
        blur = MotionPath(float(rng.uniform(*_MOTION)))
    return Chain([blur, Downscale(factor), Noise(float(rng.uniform(0, _NOISE)))])
