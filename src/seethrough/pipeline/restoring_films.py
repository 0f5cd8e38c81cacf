"""The verb ``restore`` on a film: one pass finds and follows faces, the next restores them.

Every frame is restored from itself alone. What is shared over time is where a face lies and what
is known of its cover, never its pixels.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction
from typing import TYPE_CHECKING

import numpy as np

from seethrough.files import check_output
from seethrough.pipeline.film_parts import Workshop
from seethrough.pipeline.inputs import Item
from seethrough.pipeline.marks import mark
from seethrough.pipeline.networks import Networks
from seethrough.pipeline.options import RestoreOptions
from seethrough.pipeline.placing import check_placed
from seethrough.pipeline.progress import Progress
from seethrough.pipeline.report import Record
from seethrough.restorer import Restorer
from seethrough.restorer.consistency import consistency
from seethrough.restorer.following import SEARCH_SECONDS, Follower
from seethrough.restorer.targets import Target, face_target, line_target
from seethrough.restorer.tracks import FaceTrack, tracks_of
from seethrough.restorer.tracks_file import read_courses, write_courses
from seethrough.tracker.frames import span
from seethrough.types import Face, Image, Patch, Region, TextLine

if TYPE_CHECKING:
    from seethrough.video import EncodeOptions, FilmInfo, FilmReader, Frame, Timings

TEXT = "text in films is restored only where --box places it"


@dataclass(eq=False)
class Spent:
    """Seconds of the first pass and of the stages of the second; benchmarks print them."""

    follow: float = 0.0
    timings: Timings | None = None


@dataclass(eq=False)
class _Sums:
    """What is added up for one face while its frames are restored."""

    seconds: float = 0.0
    explained: list[float] = field(default_factory=list)


class FilmRestoring:
    """Restores films.

    Parameters
    ----------
    options : RestoreOptions
        What to restore, and how.
    networks : Networks
        Shared with the run's photos.
    progress : Progress
        Hears of frames.
    placed : callable
        Returns the faces and lines that a person placed.
    """

    def __init__(
        self,
        options: RestoreOptions,
        networks: Networks,
        progress: Progress,
        placed: Callable[[RestoreOptions], tuple[tuple[Face, ...], tuple[TextLine, ...]]],
    ) -> None:
        self._options = options
        self._networks = networks
        self._progress = progress
        self._placed = placed
        self.spent = Spent()

    @property
    def _restorer(self) -> Restorer:
        return self._networks.restorer(self._options.dial(film=True))

    def __call__(self, item: Item) -> Record:
        """Restore one film."""
        from seethrough.video import FilmReader, Timings, rehearse

        options = self._options
        self.spent = Spent(timings=Timings())
        kept = replace(
            options.encoding,
            description=mark(self._restorer.used(), self._restorer.realism),
            keep_subtitles=item.source.suffix.lower() == item.output.suffix.lower(),
        )
        with FilmReader(item.source, options.threads) as film:
            info = film.info
            check_placed(options, info.width, info.height)
            if options.kind == "text" and not options.box:
                return Record(item.source, None, "skipped", TEXT, info.width, info.height)
            shop = Workshop(item.source, item.output, resume=options.resume)
            with shop.keeping():
                rehearse(film, shop.film("trial"), kept, options.threads)
                started = time.perf_counter()
                tracks, times = self._tracks(film, info, shop), film.times()
                self.spent.follow = time.perf_counter() - started
                editor = _Editor(tracks, self._restorer)
                done = any(track.reason is None for track in tracks)
                if done:
                    self._write(item, shop, editor, kept)
                shop.discard()
        regions = tuple(
            _region(track, times, sums) for track, sums in zip(tracks, editor.sums, strict=True)
        )
        return Record(
            item.source,
            item.output if done else None,
            "done" if done else "skipped",
            None if done else _why(tracks),
            info.width,
            info.height,
            regions,
        )

    def _write(self, item: Item, shop: Workshop, editor: _Editor, kept: EncodeOptions) -> None:
        """Restore every frame, and put the finished films where they belong."""
        from seethrough.video import transcode

        options = self._options
        again = options.overwrite or options.resume
        key = shop.key(_fingerprint(editor.tracks), options.force, options.device, kept)
        made = shop.film(key)
        if options.resume and item.compare is not None and item.output.is_file():
            made = item.output  # what is missing is its comparison
        if not made.is_file():
            transcode(
                item.source,
                made,
                editor,
                kept,
                resume=options.resume,
                progress=self._step("restore"),
                threads=options.threads,
                key=key,
                timings=self.spent.timings,
            )
        if item.compare is not None:
            both = shop.film("compare")
            transcode(
                item.source,
                both,
                _as_it_is,
                replace(kept, description=f"Left: before. Right: after. {kept.description}"),
                overwrite=True,
                progress=self._step("compare"),
                threads=options.threads,
                beside=made,
            )
            check_output(item.compare, overwrite=again)
            both.replace(item.compare)
        if made != item.output:
            check_output(item.output, overwrite=again)
            made.replace(item.output)

    def _tracks(self, film: FilmReader, info: FilmInfo, shop: Workshop) -> tuple[FaceTrack, ...]:
        """Find and follow the faces, or take over what an earlier run has seen."""
        options = self._options
        faces, lines = self._placed(options) if options.box or options.landmarks else ((), ())
        placed = [*map(face_target, faces), *map(line_target, lines)]
        every = max(1, round(info.rate * SEARCH_SECONDS))
        follower = Follower(self._networks.detector, options.device, options.threads)
        step = self._step("find")
        seen = shop.folder / f"faces-{shop.key(every, options.force, options.device)}.npz"
        courses = None if placed else read_courses(seen)
        if courses is None:
            courses = follower(
                film,
                every,
                force=options.force,
                placed=placed,
                progress=lambda done: step(done, info.frames),
            )
            if not placed:
                write_courses(courses, seen)
        return tracks_of(courses, still=bool(placed))

    def _step(self, stage: str) -> Callable[[int, int | None], None]:
        return lambda done, total: self._progress.step(stage, done, total)


class _Editor:
    """Restores the faces of one frame after another."""

    def __init__(self, tracks: Sequence[FaceTrack], restorer: Restorer) -> None:
        self.tracks = tracks
        self._restorer = restorer
        self.sums = [_Sums() for _ in tracks]

    def __call__(self, frame: Frame) -> None:
        """Restore one frame in place."""
        started = time.perf_counter()
        found = [(number, track.at(frame.index)) for number, track in enumerate(self.tracks)]
        wanted = [(number, target) for number, target in found if target is not None]
        if not wanted:
            return
        picture = frame.picture()
        patches = self._restorer.patches(picture, [target for _, target in wanted])
        for patch in patches:
            frame.paint(patch)
        exact = [n for n, _ in wanted if self.tracks[n].searched(frame.index)]
        if exact:
            self._explain(picture, wanted, patches)
        each = (time.perf_counter() - started) / len(wanted)
        for number, _ in wanted:
            self.sums[number].seconds += each

    def _explain(
        self, before: Image, wanted: Sequence[tuple[int, Target]], patches: Sequence[Patch]
    ) -> None:
        """Degrade what was restored again, and compare it with what was given."""
        after = before.copy()
        changed = np.zeros(before.shape[:2], np.bool_)
        for patch in patches:
            height, width = patch.mask.shape
            window = slice(patch.y0, patch.y0 + height), slice(patch.x0, patch.x0 + width)
            np.copyto(after[window], patch.pixels, where=patch.mask[..., None])
            changed[window] |= patch.mask
        for number, target in wanted:
            if target.operator is not None:
                box = target.box if target.cover is None else target.cover.box
                explained = consistency(before, after, changed, target.operator, box)
                if explained is not None:
                    self.sums[number].explained.append(explained)


def _region(track: FaceTrack, times: Sequence[Fraction], sums: _Sums) -> Region:
    """Return what became of one face of a film: its box is that of one frame."""
    _, target = track.example()
    return Region(
        target.kind,
        target.box,
        target.landmarks,
        track.score,
        "skipped" if track.reason else "done",
        track.reason,
        target.operator,
        float(np.mean(sums.explained)) if sums.explained else None,
        sums.seconds,
        span(times, track.first, track.last),
    )


def _why(tracks: Sequence[FaceTrack]) -> str:
    """Return why nothing was restored."""
    return ", ".join(sorted({track.reason or "" for track in tracks})) or "no face found"


def _fingerprint(tracks: Sequence[FaceTrack]) -> str:
    """Return a hash of all that decides what is painted into a frame, but for weights and dial."""
    digest = hashlib.sha256()
    for track in tracks:
        digest.update(track.fingerprint())
    return digest.hexdigest()


def _as_it_is(frame: Frame) -> None:
    """Leave a frame as it is."""
