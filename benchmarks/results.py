"""What a benchmark hands back, its JSON file, and ``RESULTS.md`` made from all of them.

Each benchmark module offers ``run(options: Options) -> Section``. A section is stored as
``benchmarks/results/KEY.json``; :func:`render` turns the stored sections into Markdown, so
that one benchmark can be run again without the others.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeAlias

ROOT = Path(__file__).resolve().parent
SECTIONS = ROOT / "results"
REPORT = ROOT / "RESULTS.md"


@dataclass(frozen=True, slots=True)
class Estimate:
    """A mean over ``n`` pictures (or people, or lines) with its 95 % interval."""

    mean: float
    low: float
    high: float
    n: int


Value: TypeAlias = str | int | float | Estimate | None


@dataclass(frozen=True, slots=True)
class Column:
    """One column: the key in each row, its heading, and decimals for numbers.

    ``share`` prints fractions as per cent.
    """

    key: str
    heading: str
    digits: int = 2
    share: bool = False


@dataclass(frozen=True, slots=True)
class Table:
    """A caption, columns, and rows keyed by ``Column.key`` (a missing key is an empty cell)."""

    caption: str
    columns: tuple[Column, ...]
    rows: tuple[Mapping[str, Value], ...]

    def __post_init__(self) -> None:
        known = {column.key for column in self.columns}
        for row in self.rows:
            if stray := set(row) - known:
                raise ValueError(f"table {self.caption!r} has no column for {sorted(stray)}")


@dataclass(frozen=True, slots=True)
class Goal:
    """One figure, and the bar that the project set itself."""

    what: str
    measured: float
    bar: float
    least: bool

    @property
    def met(self) -> bool:
        """Whether the figure is on the right side of the bar."""
        return self.measured >= self.bar if self.least else self.measured <= self.bar


def goals(caption: str, found: Sequence[Goal], *, issue: str = "first issue") -> Table:
    """Tabulate figures beside their bars, and which issue has set these."""
    columns = (
        Column("what", f"goal of the {issue}"),
        Column("measured", "measured", 3),
        Column("goal", "reach"),
        Column("met", "met"),
    )
    rows = tuple(
        {
            "what": goal.what,
            "measured": goal.measured,
            "goal": f"at {'least' if goal.least else 'most'} {goal.bar:.3g}",
            "met": "yes" if goal.met else "no",
        }
        for goal in found
    )
    return Table(caption, columns, rows)


@dataclass(frozen=True, slots=True)
class Section:
    """One benchmark's outcome.

    Attributes
    ----------
    key : str
        File name under ``benchmarks/results`` and order key; letters and dashes.
    title : str
        Heading.
    text : str
        Markdown before the tables: what was measured, on what, and our settings.
    tables : tuple of Table
        The figures.
    provenance : mapping of str to str
        Command, commit, weights and their sha256, CPU, versions.
    """

    key: str
    title: str
    text: str
    tables: tuple[Table, ...]
    provenance: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Options:
    """What every benchmark is told.

    Attributes
    ----------
    shared : Path
        The folder that holds ``data`` and ``protocol``.
    limit : int or None
        At most so many pictures of each set; ``None`` for all. A limited run is marked so.
    threads : int
        Threads for ONNX Runtime and OpenCV.
    seed : int
        Seeds every generator.
    weights : Path or None
        Another restorer than the packaged one.
    sheets : Path or None
        Folder for contact sheets; it must lie outside of the repository.
    """

    shared: Path
    limit: int | None = None
    threads: int = 1
    seed: int = 0
    weights: Path | None = None
    sheets: Path | None = None

    def __post_init__(self) -> None:
        if self.limit is not None and self.limit < 1:
            raise ValueError("limit must be at least 1")
        if self.threads < 1:
            raise ValueError("threads must be at least 1")
        if self.sheets is not None and self.sheets.resolve().is_relative_to(ROOT.parent):
            raise ValueError("contact sheets show people's faces: write them outside of the tree")


def default_shared() -> Path:
    """``$SEETHROUGH_SHARED``, else ``shared`` beside the repository."""
    return Path(os.environ.get("SEETHROUGH_SHARED", ROOT.parent.parent / "shared"))


def to_json(section: Section) -> str:
    """Serialise, losslessly: :func:`from_json` gives an equal section back."""

    def cell(value: Value) -> Any:
        if isinstance(value, Estimate):
            return {"mean": value.mean, "low": value.low, "high": value.high, "n": value.n}
        return value

    tables = [
        {
            "caption": table.caption,
            "columns": [
                {"key": c.key, "heading": c.heading, "digits": c.digits, "share": c.share}
                for c in table.columns
            ],
            "rows": [{key: cell(value) for key, value in row.items()} for row in table.rows],
        }
        for table in section.tables
    ]
    document = {
        "key": section.key,
        "title": section.title,
        "text": section.text,
        "provenance": dict(section.provenance),
        "tables": tables,
    }
    return json.dumps(document, indent=1, ensure_ascii=False, allow_nan=False) + "\n"


def from_json(text: str) -> Section:
    """Read what :func:`to_json` wrote."""

    def value(raw: Any) -> Value:
        return Estimate(**raw) if isinstance(raw, dict) else raw

    document = json.loads(text)
    return Section(
        key=document["key"],
        title=document["title"],
        text=document["text"],
        provenance=document["provenance"],
        tables=tuple(
            Table(
                caption=table["caption"],
                columns=tuple(Column(**column) for column in table["columns"]),
                rows=tuple({k: value(v) for k, v in row.items()} for row in table["rows"]),
            )
            for table in document["tables"]
        ),
    )


def _cell(value: Value, column: Column) -> str:
    if value is None:
        return ""
    if isinstance(value, str):
        return value.replace("|", "\\|")
    if isinstance(value, Estimate):
        factor, unit = (100, " %") if column.share else (1, "")
        mean, low, high = (
            f"{factor * x:.{column.digits}f}" for x in (value.mean, value.low, value.high)
        )
        return f"{mean}{unit} ({low} to {high})"
    if column.share:
        return f"{100 * value:.{column.digits}f} %"
    if isinstance(value, int):
        return str(value)
    return f"{value:.{column.digits}f}"


def markdown(section: Section) -> str:
    """One section as Markdown."""
    lines = [f"## {section.title}", "", section.text.strip(), ""]
    for table in section.tables:
        numeric = [
            any(not isinstance(r.get(c.key), str) for r in table.rows) for c in table.columns
        ]
        lines += [
            f"**{table.caption}**",
            "",
            "| " + " | ".join(c.heading for c in table.columns) + " |",
            "|" + "|".join("---:" if right else "---" for right in numeric) + "|",
        ]
        lines += [
            "| " + " | ".join(_cell(row.get(c.key), c) for c in table.columns) + " |"
            for row in table.rows
        ]
        lines.append("")
    if section.provenance:
        lines += [f"- {name}: {value}" for name, value in section.provenance.items()]
        lines.append("")
    return "\n".join(lines)


def save(section: Section, folder: Path = SECTIONS) -> Path:
    """Write ``folder/KEY.json``."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{section.key}.json"
    path.write_text(to_json(section), encoding="utf-8")
    return path


def render(folder: Path = SECTIONS, order: Sequence[str] = ()) -> str:
    """``RESULTS.md`` from the stored sections: those of ``order`` first, then by name."""
    stored = {path.stem: from_json(path.read_text("utf-8")) for path in folder.glob("*.json")}
    keys = [key for key in order if key in stored] + sorted(set(stored) - set(order))
    head = (
        "# Results\n\n"
        "Written by `python -m benchmarks.run`; do not edit. Definitions: "
        "[README.md](README.md). Means stand with their 95 % bootstrap interval in brackets.\n"
    )
    return "\n".join([head, *(markdown(stored[key]) for key in keys)])
