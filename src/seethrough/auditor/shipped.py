"""Tables of the audit that ship with the package."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TypeVar
from zipfile import BadZipFile

from seethrough.errors import MissingPartError
from seethrough.weights import ASSETS

T = TypeVar("T")


def read_shipped(file: str, read: Callable[[Path], T]) -> T:
    """Read a table.

    Parameters
    ----------
    file : str
        Its name among the assets.
    read : callable
        Takes its path.

    Raises
    ------
    MissingPartError
        Where it is missing or damaged.
    """
    try:
        return read(ASSETS / file)
    except (OSError, EOFError, ValueError, KeyError, TypeError, BadZipFile) as error:
        raise MissingPartError(
            f"the audit's {file} cannot be read ({error})", "install seethrough again"
        ) from error
