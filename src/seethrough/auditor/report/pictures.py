"""Pictures for the page: encoded into it, with the places of the faces on them."""

from __future__ import annotations

import base64
import io
from collections.abc import Mapping

import numpy as np
import PIL.Image

from seethrough.auditor.types import PictureAudit
from seethrough.types import Box, Image

PREVIEW = 1000
"""Longest side of a preview, in pixels."""


MANY = 12
"""More faces than this make a page too large for lossless crops."""


def crop_uri(picture: Image, *, lossless: bool = True) -> str:
    """A crop as a ``data:`` URI; lossless, a mosaic's cells stay as they are."""
    return frame_uri(picture) if not lossless else _uri(_image(picture), "PNG", {"optimize": True})


def frame_uri(picture: Image) -> str:
    """A small picture as a ``data:`` URI, a few kilobytes."""
    return _uri(_image(picture), "JPEG", {"quality": 85, "optimize": True})


def preview_uri(picture: Image) -> str:
    """A picture of a scene as a ``data:`` URI, at most :data:`PREVIEW` px on its longest side."""
    small = _image(picture)
    small.thumbnail((PREVIEW, PREVIEW), PIL.Image.Resampling.BOX)
    return _uri(small, "JPEG", {"quality": 85, "optimize": True})


def outline(audit: PictureAudit, box: Box) -> dict[str, float]:
    """Where a face lies on the picture: ``left``, ``top``, ``width``, ``height`` in per cent."""
    x0, x1 = (100 * min(max(x / audit.width, 0), 1) for x in (box.x0, box.x1))
    y0, y1 = (100 * min(max(y / audit.height, 0), 1) for y in (box.y0, box.y1))
    return {"left": x0, "top": y0, "width": x1 - x0, "height": y1 - y0}


def _image(picture: Image) -> PIL.Image.Image:
    return PIL.Image.fromarray(np.ascontiguousarray(picture))


def _uri(picture: PIL.Image.Image, kind: str, options: Mapping[str, object]) -> str:
    encoded = io.BytesIO()
    picture.save(encoded, kind, **options)
    data = base64.b64encode(encoded.getvalue()).decode("ascii")
    return f"data:image/{kind.lower()};base64,{data}"
