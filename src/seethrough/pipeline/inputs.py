"""From the paths that a user names to pairs of one input and its output."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from seethrough.errors import InputError, OutputError, SeeThroughError, UsageError
from seethrough.image import READ_SUFFIXES, WRITE_SUFFIXES

FILMS = frozenset({".avi", ".m4v", ".mkv", ".mov", ".mp4", ".mpg", ".webm", ".wmv"})


@dataclass(frozen=True, slots=True)
class Item:
    """One input and where its output goes.

    Attributes
    ----------
    source : Path
        A file.
    output : Path
        Where the result goes.
    compare : Path or None
        Where the picture of before and after goes, where one is asked for.
    error : SeeThroughError or None
        Why this input cannot even be tried, such as a folder that may not be read.
    """

    source: Path
    output: Path
    compare: Path | None = None
    error: SeeThroughError | None = None

    @property
    def outputs(self) -> tuple[Path, ...]:
        """Every file that a finished item leaves."""
        return (self.output,) if self.compare is None else (self.output, self.compare)


def one_file(inputs: Sequence[Path]) -> bool:
    """Whether the inputs are a single file, so that the output is a file too."""
    return len(inputs) == 1 and not _is_folder(inputs[0])


def plan(
    inputs: Sequence[Path], output: Path, *, suffix: str | None = None, compare: bool = False
) -> tuple[Item, ...]:
    """Pair every input with its output.

    Parameters
    ----------
    inputs : sequence of Path
        Pictures and folders. Folders are walked recursively in sorted order; hidden files,
        unknown suffixes and the output folder itself are left out.
    output : Path
        A file for a single file, otherwise a folder; relative names are kept in it (formats
        that can only be read, such as BMP, become PNG).
    suffix : str, optional
        Outputs must have it (one file) or get it (folder).
    compare : bool
        Plan ``NAME.compare.png`` beside each output.

    Returns
    -------
    tuple of Item
        Empty where the folders hold no picture.

    Raises
    ------
    UsageError
        Where the output's suffix is wrong, or two inputs would be written to one file.
    OutputError
        Where the output folder is a file, or an output is an input.
    """
    if not inputs:
        raise UsageError("no input is given", "name a picture or a folder")
    single = one_file(inputs)
    pairs: list[tuple[Path, Path, SeeThroughError | None]] = []
    if single:
        _check_suffix(output, suffix)
        pairs.append((inputs[0], output, None))
    else:
        if os.path.lexists(output) and not _is_folder(output):
            raise OutputError(
                f"{output} is a file, but several inputs need a folder", "name a folder after -o"
            )
        for given in inputs:
            if _is_folder(given):
                pairs += _walk(given, output)
            else:
                pairs.append((given, output / given.name, None))
    items = []
    for source, target, error in pairs:
        if not single:
            target = _named(target, suffix)
        beside = target.with_name(f"{target.stem}.compare.png") if compare else None
        items.append(Item(source, target, beside, error))
    _check_outputs(items)
    return tuple(items)


def _is_folder(path: Path) -> bool:
    try:
        return path.is_dir()
    except OSError:  # in a folder that may not be entered; reading it will say so
        return False


def _check_suffix(output: Path, suffix: str | None) -> None:
    allowed = WRITE_SUFFIXES if suffix is None else frozenset({suffix})
    if output.suffix.lower() not in allowed:
        raise UsageError(
            f"the output {output} has a suffix that cannot be written here",
            f"let it end in {', '.join(sorted(allowed))}",
        )


def _named(target: Path, suffix: str | None) -> Path:
    """Return a name that can be written: formats that are only read become PNG."""
    if suffix is None and target.suffix.lower() in WRITE_SUFFIXES:
        return target
    return target.with_suffix(suffix or ".png")


def _walk(folder: Path, output: Path) -> list[tuple[Path, Path, SeeThroughError | None]]:
    """Return (input, output, error) for the pictures of a folder, in sorted order."""
    found: list[tuple[Path, Path, SeeThroughError | None]] = []

    def unreadable(error: OSError) -> None:
        path = Path(error.filename)
        reason = InputError(
            f"the folder {path} cannot be read ({error.strerror})", "check its permissions"
        )
        found.append((path, output / path.relative_to(folder), reason))

    skipped = output.resolve()
    for root, folders, files in os.walk(folder, onerror=unreadable):
        here = Path(root)
        folders[:] = sorted(
            name
            for name in folders
            if not name.startswith(".") and (here / name).resolve() != skipped
        )
        for name in sorted(files):
            path = here / name
            if not name.startswith(".") and path.suffix.lower() in READ_SUFFIXES:
                found.append((path, output / path.relative_to(folder), None))
    return found


def pictures_in(folder: Path, output: Path) -> tuple[tuple[Path, SeeThroughError | None], ...]:
    """Return the pictures of a folder, as :func:`plan` walks it, and what cannot be read there.

    Parameters
    ----------
    folder : Path
        Walked recursively in sorted order.
    output : Path
        Left out, where it lies inside.
    """
    return tuple((path, error) for path, _, error in _walk(folder, output))


def _check_outputs(items: Sequence[Item]) -> None:
    """Refuse outputs that are inputs or that two inputs share."""
    sources = {item.source.resolve() for item in items}
    owners: dict[Path, Path] = {}
    for item in items:
        if item.error is not None:
            continue
        for target in item.outputs:
            resolved = target.resolve()
            if resolved in sources:
                raise OutputError(f"the output {target} is an input", "name another output")
            owner = owners.setdefault(resolved, item.source)
            if owner != item.source or item.outputs.count(target) > 1:
                raise UsageError(
                    f"{owner} and {item.source} would both be written to {target}",
                    "restore them one by one, or rename one",
                )


def check_picture(source: Path) -> None:
    """Refuse films, which this version does not read.

    Raises
    ------
    InputError
        Where the suffix is that of a film.
    """
    if source.suffix.lower() in FILMS:
        raise InputError(
            f"{source} is a film, and films are not supported in this version",
            "give pictures, such as the film's frames",
        )
