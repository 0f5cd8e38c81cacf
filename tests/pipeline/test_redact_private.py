"""Nobody else reads a redacted photo before it has been looked at."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import cv2
import pytest
from skimage.data import astronaut

import seethrough
from seethrough.errors import VerificationError
from seethrough.pipeline import redact_photo

LEFT = ".safe.0123abcd.part.png"


@pytest.fixture
def photo(tmp_path: Path) -> Path:
    path = tmp_path / "photo.png"
    cv2.imwrite(str(path), astronaut()[..., ::-1])
    return path


@pytest.fixture(autouse=True)
def usual_mask() -> Iterator[None]:
    before = os.umask(0o022)
    yield
    os.umask(before)


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_until_it_is_verified_its_owner_alone_reads_it(
    photo: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out, seen = photo.parent / "out", []
    look = redact_photo.verify_picture

    def noting(*given: Any, **named: Any) -> Any:
        seen.extend(mode(path) for path in out.iterdir())
        return look(*given, **named)

    monkeypatch.setattr(redact_photo, "verify_picture", noting)
    seethrough.redact(photo, out / "safe.png", threads=1)
    assert seen
    assert set(seen) == {0o600}
    assert mode(out / "safe.png") == 0o644


def test_what_still_shows_something_stays_the_owners(
    photo: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def nothing(*_: Any) -> tuple[Any, ...]:
        return ()

    monkeypatch.setattr(redact_photo.Coverer, "patches", nothing)
    with pytest.raises(VerificationError):
        seethrough.redact(photo, photo.parent / "safe.png", style="solid", threads=1)
    assert mode(photo.parent / "safe.unverified.png") == 0o600


def test_what_a_run_that_was_killed_has_left_goes(photo: Path) -> None:
    (photo.parent / LEFT).write_bytes(b"half a photo")
    others = [".safe.part.png", ".safer.0123abcd.part.png", ".safe.0123abcd.part.jpg"]
    for name in others:
        (photo.parent / name).write_bytes(b"somebody else's")
    seethrough.redact(photo, photo.parent / "safe.png", threads=1)
    assert not (photo.parent / LEFT).exists()
    assert all((photo.parent / name).exists() for name in others)
