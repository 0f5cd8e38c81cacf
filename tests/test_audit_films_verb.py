"""Films in ``audit`` from outside: files in, a report out."""

from __future__ import annotations

import json
import sys
from importlib import resources
from pathlib import Path
from typing import Any

import av
import jsonschema
import pytest

from seethrough import pipeline
from seethrough.auditor.film.auditing import AS_ONE_LOOK
from seethrough.auditor.types import Case
from seethrough.cli import run
from seethrough.faces import FaceDetector
from seethrough.pipeline.auditing_films import _leaks
from seethrough.tracker import Tracks
from seethrough.types import Face, Image
from seethrough.video import read_tags
from tests.audit_film_scene import FRAMES, FilmStandIn, mosaic, raw, tracks, write
from tests.audit_scene import cover, covered, face, save, scene
from tests.video import films

SCHEMA = json.loads(resources.files("seethrough").joinpath("schemas/audit.json").read_text())
auditing = sys.modules["seethrough.pipeline.auditing"]
auditing_films = sys.modules["seethrough.pipeline.auditing_films"]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Films, made once."""
    folder = tmp_path_factory.mktemp("films")
    write(folder / "raw.mp4", raw)
    write(folder / "red.mp4", mosaic((5, 6)))
    write(folder / "long.mp4", mosaic(), 3 * FRAMES)
    return folder


@pytest.fixture
def files(made: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The films in the working folder, attackers that a test can predict, and known tracks."""

    def track(frames: Any, info: Any, *_: Any, progress: Any, **__: Any) -> Tracks:
        count = sum(1 for _ in frames)
        progress(count, count)
        return tracks(count)

    def detect(self: FaceDetector, picture: Image, *_: Any, **__: Any) -> tuple[Face, ...]:
        return (face(),) if picture.shape == scene().shape else ()

    for path in made.iterdir():
        (tmp_path / path.name).write_bytes(path.read_bytes())
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(auditing, "AuditEngine", FilmStandIn)
    monkeypatch.setattr(auditing_films, "track", track)
    monkeypatch.setattr(FaceDetector, "detect", detect)
    return tmp_path


def checked(path: Path) -> dict[str, Any]:
    document: dict[str, Any] = json.loads(path.read_text())
    jsonschema.validate(document, SCHEMA)
    return document


def test_a_film_is_audited(files: Path, capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ["audit", "--original", "raw.mp4", "--redacted", "red.mp4", "-o", "r"]
    assert run(arguments) == 0
    document = checked(files / "r/report.json")
    (found,) = document["inputs"]
    (region,) = found["regions"]
    assert document["verdict"] == found["verdict"] == region["verdict"] == "uncovered"
    assert region["bare"] == [{"from": 0.2, "to": 0.28, "frames": 2}]
    assert (region["from"], region["to"], region["number"]) == (0, FRAMES / 25, 1)
    assert region["operator"]["kind"] == "mosaic"
    assert not region["covered"]
    assert region["attackers"]
    assert found["length"] == FRAMES / 25
    assert {rate["recogniser"] for rate in document["unredacted"]} == {"dlib", "mobilefacenet"}
    page = (files / "r/report.html").read_text()
    assert page.count("in the redacted film at") == region["looks"] + 1
    assert "0:00.20, bare" in page
    assert "No cover at all" in page
    assert len(page) < 5_000_000
    assert {path.name for path in (files / "r").iterdir()} == {"report.html", "report.json"}
    assert capsys.readouterr().err.startswith("raw.mp4 -> r/report.html: The face is not covered")


def test_a_style_is_simulated_on_a_film(files: Path) -> None:
    report = pipeline.audit("raw.mp4", "r", style="mosaic", strength=12)
    (audit,) = report.audits
    assert audit.faces[0].cells == pytest.approx(12)
    assert audit.redacted_sha256 == ""
    assert checked(files / "r/report.json")["inputs"][0]["redacted"] is None


@pytest.mark.parametrize(
    ("original", "redacted", "words"),
    [
        ("raw.mp4", "red.png", "is a film"),
        ("red.png", "red.mp4", "is a film"),
        ("raw.mp4", "long.mp4", "one is longer"),
        ("raw.mp4", "empty.mp4", "empty"),
    ],
)
def test_what_does_not_match_is_code_3(
    files: Path, original: str, redacted: str, words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    save(files / "red.png", scene())
    (files / "empty.mp4").touch()
    assert run(["audit", "--original", original, "--redacted", redacted, "-o", "r"]) == 3
    assert words in capsys.readouterr().err
    assert not (files / "r").exists()


def test_folders_hold_films_and_photos(files: Path) -> None:
    for side in ("before", "after"):
        (files / side).mkdir()
    (files / "raw.mp4").rename(files / "before/clip.mp4")
    (files / "red.mp4").rename(files / "after/clip.mp4")
    save(files / "before/clip.png", scene())  # beside a film of its name
    save(files / "after/clip.png", covered(scene(), [cover("mosaic", 9)]))
    save(files / "before/lonely.png", scene())
    (files / "after/lonely.mp4").write_bytes((files / "long.mp4").read_bytes())
    arguments = ["audit", "--original", "before", "--redacted", "after", "-o", "r", "--quiet"]
    assert run(arguments) == 3
    inputs = {i["path"]: i for i in checked(files / "r/report.json")["inputs"]}
    assert inputs["before/clip.mp4"]["verdict"] == "uncovered"
    assert inputs["before/clip.png"]["verdict"] == "exposed"
    assert "is a film" in inputs["before/lonely.png"]["reason"]
    assert "files" in (files / "r/report.html").read_text()


def test_other_originals_of_the_run_are_the_gallery(
    files: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(auditing, "same_people", lambda crops, owners, *_: ((1,), (0,)))
    (files / "before").mkdir()
    (files / "raw.mp4").rename(files / "before/a.mp4")
    save(files / "before/b.png", scene())
    report = pipeline.audit("before", "r", style="mosaic", strength=10)
    assert len(report.audits) == 2
    for audit in report.audits:
        assert not any(reading.upper_bound_only for reading in audit.faces[0].readings)


def test_a_film_without_faces_is_nothing_to_do(
    files: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    nobody = Tracks(224, 176, tracks().rate, FRAMES, ())
    monkeypatch.setattr(auditing_films, "track", lambda *_, **__: nobody)
    arguments = ["audit", "--original", "raw.mp4", "--redacted", "red.mp4", "-o", "r"]
    assert run(arguments) == 4
    assert not (files / "r").exists()


def test_an_interrupted_audit_leaves_nothing(files: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def stop(*_: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(FilmStandIn, "read_film", stop)
    before = {path.name for path in files.iterdir()}
    arguments = ["audit", "--original", "raw.mp4", "--redacted", "red.mp4", "-o", "r"]
    assert run(arguments) == 130
    assert {path.name for path in files.iterdir()} == before


def test_frames_are_counted(files: Path) -> None:
    heard: list[tuple[str, int]] = []

    class Listener:
        def step(self, stage: str, done: int, total: int | None) -> None:
            heard.append((stage, done))

        def warn(self, words: str) -> None:
            raise AssertionError(words)

    planned = auditing.auditing(
        Path("raw.mp4"), Path("red.mp4"), Path("r"), auditing.AuditOptions(threads=1)
    )
    planned.progress.listener = Listener()
    planned.finish()
    assert [done for stage, done in heard if stage == "compare"] == list(range(1, FRAMES + 1))
    assert [stage for stage, _ in heard][-1] == "attack"


def test_the_original_is_compressed_as_the_redacted_film_was(
    files: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine = FilmStandIn()
    monkeypatch.setattr(auditing, "AuditEngine", lambda *_: engine)
    report = pipeline.audit("raw.mp4", "r", redacted="red.mp4")
    assert report.audits[0].notes == (AS_ONE_LOOK,)
    case: Case = engine.cases[0]
    assert case.plain is not None
    assert (case.cover(case.clean) != case.plain(case.clean)).any()


def test_a_film_says_how_it_was_made(tmp_path: Path) -> None:
    told = films.make(
        tmp_path / "a.mp4", frames=3, options={"crf": "27", "preset": "ultrafast"},
        metadata={"comment": "Redacted by seethrough", "location": "+48+008/", "artist": "Me"},
    )  # fmt: skip
    tags = read_tags(told)
    assert tags.comment == "Redacted by seethrough"
    assert tags.crf == 27
    assert tags.names == ("artist",)
    silent = read_tags(films.make(tmp_path / "b.webm", frames=3, codec="libvpx-vp9"))
    assert (silent.comment, silent.crf, silent.names, silent.place) == ("", None, (), False)
    assert silent.pictures == 0


def test_further_tracks_of_pictures_are_told(tmp_path: Path) -> None:
    one = films.make(tmp_path / "one.mp4", frames=3)
    both = tmp_path / "both.mkv"
    with av.open(str(one)) as first, av.open(str(one)) as second, av.open(str(both), "w") as made:
        streams = [made.add_stream_from_template(each.streams.video[0]) for each in (first, second)]
        for source, stream in zip((first, second), streams, strict=True):
            for packet in source.demux(video=0):
                if packet.dts is not None:
                    packet.stream = stream
                    made.mux(packet)
    assert read_tags(both).pictures == 1
    (leak,) = _leaks(read_tags(both))
    assert leak.kind == "pictures"
    assert "1 more track" in leak.words
