"""What tests of the program as a process of its own share."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from importlib import resources
from typing import Any

import jsonschema

from seethrough import __version__

Run = Callable[..., subprocess.CompletedProcess[str]]
LISTENING = "import signal; signal.signal(signal.SIGINT, signal.default_int_handler)\n"
"""Before a program: tests that run in the background inherit an ignored Ctrl-C."""


def errors(done: subprocess.CompletedProcess[str]) -> list[str]:
    assert "Traceback" not in done.stderr
    return [line for line in done.stderr.splitlines() if line.startswith("seethrough: error: ")]


def checked(text: str, verb: str) -> Any:
    """Parse a report and validate it against its schema."""
    report = json.loads(text)
    schema = json.loads(resources.files("seethrough").joinpath(f"schemas/{verb}.json").read_text())
    jsonschema.Draft202012Validator.check_schema(schema)
    jsonschema.Draft202012Validator(schema).validate(report)
    assert report["schema"] == f"seethrough/{verb}/1"
    assert report["version"] == __version__
    return report
