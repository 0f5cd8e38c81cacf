"""Ctrl-C: while the program is being loaded it leaves at once, later it winds up its work."""

from __future__ import annotations

import os
import signal

INTERRUPTED = 130
"""Exit code of a run that Ctrl-C has stopped."""


def leave_when_interrupted() -> None:
    """Let Ctrl-C end this process at once: nothing has been done yet.

    An exception would not do: raised inside an import, it may come out as a traceback, or as the
    failure of the module that is just being loaded. Where Ctrl-C is ignored (a job in the
    background), it stays ignored.
    """
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, _leave)


def wind_up_when_interrupted() -> None:
    """Let Ctrl-C raise ``KeyboardInterrupt`` from now on, so that a report can be written."""
    if signal.getsignal(signal.SIGINT) is _leave:
        signal.signal(signal.SIGINT, signal.default_int_handler)


def _leave(*_: object) -> None:
    try:
        os.write(2, b"seethrough: error: interrupted before anything was done. Run it again.\n")
    finally:
        os._exit(INTERRUPTED)
