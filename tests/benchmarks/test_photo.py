"""The large photo of ten faces, and the clock that is held against it."""

from __future__ import annotations

import time

import numpy as np
import pytest

from benchmarks import photo
from seethrough.geometry import template, tight_box
from seethrough.types import Face, Image


@pytest.fixture
def person(rng: np.random.Generator) -> tuple[Image, Face]:
    """A portrait of noise in one colour, and where its face would be."""
    pixels = np.full((600, 500, 3), (200, 40, 90), np.uint8)
    pixels[np.arange(600) // 40 % 2 == 0] -= 30
    points = template(128) * 2.5 + (90, 120)
    return pixels, Face(tight_box(points), points, 1.0)


def test_heads_lie_where_their_faces_are_said_to_be(
    person: tuple[Image, Face], monkeypatch: pytest.MonkeyPatch, rng: np.random.Generator
) -> None:
    def plain(rng: np.random.Generator) -> Image:
        return np.full((photo.HEIGHT, photo.WIDTH, 3), 128, np.uint8)

    monkeypatch.setattr(photo, "backdrop", plain)
    made, faces = photo.group_photo([person], rng)
    assert made.shape == (photo.HEIGHT, photo.WIDTH, 3)
    assert sorted(round(face.box.width) for face in faces) == list(photo.FACE_WIDTHS)
    for face in faces:
        x0, y0, x1, y1 = (round(v) for v in face.box.as_tuple())
        inside = made[y0 + 5 : y1 - 5, x0 + 5 : x1 - 5].reshape(-1, 3).mean(0)
        np.testing.assert_allclose(inside, (185, 25, 75), atol=9)
    covered = photo.covered_photo(made, faces, rng)
    changed = (covered != made).any(axis=2)
    for face in faces:
        x0, y0, x1, y1 = (round(v) for v in face.box.as_tuple())
        assert changed[y0:y1, x0:x1].any()
        changed[y0:y1, x0:x1] = False
    assert not changed.any()


def test_a_mirrored_face_keeps_its_order(person: tuple[Image, Face]) -> None:
    pixels, face = person
    flipped, other = photo.mirrored(pixels, face)
    assert (other.landmarks[0, 0] < other.landmarks[1, 0]) & (
        other.landmarks[3, 0] < other.landmarks[4, 0]
    )
    again = photo.mirrored(flipped, other)
    np.testing.assert_array_equal(again[0], pixels)
    np.testing.assert_allclose(again[1].landmarks, face.landmarks)


def test_the_backdrop_has_texture(rng: np.random.Generator) -> None:
    wall = photo.backdrop(rng, 300, 200)
    assert wall.shape == (200, 300, 3)
    assert 10 < wall.std() < 90


def test_tasks_take_turns_and_their_processor_time_is_taken() -> None:
    order = []

    def busy() -> None:
        order.append("busy")
        start = time.process_time()
        while time.process_time() - start < 0.02:
            pass

    def idle() -> None:
        order.append("idle")
        time.sleep(0.02)

    worked, slept = photo.processor_seconds([busy, idle], 2)
    assert order == ["busy", "idle"] * 2
    assert worked >= 0.02 > slept
