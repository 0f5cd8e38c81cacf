"""The weights that ship are the weights in the table."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path

import pytest

from seethrough import weights
from seethrough.errors import MissingPartError, UsageError


@pytest.fixture
def made_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A table with one entry, ``toy``, and its file."""
    file = tmp_path / "toy.onnx"
    file.write_bytes(b"a network")
    entry = weights.Weights(
        name="toy",
        file=file.name,
        sha256=hashlib.sha256(b"a network").hexdigest(),
        task="none",
        scale=1,
        preprocessing="none",
        licence="MIT",
        card="toy.md",
    )
    monkeypatch.setattr(weights, "WEIGHTS", (entry,))
    monkeypatch.setattr(weights, "ASSETS", tmp_path)
    weights.locate.cache_clear()
    yield file
    weights.locate.cache_clear()


@pytest.mark.parametrize("entry", weights.WEIGHTS, ids=lambda entry: entry.name)
def test_checksums_and_cards(entry: weights.Weights) -> None:
    data = (weights.ASSETS / entry.file).read_bytes()
    assert hashlib.sha256(data).hexdigest() == entry.sha256
    assert len((weights.ASSETS / entry.card).read_text().split()) >= 50
    assert all((entry.task, entry.preprocessing, entry.licence))
    assert entry.scale >= 1
    assert weights.locate(entry.name) == weights.ASSETS / entry.file
    assert (entry.used.name, entry.used.sha256) == (entry.name, entry.sha256)


def test_names_are_unique_and_no_network_ships_without_an_entry() -> None:
    names = [entry.name for entry in weights.WEIGHTS]
    assert len(set(names)) == len(names)
    files = {path.name for path in weights.ASSETS.glob("*.onnx")}
    assert files == {entry.file for entry in weights.WEIGHTS}


def test_an_unknown_name_is_refused() -> None:
    with pytest.raises(UsageError, match="no weights called 'nonsense'"):
        weights.locate("nonsense")


def test_a_changed_file_is_refused(made_up: Path) -> None:
    made_up.write_bytes(b"another network")
    with pytest.raises(MissingPartError, match="checksum"):
        weights.locate("toy")


def test_a_missing_file_is_refused(made_up: Path) -> None:
    made_up.unlink()
    with pytest.raises(MissingPartError, match="cannot be read"):
        weights.locate("toy")


def test_the_checksum_is_computed_once(made_up: Path) -> None:
    assert weights.locate("toy") == made_up
    made_up.write_bytes(b"changed behind our back")
    assert weights.locate("toy") == made_up
