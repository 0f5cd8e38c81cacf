"""Words on standard error, and the progress bar between them."""

from __future__ import annotations

import contextlib
import sys
import traceback
from collections.abc import Callable, Iterable, Iterator
from typing import TypeVar

from seethrough.errors import SeeThroughError, UsageError

T = TypeVar("T")


def line(text: str) -> str:
    """Return a text as one line, whatever a file name in it may hold."""
    return " ".join(text.split())


class Voice:
    """What a command says while it works.

    Parameters
    ----------
    quiet : bool
        Errors only.
    verbose : bool
        A line for each input of a folder, and tracebacks.

    Raises
    ------
    UsageError
        Where both are wanted.
    """

    def __init__(self, *, quiet: bool = False, verbose: bool = False) -> None:
        if quiet and verbose:
            raise UsageError("--quiet and --verbose contradict each other", "give one of them")
        self.quiet = quiet
        self.verbose = verbose
        self._write: Callable[[str], None] = _to_stderr

    def say(self, text: str) -> None:
        """Write a line, unless quiet."""
        if not self.quiet:
            self._write(line(text))

    def complain(self, error: SeeThroughError) -> None:
        """Write the one line of an error, and with verbose its traceback."""
        self._write(f"seethrough: error: {line(str(error))}")
        if self.verbose:
            self._write("".join(traceback.format_exception(error)).rstrip())

    @contextlib.contextmanager
    def bar(self, title: str, steps: Iterable[T], total: int) -> Iterator[Iterable[T]]:
        """Show a progress bar while the steps are taken, if standard error is a terminal."""
        if self.quiet or not sys.stderr.isatty():
            yield steps
            return
        from rich.console import Console
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

        console = Console(stderr=True, soft_wrap=True, markup=False, highlight=False, emoji=False)
        columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
        with Progress(*columns, console=console, transient=True) as progress:
            self._write = console.print
            try:
                yield progress.track(steps, total=total, description=title)
            finally:
                self._write = _to_stderr


def _to_stderr(text: str) -> None:
    print(text, file=sys.stderr, flush=True)
