"""`redact` on films from outside: exit codes, words, reports, interruptions."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from pathlib import Path

import av
import cv2
import pytest
from skimage.data import astronaut

from seethrough.cli import run
from seethrough.errors import VerificationError
from seethrough.pipeline import redact_film
from seethrough.types import Box
from tests.cli_program import LISTENING, Run, checked, errors
from tests.pipeline.faces_film import dark, decoded, face_frame, film, tracks, wall_frame
from tests.pipeline.test_redact_films import Look
from tests.video.films import make


@pytest.fixture
def program(tmp_path: Path) -> Run:
    """Run the program in a folder of its own."""

    def call(*arguments: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-W", "error", "-m", "seethrough", "redact", *arguments]
        return subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)

    return call


def test_a_film_is_redacted(program: Run, tmp_path: Path) -> None:
    film(tmp_path / "raw.mp4", sound="aac")
    done = program("raw.mp4", "-o", "safe.mp4", "--threads", "1", "--json", "-")
    assert done.returncode == 0, done.stderr
    warning, words = done.stderr.splitlines()
    assert warning.startswith("seethrough: warning: the sound is kept as it is")
    assert words.startswith("raw.mp4 -> safe.mp4: 1 face covered (solid), verified")
    report = checked(done.stdout, "redact")
    assert {"detector", "second-detector"} <= {used["name"] for used in report["weights"]}
    (record,) = report["inputs"]
    assert (record["width"], record["height"], record["verified"]) == (192, 128, True)
    assert set(record["stages"]) == {"decode", "track", "cover", "encode", "verify"}
    (region,) = record["regions"]
    assert (region["number"], region["first"], region["last"]) == (1, 0, 20)
    assert (region["from"], region["to"]) == (0, 0.8)
    assert dark(decoded(tmp_path / "safe.mp4")) == [True] * 20


def test_a_folder_may_mix_photos_and_films(program: Run, tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    film(tmp_path / "in/a.mov", frames=6)
    film(tmp_path / "in/b.avi", frames=6)
    cv2.imwrite(str(tmp_path / "in/c.png"), astronaut()[..., ::-1])
    film(tmp_path / "in/d.mp4", frames=4, picture=wall_frame)
    (tmp_path / "in/e.mp4").write_bytes(b"no film")
    done = program("in", "-o", "out", "--json", "report.json")
    assert done.returncode == 3
    (line,) = errors(done)
    assert "in/e.mp4" in line
    assert "3 done, 1 skipped, 1 failed (in/e.mp4); no face found in in/d.mp4" in done.stderr
    assert {p.name for p in (tmp_path / "out").iterdir()} == {"a.mov", "b.mkv", "c.png"}
    assert dark(decoded(tmp_path / "out/b.mkv")) == [True] * 6
    records = checked((tmp_path / "report.json").read_text(), "redact")["inputs"]
    assert [r["status"] for r in records] == ["done", "done", "done", "skipped", "failed"]
    assert program("in", "-o", "out", "--resume").returncode == 3


def sound_only(path: Path) -> None:
    make(path.with_suffix(".mkv"), frames=4, sound="aac")
    with av.open(str(path.with_suffix(".mkv"))) as source, av.open(str(path), "w") as target:
        stream = target.add_stream_from_template(source.streams.audio[0])
        for packet in source.demux(source.streams.audio[0]):
            if packet.dts is not None:
                packet.stream = stream
                target.mux(packet)
    path.with_suffix(".mkv").unlink()


def spoilt(path: Path, kind: str) -> None:
    match kind:
        case "sound alone":
            sound_only(path)
        case "a picture":
            cv2.imwrite(str(path.with_suffix(".png")), astronaut()[..., ::-1])
            path.with_suffix(".png").rename(path)
        case "half":
            film(path)
            path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
        case "empty":
            path.write_bytes(b"")
        case "a folder":
            path.mkdir()
            (path / "notes.txt").write_text("no film")


@pytest.mark.parametrize("kind", ["sound alone", "half", "empty", "missing"])
def test_films_that_cannot_be_read_are_code_3(program: Run, tmp_path: Path, kind: str) -> None:
    spoilt(tmp_path / "raw.mp4", kind)
    before = {path.name for path in tmp_path.iterdir()}
    done = program("raw.mp4", "-o", "safe.mp4", "--json", "-")
    assert done.returncode == 3, done.stderr
    (line,) = errors(done)
    assert "raw.mp4" in line
    (record,) = checked(done.stdout, "redact")["inputs"]
    assert (record["status"], record["output"]) == ("failed", None)
    assert {path.name for path in tmp_path.iterdir()} == before


@pytest.mark.parametrize("kind", ["a picture", "a folder"])
def test_what_is_no_film_is_never_copied(program: Run, tmp_path: Path, kind: str) -> None:
    spoilt(tmp_path / "raw.mp4", kind)
    done = program("raw.mp4", "-o", "safe.mp4", "--json", "-")
    assert done.returncode in (0, 3, 4), done.stderr
    assert "Traceback" not in done.stderr
    if (tmp_path / "safe.mp4").exists():  # a picture is a film of one frame
        assert (decoded(tmp_path / "safe.mp4")[0][80:170, 190:260] < 30).all()


def test_damaged_tracks_are_code_3_and_wrong_wishes_code_2(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    film(tmp_path / "raw.mp4", frames=4)
    tracks(tmp_path / "tracks.json", frames=4)
    tracks(tmp_path / "longer.json", frames=5)
    tracks(tmp_path / "wider.json", frames=4, width=200)
    (tmp_path / "broken.json").write_text('{"schema": "seethrough/tracks/1"}')
    before = {path.name for path in tmp_path.iterdir()}
    for arguments, code in (
        (["--tracks", "broken.json"], 3),
        (["--tracks", "none.json"], 3),
        (["--tracks", "tracks.json", "--only", "2"], 2),
        (["--tracks", "tracks.json", "--from", "0:01", "--to", "0.5"], 2),
        (["--tracks", "tracks.json", "--preset", "swift"], 2),
        (["--tracks", "tracks.json", "--keep", "1"], 4),
        (["--tracks", "tracks.json", "--from", "9"], 2),
        (["--tracks", "longer.json"], 3),
        (["--tracks", "wider.json"], 3),
    ):
        assert run(["redact", "raw.mp4", "-o", "safe.mp4", *arguments]) == code, arguments
        assert len(capsys.readouterr().err.splitlines()) == 1
    assert {path.name for path in tmp_path.iterdir()} == before


@pytest.mark.parametrize(
    ("given", "span", "status", "code"),
    [
        ("tracks.json", [0.04, 0.12], "done", 0),
        ("tracks.json", [0.04, None], "done", 0),
        ("early.json", [0.1, 0.12], "skipped", 4),
        ("longer.json", [None, 0.12], "failed", 3),
        ("tracks.json", [None, None], "done", 0),
    ],
)
def test_the_report_says_which_span_was_covered(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    given: str,
    span: list[float | None],
    status: str,
    code: int,
) -> None:
    film(tmp_path / "raw.mp4", frames=4)
    tracks(tmp_path / "tracks.json", frames=4)
    tracks(tmp_path / "longer.json", frames=9)
    tracks(tmp_path / "early.json", frames=4, ends=(0, 1))
    monkeypatch.chdir(tmp_path)
    flags = zip(("--from", "--to"), span, strict=True)
    words = [word for flag, time in flags if time is not None for word in (flag, str(time))]
    command = ["redact", "raw.mp4", "-o", "safe.mp4", "--tracks", given, "--threads", "1", *words]
    assert run([*command, "--json", "r.json"]) == code
    (record,) = checked(Path("r.json").read_text(), "redact")["inputs"]
    assert ([record["from"], record["to"]], record["status"]) == (span, status)
    if code == 0:  # what an earlier run has finished
        assert run([*command, "--json", "r.json", "--resume"]) == 0
        (record,) = checked(Path("r.json").read_text(), "redact")["inputs"]
        assert ([record["from"], record["to"]], record["status"]) == (span, "skipped")


def test_a_lost_face_may_stop_the_work(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    film(tmp_path / "raw.mp4", frames=4)
    monkeypatch.chdir(tmp_path)

    def lost(*_: object, **__: object) -> None:
        raise VerificationError("a face is lost: face 1 at 0.08-0.12 s", "add these times by hand")

    monkeypatch.setattr(redact_film, "track", lost)
    command = ["redact", "raw.mp4", "-o", "safe.mp4", "--on-lost", "stop", "--json", "r.json"]
    assert run(command) == 7
    (line,) = capsys.readouterr().err.splitlines()
    assert "face 1 at 0.08-0.12 s" in line
    (record,) = checked((tmp_path / "r.json").read_text(), "redact")["inputs"]
    assert (record["status"], record["output"], record["verified"]) == ("failed", None, None)
    assert {path.name for path in tmp_path.iterdir()} == {"raw.mp4", "r.json"}


def test_a_film_that_still_shows_something_is_code_7(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    film(tmp_path / "raw.mp4", frames=4)
    tracks(tmp_path / "tracks.json", frames=4)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(redact_film, "Verifier", Look)
    monkeypatch.setattr(Look, "bad", (1.0,))
    command = ["redact", "raw.mp4", "-o", "safe.mp4", "--tracks", "tracks.json", "--json", "r.json"]
    assert run([*command, "--style", "solid"]) == 7
    (line,) = capsys.readouterr().err.splitlines()
    assert "part of the face is not covered" in line
    assert "at 0.12 s" in line
    assert "kept as safe.unverified.mp4" in line
    (record,) = checked((tmp_path / "r.json").read_text(), "redact")["inputs"]
    assert (record["verified"], record["unverified"]) == (False, "safe.unverified.mp4")
    assert not (tmp_path / "safe.mp4").exists()


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGKILL])
def test_a_film_goes_on_where_it_was_stopped(
    program: Run, tmp_path: Path, number: signal.Signals
) -> None:
    frames = 620  # three segments
    film(tmp_path / "raw.mp4", frames=frames, picture=lambda i, w, h: face_frame(i % 20, w, h))
    tracks(tmp_path / "tracks.json", frames=frames, boxes=[Box(10, 20, 150, 110)] * 2)
    options = ["--tracks", "tracks.json", "--threads", "1", "--no-verify"]
    code = LISTENING + "from seethrough import cli; cli.main()"
    command = [sys.executable, "-c", code, "redact", "raw.mp4", "-o", "safe.mp4", *options]
    with subprocess.Popen(
        [*command, "--json", "report.json"], cwd=tmp_path, stderr=subprocess.PIPE, text=True
    ) as process:
        limit = time.monotonic() + 60
        while not list(tmp_path.glob(".safe.mp4.parts/.film-*/*.npz")):
            assert time.monotonic() < limit
            time.sleep(0.01)
        process.send_signal(number)
        _, words = process.communicate(timeout=60)
    assert not (tmp_path / "safe.mp4").exists()
    if number == signal.SIGINT:
        assert process.returncode == 130
        (line,) = words.splitlines()
        assert "interrupted with 1 of 1 inputs left. Add --resume" in line
        (left,) = checked((tmp_path / "report.json").read_text(), "redact")["inputs"]
        assert (left["status"], left["reason"]) == ("failed", "interrupted")
    done = program("raw.mp4", "-o", "safe.mp4", *options, "--resume")
    assert done.returncode == 0, done.stderr
    assert program("raw.mp4", "-o", "whole.mp4", *options).returncode == 0
    same = decoded(tmp_path / "safe.mp4") == decoded(tmp_path / "whole.mp4")
    assert same.all()
    assert not list(tmp_path.glob(".*"))
