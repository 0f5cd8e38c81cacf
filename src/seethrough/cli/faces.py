"""The command ``faces``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from seethrough.cli.options import FileOptions, given
from seethrough.files import named


def faces(
    context: typer.Context,
    source: Annotated[
        Path,
        typer.Argument(metavar="IN", help="A photo or a film.", show_default=False, parser=named),
    ],
    output: Annotated[
        Path,
        typer.Option(
            "-o",
            "--output",
            metavar="SHEET",
            help="The sheet, a PNG; tracks.json goes beside it.",
            show_default=False,
            parser=named,
        ),
    ],
    on_lost: Annotated[
        str,
        typer.Option(
            "--on-lost",
            metavar="hold|cover-frame|stop",
            help="Where a face of a film is lost: its box stays and grows, or is as large as the "
            "frame, or the work stops.",
        ),
    ] = "hold",
    *,
    shared: FileOptions,
) -> int:
    """Show the faces of a photo or film, numbered, and write where they are.

    The sheet shows uncovered faces and is readable by its owner alone. Its numbers are those of
    redact --only and --keep; tracks.json beside it can be edited and given to redact --tracks.

    \b
    Examples:
      seethrough faces photo.jpg -o private/sheet.png
      seethrough faces clip.mp4 -o private/sheet.png --json report.json
      seethrough faces clip.mp4 -o private/sheet.png --on-lost cover-frame --overwrite
    """  # noqa: D301 - \b keeps the lines below it as they are
    voice = shared.voice
    from seethrough.cli.work import carry_out
    from seethrough.pipeline import FacesOptions, facing

    def plan() -> Any:
        return facing(source, output, FacesOptions(**given(context, FacesOptions)))

    return carry_out("faces", plan, shared.json, voice)
