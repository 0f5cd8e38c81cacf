"""Does the result explain the input? The result, degraded again, against what was given."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import numpy.typing as npt

from seethrough.degrade import BoxBlur, Degradation, GaussianBlur, Mosaic
from seethrough.types import Box, Image, Operator

_REACH = 4.0  # a Gaussian is felt so many sigma away
_BEST_DB = 99.0  # what identical pictures get, in place of infinity (which is no JSON)


def degradation(operator: Operator, origin: tuple[int, int] = (0, 0)) -> Degradation | None:
    """Return the operator that an estimate describes.

    Parameters
    ----------
    operator : Operator
        In the coordinates of a picture.
    origin : (int, int)
        xy pixel of that picture at which the part to be degraded begins.

    Returns
    -------
    Degradation or None
        ``None`` for solid covers, which explain nothing.
    """
    if operator.size is None:
        return None
    width, height = operator.size
    match operator.kind:
        case "mosaic" if min(width, height) >= 1:
            phase_x, phase_y = operator.phase or (0.0, 0.0)
            return Mosaic(
                (width, height),
                ((origin[0] - phase_x) % width, (origin[1] - phase_y) % height),
            )
        case "gauss":
            return GaussianBlur(width)
        case "box":
            return BoxBlur((max(1, round(width)), max(1, round(height))))
        case _:
            return None


def scaled(operator: Operator, factor: float) -> Operator:
    """Return what an operator is in a picture that is ``factor`` times as large."""
    size, phase = (
        None if pair is None else (pair[0] * factor, pair[1] * factor)
        for pair in (operator.size, operator.phase)
    )
    return replace(operator, size=size, phase=phase)


def consistency(
    before: Image, after: Image, synthesised: npt.NDArray[np.bool_], operator: Operator, box: Box
) -> float | None:
    """Return the PSNR in dB between the input and the result, degraded again.

    Parameters
    ----------
    before, after : Image
        ``uint8 (H, W, 3)``: the picture as given and as restored.
    synthesised : ndarray
        ``bool (H, W)``: which pixels were restored.
    operator : Operator
        How the region was made, in pixels of the picture.
    box : Box
        The region.

    Returns
    -------
    float or None
        At most 99; ``None`` where the operator is not known, or nothing was restored in the box.
    """
    if operator.size is None:
        return None
    reach = int(np.ceil(_REACH * max(operator.size)))
    height, width = before.shape[:2]
    x0, y0 = max(0, int(box.x0) - reach), max(0, int(box.y0) - reach)
    x1, y1 = min(width, int(np.ceil(box.x1)) + reach), min(height, int(np.ceil(box.y1)) + reach)
    again = degradation(operator, (x0, y0))
    if again is None or x1 <= x0 or y1 <= y0:
        return None
    counted = np.zeros((y1 - y0, x1 - x0), np.bool_)
    rows = slice(max(0, round(box.y0) - y0), max(0, round(box.y1) - y0))
    columns = slice(max(0, round(box.x0) - x0), max(0, round(box.x1) - x0))
    counted[rows, columns] = synthesised[y0:y1, x0:x1][rows, columns]
    if not counted.any():
        return None
    part = np.ascontiguousarray(after[y0:y1, x0:x1])
    error = again(part)[counted].astype(np.float32) - before[y0:y1, x0:x1][counted]
    mean_square = float(np.mean(np.square(error)))
    return min(_BEST_DB, 10 * float(np.log10(255**2 / mean_square))) if mean_square else _BEST_DB
