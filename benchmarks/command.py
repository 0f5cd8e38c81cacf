"""The command lines of benchmarks: the options that they share, each written once."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence
from pathlib import Path

import cv2

from benchmarks import results
from benchmarks.results import Options, Section


def parser(module: str, description: str | None, *, threads: int = 1) -> argparse.ArgumentParser:
    """Return a parser that knows ``--limit --threads --seed --weights --sheets``.

    Parameters
    ----------
    module : str
        Name of the benchmark, as it stands after ``python -m``.
    description : str, optional
        Its docstring.
    threads : int
        Threads where none are given.
    """
    made = argparse.ArgumentParser(
        prog=f"python -m {module}",
        description=description,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    made.add_argument("--limit", type=int, metavar="N", help="only the first N of each set")
    made.add_argument("--threads", type=int, default=threads, metavar="N")
    made.add_argument("--seed", type=int, default=0, metavar="N")
    made.add_argument("--weights", type=Path, metavar="ONNX", help="another restorer")
    made.add_argument(
        "--sheets", type=Path, metavar="DIR", help="write contact sheets there, not in the tree"
    )
    return made


def options(given: argparse.Namespace) -> Options:
    """Return what was parsed as options, OpenCV's threads set by them."""
    cv2.setNumThreads(given.threads)
    return Options(
        shared=results.default_shared(),
        limit=given.limit,
        threads=given.threads,
        seed=given.seed,
        weights=given.weights,
        sheets=given.sheets,
    )


def print_section(
    module: str,
    description: str | None,
    run: Callable[[Options], Section],
    arguments: Sequence[str] | None = None,
) -> None:
    """Run one benchmark by its command line and print its section; nothing is stored."""
    given = parser(module, description).parse_args(arguments)
    print(results.markdown(run(options(given))))
