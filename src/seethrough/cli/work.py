"""Doing the work of a verb: words for each input, then the report and the exit code."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from seethrough.cli.interrupt import INTERRUPTED, wind_up_when_interrupted
from seethrough.cli.streams import to_stdout
from seethrough.cli.voice import Voice
from seethrough.errors import OutputError, SeeThroughError, UsageError
from seethrough.files import deliver, resolved
from seethrough.pipeline import Record, Report, info
from seethrough.pipeline.redact_report import NO_FACE
from seethrough.pipeline.report import INTERRUPTED as LEFT
from seethrough.pipeline.report import RESUMED
from seethrough.pipeline.run import Run


def carry_out(verb: str, plan: Callable[[], Run], target: str | None, voice: Voice) -> int:
    """Plan and do the work of a verb, and write its report on every exit but 2.

    Parameters
    ----------
    verb : str
        Its name.
    plan : callable
        Returns the run; what it raises is the command line's fault or makes all work vain.
    target : str or None
        Where the JSON report goes: a file, or ``-`` for standard output.
    voice : Voice
        Where words go.

    Returns
    -------
    int
        The exit code.
    """
    wind_up_when_interrupted()
    try:
        run = plan()
        _check_report(target, run)
    except UsageError:
        raise
    except KeyboardInterrupt:
        write_report(target, Report(verb).as_dict(), voice)
        voice.complain(SeeThroughError("interrupted before anything was done", "run it again"))
        return INTERRUPTED
    except SeeThroughError as error:
        voice.complain(error)
        write_report(target, Report(verb).as_dict(), voice)
        return error.exit_code
    interrupted = False
    run.progress.listener = voice
    try:
        with voice.bar(verb, run, len(run)) as records:
            for record in records:
                _tell(record, voice, alone=len(run) == 1)
    except KeyboardInterrupt:
        interrupted = True
        run.abandon(LEFT)
    report = run.report()
    if report.exit_code == UsageError.exit_code and len(run) == 1:
        code = 0  # the command line was wrong, as only its one input could show
    else:
        code = write_report(target, report.as_dict(), voice)
    if interrupted:
        left = sum(record.reason == LEFT for record in report.records)
        voice.complain(
            SeeThroughError(f"interrupted with {left} of {len(run)} inputs left", "add --resume")
        )
        return INTERRUPTED
    if not any(record.error for record in report.records):
        for nothing_to_do in report.failures:
            voice.complain(nothing_to_do)
    if len(run) > 1:
        voice.say(_summary(report))
    return report.exit_code or code


def inform(options: dict[str, Any], target: str | None, voice: Voice) -> int:
    """Do the work of ``info``: its words are its result, and go to standard output."""
    found = info(**options)
    faults: list[SeeThroughError] = list(found.faults)
    if target != "-" and not voice.quiet:
        try:
            to_stdout(f"{found.as_text()}\n", "send it to a file or a terminal")
        except OutputError as error:
            faults.insert(0, error)
    for fault in faults:
        voice.complain(fault)
    code = faults[0].exit_code if faults else 0
    return write_report(target, found.as_dict(), voice) or code


def write_report(target: str | None, content: dict[str, Any], voice: Voice) -> int:
    """Write a JSON report where it is asked for; return 0, or complain and return 5."""
    if target is None:
        return 0
    text = json.dumps(content, indent=2) + "\n"
    try:
        if target == "-":
            to_stdout(text, "give a file to --json")
        else:
            deliver(Path(target), text.encode())
    except OutputError as error:
        voice.complain(error)
        return error.exit_code
    return 0


def _check_report(target: str | None, run: Run) -> None:
    if target is None or target == "-":
        return
    report = resolved(Path(target))
    for item in run.items:
        paths = (*item.inputs, *item.outputs, *run.options.files)
        if report in (resolved(path) for path in paths):
            raise UsageError(f"the report {target} is an input or an output", "name another file")


def _tell(record: Record, voice: Voice, *, alone: bool) -> None:
    """Say what became of one input."""
    if record.error is not None:
        voice.complain(record.error)
    elif record.status == "done" and (alone or voice.verbose):
        done = [region.kind for region in record.regions if region.status == "done"]
        skipped = [region for region in record.regions if region.status == "skipped"]
        words = [f"{done.count(kind)} {noun}" for kind, noun in _NOUNS.items() if kind in done]
        words += [f"{region.kind} skipped ({region.reason})" for region in skipped]
        said = record.summary or ", ".join(words)
        voice.say(f"{record.path} -> {record.output}" + (": " if said else "") + said)
    elif record.reason == RESUMED and (alone or voice.verbose):
        voice.say(f"{record.path} was finished earlier: {record.output}")
    elif record.status == "skipped" and voice.verbose:
        voice.say(f"{record.path}: skipped ({record.reason})")


_NOUNS = {"face": "face(s)", "text": "line(s) of text"}


def _summary(report: Report) -> str:
    count = dict.fromkeys(("done", "skipped", "failed"), 0)
    for record in report.records:
        count[record.status] += 1
    words = ", ".join(f"{number} {status}" for status, number in count.items())
    failed = ", ".join(str(r.path) for r in report.records if r.status == "failed")
    words = f"{words} ({failed})" if failed else words
    # A picture that is missing from the output of `redact` is one that nobody has covered.
    bare = ", ".join(str(r.path) for r in report.records if r.reason == NO_FACE)
    return f"{words}; {NO_FACE} in {bare}" if report.verb == "redact" and bare else words
