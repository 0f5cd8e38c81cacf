"""The verb ``degrade`` on a film: the same operators in every frame."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from fractions import Fraction
from typing import TYPE_CHECKING

import numpy as np

from seethrough import __version__
from seethrough.files import check_output
from seethrough.pipeline.film_parts import Workshop, fingerprint
from seethrough.pipeline.inputs import Item
from seethrough.pipeline.options import DegradeOptions
from seethrough.pipeline.progress import Progress
from seethrough.pipeline.report import Record
from seethrough.tracker import Tracks, track
from seethrough.tracker.frames import span
from seethrough.types import Box, Face, Image, Patch, Region

if TYPE_CHECKING:
    from seethrough.video import EncodeOptions, FilmReader, Frame

Whole = Callable[[Image, np.random.Generator, np.random.Generator], Image]
"""Degrades a whole frame, with the sources of its noise and of what stays from frame to frame."""

Parts = Callable[[Image, Face, np.random.Generator, np.random.Generator], Image]
"""Degrades one face of a frame, with the sources of its noise and of what stays from frame to
frame."""


class FilmDegrading:
    """Degrades films.

    Parameters
    ----------
    options : DegradeOptions
        Which operators act.
    progress : Progress
        Hears of frames.
    whole, part : callable
        What the operators do to a frame, or to one face of it.
    """

    def __init__(
        self, options: DegradeOptions, progress: Progress, whole: Whole, part: Parts
    ) -> None:
        self._options = options
        self._progress = progress
        self._whole, self._part = whole, part

    def __call__(self, item: Item) -> Record:
        """Degrade one film."""
        from seethrough.video import FilmReader, rehearse, transcode

        options = self._options
        with FilmReader(item.source, options.threads) as film:
            info = film.info
            shop = Workshop(item.source, item.output, resume=options.resume)
            with shop.keeping():
                encoding = replace(
                    self._encoding,
                    keep_subtitles=item.source.suffix.lower() == item.output.suffix.lower(),
                )
                rehearse(film, shop.film("trial"), encoding, options.threads)
                tracks = self._tracks(film, shop) if options.faces else None
                regions = () if tracks is None else _regions(tracks, film.times())
                if tracks is not None and not tracks.tracks:
                    shop.discard()
                    return Record(
                        item.source, None, "skipped", "no face found", info.width, info.height
                    )
                acts = replace(options, overwrite=False, resume=False, threads=None, device="auto")
                key = shop.key("" if tracks is None else fingerprint(tracks), acts)
                made = shop.film(key)
                if not made.is_file():  # an earlier run came as far as naming it
                    transcode(
                        item.source,
                        made,
                        lambda frame: self._degrade(frame, tracks),
                        encoding,
                        resume=options.resume,
                        progress=lambda done, total: self._progress.step("degrade", done, total),
                        threads=options.threads,
                        key=key,
                        size=self._reduced(info.width, info.height),
                    )
                check_output(item.output, overwrite=options.overwrite or options.resume)
                made.replace(item.output)
                shop.discard()
        return Record(
            item.source, item.output, "done", None, info.width, info.height, regions=regions
        )

    @property
    def _encoding(self) -> EncodeOptions:
        from seethrough.video import EncodeOptions

        options = self._options
        return EncodeOptions(
            codec=None if options.h264 is None else "h264",
            crf=options.h264,
            keep_metadata=True,
            description=f"Degraded by seethrough {__version__}: {', '.join(options.operators)}",
        )

    def _reduced(self, width: int, height: int) -> tuple[int, int] | None:
        """Return the size of a film that is made smaller as a whole."""
        if self._options.faces or not (self._options.x4 or self._options.x8):
            return None
        rng = np.random.default_rng(0)
        made = self._whole(np.zeros((height, width, 3), np.uint8), rng, rng)
        return made.shape[1], made.shape[0]

    def _tracks(self, film: FilmReader, shop: Workshop) -> Tracks:
        options = self._options
        key = shop.key("tracks", options.threads)
        tracks = shop.tracks(key)
        if tracks is None:
            tracks = track(
                film,
                film.info,
                device=options.device,
                threads=options.threads,
                progress=lambda done, total: self._progress.step("track", done, total),
            )
            shop.keep_tracks(key, tracks)
        return tracks

    def _degrade(self, frame: Frame, tracks: Tracks | None) -> None:
        """Degrade one frame in place."""
        seed = self._options.seed
        noise = np.random.default_rng([seed, frame.index])
        picture = frame.picture()
        if tracks is None:
            result = self._whole(picture, noise, np.random.default_rng(seed))
            if result.shape != picture.shape:
                frame.become(result)
                return
        else:
            result = picture
            whole = Box(0, 0, picture.shape[1], picture.shape[0])
            for seen in tracks.at(frame.index):
                if not seen.box.intersection(whole):  # it has left, and is expected back
                    continue
                face = Face(seen.box, seen.landmarks, seen.score)
                result = self._part(result, face, noise, np.random.default_rng([seed, seen.track]))
        changed = (result != picture).any(axis=2)
        if changed.any():
            frame.paint(Patch(0, 0, result, changed))


def _regions(tracks: Tracks, times: Sequence[Fraction]) -> tuple[Region, ...]:
    """Describe each face by its first sighting."""
    found = []
    for each in tracks.tracks:
        seen = each.at(each.first)
        assert seen is not None
        found.append(
            Region(
                "face",
                seen.box,
                seen.landmarks,
                min(seen.score, 1.0),
                "done",
                None,
                None,
                None,
                0.0,
                span(times, each.first, each.last),
            )
        )
    return tuple(found)
