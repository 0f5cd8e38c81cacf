"""The verb ``faces``: from a photo or a film to a numbered sheet of its faces and their tracks."""

from __future__ import annotations

import time
from array import array
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from seethrough import image
from seethrough.errors import NothingToDoError, UsageError, VerificationError
from seethrough.files import check_output, make_private, write_private
from seethrough.pipeline import sheet
from seethrough.pipeline.faces_options import FacesOptions
from seethrough.pipeline.faces_report import FacesRecord, FacesReport
from seethrough.pipeline.inputs import Item, one_file, plan
from seethrough.pipeline.networks import Networks
from seethrough.pipeline.progress import Progress
from seethrough.pipeline.redact_report import NO_FACE, FaceTrack
from seethrough.pipeline.report import Record
from seethrough.pipeline.run import Run
from seethrough.tracker import Tracks, track, write_tracks
from seethrough.types import Image, Region, WeightsUsed
from seethrough.video import FilmReader, Frame
from seethrough.weights import record

TRACKS_NAME = "tracks.json"


@dataclass(frozen=True, slots=True)
class SheetItem(Item):
    """A photo or film, its sheet, and the tracks beside it."""

    @property
    def tracks(self) -> Path:
        return self.output.with_name(TRACKS_NAME)

    @property
    def outputs(self) -> tuple[Path, ...]:
        """The sheet and the tracks."""
        return self.output, self.tracks


@dataclass(eq=False)
class FacesRun(Run):
    """The planned work of ``faces``."""

    def report(self) -> FacesReport:
        """Return what has been done so far."""
        seconds = time.perf_counter() - self._started
        return FacesReport(self.verb, tuple(self.records), self.used(), seconds)


def facing(source: Path, output: Path, options: FacesOptions) -> FacesRun:
    """Plan a sheet; iterating over the result does the work.

    Parameters
    ----------
    source : Path
        A photo or a film.
    output : Path
        The sheet, a PNG; ``tracks.json`` goes beside it.
    options : FacesOptions
        How to run.

    Raises
    ------
    UsageError
        Where the input is a folder, or the sheet no PNG.
    """
    if not one_file([source]):
        raise UsageError(f"{source} is a folder", "give one photo or film")
    (item,) = plan([source], output, suffix=".png")
    progress = Progress()
    work = _Facing(options, progress)
    sheet_item = SheetItem(item.source, item.output, error=item.error)
    return FacesRun("faces", (sheet_item,), work, work.used, options, films=True, progress=progress)


class _Facing:
    """What one run needs: its options, and the networks that it has loaded."""

    def __init__(self, options: FacesOptions, progress: Progress) -> None:
        self.options = options
        self._progress = progress
        self._networks = Networks(options.device, options.threads)
        self._tracked = False

    def used(self) -> tuple[WeightsUsed, ...]:
        """Return the weights that were loaded."""
        tracked = (record("detector").used,) if self._tracked else ()
        return tuple(dict.fromkeys((*tracked, *self._networks.used())))

    def __call__(self, item: Item) -> Record:
        assert isinstance(item, SheetItem)
        return self._film(item) if item.film else self._photo(item)

    def _photo(self, item: SheetItem) -> Record:
        picture = image.read(item.source)
        pixels, found = picture.pixels, self._networks.faces_to_hide(picture)
        tracks = Tracks.of_photo(found, pixels.shape[:2])
        pictures = {s.track: [sheet.crop(pixels, s)] for s in tracks.at(0)}
        return self._finish(item, tracks, pictures, None)

    def _film(self, item: SheetItem) -> Record:
        times = array("d")
        with FilmReader(item.source, self.options.threads) as reader:
            tracks = self._tracks(reader, times)
            times.append(times[-1] + float(1 / tracks.rate))
            pictures = self._pictures(reader, tracks)
        return self._finish(item, tracks, pictures, times)

    def _tracks(self, reader: FilmReader, times: array[float]) -> Tracks:
        """Follow the faces of a film, and note when its frames are shown."""
        self._tracked = True
        try:
            return track(
                _noting(reader, times),
                reader.info,
                self.options.tracking,
                device=self.options.device,
                threads=self.options.threads,
                progress=lambda done, all_: self._progress.step("track", done, all_),
            )
        except VerificationError as lost:  # of a redaction; here nothing was to be verified
            raise NothingToDoError(
                f"nothing is written for {reader.info.path}: {lost.what}",
                "use --on-lost hold, whose tracks.json you can edit, or cover-frame",
            ) from lost

    def _pictures(self, reader: FilmReader, tracks: Tracks) -> dict[int, list[Image]]:
        """Decode the film again and cut out the faces of the frames that were chosen."""
        wanted = sheet.chosen(tracks)
        left = len(wanted)
        pictures: dict[int, list[Image]] = {}
        if not left:
            return pictures
        for frame in reader:
            self._progress.step("sheet", frame.index + 1, tracks.frames)
            if frame.index not in wanted:
                continue
            picture = frame.picture()
            for sighting in wanted[frame.index]:
                pictures.setdefault(sighting.track, []).append(sheet.crop(picture, sighting))
            left -= 1
            if not left:
                break
        return pictures

    def _finish(
        self,
        item: SheetItem,
        tracks: Tracks,
        pictures: dict[int, list[Image]],
        times: array[float] | None,
    ) -> FacesRecord:
        width, height = tracks.width, tracks.height
        if not tracks.tracks:
            return FacesRecord(
                item.source, None, "skipped", NO_FACE, width, height, unsure=tracks.unsure
            )
        overwrite = self.options.overwrite or self.options.resume
        faces = _faces(tracks, times)
        spans = {
            f.number: (f.from_, f.to) for f in faces if f.from_ is not None and f.to is not None
        }
        drawn = sheet.drawn(item.source.name, sheet.entries(tracks, pictures, spans))
        check_output(item.output, overwrite=overwrite)
        make_private(item.output.parent)
        # First: where the sheet stands, its numbers have a meaning.
        write_tracks(tracks, item.tracks, overwrite=overwrite)
        write_private(item.output, drawn, overwrite=overwrite)
        count, doubts = len(faces), len(tracks.unsure)
        summary = f"{count} {'face' if count == 1 else 'faces'}"
        if doubts:
            summary += f", {doubts} unsure {'span' if doubts == 1 else 'spans'}"
        return FacesRecord(
            item.source,
            item.output,
            "done",
            None,
            width,
            height,
            tuple(face.region for face in faces),
            summary=summary,
            tracks=item.tracks,
            faces=faces,
            unsure=tracks.unsure,
        )


def _noting(reader: FilmReader, times: array[float]) -> Iterator[Frame]:
    """Pass frames on and note their times."""
    for frame in reader:
        times.append(float(frame.time))
        yield frame


def _faces(tracks: Tracks, times: array[float] | None) -> tuple[FaceTrack, ...]:
    found = []
    for each in tracks.tracks:
        seen = each.at(each.first)
        assert seen is not None
        region = Region("face", seen.box, seen.landmarks, seen.score, "done", None, None, None, 0.0)
        found.append(
            FaceTrack(
                each.number,
                region,
                each.first,
                each.last,
                None if times is None else times[each.first],
                None if times is None else times[each.last],
            )
        )
    return tuple(found)
