"""The verb ``restore`` on a film: one pass finds and follows faces, the next restores them.

Every frame is restored from itself alone. What is shared over time is where a face lies and what
is known of its cover, never its pixels.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import numpy as np

from seethrough.pipeline.inputs import Item
from seethrough.pipeline.marks import mark
from seethrough.pipeline.networks import Networks
from seethrough.pipeline.options import RestoreOptions
from seethrough.pipeline.progress import Progress
from seethrough.pipeline.report import Record
from seethrough.restorer.consistency import consistency
from seethrough.restorer.following import SEARCH_SECONDS, Follower
from seethrough.restorer.targets import Target, face_target, line_target
from seethrough.restorer.tracks import FaceTrack
from seethrough.types import Face, Image, Patch, Region, TextLine

if TYPE_CHECKING:
    from seethrough.video import FilmInfo, FilmReader, Frame, Timings

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

    def __call__(self, item: Item) -> Record:
        """Restore one film."""
        from seethrough.video import FilmReader, Timings, transcode

        options = self._options
        self.spent = Spent(timings=Timings())
        with FilmReader(item.source, options.threads) as film:
            info = film.info
            if options.kind == "text" and not options.box:
                return Record(item.source, None, "skipped", TEXT, info.width, info.height)
            started = time.perf_counter()
            tracks = self._follow(film, info)
            self.spent.follow = time.perf_counter() - started
        if all(track.reason for track in tracks):
            regions = tuple(_region(track, info, _Sums()) for track in tracks)
            reasons = ", ".join(sorted({track.reason or "" for track in tracks}))
            reason = reasons or "no face found"
            return Record(item.source, None, "skipped", reason, info.width, info.height, regions)
        restorer = self._networks.restorer
        description = mark((restorer.weights,))
        kept = replace(
            options.encoding,
            description=description,
            keep_subtitles=item.source.suffix.lower() == item.output.suffix.lower(),
        )
        editor = _Editor(tracks, self._networks)
        again = options.overwrite or options.resume
        if not (options.resume and item.output.is_file()):  # a comparison may be left to make
            transcode(
                item.source,
                item.output,
                editor,
                kept,
                overwrite=again,
                resume=options.resume,
                progress=self._step("restore"),
                threads=options.threads,
                key=_key(tracks, options, restorer.weights.sha256),
                timings=self.spent.timings,
            )
        if item.compare is not None:
            transcode(
                item.source,
                item.compare,
                _as_it_is,
                replace(kept, description=f"Left: before. Right: after. {description}"),
                overwrite=again,
                progress=self._step("compare"),
                threads=options.threads,
                beside=item.output,
            )
        regions = tuple(
            _region(track, info, sums) for track, sums in zip(tracks, editor.sums, strict=True)
        )
        return Record(item.source, item.output, "done", None, info.width, info.height, regions)

    def _follow(self, film: FilmReader, info: FilmInfo) -> tuple[FaceTrack, ...]:
        options = self._options
        faces, lines = self._placed(options) if options.box or options.landmarks else ((), ())
        placed = [*map(face_target, faces), *map(line_target, lines)]
        follower = Follower(self._networks.detector, options.device, options.threads)
        step = self._step("find")
        return follower(
            film,
            max(1, round(info.rate * SEARCH_SECONDS)),
            force=options.force,
            placed=placed,
            progress=lambda done: step(done, info.frames),
        )

    def _step(self, stage: str) -> Callable[[int, int | None], None]:
        return lambda done, total: self._progress.step(stage, done, total)


class _Editor:
    """Restores the faces of one frame after another."""

    def __init__(self, tracks: Sequence[FaceTrack], networks: Networks) -> None:
        self._tracks = tracks
        self._networks = networks
        self.sums = [_Sums() for _ in tracks]

    def __call__(self, frame: Frame) -> None:
        """Restore one frame in place."""
        started = time.perf_counter()
        found = [(number, track.at(frame.index)) for number, track in enumerate(self._tracks)]
        wanted = [(number, target) for number, target in found if target is not None]
        if not wanted:
            return
        picture = frame.picture()
        patches = self._networks.restorer.patches(picture, [target for _, target in wanted])
        for patch in patches:
            frame.paint(patch)
        exact = [n for n, _ in wanted if self._tracks[n].searched(frame.index)]
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


def _region(track: FaceTrack, info: FilmInfo, sums: _Sums) -> Region:
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
        (float(track.first / info.rate), float(track.last / info.rate)),
    )


def _key(tracks: Sequence[FaceTrack], options: RestoreOptions, weights: str) -> str:
    """Return a hash of all that decides what is painted into a frame."""
    digest = hashlib.sha256(f"{weights} {options.force} {options.device}".encode())
    for track in tracks:
        digest.update(track.fingerprint())
    return digest.hexdigest()


def _as_it_is(frame: Frame) -> None:
    """Leave a frame as it is."""
