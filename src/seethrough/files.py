"""Files taken in and put out: every way in which that fails, as one clear error.

An output appears whole or not at all: it is written under a temporary name in the folder where
it will stand and renamed when it is complete.
"""

from __future__ import annotations

import errno
import os
import re
import secrets
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from seethrough.errors import InputError, OutputError, UsageError

OWNER_ONLY = 0o700

_LONGEST_NAME = 255  # bytes, where the system does not say


def named(name: str | Path) -> Path:
    """Return a name that a user gives as a path.

    Raises
    ------
    UsageError
        Where it is empty: Python takes that for the current folder, which nobody has named.
    """
    if name == "":
        raise UsageError("the name of a file or folder is empty", "give a name")
    return Path(name)


def resolved(path: Path) -> Path:
    """Return where a path leads in the end; of links that go round in a circle, one of them.

    :meth:`Path.resolve` raises an error of its own there, before anybody has tried to open it.
    """
    try:
        return Path(os.path.realpath(path))
    except FileNotFoundError:  # the folder that the program was started in has been removed
        return path


def check_input(path: Path) -> int:
    """Make sure that ``path`` is a file that can be read and is not empty.

    Returns
    -------
    int
        Its size in bytes.

    Raises
    ------
    InputError
        Where it is missing, no file, not permitted or empty.
    """
    try:
        size = path.stat().st_size
        if path.is_dir():
            raise InputError(f"{path} is a folder", "give a file")
        if not path.is_file():
            raise InputError(f"{path} is not a regular file", "give a file")
        with path.open("rb"):
            pass
    except OSError as error:
        raise _unreadable(path, error) from error
    if size == 0:
        raise InputError(f"{path} is empty", "check that it was copied whole")
    return size


def read_bytes(path: Path, limit: int) -> bytes:
    """Return the content of a file.

    Parameters
    ----------
    path : Path
        What to read.
    limit : int
        Refuse larger files, in bytes.

    Raises
    ------
    InputError
        As :func:`check_input` does, and where the file is larger than ``limit``.
    """
    size = check_input(path)
    if size > limit:
        raise InputError(
            f"{path} is too large ({size / 1e6:.0f} MB)", f"give at most {limit / 1e6:.0f} MB"
        )
    try:
        return path.read_bytes()
    except OSError as error:
        raise _unreadable(path, error) from error


def check_output(path: Path, *, overwrite: bool) -> None:
    """Make sure, before work begins, that ``path`` may be written as far as can be told.

    Raises
    ------
    OutputError
        Where something is there already and ``overwrite`` is false, where it is a folder, where
        its name is too long, and where the nearest folder above it that exists cannot be written
        to.
    """
    check_name(path)
    if os.path.isdir(path):  # noqa: PTH112 - a folder that may not be entered is no error here
        raise OutputError(f"{path} is a folder", "give the name of a file")
    if not overwrite and os.path.lexists(path):
        raise OutputError(f"{path} exists already", "choose another name or add --overwrite")
    above = _above(path)
    reason = errno.ENOTDIR if not above.is_dir() else errno.EACCES
    if reason == errno.ENOTDIR or not os.access(above, os.W_OK | os.X_OK):
        raise _unwritable(path, OSError(reason, os.strerror(reason)))


def check_name(path: Path) -> None:
    """Make sure that the file system can hold a name, and those of the folders above it.

    Raises
    ------
    OutputError
        Where one is too long, or all of them together.
    """
    try:
        longest = os.pathconf(_above(path), "PC_NAME_MAX")
    except (AttributeError, OSError, ValueError):  # not every system has it
        longest = _LONGEST_NAME
    too_long = 0 < longest < max((len(os.fsencode(part)) for part in path.parts), default=0)
    try:
        path.lstat()
    except OSError as error:
        too_long |= error.errno == errno.ENAMETOOLONG
    if too_long:
        raise OutputError(
            f"{path} cannot be written ({os.strerror(errno.ENAMETOOLONG)})", "choose a shorter name"
        )


def _above(path: Path) -> Path:
    """Return the nearest folder above a path that exists, or what stands in its place."""
    try:
        above = path.absolute().parents
    except FileNotFoundError:  # as in `resolved`
        return path
    return next((one for one in above if os.path.lexists(one)), path)


@contextmanager
def replacing(path: Path, *, overwrite: bool) -> Iterator[Path]:
    """Give a temporary path beside ``path`` to write to; rename it when the block succeeds.

    Where the block fails or is interrupted the temporary file is removed and whatever stood at
    ``path`` is untouched. Missing parent folders are created. The temporary name keeps the
    suffix, so that writers that look at it choose the right format.

    Raises
    ------
    OutputError
        Where ``path`` exists and ``overwrite`` is false, and for every :class:`OSError` in the
        block: no permission, disk full.
    """
    check_output(path, overwrite=overwrite)
    temporary = path.with_name(f".{path.stem[:40]}.{secrets.token_hex(4)}.part{path.suffix}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        yield temporary
        check_output(path, overwrite=overwrite)  # it may have appeared in the meantime
        temporary.replace(path)
    except OSError as error:
        _remove(temporary)
        raise _unwritable(path, error) from error
    except BaseException:
        _remove(temporary)
        raise


def write_bytes(path: Path, content: bytes, *, overwrite: bool) -> None:
    """Write a whole file, or nothing; see :func:`replacing`."""
    with replacing(path, overwrite=overwrite) as temporary:
        temporary.write_bytes(content)


def deliver(path: Path, content: bytes) -> None:
    """Write a whole file in place of any other, but into what is no regular file.

    A pipe or a device is where somebody listens: a file in its place would reach nobody.

    Raises
    ------
    OutputError
        Where that fails.
    """
    if not _is_stream(path):
        write_bytes(path, content, overwrite=True)
        return
    try:
        # Behind what is there already: it may be a file that a shell has opened for the program.
        with path.open("ab") as stream:
            stream.write(content)
    except OSError as error:
        raise _unwritable(path, error) from error


def _is_stream(path: Path) -> bool:
    """Whether something is written to as it stands: a pipe, a device, an open descriptor."""
    try:
        kind = path.stat().st_mode
    except OSError:
        return False
    if stat.S_ISREG(kind):  # `/dev/stdout` and `/dev/fd/3` lead to one, but are none
        folder = resolved(path.parent)
        return folder == Path("/dev") or folder.is_relative_to("/proc")
    return not stat.S_ISDIR(kind)


def make_private(folder: Path) -> None:
    """Create a folder that its owner alone can open; one that exists is left as it is.

    Raises
    ------
    OutputError
        Where it cannot be created.
    """
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        if not folder.is_dir():
            folder.mkdir(mode=OWNER_ONLY)
            folder.chmod(OWNER_ONLY)
    except OSError as error:
        raise OutputError(
            f"{folder} cannot be created ({os.strerror(error.errno or 0)})",
            "check the folder above it, its permissions and the space that is left",
        ) from error


def write_private(path: Path, content: bytes, *, overwrite: bool) -> None:
    """Write a whole file, or nothing, that its owner alone can read; likewise a new folder."""
    make_private(path.parent)
    with replacing(path, overwrite=overwrite) as temporary:
        temporary.touch(mode=0o600, exist_ok=False)
        temporary.write_bytes(content)


def make_public(path: Path) -> None:
    """Give a file that its owner alone could read the permissions of any new one."""
    mask = os.umask(0)  # the only way to read it is to set it
    os.umask(mask)
    path.chmod(0o666 & ~mask)


def remove_left(path: Path) -> None:
    """Remove temporary files that runs which were killed have left beside ``path``.

    What they were to become may be what nobody was to see.
    """
    ours = re.compile(
        rf"\.+{re.escape(path.stem[:40])}(\.[0-9a-f]{{8}}\.part)+{re.escape(path.suffix)}"
    )
    try:
        left = [each for each in path.parent.iterdir() if ours.fullmatch(each.name)]
    except OSError:  # no such folder yet, or one that may not be listed
        return
    for each in left:
        _remove(each)


def _remove(path: Path) -> None:
    try:
        path.unlink(missing_ok=True)
    except OSError:  # its folder may be the one that cannot be used
        return


def _unwritable(path: Path, error: OSError) -> OutputError:
    return OutputError(
        f"{path} cannot be written ({error.strerror or error})",
        "check the folder, its permissions and the space that is left",
    )


def _unreadable(path: Path, error: OSError) -> InputError:
    if isinstance(error, FileNotFoundError):
        return InputError(f"{path} does not exist", "check the name")
    return InputError(
        f"{path} cannot be read ({error.strerror or error})", "check the file and its permissions"
    )
