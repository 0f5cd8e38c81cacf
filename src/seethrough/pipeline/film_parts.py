"""What the work on a film has done so far, in a hidden folder beside the output.

There the film is encoded, and a redaction verified; only then does it get the name that was asked
for. Of a redaction the folder holds positions of faces and covered frames, never a frame in which
they show.
"""

from __future__ import annotations

import hashlib
import os
import re
import shutil
from array import array
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from fractions import Fraction
from pathlib import Path

from seethrough import __version__
from seethrough.errors import InputError, OutputError, SeeThroughError
from seethrough.tracker import Tracks, read_tracks, write_tracks

OWNER_ONLY = 0o700


class Times(Sequence[Fraction]):
    """When each frame of a film is shown, in seconds, and at last when the film ends.

    Eight bytes a frame: films are long.

    Parameters
    ----------
    time_base : Fraction
        Seconds in one tick.
    rate : Fraction
        Frames a second; the last frame is taken to last for one of them.
    """

    def __init__(self, time_base: Fraction, rate: Fraction) -> None:
        self._base = time_base
        self._rate = rate
        self._ticks = array("q")

    def append(self, time: Fraction) -> None:
        """Note the next frame."""
        self._ticks.append(round(time / self._base))

    def __len__(self) -> int:
        """How many frames were noted."""
        return len(self._ticks)

    def __getitem__(self, frame: int) -> Fraction:  # type: ignore[override]
        if frame >= len(self._ticks):
            return self._ticks[-1] * self._base + 1 / self._rate
        return self._ticks[frame] * self._base


class Workshop:
    """The hidden folder of one film.

    Parameters
    ----------
    source : Path
        The film.
    output : Path
        Where the redacted one will be.
    resume : bool
        Whether to take over what an earlier run has left; otherwise it is removed.

    Raises
    ------
    OutputError
        Where the folder cannot be made.
    """

    def __init__(self, source: Path, output: Path, *, resume: bool) -> None:
        self.source = source
        self.output = output
        self.folder = parts_of(output)
        self._new = [above for above in output.parents if not os.path.lexists(above)]
        try:
            if self.folder.is_symlink() or self.folder.is_file():
                self.folder.unlink()
            if not resume:
                self.discard()
            self.folder.mkdir(mode=OWNER_ONLY, parents=True, exist_ok=True)
        except OSError as error:
            raise unwritable(output, error) from error

    def key(self, *content: object) -> str:
        """Return a name for what depends on the film and on ``content``."""
        status = self.source.stat()
        known = (str(self.source.resolve()), status.st_size, status.st_mtime_ns, __version__)
        return hashlib.sha256(repr((known, content)).encode()).hexdigest()[:24]

    def tracks(self, key: str) -> Tracks | None:
        """Return the faces that an earlier run has found, if it has."""
        path = self.folder / f"tracks-{key}.json"
        try:
            return read_tracks(path)
        except InputError:
            return None

    def keep_tracks(self, key: str, tracks: Tracks) -> None:
        """Keep the faces, for a run that goes on with this one's work."""
        write_tracks(tracks, self.folder / f"tracks-{key}.json", overwrite=True)

    def film(self, key: str) -> Path:
        """Return where a film is encoded whose covers are described by ``key``."""
        return self.folder / f"film-{key}{self.output.suffix}"

    def forget_films_but(self, key: str) -> None:
        """Remove films, whole and in parts, whose covers will not be used."""
        for path in (*self.folder.glob("film-*"), *self.folder.glob(".film-*")):
            if key in path.name:
                continue
            if path.is_dir():
                shutil.rmtree(path)
            else:
                path.unlink()

    def note_tried(self, key: str) -> None:
        """Keep that something still shows with these covers."""
        (self.folder / f"tried-{key}").touch()

    def tried(self, key: str) -> bool:
        """Whether an earlier run has seen that something still shows with these covers."""
        return (self.folder / f"tried-{key}").exists()

    def discard(self) -> None:
        """Remove the folder with all that is in it, and those above it that were made for it."""
        if self.folder.is_dir():
            shutil.rmtree(self.folder)
        for above in self._new:
            try:
                above.rmdir()
            except OSError:  # the output is in it
                return

    @contextmanager
    def keeping(self) -> Iterator[None]:
        """Decide what becomes of the folder where the work does not end well.

        What was done stays for ``resume`` where the run was interrupted or the disk is full; where
        the film or the options are at fault, going on would not help.
        """
        try:
            yield
        except OutputError as error:
            self._tidy()
            # What cannot be written is what was asked for, whatever its name is meanwhile.
            what = re.sub(rf"{re.escape(str(self.folder))}/\S+", str(self.output), error.what)
            raise OutputError(what, error.remedy) from error
        except SeeThroughError:
            self.discard()
            raise
        except OSError as error:
            self._tidy()
            raise unwritable(self.output, error) from error
        except BaseException:
            self._tidy()
            raise

    def _tidy(self) -> None:
        """Remove the folder where it holds nothing worth going on with."""
        try:
            self.folder.rmdir()
        except OSError:  # it is not empty, or cannot be used
            return


def parts_of(output: Path) -> Path:
    """Return the hidden folder of an output."""
    return output.with_name(f".{output.name}.parts")


def remove_parts(output: Path) -> None:
    """Remove what is left of the work on a film that is finished."""
    shutil.rmtree(parts_of(output), ignore_errors=True)


def fingerprint(tracks: Tracks) -> str:
    """Return a hash of where faces are; one keyframe after another, as films are long."""
    digest = hashlib.sha256(repr((tracks.width, tracks.height, tracks.frames)).encode())
    for each in tracks.tracks:
        digest.update(repr(each.number).encode())
        for key in each.keyframes:
            digest.update(repr((key.frame, key.box, key.landmarks.tolist(), key.how)).encode())
    return digest.hexdigest()


def unwritable(path: Path, error: OSError) -> OutputError:
    """Return the error that says why an output cannot be written."""
    return OutputError(
        f"{path} cannot be written ({os.strerror(error.errno) if error.errno else error})",
        "check the folder, its permissions and the space that is left",
    )
