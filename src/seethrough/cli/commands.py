"""The commands and their flags, which are the keywords of the verbs in Python."""

from __future__ import annotations

from dataclasses import fields
from pathlib import Path
from typing import Annotated, Any

import typer

import seethrough
from seethrough.cli.voice import Voice

app = typer.Typer(
    name="seethrough",
    help="Clear pictures out of blurred, mosaicked and low-resolution ones; faces and text.",
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)

# `readable=False`: what cannot be read is the input's fault (code 3), not the command line's.
Inputs = Annotated[
    list[Path],
    typer.Argument(metavar="IN", help="Pictures and folders.", show_default=False, readable=False),
]
Output = Annotated[
    Path,
    typer.Option(
        "-o",
        "--output",
        metavar="OUT",
        help="A file for one picture; a folder for several or for a folder.",
        show_default=False,
    ),
]
Overwrite = Annotated[bool, typer.Option("--overwrite", help="Replace outputs that exist.")]
Resume = Annotated[
    bool, typer.Option("--resume", help="Skip inputs whose output an earlier run finished.")
]
Json = Annotated[
    str | None,
    typer.Option("--json", metavar="FILE", help="Write a report there; - is standard output."),
]
DeviceName = Annotated[
    str, typer.Option("--device", metavar="auto|cpu|cuda", help="Where the networks run.")
]
Threads = Annotated[
    int | None,
    typer.Option("--threads", metavar="N", help="Threads of the networks; all if not given."),
]
Seed = Annotated[int, typer.Option("--seed", metavar="N", help="Seed of everything random.")]
Quiet = Annotated[bool, typer.Option("--quiet", help="Write nothing but errors.")]
Verbose = Annotated[
    bool, typer.Option("--verbose", help="Say what happens to every input; show tracebacks.")
]

TOOLS = "deface-blur, deface-mosaic, egoblur, understand-ai, editor-mosaic, editor-gauss"
"""Names of the presets, written out so that help loads neither NumPy nor OpenCV."""


def _version(wanted: bool) -> None:
    if wanted:
        print(f"seethrough {seethrough.__version__}")
        raise typer.Exit


@app.callback()
def _root(
    version: Annotated[
        bool,
        typer.Option("--version", callback=_version, is_eager=True, help="Print the version."),
    ] = False,
) -> None:
    pass


@app.command(short_help="Make clear pictures out of degraded ones.")
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
            "or (--kind text) filled by text; the output is a PNG of 128 px.",
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
        float,
        typer.Option(
            "--realism", metavar="0..1", help="0 is the posterior mean; no weights yet above."
        ),
    ] = 0.0,
    compare: Annotated[
        bool, typer.Option("--compare", help="Also write NAME.compare.png: before | after.")
    ] = False,
    force: Annotated[
        bool, typer.Option("--force", help="Restore regions that are clear already.")
    ] = False,
    overwrite: Overwrite = False,
    resume: Resume = False,
    weights: Annotated[
        Path | None,
        typer.Option("--weights", metavar="ONNX", help="Another restorer network.", readable=False),
    ] = None,
    device: DeviceName = "auto",
    threads: Threads = None,
    seed: Seed = 0,
    json: Json = None,
    quiet: Quiet = False,
    verbose: Verbose = False,
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
    """  # noqa: D301 - \b keeps the lines below it as they are
    voice = Voice(quiet=quiet, verbose=verbose)
    from seethrough.cli.work import carry_out
    from seethrough.pipeline import RestoreOptions, restoring

    def plan() -> Any:
        return restoring(inputs, output, RestoreOptions.of(**_given(context, RestoreOptions)))

    return carry_out("restore", plan, json, voice)


@app.command(short_help="Blur, mosaic, cover, reduce or compress.")
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
        float | None, typer.Option("--h264", metavar="CRF", help="H.264 compression, 0 to 51.")
    ] = None,
    faces: Annotated[
        bool,
        typer.Option(
            "--faces",
            help="Only the faces that are found; otherwise the whole picture is one aligned face.",
        ),
    ] = False,
    overwrite: Overwrite = False,
    resume: Resume = False,
    device: DeviceName = "auto",
    threads: Threads = None,
    seed: Seed = 0,
    json: Json = None,
    quiet: Quiet = False,
    verbose: Verbose = False,
) -> int:
    """Blur, mosaic, cover, reduce or compress pictures, as training and audits do.

    The operators act in the order in which they stand below. Lengths are pixels of the input,
    or a share of the face width (8%).

    \b
    Examples:
      seethrough degrade photo.jpg --mosaic 8 -o m.png
      seethrough degrade photo.jpg --faces --mosaic 10% --jpeg 75 -o m.jpg
      seethrough degrade crop.png --x4 --seed 7 -o small.png
      seethrough degrade photos/ --faces --tool deface-blur -o blurred/
    """  # noqa: D301 - \b keeps the lines below it as they are
    voice = Voice(quiet=quiet, verbose=verbose)
    from seethrough.cli.work import carry_out
    from seethrough.pipeline import DegradeOptions, degrading

    def plan() -> Any:
        return degrading(inputs, output, DegradeOptions.of(**_given(context, DegradeOptions)))

    return carry_out("degrade", plan, json, voice)


@app.command(short_help="Print version, providers and weights.")
def info(
    device: DeviceName = "auto",
    threads: Threads = None,
    seed: Seed = 0,
    json: Json = None,
    quiet: Quiet = False,
    verbose: Verbose = False,
) -> int:
    """Print the version, what it runs on, and the weights with their checksums and licences.

    \b
    Examples:
      seethrough info
      seethrough info --json -
    """  # noqa: D301 - \b keeps the lines below it as they are
    voice = Voice(quiet=quiet, verbose=verbose)
    from seethrough.cli.work import inform

    return inform({"device": device, "threads": threads, "seed": seed}, json, voice)


def _given(context: typer.Context, options: type[Any]) -> dict[str, Any]:
    """Return what the command line gives for each of the options' fields."""
    return {field.name: context.params[field.name] for field in fields(options)}
