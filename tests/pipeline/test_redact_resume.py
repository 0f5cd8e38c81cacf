"""A redaction that stops at any moment, and goes on: the same film in the end."""

from __future__ import annotations

import functools
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import seethrough
from seethrough.errors import OutputError
from seethrough.pipeline import redact_film
from seethrough.redactor import Coverer, Verifier
from seethrough.video import transcode
from tests.pipeline.faces_film import decoded, film, tracks
from tests.pipeline.test_redact_films import Look, look, names  # noqa: F401 - a fixture

FRAMES = 24


class Killed(BaseException):
    pass


@pytest.fixture(autouse=True)
def short_segments(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(redact_film, "transcode", functools.partial(transcode, segment=5))


@pytest.fixture(scope="module")
def raw(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("raw")
    tracks(folder / "tracks.json", frames=FRAMES)
    return film(folder / "raw.mp4", frames=FRAMES)


def dies(function: Callable[..., Any], at: int) -> Callable[..., Any]:
    """Let a function raise when it is called for the ``at``-th time."""
    calls = iter(range(1, 1000))

    @functools.wraps(function)
    def call(*arguments: Any, **keywords: Any) -> Any:
        if next(calls) == at:
            raise Killed
        return function(*arguments, **keywords)

    return call


def redact(raw: Path, output: Path, **options: Any) -> None:
    options = {"threads": 1, "device": "cpu"} | options
    seethrough.redact(raw, output, **options)


@pytest.mark.parametrize("style", ["solid", "safe-blur"])
@pytest.mark.parametrize(
    ("where", "name", "at"),
    [
        (Coverer, "patches", 1),
        (Coverer, "patches", 13),
        (Coverer, "patches", FRAMES),
        (Verifier, "look", 7),
        (redact_film.Workshop, "keeping", 1),
    ],
)
def test_a_resumed_film_is_the_same(
    raw: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    style: Any,
    where: Any,
    name: str,
    at: int,
) -> None:
    given = {"tracks": raw.with_name("tracks.json"), "style": style}
    redact(raw, tmp_path / "whole.mp4", **given)
    with monkeypatch.context() as patch:
        patch.setattr(where, name, dies(getattr(where, name), at))
        with pytest.raises(Killed):
            redact(raw, tmp_path / "safe.mp4", **given)
    assert not (tmp_path / "safe.mp4").exists()
    redact(raw, tmp_path / "safe.mp4", **given, resume=True)
    np.testing.assert_array_equal(decoded(tmp_path / "safe.mp4"), decoded(tmp_path / "whole.mp4"))
    assert names(tmp_path) == {"safe.mp4", "whole.mp4"}


def test_work_that_is_done_is_not_done_again(
    raw: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def never(*_: Any, **__: Any) -> Any:
        raise AssertionError

    with monkeypatch.context() as patch:
        patch.setattr(Coverer, "patches", dies(Coverer.patches, 12))
        with pytest.raises(Killed):
            redact(raw, tmp_path / "safe.mp4", style="solid")
    covered, edit = [], redact_film._Edit.__call__

    def counted(self: Any, frame: Any) -> None:
        covered.append(frame.index)
        edit(self, frame)

    with monkeypatch.context() as patch:
        patch.setattr(redact_film, "track", never)
        patch.setattr(redact_film._Edit, "__call__", counted)
        patch.setattr(Verifier, "look", dies(Verifier.look, 3))
        with pytest.raises(Killed):
            redact(raw, tmp_path / "safe.mp4", style="solid", resume=True)
    assert covered == list(range(10, FRAMES))
    with monkeypatch.context() as patch:
        patch.setattr(redact_film, "track", never)
        patch.setattr(redact_film._Edit, "__call__", never)
        redact(raw, tmp_path / "safe.mp4", style="solid", resume=True)
    assert names(tmp_path) == {"safe.mp4"}


def test_covers_that_were_too_small_are_not_tried_again(
    raw: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    look: type[Look],  # noqa: F811
) -> None:
    look.bad = (1.0,)
    given = {"tracks": raw.with_name("tracks.json")}
    with monkeypatch.context() as patch, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        patch.setattr(Coverer, "patches", dies(Coverer.patches, FRAMES + 8))
        with pytest.raises(Killed):
            redact(raw, tmp_path / "safe.mp4", **given)
    redact(raw, tmp_path / "safe.mp4", **given, resume=True)  # without a warning
    with pytest.warns(UserWarning, match="trying again"):
        redact(raw, tmp_path / "whole.mp4", **given)
    np.testing.assert_array_equal(decoded(tmp_path / "safe.mp4"), decoded(tmp_path / "whole.mp4"))


def test_what_a_finished_film_has_left_is_tidied_up(
    raw: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(redact_film.Workshop, "discard", dies(redact_film.Workshop.discard, 2))
        with pytest.raises(Killed):
            redact(raw, tmp_path / "safe.mp4", verify=False)
    assert names(tmp_path) == {"safe.mp4", ".safe.mp4.parts"}
    redact(raw, tmp_path / "safe.mp4", verify=False, resume=True)
    assert names(tmp_path) == {"safe.mp4"}


def test_without_resume_everything_is_done_anew(
    raw: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    given = {"tracks": raw.with_name("tracks.json")}
    with monkeypatch.context() as patch:
        patch.setattr(Coverer, "patches", dies(Coverer.patches, 12))
        with pytest.raises(Killed):
            redact(raw, tmp_path / "safe.mp4", **given)
    (parts,) = tmp_path.iterdir()
    assert parts.name == ".safe.mp4.parts"
    assert parts.stat().st_mode & 0o077 == 0
    count, edit = [], redact_film._Edit.__call__

    def counted(self: Any, frame: Any) -> None:
        count.append(frame.index)
        edit(self, frame)

    monkeypatch.setattr(redact_film._Edit, "__call__", counted)
    redact(raw, tmp_path / "safe.mp4", **given)
    assert count == list(range(FRAMES))
    assert names(tmp_path) == {"safe.mp4"}


def test_a_finished_film_of_another_style_is_made_again(raw: Path, tmp_path: Path) -> None:
    target, given = tmp_path / "safe.mp4", {"tracks": raw.with_name("tracks.json")}
    with pytest.warns(UserWarning, match="eye-bar does not hide"):
        redact(raw, target, style="eye-bar", **given)
    bars = target.read_bytes()
    redact(raw, target, resume=True, **given)
    assert target.read_bytes() == bars
    redact(raw, target, resume=True, style="solid", **given)
    assert target.read_bytes() != bars
    target.write_bytes(raw.read_bytes())
    with pytest.raises(OutputError, match="was not made by redact"):
        redact(raw, target, resume=True, **given)
    assert target.read_bytes() == raw.read_bytes()
