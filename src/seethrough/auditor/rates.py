"""How often covers were seen through in the benchmark: figures that warnings quote.

``assets/leakage.json`` is written by ``python -m benchmarks.run leakage``: identification of people
of Labeled Faces in the Wild whose faces were covered (PROTOCOL section 4), for each style, attacker
and recogniser.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache

from seethrough.auditor.shipped import read_shipped

FILE = "leakage.json"


@dataclass(frozen=True, slots=True)
class Rate:
    """One attacker against one style, through one recogniser's eyes.

    Attributes
    ----------
    style : str
        PROTOCOL's name, ``mosaic-8`` say, with ``+h264-23`` where encoded.
    family : str
        ``clean``, ``x4``, ``mosaic``, ``gauss``, ``box``, ``eye-bar``, ``mask-face``,
        ``mask-head``, ``silhouette`` or ``tool``.
    relative : float or None
        Mosaic: cells per face width. Blurs: sigma or kernel as a share of the face width.
    attacker : str
        ``A0`` to ``A5``; ``A3`` is the trained attacker alone, ``A2+A3`` what audits call A3.
    recogniser : str
        ``dlib`` or ``mobilefacenet``.
    of_100, of_1000 : tuple of float
        Share of people who were picked out, with its 95 % interval: p, low, high.
    people : int
        How many people were tried.
    significant : bool
        Above chance, p < 0.01, Holm-corrected over all styles and attackers.
    """

    style: str
    family: str
    relative: float | None
    attacker: str
    recogniser: str
    of_100: tuple[float, float, float]
    of_1000: tuple[float, float, float]
    people: int
    significant: bool


@cache
def rates() -> tuple[Rate, ...]:
    """Return every rate of the benchmark.

    Raises
    ------
    MissingPartError
        Where the asset is missing or damaged.
    """
    return read_shipped(FILE, lambda path: from_json(path.read_text(encoding="utf-8")))


def strongest(style: str) -> Rate | None:
    """Return the highest rate of a style among 100 people, or ``None`` where it has none."""
    found = [rate for rate in rates() if rate.style == style]
    return max(found, key=lambda rate: rate.of_100[0], default=None)


def uncovered() -> tuple[Rate, ...]:
    """Return how often each recogniser finds somebody whose face is not covered at all."""
    return tuple(rate for rate in rates() if rate.style == "clean" and rate.attacker == "A0")


def to_json(found: tuple[Rate, ...]) -> str:
    """Serialise, one rate a line."""
    lines = [
        json.dumps({name: getattr(rate, name) for name in Rate.__slots__}, separators=(",", ":"))
        for rate in found
    ]
    return '{"rates":[\n' + ",\n".join(lines) + "\n]}\n"


def from_json(text: str) -> tuple[Rate, ...]:
    """Read what :func:`to_json` wrote."""
    found = []
    for entry in json.loads(text)["rates"]:
        for name in ("of_100", "of_1000"):
            entry[name] = tuple(float(value) for value in entry[name])
        found.append(Rate(**entry))
    return tuple(found)
