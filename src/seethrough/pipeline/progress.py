"""How far a run is inside one input, and what it has to say meanwhile."""

from __future__ import annotations

import warnings
from typing import Protocol


class Listener(Protocol):
    """Hears of progress; the command line shows it."""

    def step(self, stage: str, done: int, total: int | None) -> None:
        """Hear that ``done`` frames of ``total`` (where known) are through a stage."""
        ...

    def warn(self, words: str) -> None:
        """Hear a sentence that whoever started the run should read."""
        ...


class Progress:
    """Passes on what happens inside an input, to whoever listens, if anybody does.

    Attributes
    ----------
    listener : Listener or None
        Who is told.
    stages : set of str
        Those that any input has come to.
    """

    def __init__(self) -> None:
        self.listener: Listener | None = None
        self.stages: set[str] = set()
        self._warned: set[str] = set()

    def step(self, stage: str, done: int, total: int | None) -> None:
        """Tell that frames are through a stage of the work.

        Parameters
        ----------
        stage : str
            In a word or two, such as ``restore`` or ``verify``.
        done : int
            How many frames.
        total : int or None
            Of how many, where that is known; an estimate.
        """
        self.stages.add(stage)
        if self.listener is not None:
            self.listener.step(stage, done, total)

    def warn(self, words: str) -> None:
        """Say a sentence, once in a run however often it is said.

        Where nobody listens it becomes a Python warning.
        """
        if words in self._warned:
            return
        self._warned.add(words)
        if self.listener is not None:
            self.listener.warn(words)
        else:
            warnings.warn(words, stacklevel=2)
