"""The same scenes with other people, other places and other paths: films nothing was tuned on.

The films of seed 0 were looked at while the tracker was made. A figure that is to count comes from
another seed: whose film it is, which way it runs, how large its people are, where the camera stands
and how fast everything goes are drawn from the seed and the scene's name.
"""

from __future__ import annotations

import dataclasses
import zlib
from collections.abc import Sequence
from typing import TypeVar

import numpy as np

from benchmarks.film_scenery import Panel
from benchmarks.film_scenes import SECONDS, Look, Scene
from benchmarks.film_stage import Placed, Shot

T = TypeVar("T")


def of(scene: Scene, seed: int) -> Scene:
    """Return a scene as a seed plays it; seed 0 leaves it alone.

    Mirrored or not, backwards or not, started up to a tenth later and at 0.9 to 1.2 times its
    speed, its people 0.85 to 1.2 times as large, in other streets. A moment after the end
    is its end's mirror image in time, so that nothing jumps.
    """
    if seed == 0:
        return scene
    rng = _rng(scene, seed)
    mirrored, backwards = rng.random() < 0.5, rng.random() < 0.5
    begun, pace = rng.uniform(0, SECONDS / 10), rng.uniform(0.9, 1.2)
    size, street = rng.uniform(0.85, 1.2), int(rng.integers(1, 1000)) * 100

    def look(t: float) -> Look:
        moment = begun + pace * (SECONDS - t if backwards else t)
        moment = min(moment, 2 * SECONDS - moment)
        return tuple(
            (weight, _shot(shot, scene.width, mirrored, size, street))
            for weight, shot in scene.look(max(moment, 0.0))
        )

    return dataclasses.replace(scene, look=look)


def cast(people: Sequence[T], scene: Scene, seed: int) -> tuple[T, ...]:
    """Return who plays a scene, in the order of its faces; seed 0 leaves the order alone."""
    if seed == 0:
        return tuple(people)
    order = _rng(scene, seed + 1_000_000).permutation(len(people))
    return tuple(people[index] for index in order)


def _rng(scene: Scene, seed: int) -> np.random.Generator:
    return np.random.default_rng([seed, zlib.crc32(scene.name.encode())])


def _shot(shot: Shot, width: int, mirrored: bool, size: float, street: int) -> Shot:
    people = tuple(_placed(each, width, mirrored, size) for each in shot.people)
    panels = tuple(_panel(each, width, mirrored) for each in shot.panels)
    across, down = shot.pan
    return Shot(shot.scenery + street, (-across if mirrored else across, down), people, panels)


def _placed(each: Placed, width: int, mirrored: bool, size: float) -> Placed:
    if mirrored:
        each = dataclasses.replace(each, x=width - each.x, angle=-each.angle)
    return dataclasses.replace(each, width=each.width * size)


def _panel(each: Panel, width: int, mirrored: bool) -> Panel:
    return dataclasses.replace(each, x=width - each.x) if mirrored else each
