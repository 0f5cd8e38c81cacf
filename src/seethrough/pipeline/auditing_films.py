"""Films in the verb ``audit``: opened, their faces followed, and handed to the auditor."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from seethrough.auditor.cases import aligned
from seethrough.auditor.film.auditing import FilmEngine, FilmFile, audit_film
from seethrough.auditor.film.choosing import choose
from seethrough.auditor.film.moments import check_alike, moments
from seethrough.auditor.film.watching import WHOLE, square
from seethrough.auditor.leaks import Container
from seethrough.auditor.picture import File, Outcome, check_swapped
from seethrough.auditor.types import Leak
from seethrough.degrade import H264, Degradation
from seethrough.pipeline.audit_options import AuditOptions
from seethrough.pipeline.networks import Networks
from seethrough.pipeline.progress import Progress
from seethrough.tracker import Tracks, track
from seethrough.types import Image

if TYPE_CHECKING:
    from seethrough.video import FilmInfo, FilmReader, FilmTags, Frame

_LOOKED_AT = 8  # frames in which an order that is swapped is looked for


@dataclass(frozen=True, slots=True, eq=False)
class Followed:
    """The faces of an original film.

    Attributes
    ----------
    tracks : Tracks
        All that were found.
    crops : mapping
        Track to one clean aligned crop of it.
    """

    tracks: Tracks
    crops: Mapping[int, Image]


@dataclass(eq=False)
class FilmAuditing:
    """Audits films.

    Attributes
    ----------
    options : AuditOptions
        A style, and how to run.
    networks : Networks
        Shared with the run's photos.
    progress : Progress
        Hears of frames.
    """

    options: AuditOptions
    networks: Networks
    progress: Progress
    _followed: dict[Path, Followed] = field(default_factory=dict)

    def follow(self, path: Path) -> Followed:
        """Find and follow the faces of an original; once for each film.

        Raises
        ------
        InputError
            Where it cannot be read.
        """
        from seethrough.video import FilmReader

        if path not in self._followed:
            with FilmReader(path, self.options.threads) as film:
                tracks = track(
                    film,
                    film.info,
                    device=self.options.device,
                    threads=self.options.threads,
                    progress=lambda done, total: self.progress.step("track", done, total),
                )
                self._followed[path] = Followed(tracks, {})
        return self._followed[path]

    def crops(self, path: Path) -> Mapping[int, Image]:
        """Return one clean crop of each face of an original film, as photos for other audits."""
        from seethrough.video import FilmReader

        followed = self.follow(path)
        if not followed.crops and followed.tracks.tracks:
            wanted: dict[int, list[int]] = {}
            for number, slots in choose(followed.tracks, 1).items():
                for slot in slots:
                    wanted.setdefault(slot.best, []).append(number)
            found: dict[int, Image] = {}
            with FilmReader(path, self.options.threads) as film:
                for frame in film:
                    for number in wanted.get(frame.index, ()):
                        found[number] = _crop(frame, followed.tracks, number)
                    if len(found) == sum(map(len, wanted.values())):
                        break
            self._followed[path] = Followed(followed.tracks, found)
        return self._followed[path].crops

    def check(self, original: Path, redacted: Path) -> None:
        """Refuse two films that cannot match, before hours of work.

        Raises
        ------
        InputError
            Where one cannot be read, or their sizes or durations differ.
        """
        from seethrough.video import FilmReader

        infos = []
        for path in (original, redacted):
            with FilmReader(path, self.options.threads) as film:
                infos.append(film.info)
        check_alike(infos[0], infos[1], (str(original), str(redacted)))

    def check_swapped(self, original: Path, redacted: Path) -> None:
        """Refuse an original without faces whose redaction shows them.

        Raises
        ------
        InputError
            Where the two are swapped.
        """
        from seethrough.video import FilmReader

        nothing = Container(None, True, (), ())
        threads = self.options.threads
        with FilmReader(original, threads) as first, FilmReader(redacted, threads) as second:
            every = max(1, (second.info.frames or 1) // _LOOKED_AT)
            for before, after in moments(first, second):
                if after.index % every:
                    continue
                pictures = [frame.reduced(WHOLE)[0] for frame in (before, after)]
                files = [
                    File(str(path), "", picture, nothing)
                    for path, picture in zip((original, redacted), pictures, strict=True)
                ]
                there = self.networks.detector.detect(pictures[1])
                if there:
                    check_swapped(files[0], files[1], there)

    def __call__(
        self,
        original: Path,
        redacted: Path | None,
        references: Mapping[int, Sequence[Image]],
        engine: Callable[[], FilmEngine],
    ) -> Outcome:
        """Audit one film in which faces were found.

        Raises
        ------
        InputError
            Where the two do not match, or no cover can be named.
        """
        from seethrough.video import FilmReader

        threads = self.options.threads
        tracks = self.follow(original).tracks
        with FilmReader(original, threads) as before:
            raw = _film(original, before)
            if redacted is None:
                return audit_film(
                    raw, None, tracks, references, self.options.cover, engine, self.progress.step
                )
            with FilmReader(redacted, threads) as after:
                covered = _film(redacted, after)
                return audit_film(
                    raw, covered, tracks, references, self.options.cover, engine, self.progress.step
                )


def _crop(frame: Frame, tracks: Tracks, number: int) -> Image:
    (here,) = (sighting for sighting in tracks.at(frame.index) if sighting.track == number)
    picture, factors = frame.reduced(WHOLE)
    return aligned(picture, square(here, factors))


def _film(path: Path, frames: FilmReader) -> FilmFile:
    from seethrough.video import read_tags

    tags = read_tags(path)
    container = Container(None, True, (), _leaks(tags), tags.comment)
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    times, codec = frames.times(), _codec(frames.info, tags)
    return FilmFile(str(path), digest, frames.info, frames, container, times, codec)


def _codec(info: FilmInfo, tags: FilmTags) -> Degradation | None:
    if info.codec != "h264" or not tags.crf:
        return None
    return H264(tags.crf)


def _leaks(tags: FilmTags) -> tuple[Leak, ...]:
    leaks = []
    if tags.pictures:
        more = "1 more track or attachment" if tags.pictures == 1 else f"{tags.pictures} more"
        leaks.append(
            Leak(
                "pictures",
                f"The redacted film holds {more} that may be pictures: they were not looked at.",
            )
        )
    if tags.place:
        leaks.append(Leak("place", "The redacted film says where it was taken."))
    if tags.names:
        listed = " and ".join((", ".join(tags.names[:-1]), tags.names[-1])[not tags.names[:-1] :])
        leaks.append(Leak("metadata", f"The redacted film has entries for {listed}."))
    return tuple(leaks)
