"""The command line: Typer over :mod:`seethrough.pipeline`.

Only here do errors become exit codes, and only here are words and bars written: to standard
error, bars on a terminal alone.
"""

from __future__ import annotations

import sys

from seethrough.cli.interrupt import INTERRUPTED, leave_when_interrupted

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import NoReturn


def run(arguments: Sequence[str]) -> int:
    """Carry out a command line and return its exit code."""
    import typer

    from seethrough.cli.commands import app
    from seethrough.cli.voice import Voice, line
    from seethrough.errors import SeeThroughError, UsageError, one_line

    voice = Voice(verbose="--verbose" in arguments)
    try:
        return int(app(args=list(arguments), prog_name="seethrough", standalone_mode=False) or 0)
    except typer.TyperException as error:
        voice.complain(UsageError(line(error.format_message()).rstrip("."), "See --help"))
        return UsageError.exit_code
    except SeeThroughError as error:
        voice.complain(error)
        return error.exit_code
    except Exception as error:  # a defect, which is told in one line like everything else
        defect = SeeThroughError(
            f"a defect of this program ({type(error).__name__}: {one_line(str(error))})",
            "Run it again with --verbose and report what that says",
        )
        defect.__cause__ = error
        voice.complain(defect)
        return defect.exit_code
    except (KeyboardInterrupt, typer.Abort):
        voice.complain(SeeThroughError("interrupted", "run it again"))
        return INTERRUPTED


def main() -> NoReturn:
    """Entry point of the ``seethrough`` command."""
    leave_when_interrupted()  # before anything heavy is imported
    from seethrough.cli.streams import hold_streams

    hold_streams()
    sys.exit(run(sys.argv[1:]))
