"""The command ``degrade``."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from seethrough.cli.options import FileOptions, Inputs, Output, given

TOOLS = "deface-blur, deface-mosaic, egoblur, understand-ai, editor-mosaic, editor-gauss"
"""Names of the presets, written out so that help loads neither NumPy nor OpenCV."""


def degrade(
    context: typer.Context,
    inputs: Inputs,
    output: Output,
    tool: Annotated[
        str | None,
        typer.Option("--tool", metavar="NAME", help=f"The cover of a real tool: {TOOLS}."),
    ] = None,
    eye_bar: Annotated[bool, typer.Option("--eye-bar", help="A black bar over the eyes.")] = False,
    mask_face: Annotated[
        bool, typer.Option("--mask-face", help="A black ellipse over the face.")
    ] = False,
    mask_head: Annotated[
        bool, typer.Option("--mask-head", help="A black ellipse over the head.")
    ] = False,
    mosaic: Annotated[
        str | None, typer.Option("--mosaic", metavar="CELL", help="Cells of one colour each.")
    ] = None,
    phase: Annotated[
        str,
        typer.Option(
            "--phase", metavar="x,y", help="Grid lines lie at k * CELL - x, likewise y (pixels)."
        ),
    ] = "0,0",
    sampled: Annotated[
        bool, typer.Option("--sampled", help="A cell takes one pixel's colour, not its mean.")
    ] = False,
    gauss: Annotated[
        str | None, typer.Option("--gauss", metavar="SIGMA", help="Gaussian blur.")
    ] = None,
    box: Annotated[str | None, typer.Option("--box", metavar="K", help="Box blur.")] = None,
    motion: Annotated[
        str | None,
        typer.Option("--motion", metavar="LENGTH,ANGLE", help="Motion blur; angle in degrees."),
    ] = None,
    x4: Annotated[
        bool, typer.Option("--x4", help="Random blur, reduction to a quarter, noise.")
    ] = False,
    x8: Annotated[
        bool, typer.Option("--x8", help="Random blur, reduction to an eighth, noise.")
    ] = False,
    noise: Annotated[
        float | None, typer.Option("--noise", metavar="SIGMA", help="Gaussian noise, 0 to 1.")
    ] = None,
    jpeg: Annotated[
        int | None, typer.Option("--jpeg", metavar="Q", help="JPEG compression, 1 to 100.")
    ] = None,
    h264: Annotated[
        float | None,
        typer.Option("--h264", metavar="CRF", help="H.264 compression, 0 to 51; films: of all."),
    ] = None,
    faces: Annotated[
        bool,
        typer.Option(
            "--faces",
            help="Only the faces that are found; otherwise the whole picture is one aligned face.",
        ),
    ] = False,
    *,
    shared: FileOptions,
) -> int:
    """Blur, mosaic, cover, reduce or compress pictures and films, as training and audits do.

    The operators act in the order in which they stand below. Lengths are pixels of the input,
    or a share of the face width (8%).

    \b
    Examples:
      seethrough degrade photo.jpg --mosaic 8 -o m.png
      seethrough degrade photo.jpg --faces --mosaic 10% --jpeg 75 -o m.jpg
      seethrough degrade crop.png --x4 --seed 7 -o small.png
      seethrough degrade clip.mp4 --faces --gauss 15% -o blurred.mp4
      seethrough degrade photos/ --faces --tool deface-blur -o blurred/
    """  # noqa: D301 - \b keeps the lines below it as they are
    voice = shared.voice
    from seethrough.cli.work import carry_out
    from seethrough.pipeline import DegradeOptions, degrading

    def plan() -> Any:
        return degrading(inputs, output, DegradeOptions.of(**given(context, DegradeOptions)))

    return carry_out("degrade", plan, shared.json, voice)
