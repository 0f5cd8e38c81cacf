"""What the base install weighs: counting files, and knowing when to install anew."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from benchmarks import footprint
from seethrough.errors import MissingPartError


def test_links_and_holes_take_no_space(tmp_path: Path) -> None:
    (tmp_path / "deep").mkdir()
    (tmp_path / "deep/a").write_bytes(bytes(range(256)) * 400)
    (tmp_path / "link").symlink_to(tmp_path / "deep/a")
    once = footprint.on_disk(tmp_path / "deep/a")
    assert once >= 102_400
    assert footprint.on_disk(tmp_path) == once
    assert footprint.on_disk(tmp_path / "link") == 0


def test_sizes_are_summed_by_package(tmp_path: Path) -> None:
    packages = tmp_path / "lib/python3.11/site-packages"
    for name in ("cv2/a.so", "cv2.libs/b.so", "cv2-5.0.dist-info/RECORD", "six.py"):
        (packages / name).parent.mkdir(parents=True, exist_ok=True)
        (packages / name).write_bytes(b"x" * 50_000)
    found = footprint.sizes(tmp_path / "bin/python")
    assert set(found) == {"cv2", "all else"}
    assert found["cv2"] >= 100_000
    assert sum(found.values()) == footprint.on_disk(tmp_path)


def test_the_digest_follows_the_sources(tmp_path: Path) -> None:
    (tmp_path / "src/p/__pycache__").mkdir(parents=True)
    (tmp_path / "pyproject.toml").write_text("a")
    (tmp_path / "src/p/m.py").write_text("a")
    first = footprint.package_digest(tmp_path)
    (tmp_path / "src/p/__pycache__/m.pyc").write_text("b")
    assert footprint.package_digest(tmp_path) == first
    (tmp_path / "src/p/m.py").write_text("b")
    assert footprint.package_digest(tmp_path) != first


def test_an_import_is_timed_in_new_processes() -> None:
    assert 0 < footprint.import_seconds(Path(sys.executable), "json", rounds=1) < 10


def test_an_install_that_fails_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))

    def create(folder: Path, *, with_pip: bool) -> None:
        (folder / "bin").mkdir(parents=True)
        (folder / "bin/python").write_text("#!/bin/sh\necho no index >&2\nexit 1\n")
        (folder / "bin/python").chmod(0o755)

    monkeypatch.setattr(footprint.venv, "create", create)
    (tmp_path / "pyproject.toml").write_text("")
    with pytest.raises(MissingPartError, match="no index"):
        footprint.fresh_environment(tmp_path)
