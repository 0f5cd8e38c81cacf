"""The options that verbs share, each written once."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Annotated, Any, get_type_hints

import typer

from seethrough.cli.voice import Voice
from seethrough.files import named


def _report(name: str) -> str:
    """Read where a report goes: a file, or ``-``."""
    named(name)
    return name


# Their own parser: to Typer an empty name is the current folder, and a file that cannot be read
# is the command line's fault (code 2), where it is the input's (code 3).
Inputs = Annotated[
    list[Path],
    typer.Argument(
        metavar="IN", help="Photos, films and folders.", show_default=False, parser=named
    ),
]
Output = Annotated[
    Path,
    typer.Option(
        "-o",
        "--output",
        metavar="OUT",
        help="A file for one input; a folder for several or for a folder.",
        show_default=False,
        parser=named,
    ),
]
Codec = Annotated[
    str | None,
    typer.Option("--codec", metavar="h264|h265|vp9|av1", help="Of films; h264, vp9 in WebM."),
]
Crf = Annotated[
    float | None,
    typer.Option("--crf", metavar="N", help="Constant rate factor of films; less is better."),
]
Preset = Annotated[
    str | None, typer.Option("--preset", metavar="NAME", help="The encoder's preset.")
]
Overwrite = Annotated[bool, typer.Option("--overwrite", help="Replace outputs that exist.")]
Resume = Annotated[
    bool, typer.Option("--resume", help="Skip inputs whose output an earlier run finished.")
]


@dataclass(frozen=True, kw_only=True)
class SharedOptions:
    """What every verb takes; a field's annotation says how its flag is written."""

    device: Annotated[
        str, typer.Option("--device", metavar="auto|cpu|cuda", help="Where the networks run.")
    ] = "auto"
    threads: Annotated[
        int | None,
        typer.Option("--threads", metavar="N", help="Threads of the networks; all if not given."),
    ] = None
    seed: Annotated[int, typer.Option("--seed", metavar="N", help="Seed of everything random.")] = 0
    json: Annotated[
        str | None,
        typer.Option(
            "--json",
            metavar="FILE",
            help="Write a report there; - is standard output.",
            parser=_report,
        ),
    ] = None
    quiet: Annotated[bool, typer.Option("--quiet", help="Write nothing but errors.")] = False
    verbose: Annotated[
        bool, typer.Option("--verbose", help="Say what happens to every input; show tracebacks.")
    ] = False

    @property
    def voice(self) -> Voice:
        """What says things as these options wish."""
        return Voice(quiet=self.quiet, verbose=self.verbose)


@dataclass(frozen=True, kw_only=True)
class FileOptions(SharedOptions):
    """What every verb takes that makes a file out of each input."""

    overwrite: Overwrite = False
    resume: Resume = False


def with_shared_options(verb: Callable[..., int]) -> Callable[..., int]:
    """Give a verb one flag for each field of its keyword ``shared``, for Typer to see.

    Parameters
    ----------
    verb : callable
        A function whose keyword ``shared`` is annotated :class:`SharedOptions` or a descendant.
    """
    own = inspect.signature(verb, eval_str=True)
    group = own.parameters["shared"].annotation
    hints = get_type_hints(group, include_extras=True)
    flags = [
        inspect.Parameter(
            field.name, inspect.Parameter.KEYWORD_ONLY,
            default=field.default, annotation=hints[field.name],
        )
        for field in fields(group)
    ]  # fmt: skip

    @functools.wraps(verb)
    def command(*arguments: Any, **keywords: Any) -> int:
        shared = group(**{flag.name: keywords.pop(flag.name) for flag in flags})
        return verb(*arguments, shared=shared, **keywords)

    others = [p for p in own.parameters.values() if p.name != "shared"]
    command.__signature__ = own.replace(parameters=[*others, *flags])  # type: ignore[attr-defined]
    return command


def given(context: typer.Context, options: type[Any]) -> dict[str, Any]:
    """Return what the command line gives for each of the fields of an options class."""
    return {field.name: context.params[field.name] for field in fields(options)}
