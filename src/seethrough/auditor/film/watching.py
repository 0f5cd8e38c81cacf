"""One pass over an original film and its redaction: bare faces in any frame, covers in a few.

Every frame is compared where its faces are; what the redacted film shows there decides nothing
but whether a face is bare. In the chosen frames the cover is named and put over the original
again: only that is kept, crops for each look, so that memory does not grow with the film.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from seethrough.auditor.cases import aligned, covered_again, make_case
from seethrough.auditor.covers import Cover, is_bare, moved, styled_cover
from seethrough.auditor.film.choosing import Slot, seen
from seethrough.auditor.film.looks import Look, Seen, around
from seethrough.auditor.leaks import Container
from seethrough.auditor.pairing import Losses, Pair, pair_again
from seethrough.auditor.picture import File, Style, compared, leaks_of, simulated, small
from seethrough.auditor.through import is_seen
from seethrough.auditor.types import Leak
from seethrough.degrade import Degradation
from seethrough.errors import InputError
from seethrough.tracker import Sighting, Tracks
from seethrough.tracker.frames import FrameLike
from seethrough.types import Box, Face, Image, Landmarks, Operator

WHOLE = 1 << 20
"""px: no frame is larger, so frames come whole, with square pixels."""
_VISIBLE = 0.35  # of a face lies inside the frame: less is not looked for
_FIRST_GUESS = Losses(2.0)  # before any frame has matched
_PATIENCE = 24  # frames that do not match, before any does
_TRIES = 3  # frames for one look
_PAINTED = 3.0  # levels: standard deviation of a frame that is painted all over


class Watch:
    """The pass over one film.

    Parameters
    ----------
    tracks : Tracks
        Of the original.
    slots : mapping
        Which frames to look at closely.
    names : (str, str)
        Of the two films.
    container : Container
        What the redacted film says beside its pictures.
    codec : Degradation or None
        What compresses as the redacted film was compressed.
    style : Style or None
        How faces are covered, where the film does not tell or is simulated.
    references : mapping
        Track to crops of the person from other originals.

    Attributes
    ----------
    seen : mapping
        Track to what was seen of it.
    preview : Image or None
        The redacted frame that shows the most faces, small.
    on_preview : mapping
        Track to its box there, in pixels of the original.
    last : float
        Seconds of the last redacted frame.
    """

    def __init__(
        self,
        tracks: Tracks,
        slots: Mapping[int, Sequence[Slot]],
        names: tuple[str, str],
        container: Container,
        codec: Degradation | None,
        style: Style | None,
        references: Mapping[int, Sequence[Image]],
    ) -> None:
        self._tracks = tracks
        self._slots = {number: list(each) for number, each in slots.items()}
        self._tries: dict[int, int] = {}
        self._names = names
        self._container = container
        self._codec = codec
        self._style = style
        self._references = references
        self._losses = _FIRST_GUESS
        self._matched = 0
        self._failures: list[InputError] = []
        self.seen = {track.number: Seen() for track in tracks.tracks}
        self.preview: Image | None = None
        self.on_preview: dict[int, Box] = {}
        self.last = 0.0

    @property
    def waiting(self) -> bool:
        """Whether any look is still to come."""
        return any(self._slots.values())

    def take(self, before: FrameLike, after: FrameLike, lasts: float) -> None:
        """Compare a redacted frame, which is shown for so many seconds, with its original."""
        self.last = float(after.time)
        sightings = self._visible(before.index)
        if not sightings:
            return
        due = {s.track for s in sightings if self._due(s.track, before.index)}
        original, factors = before.reduced(WHOLE)
        redacted, _ = after.reduced(WHOLE)
        faces = [square(sighting, factors) for sighting in sightings]
        found = self._compared(original, redacted, faces, due) if due else None
        pair = pair_again(original, redacted, self._losses) if found is None else found[0]
        for index, (sighting, face) in enumerate(zip(sightings, faces, strict=True)):
            kept, here = self.seen[sighting.track], moved(face, pair.scale)
            kept.face = _face(sighting)
            cover = None if found is None else found[1][index]
            if is_bare(pair, here) if found is None else cover is None:
                kept.add_bare(self.last, lasts, around(redacted, here.box))
            else:
                kept.covered += 1
                if is_seen(pair, here):
                    kept.add_seen(self.last, lasts, around(redacted, here.box))
            if found is None or sighting.track not in due:
                continue
            self._slots[sighting.track].pop(0)
            if cover is None:
                continue
            if cover.operator is None:
                kept.unnamed += 1
                continue
            leaks = leaks_of(pair, redacted, cover, self._container, here)
            shown = around(redacted, here.box)
            self._look(sighting, face, factors, original, pair, cover, leaks, shown)
        if found is not None or self.preview is None:
            self._show(redacted, sightings)

    def simulate(self, frame: FrameLike) -> None:
        """Cover the faces of an original frame, where a look is due."""
        self.last = float(frame.time)
        sightings = self._visible(frame.index)
        due = {s.track for s in sightings if self._due(s.track, frame.index)}
        if not due:
            return
        assert self._style is not None
        original, factors = frame.reduced(WHOLE)
        faces = [square(sighting, factors) for sighting in sightings]
        file = File(self._names[0], "", original, self._container)
        pair, covers = simulated(file, faces, self._style)
        painted = covered_again(pair.original, [cover for cover in covers if cover is not None])
        for sighting, face, cover in zip(sightings, faces, covers, strict=True):
            kept = self.seen[sighting.track]
            kept.face = _face(sighting)
            if sighting.track in due and cover is not None:
                self._slots[sighting.track].pop(0)
                kept.covered += 1
                shown = around(painted, face.box)
                self._look(sighting, face, factors, original, pair, cover, (), shown)
        self._show(painted, sightings)

    def check(self) -> None:
        """Make sure, at the end, that the two films show the same.

        Raises
        ------
        InputError
            Where most frames that were looked at do not match.
        """
        if len(self._failures) > self._matched:
            raise self._failures[0]

    def _visible(self, index: int) -> list[Sighting]:
        return [s for s in self._tracks.at(index) if seen(s, self._tracks) >= _VISIBLE]

    def _due(self, track: int, index: int) -> bool:
        slots = self._slots[track]
        while slots and slots[0].last <= index:
            slots.pop(0)
        return bool(slots) and slots[0].best <= index

    def _compared(
        self, original: Image, redacted: Image, faces: Sequence[Face], due: set[int]
    ) -> tuple[Pair, list[Cover | None]] | None:
        """Find the covers of a frame; ``None`` where it does not match its original."""
        before = File(self._names[0], "", original, self._container)
        after = File(self._names[1], "", redacted, self._container)
        try:
            pair, covers = compared(before, after, faces, self._style)
        except InputError as error:
            if redacted.std(axis=(0, 1)).max() < _PAINTED:
                return _painted_over(pair_again(original, redacted, self._losses), len(faces))
            self._failures.append(error)
            if not self._matched and len(self._failures) >= _PATIENCE:
                raise
            for track in due:
                self._tries[track] = self._tries.get(track, 0) + 1
                if self._tries[track] % _TRIES == 0:
                    self._slots[track].pop(0)
            return None
        self._matched += 1
        if pair.losses is not None:
            self._losses = pair.losses
        return pair, covers

    def _look(
        self,
        sighting: Sighting,
        face: Face,
        factors: tuple[float, float],
        original: Image,
        pair: Pair,
        cover: Cover,
        leaks: tuple[Leak, ...],
        shown: Image,
    ) -> None:
        """Put the cover over the original again, and keep what attackers will meet."""
        assert cover.operator is not None
        here = moved(face, pair.scale)
        clean = aligned(original, face)
        others = self._references.get(sighting.track, ())
        x, y = (factor / pair.scale for factor in factors)
        box = cover.box
        look = Look(
            time=self.last,
            face=_face(sighting),
            operator=cover.operator,
            stand_in=cover.stand_in,
            cover_box=Box(box.x0 * x, box.y0 * y, box.x1 * x, box.y1 * y),
            width=here.box.width,
            case=make_case(pair.original, here, cover, self._codec, clean, others),
            leaks=leaks,
            shown=shown,
        )
        if self.seen[sighting.track].add(look):
            over = styled_cover("solid", None, here, pair.original.shape)
            self.seen[sighting.track].solid = make_case(
                pair.original, here, over, None, clean, others
            )

    def _show(self, picture: Image, sightings: Sequence[Sighting]) -> None:
        if self.preview is None or len(sightings) > len(self.on_preview):
            self.preview = small(picture)
            self.on_preview = {sighting.track: sighting.box for sighting in sightings}


def _painted_over(pair: Pair, faces: int) -> tuple[Pair, list[Cover | None]]:
    """A frame that is one colour from border to border."""
    whole = np.ones(pair.changed.shape, np.bool_)
    over = Cover(whole, Operator("solid", None, None, 1.0), 1.0)
    return Pair(pair.original, pair.redacted, pair.scale, whole, False, pair.losses), [over] * faces


def square(sighting: Sighting, factors: tuple[float, float]) -> Face:
    """A face as it lies in the whole frame with square pixels."""
    box, scale = np.array(sighting.box.as_tuple()), np.array(factors)
    points: Landmarks = (sighting.landmarks + 0.5) / scale - 0.5
    return Face(Box(*(box / np.tile(scale, 2)).tolist()), points, sighting.score)


def _face(sighting: Sighting) -> Face:
    return Face(sighting.box, sighting.landmarks, sighting.score)
