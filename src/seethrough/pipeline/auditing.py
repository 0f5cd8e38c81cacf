"""The verb ``audit``: from an original and its redaction to a report on what is left."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

from seethrough import image
from seethrough.auditor import report as page
from seethrough.auditor.cases import aligned
from seethrough.auditor.engine import AuditEngine
from seethrough.auditor.leaks import read_container
from seethrough.auditor.picture import Engine, File, Outcome, audit_picture, check_swapped
from seethrough.auditor.references import same_people
from seethrough.errors import InputError, SeeThroughError, UsageError
from seethrough.files import make_private, read_bytes
from seethrough.pipeline.audit_options import AuditOptions
from seethrough.pipeline.audit_report import AuditRecord, AuditReport, write_data
from seethrough.pipeline.inputs import FILMS, Item, check_picture
from seethrough.pipeline.networks import Networks
from seethrough.pipeline.pairs import PairItem, pair_items
from seethrough.pipeline.report import Record
from seethrough.pipeline.run import Run
from seethrough.types import Face, Image, WeightsUsed


def auditing(
    original: Path, redacted: Path | None, output: Path, options: AuditOptions
) -> AuditRun:
    """Plan an audit; iterating over the result does the work and writes the report.

    Parameters
    ----------
    original : Path
        An uncovered picture, or a folder of them.
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
    work = _Auditing(original, options)
    run = AuditRun("audit", pair_items(original, redacted, output), work, work.used, options)
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

    def __init__(self, original: Path, options: AuditOptions) -> None:
        self.options = options
        self.items: Sequence[Item] = ()
        self._original = original
        self._networks = Networks(options.device, options.threads)
        self._faces: dict[Path, tuple[Face, ...]] = {}

    @cached_property
    def _engine(self) -> Engine:
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
        original = _read(item.source)
        redacted = None
        if item.redacted is not None:
            check_picture(item.redacted)
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
            found = self._networks.detector.detect(pixels)
            self._faces[path] = tuple(sorted(found, key=lambda face: face.box.x0))
        return self._faces[path]

    @cached_property
    def _gallery(self) -> dict[Path, tuple[tuple[Image, ...], ...]]:
        """For each original and each of its faces, crops of the person from other originals."""
        paths = [
            item.source
            for item in self.items
            if item.error is None and item.source.suffix.lower() not in FILMS
        ]
        if len(paths) < 2:
            return {}
        crops: list[Image] = []
        owners: list[int] = []
        for number, path in enumerate(paths):
            try:
                pixels = image.read(path).pixels
            except InputError:  # said when its turn comes
                continue
            for face in self._found(path, pixels):
                crops.append(aligned(pixels, face))
                owners.append(number)
        people = same_people(crops, owners, self.options.device, self.options.threads)
        gallery: dict[Path, tuple[tuple[Image, ...], ...]] = {}
        for owner, same in zip(owners, people, strict=True):
            others = tuple(crops[index] for index in same)
            gallery[paths[owner]] = (*gallery.get(paths[owner], ()), others)
        return gallery


def _read(path: Path) -> File:
    pixels = image.read(path).pixels
    data = read_bytes(path, image.MAX_BYTES)
    return File(str(path), hashlib.sha256(data).hexdigest(), pixels, read_container(data))


def _unwritten(record: Record, error: SeeThroughError) -> Record:
    if record.status != "done":
        return record
    return replace(record, status="failed", output=None, reason=error.what, error=error)
