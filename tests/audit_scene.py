"""A public-domain scene to redact, and a stand-in for the attackers that a test can predict."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import PIL.Image
import skimage.data

from seethrough.auditor.cases import degradation_of
from seethrough.auditor.covers import Cover, styled_cover
from seethrough.auditor.leaks import read_container
from seethrough.auditor.picture import File
from seethrough.auditor.types import Case, Odds, Reading, Sight
from seethrough.geometry import tight_box
from seethrough.types import Face, Image

LANDMARKS = np.array(
    [[203.0, 110.0], [243.5, 110.5], [226.0, 135.0], [208.5, 151.5], [244.0, 151.0]]
)
"""The astronaut's eyes, nose and mouth (NASA, public domain) in scikit-image's 512 px picture."""


def scene() -> Image:
    """The astronaut, 512 px."""
    return np.ascontiguousarray(skimage.data.astronaut())


def face() -> Face:
    """Her face."""
    return Face(tight_box(LANDMARKS), LANDMARKS, 1.0)


def crowd() -> tuple[Image, tuple[Face, ...]]:
    """Three of her side by side, the middle one mirrored."""
    one = scene()
    first = face()
    mirrored = np.column_stack([511 - LANDMARKS[[1, 0, 2, 4, 3], 0], LANDMARKS[[1, 0, 2, 4, 3], 1]])
    faces = [
        first.landmarks,
        np.add(mirrored, (512, 0)),
        np.add(first.landmarks, (1024, 0)),
    ]
    picture = np.concatenate([one, one[:, ::-1], one], axis=1)
    return np.ascontiguousarray(picture), tuple(Face(tight_box(p), p, 1.0) for p in faces)


def cover(
    style: str, strength: float | None = None, at: Face | None = None, *, pixels: bool = False
) -> Cover:
    """A style's cover of a face of the scene (or of the crowd)."""
    found = at or face()
    shape = scene().shape if at is None else crowd()[0].shape
    return styled_cover(style, None if strength is None else (strength, pixels), found, shape)


def covered(picture: Image, covers: Sequence[Cover]) -> Image:
    """A picture with covers put over it, each pixel as its operator says."""
    result = picture.copy()
    for each in covers:
        assert each.operator is not None
        degradation = degradation_of(each.operator)
        result[each.mask] = 0 if degradation is None else degradation(picture)[each.mask]
    return result


def encoded(picture: Image, kind: str = "PNG", **options: Any) -> bytes:
    """A picture as a file of this format."""
    buffer = io.BytesIO()
    PIL.Image.fromarray(picture).save(buffer, kind, **options)
    return buffer.getvalue()


def file(picture: Image, kind: str = "PNG", name: str = "redacted.png", **options: Any) -> File:
    """A picture file as the audit meets it."""
    data = encoded(picture, kind, **options)
    pixels = np.asarray(PIL.Image.open(io.BytesIO(data)).convert("RGB"))
    return File(name, hashlib.sha256(data).hexdigest(), pixels, read_container(data))


def save(path: Path, picture: Image, **options: Any) -> Path:
    """Write a picture losslessly, or as the suffix and the options say."""
    path.parent.mkdir(parents=True, exist_ok=True)
    kind = {".jpg": "JPEG", ".webp": "WEBP"}.get(path.suffix, path.suffix[1:].upper())
    path.write_bytes(encoded(picture, kind, **options))
    return path


class StandIn:
    """Attackers that keep what they are shown, and read how near it is to the clean face."""

    weights = ()

    def __init__(self, *_: Any) -> None:
        self.cases: list[Case] = []

    def read(self, case: Case) -> tuple[tuple[Reading, ...], tuple[Sight, ...]]:
        """Read nothing under paint, and else a probability that falls with the distance."""
        self.cases.append(case)
        distance = float(np.abs(case.probe.astype(float) - case.clean).mean())
        p = 0.0 if case.operator.kind == "solid" else max(1 - distance / 40, 0.0)

        def odds(people: int) -> Odds:
            at = max(p, 1 / people)
            return Odds(people, at, max(at * 0.8, 1 / people), min(max(at * 1.2, 1 / people), 1.0))

        readings = tuple(
            Reading("A2", name, odds(100), odds(1000), case.same_frame)
            for name in ("dlib", "mobilefacenet")
        )
        return readings, (Sight("A2", case.probe),)
