"""One loop over inputs for every verb: a failed input is recorded and the next one begins."""

from __future__ import annotations

import os
import time
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace

import numpy as np

from seethrough.errors import InputError, MissingPartError, SeeThroughError, one_line
from seethrough.files import check_output
from seethrough.pipeline.film_parts import remove_parts
from seethrough.pipeline.inputs import Item, check_picture
from seethrough.pipeline.options import RunOptions
from seethrough.pipeline.progress import Progress
from seethrough.pipeline.report import RESUMED, Record, Report
from seethrough.types import Image, WeightsUsed


@dataclass(eq=False)
class Run:
    """Planned work, done by iterating over it.

    Attributes
    ----------
    verb : str
        Its name.
    items : tuple of Item
        Inputs and their outputs.
    work : callable
        Handles one item that is free to be written, and returns its record.
    used : callable
        Returns the weights that were loaded.
    options : RunOptions
        Whether to overwrite or to resume.
    films : bool
        Whether ``work`` takes films; otherwise they are refused.
    progress : Progress
        Where ``work`` says how far it is inside one input; give it to both.
    records : list of Record
        What has been handled so far; it stays true where iteration is interrupted.
    """

    verb: str
    items: tuple[Item, ...]
    work: Callable[[Item], Record]
    used: Callable[[], tuple[WeightsUsed, ...]]
    options: RunOptions
    films: bool = False
    progress: Progress = field(default_factory=Progress)
    records: list[Record] = field(default_factory=list)
    _started: float = field(default_factory=time.perf_counter)

    def __len__(self) -> int:
        return len(self.items)

    def __iter__(self) -> Iterator[Record]:
        """Handle the items that are left, one after another, and yield their records."""
        for item in self.items[len(self.records) :]:
            record = self._handle(item)
            self.records.append(record)
            yield record
            if isinstance(record.error, MissingPartError):
                self.abandon(record.error.what)  # every other input would fail for that too
                return

    def abandon(self, reason: str) -> None:
        """Record the inputs that are left as failed, so that a report names every input."""
        left = self.items[len(self.records) :]
        self.records += [Record(item.source, None, "failed", reason) for item in left]

    def report(self) -> Report:
        """Return what has been done so far."""
        seconds = time.perf_counter() - self._started
        return Report(
            self.verb, tuple(self.records), self.used(), seconds, placed=self.options.placed
        )

    def finish(self) -> Report:
        """Handle what is left and return the report.

        Raises
        ------
        SeeThroughError
            The first failure, once every input has been handled.
        """
        for _ in self:
            pass
        report = self.report()
        report.raise_for_failure()
        return report

    def _handle(self, item: Item) -> Record:
        started = time.perf_counter()
        try:
            record = self._attempt(item)
        except SeeThroughError as error:
            record = _failed(item, error)
        except MemoryError as error:
            too_large = InputError(
                f"{item.source} needs more memory than there is", "reduce the picture first"
            )
            too_large.__cause__ = error
            record = _failed(item, too_large)
        except Exception as error:  # one bad file never stops the others
            defect = SeeThroughError(
                f"{item.source} met a defect of this program "
                f"({type(error).__name__}: {one_line(str(error))})",
                "run it again with --verbose and report what that says",
            )
            defect.__cause__ = error
            record = _failed(item, defect)
        return replace(record, seconds=time.perf_counter() - started)

    def _attempt(self, item: Item) -> Record:
        if item.error is not None:
            raise item.error
        if self.options.resume and self._finished(item):
            if item.film:  # stopped between the film's name and its tidying up
                remove_parts(item.output)
            return Record(item.source, item.output, "skipped", RESUMED)
        for path in item.outputs:
            # A run that stopped between an output and its comparison is resumed, not refused.
            check_output(path, overwrite=self.options.overwrite or self.options.resume)
        if not self.films:
            check_picture(item.source)
        return self.work(item)

    def _finished(self, item: Item) -> bool:
        """Tell whether an earlier run has made all that this one would make of an input."""
        return all(map(os.path.isfile, item.outputs))


def generator(seed: int, pixels: Image) -> np.random.Generator:
    """Return the source of everything random in one picture.

    It depends on the seed and the picture alone, not on its name or its place in a folder.
    """
    return np.random.default_rng([seed, zlib.crc32(np.ascontiguousarray(pixels).data)])


def _failed(item: Item, error: SeeThroughError) -> Record:
    return Record(item.source, None, "failed", error.what, error=error)
