"""Blurs and mosaics as editors make them. They are made from the face, so that part of it stays.

How much stays is measured (``docs/findings.md``); the verb ``redact`` warns with those figures.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from seethrough.degrade import Degradation, GaussianBlur, Mosaic
from seethrough.redactor import region
from seethrough.redactor.source import Sighting, Source
from seethrough.redactor.style import Style
from seethrough.types import Image, Patch


def blurred(
    source: Source, sightings: Sequence[Sighting], style: Style, sample_aspect: float
) -> list[Patch]:
    """Blur faces; sigma is a share of each face's width."""
    found = []
    for sighting in sightings:
        # Wider than the picture would be the same grey.
        sigma = min(style.amount * region.face_width(sighting, sample_aspect), 500.0)
        found.append((sighting, GaussianBlur(max(sigma, 0.5)), 3 * sigma))
    return _each(source, found, style, sample_aspect)


def mosaicked(
    source: Source, sightings: Sequence[Sighting], style: Style, sample_aspect: float
) -> list[Patch]:
    """Pixelate faces; the grid starts at the cover's corner, as where tools cut the face out."""
    found = []
    for sighting in sightings:
        cell = max(region.face_width(sighting, sample_aspect) / style.amount, 1.0)
        wide = max(cell / sample_aspect, 1.0)
        found.append((sighting, Mosaic((wide, cell)), 0.0))
    return _each(source, found, style, sample_aspect)


def _each(
    source: Source,
    found: Sequence[tuple[Sighting, Degradation, float]],
    style: Style,
    sample_aspect: float,
) -> list[Patch]:
    patches = []
    for sighting, operator, reach in found:
        where = region.face(sighting, source.shape, sample_aspect, style.grow)
        if where is None:
            continue
        margin = round(reach)
        height, width = source.shape
        x0, y0 = max(where.x0 - margin, 0), max(where.y0 - margin, 0)
        x1, y1 = min(where.x1 + margin, width), min(where.y1 + margin, height)
        covered: Callable[[Image], Image] = operator
        pixels = covered(source.part(x0, y0, x1, y1))
        inner = pixels[where.y0 - y0 : where.y1 - y0, where.x0 - x0 : where.x1 - x0]
        patches.append(Patch(where.x0, where.y0, np.ascontiguousarray(inner), where.mask))
    return patches
