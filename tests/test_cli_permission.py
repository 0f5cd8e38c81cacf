"""The program as a user who may not read or write everything."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import cv2
import numpy as np
import pytest

from tests.cli_program import errors

AS_NOBODY = """
import os
from seethrough import cli
# All that is loaded on the way, while the interpreter's files can be read for certain.
cli.run(["degrade", "in/a.png", "-o", "warm.png", "--mosaic", "8", "--quiet", "--overwrite"])
os.setgid(65534)
os.setuid(65534)
cli.main()
"""


@pytest.mark.skipif(os.geteuid() != 0, reason="drops privileges, which only root can")
def test_without_permission(rng: np.random.Generator) -> None:
    """As an ordinary user: root may read and write everything."""
    with tempfile.TemporaryDirectory() as name:  # pytest's own folders admit nobody else
        here = Path(name)
        here.chmod(0o777)
        for path in ("in/a.png", "in/b.png", "in/locked/c.png"):
            (here / path).parent.mkdir(parents=True, exist_ok=True)
            cv2.imwrite(str(here / path), rng.integers(0, 255, (40, 40, 3), np.uint8))
        (here / "in/b.png").chmod(0)
        (here / "in/locked").chmod(0o700)
        (here / "closed").mkdir(mode=0o555)

        def as_nobody(*arguments: str) -> subprocess.CompletedProcess[str]:
            return subprocess.run(
                [sys.executable, "-c", AS_NOBODY, *arguments],
                cwd=here,
                capture_output=True,
                text=True,
                check=False,
            )

        done = as_nobody("degrade", "in", "-o", "out", "--mosaic", "8")
        assert done.returncode == 3
        assert len(errors(done)) == 2
        assert any("b.png" in line for line in errors(done))
        assert any("locked" in line for line in errors(done))
        assert (here / "out/a.png").exists()
        for arguments in (["restore"], ["degrade", "--mosaic", "8"]):
            done = as_nobody(*arguments, "in/b.png", "-o", "b.png", "--json", "b.json")
            assert done.returncode == 3, done.stderr  # not 2: the command line is right
            assert len(errors(done)) == 1
            assert json.loads((here / "b.json").read_text())["inputs"][0]["status"] == "failed"
        done = as_nobody("degrade", "in/a.png", "-o", "closed/a.png", "--mosaic", "8")
        assert done.returncode == 5
        assert len(errors(done)) == 1
        assert list((here / "closed").iterdir()) == []
