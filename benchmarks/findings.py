"""Writes ``docs/findings.md`` and its plots from the rates of :mod:`benchmarks.leakage`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import matplotlib

from benchmarks.styles import SOLID
from seethrough.auditor.rates import Rate

matplotlib.use("svg")

import matplotlib.pyplot as plt

Rates = Sequence[Rate]

ATTACKERS = {
    "A0": "A0, recognises it as it is",
    "A1": "A1, covers its gallery too",
    "A2": "A2, restores first",
    "A3": "A3, trained to read it",
    "A2+A3": "A2 and A3 together",
    "A5": "A5, sees only what is left uncovered",
}
RECOGNISERS = {"dlib": "dlib", "mobilefacenet": "MobileFaceNet"}
COLOURS = {
    "A0": "#777777",
    "A1": "#a65628",
    "A2": "#1f78b4",
    "A3": "#33863a",
    "A2+A3": "#b2182b",
    "A5": "#6a3d9a",
}
STRENGTHS = {
    "mosaic": "cells per face width",
    "gauss": "blur's sigma per face width",
    "box": "box blur's size per face width",
}


def write(
    folder: Path,
    rates: Rates,
    contamination: tuple[float, float, float],
    made: Mapping[str, str],
    scenes: Rates = (),
) -> None:
    """Write ``findings.md`` and ``images/leakage-*.svg`` into a folder.

    Parameters
    ----------
    folder : Path
        Made where missing.
    rates : sequence of Rate
        Of every style, attacker and recogniser.
    contamination : (float, float, float)
        From :func:`benchmarks.leakage.contamination`.
    made : mapping
        Where the figures come from.
    scenes : sequence of Rate
        Of a context attacker that blanks its photos too, under solid covers.
    """
    images = folder / "images"
    images.mkdir(parents=True, exist_ok=True)
    drawn = [
        (family, file) for family in STRENGTHS if (file := plot(images, family, rates)) is not None
    ]
    parts = [
        "# Findings: what does a cover still give away, and to whom?\n",
        (
            "Written by `python -m benchmarks.run leakage`; do not edit. Definitions, all figures "
            "and their intervals: [RESULTS.md](../benchmarks/RESULTS.md).\n"
        ),
        _introduction(rates),
        "## In short\n",
        "\n".join(_short(rates)),
        "## Strength\n",
        "\n".join(
            f"![Share of people picked out of 1,000, against {STRENGTHS[family]}](images/{file})\n"
            for family, file in drawn
        ),
        (
            "Bands are 95 % intervals; the dotted line is chance, the dashed one the rate for the "
            "same photos uncovered.\n"
        ),
        "## Every style, its strongest attacker\n",
        _table(rates),
        "## Not distinguishable from chance by our attackers\n",
        _safe(rates),
        "## What lies around a solid cover\n",
        _around(rates, scenes),
        "## Another recogniser's view\n",
        _second(rates),
        "## How far to trust this\n",
        _limits(rates, contamination),
        "\n".join(f"- {name}: {value}" for name, value in made.items()),
    ]
    text = "\n".join(part.rstrip("\n") + "\n" for part in parts if part)
    (folder / "findings.md").write_text(text, encoding="utf-8")


def plot(folder: Path, family: str, rates: Rates) -> str | None:
    """Draw rank-1 at N = 1,000 against strength; ``None`` where nothing was measured."""
    chosen = [r for r in rates if r.family == family and "+" not in r.style and r.relative]
    if not chosen:
        return None
    with plt.rc_context({"svg.hashsalt": "seethrough", "font.size": 9, "axes.spines.top": False}):
        figure, panels = plt.subplots(1, 2, figsize=(9, 3.6), sharey=True, layout="constrained")
        for axis, (recogniser, name) in zip(panels, RECOGNISERS.items(), strict=True):
            for attacker, words in ATTACKERS.items():
                points = sorted(
                    (r.relative or 0.0, *r.of_1000)
                    for r in chosen
                    if (r.attacker, r.recogniser) == (attacker, recogniser)
                )
                if not points:
                    continue
                x, middle, low, high = zip(*points, strict=True)
                colour = COLOURS[attacker]
                axis.plot(x, middle, marker="o", markersize=3, color=colour, label=words)
                axis.fill_between(x, low, high, color=colour, alpha=0.12, linewidth=0)
            axis.axhline(0.001, color="black", linestyle=":", linewidth=1)
            if (clean := _rate(rates, "clean", "A0", recogniser)) is not None:
                axis.axhline(clean.of_1000[0], color="black", linestyle="--", linewidth=1)
            axis.set(title=name, xlabel=STRENGTHS[family], xscale="log", ylim=(0, 1))
            ticks = sorted({round(r.relative or 0.0, 3) for r in chosen})
            axis.set_xticks(ticks, [f"{tick:.2g}" for tick in ticks])
            axis.minorticks_off()
        panels[0].set_ylabel("picked out of 1,000 people")
        panels[0].yaxis.set_major_formatter(matplotlib.ticker.PercentFormatter(1))
        panels[1].legend(frameon=False, fontsize=8)
        file = f"leakage-{family}.svg"
        figure.savefig(folder / file, metadata={"Date": None})
        plt.close(figure)
    return file


def _introduction(rates: Rates) -> str:
    clean = {name: _rate(rates, "clean", "A0", name) for name in RECOGNISERS}
    words = " and ".join(
        f"{_percent(rate.of_1000[0])} ({RECOGNISERS[name]})" for name, rate in clean.items() if rate
    )
    people = max((rate.people for rate in rates), default=0)
    return (
        "An attacker has a photo of each of 1,000 (or 100) people and the covered face of one of "
        f"them, from another photo. How often does it pick the right one? Measured on {people} "
        "people of Labeled Faces in the Wild whom no part was trained or calibrated on, faces of "
        "128 px whose tight width is 72 px. Uncovered, the same photos are matched in "
        f"{words} of cases out of 1,000; a blind guess is right in 0.1 % out of 1,000 and 1 % out "
        "of 100.\n\nAttackers know how the face was covered: the audit finds that out by itself. "
        "A1, A2 and A3 cover their 1,000 photos in the same way, and read these too."
        "\n\nAn attacker who knows more, has several pictures of one scene, or trains "
        "longer, does better than these.\n"
    )


def _short(rates: Rates) -> Iterable[str]:
    """One sentence for each cover that people ask about."""
    asked = {
        "mosaic-8": "A mosaic of 9 cells across the face",
        "mosaic-12": "A mosaic of 6 cells across the face",
        "mosaic-20": "A mosaic of 3.6 cells across the face",
        "gauss-6": "A Gaussian blur of a twelfth of the face's width",
        "gauss-12": "A Gaussian blur of a sixth of the face's width",
        "eye-bar": "A black bar over the eyes",
        "mask-face": "A black mask over the face",
        "mask-head": "A black mask over the head",
        "silhouette": "A silhouette",
    }
    for style, words in asked.items():
        best = _strongest(rates, style)
        if best is None:
            continue
        tail = "" if best.significant else "; not distinguishable from chance"
        yield (
            f"- {words} (`{style}`): the strongest attacker ({best.attacker}, "
            f"{RECOGNISERS[best.recogniser]}) picks the right person in {_interval(best.of_1000)} "
            f"of cases out of 1,000, {_percent(best.of_100[0])} out of 100{tail}."
        )
    yield ""


def _table(rates: Rates) -> str:
    lines = [
        "| style | strongest attacker | out of 1,000 | out of 100 | `+h264 23`, out of 1,000 |",
        "|---|---|---:|---:|---:|",
    ]
    for style in dict.fromkeys(r.style for r in rates if "+" not in r.style):
        best = _strongest(rates, style)
        if best is None:
            continue
        coded = _strongest(rates, f"{style}+h264-23")
        cells = (
            f"`{style}`",
            f"{best.attacker}, {RECOGNISERS[best.recogniser]}",
            _interval(best.of_1000),
            _interval(best.of_100),
            "" if coded is None else _interval(coded.of_1000),
        )
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines) + "\n"


def _safe(rates: Rates) -> str:
    names = list(dict.fromkeys(r.style for r in rates if r.family not in ("clean", "x4")))
    safe = [n for n in names if not any(r.significant for r in rates if r.style == n)]
    lines = [
        (
            "No attacker, through either recogniser, was above chance (p < 0.01, corrected for all "
            "styles and attackers). That is no proof that nothing is left: it is the reach of "
            "these attackers on so many people. For what the cover leaves in sight stands the "
            "context attacker's rate with its 95 % upper bound.\n"
        ),
        "| style | A5, out of 1,000, at most | A5, out of 100, at most |",
        "|---|---:|---:|",
    ]
    tried = any(r.attacker == "A5" for r in rates)
    for name in safe:
        context = [r for r in rates if (r.style, r.attacker) == (name, "A5")]
        bounds = (
            [f"{_percent(max(getattr(r, key)[2] for r in context))}" for key in _KEYS]
            if context
            else ["nothing in sight" if tried else "not measured"] * 2
        )
        lines.append(f"| `{name}` | {bounds[0]} | {bounds[1]} |")
    return "None.\n" if not safe else "\n".join(lines) + "\n"


def _around(rates: Rates, scenes: Rates) -> str:
    """What the context attacker makes of it, and one that looks for the scene."""
    solid = [
        f"- `{name}`: A5 picks the right person in {_interval(best.of_1000)} of cases out of "
        f"1,000, {_interval(best.of_100)} out of 100"
        + (", above chance." if best.significant else ", not above chance.")
        for name in SOLID
        if (best := _strongest(rates, name, "A5")) is not None
    ]
    again = [
        f"- `{name}`: {_interval(best.of_1000)} out of 1,000, {_interval(best.of_100)} out of 100."
        for name in SOLID
        if (best := _strongest(scenes, name)) is not None
    ]
    if again:
        again.insert(
            0,
            "\nA context attacker that blanks its photos as well, and compares what is left in "
            "both, looks for the same scene: background, light, clothes. Where it has another "
            "photo of the same occasion, no cover of the face helps. It picks the right person "
            "in\n",
        )
    return "\n".join([*solid, *again]) + "\n"


_KEYS = ("of_1000", "of_100")


def _second(rates: Rates) -> str:
    lines = [
        (
            "The trained attacker learned dlib's descriptors; MobileFaceNet judges it too. Rank-1 "
            "out of 1,000:\n"
        ),
        "| style | recogniser | A2 | A3 | A2 and A3 |",
        "|---|---|---:|---:|---:|",
    ]
    for style in ("mosaic-8", "mosaic-12", "gauss-6", "gauss-8"):
        for recogniser, name in RECOGNISERS.items():
            cells = [_rate(rates, style, a, recogniser) for a in ("A2", "A3", "A2+A3")]
            if any(cells):
                shown = ["" if c is None else _percent(c.of_1000[0]) for c in cells]
                lines.append(f"| `{style}` | {name} | " + " | ".join(shown) + " |")
    return "\n".join(lines) + "\n"


def _limits(rates: Rates, contamination: tuple[float, float, float]) -> str:
    everybody, apart, largest = contamination
    return (
        "- Faces are roughly frontal and 128 px; people are public figures of the 2000s, mostly "
        "adults. Other faces may be easier or harder.\n"
        "- `silhouette` is the head mask with everything below the chin, for want of a "
        "segmentation; clothes and posture, which a person knows again, are in no figure.\n"
        f"- Contamination: rank-1 of A2, A3 and A5 over all plain styles is {_percent(everybody)} "
        f"with, and {_percent(apart)} without people who lie near a training face; the largest "
        f"difference in one row is {100 * largest:.1f} points.\n"
        "- A restoration is a guess; a match is a measurement. Neither is evidence of who someone "
        "is.\n"
    )


def _rate(rates: Rates, style: str, attacker: str, recogniser: str) -> Rate | None:
    wanted = (style, attacker, recogniser)
    return next((r for r in rates if (r.style, r.attacker, r.recogniser) == wanted), None)


def _strongest(rates: Rates, style: str, attacker: str | None = None) -> Rate | None:
    found = [r for r in rates if r.style == style and attacker in (None, r.attacker)]
    return max(found, key=lambda r: (r.of_1000[0], r.of_100[0]), default=None)


def _percent(share: float) -> str:
    return f"{100 * share:.1f} %"


def _interval(rate: tuple[float, float, float]) -> str:
    return f"{_percent(rate[0])} ({100 * rate[1]:.1f} to {100 * rate[2]:.1f})"
