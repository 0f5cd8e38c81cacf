"""Films with exact truth: what is painted lies where the truth says, and what hides it counts."""

from __future__ import annotations

import math
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from benchmarks import film_coverage, film_scenes, film_stage, film_tools, film_truth
from benchmarks.film_people import OVAL_CENTRE, OVAL_HALF_AXES, Person
from benchmarks.film_scenery import Panel, street
from benchmarks.film_scenes import Scene
from benchmarks.film_stage import Placed, Shot
from seethrough.geometry import template

SIZE = (320, 180)


@pytest.fixture(scope="module")
def person() -> Person:
    """A head of one bright colour, exactly as large as its oval."""
    y, x = np.mgrid[:400, :400]
    unit = 2.5
    centre = np.array([200.0, 210.0])
    a, b = np.array(OVAL_HALF_AXES) * unit
    inside = ((x - centre[0]) / a) ** 2 + ((y - centre[1]) / b) ** 2 <= 1
    pixels = np.zeros((400, 400, 3), np.uint8)
    pixels[...] = (255, 0, 255)
    landmarks = (template(128) - OVAL_CENTRE) * unit + centre
    return Person.of(pixels, inside.astype(np.float32), landmarks)


def magenta(frame: np.ndarray) -> np.ndarray:
    r, g, b = (frame[..., i].astype(int) for i in range(3))
    return (r > 170) & (b > 170) & (g < 100)


@pytest.mark.parametrize("angle", [0.0, 40.0, 180.0])
@pytest.mark.parametrize("mirrored", [False, True])
def test_the_truth_lies_where_the_head_is_painted(
    person: Person, angle: float, mirrored: bool
) -> None:
    cast = [person.mirrored() if mirrored else person]
    shot = Shot(1, (0.0, 0.0), (Placed(0, 150.0, 90.0, 60.0, angle),))
    painted = magenta(film_stage.paint(shot, cast, *SIZE))
    (face,) = film_stage.seen(shot, cast, *SIZE)
    truth = np.zeros(painted.shape, bool)
    truth[face.y0 : face.y0 + face.mask.shape[0], face.x0 : face.x0 + face.mask.shape[1]] |= (
        face.mask
    )
    assert truth.sum() == pytest.approx(math.pi * 30 * 30 * 44 / 36, rel=0.01)
    assert face.share == pytest.approx(1, abs=0.01)
    assert (painted ^ truth).sum() < 0.06 * truth.sum()  # a soft rim


def test_what_is_in_front_hides_a_face_and_the_frame_cuts_it(person: Person) -> None:
    near, far = Placed(0, 100, 90, 40, depth=0.5), Placed(1, 118, 90, 40, depth=0.9)
    cast = [person, person]
    found = {f.face: f for f in film_stage.seen(Shot(1, (0, 0), (far, near)), cast, *SIZE)}
    assert found[0].share == pytest.approx(1, abs=0.02)
    assert 0.3 < found[1].share < 0.6
    pillar = Panel(118, 90, 200, 200, 0.1)
    assert not film_stage.seen(Shot(1, (0, 0), (far, near), (pillar,)), cast, *SIZE)
    (half,) = film_stage.seen(Shot(1, (0, 0), (Placed(0, 0, 90, 40),)), cast, *SIZE)
    assert half.share == pytest.approx(0.5, abs=0.03)
    assert not film_stage.seen(Shot(1, (0, 0), (Placed(0, -60, 90, 40),)), cast, *SIZE)


def test_a_film_is_made_once_and_its_truth_is_read_back(person: Person, cache: Path) -> None:
    def look(t: float) -> film_scenes.Look:
        return ((1.0, Shot(1, (0.0, 0.0), (Placed(0, 60 + 4 * t, 60, 40),))),)

    scene = Scene("tiny", "a test", look, 160, 120, Fraction(3), shutter=0.5, uneven=True)
    film = film_truth.film(scene, [person])
    assert film.frames == len(scene.ticks()) == film_tools.frame_count(film.path)
    assert len({b - a for a, b in zip(scene.ticks(), scene.ticks()[1:], strict=False)}) > 1
    made = film.path.stat().st_mtime_ns
    again = film_truth.film(scene, [person])
    assert again.path.stat().st_mtime_ns == made
    for tick, faces in zip(scene.ticks(), again.truth, strict=True):
        (face,) = faces
        expected = film_stage.seen(look(float(tick / scene.rate))[0][1], [person], 160, 120)[0]
        np.testing.assert_array_equal(face.mask, expected.mask)
        assert face.ellipse == pytest.approx(expected.ellipse)
    pictures = list(film_tools.frames(film.path))
    (face, frame) = film.truth[0][0], pictures[0]
    part = frame[face.y0 : face.y0 + face.mask.shape[0], face.x0 : face.x0 + face.mask.shape[1]]
    assert magenta(part)[face.mask].mean() > 0.8  # encoded in half as many samples of colour


def test_fades_and_dissolves_count_by_weight(person: Person) -> None:
    shot = Shot(1, (0, 0), (Placed(0, 80, 90, 40),))
    assert film_truth.faces(((0.3, shot),), [person], *SIZE)
    assert not film_truth.faces(((0.2, shot),), [person], *SIZE)


def test_coverage_counts_pixels_frames_and_spans(person: Person) -> None:
    shot = Shot(1, (0, 0), (Placed(0, 80, 90, 40), Placed(1, 220, 90, 40)))
    cast = [person, person]
    truth = film_stage.seen(shot, cast, *SIZE)
    original = film_stage.paint(shot, cast, *SIZE)

    def covering(*boxes: tuple[int, int]) -> np.ndarray:
        frame = original.copy()
        for x0, x1 in boxes:
            frame[:, x0:x1] = 8
        return frame

    both, left, half = covering((50, 110), (190, 250)), covering((50, 110)), covering((50, 80))
    outputs = [both, left, left, both, half, both]
    pairs = [(original, output) for output in outputs]
    found = film_coverage.measure(pairs, [truth] * len(outputs))
    assert (found.face_frames, found.covered) == (12, 12 - 2 - 2)
    assert sorted(found.spans) == [(0, 4, 4), (1, 1, 2), (1, 4, 4)]
    assert (found.long_spans, found.longest) == (1, 2)
    assert found.bare in (3, 4)  # a half of face 0 is near the line
    two = film_coverage.joined([found, found])
    assert two.share == found.share
    assert two.long_spans == 2
    with pytest.raises(ValueError, match="argument"):
        film_coverage.measure(pairs[:-1], [truth] * len(outputs))


def test_every_scene_can_be_looked_at(person: Person) -> None:
    assert len({scene.name for scene in film_scenes.SCENES}) == len(film_scenes.SCENES)
    for scene in film_scenes.SCENES:
        for t in (0.0, 5.0, film_scenes.SECONDS - 0.01):
            for weight, shot in scene.look(t):
                assert 0 <= weight <= 1
                assert all(0 <= placed.face < 8 for placed in shot.people)
                assert all(abs(pan) <= 1 for pan in shot.pan)
    assert street(1, 64, 36).shape == (54, 96, 3)
