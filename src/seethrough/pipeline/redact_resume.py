"""Was an output finished by an earlier redaction? Asked of what the file says of itself."""

from __future__ import annotations

from pathlib import Path

from seethrough.auditor.claims import claimed_style
from seethrough.auditor.leaks import read_container
from seethrough.errors import InputError, OutputError
from seethrough.files import read_bytes
from seethrough.image import MAX_BYTES
from seethrough.redactor.style import StyleName


def is_finished(output: Path, style: StyleName | None, *, film: bool) -> bool:
    """Tell whether an output that exists needs no more work.

    Parameters
    ----------
    output : Path
        A file.
    style : str or None
        The one that is asked for now; ``None`` for the default, which takes what there is.
    film : bool
        Whether it is a film.

    Returns
    -------
    bool
        ``False`` where another style is asked for than that of the file.

    Raises
    ------
    OutputError
        Where it says nothing of a redaction: to skip it would pass it for redacted, and to replace
        it would lose what may be somebody's only copy.
    """
    made_with = claimed_style(_words(output, film=film))
    if made_with is None:
        raise OutputError(
            f"{output} exists already and was not made by redact",
            "move it, choose another name or add --overwrite",
        )
    return style in (None, made_with)


def _words(path: Path, *, film: bool) -> str:
    """Return what a file says it is; nothing where it cannot be read."""
    try:
        if not film:
            return read_container(read_bytes(path, MAX_BYTES)).description
        from seethrough.video import read_tags

        return read_tags(path).comment
    except InputError:
        return ""
