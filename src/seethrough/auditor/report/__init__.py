"""The audit's report: one HTML file that needs nothing else, on screen and in print.

Jinja and Matplotlib come with the extra ``audit`` and are loaded only when a report is written.
"""

from __future__ import annotations

import datetime
import importlib
import platform
from collections.abc import Mapping, Sequence
from importlib import metadata
from pathlib import Path

import seethrough
from seethrough.auditor.rates import uncovered
from seethrough.auditor.report import pictures, words
from seethrough.auditor.types import PictureAudit
from seethrough.errors import MissingPartError, NothingToDoError
from seethrough.files import replacing
from seethrough.types import WeightsUsed

NAME = "report.html"

_NEEDED = ("jinja2", "matplotlib")
_LISTED = ("numpy", "onnxruntime", "opencv-python-headless")


def check_parts() -> None:
    """Make sure, before work begins, that a report can be written.

    Raises
    ------
    MissingPartError
        Where Jinja or Matplotlib is not installed.
    """
    for name in _NEEDED:
        try:
            importlib.import_module(name)
        except ImportError as error:
            raise MissingPartError(
                f"the report of an audit needs the package {name}, which is not installed",
                "run pip install seethrough[audit]",
            ) from error


def installed() -> dict[str, str]:
    """Versions of this program and of what its figures depend on, by name."""
    versions = {"seethrough": seethrough.__version__, "Python": platform.python_version()}
    for name in _LISTED:
        try:
            versions[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    return versions


def write(
    audits: Sequence[PictureAudit],
    folder: Path,
    *,
    seconds: float,
    weights: Sequence[WeightsUsed],
    versions: Mapping[str, str] | None = None,
    when: datetime.datetime | None = None,
    overwrite: bool = False,
) -> Path:
    """Write ``folder/report.html``, readable by its owner alone; the whole file or nothing.

    Parameters
    ----------
    audits : sequence of PictureAudit
        At least one, in the order of the report.
    folder : Path
        Created, for its owner alone, where it is missing.
    seconds : float
        How long the audit took.
    weights : sequence of WeightsUsed
        Every network that had a part.
    versions : mapping of str to str, optional
        Versions by name; those of :func:`installed` if not given.
    when : datetime, optional
        Date of the report; now if not given.
    overwrite : bool
        Replace a report that stands there.

    Returns
    -------
    Path
        The file.

    Raises
    ------
    NothingToDoError
        Where there is no audit to report.
    MissingPartError
        Where the extra ``audit`` is not installed.
    OutputError
        Where the file exists and ``overwrite`` is false, or cannot be written.
    """
    if not audits:
        raise NothingToDoError("no picture was audited", "give a picture with a face")
    check_parts()
    page = _page(
        audits,
        seconds=seconds,
        weights=weights,
        versions=installed() if versions is None else versions,
        when=when or datetime.datetime.now().astimezone(),
    )
    path = folder / NAME
    new = not folder.exists()
    with replacing(path, overwrite=overwrite) as temporary:
        if new:
            folder.chmod(0o700)
        temporary.touch(mode=0o600, exist_ok=False)
        temporary.write_text(page, encoding="utf-8")
    return path


def _page(
    audits: Sequence[PictureAudit],
    *,
    seconds: float,
    weights: Sequence[WeightsUsed],
    versions: Mapping[str, str],
    when: datetime.datetime,
) -> str:
    import jinja2
    from markupsafe import Markup

    from seethrough.auditor.report.plot import odds_plot

    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(Path(__file__).parent),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template("report.html.jinja").render(
        audits=audits,
        seconds=seconds,
        weights=weights,
        versions=versions,
        when=when,
        words=words,
        glued=words.glued,
        pictures=pictures,
        unredacted=uncovered(),
        lossless=sum(len(audit.faces) for audit in audits) <= pictures.MANY,
        odds_plot=lambda readings, identity: Markup(odds_plot(readings, identity)),
    )
