"""Blurs and mosaics as editors make them. They are made from the face, so that part of it stays.

How much stays is measured (``docs/findings.md``); the verb ``redact`` warns with those figures.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from functools import partial

import cv2
import numpy as np

from seethrough.degrade import GaussianBlur, Mosaic
from seethrough.redactor import region
from seethrough.redactor.region import Region
from seethrough.redactor.source import Sighting, Source
from seethrough.redactor.style import Style
from seethrough.types import Image, Patch

_FINE = 6.0  # pixels of sigma: a wider blur is made on a copy in which it measures so many


def blurred(
    source: Source, sightings: Sequence[Sighting], style: Style, sample_aspect: float
) -> list[Patch]:
    """Blur faces; sigma is a share of each face's width."""
    patches = []
    for sighting in sightings:
        where = region.face(sighting, source.shape, sample_aspect, style.grow)
        if where is not None:
            width = region.face_width(sighting, sample_aspect) / min(sample_aspect, 1.0)
            sigma = max(style.amount * width, 0.5)
            patches.append(_patch(source, where, round(3 * sigma), partial(_blur, sigma=sigma)))
    return patches


def mosaicked(
    source: Source, sightings: Sequence[Sighting], style: Style, sample_aspect: float
) -> list[Patch]:
    """Pixelate faces; the grid starts at the cover's corner, as where tools cut the face out."""
    patches = []
    for sighting in sightings:
        where = region.face(sighting, source.shape, sample_aspect, style.grow)
        if where is not None:
            cell = max(region.face_width(sighting, sample_aspect) / style.amount, 1.0)
            patches.append(_patch(source, where, 0, Mosaic((max(cell / sample_aspect, 1.0), cell))))
    return patches


def _patch(source: Source, where: Region, margin: int, operator: Callable[[Image], Image]) -> Patch:
    """Apply an operator to a region and what lies within a margin around it."""
    height, width = source.shape
    x0, y0 = max(where.x0 - margin, 0), max(where.y0 - margin, 0)
    x1, y1 = min(where.x1 + margin, width), min(where.y1 + margin, height)
    pixels = operator(source.part(x0, y0, x1, y1))
    inner = pixels[where.y0 - y0 : where.y1 - y0, where.x0 - x0 : where.x1 - x0]
    return Patch(where.x0, where.y0, np.ascontiguousarray(inner), where.mask)


def _blur(picture: Image, sigma: float) -> Image:
    """Blur by a Gaussian; a wide one on a reduced copy, which takes a fraction of the time."""
    height, width = picture.shape[:2]
    factor = max(math.floor(sigma / _FINE), 1)
    size = (math.ceil(width / factor), math.ceil(height / factor))
    if factor == 1 or min(size) < 4:
        return GaussianBlur(min(sigma, 1000.0))(picture)
    small = np.asarray(cv2.resize(picture, size, interpolation=cv2.INTER_AREA), np.uint8)
    soft = GaussianBlur(sigma / factor)(small)
    return np.asarray(cv2.resize(soft, (width, height), interpolation=cv2.INTER_CUBIC), np.uint8)
