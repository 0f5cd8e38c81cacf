"""From the paths that a user names to pairs of one input and its output."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from seethrough.errors import InputError, OutputError, SeeThroughError, UsageError
from seethrough.files import named, resolved
from seethrough.image import READ_SUFFIXES, WRITE_SUFFIXES

FILMS = frozenset(
    {
        *(".3gp", ".avi", ".flv", ".m2ts", ".m4v", ".mkv", ".mov", ".mp4", ".mpeg", ".mpg"),
        *(".mts", ".ogv", ".webm", ".wmv"),
    }
)
"""Suffixes of films, in lower case; what a file is, its content tells."""

FILMS_WRITTEN = frozenset({".m4v", ".mkv", ".mov", ".mp4", ".webm"})
"""Suffixes of films that can be written; other films become Matroska, which holds any sound."""


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
        Where the picture or film of before and after goes, where one is asked for.
    error : SeeThroughError or None
        Why this input cannot even be tried, such as a folder that may not be read.
    """

    source: Path
    output: Path
    compare: Path | None = None
    error: SeeThroughError | None = None

    @property
    def film(self) -> bool:
        """Whether the input is a film, as its suffix says."""
        return is_film(self.source)

    @property
    def inputs(self) -> tuple[Path, ...]:
        """Every file that is read for it."""
        return (self.source,)

    @property
    def outputs(self) -> tuple[Path, ...]:
        """Every file that a finished item leaves."""
        return (self.output,) if self.compare is None else (self.output, self.compare)


def paths_of(inputs: str | Path | Sequence[str | Path]) -> tuple[Path, ...]:
    """Return the inputs that a caller names, one or several.

    Raises
    ------
    UsageError
        Where a name is empty.
    """
    return (named(inputs),) if isinstance(inputs, str | Path) else tuple(map(named, inputs))


def is_film(path: Path) -> bool:
    """Whether a file has the suffix of a film."""
    return path.suffix.lower() in FILMS


def one_file(inputs: Sequence[Path]) -> bool:
    """Whether the inputs are a single file, so that the output is a file too."""
    return len(inputs) == 1 and not _is_folder(inputs[0])


def plan(
    inputs: Sequence[Path],
    output: Path,
    *,
    suffix: str | None = None,
    compare: bool = False,
    films: bool = False,
) -> tuple[Item, ...]:
    """Pair every input with its output.

    Parameters
    ----------
    inputs : sequence of Path
        Pictures, films and folders. Folders are walked recursively in sorted order; hidden
        files, unknown suffixes and the output folder itself are left out.
    output : Path
        A file for a single file, otherwise a folder; relative names are kept in it (formats
        that can only be read, such as BMP and AVI, become PNG and Matroska).
    suffix : str, optional
        Outputs must have it (one file) or get it (folder).
    compare : bool
        Plan ``NAME.compare.png`` beside each output; beside a film, one with its suffix.
    films : bool
        Whether folders are searched for films too. Where false, a film that is named is planned
        like a picture, for :func:`check_picture` to refuse it.

    Returns
    -------
    tuple of Item
        Empty where the folders hold neither picture nor film. An item whose output is an input, or
        the output of an item before it, bears that as its error.

    Raises
    ------
    UsageError
        Where the output's suffix is wrong.
    OutputError
        Where the output folder is a file.
    """
    if not inputs:
        raise UsageError("no input is given", "name a picture or a folder")
    single = one_file(inputs)
    pairs: list[tuple[Path, Path, SeeThroughError | None]] = []
    if single:
        _check_suffix(inputs[0], output, suffix, films=films)
        pairs.append((inputs[0], output, None))
    else:
        if os.path.lexists(output) and not _is_folder(output):
            raise OutputError(
                f"{output} is a file, but several inputs need a folder", "name a folder after -o"
            )
        for given in inputs:
            if _is_folder(given):
                pairs += _walk(given, output, films=films)
            else:
                pairs.append((given, output / given.name, None))
    items = []
    for source, target, error in pairs:
        if not single:
            target = _named(target, suffix, film=films and is_film(source))
        both = target.suffix if films and is_film(source) else ".png"
        beside = target.with_name(f"{target.stem}.compare{both}") if compare else None
        items.append(Item(source, target, beside, error))
    return _distinct(items)


def _is_folder(path: Path) -> bool:
    try:
        return path.is_dir()
    except OSError:  # in a folder that may not be entered; reading it will say so
        return False


def _check_suffix(source: Path, output: Path, suffix: str | None, *, films: bool) -> None:
    """Refuse an output whose suffix does not fit the input, and say which ones do."""
    fitting = FILMS_WRITTEN if films and is_film(source) else WRITE_SUFFIXES
    if suffix is not None:
        fitting = frozenset({suffix})
    given = output.suffix.lower()
    # Of an unknown suffix it is the input's fault, and reading it will say so.
    unknown = films and suffix is None and source.suffix.lower() not in READ_SUFFIXES | FILMS
    if given not in fitting and _is_folder(output):
        example = output / _named(Path(source.name), suffix, film=films and is_film(source))
        raise UsageError(
            f"the output {output} is a folder, and one file in needs a file out",
            f"name one in it, such as {example}",
        )
    if given not in fitting and not (unknown and given in FILMS_WRITTEN):
        raise UsageError(
            f"the output {output} has a suffix that cannot be written here",
            f"let it end in {', '.join(sorted(fitting))}",
        )


def _named(target: Path, suffix: str | None, *, film: bool) -> Path:
    """Return a name that can be written: formats that are only read become PNG or Matroska."""
    written = FILMS_WRITTEN if film else WRITE_SUFFIXES
    if suffix is None and target.suffix.lower() in written:
        return target
    return target.with_suffix(suffix or (".mkv" if film else ".png"))


def _walk(
    folder: Path, output: Path, *, films: bool
) -> list[tuple[Path, Path, SeeThroughError | None]]:
    """Return (input, output, error) for the pictures and films of a folder, in sorted order."""
    found: list[tuple[Path, Path, SeeThroughError | None]] = []

    def unreadable(error: OSError) -> None:
        path = Path(error.filename)
        reason = InputError(
            f"the folder {path} cannot be read ({error.strerror})", "check its permissions"
        )
        found.append((path, output / path.relative_to(folder), reason))

    known = READ_SUFFIXES | FILMS if films else READ_SUFFIXES
    skipped = resolved(output)
    for root, folders, files in os.walk(folder, onerror=unreadable):
        here = Path(root)
        folders[:] = sorted(
            name
            for name in folders
            if not name.startswith(".") and resolved(here / name) != skipped
        )
        for name in sorted(files):
            path = here / name
            if not name.startswith(".") and path.suffix.lower() in known:
                found.append((path, output / path.relative_to(folder), None))
    return found


def pictures_in(
    folder: Path, output: Path, *, films: bool = False
) -> tuple[tuple[Path, SeeThroughError | None], ...]:
    """Return the pictures of a folder, as :func:`plan` walks it, and what cannot be read there.

    Parameters
    ----------
    folder : Path
        Walked recursively in sorted order.
    output : Path
        Left out, where it lies inside.
    films : bool
        Whether films count too.
    """
    return tuple((path, error) for path, _, error in _walk(folder, output, films=films))


def _distinct(items: Sequence[Item]) -> tuple[Item, ...]:
    """Leave out what is named twice, and mark outputs that are inputs or another input's."""
    sources = {resolved(item.source) for item in items}
    owners: dict[Path, Path] = {}
    kept: list[Item] = []
    for item in items:
        if item.error is not None:
            kept.append(item)
            continue
        there = [resolved(target) for target in item.outputs]
        taken = [owners[target] for target in there if target in owners]
        if len(taken) == len(there) and {resolved(t) for t in taken} == {resolved(item.source)}:
            continue
        error: SeeThroughError | None = None
        if sources.intersection(there):
            error = OutputError(f"the output {item.output} is an input", "name another output")
        elif taken:
            error = OutputError(
                f"{taken[0]} and {item.source} would both be written to "
                f"{item.outputs[next(n for n, t in enumerate(there) if t in owners)]}",
                "restore the second by itself, or rename one",
            )
        else:
            owners.update(dict.fromkeys(there, item.source))
        kept.append(item if error is None else replace(item, error=error))
    return tuple(kept)


def check_picture(source: Path) -> None:
    """Refuse films, for verbs that take pictures alone.

    Raises
    ------
    InputError
        Where the suffix is that of a film.
    """
    if is_film(source):
        raise InputError(
            f"{source} is a film, and this verb takes pictures alone",
            "give pictures, such as the film's frames",
        )
