"""The verb ``audit``: from an original and its redaction to a report on what is left."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

import numpy as np

from seethrough import colour, image
from seethrough.auditor import report as page
from seethrough.auditor.cases import CROP, aligned
from seethrough.auditor.engine import AuditEngine
from seethrough.auditor.leaks import read_container
from seethrough.auditor.picture import File, Outcome, audit_picture, check_swapped
from seethrough.auditor.references import same_people
from seethrough.errors import InputError, SeeThroughError, UsageError
from seethrough.faces import ACCEPT_SURE
from seethrough.files import make_private, read_bytes
from seethrough.pipeline.audit_options import AuditOptions
from seethrough.pipeline.audit_report import AuditRecord, AuditReport, write_data
from seethrough.pipeline.auditing_films import FilmAuditing
from seethrough.pipeline.inputs import Item, is_film
from seethrough.pipeline.networks import Networks
from seethrough.pipeline.pairs import PairItem, pair_items
from seethrough.pipeline.progress import Progress
from seethrough.pipeline.report import INTERRUPTED, Record
from seethrough.pipeline.run import Run
from seethrough.types import Face, Image, WeightsUsed


def auditing(
    original: Path, redacted: Path | None, output: Path, options: AuditOptions
) -> AuditRun:
    """Plan an audit; iterating over the result does the work and writes the report.

    Parameters
    ----------
    original : Path
        An uncovered picture or film, or a folder of them.
    redacted : Path or None
        Its redaction, or a folder of redactions with the originals' names.
    output : Path
        The folder of the report.
    options : AuditOptions
        A style to simulate, and how to run.

    Raises
    ------
    UsageError
        Where neither a redacted file nor a style is given, or a file is paired with a folder.
    """
    if redacted is None and options.style is None:
        raise UsageError(
            "there is nothing to audit", "give --redacted, or --style to simulate a cover"
        )
    progress = Progress()
    work = _Auditing(options, progress)
    items = pair_items(original, redacted, output)
    run = AuditRun("audit", items, work, work.used, options, films=True, progress=progress)
    work.items = run.items
    return run


@dataclass(eq=False)
class AuditRun(Run):
    """An audit of one pair or of many; the report is written when all have been handled."""

    def __iter__(self) -> Iterator[Record]:
        """Handle the pairs that are left, then write the report."""
        held: Record | None = None
        for record in super().__iter__():
            if held is not None:
                yield held
            held = record
        if held is None:
            return
        try:
            self._write()
        except SeeThroughError as error:  # then none of them has its output
            self.records[:] = [_unwritten(record, error) for record in self.records]
        except KeyboardInterrupt:  # nor here
            self.records[:] = [_unwritten(record) for record in self.records]
            raise
        yield self.records[-1]

    def report(self) -> AuditReport:
        """Return what has been done so far."""
        seconds = time.perf_counter() - self._started
        return AuditReport(self.verb, tuple(self.records), self.used(), seconds)

    def _write(self) -> None:
        made = self.report()
        if not made.audits:
            return
        item = self.items[0]
        assert isinstance(item, PairItem)
        assert item.report is not None
        folder = item.output.parent
        make_private(folder)
        overwrite = self.options.overwrite or self.options.resume
        page.write(
            made.audits, folder, seconds=made.seconds, weights=made.weights, overwrite=overwrite
        )
        write_data(item.report, made, overwrite=overwrite)


class _Auditing:
    """What one run needs: its options, its originals, and the networks that it has loaded."""

    def __init__(self, options: AuditOptions, progress: Progress) -> None:
        self.options = options
        self.items: Sequence[Item] = ()
        self._networks = Networks(options.device, options.threads)
        self._films = FilmAuditing(options, self._networks, progress)
        self._faces: dict[Path, tuple[Face, ...]] = {}

    @cached_property
    def _engine(self) -> AuditEngine:
        page.check_parts()  # before the work that would be in vain
        return AuditEngine(self.options.device, self.options.threads)

    def used(self) -> tuple[WeightsUsed, ...]:
        """Return the weights that were loaded."""
        used = list(self._networks.used())
        if "_engine" in self.__dict__:  # cached_property keeps what it made there
            used += getattr(self._engine, "weights", ())
        return tuple(dict.fromkeys(used))

    def __call__(self, item: Item) -> Record:
        assert isinstance(item, PairItem)
        if item.redacted is not None and is_film(item.redacted) != item.film:
            film, photo = item.source, item.redacted
            if not item.film:
                film, photo = photo, film
            raise InputError(
                f"{item.source} and {item.redacted} do not match: {film} is a film, and {photo} "
                "is none",
                "give two pictures or two films",
            )
        if item.film:
            return self._film(item)
        original = _read(item.source)
        redacted = None
        if item.redacted is not None:
            redacted = _read(item.redacted)
        faces = self._found(item.source, original.pixels)
        height, width = original.pixels.shape[:2]
        if not faces:
            if redacted is not None:
                there = self._networks.detector.detect(redacted.pixels)
                check_swapped(original, redacted, there)
            return Record(
                item.source, None, "skipped", "no face found in the original", width, height
            )
        page.check_parts()
        outcome = audit_picture(
            original,
            redacted,
            faces,
            self._gallery.get(item.source, ((),) * len(faces)),
            self.options.cover,
            lambda: self._engine,
        )
        return self._record(item, outcome, width, height)

    def _film(self, item: PairItem) -> Record:
        if item.redacted is not None:
            self._films.check(item.source, item.redacted)
        tracks = self._films.follow(item.source).tracks
        if not tracks.tracks:
            if item.redacted is not None:
                self._films.check_swapped(item.source, item.redacted)
            return Record(
                item.source, None, "skipped", "no face found in the original",
                tracks.width, tracks.height,
            )  # fmt: skip
        page.check_parts()
        numbers = [track.number for track in tracks.tracks]
        others = self._gallery.get(item.source, ((),) * len(numbers))
        references = dict(zip(numbers, others, strict=True))
        outcome = self._films(item.source, item.redacted, references, lambda: self._engine)
        return self._record(item, outcome, tracks.width, tracks.height)

    def _record(self, item: PairItem, outcome: Outcome, width: int, height: int) -> AuditRecord:
        return AuditRecord(
            item.source,
            item.output,
            "done",
            None,
            width,
            height,
            audit=replace(outcome.audit, weights=self.used()),
            unnamed=outcome.unnamed,
            redacted=item.redacted,
            summary=outcome.audit.summary,
        )

    def _found(self, path: Path, pixels: Image) -> tuple[Face, ...]:
        if path not in self._faces:
            found = self._networks.detector.detect(pixels, small=ACCEPT_SURE)
            self._faces[path] = tuple(sorted(found, key=lambda face: face.box.x0))
        return self._faces[path]

    @cached_property
    def _gallery(self) -> dict[Path, tuple[tuple[Image, ...], ...]]:
        """For each original and each of its faces, crops of the person from other originals."""
        paths = [item.source for item in self.items if item.error is None]
        if len(paths) < 2:
            return {}
        crops: list[Image] = []
        owners: list[int] = []
        for number, path in enumerate(paths):
            try:
                found = self._crops(path)
            except InputError:  # said when its turn comes
                continue
            crops += found
            owners += [number] * len(found)
        people = same_people(crops, owners, self.options.device, self.options.threads)
        gallery: dict[Path, tuple[tuple[Image, ...], ...]] = {}
        for owner, same in zip(owners, people, strict=True):
            others = tuple(crops[index] for index in same)
            gallery[paths[owner]] = (*gallery.get(paths[owner], ()), others)
        return gallery

    def _crops(self, path: Path) -> list[Image]:
        """Clean crops of an original's faces, in the order in which they are audited."""
        if is_film(path):
            found = self._films.crops(path)
            blank = np.zeros((CROP, CROP, 3), np.uint8)  # a track that is never seen whole
            tracks = self._films.follow(path).tracks.tracks
            return [found.get(track.number, blank) for track in tracks]
        pixels = image.read(path).pixels
        return [aligned(pixels, face) for face in self._found(path, pixels)]


def _read(path: Path) -> File:
    picture = image.read(path)
    data = read_bytes(path, image.MAX_BYTES)
    container = replace(read_container(data), deep=colour.low_bytes(picture.samples))
    return File(str(path), hashlib.sha256(data).hexdigest(), picture.pixels, container)


def _unwritten(record: Record, error: SeeThroughError | None = None) -> Record:
    if not isinstance(record, AuditRecord) or record.status != "done":
        return record
    reason = INTERRUPTED if error is None else error.what
    return replace(record, status="failed", output=None, reason=reason, error=error, audit=None)
