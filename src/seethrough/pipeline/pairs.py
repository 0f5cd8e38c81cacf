"""Which redacted file belongs to which original: by name."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from seethrough.errors import InputError, SeeThroughError, UsageError
from seethrough.pipeline.inputs import Item, is_film, one_file, pictures_in


@dataclass(frozen=True, slots=True)
class PairItem(Item):
    """An original, its redacted file where there is one, and the report on both.

    Attributes
    ----------
    redacted : Path or None
        ``None`` where a style is simulated.
    report : Path or None
        The report's data, beside its page.
    """

    redacted: Path | None = None
    report: Path | None = None

    @property
    def inputs(self) -> tuple[Path, ...]:
        """The original and the redacted file."""
        return (self.source,) if self.redacted is None else (self.source, self.redacted)

    @property
    def outputs(self) -> tuple[Path, ...]:
        """The report's page and its data; all pairs share them."""
        return (self.output,) if self.report is None else (self.output, self.report)


def pair_items(original: Path, redacted: Path | None, folder: Path) -> tuple[PairItem, ...]:
    """Pair originals with redacted files by their names within two folders.

    Suffixes may differ; where several files have one name, that with the same suffix is taken, or
    the only one of its kind: photo or film.

    Parameters
    ----------
    original : Path
        A picture, a film or a folder, which is walked recursively.
    redacted : Path or None
        The same of the other side; ``None`` to simulate a style.
    folder : Path
        Where the report goes.

    Raises
    ------
    UsageError
        Where one is a folder and the other is not.
    """
    page, data = folder / "report.html", folder / "report.json"
    single = one_file([original])
    if redacted is not None and one_file([redacted]) != single:
        raise UsageError(
            f"{original if single else redacted} is a file and "
            f"{redacted if single else original} is a folder",
            "give two pictures, two films or two folders",
        )
    if single:
        return (PairItem(original, page, None, None, redacted, data),)
    found: list[PairItem] = []
    others = {} if redacted is None else dict(pictures_in(redacted, folder, films=True))
    taken = set()
    for path, error in pictures_in(original, folder, films=True):
        partner = None
        if redacted is not None and error is None:
            partner, error = _partner(path.relative_to(original), redacted, list(others))
            taken.add(partner)
        found.append(PairItem(path, page, None, error, partner, data))
    for path, error in others.items():
        if path not in taken:
            reason = error or InputError(
                f"{path} has no original of its name in {original}", "add it, or rename one"
            )
            found.append(PairItem(path, page, None, reason, path, data))
    return tuple(found)


def _partner(
    name: Path, folder: Path, others: list[Path]
) -> tuple[Path | None, SeeThroughError | None]:
    stem = name.with_suffix("")
    alike = [path for path in others if path.relative_to(folder).with_suffix("") == stem]
    alike = [path for path in alike if is_film(path) == is_film(name)] or alike
    exact = [path for path in alike if path.suffix.lower() == name.suffix.lower()]
    if len(alike) == 1 or len(exact) == 1:
        return (exact or alike)[0], None
    what = "has no redacted file of its name" if not alike else "has several redacted files"
    return None, InputError(f"{name} {what} in {folder}", "add it, or rename one")
