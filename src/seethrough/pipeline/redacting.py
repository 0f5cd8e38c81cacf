"""The verb ``redact``: from photos and films to files whose faces are covered."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

from seethrough import image
from seethrough.errors import OutputError, UsageError, VerificationError
from seethrough.files import check_name, resolved
from seethrough.image import Picture
from seethrough.pipeline.inputs import Item, is_film, one_file, plan
from seethrough.pipeline.networks import Networks
from seethrough.pipeline.progress import Progress
from seethrough.pipeline.redact_faces import Choice, choose
from seethrough.pipeline.redact_film import FilmOutcome, redact_film
from seethrough.pipeline.redact_missed import count_faces, is_asked, is_told
from seethrough.pipeline.redact_options import RedactOptions
from seethrough.pipeline.redact_photo import Outcome, redact_photo, unverified_name
from seethrough.pipeline.redact_rates import warning
from seethrough.pipeline.redact_report import (
    NO_FACE,
    FaceTrack,
    RedactRecord,
    RedactReport,
    place,
)
from seethrough.pipeline.redact_resume import is_finished
from seethrough.pipeline.report import Record
from seethrough.pipeline.run import Run
from seethrough.redactor import Finding, Style
from seethrough.tracker import Tracks, read_tracks
from seethrough.types import WeightsUsed
from seethrough.weights import record


def redacting(inputs: Sequence[Path], output: Path, options: RedactOptions) -> RedactRun:
    """Plan a redaction; iterating over the result does the work.

    Parameters
    ----------
    inputs : sequence of Path
        Photos, films and folders.
    output : Path
        A file for a single file, otherwise a folder.
    options : RedactOptions
        What to cover, and how.

    Raises
    ------
    UsageError
        Where options and paths contradict each other.
    OutputError
        Where the output cannot be what the inputs need, or what fails verification would replace an
        input or another output.
    """
    single = one_file(inputs)
    if not single and (options.box or options.only or options.keep or options.tracks):
        raise UsageError(
            "--box, --only, --keep and --tracks name faces of one input",
            "give a single photo or film with them",
        )
    timed = options.from_ is not None or options.to is not None
    if timed and not (single and is_film(inputs[0])):
        raise UsageError("--from and --to are times of one film", "give a single film with them")
    items = plan(inputs, output, films=True)
    _check_unverified(items)
    progress = Progress()
    work = _Redacting(options, progress)
    return RedactRun(
        "redact",
        items,
        work,
        work.used,
        options,
        films=True,
        progress=progress,
    )


def _check_unverified(items: Sequence[Item]) -> None:
    """Refuse inputs and outputs that bear the name which a failed output would get."""
    taken = {resolved(path) for item in items for path in (item.source, item.output)}
    for item in items:
        unverified = unverified_name(item.output)
        if resolved(unverified) in taken:
            raise OutputError(
                f"{unverified} is an input or an output, and what fails verification for "
                f"{item.output} would replace it",
                "name another output, or rename that file",
            )


@dataclass(eq=False)
class RedactRun(Run):
    """Planned redactions."""

    options: RedactOptions

    def _handle(self, item: Item) -> RedactRecord:
        record, span = super()._handle(item), (self.options.from_, self.options.to)
        from_, to = (None if time is None else float(time) for time in span)
        return replace(RedactRecord.of(record), from_=from_, to=to)

    def _attempt(self, item: Item) -> Record:
        if item.error is None and self.options.verify:
            check_name(unverified_name(item.output))  # known before the work, not after it
        return super()._attempt(item)

    def _finished(self, item: Item) -> bool:
        made = super()._finished(item)
        return made and is_finished(item.output, self.options.style, film=item.film)

    def report(self) -> RedactReport:
        """Return what has been done so far."""
        seconds = time.perf_counter() - self._started
        return RedactReport(
            self.verb, tuple(self.records), self.used(), seconds, placed=self.options.placed
        )


class _Redacting:
    """What one run needs: its options, and the networks that it has loaded."""

    def __init__(self, options: RedactOptions, progress: Progress) -> None:
        self.options = options
        self.progress = progress
        self.networks = Networks(options.device, options.threads)
        self._others: list[WeightsUsed] = []

    def used(self) -> tuple[WeightsUsed, ...]:
        """Return the weights that had a part in the outputs."""
        return tuple(dict.fromkeys([*self.networks.used(), *self._others]))

    def __call__(self, item: Item) -> Record:
        return self._film(item) if item.film else self._photo(item)

    @cached_property
    def _given(self) -> Tracks | None:
        """The faces of a file, where one is given."""
        if self.options.tracks is None:
            return None
        given = read_tracks(self.options.tracks)
        given.check_inside()
        return given

    def _photo(self, item: Item) -> Record:
        picture = image.read(item.source)
        started = time.perf_counter()
        found = self._found(picture)
        choice = choose(found, self.options)
        detecting = time.perf_counter() - started
        width, height = picture.width, picture.height
        if not choice.covered.at(0):
            return _untouched(item, width, height, choice.faces())
        self._warn(film=False)
        outcome = redact_photo(
            picture,
            item.output,
            found,
            self.options,
            lambda style, finding: self._retry(item, style, finding),
        )
        outcome.stages = {"detect": detecting, **outcome.stages}
        assert outcome.choice is not None
        faces = outcome.choice.faces()
        return self._record(item, width, height, faces, outcome.choice, outcome)

    def _film(self, item: Item) -> Record:
        self._warn(film=True)
        try:
            outcome = redact_film(
                item.source,
                item.output,
                self._given,
                self.options,
                self.progress,
                lambda style, finding: self._retry(item, style, finding),
            )
        finally:
            # Also where a face is lost or the disk is full; not where the film cannot be opened.
            if self._given is None and self.progress.stages:
                self._others.append(record("detector").used)
        assert outcome.choice is not None
        assert outcome.info is not None
        width, height = outcome.info.width, outcome.info.height
        faces = outcome.faces
        if not outcome.covers:
            bare = _untouched(item, width, height, faces)
            return replace(bare, unsure=outcome.choice.known.unsure, stages=outcome.stages)
        return self._record(item, width, height, faces, outcome.choice, outcome)

    def _found(self, picture: Picture) -> Tracks:
        """Return the faces of a photo."""
        if self._given is not None:
            self._given.check_size(picture.width, picture.height)
            self._given.check_frames(1)
            return self._given
        return Tracks.of_photo(self.networks.faces_to_hide(picture), picture.pixels.shape[:2])

    def _warn(self, *, film: bool) -> None:
        words = warning(self.options.cover, film=film)
        if words is not None:
            self.progress.warn(words)

    def _retry(self, item: Item, style: Style, finding: Finding) -> None:
        where = place(finding, film=item.film)
        again = (
            "; trying again with a cover there"
            if finding.what == "missed"
            else f" with covers of {style.grow:g} times their size; trying again with larger ones"
        )
        self.progress.warn(f"{item.source}: {finding.words} {where}{again}")

    def _record(
        self,
        item: Item,
        width: int,
        height: int,
        faces: tuple[FaceTrack, ...],
        choice: Choice,
        outcome: Outcome,
    ) -> RedactRecord:
        if outcome.style.name == "silhouette":
            self._others.append(record("segmenter").used)
        if self.options.verify and (
            outcome.style.safe or is_asked(self.options) or is_told(self.options)
        ):
            self._others.append(record("second-detector").used)
        error = None
        if outcome.findings:
            error = _still_shows(item, outcome)
        count = sum(face.region.status == "done" for face in faces)
        # The other styles give the face away by their nature: only their place can be right.
        passed = "verified" if outcome.style.safe else "in place"
        checked = passed if self.options.verify else "not verified"
        return RedactRecord(
            item.source,
            None if error else item.output,
            "failed" if error else "done",
            error.what if error else None,
            width,
            height,
            tuple(face.region for face in faces),
            error,
            summary=f"{count} {'face' if count == 1 else 'faces'} covered "
            f"({outcome.style.name}), {checked}" + _untracked(outcome) + _unsure(choice),
            style=outcome.style,
            faces=faces,
            unsure=choice.known.unsure,
            verified=not outcome.findings if self.options.verify else None,
            findings=outcome.findings,
            untracked=outcome.untracked,
            unverified=outcome.unverified,
            stages=outcome.stages,
        )


def _untracked(outcome: Outcome) -> str:
    """Say that faces show which the given file does not name."""
    count = count_faces(outcome.untracked)
    if not count:
        return ""
    first = outcome.untracked[0].finding
    more, verbs = (f" and {count - 1} more", "are") if count > 1 else ("", "is")
    film = isinstance(outcome, FilmOutcome)
    return f"; but a face {place(first, film=film)}{more} {verbs} in no track, and bare"


def _unsure(choice: Choice) -> str:
    """Say that a person should look."""
    count = len(choice.known.unsure)
    return f"; look at {count} unsure {'time' if count == 1 else 'times'} (--json)" if count else ""


def _untouched(item: Item, width: int, height: int, faces: tuple[FaceTrack, ...]) -> RedactRecord:
    """Return the record of an input in which there is nothing to cover."""
    return RedactRecord(
        item.source,
        None,
        "skipped",
        f"no face is chosen (of {len(faces)} found)" if faces else NO_FACE,
        width,
        height,
        tuple(face.region for face in faces),
        faces=faces,
    )


def _still_shows(item: Item, outcome: Outcome) -> VerificationError:
    first, more = outcome.findings[0].finding, len(outcome.findings) - 1
    others = f", and {more} more" if more else ""
    return VerificationError(
        f"{item.source} could not be redacted safely: {first.words} "
        f"{place(first, film=item.film)}{others}; the result is kept as {outcome.unverified}",
        "look at it, and try the default style, or name the place with --box",
    )
