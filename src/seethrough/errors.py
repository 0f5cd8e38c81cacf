"""One exception tree; each leaf knows the exit code that the command line maps it to.

The library raises these; only :mod:`seethrough.cli` turns them into exit codes.
"""

from __future__ import annotations


class SeeThroughError(Exception):
    """Base of every error that this package raises on purpose.

    Parameters
    ----------
    what : str
        What is wrong, without a full stop at the end.
    remedy : str
        What the user can do about it, without a full stop at the end; a sentence of its own,
        so that its first letter becomes a capital.

    Both become one line, whatever a file name or the words of another library hold.
    """

    exit_code: int = 1

    def __init__(self, what: str, remedy: str) -> None:
        self.what = one_line(what)
        self.remedy = one_line(remedy[:1].upper() + remedy[1:])
        super().__init__(f"{self.what}. {self.remedy}.")


def one_line(text: str) -> str:
    """Return a text without line breaks; what is one line already stays as it is."""
    return " ".join(part for line in text.splitlines() if (part := line.strip()))


class UsageError(SeeThroughError):
    """Options or arguments contradict each other or are out of range."""

    exit_code = 2


class InputError(SeeThroughError):
    """An input is missing, unreadable, empty, truncated, too large or of an unknown type."""

    exit_code = 3


class NothingToDoError(SeeThroughError):
    """No face and no text was found in any input, or ``faces`` was to stop where a face is lost:
    nothing is written.
    """

    exit_code = 4


class OutputError(SeeThroughError):
    """An output cannot be written: it exists, permission is missing, or the disk is full."""

    exit_code = 5


class MissingPartError(SeeThroughError):
    """A device, an extra package or a weight file is missing, or its checksum is wrong."""

    exit_code = 6


class VerificationError(SeeThroughError):
    """A redacted file still shows something that should be covered."""

    exit_code = 7
