"""The timing of commands."""

from __future__ import annotations

import pytest

from benchmarks import audit_time


def test_a_command_takes_processor_time() -> None:
    assert 0.01 < audit_time.seconds_of(["--help"]) < 60


def test_a_command_that_fails_is_no_measurement() -> None:
    with pytest.raises(RuntimeError, match="error"):
        audit_time.seconds_of(["restore", "nothing-here.png", "-o", "out.png"])
