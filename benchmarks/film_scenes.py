"""Films with exact truth: ten seconds each of people in front of, and behind, generated scenery."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from typing import TypeAlias

import numpy as np

from benchmarks.film_scenery import Panel
from benchmarks.film_stage import Placed, Shot

Look: TypeAlias = tuple[tuple[float, Shot], ...]
"""Shots of one moment and their weights; what is missing to 1 is black."""

SECONDS = 10.0


@dataclass(frozen=True, slots=True)
class Scene:
    """One film.

    Attributes
    ----------
    name : str
        Its file's name.
    shows : str
        In words.
    look : callable
        Time in seconds to what is seen.
    width, height : int
    rate : Fraction
        Frames per second; of the ticks where ``uneven``.
    shutter : float
        Share of a frame's time that it is exposed for; 0 for no motion blur.
    uneven : bool
        A variable frame rate: each frame lasts one to three ticks.
    crf : int
        x264's constant rate factor.
    """

    name: str
    shows: str
    look: Callable[[float], Look]
    width: int = 1280
    height: int = 720
    rate: Fraction = Fraction(25)
    shutter: float = 0.0
    uneven: bool = False
    crf: int = 20

    def ticks(self) -> tuple[int, ...]:
        """Return when each frame begins, in ticks of ``1 / rate`` seconds."""
        total = int(SECONDS * self.rate)
        if not self.uneven:
            return tuple(range(total))
        rng = np.random.default_rng(len(self.name))
        starts = np.concatenate([[0], np.cumsum(rng.integers(1, 4, total))])
        return tuple(int(start) for start in starts if start < total)


def _wave(t: float, period: float, phase: float = 0.0) -> float:
    return math.sin(2 * math.pi * (t / period + phase))


def _sway(t: float, phase: float) -> tuple[float, float]:
    """How much a person who stands moves, in face widths."""
    return (
        0.12 * _wave(t, 3.1, phase) + 0.05 * _wave(t, 1.3, phase),
        0.06 * _wave(t, 2.3, phase) + 0.03 * _wave(t, 0.9, phase),
    )


def _standing(
    t: float, face: int, x: float, y: float, width: float, angle: float = 0.0, depth: float = 1.0
) -> Placed:
    dx, dy = _sway(t, 0.13 * face)
    return Placed(face, x + dx * width, y + dy * width, width, angle, depth)


def _one(shot: Shot) -> Look:
    return ((1.0, shot),)


def walk(t: float) -> Look:
    """Three people walk at several speeds, the camera pans along."""
    people = (
        Placed(0, 250 + 70 * t, 330 + 6 * _wave(t, 0.6), 95, 3 * _wave(t, 1.2), 0.8),
        Placed(1, 1080 - 55 * t, 300 + 5 * _wave(t, 0.7), 78, 2 * _wave(t, 1.4), 0.9),
        Placed(2, 640 + 260 * _wave(t, 8), 270 + 4 * _wave(t, 0.5), 55, 4 * _wave(t, 1.0), 1.0),
    )
    return _one(Shot(1, (-0.8 + 0.16 * t, 0.1 * _wave(t, 5)), people))


def scale(t: float) -> Look:
    """One comes near from 24 to 300 px and goes back, one the other way round."""
    share = (1 - math.cos(2 * math.pi * t / SECONDS)) / 2
    near, far = 24 * (300 / 24) ** share, 24 * (300 / 24) ** (1 - share)
    people = (
        _standing(t, 3, 430, 340 + 30 * share, near, depth=1 / near),
        _standing(t, 4, 900, 370 - 30 * share, far, depth=1 / far),
    )
    return _one(Shot(2, (0.3 * _wave(t, 10), 0.0), people))


def turn(t: float) -> Look:
    """One turns to 180 degrees in the plane and back, one sways by 60."""
    angle = 180 * (1 - math.cos(2 * math.pi * t / SECONDS)) / 2
    people = (
        _standing(t, 5, 400, 350, 150, angle),
        _standing(t, 6, 900, 340, 120, 60 * _wave(t, 5)),
    )
    return _one(Shot(3, (0.2 * _wave(t, 9), 0.1), people))


def leave(t: float) -> Look:
    """People leave the picture at the left, right and lower border, and return."""
    people = (
        Placed(7, 300 + 520 * _wave(t, 5, 0.3), 300, 110, 4 * _wave(t, 1.1), 0.7),
        Placed(0, 1000 - 480 * _wave(t, 6.5, 0.6), 260, 80, 3 * _wave(t, 1.3), 0.9),
        Placed(1, 660, 500 + 420 * _wave(t, 7, 0.5), 130, 0, 0.6),
    )
    return _one(Shot(4, (0.4 * _wave(t, 11), 0.2 * _wave(t, 7)), people))


def cross(t: float) -> Look:
    """Two cross twice, one hiding the other, in front of a third."""
    share = _wave(t, 10, -0.25)
    people = (
        Placed(2, 640 + 420 * share, 330 + 5 * _wave(t, 0.6), 130, 3 * _wave(t, 1.2), 0.5),
        Placed(3, 640 - 400 * share, 300 + 4 * _wave(t, 0.7), 105, 3 * _wave(t, 1.4), 0.7),
        _standing(t, 4, 640, 250, 60, depth=1.0),
    )
    return _one(Shot(5, (0.3 * _wave(t, 12), 0.0), people))


def behind(t: float) -> Look:
    """People pass behind pillars, a post and a low wall, and wait behind a pillar."""
    there = 640 - 430 * math.cos(2 * math.pi * t / SECONDS)
    people = (
        Placed(5, there, 300 + 5 * _wave(t, 0.6), 90, 3 * _wave(t, 1.2), 1.0),
        Placed(6, 1150 - 110 * t, 350 + 4 * _wave(t, 0.7), 120, 2 * _wave(t, 1.3), 0.9),
        Placed(7, 330, 360 + 130 * _wave(t, 4), 70, 0, 1.1),
    )
    x = 30 * _wave(t, 9)
    panels = (
        Panel(470 - x, 360, 150, 760, 0.5, 1),
        Panel(800 - x, 360, 40, 760, 0.5, 2),
        Panel(960 - x, 360, 220, 760, 0.4, 3),
        Panel(300 - x, 570, 330, 340, 0.95, 4),
    )
    return _one(Shot(6, (0.12 * _wave(t, 9), 0.0), people, panels))


def rush(t: float) -> Look:
    """Fast motion, exposed for the whole time of a frame."""
    people = (
        Placed(
            0, 640 + 480 * _wave(t, 2.5), 280 + 90 * _wave(t, 1.7), 110, 12 * _wave(t, 1.1), 0.7
        ),
        Placed(
            1, 640 - 430 * _wave(t, 3.1, 0.1), 430 + 60 * _wave(t, 0.9), 90, 8 * _wave(t, 2), 0.8
        ),
    )
    return _one(Shot(7, (0.6 * _wave(t, 4), 0.3 * _wave(t, 3)), people))


def cuts(t: float) -> Look:
    """From black, a hard cut, a dissolve, another hard cut, and to black."""
    first = Shot(8, (0.1 * t, 0.0), (_standing(t, 2, 400, 320, 120), _standing(t, 3, 880, 300, 90)))
    second = Shot(
        9, (-0.1 * t, 0.0), (_standing(t, 4, 760, 360, 160), _standing(t, 5, 300, 280, 70))
    )
    third = Shot(
        10, (0.0, 0.05 * t), (_standing(t, 6, 520, 300, 100), _standing(t, 7, 980, 380, 130))
    )
    if t < 1:
        return ((t, first),)
    if t < 3.5:
        return _one(first)
    if t < 5.5:
        return _one(second)
    if t < 6.5:
        return (6.5 - t, second), (t - 5.5, third)
    if t < 8:
        return _one(third)
    return ((min(1.0, (10 - t) / 1.0), first),)


def crowd(t: float) -> Look:
    """Six small faces, 24 to 44 px wide, milling about."""
    people = tuple(
        Placed(
            face,
            170 + 190 * face + 80 * _wave(t, 6 + 0.7 * face, 0.2 * face),
            250 + 60 * (face % 2) + 12 * _wave(t, 4, 0.3 * face),
            24 + 4 * face,
            5 * _wave(t, 2, 0.1 * face),
            1.0 - 0.1 * face,
        )
        for face in range(6)
    )
    return _one(Shot(11, (0.5 * _wave(t, 10), 0.0), people))


def handheld(t: float) -> Look:
    """An upright film from a shaking hand, in which one person talks and one passes."""
    x, y = 25 * _wave(t, 0.8) + 15 * _wave(t, 0.37), 22 * _wave(t, 0.61) + 10 * _wave(t, 0.29)
    people = (
        _standing(t, 6, 330 + x, 520 + y, 210, 6 * _wave(t, 2.2), 0.5),
        Placed(7, -120 + 110 * t + x, 430 + y, 90, 2 * _wave(t, 1.2), 0.9),
    )
    return _one(Shot(12, (x / 200, y / 200), people))


def poor(t: float) -> Look:
    """Few frames a second, small, and heavily compressed."""
    people = (
        Placed(1, 320 + 190 * _wave(t, 6), 220 + 20 * _wave(t, 2), 60, 6 * _wave(t, 1.7), 0.7),
        Placed(3, 320 - 210 * _wave(t, 7, 0.1), 190, 42, 0, 0.9),
        _standing(t, 5, 500, 180, 32, depth=1.0),
    )
    return _one(Shot(13, (0.3 * _wave(t, 8), 0.0), people))


SCENES: tuple[Scene, ...] = (
    Scene("walk", "moving", walk),
    Scene("scale", "24 to 300 px", scale, rate=Fraction(30)),
    Scene("turn", "in-plane turning to 180 degrees", turn),
    Scene("leave", "leaving and returning", leave, rate=Fraction(30000, 1001)),
    Scene("cross", "crossing", cross),
    Scene("behind", "passing behind objects", behind),
    Scene("rush", "motion blur", rush, shutter=1.0),
    Scene("cuts", "hard cuts, a dissolve, fades", cuts, rate=Fraction(24000, 1001)),
    Scene("crowd", "six faces of 24 to 44 px", crowd),
    Scene(
        "handheld", "upright, shaking, variable rate", handheld, 720, 1280, Fraction(60), 0.5, True
    ),
    Scene("poor", "CRF 34, 15 a second", poor, 640, 480, Fraction(15), 0.5, crf=34),
)
