"""Runs benchmarks, stores their sections and writes ``RESULTS.md``.

``python -m benchmarks.run [NAME ...]`` measures those named (all, without a name) and writes the
page again from every stored section; ``--render`` only writes the page.
"""

from __future__ import annotations

import argparse
import importlib
import shlex
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import cv2

from benchmarks import results
from benchmarks.results import Options

MODULES = ("restoration", "location", "operator_finder", "text", "compute")
"""Modules of this package that offer ``run(options) -> Section``, in the order of the page."""
ORDER = tuple(name.replace("_", "-") for name in MODULES)


def main(arguments: Sequence[str] | None = None) -> None:
    """Command line."""
    words = list(sys.argv[1:] if arguments is None else arguments)
    parser = argparse.ArgumentParser(prog="benchmarks.run", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=", ".join(MODULES))
    parser.add_argument("--render", action="store_true", help="measure nothing")
    parser.add_argument("--limit", type=int, help="only the first so many of each set")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--weights", type=Path, help="another restorer.onnx")
    parser.add_argument("--sheets", type=Path, help="folder for contact sheets, not in the tree")
    given = parser.parse_args(words)
    if unknown := set(given.names) - set(MODULES):
        parser.error(f"no benchmark is named {', '.join(sorted(unknown))}")
    cv2.setNumThreads(given.threads)
    options = Options(
        shared=results.default_shared(),
        limit=given.limit,
        threads=given.threads,
        seed=given.seed,
        weights=given.weights,
        sheets=given.sheets,
    )
    for name in () if given.render else given.names or MODULES:
        print(f"{name} ...", file=sys.stderr, flush=True)
        section = importlib.import_module(f"benchmarks.{name}").run(options)
        command = f"`python -m benchmarks.run {shlex.join(words)}`"
        provenance = {"command": command, **section.provenance}
        results.save(replace(section, provenance=provenance), results.SECTIONS)
    page = results.render(results.SECTIONS, order=ORDER)
    results.REPORT.write_text(page, encoding="utf-8")


if __name__ == "__main__":
    main()
