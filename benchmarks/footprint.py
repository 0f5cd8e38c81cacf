"""What the base install costs before it does anything: space on disk, and the time to import it.

The tree is installed with the dependencies that it declares, no extras, into an environment of
its own, which is kept in the cache until the package changes.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import statistics
import subprocess
import sys
import venv
from collections import Counter
from pathlib import Path

from benchmarks import command, parts, results, sets
from benchmarks.results import Column, Goal, Options, Section, Table, Value, goals
from seethrough.errors import MissingPartError

REPOSITORY = results.ROOT.parent
IMPORT_BAR = 0.3
"""Processor seconds."""
SIZE_BAR = 600.0
"""MB (a million bytes)."""
ROUNDS = 7
LISTED = 1e6
"""Bytes: smaller packages are not listed one by one."""

_IMPORT = "import time; t = time.process_time(); import {}; print(time.process_time() - t)"


def on_disk(path: Path) -> int:
    """Bytes that a file, or all files below a folder, take up; links count nothing."""
    if path.is_symlink():
        return 0
    files = (p for p in path.rglob("*") if not p.is_symlink()) if path.is_dir() else (path,)
    return sum(512 * file.stat().st_blocks for file in files if file.is_file())


def package_digest(repository: Path) -> str:
    """Digest of all that a wheel is made of, and of this Python."""
    digest = hashlib.sha256(sys.version.encode())
    sources = sorted((repository / "src").rglob("*"))
    for path in (repository / "pyproject.toml", *sources):
        if path.is_file() and "__pycache__" not in path.parts:
            digest.update(str(path.relative_to(repository)).encode() + path.read_bytes())
    return digest.hexdigest()


def fresh_environment(repository: Path = REPOSITORY) -> Path:
    """Return the Python of an environment that holds the base install and nothing else.

    Raises
    ------
    MissingPartError
        Where the package registry cannot be reached.
    """
    folder = parts.cache_folder() / "base-install"
    python, marker = folder / "bin" / "python", folder / "installed"
    digest = package_digest(repository)
    if marker.exists() and marker.read_text() == digest:
        return python
    shutil.rmtree(folder, ignore_errors=True)
    venv.create(folder, with_pip=True)
    done = subprocess.run(
        [python, "-m", "pip", "install", "--quiet", "--no-cache-dir", repository],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    if done.returncode != 0:
        raise MissingPartError(
            f"the base install failed: {done.stderr.strip()[-300:]}",
            "check that the package index can be reached",
        )
    marker.write_text(digest)
    return python


def import_seconds(python: Path, module: str = "seethrough", rounds: int = ROUNDS) -> float:
    """Median processor seconds of importing a module, each in a process of its own.

    One import that is not counted comes before, so that byte code is there as on every later run.
    """
    spent = []
    for _ in range(rounds + 1):
        done = subprocess.run(
            [python, "-I", "-c", _IMPORT.format(module)], capture_output=True, text=True, check=True
        )
        spent.append(float(done.stdout))
    return statistics.median(spent[1:])


def sizes(python: Path) -> dict[str, int]:
    """Bytes of the environment by the top folder of its packages, largest first."""
    packages = next((python.parent.parent / "lib").glob("python*/site-packages"))
    found: Counter[str] = Counter()
    for entry in packages.iterdir():
        # What a wheel repairs, `NAME.libs`, belongs to its package; metadata to none.
        name = entry.name.partition(".")[0] if entry.name.endswith(".libs") else entry.name
        found[name if entry.is_dir() and not name.endswith(".dist-info") else "all else"] += (
            on_disk(entry)
        )
    found["all else"] += on_disk(python.parent.parent) - found.total()
    return dict(found.most_common())


def run(options: Options) -> Section:
    """Install, import, weigh."""
    python = fresh_environment()
    seconds = import_seconds(python)
    found = sizes(python)
    total = sum(found.values()) / 1e6
    large = {n: size / 1e6 for n, size in found.items() if size >= LISTED and n != "all else"}
    rows: list[dict[str, Value]] = [{"what": f"`{n}`", "size": size} for n, size in large.items()]
    rows.append({"what": "all else", "size": total - sum(large.values())})
    rows.append({"what": "the whole environment", "size": total})
    columns = (Column("what", "packages"), Column("size", "MB on disk", 1))
    text = (
        "`pip install .` without extras into a new environment, PyAV, pip and byte code included; "
        f"1 MB is a million bytes. Importing: processor seconds, the median of {ROUNDS} new "
        "processes."
    )
    bars = goals(
        "Against the goals",
        [
            Goal("`import seethrough`, processor seconds", seconds, IMPORT_BAR, least=False),
            Goal("base install, MB on disk", total, SIZE_BAR, least=False),
        ],
    )
    load = f"{os.getloadavg()[0]:.1f} just after the run"
    provenance = {**sets.provenance(options), "load average": load}
    tables = (bars, Table("Size by package", columns, tuple(rows)))
    return Section("footprint", "Base install", text, tables, provenance)


if __name__ == "__main__":
    command.print_section("benchmarks.footprint", __doc__, run)
