"""The verb ``faces``, as Python calls it."""

from __future__ import annotations

from pathlib import Path

from seethrough.files import named
from seethrough.pipeline.faces_options import FacesOptions
from seethrough.pipeline.faces_report import FacesReport
from seethrough.pipeline.facing import facing
from seethrough.session import Device
from seethrough.tracker import OnLost


def faces(
    source: str | Path,
    output: str | Path,
    *,
    on_lost: OnLost = "hold",
    overwrite: bool = False,
    resume: bool = False,
    device: Device = "auto",
    threads: int | None = None,
    seed: int = 0,
) -> FacesReport:
    """Show the faces of a photo or film on a numbered sheet, and write where they are.

    The sheet shows them uncovered: it is readable by its owner alone, and so is its folder, where
    that is new. ``tracks.json`` is written beside it, for ``redact`` to take, edited or not.

    Parameters
    ----------
    source : path
        A photo or a film.
    output : path
        The sheet, a PNG.
    on_lost : {"hold", "cover-frame", "stop"}
        What the tracks say where a face of a film is lost: its box stays and grows, or is as
        large as the frame, or the work stops with an error that names the times.
    overwrite : bool
        Replace a sheet and tracks that exist.
    resume : bool
        Do nothing where both exist.
    device, threads
        As in :func:`seethrough.restore`.
    seed : int
        As for the other verbs; nothing here depends on it.

    Returns
    -------
    FacesReport
        One record, with every face and what a person should look at.

    Raises
    ------
    UsageError
        Where the input is a folder, the sheet no PNG, or an option is out of range.
    InputError, OutputError, MissingPartError
        What failed.
    NothingToDoError
        Where no face is found, or one is lost and ``on_lost`` is ``stop``; nothing is written.

    Examples
    --------
    >>> from seethrough import pipeline
    >>> report = pipeline.faces("clip.mp4", "private/sheet.png")  # doctest: +SKIP
    >>> [face.number for face in report.records[0].faces]  # doctest: +SKIP
    [1, 2]
    """
    options = FacesOptions(
        on_lost=on_lost,
        overwrite=overwrite,
        resume=resume,
        device=device,
        threads=threads,
        seed=seed,
    )
    report = facing(named(source), named(output), options).finish()
    assert isinstance(report, FacesReport)
    return report
