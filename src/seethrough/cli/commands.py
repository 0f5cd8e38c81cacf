"""The commands: one module each; flags are the keywords of the verbs in Python."""

from __future__ import annotations

from typing import Annotated

import typer

import seethrough
from seethrough.cli.audit import audit
from seethrough.cli.degrade import degrade
from seethrough.cli.faces import faces
from seethrough.cli.info import info
from seethrough.cli.options import with_shared_options
from seethrough.cli.redact import redact
from seethrough.cli.restore import restore
from seethrough.cli.streams import to_stdout

HELP = """Clear pictures out of degraded ones; what a redaction leaves; faces hidden for good.

\b
Examples:
  seethrough restore photo.jpg -o clear.png
  seethrough redact interview.mp4 -o safe.mp4
  seethrough degrade photo.jpg --mosaic 8 -o m.png
  seethrough restore --help
"""

app = typer.Typer(
    name="seethrough",
    help=HELP,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _version(wanted: bool) -> None:
    if wanted:
        to_stdout(f"seethrough {seethrough.__version__}\n", "send it to a file or a terminal")
        raise typer.Exit


@app.callback()
def _root(
    version: Annotated[
        bool,
        typer.Option("--version", callback=_version, is_eager=True, help="Print the version."),
    ] = False,
) -> None:
    pass


# In the order of the help.
for _verb, _summary in (
    (restore, "Make clear pictures out of degraded ones."),
    (redact, "Hide faces for good."),
    (faces, "Show numbered faces, and where they are."),
    (audit, "Measure what a redaction leaves."),
    (degrade, "Blur, mosaic, cover, reduce or compress."),
    (info, "Print version, providers and weights."),
):
    app.command(short_help=_summary)(with_shared_options(_verb))
