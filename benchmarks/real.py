"""Real pictures: what becomes of each, beside Real-ESRGAN, and strips to look at.

Nobody knows the truth behind ``data/real``, so nothing here says how good a result is, only whether
it explains its input (PROTOCOL section 5). With ``--sheets`` each picture's strip is written: the
input, and both results without names, in an order that ``key.json`` beside them tells.
"""

from __future__ import annotations

import json
import sys
import tempfile
from pathlib import Path

import cv2
import numpy as np

import seethrough
from benchmarks import peers, sets
from benchmarks.results import Column, Options, Section, Table, Value
from seethrough import image
from seethrough.errors import InputError, NothingToDoError, UsageError
from seethrough.pipeline.report import Record
from seethrough.types import Image
from seethrough.weights import record

SMALL = 128
"""Larger side in pixels of what Real-ESRGAN is given; it enlarges four times."""
MARGIN = 10
"""Pixels of white between a strip's pictures."""


def reduced(picture: Image, side: int = SMALL) -> Image:
    """Reduce a picture by area average until its larger side is ``side``."""
    scale = min(1.0, side / max(picture.shape[:2]))
    size = [max(1, round(scale * length)) for length in picture.shape[1::-1]]
    return np.asarray(cv2.resize(picture, size, interpolation=cv2.INTER_AREA), np.uint8)


def resized(picture: Image, size: tuple[int, ...]) -> Image:
    """Bring a picture to ``(width, height)``, by area average where that is smaller."""
    shrinks = size[0] < picture.shape[1]
    way = cv2.INTER_AREA if shrinks else cv2.INTER_CUBIC
    return np.asarray(cv2.resize(picture, size, interpolation=way), np.uint8)


def explained(result: Image, small: Image) -> float:
    """PSNR in dB between the picture that a peer is given and a result brought to its size."""
    size = small.shape[1::-1]
    again = cv2.resize(result, size, interpolation=cv2.INTER_AREA)
    error = float(np.mean((again.astype(np.float64) - small) ** 2))
    return float(min(60.0, 10 * np.log10(255**2 / max(error, 1e-9))))


def strip(pictures: list[Image]) -> Image:
    """Set pictures of one size side by side."""
    gap = np.full((pictures[0].shape[0], MARGIN, 3), 255, np.uint8)
    parts = [pictures[0]]
    for picture in pictures[1:]:
        parts += [gap, picture]
    return np.concatenate(parts, axis=1)


def counted(record: Record) -> dict[str, Value]:
    """What was done to one picture, in words and numbers."""
    done = [region for region in record.regions if region.status == "done"]
    reasons = {region.reason for region in record.regions if region.reason}
    return {
        "picture": record.path.name,
        "size": f"{record.width} x {record.height}",
        "faces": sum(region.kind == "face" for region in done),
        "lines": sum(region.kind == "text" for region in done),
        "left": ", ".join(sorted({record.reason or "", *reasons} - {""})),
    }


def run(options: Options) -> Section:
    """Restore every real picture, and let Real-ESRGAN enlarge each."""
    if options.weights is not None:
        raise UsageError("real pictures show the shipped networks", "leave --weights out")
    paths = sorted(
        path
        for path in (options.shared / "data" / "real").glob("*")
        if path.suffix in (".jpg", ".png")
    )[: options.limit]
    if not paths:
        raise InputError(f"no real pictures are in {options.shared}", "see data/README.md")
    peer, rng = peers.RealEsrgan(options.threads), np.random.default_rng(options.seed)
    rows: list[dict[str, Value]] = []
    key: dict[str, list[str]] = {}
    for path in paths:
        given = image.read(path).pixels
        kept, ours = _restored(path, options)
        row = counted(kept)
        if ours is not None:
            small = reduced(given)
            theirs = resized(peer.enlarge(small), given.shape[1::-1])
            row |= {"ours": explained(ours, small), "theirs": explained(theirs, small)}
            if options.sheets is not None:
                both = {"SeeThrough": ours, peer.name: theirs}
                key[path.name] = [str(name) for name in rng.permutation(list(both))]
                shown = [given, *(both[name] for name in key[path.name])]
                _save(options.sheets / f"real-{path.stem}.png", shown)
        rows.append(row)
        print(row, file=sys.stderr, flush=True)
    if options.sheets is not None:
        options.sheets.mkdir(parents=True, exist_ok=True)
        words = json.dumps(key, indent=1) + "\n"
        (options.sheets / "key.json").write_text(words, encoding="utf-8")
    return _section(peer.name, rows, options)


def _section(peer: str, rows: list[dict[str, Value]], options: Options) -> Section:
    columns = (
        Column("picture", "picture"),
        Column("size", "px"),
        Column("faces", "faces restored"),
        Column("lines", "lines restored"),
        Column("left", "left as it is, because"),
        Column("ours", "ours explains its input, dB", 1),
        Column("theirs", f"{peer}, dB", 1),
    )
    used = [record(name).used for name in ("restorer", "realistic")]
    provenance = {
        "weights": "; ".join(f"{w.name}, sha256 {w.sha256}" for w in used),
        "peer": peer,
        **sets.provenance(options),
    }
    text = (
        "`seethrough restore` with its defaults on the pictures of `data/real`, whose truth nobody "
        f"knows. {peer} enlarges four times and is given each picture reduced to {SMALL} px; ours "
        "gets the picture and changes its faces and lines of text alone. A result explains its "
        f"input where both agree at {SMALL} px; that says nothing of how good it looks. Strips for "
        "a blind review: `python -m benchmarks.run real --sheets DIR`."
    )
    table = Table("Each picture", columns, tuple(rows))
    return Section("real", "Real pictures", text, (table,), provenance)


def _restored(path: Path, options: Options) -> tuple[Record, Image | None]:
    """Restore one picture: what became of it, and the result where anything was to be done."""
    with tempfile.TemporaryDirectory() as folder:
        output = Path(folder) / "restored.png"
        try:
            report = seethrough.restore(path, output, device="cpu", threads=options.threads)
        except NothingToDoError as error:
            height, width = image.read(path).pixels.shape[:2]
            reason = error.what.rpartition(": ")[2]  # what stands before it names the file
            return Record(path, None, "skipped", reason, width, height), None
        return report.records[0], image.read(output).pixels


def _save(path: Path, pictures: list[Image]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    if not cv2.imwrite(str(path), np.ascontiguousarray(strip(pictures)[..., ::-1])):
        raise OSError(f"{path} cannot be written")
