"""The house rules: what is public, what an import costs, and which way imports run."""

from __future__ import annotations

import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

import seethrough
from seethrough import errors

HEAVY = ("PIL", "av", "cv2", "numpy", "onnxruntime", "rich", "torch", "typer")

PUBLIC = {
    "Box",
    "CoveredRegion",
    "Face",
    "InputError",
    "MissingPartError",
    "NothingToDoError",
    "Operator",
    "OutputError",
    "Region",
    "Restoration",
    "SeeThroughError",
    "TextLine",
    "UsageError",
    "VerificationError",
    "__version__",
    "audit",
    "redact",
    "restore",
}


def python(program: str, repository: Path) -> str:
    command = [sys.executable, "-W", "error", "-c", program]
    done = subprocess.run(command, capture_output=True, text=True, cwd=repository, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_the_public_names() -> None:
    assert set(seethrough.__all__) == PUBLIC
    assert set(dir(seethrough)) >= PUBLIC


@pytest.mark.parametrize("name", sorted(PUBLIC))
def test_every_public_name_resolves_and_is_documented(name: str) -> None:
    value = getattr(seethrough, name)
    assert name == "__version__" or value.__doc__


def test_type_checkers_see_the_public_names(repository: Path) -> None:
    source = (repository / "src/seethrough/__init__.py").read_text()
    for name in PUBLIC - {"__version__"}:
        assert f"import {name} as {name}\n" in source


def test_other_names_are_no_attributes() -> None:
    with pytest.raises(AttributeError, match="no attribute 'nonsense'"):
        _ = seethrough.nonsense


def test_a_verb_stays_a_verb_when_every_module_is_loaded(repository: Path) -> None:
    program = (
        "import pkgutil, importlib, seethrough\n"
        "for m in pkgutil.iter_modules(seethrough.__path__):\n"
        "    if m.name != '__main__': importlib.import_module(f'seethrough.{m.name}')\n"
        "print(*(callable(getattr(seethrough, v)) for v in ('restore', 'audit', 'redact')))\n"
    )
    assert python(program, repository) == "True True True\n"


def test_import_loads_no_heavy_module(repository: Path) -> None:
    program = (
        "import sys; before = set(sys.modules); import seethrough\n"
        "print(*{m.partition('.')[0] for m in set(sys.modules) - before})"
    )
    loaded = python(program, repository).split()
    assert "seethrough" in loaded
    assert not set(loaded) & set(HEAVY)


def test_import_takes_less_than_a_third_of_a_second(repository: Path) -> None:
    # Processor time, which a busy machine does not stretch.
    program = (
        "import time; t = time.process_time(); import seethrough; print(time.process_time() - t)"
    )
    assert float(python(program, repository)) < 0.3


def test_imports_run_downward_only(repository: Path) -> None:
    lint = Path(sys.executable).with_name("lint-imports")
    done = subprocess.run([lint], capture_output=True, text=True, cwd=repository, check=False)
    assert done.returncode == 0, done.stdout


def test_exit_codes_are_those_of_the_interface() -> None:
    leaves = errors.SeeThroughError.__subclasses__()
    assert {leaf.__name__: leaf.exit_code for leaf in leaves} == {
        "UsageError": 2,
        "InputError": 3,
        "NothingToDoError": 4,
        "OutputError": 5,
        "MissingPartError": 6,
        "VerificationError": 7,
    }


def test_an_error_says_what_and_what_to_do() -> None:
    error = errors.InputError("a.png is empty", "check that it was copied whole")
    assert str(error) == "a.png is empty. Check that it was copied whole."
    assert error.remedy == "Check that it was copied whole"


def test_torch_is_never_a_dependency_of_the_base_install(repository: Path) -> None:
    project = tomllib.loads((repository / "pyproject.toml").read_text())["project"]
    assert not [d for d in project["dependencies"] if d.startswith(("torch", "onnx>", "scikit"))]
