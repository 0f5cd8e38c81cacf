"""The audit of one film: every face that was followed through the original."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Protocol

from seethrough.auditor.engine import verdict as judge
from seethrough.auditor.film.choosing import choose
from seethrough.auditor.film.looks import Look, Seen, alike
from seethrough.auditor.film.moments import check_alike, check_durations, moments
from seethrough.auditor.film.watching import Watch
from seethrough.auditor.leaks import Container
from seethrough.auditor.picture import REMEDIES, STAND_IN, Outcome, Style
from seethrough.auditor.report.words import one_in, times
from seethrough.auditor.summary import (
    UNKNOWN_COVER,
    best_odds,
    relative_strength,
    summary_of,
    unnamed_leaks,
)
from seethrough.auditor.types import (
    VERDICTS,
    Case,
    FaceAudit,
    FilmFace,
    Leak,
    PictureAudit,
    Reading,
    Sight,
)
from seethrough.degrade import Degradation
from seethrough.errors import InputError
from seethrough.tracker import Track, Tracks
from seethrough.tracker.frames import FilmLike, FrameLike, span
from seethrough.types import Image

UNKNOWN_CODEC = (
    "How strongly the redacted film was compressed could not be told, so the attackers met the "
    "original degraded again without compression: they see a little more than they would."
)
AS_ONE_LOOK = (
    "The odds of the attacker that joins many frames (A4) are read by what was measured for one "
    "look: there are no films of enough people of known identity to measure it by itself."
)


_FRAMES_BEYOND = 2.5  # by so many a film may outlast another: rates are rounded, frames dropped


class FilmEngine(Protocol):
    """The attackers."""

    def read(self, case: Case) -> tuple[tuple[Reading, ...], tuple[Sight, ...]]:
        """Attack one covered face."""

    def read_film(self, cases: Sequence[Case]) -> tuple[tuple[Reading, ...], tuple[Sight, ...]]:
        """Attack several frames of one."""


@dataclass(frozen=True, slots=True, eq=False)
class FilmFile:
    """A film.

    Attributes
    ----------
    name : str
        Its path as given.
    sha256 : str
        Of its bytes.
    info : FilmInfo
        Its size and rate.
    frames : iterable of Frame
        From the start at each iteration.
    container : Container
        What it says beside its pictures.
    times : sequence of Fraction
        When each frame is shown, and at last when the film ends, in seconds.
    codec : Degradation or None
        What compresses as it was compressed, where that can be told.
    """

    name: str
    sha256: str
    info: FilmLike
    frames: Iterable[FrameLike]
    container: Container
    times: Sequence[Fraction]
    codec: Degradation | None = None


def audit_film(
    original: FilmFile,
    redacted: FilmFile | None,
    tracks: Tracks,
    references: Mapping[int, Sequence[Image]],
    style: Style | None,
    engine: Callable[[], FilmEngine],
    progress: Callable[[str, int, int | None], None],
) -> Outcome:
    """Audit one film.

    Parameters
    ----------
    original, redacted : FilmFile
        ``redacted`` is ``None`` to simulate ``style``.
    tracks : Tracks
        The original's faces, at least one.
    references : mapping
        Number of a track to crops of the person from other originals.
    style : Style or None
        How faces are covered, where the redacted film does not tell or there is none.
    engine : callable
        Loads the attackers; not called where nothing is covered.
    progress : callable
        Told of a stage, and of how many frames of how many are done.

    Raises
    ------
    InputError
        Where the two do not match, are swapped, or no cover can be named.
    """
    container = original.container if redacted is None else redacted.container
    watch = Watch(
        tracks,
        choose(tracks),
        (original.name, original.name if redacted is None else redacted.name),
        container,
        None if redacted is None else redacted.codec,
        style,
        references,
    )
    beyond = _watch(watch, original, redacted, progress)
    length = float(original.times[-1])
    found = [(track, watch.seen[track.number]) for track in tracks.tracks]
    audits, unnamed, through = [], [], False
    for done, (track, seen) in enumerate(found):
        progress("attack", done, len(found))
        if seen.looks or seen.bare:
            shown = span(original.times, track.first, track.last)
            audits.append(_audited(track, shown, seen, watch, engine))
        elif seen.covered and seen.face is not None:  # no frame of it could be looked at closely
            unnamed.append(seen.face)
            through = through or bool(seen.seen)
    progress("attack", len(found), len(found))
    if not audits:
        raise InputError(
            f"{redacted.name if redacted else original.name} covers every face in a way that "
            "cannot be named",
            "name it with --style, and its --strength",
        )
    assert watch.preview is not None
    verdict = min((face.verdict for face in audits), key=VERDICTS.index)
    if through:
        verdict = min(verdict, "exposed", key=VERDICTS.index)
    notes = []
    if any(not reading.calibrated for face in audits for reading in face.readings):
        notes.append(AS_ONE_LOOK)
    if redacted is not None and redacted.codec is None and any(face.readings for face in audits):
        notes.append(UNKNOWN_CODEC)
    return Outcome(
        PictureAudit(
            original=original.name,
            redacted=_named(redacted, style),
            original_sha256=original.sha256,
            redacted_sha256="" if redacted is None else redacted.sha256,
            width=tracks.width,
            height=tracks.height,
            preview=watch.preview,
            faces=tuple(audits),
            leaks=(
                *unnamed_leaks(unnamed, seen=through),
                *_beyond(beyond),
                *(container.leaks if redacted else ()),
            ),
            verdict=verdict,
            summary=summary_of(audits, len(unnamed), seen=through),
            length=length,
            notes=tuple(notes),
        ),
        tuple(unnamed),
    )


def _named(redacted: FilmFile | None, style: Style | None) -> str:
    if redacted is not None:
        return redacted.name
    return f"simulated: {style.words}" if style else ""


def _watch(
    watch: Watch,
    original: FilmFile,
    redacted: FilmFile | None,
    progress: Callable[[str, int, int | None], None],
) -> float:
    """Go through both films; return for how long the redacted one outlasts the original."""
    if redacted is None:
        for done, frame in enumerate(original.frames, 1):
            watch.simulate(frame)
            progress("cover", done, original.info.frames)
            if not watch.waiting:
                break
        return 0.0
    names = original.name, redacted.name
    check_alike(original.info, redacted.info, names)
    lasts = 1 / float(redacted.info.rate)
    ended = 0.0
    for done, (before, after) in enumerate(moments(original.frames, redacted.frames), 1):
        watch.take(before, after, lasts)
        ended = float(after.time)
        progress("compare", done, redacted.info.frames)
    shown = float(original.info.frames or 0) / float(original.info.rate)
    if shown:
        check_durations(shown, ended + lasts, names)
    watch.check()
    beyond = ended + lasts - float(original.times[-1])
    return beyond if beyond > _FRAMES_BEYOND * lasts else 0.0


def _beyond(seconds: float) -> tuple[Leak, ...]:
    if not seconds:
        return ()
    words = (
        f"The redacted film goes on for {seconds:.1f} s after the original has ended: what it "
        "shows there was compared with nothing. Look at it."
    )
    return (Leak("longer", words),)


def _audited(
    track: Track,
    shown: tuple[float, float],
    seen: Seen,
    watch: Watch,
    engine: Callable[[], FilmEngine],
) -> FaceAudit:
    started = time.perf_counter()
    bare = seen.bare
    film = FilmFace(
        number=track.number,
        from_=shown[0],
        to=shown[1],
        covered_frames=seen.covered,
        bare=bare,
        strip=seen.strip,
        looks=len(seen.looks),
        on_preview=watch.on_preview.get(track.number),
    )
    leaks = list(_bare_leaks(film))
    advice = ["Cover this face in every frame." if seen.covered else "Cover this face."] * bool(
        bare
    )
    if not seen.looks:
        assert seen.face is not None
        return FaceAudit(
            seen.face, False, None, None, None, (), (), tuple(leaks), None, "uncovered",
            tuple(advice), film=film,
        )  # fmt: skip
    attackers = engine()
    readings, sights, looks = _weakest(attackers, seen.looks)
    verdict, strongest = judge(readings)
    if strongest is not None and seen.solid is not None:
        advice.append(_better(attackers, seen.solid, best_odds(readings, strongest)))
    for leak in (*_leaks_of(seen.looks), *_seen_leaks(seen)):
        leaks.append(leak)
        if leak.kind in REMEDIES:
            verdict = "exposed"
            advice.append(REMEDIES[leak.kind])
        elif leak.kind == UNKNOWN_COVER:
            verdict = min(verdict, "partly exposed", key=VERDICTS.index)
    if bare:
        verdict = "uncovered"
    look = looks[len(looks) // 2]
    return FaceAudit(
        face=look.face,
        covered=not bare,
        operator=look.operator,
        cells=relative_strength(look.operator, look.width),
        cover_box=look.cover_box,
        readings=readings,
        sights=sights,
        leaks=tuple(leaks),
        strongest=strongest,
        verdict=verdict,
        advice=tuple(advice),
        seconds=time.perf_counter() - started,
        note=STAND_IN if _stands_in(looks) else None,
        film=film,
    )


def _weakest(
    engine: FilmEngine, looks: Sequence[Look]
) -> tuple[tuple[Reading, ...], tuple[Sight, ...], Sequence[Look]]:
    """Attack every cover that a face has in turn; return what the weakest leaves, and its looks."""
    found = [(*engine.read_film([look.case for look in group]), group) for group in alike(looks)]
    return max(found, key=lambda each: max((r.of_100.p for r in each[0]), default=0.0))


def _stands_in(looks: Sequence[Look]) -> bool:
    """Whether the covers are soft blurs of a safe kind; some of them may be of one colour."""
    return any(look.stand_in for look in looks) and all(
        look.operator.kind == "solid" for look in looks
    )


def _bare_leaks(film: FilmFace) -> tuple[Leak, ...]:
    if not film.bare:
        return ()
    if not film.covered_frames:
        return (Leak("uncovered", "The redacted film shows this face as the original does."),)
    return (
        Leak(
            "uncovered",
            f"The redacted film shows this face as the original does {times(film.bare)}.",
        ),
    )


def _seen_leaks(seen: Seen) -> Iterator[Leak]:
    """What frames give away beside those that attackers met."""
    if seen.seen:
        yield Leak("seen", f"Under or beside its cover this face is seen {times(seen.seen)}.")
    if seen.unnamed > 1:  # an encoder's losses may hide how one was made
        closely = seen.unnamed + len(seen.looks)
        yield Leak(
            UNKNOWN_COVER,
            f"In {seen.unnamed} of {closely} frames that were looked at closely, the cover could "
            "not be named: the odds say nothing of those.",
        )


def _leaks_of(looks: Sequence[Look]) -> tuple[Leak, ...]:
    """What any look gives away, each kind once."""
    found: dict[str, Leak] = {}
    for look in looks:
        for leak in look.leaks:
            found.setdefault(leak.kind, leak)
    return tuple(found.values())


def _better(engine: FilmEngine, solid: Case, now: float) -> str:
    """Measure what a solid cover over the head would leave."""
    safer, _ = engine.read(solid)
    _, left = judge(safer)
    then = "chance" if left is None else one_in(best_odds(safer, left))
    return f"Solid over the head: from {one_in(now)} to {then}, picked out of 100 people."
