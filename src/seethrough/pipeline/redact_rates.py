"""What the audit has measured of the styles that are made from the face: words for warnings."""

from __future__ import annotations

import math

from seethrough.auditor.rates import Rate, rates, strongest
from seethrough.auditor.report.words import one_in
from seethrough.redactor import Style

_FAMILIES = {"mosaic": "mosaic", "blur": "gauss", "eye-bar": "eye-bar"}
_ENCODED = "+h264-23"
_SOLID = "mask-head"


def warning(style: Style, *, film: bool) -> str | None:
    """Return what the user should know of a style before trusting it.

    Parameters
    ----------
    style : Style
        Its rates are those of the nearest strength that the benchmark has measured.
    film : bool
        Whether the rates are those after encoding as a film.

    Returns
    -------
    str or None
        One sentence without its full stop; ``None`` for the styles that no face pixel enters.
    """
    if style.safe:
        return None
    measured = _nearest(style, film=film)
    if measured is None:
        return f"{style.name} is made from the face, so that part of it stays; solid leaves none"
    return (
        f"{style.name} does not hide who it is: with {_which(measured)}, the audit's attackers "
        f"picked the person out of 100 in {_often(measured)} cases; {_with_solid(film=film)}"
    )


def _often(rate: Rate) -> str:
    return one_in(rate.of_100[0]).replace(" in ", " of ")


def _with_solid(*, film: bool) -> str:
    """Say what the default would have left: it does not hide what lies around the head."""
    name = _SOLID + (_ENCODED if film else "")
    best = strongest(name)
    if best is None or not any(rate.significant for rate in rates() if rate.style == name):
        return "with solid, the default, they could not be told from chance"
    return f"with solid, the default, in {_often(best)} cases"


def _nearest(style: Style, *, film: bool) -> Rate | None:
    """Return the strongest attack on the nearest strength; of two as near, on the weaker."""
    names = {
        rate.style: rate.relative
        for rate in rates()
        if rate.family == _FAMILIES[style.name] and rate.style.endswith(_ENCODED) == film
    }
    if not names:
        return None

    def distance(name: str) -> float:
        relative = names[name]
        return 0.0 if relative is None else abs(math.log(relative / style.amount))

    return strongest(min(names, key=distance))


def _which(rate: Rate) -> str:
    if rate.relative is None:
        return "a bar over the eyes"
    if rate.family == "mosaic":
        return f"a mosaic of {rate.relative:g} cells per face width"
    return f"a blur with a sigma of {rate.relative:.2g} face widths"
