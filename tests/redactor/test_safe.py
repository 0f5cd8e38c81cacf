"""The safe styles: no pixel under a cover has a part in what comes out."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest

from seethrough.redactor import SAFE, Coverer, StillPicture, Style
from seethrough.redactor.blanked import Blanked
from seethrough.redactor.coverer import MEMORY
from seethrough.types import Image
from seethrough.video.frame import Frame
from tests.redactor.scene import Seen, covered, face, paint, under

SHAPE = (180, 240)
CROWDS = {
    "one": [face(120, 90, 40)],
    "turned": [face(120, 90, 36, 90), face(50, 60, 20, 180, 2)],
    "overlapping": [face(100, 90, 40), face(130, 95, 44, track=2), face(112, 60, 12, track=3)],
    "beside": [face(70, 90, 34), face(142, 90, 34, track=2)],
    "cut by the border": [face(5, 20, 40), face(239, 179, 30, track=2)],
    "tiny": [face(60, 60, 2), face(67, 60, 3, track=2)],
    "filling the frame": [face(120, 90, 150)],
    "box alone": [Seen(face(120, 90, 40).box)],
    "outside": [face(120, 90, 30), face(400, 90, 30, track=2)],
}
STYLES = sorted(SAFE)


@pytest.fixture
def picture(rng: np.random.Generator) -> Image:
    coarse = rng.integers(0, 256, (18, 24, 3), np.uint8)
    noise = rng.integers(-20, 20, (*SHAPE, 3))
    return np.clip(coarse.repeat(10, 0).repeat(10, 1) + noise, 0, 255).astype(np.uint8)


@pytest.mark.parametrize("crowd", CROWDS)
@pytest.mark.parametrize("style", STYLES)
def test_pixels_under_covers_have_no_part(
    style: str, crowd: str, picture: Image, rng: np.random.Generator
) -> None:
    seen, chosen = CROWDS[crowd], Style(style)
    mask = under(SHAPE, seen, chosen)
    other = picture.copy()
    other[mask] = rng.integers(0, 256, (int(mask.sum()), 3), np.uint8)
    assert (other != picture).any()
    one, two = (covered(p, seen, chosen) for p in (picture, other))
    assert np.array_equal(one, two)
    assert (one != picture)[mask].mean() > 0.5


@pytest.mark.parametrize("crowd", CROWDS)
@pytest.mark.parametrize("style", STYLES)
def test_pixels_under_covers_have_no_part_in_a_films_samples(
    style: str, crowd: str, picture: Image, rng: np.random.Generator
) -> None:
    seen, chosen = CROWDS[crowd], Style(style)
    coverer = Coverer(chosen, SHAPE, threads=1)
    other = picture.copy()
    mask = under(SHAPE, seen, chosen)
    other[mask] = rng.integers(0, 256, (int(mask.sum()), 3), np.uint8)
    frames = []
    for source in (picture, other):
        # Colour is stored for four pixels together, those beside the cover included.
        frame = Frame.of_picture(source)
        for patch in coverer.patches(frame, seen):
            frame.paint(patch)
        frames.append(frame.picture())
        coverer = Coverer(chosen, SHAPE, threads=1)
    assert np.array_equal(*frames)


@pytest.mark.parametrize("style", STYLES)
def test_everything_else_stays(style: str, picture: Image) -> None:
    seen = [face(120, 90, 30)]
    result = covered(picture, seen, Style(style))
    changed = (result != picture).any(axis=2)
    assert not changed[:, :40].any()
    assert style == "silhouette" or not changed[-20:].any()


def test_soft_blur_has_no_edge(rng: np.random.Generator) -> None:
    picture = np.full((*SHAPE, 3), 200, np.uint8)
    result = covered(picture, [face(120, 90, 40)], Style("safe-blur")).astype(int)
    assert np.abs(np.diff(result, axis=0)).max() <= 16
    assert np.abs(np.diff(result, axis=1)).max() <= 16
    assert np.ptp(result) > 40  # and yet it shows that there is a head


def test_soft_blur_does_not_flicker(picture: Image, rng: np.random.Generator) -> None:
    seen = [face(120, 90, 40)]
    coverer = Coverer(Style("safe-blur"), SHAPE, threads=1)
    mask = under(SHAPE, seen, Style("safe-blur"))
    frames = []
    for _ in range(8):
        noisy = np.clip(picture + rng.integers(-30, 30, picture.shape), 0, 255).astype(np.uint8)
        frames.append(paint(noisy, coverer.patches(StillPicture(noisy), seen))[mask])
    steps = np.abs(np.diff(np.stack(frames).astype(int), axis=0)).mean()
    assert steps < 1


def test_soft_blur_follows_a_new_light_slowly_and_a_new_track_at_once() -> None:
    dark, bright = (np.full((*SHAPE, 3), level, np.uint8) for level in (40, 220))
    style = Style("safe-blur")
    coverer = Coverer(style, SHAPE, threads=1)
    mask = under(SHAPE, [face(120, 90, 40)], style)

    def level(picture: Image, track: int) -> float:
        seen = [face(120, 90, 40, track=track)]
        return float(paint(picture, coverer.patches(StillPicture(picture), seen))[mask].mean())

    start = level(dark, 1)
    slow, new = level(bright, 1), level(bright, 2)
    fresh = float(covered(bright, [face(120, 90, 40)], style)[mask].mean())
    assert start < slow < new == fresh


def test_a_film_goes_on_as_if_never_interrupted(rng: np.random.Generator) -> None:
    style = Style("safe-blur")
    films = [
        (StillPicture(rng.integers(0, 256, (*SHAPE, 3), np.uint8)), [face(100 + i, 90, 30)])
        for i in range(MEMORY + 6)
    ]
    whole = Coverer(style, SHAPE, threads=1)
    for source, seen in films:
        expected = whole.patches(source, seen)
    again = Coverer(style, SHAPE, threads=1)
    for source, seen in films[-MEMORY:-1]:
        again.remember(source, seen)
    found = again.patches(*films[-1])
    assert len(found) == len(expected) == 1
    assert np.array_equal(found[0].pixels, expected[0].pixels)


def test_the_unsafe_styles_do_read_the_face(picture: Image, rng: np.random.Generator) -> None:
    """The test above can fail."""
    seen = [face(120, 90, 40)]
    mask = under(SHAPE, seen, Style("blur"))
    other = picture.copy()
    other[mask] = rng.integers(0, 256, (int(mask.sum()), 3), np.uint8)
    for name in ("blur", "mosaic"):
        one, two = (covered(p, seen, Style(name)) for p in (picture, other))
        assert not np.array_equal(one, two)


@pytest.mark.parametrize("aspect", [1.0, 4 / 3])
@pytest.mark.parametrize("style", STYLES)
def test_pixels_under_covers_have_no_part_in_large_frames(
    style: str, aspect: float, rng: np.random.Generator
) -> None:
    """Large ones are reduced for the segmenter: covers must not bleed into what remains."""
    shape, chosen = (613, 1051), Style(style)
    seen = [face(301.3, 250.7, 90), face(800, 300, 61, 40, track=2), face(640, 90, 9, track=3)]
    coverer = Coverer(chosen, shape, aspect, threads=1)
    mask = np.zeros(shape, np.bool_)
    for region in coverer.regions(seen):
        mask[region.y0 : region.y1, region.x0 : region.x1] |= region.mask
    picture = rng.integers(0, 256, (*shape, 3), np.uint8)
    painted = []
    for _ in range(2):
        picture[mask] = rng.integers(0, 256, (int(mask.sum()), 3), np.uint8)
        frame = Frame.of_picture(picture)
        frame.sample_aspect = Fraction(aspect).limit_denominator(9)
        for patch in Coverer(chosen, shape, aspect, threads=1).patches(frame, seen):
            frame.paint(patch)
        painted.append(frame.picture())
    assert np.array_equal(*painted)


@pytest.mark.parametrize("side", [100, 333, 512])
def test_reduced_copy_holds_nothing_of_a_cover(side: int, rng: np.random.Generator) -> None:
    shape = (613, 1051)
    regions = Coverer(Style(), shape, threads=1).regions([face(301.3, 250.7, 90)])
    picture = np.zeros((*shape, 3), np.uint8)
    for region in regions:
        part = picture[region.y0 : region.y1, region.x0 : region.x1]
        part[region.mask] = 255
    pixels, withheld, _ = Blanked(StillPicture(picture), regions).reduced(side, (7, 7, 7))
    assert (pixels[withheld] == 7).all()
    assert (pixels[~withheld] == 0).all()
    share = under(shape, [face(301.3, 250.7, 90)], Style()).mean()
    assert share < withheld.mean() < 2 * share + 0.05
