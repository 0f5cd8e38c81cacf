"""How much identity covers leave (PROTOCOL section 4): ``python -m benchmarks.run leakage``.

Writes ``docs/findings.md`` with its plots and ``seethrough/assets/leakage.json`` beside its
section; a limited run writes both to the benchmarks' cache instead. What attackers read is kept
there too, so that a run which was stopped goes on where it was. Run ``odds`` first: it fits the
weight by which the trained attacker is added to the restoring one.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import numpy.typing as npt

from benchmarks import findings, parts, results
from benchmarks.identification import (
    SIGNIFICANT,
    binomial_tail,
    holm,
    outcome,
    wilson,
)
from benchmarks.leakage_rows import GOALS, Otherwise, Row, apart
from benchmarks.odds import asset as odds_asset
from benchmarks.reads import People, Reader
from benchmarks.results import ROOT, Column, Estimate, Options, Section, Table, Value
from benchmarks.sets import provenance
from benchmarks.styles import SOLID, Style, styles, with_codec
from seethrough.auditor import odds, rates
from seethrough.auditor.recognisers import RECOGNISERS
from seethrough.weights import ASSETS

ENCODED_PEOPLE = 250
"""Probes of encoded styles: x264 takes 0.1 s for each."""
APART = 0.02
"""Mean rank-1 with and without people near the training set may differ by so much; beyond it, all
figures are without them."""


def measured(
    reader: Reader,
    style: Style,
    people: People,
    fusion: odds.Fusion,
    seed: int,
) -> list[Row]:
    """Every attacker and recogniser on one style."""
    found = []
    owners = reader.owners(people)
    for name in reader.names:
        if not reader.applies(name, style) or (style.base == "clean" and name not in ("A0", "A3")):
            continue
        for recogniser, similarities in reader.similarities(name, style, people, fusion).items():
            scored = outcome(similarities, owners, seed)
            found.append(Row(style, name, recogniser, people, scored))
    return found


def judged(rows: Sequence[Row], crowd: int) -> list[Row]:
    """Say which rows are above chance, corrected over all of them."""
    values = [
        binomial_tail(int(row.scored.first.sum() + 1e-6), len(row.people), 1 / crowd)
        for row in rows
    ]
    return [
        replace(row, significant=significant)
        for row, significant in zip(rows, holm(values), strict=True)
    ]


def run(options: Options) -> Section:
    """Measure every style, plain and encoded; write the findings and the package's rates."""
    reader = Reader(options)
    fusion = _fusion(options)
    plain = list(styles())
    encoded = [with_codec(style) for style in plain if style.operator is not None]
    otherwise = Otherwise.of(reader, options)
    rows: list[Row] = []
    for style in plain:
        rows += measured(reader, style, reader.reported, fusion, options.seed)
        print(style.name, file=sys.stderr, flush=True)
    results.save(
        _written(reader, rows, otherwise, options)
    )  # for a run that is stopped while encoding
    fewer = reader.reported[:: max(1, len(reader.reported) // ENCODED_PEOPLE)]
    for style in encoded:
        rows += measured(reader, style, fewer, fusion, options.seed)
        print(style.name, file=sys.stderr, flush=True)
    return _written(reader, rows, otherwise, options)


def _written(
    reader: Reader, rows: Sequence[Row], otherwise: Otherwise, options: Options
) -> Section:
    """Judge the rows, and write the findings and the package's rates."""
    near = contamination(rows, reader.people.near)
    if abs(near[0] - near[1]) > APART:
        rows = [apart(row, reader.people.near) for row in rows]
        otherwise = otherwise.without(reader.people.near)
    rows = judged(rows, len(reader.crowd))
    found = tuple(row.rate() for row in rows)
    package, docs = _folders(options)
    (package / rates.FILE).write_text(rates.to_json(found), encoding="utf-8")
    section = _section(reader, rows, near, options, otherwise)
    scenes = tuple(row.rate() for row in otherwise.scenes)
    findings.write(docs, found, near, section.provenance, scenes)
    return section


def _folders(options: Options) -> tuple[Path, Path]:
    """Where rates and findings go: a limited run never touches the package or its docs."""
    if options.limit is None:
        return ASSETS, ROOT.parent / "docs"
    return parts.cache_folder(), parts.cache_folder()


def _fusion(options: Options) -> odds.Fusion:
    """The weights that ``odds`` fitted."""
    path = odds_asset(options)
    if not path.exists():
        return odds.alike(dict.fromkeys(RECOGNISERS, 1.0))
    return odds.from_json(path.read_text(encoding="utf-8")).fusion


def contamination(rows: Sequence[Row], near: npt.NDArray[np.bool_]) -> tuple[float, float, float]:
    """Rank-1 of all people, of those not near the training set, and the largest difference.

    The first two are means over the attackers that read restored or covered faces (A2, A3, A2+A3,
    A5) and over plain covers; the last is that of a single row's two figures.
    """
    pairs = []
    for row in rows:
        far = ~near[row.people]
        if row.attacker in ("A0", "A1") or row.style.codec or not far.any():
            continue
        pairs.append((float(row.scored.first.mean()), float(row.scored.first[far].mean())))
    if not pairs:
        return 0.0, 0.0, 0.0
    everybody, others = np.array(pairs).T
    return float(everybody.mean()), float(others.mean()), float(np.abs(everybody - others).max())


def _section(
    reader: Reader,
    rows: Sequence[Row],
    near: tuple[float, float, float],
    options: Options,
    otherwise: Otherwise,
) -> Section:
    crowd = len(reader.crowd)
    columns = (
        Column("style", "style"),
        Column("attacker", "attacker"),
        *(
            Column(f"{recogniser} {key}", f"{recogniser}: {words}", 1, share=True)
            for recogniser in RECOGNISERS
            for key, words in (
                ("first", f"rank-1, N = {crowd:,}"),
                ("tenth", f"rank-10, N = {crowd:,}"),
                ("of_100", "rank-1, N = 100"),
                ("accepted", "TAR at FAR 0.001"),
            )
        ),
        Column("above", "above chance"),
    )
    by_codec: dict[bool, list[dict[str, Value]]] = {False: [], True: []}
    for style, attacker in dict.fromkeys((row.style.name, row.attacker) for row in rows):
        line: dict[str, Value] = {"style": f"`{style}`", "attacker": attacker}
        above = []
        for row in rows:
            if (row.style.name, row.attacker) != (style, attacker):
                continue
            key = row.recogniser
            line[f"{key} first"] = wilson(row.scored.first)
            line[f"{key} tenth"] = float(row.scored.tenth.mean())
            line[f"{key} of_100"] = wilson(row.scored.of_100)
            line[f"{key} accepted"] = float(row.scored.accepted.mean())
            above += [key] if row.significant else []
        line["above"] = ", ".join(above) if above else "no"
        by_codec["+" in style].append(line)
    everybody, without, largest = near
    alike = int(reader.people.near[reader.reported].sum())
    without_near = "; all figures here are without them" if abs(everybody - without) > APART else ""
    text = f"""\
`eval/lfw`: photo 1 of {len(reader.reported)} people, covered, against photo 0 of {crowd:,} people;
chance is {100 / crowd:g} % and 1 %. N = 100: mean of ten seeded draws. Intervals are Wilson's,
95 %. Above chance: binomial at rank-1 of the whole gallery, p < {SIGNIFICANT}, Holm-corrected over
both tables. `A3` is the trained attacker alone and `A2+A3` fused, which the audit calls A3; for
MobileFaceNet its prediction of dlib's descriptor is carried over by a linear map. Under solid
covers A0-A3 see the covered pixels only. Our settings: `benchmarks/styles.py`; `+h264-23` as in the
restoration benchmark, at most {ENCODED_PEOPLE} people. A1, A2 and A3 cover their photos too, never
encoded; PROTOCOL says so of A1 alone. Photos in which no face was found: {reader.people.unseen}.
Contamination: {alike} people lie near a training face (0.5, dlib); rank-1 of A2, A3 and A5, mean
over plain styles, is {100 * everybody:.2f} % with them and {100 * without:.2f} % without, the
largest difference in one row {100 * largest:.1f} points{without_near}."""
    captions = {False: "Plain", True: "After `+h264-23`"}
    tables = [
        Table(captions[codec], columns, tuple(lines)) for codec, lines in by_codec.items() if lines
    ]
    weights = ", ".join(f"{name} {sha}" for name, sha in reader.weights.items())
    return Section(
        key="leakage",
        title="Leakage: how much identity covers leave",
        text=text.replace("\n", " "),
        tables=(_goals(rows), _bare_goals(otherwise.bare), *tables),
        provenance={"weights": weights, **provenance(options)},
    )


def _goals(rows: Sequence[Row]) -> Table:
    """What the project set out to reach."""

    def reached(style: str, attacker: str, recogniser: str = "dlib") -> Estimate | None:
        for row in rows:
            if (row.style.name, row.attacker, row.recogniser) == (style, attacker, recogniser):
                return wilson(row.scored.first)
        return None

    found: list[dict[str, Value]] = []
    for style, goal in GOALS.items():
        best = reached(style, "A2+A3")
        if best is None:
            continue
        met = "yes" if best.mean >= goal else "no"
        found.append(
            {
                "what": f"`{style}`, A2+A3, rank-1",
                "measured": best,
                "goal": f"{100 * goal:g} %",
                "met": met,
            }
        )
        for recogniser in RECOGNISERS:
            fused, alone = (reached(style, a, recogniser) for a in ("A2+A3", "A2"))
            third = reached(style, "A3", recogniser)
            assert fused is not None
            assert alone is not None
            assert third is not None
            met = "yes" if fused.mean > max(alone.mean, third.mean) else "no"
            what = f"`{style}`, {recogniser}: fused beats A2 ({100 * alone.mean:.1f} %) and A3"
            found.append({"what": what, "measured": fused, "goal": "beats each", "met": met})
    blind = [r for r in rows if r.style.base in SOLID and r.attacker != "A5"]
    if blind:
        worst = max((wilson(r.scored.first) for r in blind), key=lambda e: e.mean)
        found.append(
            {
                "what": "solid covers, A0-A3, highest rank-1",
                "measured": worst,
                "goal": "not above chance",
                "met": "no" if any(r.significant for r in blind) else "yes",
            }
        )
    columns = (
        Column("what", "goal"),
        Column("measured", "measured", 1, share=True),
        Column("goal", "reach"),
        Column("met", "met"),
    )
    return Table("Against the goals", columns, tuple(found))


def _bare_goals(rows: Sequence[Row]) -> Table:
    """The same bars for attackers that leave their photos as they are."""
    found: list[dict[str, Value]] = []
    for style, goal in GOALS.items():
        for recogniser in RECOGNISERS:
            chosen = [r for r in rows if (r.style.name, r.recogniser) == (style, recogniser)]
            line: dict[str, Value] = {"style": f"`{style}`", "recogniser": recogniser}
            line |= {row.attacker: wilson(row.scored.first) for row in chosen}
            line["goal"] = f"{100 * goal:g} %" if recogniser == "dlib" else ""
            found.append(line)
    columns = (
        Column("style", "style"),
        Column("recogniser", "recogniser"),
        *(Column(name, name, 1, share=True) for name in ("A2", "A3", "A2+A3")),
        Column("goal", "reach, A2+A3"),
    )
    return Table("Rank-1 where A2 and A3 leave their photos as they are", columns, tuple(found))
