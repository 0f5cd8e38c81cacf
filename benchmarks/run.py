"""Runs benchmarks, stores their sections and writes ``RESULTS.md``.

``python -m benchmarks.run [NAME ...]`` measures those named (all, without a name) and writes the
page again from every stored section; ``--render`` only writes the page.
"""

from __future__ import annotations

import importlib
import shlex
import sys
from collections.abc import Sequence
from dataclasses import replace

from benchmarks import command, results

MODULES = (
    "restoration",
    "realism",
    "dial",
    "real",
    "location",
    "tools",
    "operator_finder",
    "text",
    "compute",
    "photo",
    "small_faces",
    "footprint",
    "odds",
    "leakage",
    "audit_time",
    "films",
    "film_real",
    "film_restoration",
    "film_speed",
    "film_memory",
    "film_robustness",
    "film_fuzz",
)
"""Modules of this package that offer ``run(options) -> Section``, in the order of the page."""
ORDER = (*(name.replace("_", "-") for name in MODULES), "paper")


def main(arguments: Sequence[str] | None = None) -> None:
    """Command line."""
    words = list(sys.argv[1:] if arguments is None else arguments)
    parser = command.parser("benchmarks.run", __doc__, threads=2)
    parser.add_argument("names", nargs="*", metavar="NAME", help=", ".join(MODULES))
    parser.add_argument("--render", action="store_true", help="measure nothing")
    given = parser.parse_args(words)
    if unknown := set(given.names) - set(MODULES):
        parser.error(f"no benchmark is named {', '.join(sorted(unknown))}")
    options = command.options(given)
    for name in () if given.render else given.names or MODULES:
        print(f"{name} ...", file=sys.stderr, flush=True)
        section = importlib.import_module(f"benchmarks.{name}").run(options)
        called = f"`python -m benchmarks.run {shlex.join(words)}`"
        provenance = {"command": called, **section.provenance}
        results.save(replace(section, provenance=provenance), results.SECTIONS)
    page = results.render(results.SECTIONS, order=ORDER)
    results.REPORT.write_text(page, encoding="utf-8")


if __name__ == "__main__":
    main()
