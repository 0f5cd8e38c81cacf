"""Faces that are seen though something covers them: in a picture, and in some frames of a film."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np
import pytest

from seethrough.auditor.covers import Cover
from seethrough.auditor.pairing import Pair
from seethrough.auditor.picture import audit_picture
from seethrough.auditor.through import is_seen, opacity
from seethrough.degrade import Jpeg
from seethrough.geometry import tight_box
from seethrough.tracker import Track
from seethrough.types import Image
from tests.audit_film_scene import FRAMES, RATE, film, landmarks, raw, solid, stills, tracks, under
from tests.audit_scene import StandIn, cover, covered, crowd, face, file, scene
from tests.test_audit_films import audited, one


def pair_of(redacted: Image) -> Pair:
    return Pair(scene(), redacted, 1.0, (scene() != redacted).any(axis=2))


def under_cover(change: Callable[[Image], Image], style: str = "mask-face") -> Image:
    """The scene with something done to the pixels under a cover."""
    picture, mask = scene(), cover(style).mask
    picture[mask] = change(scene())[mask]
    return picture


def mixed(style: str, strength: float | None, opaque: float) -> tuple[Image, Cover]:
    """The scene under a cover of so much opacity."""
    over = cover(style, strength)
    paint = covered(scene(), [over]).astype(np.float32)
    both = opaque * paint + (1 - opaque) * scene() + 0.5
    return both.astype(np.uint8), over


@pytest.mark.parametrize(
    ("style", "strength"),
    [("mask-face", None), ("mask-head", None), ("mosaic", 5), ("mosaic", 10), ("blur", 0.15)],
)
@pytest.mark.parametrize("quality", [None, 60])
def test_under_an_opaque_cover_nothing_is_seen(
    style: str, strength: float | None, quality: int | None
) -> None:
    over = cover(style, strength)
    redacted = covered(scene(), [over])
    if quality is not None:
        redacted = Jpeg(quality)(redacted)
    assert not is_seen(pair_of(redacted), face())
    assert opacity(pair_of(redacted), face(), over) is None


@pytest.mark.parametrize(
    "change",
    [
        lambda picture: 255 - picture,
        lambda picture: picture // 3,
        lambda picture: picture // 10,
        lambda picture: np.roll(picture, 1, axis=2),
    ],
)
def test_colours_that_can_be_turned_back_hide_nothing(change: Callable[[Image], Image]) -> None:
    assert is_seen(pair_of(under_cover(change)), face())


@pytest.mark.parametrize("part", [slice(0, 90), slice(150, 200)])
def test_a_bar_beside_the_face_hides_nothing(part: slice) -> None:
    redacted = scene()
    redacted[part, 170:280] = 0
    assert is_seen(pair_of(redacted), face())


@pytest.mark.parametrize("opaque", [0.8, 0.9])
@pytest.mark.parametrize(("style", "strength"), [("mosaic", 5), ("blur", 0.2)])
@pytest.mark.parametrize("quality", [None, 85])
def test_cells_and_blurs_that_are_not_opaque_are_told(
    style: str, strength: float, opaque: float, quality: int | None
) -> None:
    redacted, over = mixed(style, strength, opaque)
    if quality is not None:
        redacted = Jpeg(quality)(redacted)
    leak = opacity(pair_of(redacted), face(), over)
    assert leak is not None
    assert leak.kind == "transparent"


def test_a_face_that_is_seen_under_a_cover_without_a_name_decides() -> None:
    picture, faces = crowd()
    redacted = covered(picture, [cover("mask-head", at=at) for at in faces[:2]])
    there = cover("mask-head", at=faces[2]).mask
    redacted[there] = 255 - picture[there]
    outcome = audit_picture(
        file(picture, name="a.png"), file(redacted), faces, [()] * 3, None, StandIn
    )
    assert [face.verdict for face in outcome.audit.faces] == ["not distinguishable from chance"] * 2
    assert len(outcome.unnamed) == 1
    assert outcome.audit.verdict == "exposed"
    assert outcome.audit.summary.startswith("A face is seen through its cover; 1 face was not")
    assert [leak.kind for leak in outcome.audit.leaks] == ["seen", "unknown cover"]


def slipped(frames: Sequence[int]) -> Callable[[int], Image]:
    """A film under black paint that lies beside the face in some frames."""

    def picture(index: int) -> Image:
        if index not in frames:
            return solid(index)
        result = raw(index)
        rows, columns = under(index)
        half = (columns.stop - columns.start) * 7 // 10
        result[rows, columns.start + half : columns.stop + half] = 0
        return result

    return picture


def test_a_cover_that_slips_in_a_film_is_told_with_its_time() -> None:
    outcome, _ = audited(film(stills(slipped([5, 6])), "red.mp4"))
    face, seen = one(outcome)
    assert seen.bare == ()
    assert face.verdict == "exposed"
    (leak,) = [leak for leak in face.leaks if leak.kind == "seen"]
    assert "(2 frames)" in leak.words
    assert "given away by the redacted file itself" in outcome.audit.summary


def test_frames_whose_cover_has_no_name_are_told() -> None:
    def upside_down(index: int) -> Image:
        result = solid(index)
        if index % 2:
            part = under(index)
            result[part] = raw(index)[part][::-1]
        return result

    outcome, _ = audited(film(stills(upside_down), "red.mp4"))
    face, _ = one(outcome)
    assert face.verdict == "partly exposed"
    assert "unknown cover" in [leak.kind for leak in face.leaks]


def test_a_face_of_a_film_that_is_seen_under_a_cover_without_a_name_decides() -> None:
    middle = FRAMES // 2
    (known,) = tracks().tracks

    def part(number: int, first: int, last: int) -> Track:
        boxes = [tight_box(landmarks(index)) for index in (first, last)]
        keys = [
            replace(known.keyframes[0], frame=index, box=box)
            for index, box in zip((first, last), boxes, strict=True)
        ]
        return Track(number, keys)

    def half_inverted(index: int) -> Image:
        if index < middle:
            return solid(index)
        result, there = raw(index), under(index)
        result[there] = 255 - result[there]
        return result

    both = replace(tracks(), tracks=(part(1, 0, middle - 1), part(2, middle, FRAMES - 1)))
    outcome, _ = audited(film(stills(half_inverted), "red.mp4"), known=both)
    assert [face.verdict for face in outcome.audit.faces] == ["not distinguishable from chance"]
    assert len(outcome.unnamed) == 1
    assert outcome.audit.verdict == "exposed"
    assert outcome.audit.summary.startswith("A face is seen through its cover")


@pytest.mark.parametrize(("more", "told"), [(2, []), (4, ["longer"])])
def test_what_comes_after_the_originals_end_is_told(more: int, told: list[str]) -> None:
    frames = stills(solid)
    last, bare = frames[-1], stills(raw)[-1]
    frames += [
        replace(last, index=last.index + n, time=last.time + n / RATE, pixels=bare.pixels)
        for n in range(1, more + 1)
    ]
    outcome, _ = audited(film(frames, "red.mp4"))
    assert [leak.kind for leak in outcome.audit.leaks] == told
