"""Every command has help with examples, is documented, and bears the names of Python's keywords."""

from __future__ import annotations

import inspect
import keyword
import re
import shlex
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest
import typer
from typer.main import get_command

from seethrough import pipeline
from seethrough.auditor.covers import STYLES
from seethrough.cli.audit import STYLES as STYLES_IN_HELP
from seethrough.cli.commands import app
from seethrough.cli.degrade import TOOLS
from seethrough.cli.options import FileOptions, SharedOptions
from seethrough.cli.redact import STYLES as COVERS_IN_HELP
from seethrough.degrade import PRESETS
from seethrough.pipeline.audit_options import AuditOptions
from seethrough.pipeline.faces_options import FacesOptions
from seethrough.pipeline.options import DegradeOptions, RestoreOptions, RunOptions
from seethrough.pipeline.redact_options import RedactOptions
from seethrough.redactor import STYLES as COVERS

COMMANDS: dict[str, Any] = get_command(app).commands  # type: ignore[attr-defined]
PRESENTATION = {"json", "quiet", "verbose", "help"}
"""What only a command line has: how it reports, not what it does."""


def flags(name: str) -> dict[str, Any]:
    """The options of a command by their long flag, without dashes."""
    found = {}
    for parameter in COMMANDS[name].params:
        long = [flag for flag in parameter.opts if flag.startswith("--")]
        if long:
            flag = long[0][2:].replace("-", "_")
            found[f"{flag}_" if keyword.iskeyword(flag) else flag] = parameter
    return found


def named(word: str) -> str:
    """The keyword of Python that a flag bears."""
    name = word.removeprefix("--").removeprefix("no-").replace("-", "_")
    return f"{name}_" if keyword.iskeyword(name) else name


def test_the_commands_are_those_of_this_version() -> None:
    assert set(COMMANDS) == {"restore", "redact", "faces", "audit", "degrade", "info"}


@pytest.mark.parametrize("name", sorted(COMMANDS))
def test_help_has_a_summary_examples_and_every_option(name: str) -> None:
    command = COMMANDS[name]
    assert command.help
    assert "Examples:" in command.help
    examples = [line.strip() for line in command.help.splitlines() if "  seethrough" in line]
    assert examples
    for parameter in command.params:
        assert parameter.help or parameter.name in ("context", "help"), parameter.name
    for example in examples:
        words = shlex.split(example)
        assert words[:2] == ["seethrough", name]
        for word in words[2:]:
            if word.startswith("--"):
                assert named(word) in flags(name), example


def test_the_help_of_all_has_examples_too() -> None:
    text = get_command(app).help or ""
    examples = [shlex.split(line) for line in text.splitlines() if line.startswith("  seethrough")]
    assert {words[1] for words in examples} <= set(COMMANDS)
    assert len(examples) >= 2


@pytest.mark.parametrize("name", sorted(COMMANDS))
def test_every_flag_is_in_the_documentation(name: str, repository: Path) -> None:
    pages = {"audit": "audit.md", "restore": "restore.md", "degrade": "degrade.md"}
    pages |= {"info": "json.md", "redact": "redact.md", "faces": "faces.md"}
    text = (repository / "docs" / pages[name]).read_text()
    assert f"seethrough {name}" in text
    if name == "info":
        return
    for flag in flags(name).keys() - {"output", "help"}:
        assert re.search(rf"--{flag.strip('_').replace('_', '-')}\b", text), (
            f"--{flag} is not in {pages[name]}"
        )


def test_examples_in_the_documentation_are_commands(repository: Path) -> None:
    for page in (repository / "docs").glob("*.md"):
        for line in page.read_text().splitlines():
            if line.startswith("    seethrough "):
                words = shlex.split(line)
                assert words[1] in COMMANDS, line
                for word in words[2:]:
                    if word.startswith("--"):
                        assert named(word) in flags(words[1]), line


@pytest.mark.parametrize(
    ("name", "verb", "options"),
    [
        ("restore", pipeline.restore, RestoreOptions),
        ("redact", pipeline.redact, RedactOptions),
        ("faces", pipeline.faces, FacesOptions),
        ("audit", pipeline.audit, AuditOptions),
        ("degrade", pipeline.degrade, DegradeOptions),
        ("info", pipeline.info, None),
    ],
)
def test_flags_are_the_keywords_of_python(name: str, verb: Any, options: Any) -> None:
    files = {"inputs", "source", "original", "redacted", "output"}
    keywords = set(inspect.signature(verb).parameters) - files
    assert set(flags(name)) - PRESENTATION - files == keywords
    if options is not None:
        assert keywords == {field.name for field in fields(options)}


def test_every_verb_shares_these() -> None:
    shared = {field.name for field in fields(RunOptions)} - {"overwrite", "resume"}
    for name in COMMANDS:
        assert flags(name).keys() >= shared | (PRESENTATION - {"help"})
    assert {field.name for field in fields(SharedOptions)} == shared | (PRESENTATION - {"help"})
    assert {field.name for field in fields(FileOptions)} >= {f.name for f in fields(RunOptions)}


def test_operators_stand_in_the_order_in_which_they_act() -> None:
    order = list(flags("degrade"))
    acting = DegradeOptions.of(
        tool="egoblur",
        mosaic=8,
        gauss=1,
        box=3,
        motion="3,0",
        noise=0.1,
        jpeg=9,
        h264=9,
        eye_bar=True,
        mask_face=True,
        mask_head=True,
        x4=True,
        x8=True,
    ).operators
    assert [name for name in order if name in acting] == list(acting)
    assert list(acting)[:1] + list(acting)[-2:] == ["tool", "jpeg", "h264"]


def test_typer_is_told_to_stay_plain() -> None:
    assert isinstance(app, typer.Typer)
    assert app.pretty_exceptions_enable is False
    assert app.rich_markup_mode is None


def test_help_names_every_tool() -> None:
    assert TOOLS.split(", ") == list(PRESETS)


def test_help_names_every_style() -> None:
    assert set(STYLES_IN_HELP.split(", ")) == set(STYLES)
    assert tuple(COVERS_IN_HELP.split(", ")) == COVERS


def test_help_says_what_aligned_takes_a_crop_for_and_what_metadata_is_kept() -> None:
    assert "without --kind, a face" in flags("restore")["aligned"].help
    kept = flags("redact")["keep_metadata"].help
    for word in ("EXIF", "tags", "chapters", "attachments"):
        assert word in kept


def test_the_list_of_commands_cuts_no_summary_short() -> None:
    for command in COMMANDS.values():
        assert len(command.short_help) < 60
        assert command.short_help in (command.get_short_help_str(limit=60))
