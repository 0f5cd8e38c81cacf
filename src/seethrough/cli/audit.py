"""The command ``audit``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from seethrough.cli.options import FileOptions, given
from seethrough.files import named

STYLES = "mosaic, blur, box, solid, eye-bar, mask-face, mask-head"
"""Names of the styles, written out so that help loads neither NumPy nor OpenCV."""


def audit(
    context: typer.Context,
    output: Annotated[
        Path,
        typer.Option(
            "-o",
            "--output",
            metavar="DIR",
            help="The folder of the report, created for its owner alone.",
            show_default=False,
            parser=named,
        ),
    ],
    original: Annotated[
        Path,
        typer.Option(
            "--original",
            metavar="A",
            help="The uncovered picture or film, or a folder of them.",
            show_default=False,
            parser=named,
        ),
    ],
    redacted: Annotated[
        Path | None,
        typer.Option(
            "--redacted",
            metavar="B",
            help="Its redaction, or a folder of redactions with the originals' names.",
            parser=named,
        ),
    ] = None,
    style: Annotated[
        str | None,
        typer.Option(
            "--style",
            metavar="NAME",
            help=f"Without --redacted, a cover to simulate; with it, how its faces are covered, "
            f"where the file does not tell: {STYLES}.",
        ),
    ] = None,
    strength: Annotated[
        str | None,
        typer.Option(
            "--strength",
            metavar="S",
            help="Mosaic: cells per face width; blur, box: size as a share of it; 9px: pixels.",
        ),
    ] = None,
    *,
    shared: FileOptions,
) -> int:
    """Measure what a redaction leaves: which attackers still find the person, with which odds.

    Attackers see the original, degraded again the way the redacted file was, never the pixels
    under its covers. The report is one page, report.html, and its data, report.json.

    \b
    Examples:
      seethrough audit --original raw.jpg --redacted blurred.jpg -o report
      seethrough audit --original raw.jpg --style mosaic --strength 12 -o report
      seethrough audit --original raw.mp4 --redacted blurred.mp4 -o report
      seethrough audit --original folder/ --redacted folder2/ -o report
    """  # noqa: D301 - \b keeps the lines below it as they are
    voice = shared.voice
    from seethrough.cli.work import carry_out
    from seethrough.pipeline import AuditOptions, auditing

    def plan() -> Any:
        return auditing(original, redacted, output, AuditOptions(**given(context, AuditOptions)))

    return carry_out("audit", plan, shared.json, voice)
