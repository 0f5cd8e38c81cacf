"""The command ``redact``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from seethrough.cli.options import Codec, Crf, FileOptions, Inputs, Output, Preset, given
from seethrough.files import named

STYLES = "solid, silhouette, safe-blur, eye-bar, blur, mosaic"
"""Names of the styles, written out so that help loads neither NumPy nor OpenCV."""


def redact(
    context: typer.Context,
    inputs: Inputs,
    output: Output,
    style: Annotated[
        str | None,
        typer.Option(
            "--style",
            metavar="NAME",
            help=f"One of {STYLES}. Without it, solid, enlarged where verification asks for it. "
            "The last three give people away, and a warning says how often.",
        ),
    ] = None,
    strength: Annotated[
        float | None,
        typer.Option(
            "--strength",
            metavar="S",
            help="mosaic: cells per face width (10); blur: sigma as a share of it (0.125).",
        ),
    ] = None,
    only: Annotated[
        str | None,
        typer.Option("--only", metavar="1,3", help="Cover these faces alone (numbers of `faces`)."),
    ] = None,
    keep: Annotated[
        str | None, typer.Option("--keep", metavar="2", help="Cover all faces but these.")
    ] = None,
    tracks: Annotated[
        Path | None,
        typer.Option(
            "--tracks",
            metavar="JSON",
            help="Where the faces are: a tracks.json, edited or not, honoured as it stands.",
            parser=named,
        ),
    ] = None,
    from_: Annotated[
        str | None,
        typer.Option(
            "--from", metavar="TIME", help="Cover from here on: seconds, or [hh:]mm:ss[.mmm]."
        ),
    ] = None,
    to: Annotated[
        str | None, typer.Option("--to", metavar="TIME", help="Cover up to here, likewise.")
    ] = None,
    box: Annotated[
        list[str] | None,
        typer.Option(
            "--box",
            metavar="x0,y0,x1,y1",
            help="A face to cover besides, in half-open pixels; repeatable.",
        ),
    ] = None,
    on_lost: Annotated[
        str,
        typer.Option(
            "--on-lost",
            metavar="hold|cover-frame|stop",
            help="Where a face of a film is lost: its cover stays and grows, or the whole frame "
            "is covered, or the work stops.",
        ),
    ] = "hold",
    verify: Annotated[
        bool,
        typer.Option(
            "--verify/--no-verify", help="Look at the finished output for what still shows."
        ),
    ] = True,
    voice: Annotated[
        str,
        typer.Option(
            "--voice", metavar="keep|mute", help="Sound of films; a voice identifies too."
        ),
    ] = "keep",
    keep_metadata: Annotated[
        bool,
        typer.Option(
            "--keep-metadata",
            help="Keep descriptive EXIF of photos (camera, date, place, author; never the "
            "thumbnail), and tags, chapters and attachments of films: they may hold names and "
            "places.",
        ),
    ] = False,
    keep_subtitles: Annotated[
        bool, typer.Option("--keep-subtitles", help="Keep subtitles, which may hold names.")
    ] = False,
    codec: Codec = None,
    crf: Crf = None,
    preset: Preset = None,
    *,
    shared: FileOptions,
) -> int:
    """Hide the faces of photos and films for good.

    Every output is read back and looked at before it gets its name. An input in which no face is
    found is not copied: it would pass for redacted. Metadata is dropped.

    \b
    Examples:
      seethrough redact photo.jpg -o safe.jpg
      seethrough redact interview.mp4 -o safe.mp4
      seethrough redact clip.mp4 -o out.mp4 --only 1,3 --from 00:12 --to 01:40
      seethrough redact folder/ -o out/ --json report.json
    """  # noqa: D301 - \b keeps the lines below it as they are
    voice_of = shared.voice
    from seethrough.cli.work import carry_out
    from seethrough.pipeline import RedactOptions, redacting

    def plan() -> Any:
        return redacting(inputs, output, RedactOptions.of(**given(context, RedactOptions)))

    return carry_out("redact", plan, shared.json, voice_of)
