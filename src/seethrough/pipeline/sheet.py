"""The contact sheet: numbered pictures of every face, several of each track of a film."""

from __future__ import annotations

import io
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import cv2
import numpy as np
import PIL.Image
from PIL import ImageDraw, ImageFont, PngImagePlugin

from seethrough.pipeline.times import clock
from seethrough.tracker import Sighting, Track, Tracks
from seethrough.types import Image

SIDE = 144
"""Side of a picture of a face, in pixels."""

_GAP, _LABEL = 12, 24  # px
_WIDTH = 1280  # px, about
_PICTURES = ((24, 4), (120, 2))  # up to so many faces, so many pictures of each; then one
_ROUND = 1.7  # side of what is shown, in sizes of the face
_PAPER, _INK, _FAINT = (255, 255, 255), (20, 20, 20), (110, 110, 110)
_DESCRIPTION = "uncovered faces, numbered as seethrough redact --only names them"


@dataclass(frozen=True, slots=True, eq=False)
class Entry:
    """One face on the sheet.

    Attributes
    ----------
    number : int
        Of its track.
    pictures : sequence of Image
        Crops of :data:`SIDE` pixels.
    span : (float, float) or None
        Seconds from its first to after its last frame; ``None`` in a photo.
    unsure : bool
        Whether a span of it should be looked at.
    """

    number: int
    pictures: Sequence[Image]
    span: tuple[float, float] | None
    unsure: bool


def chosen(tracks: Tracks) -> dict[int, list[Sighting]]:
    """Choose good frames of each track: the largest and surest, spread over its time.

    Returns
    -------
    dict of int to list of Sighting
        By frame.
    """
    count = next((each for most, each in _PICTURES if len(tracks.tracks) <= most), 1)
    wanted: dict[int, list[Sighting]] = {}
    for track in tracks.tracks:
        for sighting in _good(track, count, (tracks.width, tracks.height)):
            wanted.setdefault(sighting.frame, []).append(sighting)
    return wanted


def crop(picture: Image, sighting: Sighting) -> Image:
    """Cut a face out of a frame, with its surroundings, in :data:`SIDE` pixels."""
    box = sighting.box
    side = max(round(_ROUND * max(box.width, box.height)), 1)
    x, y = (round(middle - side / 2) for middle in box.centre)
    height, width = picture.shape[:2]
    x0, y0, x1, y1 = max(x, 0), max(y, 0), min(x + side, width), min(y + side, height)
    cut = np.full((side, side, 3), 128, np.uint8)
    if x0 < x1 and y0 < y1:
        cut[y0 - y : y1 - y, x0 - x : x1 - x] = picture[y0:y1, x0:x1]
    how = cv2.INTER_AREA if side > SIDE else cv2.INTER_CUBIC
    return np.asarray(cv2.resize(cut, (SIDE, SIDE), interpolation=how), np.uint8)


def drawn(title: str, entries: Sequence[Entry]) -> bytes:
    """Draw the sheet and return it as PNG.

    Parameters
    ----------
    title : str
        Of the whole sheet, such as the input's name.
    entries : sequence of Entry
        In the order of their numbers.
    """
    most = max((len(entry.pictures) for entry in entries), default=1)
    wide = most * SIDE + (most - 1) * 2
    columns = max(1, min(len(entries), (_WIDTH - _GAP) // (wide + _GAP)))
    rows = math.ceil(len(entries) / columns)
    tall = _LABEL + SIDE
    size = (_GAP + columns * (wide + _GAP), 2 * _LABEL + rows * (tall + _GAP))
    sheet = PIL.Image.new("RGB", size, _PAPER)
    pen = ImageDraw.Draw(sheet)
    small, large = ImageFont.load_default(13), ImageFont.load_default(18)
    pen.text((_GAP, 14), _printable(title), _INK, small)
    for index, entry in enumerate(entries):
        x = _GAP + index % columns * (wide + _GAP)
        y = 2 * _LABEL + index // columns * (tall + _GAP)
        pen.text((x, y - 2), str(entry.number), _INK, large)
        words = _words(entry)
        left = x + pen.textlength(str(entry.number), large) + 8
        if left + pen.textlength(words, small) <= x + wide + _GAP:
            pen.text((left, y + 3), words, _FAINT, small)
        for place, picture in enumerate(entry.pictures):
            at = (x + place * (SIDE + 2), y + _LABEL)
            sheet.paste(PIL.Image.fromarray(picture), at)
    note = PngImagePlugin.PngInfo()
    note.add_text("Description", _DESCRIPTION)
    target = io.BytesIO()
    sheet.save(target, "png", pnginfo=note)
    return target.getvalue()


def entries(
    tracks: Tracks,
    pictures: Mapping[int, Iterable[Image]],
    spans: Mapping[int, tuple[float, float]],
) -> list[Entry]:
    """Bring together what the sheet shows of each track."""
    unsure = {span.track for span in tracks.unsure}
    return [
        Entry(
            track.number,
            list(pictures.get(track.number, ())),
            spans.get(track.number),
            track.number in unsure,
        )
        for track in tracks.tracks
    ]


def _good(track: Track, count: int, size: tuple[int, int]) -> list[Sighting]:
    """Return the best frame of each part of the time in which the face is seen."""
    step = max((track.last - track.first) // (40 * count), 1)
    frames = range(track.first, track.last, step)
    sightings = [s for frame in frames if (s := track.at(frame)) is not None]
    sure = [s for s in sightings if s.how in ("detected", "edited")] or sightings
    parts = np.array_split(np.arange(len(sure)), min(count, len(sure)))
    return [max((sure[i] for i in part), key=lambda s: _merit(s, size)) for part in parts]


def _merit(sighting: Sighting, size: tuple[int, int]) -> float:
    box = sighting.box
    width = min(box.x1, size[0]) - max(box.x0, 0)
    height = min(box.y1, size[1]) - max(box.y0, 0)
    showing = max(width, 0) * max(height, 0) / box.area
    return sighting.score * showing * math.sqrt(box.area)


def _words(entry: Entry) -> str:
    if entry.span is None:
        return ""
    words = f"{clock(entry.span[0])} to {clock(entry.span[1])}"
    return f"{words}, unsure" if entry.unsure else words


def _printable(text: str) -> str:
    """Replace what the drawn font does not have."""
    return "".join(letter if letter.isprintable() else "?" for letter in text)
