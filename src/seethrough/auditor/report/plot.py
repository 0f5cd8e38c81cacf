"""The odds of every attacker as one small plot, drawn by Matplotlib, put inline as SVG.

Matplotlib's object API alone is used: no ``pyplot``, no state that outlives a call.
"""

from __future__ import annotations

import io
import logging
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import groupby
from xml.etree import ElementTree

from seethrough.auditor.report.words import ATTACKERS, above_chance
from seethrough.auditor.types import Reading

MARKERS = {"dlib": "o", "mobilefacenet": "D"}
OTHER_MARKER = "s"

_WIDTH = 340.0  # user units; fits a phone without shrinking the words
_LEFT, _RIGHT, _TOP, _BOTTOM = 2.0, 26.0, 22.0, 24.0
_LABEL, _ROW, _GAP = 16.0, 13.0, 11.0
_INK, _MUTED, _FAINT, _ALARM = "#1b1b1b", "#595959", "#dedbd4", "#a3271f"


def odds_plot(readings: Sequence[Reading], identity: str) -> str:
    """Draw one line for each reading: the odds, their interval, and chance as a dashed line.

    Parameters
    ----------
    readings : sequence of Reading
        At least one. Their odds out of 100 are drawn, on a logarithmic axis.
    identity : str
        Unique in the page; prefixes the identifiers inside the SVG.

    Returns
    -------
    str
        An ``<svg>`` element for HTML: no declaration, no namespaces, hidden from screen readers
        (the table beside it says the same).
    """
    with _quiet():
        import matplotlib as mpl
        from matplotlib.backends.backend_svg import FigureCanvasSVG
        from matplotlib.figure import Figure

    ordered = sorted(readings, key=lambda r: (r.level, r.recogniser))
    groups = [(level, list(rows)) for level, rows in groupby(ordered, key=lambda r: r.level)]
    body = sum(_LABEL + _ROW * len(rows) + _GAP for _, rows in groups)
    height = _TOP + body + _BOTTOM

    # The context restores every setting; text stays text, in the page's own typeface.
    with mpl.rc_context({"svg.fonttype": "none", "svg.hashsalt": identity, "font.size": 12}):
        figure = Figure(figsize=(_WIDTH / 72, height / 72), facecolor="none")
        FigureCanvasSVG(figure)
        axes = figure.add_axes(
            (
                _LEFT / _WIDTH,
                _BOTTOM / height,
                (_WIDTH - _LEFT - _RIGHT) / _WIDTH,
                body / height,
            ),
            facecolor="none",
        )
        people = ordered[0].of_100.people
        floor = 1 / (3 * people)
        axes.set_xscale("log")
        axes.set_xlim(floor, 1)
        axes.set_ylim(body, 0)
        axes.set_yticks([])
        ticks = [n for n in (300, 100, 30, 10, 3) if n <= people]
        axes.set_xticks(
            [*(1 / n for n in ticks), 1],
            [*(f"1 in {n}" for n in ticks), "always"],
            color=_MUTED,
        )
        axes.xaxis.minorticks_off()
        axes.tick_params(length=0, pad=6)
        axes.grid(axis="x", color=_FAINT, linewidth=1)
        for spine in axes.spines.values():
            spine.set_visible(False)
        axes.axvline(1 / people, color=_INK, linewidth=1.2, dashes=(4, 3), zorder=1.5)
        axes.text(1 / people, -8, "blind guess", ha="center", color=_INK)

        y = 0.0
        for level, rows in groups:
            y += _LABEL
            axes.text(
                floor,
                y - 4,
                f"{ATTACKERS[level].name} ({level})",
                color=_INK,
                bbox={"facecolor": "white", "edgecolor": "none", "pad": 1.5},
            )
            for reading in rows:
                y += _ROW
                odds = reading.of_100
                colour = _ALARM if above_chance(odds) else _MUTED
                low, p, high = (max(value, floor) for value in (odds.low, odds.p, odds.high))
                middle = y - _ROW / 2
                axes.plot(
                    (low, high), (middle, middle), color=colour, linewidth=3, alpha=0.45,
                    solid_capstyle="butt",
                )  # fmt: skip
                axes.plot(
                    p, middle, MARKERS.get(reading.recogniser, OTHER_MARKER), color=colour,
                    markersize=7 if reading.recogniser == "dlib" else 6, markeredgecolor=colour,
                    markerfacecolor=colour if reading.recogniser == "dlib" else "white",
                    markeredgewidth=1.6, clip_on=False, zorder=3,
                )  # fmt: skip
            y += _GAP
        drawn = io.StringIO()
        figure.savefig(
            drawn,
            format="svg",
            metadata={"Date": None, "Creator": None, "Format": None, "Type": None},
        )
    return _for_html(drawn.getvalue(), identity)


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep "building the font cache" from standard error: the first import may take a while."""
    logger = logging.getLogger("matplotlib")
    level = logger.level
    logger.setLevel(logging.ERROR)
    try:
        yield
    finally:
        logger.setLevel(level)


def _for_html(svg: str, identity: str) -> str:
    """Strip what only a stand-alone file needs, and keep identifiers apart from other plots'."""
    root = ElementTree.fromstring(svg)
    for parent in root.iter():
        for child in list(parent):
            if child.tag.endswith("}metadata"):
                parent.remove(child)
    for element in root.iter():
        element.tag = element.tag.rpartition("}")[2]
        attributes = list(element.attrib.items())
        element.attrib.clear()
        for qualified, value in attributes:
            name = qualified.rpartition("}")[2]
            if name == "id":
                value = f"{identity}-{value}"
            elif name == "href":
                value = f"#{identity}-{value.removeprefix('#')}"
            element.set(name, value.replace("url(#", f"url(#{identity}-"))
    for name in ("width", "height", "version"):
        root.attrib.pop(name, None)
    root.set("class", "odds")
    root.set("aria-hidden", "true")
    return ElementTree.tostring(root, encoding="unicode")
