"""The command ``restore``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from seethrough.cli.options import Codec, Crf, FileOptions, Inputs, Output, Preset, given
from seethrough.files import named


def restore(
    context: typer.Context,
    inputs: Inputs,
    output: Output,
    kind: Annotated[
        str, typer.Option("--kind", metavar="auto|face|text", help="What to look for.")
    ] = "auto",
    aligned: Annotated[
        bool,
        typer.Option(
            "--aligned",
            help="Each input is one square crop of at most 512 px, aligned to the face template "
            "or (--kind text) filled by text; without --kind, a face. "
            "The output is a PNG of 128 px.",
        ),
    ] = False,
    box: Annotated[
        list[str] | None,
        typer.Option(
            "--box",
            metavar="x0,y0,x1,y1",
            help="A region in half-open pixels, in place of detection; repeatable.",
        ),
    ] = None,
    landmarks: Annotated[
        list[str] | None,
        typer.Option(
            "--landmarks",
            metavar="x,y,x,y,x,y,x,y,x,y",
            help="Eyes, nose and mouth corners of a face, viewer's left first; repeatable.",
        ),
    ] = None,
    realism: Annotated[
        float | None,
        typer.Option(
            "--realism",
            metavar="0..1",
            help="0: closest to the truth on average, and soft. 1: faces look real, and more of "
            "what they show is made up. Default 0.7; 0 for films and with --weights.",
        ),
    ] = None,
    compare: Annotated[
        bool,
        typer.Option(
            "--compare", help="Also write NAME.compare.png (of a film, a film): before | after."
        ),
    ] = False,
    force: Annotated[
        bool, typer.Option("--force", help="Restore regions that are clear already.")
    ] = False,
    weights: Annotated[
        Path | None,
        typer.Option("--weights", metavar="ONNX", help="Another restorer network.", parser=named),
    ] = None,
    codec: Codec = None,
    crf: Crf = None,
    preset: Preset = None,
    *,
    shared: FileOptions,
) -> int:
    """Make clear pictures out of blurred, mosaicked and low-resolution ones.

    Faces and lines of text are found, restored and pasted back; no other pixel changes.
    A restored picture is a plausible guess, never evidence, and says so in its metadata.

    \b
    Examples:
      seethrough restore photo.jpg -o clear.png
      seethrough restore crop.png --aligned --kind face -o out.png
      seethrough restore folder/ -o out/ --compare --json report.json
      seethrough restore photo.jpg -o clear.png --box 120,80,210,190
      seethrough restore photo.jpg -o clear.png --realism 0
      seethrough restore blurred.mp4 -o clear.mp4 --compare
    """  # noqa: D301 - \b keeps the lines below it as they are
    voice = shared.voice
    from seethrough.cli.work import carry_out
    from seethrough.pipeline import RestoreOptions, restoring

    def plan() -> Any:
        return restoring(inputs, output, RestoreOptions.of(**given(context, RestoreOptions)))

    return carry_out("restore", plan, shared.json, voice)
