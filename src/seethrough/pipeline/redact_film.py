"""How a film is redacted: follow its faces, cover and encode, decode again and look, then name it.

Two passes over the film and a third over what came out, each frame by frame. Everything is written
to a hidden folder (:class:`~seethrough.pipeline.film_parts.Workshop`); the finished film is moved
from there to its name only when it has been verified.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from itertools import zip_longest
from pathlib import Path

from seethrough.errors import UsageError, VerificationError
from seethrough.files import check_output
from seethrough.pipeline.film_parts import Times, Workshop, fingerprint
from seethrough.pipeline.progress import Progress
from seethrough.pipeline.redact_faces import Choice, choose
from seethrough.pipeline.redact_missed import (
    Moments,
    is_asked,
    is_told,
    left_alone,
    parted,
    settle,
    with_missed,
)
from seethrough.pipeline.redact_options import RedactOptions
from seethrough.pipeline.redact_photo import Outcome, mark, styles, unverified_name
from seethrough.pipeline.redact_report import FaceTrack
from seethrough.pipeline.remains import Remain, Remains
from seethrough.redactor import Coverer, Finding, Style, Verifier
from seethrough.redactor.coverer import MEMORY
from seethrough.tracker import Sighting, Tracks, track
from seethrough.types import Box
from seethrough.video import (
    EncodeOptions,
    FilmInfo,
    FilmReader,
    Frame,
    Timings,
    rehearse,
    transcode,
)

VOICE = (
    "the sound is kept as it is, and a voice identifies a person too; --voice mute leaves it out"
)


@dataclass(eq=False)
class FilmOutcome(Outcome):
    """How the redaction of a film ended.

    Attributes
    ----------
    times : Times or None
        When its frames are shown.
    info : FilmInfo or None
        The film.
    """

    times: Times | None = None
    info: FilmInfo | None = None

    @property
    def faces(self) -> tuple[FaceTrack, ...]:
        """Every face, by number, and whether it is covered."""
        return () if self.choice is None else self.choice.faces(self.times)

    @property
    def covers(self) -> bool:
        """Whether there is anything to cover, as far as is known."""
        if self.times is None:
            return self.choice is not None and bool(self.choice.covered.tracks)
        return any(face.region.status == "done" for face in self.faces)


def redact_film(
    source: Path,
    output: Path,
    given: Tracks | None,
    options: RedactOptions,
    progress: Progress,
    retry: Callable[[Style, Finding], None],
) -> FilmOutcome:
    """Cover the faces of a film.

    Parameters
    ----------
    source, output : Path
        Films.
    given : Tracks or None
        Where the faces are; they are followed where absent.
    options : RedactOptions
        Which to cover, and how.
    progress : Progress
        Told of frames, and of what the user should know.
    retry : callable
        Told of a finding before larger covers are tried.

    Returns
    -------
    FilmOutcome
        Where it covers nothing, nothing is written.

    Raises
    ------
    InputError
        Where the film cannot be read, or the tracks are of another.
    UsageError
        Where a number is no face's, the film ends before the time to begin at, or the container
        cannot hold what is asked for.
    VerificationError
        Where a face is lost and the options say ``stop``.
    OutputError
        Where the output cannot be written.
    """
    with FilmReader(source, options.threads) as film:
        work = _Film(film, Workshop(source, output, resume=options.resume), options, progress)
        with work.shop.keeping():
            work.follow(given)
            if work.outcome.covers:
                if options.voice == "keep" and film.info.audio:
                    progress.warn(VOICE)
                work.cover(retry)
            work.finish()
    return work.outcome


class _Film:
    """The work on one film."""

    def __init__(
        self, film: FilmReader, shop: Workshop, options: RedactOptions, progress: Progress
    ) -> None:
        self.film = film
        self.shop = shop
        self.options = options
        self.progress = progress
        self.outcome = FilmOutcome(options.cover, info=film.info)
        self._ready: Path | None = None
        self._tracks_found: Tracks | None = None
        self._faces: str | None = None

    def follow(self, given: Tracks | None) -> None:
        """Find the faces, unless they are given, and choose those to cover."""
        info, options = self.film.info, self.options
        if given is not None:
            given.check_size(info.width, info.height)
        if given is not None or options.from_ is not None:
            self._check_length(given)
        rehearse(self.film, self.shop.film("trial"), options.encoding, options.threads)
        self._tracks_found = given or self._tracks()
        self.outcome.choice = choose(self._tracks_found, options)

    def _check_length(self, given: Tracks | None) -> None:
        """Refuse tracks of another film, and times after the end, before any work is done."""
        count, last = self.film.listed()
        from_ = self.options.from_
        if from_ is not None and last is not None and from_ > last:
            raise UsageError(
                f"--from {float(from_):g} s is after the end of {self.film.info.path}, whose last "
                f"frame is shown at {float(last):.3f} s",
                "give a time within the film",
            )
        if given is not None and given.frames != count:  # only decoding says for certain
            given.check_frames(sum(1 for _ in self.film))

    def _tracks(self) -> Tracks:
        options, shop = self.options, self.shop
        tracks = shop.tracks(self._tracks_key)
        if tracks is not None:
            return tracks
        started = time.perf_counter()
        decoding = [0.0]
        tracks = track(
            _timed(self.film, decoding),
            self.film.info,
            options.tracking,
            device=options.device,
            threads=options.threads,
            progress=lambda done, total: self.progress.step("track", done, total),
        )
        spent = time.perf_counter() - started
        self.outcome.add("decode", decoding[0])
        self.outcome.add("track", spent - decoding[0])
        shop.keep_tracks(self._tracks_key, tracks)
        return tracks

    @property
    def _tracks_key(self) -> str:
        return self.shop.key("tracks", self.options.tracking, self.options.threads)

    def cover(self, retry: Callable[[Style, Finding], None]) -> None:
        """Cover, encode and verify, with more or larger covers where that is what it takes."""
        settle(styles(self.options), self._attempt, self._add, retry)

    def _attempt(self, style: Style, last: bool) -> tuple[Remain, ...] | None:
        outcome = self.outcome
        outcome.style = style
        key = self._key(style)
        if self.shop.tried(key) and not last:
            return None
        self._ready = self._encoded(style)
        if not outcome.covers:  # at no time between `from_` and `to`
            return ()
        outcome.findings = self._verified(self._ready, to_the_end=last)
        if not last and any(remain.finding.what != "missed" for remain in outcome.findings):
            self.shop.note_tried(key)  # not to be tried again by `resume`
        return outcome.findings

    def _add(self, missed: Sequence[Remain]) -> None:
        """Cover faces that were missed, too, in this run and in those that go on with it."""
        options, outcome = self.options, self.outcome
        assert self._tracks_found is not None
        self._tracks_found = with_missed(self._tracks_found, missed, outcome.times)
        self.shop.keep_tracks(self._tracks_key, self._tracks_found)
        outcome.choice = choose(self._tracks_found, options)
        self._faces = None

    def _key(self, style: Style) -> str:
        """Return a name for all that decides what the covered film looks like."""
        choice, options = self.outcome.choice, self.options
        assert choice is not None
        span = (options.from_, options.to, options.threads)
        if self._faces is None:
            self._faces = fingerprint(choice.covered)
        return self.shop.key(self._faces, style, span, options.encoding)

    def _encoded(self, style: Style) -> Path:
        """Return the covered film, under a name that nobody asked for."""
        choice, options, outcome = self.outcome.choice, self.options, self.outcome
        assert choice is not None
        key = self._key(style)
        target = self.shop.film(key)
        self.shop.forget_films_but(key)
        edit = _Edit(self.film.info, style, choice, options)
        outcome.times = edit.times
        if target.exists():  # an earlier run came as far as verifying it
            for frame in self.film:
                edit.note(frame)
        else:
            clocks = Timings()
            transcode(
                self.film.info.path,
                target,
                edit,
                self._encoding,
                resume=options.resume,
                progress=lambda done, total: self.progress.step("cover", done, total),
                threads=options.threads,
                key=key,
                skip=edit.skip,
                timings=clocks,
            )
            outcome.add("decode", clocks.decode)
            outcome.add("cover", clocks.edit)
            outcome.add("encode", clocks.encode + clocks.join)
        choice.known.check_frames(len(edit.times))
        return target

    @property
    def _encoding(self) -> EncodeOptions:
        return replace(self.options.encoding, description=mark(self.outcome.style, self.options))

    def _verified(self, made: Path, *, to_the_end: bool) -> tuple[Remain, ...]:
        """Look at what came out of the encoder; at all of it, or up to what larger covers hide."""
        options, outcome = self.options, self.outcome
        if not options.verify:
            return ()
        started = time.perf_counter()
        info, choice = self.film.info, outcome.choice
        assert choice is not None
        shape, aspect = (info.height, info.width), float(info.sample_aspect)
        verifier = Verifier(
            outcome.style, shape, aspect, device=options.device, threads=options.threads
        )
        covers, elsewhere = Coverer(_PLAIN, shape, aspect), (is_asked(options) or is_told(options))
        remains = Remains()
        moments = Moments[tuple[int, Fraction, Frame, Frame, list[Sighting]]]()
        with FilmReader(made, options.threads) as encoded:
            for original, output in zip_longest(self.film, encoded):
                if original is None or output is None:
                    raise VerificationError(
                        f"the redacted film of {info.path} has another number of frames",
                        "convert the original, to MP4 for instance, and try again",
                    )
                seen = _inside(choice.at(original.index, original.time), covers, shape)
                looked = original.index, original.time, original, output, seen
                found = verifier.look(*looked)
                remains.add(found)
                if elsewhere:
                    lasts = options.lasts(original.time)
                    for each in moments.take(original, looked, lasts=lasts):
                        left = left_alone(choice, each[0])
                        remains.add(verifier.look_elsewhere(*each, left))
                self.progress.step("verify", original.index + 1, info.frames)
                if found and not to_the_end:
                    break
            for each in moments.rest():
                remains.add(verifier.look_elsewhere(*each, left_alone(choice, each[0])))
        outcome.spend("verify", started)
        shown, outcome.untracked = parted(remains.all(), options)
        return shown

    def finish(self) -> None:
        """Give the film its name, or the one that says what it is; leave nothing else."""
        outcome, output = self.outcome, self.shop.output
        if self._ready is not None and outcome.covers:
            if outcome.findings:
                outcome.unverified = unverified_name(output)
                self._ready.replace(outcome.unverified)
            else:
                overwrite = self.options.overwrite or self.options.resume
                check_output(output, overwrite=overwrite)
                self._ready.replace(output)
        self.shop.discard()


class _Edit:
    """What is done to each frame, in order."""

    def __init__(
        self, info: FilmInfo, style: Style, choice: Choice, options: RedactOptions
    ) -> None:
        shape, aspect = (info.height, info.width), float(info.sample_aspect)
        self.times = Times(info.time_base, info.rate)
        self._coverer = Coverer(style, shape, aspect, options.device, options.threads)
        self._choice = choice
        self._behind: deque[tuple[Frame, Sequence[Sighting]]] = deque(maxlen=MEMORY)

    def __call__(self, frame: Frame) -> None:
        """Cover the faces of a frame."""
        sightings = self.note(frame)
        if not sightings:
            return
        for before, seen in self._behind:
            self._coverer.remember(before, seen)
        self._behind.clear()
        for patch in self._coverer.patches(frame, sightings):
            frame.paint(patch)

    def skip(self, frame: Frame) -> None:
        """Look at a frame that an earlier run has covered: the next covers may depend on it."""
        sightings = self.note(frame)
        if sightings:
            self._behind.append((frame, sightings))

    def note(self, frame: Frame) -> list[Sighting]:
        """Note when a frame is shown; return what reaches into it of the faces to cover."""
        self.times.append(frame.time)
        return _inside(self._choice.at(frame.index, frame.time), self._coverer, frame.shape)


_PLAIN = Style("solid")


def _inside(
    sightings: Sequence[Sighting], coverer: Coverer, shape: tuple[int, int]
) -> list[Sighting]:
    """Leave out faces whose cover lies wholly outside the frame."""
    frame = Box(0, 0, shape[1], shape[0])
    return [s for s in sightings if s.box.intersection(frame) or coverer.regions([s])]


def _timed(frames: Iterable[Frame], spent: list[float]) -> Iterator[Frame]:
    """Yield frames, and count the seconds that decoding them takes in ``spent[0]``."""
    source = iter(frames)
    while True:
        started = time.perf_counter()
        frame = next(source, None)
        spent[0] += time.perf_counter() - started
        if frame is None:
            return
        yield frame
