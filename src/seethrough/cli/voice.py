"""Words on standard error, and the progress bar between them."""

from __future__ import annotations

import contextlib
import traceback
from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING, TypeVar

from seethrough.cli.streams import on_terminal, to_stderr
from seethrough.errors import SeeThroughError, UsageError

if TYPE_CHECKING:
    from rich.progress import Progress, Task, TaskID

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
        self._write: Callable[[str], None] = to_stderr
        self._frames: _Frames | None = None

    def say(self, text: str) -> None:
        """Write a line, unless quiet."""
        if not self.quiet:
            self._write(line(text))

    def complain(self, error: SeeThroughError) -> None:
        """Write the one line of an error, and with verbose its traceback."""
        self._write(f"seethrough: error: {line(str(error))}")
        if self.verbose:
            self._write("".join(traceback.format_exception(error)).rstrip())

    def warn(self, words: str) -> None:
        """Write a warning in one line, unless quiet."""
        self.say(f"seethrough: warning: {words}")

    def step(self, stage: str, done: int, total: int | None) -> None:
        """Show how many frames of an input are through a stage, where a bar is shown."""
        if self._frames is not None:
            self._frames(stage, done, total)

    @contextlib.contextmanager
    def bar(self, title: str, steps: Iterable[T], total: int) -> Iterator[Iterable[T]]:
        """Show a progress bar while the steps are taken, if standard error is a terminal.

        A second bar appears for an input with frames (:meth:`step`): their pace, and the time
        that is left.
        """
        if self.quiet or not on_terminal():
            yield steps
            return
        from rich.console import Console
        from rich.progress import (
            BarColumn,
            MofNCompleteColumn,
            Progress,
            TextColumn,
            TimeRemainingColumn,
        )

        console = Console(stderr=True, soft_wrap=True, markup=False, highlight=False, emoji=False)
        columns = (
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("{task.fields[pace]}"),
            TimeRemainingColumn(compact=True),
        )
        with Progress(*columns, console=console, transient=True) as progress:
            self._write = console.print
            self._frames = _Frames(progress)
            whole = progress.add_task(title, total=total, pace="")
            try:
                yield progress.track(steps, task_id=whole, total=total)
            finally:
                self._write = to_stderr
                self._frames = None


class _Frames:
    """The bar of the frames of one input after another."""

    def __init__(self, progress: Progress) -> None:
        self._progress = progress
        self._task: TaskID | None = None
        self._stage = ""

    def __call__(self, stage: str, done: int, total: int | None) -> None:
        progress = self._progress
        if self._task is None or stage != self._stage or done < self._done():
            if self._task is not None:
                progress.remove_task(self._task)
            self._task = progress.add_task(f"  {stage}", total=total, pace="")
            self._stage = stage
        seconds = self._current().elapsed or 0.0
        pace = f"{done / seconds:.1f} fps" if seconds > 0.5 else ""
        total = None if total is None else max(total, done)
        progress.update(self._task, completed=done, total=total, pace=pace)
        if done == total:
            progress.remove_task(self._task)
            self._task = None

    def _current(self) -> Task:
        return next(task for task in self._progress.tasks if task.id == self._task)

    def _done(self) -> float:
        return self._current().completed
