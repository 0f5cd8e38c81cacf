"""Encoded segments on disk: what a long run that stopped need not do again.

A part is two files: the packets, one after another, and their table (NumPy). The table is written
last and under a temporary name, so that a part is there when its table is. Neither is a film that
a player opens, and both hold edited frames alone.
"""

from __future__ import annotations

import shutil
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from zipfile import BadZipFile

import av
import numpy as np
import numpy.typing as npt

from seethrough.errors import OutputError


@dataclass(frozen=True, eq=False)
class Part:
    """One finished segment.

    Attributes
    ----------
    path : Path
        Its packets.
    frames : int
        Frames in it.
    stamps : ndarray
        ``int64``, presentation time of each packet in ticks, in the order of decoding.
    keys : ndarray
        ``bool``: which packets can be decoded alone.
    sizes : ndarray
        ``int64``, bytes of each packet.
    header : bytes
        What the encoder wants to stand in the container's header.
    last : int
        Ticks for which the last frame is shown; 0 where the source does not say.
    """

    path: Path
    frames: int
    stamps: npt.NDArray[np.int64]
    keys: npt.NDArray[np.bool_]
    sizes: npt.NDArray[np.int64]
    header: bytes
    last: int

    def packets(self) -> Iterator[bytes]:
        """Yield the packets in the order of decoding."""
        with self.path.open("rb") as file:
            for size in self.sizes:
                yield file.read(int(size))


@dataclass(eq=False)
class PartWriter:
    """A segment that is being written."""

    path: Path
    stamps: list[int] = field(default_factory=list)
    keys: list[bool] = field(default_factory=list)
    sizes: list[int] = field(default_factory=list)
    crc: int = 0

    def __post_init__(self) -> None:
        self._file = self.path.with_suffix(".tmp").open("wb")

    def add(self, packet: av.Packet[av.stream.Stream]) -> None:
        """Write one packet."""
        data = bytes(packet)
        assert packet.pts is not None
        self._file.write(data)
        self.crc = zlib.crc32(data, self.crc)
        self.stamps.append(packet.pts)
        self.keys.append(packet.is_keyframe)
        self.sizes.append(len(data))

    def finish(self, frames: int, header: bytes, last: int) -> Part:
        """Complete the part."""
        self._file.close()
        self.path.with_suffix(".tmp").replace(self.path)
        part = Part(
            self.path,
            frames,
            np.array(self.stamps, np.int64),
            np.array(self.keys, np.bool_),
            np.array(self.sizes, np.int64),
            header,
            last,
        )
        table = self.path.with_suffix(".table")
        with table.open("wb") as file:
            np.savez(
                file,
                stamps=part.stamps,
                keys=part.keys,
                sizes=part.sizes,
                header=np.frombuffer(header, np.uint8),
                numbers=np.array([frames, last, self.crc], np.int64),
            )
        table.replace(self.path.with_suffix(".npz"))
        return part

    def abandon(self) -> None:
        """Close what will not be completed."""
        self._file.close()


class Parts:
    """The folder of a target's parts, readable by its owner alone.

    Parameters
    ----------
    target : Path
        Where the film will be.
    key : str
        What the parts depend on.
    resume : bool
        Whether parts of the same key are taken over; all others are discarded.

    Attributes
    ----------
    done : dict of int to Part
        Finished segments by their number.
    """

    def __init__(self, target: Path, key: str, *, resume: bool) -> None:
        self.folder = target.with_name(f".{target.name}.parts")
        self.done: dict[int, Part] = {}
        try:
            if self.folder.is_symlink() or self.folder.is_file():
                self.folder.unlink()
            if not (resume and self._key() == key):
                self.discard()
            self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            (self.folder / "key").write_text(key)
        except OSError as error:
            shutil.rmtree(self.folder, ignore_errors=True)
            raise OutputError(
                f"{target} cannot be written ({error.strerror or error})",
                "check the folder, its permissions and the space that is left",
            ) from error
        for table in sorted(self.folder.glob("*.npz")):
            part = _load(table)
            if part is not None:
                self.done[int(table.stem)] = part

    def writer(self, number: int) -> PartWriter:
        """Begin a segment."""
        return PartWriter(self.folder / f"{number:08d}.packets")

    def discard(self) -> None:
        """Remove the folder with all that is in it."""
        if self.folder.is_dir():
            shutil.rmtree(self.folder)

    def _key(self) -> str | None:
        try:
            return (self.folder / "key").read_text()
        except (OSError, UnicodeDecodeError):
            return None


def _load(table: Path) -> Part | None:
    """Return a part, or nothing where it is not whole."""
    path = table.with_suffix(".packets")
    try:
        with table.open("rb") as file, np.load(file) as content:
            frames, last, crc = (int(number) for number in content["numbers"])
            part = Part(
                path,
                frames,
                content["stamps"],
                content["keys"],
                content["sizes"],
                content["header"].tobytes(),
                last,
            )
        found = 0
        for data in part.packets():
            found = zlib.crc32(data, found)
        whole = found == crc and path.stat().st_size == part.sizes.sum()
    except (OSError, ValueError, KeyError, BadZipFile, EOFError):
        return None
    return part if whole else None
