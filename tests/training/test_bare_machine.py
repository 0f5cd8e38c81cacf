"""Trainings that a machine without a network runs, with PyTorch, NumPy and OpenCV alone."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("torch", reason="training needs the `train` extra")

CONFIGS = Path(__file__).parents[2] / "training" / "configs"

BARE = """
import runpy, sys

class Missing:
    names = "PIL av jinja2 lap onnx onnxruntime rich scipy skimage tqdm typer".split()

    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in self.names:
            raise ModuleNotFoundError(f"{name} is not there")

sys.meta_path.insert(0, Missing())
import training.pack, training.train
runpy.run_path(sys.argv[1])
"""


def on_a_bare_machine(config: str) -> str:
    """Load a config and all that it needs; return what went wrong."""
    command = [sys.executable, "-c", BARE, str(CONFIGS / config)]
    return subprocess.run(command, capture_output=True, text=True).stderr


@pytest.mark.parametrize(
    "config", ["restorer.py", "restorer_finish.py", "aligner.py", "iccv17_mcgan.py"]
)
def test_a_bare_machine_can_train(config: str) -> None:
    assert on_a_bare_machine(config) == ""


def test_what_a_bare_machine_lacks_would_be_noticed() -> None:
    assert "is not there" in on_a_bare_machine("realistic.py")
