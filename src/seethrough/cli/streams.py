"""Standard output and standard error, which may be closed, full or a pipe that nobody reads."""

from __future__ import annotations

import contextlib
import errno
import os
import sys
from typing import TextIO

from seethrough.errors import OutputError


def hold_streams() -> None:
    """Open what is closed of the three standard streams, on nothing.

    Otherwise the next file that is opened gets its number, and libraries that write to standard
    error would write into that file.
    """
    for number in (0, 1, 2):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # takes the lowest number that is free: this one


def to_stdout(text: str, remedy: str) -> None:
    """Write text that is a result.

    Raises
    ------
    OutputError
        Where nobody can take it.
    """
    stream: TextIO | None = sys.stdout
    try:
        if stream is None:  # it was closed before the program began
            raise OSError(errno.EBADF, os.strerror(errno.EBADF))
        print(text, end="", file=stream, flush=True)
    except OSError as error:
        _forget(stream)
        raise OutputError(f"standard output cannot be written ({error.strerror})", remedy) from (
            error
        )


def to_stderr(text: str) -> None:
    """Write a line for a person; where that fails the work and its exit code are the same."""
    stream: TextIO | None = sys.stderr
    if stream is None:  # `print` would take standard output instead
        return
    try:
        print(text, file=stream, flush=True)
    except OSError:
        _forget(stream)


def on_terminal() -> bool:
    """Whether a person sees standard error while it is written."""
    stream: TextIO | None = sys.stderr
    return stream is not None and stream.isatty()


def _forget(stream: TextIO | None) -> None:
    """Let what is left in a stream's buffer go nowhere.

    The interpreter would fail on it at its end, and change the exit code.
    """
    if stream is None:
        return
    with contextlib.suppress(OSError, ValueError):  # streams of tests have no descriptor
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, stream.fileno())
        os.close(nowhere)
