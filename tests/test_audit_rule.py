"""The rule: attackers see the original, degraded again, and nothing from under anybody's cover."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import cv2
import numpy as np

from seethrough.auditor.picture import Outcome, Style, audit_picture
from seethrough.auditor.types import Case
from seethrough.pipeline.audit_report import AuditRecord, AuditReport
from seethrough.types import Image
from tests.audit_scene import StandIn, cover, covered, face, file, scene


def attacked(
    picture: Image, style: Style | None = None, **options: Any
) -> tuple[Outcome, list[Case]]:
    """The outcome of an audit of the scene against this redaction, and what attackers met."""
    engine = StandIn()
    redacted = file(picture, **options)
    outcome = audit_picture(
        file(scene(), name="original.png"), redacted, [face()], [()], style, lambda: engine
    )
    return outcome, engine.cases


def somebody_else(picture: Image) -> Image:
    """Another face where the scene's is: mirrored, in other colours."""
    x0, y0, x1, y1 = (round(edge) for edge in face().box.as_tuple())
    other = picture.copy()
    part = picture[y0 - 30 : y1 + 30, x0 - 30 : x1 + 30]
    other[y0 - 30 : y1 + 30, x0 - 30 : x1 + 30] = 255 - part[::-1, ::-1, ::-1] // 2
    return other


def content_changed(style: str, strength: float | None) -> tuple[Image, Image]:
    """Two redactions of the scene by one cover, over different content."""
    over = cover(style, strength, pixels=True)
    honest = covered(scene(), [over])
    other = honest.copy()
    other[over.mask] = covered(somebody_else(scene()), [over])[over.mask]
    assert (honest != other)[over.mask].any()
    return honest, other


def test_pixels_under_a_mosaic_change_no_score() -> None:
    honest, other = content_changed("mosaic", 9)
    (first, cases), (second, again) = attacked(honest), attacked(other)
    same_score(first, second)
    for a, b in zip(cases, again, strict=True):
        same_case(a, b)


def test_compressed_pixels_under_a_mosaic_move_its_border_by_a_pixel_at_most() -> None:
    honest, other = content_changed("mosaic", 9)
    (_, cases), (_, again) = (
        attacked(picture, kind="JPEG", quality=90) for picture in (honest, other)
    )
    for a, b in zip(cases, again, strict=True):
        assert (a.operator.size, a.operator.phase) == (b.operator.size, b.operator.phase)
        assert (a.covered != b.covered).mean() < 0.04
        assert (a.probe != b.probe).any(axis=2).mean() < 0.04


def test_pixels_under_a_blur_change_no_score() -> None:
    honest, other = content_changed("blur", 6)
    style = Style("blur", (6.0, True))
    (first, cases), (second, again) = attacked(honest, style), attacked(other, style)
    same_score(first, second)
    for a, b in zip(cases, again, strict=True):
        same_case(a, b)


def test_the_colour_of_paint_changes_no_score() -> None:
    over = cover("mask-face")
    black, blue = covered(scene(), [over]), covered(scene(), [over])
    blue[over.mask] = (40, 60, 200)
    (first, cases), (second, again) = attacked(black), attacked(blue)
    same_score(first, second)
    for a, b in zip(cases, again, strict=True):
        # Where hair is as black as the paint, paint does not show: its outline is a little larger.
        assert (a.probe != b.probe).any(axis=2).mean() < 0.05
        assert a.operator.kind == b.operator.kind == "solid"


def test_what_lies_under_a_cover_is_never_shown() -> None:
    """A secret under the cover, as somebody else's picture holds one, reaches no attacker."""
    over = cover("mosaic", 9, pixels=True)
    honest = covered(scene(), [over])
    secret = honest.copy()
    secret[over.mask] = np.where((secret[over.mask] > 120), 250, 5)
    outcome, cases = attacked(secret, Style("mosaic", (9.0, True)))
    plain, expected = attacked(honest, Style("mosaic", (9.0, True)))
    for a, b in zip(cases, expected, strict=True):
        same_case(a, b)
    same_score(outcome, plain)
    for sight, other in zip(
        outcome.audit.faces[0].sights, plain.audit.faces[0].sights, strict=True
    ):
        np.testing.assert_array_equal(sight.picture, other.picture)


def test_no_descriptor_leaves_the_program() -> None:
    outcome, _ = attacked(covered(scene(), [cover("mosaic", 9, pixels=True)]))
    record = AuditRecord(
        path=__file__,
        output=None,
        status="done",
        audit=outcome.audit,  # type: ignore[arg-type]
    )
    document = AuditReport("audit", (record,)).as_dict()
    longest = max(len(found) for found in arrays(json.loads(json.dumps(document))))
    assert longest <= 5  # landmarks


def arrays(value: Any) -> Iterator[list[Any]]:
    """Every array of numbers in a JSON document."""
    if isinstance(value, list):
        if value and not isinstance(value[0], dict):
            yield value
        for each in value:
            yield from arrays(each)
    elif isinstance(value, dict):
        for each in value.values():
            yield from arrays(each)


def same_score(first: Outcome, second: Outcome) -> None:
    (a,), (b,) = first.audit.faces, second.audit.faces
    assert a.readings == b.readings
    assert a.readings
    assert (a.verdict, a.strongest, a.advice) == (b.verdict, b.strongest, b.advice)


def same_case(a: Case, b: Case) -> None:
    np.testing.assert_array_equal(a.probe, b.probe)
    np.testing.assert_array_equal(a.covered, b.covered)
    assert a.operator.kind == b.operator.kind
    assert a.operator.size == b.operator.size
    assert a.operator.phase == b.operator.phase
    noise = np.random.default_rng(3).integers(0, 256, (16, 16, 3), np.uint8)
    crop = np.asarray(cv2.resize(noise, (128, 128)), np.uint8)
    np.testing.assert_array_equal(a.cover(crop), b.cover(crop))
