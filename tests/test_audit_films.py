"""Films in the audit: the rule, bare frames, and which frame belongs to which."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction

import cv2
import numpy as np
import pytest

from seethrough.auditor.cases import make_case
from seethrough.auditor.covers import styled_cover
from seethrough.auditor.film.auditing import AS_ONE_LOOK, UNKNOWN_CODEC, FilmFile, audit_film
from seethrough.auditor.film.choosing import LOOKS, choose
from seethrough.auditor.film.looks import Look, alike
from seethrough.auditor.film.moments import moments
from seethrough.auditor.picture import Outcome, Style
from seethrough.auditor.types import FaceAudit, FilmFace
from seethrough.errors import InputError
from seethrough.redactor import Coverer, StillPicture
from seethrough.redactor import Style as Redaction
from seethrough.tracker import Track, Tracks
from seethrough.types import Face, Image, Operator, OperatorKind
from tests.audit_film_scene import (
    CELL,
    FRAMES,
    RATE,
    SIZE,
    FilmStandIn,
    Still,
    film,
    mosaic,
    raw,
    solid,
    stills,
    tracks,
    under,
)
from tests.test_audit_rule import same_case


def audited(
    redacted: FilmFile | None,
    style: Style | None = None,
    known: Tracks | None = None,
    original: FilmFile | None = None,
) -> tuple[Outcome, FilmStandIn]:
    engine = FilmStandIn()
    original = original or film(stills(raw))
    outcome = audit_film(
        original, redacted, known or tracks(), {}, style, lambda: engine, lambda *_: None
    )
    return outcome, engine


def test_times_are_those_of_frames_that_last_unequally() -> None:
    def slow(frames: Sequence[Still]) -> list[Still]:
        """The first half of a film takes twice its time."""
        half = FRAMES // 2
        return [replace(f, time=(f.index + min(f.index, half)) / RATE) for f in frames]

    leaves = replace(tracks(8), frames=FRAMES)
    outcome, _ = audited(
        film(slow(stills(mosaic())), "red.mp4"), known=leaves, original=film(slow(stills(raw)))
    )
    _, seen = one(outcome)
    assert seen.to == pytest.approx(float((8 + FRAMES // 2) / RATE))
    assert outcome.audit.length == pytest.approx(float((FRAMES + FRAMES // 2) / RATE))


def one(outcome: Outcome) -> tuple[FaceAudit, FilmFace]:
    (face,) = outcome.audit.faces
    assert face.film is not None
    return face, face.film


def test_a_mosaic_is_looked_at_in_a_few_frames() -> None:
    outcome, engine = audited(film(stills(mosaic()), "red.mp4"))
    face, seen = one(outcome)
    assert face.covered
    assert face.operator is not None
    assert face.operator.kind == "mosaic"
    assert face.operator.size == pytest.approx((CELL, CELL), abs=0.05)
    assert (seen.from_, seen.to, seen.covered_frames) == (0, FRAMES / 25, FRAMES)
    assert 2 <= seen.looks <= LOOKS
    assert len(engine.cases) == seen.looks + 1  # and a solid cover, for advice
    assert len({case.operator.phase for case in engine.cases[: seen.looks]}) > 1
    assert all(case.same_frame for case in engine.cases)
    assert outcome.audit.length == FRAMES / 25
    assert outcome.audit.notes == (AS_ONE_LOOK, UNKNOWN_CODEC)


def other(index: int) -> Image:
    """Somebody else, in other colours."""
    return np.ascontiguousarray(255 - raw(index)[::-1, ::-1, ::-1] // 2)


def test_pixels_under_a_cover_of_a_film_change_no_score() -> None:
    honest, changed = stills(mosaic()), stills(mosaic(content=other))
    assert all((a.pixels != b.pixels).any() for a, b in zip(honest, changed, strict=True))
    style = Style("mosaic", (float(CELL), True))
    first, cases = audited(film(honest, "red.mp4"), style)
    second, again = audited(film(changed, "red.mp4"), style)
    (a, b) = (one(outcome)[0] for outcome in (first, second))
    assert a.readings
    assert a.readings == b.readings
    assert (a.verdict, a.strongest, a.advice) == (b.verdict, b.strongest, b.advice)
    for left, right in zip(cases.cases, again.cases, strict=True):
        same_case(left, right)


def test_looks_whose_strength_is_told_alike_are_the_same_whatever_lies_under_the_cover() -> None:
    _, cases = audited(film(stills(mosaic()), "red.mp4"))
    _, again = audited(film(stills(mosaic(content=other)), "red.mp4"))
    alike = 0
    for left, right in zip(cases.cases, again.cases, strict=True):
        if (left.operator.size, left.operator.phase) == (right.operator.size, right.operator.phase):
            same_case(left, right)
            alike += 1
    assert alike >= len(cases.cases) - 2


def test_a_face_that_could_never_be_looked_at_is_told() -> None:
    (known,) = tracks().tracks
    brief = Track(2, [known.keyframes[-1]])
    both = replace(tracks(), tracks=(known, brief))
    noise = np.random.default_rng(1).integers(0, 256, raw(0).shape, np.uint8)
    last = FRAMES - 1
    shown = stills(lambda index: noise if index == last else mosaic()(index))
    outcome, _ = audited(film(shown, "red.mp4"), known=both)
    assert len(outcome.audit.faces) == len(outcome.unnamed) == 1
    assert "1 face was not audited" in outcome.audit.summary


@pytest.mark.parametrize("bare", [(5, 6), (0,), (FRAMES - 1,), (2, 3, 8)])
def test_a_face_that_is_bare_for_a_moment_is_found(bare: Sequence[int]) -> None:
    outcome, _ = audited(film(stills(mosaic(bare)), "red.mp4"))
    face, seen = one(outcome)
    assert face.verdict == outcome.audit.verdict == "uncovered"
    assert not face.covered
    frames = [
        index for span in seen.bare for index in range(round(span.from_ * 25), round(span.to * 25))
    ]
    assert frames == list(bare)
    assert face.leaks[0].kind == "uncovered"
    assert "in every frame" in outcome.audit.summary
    assert face.readings  # the others are attacked all the same


def test_a_bare_face_is_found_after_a_codec() -> None:
    outcome, _ = audited(film([_coarse(frame) for frame in stills(mosaic((4, 5)))], "red.mp4"))
    _, seen = one(outcome)
    assert [(round(s.from_ * 25), s.frames) for s in seen.bare] == [(4, 2)]


def _coarse(frame):
    """A frame as an encoder leaves it."""
    _, data = cv2.imencode(".jpg", frame.pixels[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, 80])
    return replace(frame, pixels=np.ascontiguousarray(cv2.imdecode(data, 1)[..., ::-1]))


def test_a_film_without_covers_needs_no_attacker() -> None:
    outcome, engine = audited(film(stills(raw), "red.mp4"))
    face, seen = one(outcome)
    assert face.verdict == "uncovered"
    assert sum(span.frames for span in seen.bare) == FRAMES
    assert engine.cases == []


def test_paint_leaves_nothing() -> None:
    outcome, engine = audited(film(stills(solid), "red.mp4"))
    face, _ = one(outcome)
    assert face.verdict == "not distinguishable from chance"
    assert {case.operator.kind for case in engine.cases} == {"solid"}
    assert outcome.audit.notes == (UNKNOWN_CODEC,)  # nothing is read as one look


def test_the_weaker_of_two_covers_decides() -> None:
    def half(index: int) -> Image:
        return solid(index) if index < 7 else mosaic()(index)

    outcome, engine = audited(film(stills(half), "red.mp4"))
    face, _ = one(outcome)
    assert face.operator is not None
    assert face.operator.kind == "mosaic"
    assert face.verdict == "exposed"
    assert {case.operator.kind for case in engine.cases} == {"mosaic", "solid"}


def test_a_cover_that_is_told_otherwise_once_is_left_out() -> None:
    case = make_case(
        raw(0), _face(), styled_cover("mosaic", (9.0, True), _face(), raw(0).shape), None,
        raw(0)[:128, :128], (),
    )  # fmt: skip

    def look(time: float, kind: OperatorKind, size: float | None) -> Look:
        operator = Operator(kind, None if size is None else (size, size), None, 1.0)
        return Look(
            time, _face(), operator, False, _face().box, 50, replace(case, operator=operator), (),
            raw(0),
        )  # fmt: skip

    looks = [look(float(i), "mosaic", 9 + 0.1 * i) for i in range(5)]
    odd = [look(5.0, "mosaic", 18.0), look(6.0, "gauss", 4.0)]
    assert alike([*looks, *odd]) == [looks]
    stronger = [look(7.0, "mosaic", 20.0), look(8.0, "mosaic", 21.0)]
    assert alike([*stronger, *looks]) == [looks, stronger]
    assert alike(odd) == [[odd[1]], [odd[0]]]  # of so few, each may be right


def _face() -> Face:
    (sighting,) = tracks().at(0)
    return Face(sighting.box, sighting.landmarks, 0.9)


def test_a_soft_blur_of_a_safe_kind_is_told_by_the_comment_and_its_pixels() -> None:
    coverer = Coverer(Redaction("safe-blur"), (SIZE[1], SIZE[0]))

    def soft(index: int) -> Image:
        result = raw(index)
        (sighting,) = tracks().at(index)
        for patch in coverer.patches(StillPicture(raw(index)), [sighting]):
            height, width = patch.mask.shape
            part = result[patch.y0 : patch.y0 + height, patch.x0 : patch.x0 + width]
            part[patch.mask] = patch.pixels[patch.mask]
        return result

    mark = "Redacted by seethrough 0.1.0: faces covered, style safe-blur"
    frames = stills(soft)
    marked, _ = audited(film(frames, "red.mp4", comment=mark))
    face, _ = one(marked)
    assert face.verdict == "not distinguishable from chance"
    assert face.note is not None
    assert "soft blur" in face.note
    lying, _ = audited(film(stills(mosaic()), "red.mp4", comment=mark))
    assert one(lying)[0].verdict != "not distinguishable from chance"


def test_frames_that_are_painted_all_over_are_covered() -> None:
    def black(index: int) -> Image:
        return np.zeros_like(raw(index)) if index in (3, 4, 5) else mosaic()(index)

    _, seen = one(audited(film(stills(black), "red.mp4"))[0])
    assert seen.bare == ()
    assert seen.covered_frames == FRAMES


def test_a_style_is_simulated() -> None:
    outcome, engine = audited(None, Style("mosaic", (10.0, False)))
    face, seen = one(outcome)
    assert face.cells == pytest.approx(10)
    assert face.covered
    assert seen.bare == ()
    assert outcome.audit.redacted == "simulated: mosaic, strength 10"
    assert len({case.operator.phase for case in engine.cases[: seen.looks]}) > 1


def test_a_place_that_is_only_held_is_no_bare_face() -> None:
    (track,) = tracks().tracks
    held = Track(1, [replace(key, how="held") for key in track.keyframes])
    known = tracks()
    both = Tracks(*SIZE, RATE, FRAMES, (*known.tracks, held.renumbered(2)))
    outcome, _ = audited(film(stills(raw), "red.mp4"), known=both)
    assert [face.film.number for face in outcome.audit.faces if face.film] == [1]


# Which frame belongs to which


def shown(original: Sequence[int], redacted: Sequence[int], rate: Fraction = RATE) -> list[int]:
    """Which picture of the original each redacted frame is paired with."""
    pairs = moments(stills(raw, original), stills(mosaic(), redacted, rate))
    return [original[before.index] for before, _ in pairs]


def test_frames_are_paired_by_time() -> None:
    assert shown(range(12), range(12)) == list(range(12))
    twice = [index for index in range(12) for _ in range(2)]
    found = shown(range(12), twice, 2 * RATE)
    assert max(abs(a - b) for a, b in zip(found, twice, strict=True)) <= 1
    assert shown(range(12), range(0, 12, 2), RATE / 2) == list(range(0, 12, 2))


def test_dropped_frames_are_followed() -> None:
    left = [0, 1, 2, 4, 5, 6, 8, 9, 10, 11]
    assert shown(range(12), left) == left


def test_another_rate_and_size_and_a_few_dropped_frames_are_the_same_film() -> None:
    left = [i for i in range(FRAMES) if i != 6]
    smaller = [
        replace(
            frame,
            pixels=np.asarray(
                cv2.resize(frame.pixels, (168, 132), interpolation=cv2.INTER_AREA), np.uint8
            ),
        )
        for frame in stills(mosaic((8, 9)), left)
    ]
    outcome, _ = audited(film(smaller, "red.mp4"))
    face, seen = one(outcome)
    assert sum(span.frames for span in seen.bare) == 2
    assert face.operator is not None
    assert face.operator.size == pytest.approx((CELL * 0.75, CELL * 0.75), abs=0.1)
    at = under(0)
    assert face.cover_box is not None
    assert face.cover_box.height == pytest.approx(at[0].stop - at[0].start, abs=6)


def test_films_that_do_not_match_are_refused(rng: np.random.Generator) -> None:
    noise = rng.integers(0, 256, (SIZE[1], SIZE[0], 3), np.uint8)
    for redacted, words in (
        (stills(lambda index: noise), "too little outside"),
        (stills(mosaic(), [*range(12)] * 3), "longer"),
        (stills(lambda index: np.ascontiguousarray(mosaic()(index)[:-20])), "cropped"),
        (stills(lambda index: np.ascontiguousarray(mosaic()(index)[:, ::-1])), "mirrored"),
    ):
        with pytest.raises(InputError, match=words):
            audited(film(redacted, "red.mp4"))


def test_a_cover_that_cannot_be_named_asks_for_a_style(rng: np.random.Generator) -> None:
    def noisy(index: int) -> Image:
        result = raw(index)
        result[under(index)] = rng.integers(0, 256, result[under(index)].shape, np.uint8)
        return result

    with pytest.raises(InputError, match="cannot be named"):
        audited(film(stills(noisy), "red.mp4"))


def test_looks_are_spread_and_shared() -> None:
    known = tracks(200)
    (track,) = known.tracks
    both = Tracks(*SIZE, RATE, 200, (track, track.renumbered(2)))
    slots = choose(replace(both, width=2000))
    assert len(slots[1]) == LOOKS
    assert [slot.best for slot in slots[1]] == [slot.best for slot in slots[2]]
    assert min(b.best - a.best for a, b in zip(slots[1], slots[1][1:], strict=False)) > 10
