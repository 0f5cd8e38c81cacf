"""Does verification find what is left, and nothing where nothing is?"""

from __future__ import annotations

import io
from fractions import Fraction

import cv2
import numpy as np
import PIL.Image
import pytest
import skimage.data

from seethrough.errors import UsageError
from seethrough.redactor import SAFE, STYLES, StillPicture, Style, Verifier, verify_picture
from seethrough.redactor.second_detector import SecondDetector
from seethrough.redactor.structure import correlation, shows_through
from seethrough.types import Box, Image
from seethrough.video import still_through_h264
from tests.redactor.scene import Seen, covered, face, under

COLLINS = face(224, 110, 94)
SHAPE = (400, 400)


@pytest.fixture(scope="module")
def astronaut() -> Image:
    return np.ascontiguousarray(skimage.data.astronaut()[: SHAPE[0], : SHAPE[1]])


def whats(original: Image, output: Image, style: Style, seen: Seen = COLLINS) -> list[str]:
    found = verify_picture(original, output, [seen], style, threads=1)
    assert all(f.track == seen.track and f.box == seen.box and f.words for f in found)
    return [f.what for f in found]


def jpeg(picture: Image, quality: int) -> Image:
    file = io.BytesIO()
    PIL.Image.fromarray(picture).save(file, "JPEG", quality=quality)
    return np.asarray(PIL.Image.open(file).convert("RGB"))


@pytest.mark.parametrize("style", STYLES)
def test_what_was_covered_passes_lossless_and_encoded(style: str, astronaut: Image) -> None:
    chosen = Style(style)
    output = covered(astronaut, [COLLINS], chosen)
    assert whats(astronaut, output, chosen) == []
    assert whats(astronaut, jpeg(output, 80), chosen) == []
    assert whats(astronaut, still_through_h264(output, 30, "veryfast"), chosen) == []


@pytest.mark.parametrize("style", sorted(SAFE))
def test_bare_face_is_found_in_every_way(style: str, astronaut: Image) -> None:
    found = whats(astronaut, jpeg(astronaut, 80), Style(style))
    assert found == ["bare", "structure", "face"]


@pytest.mark.parametrize("style", ["eye-bar", "mosaic", "blur"])
def test_bare_face_is_found_for_unsafe_styles_too(style: str, astronaut: Image) -> None:
    assert whats(astronaut, astronaut, Style(style)) == ["bare"]


@pytest.mark.parametrize("style", sorted(SAFE))
@pytest.mark.parametrize("share", [0.02, 0.05])
def test_transparent_cover_is_found(style: str, share: float, astronaut: Image) -> None:
    cover = covered(astronaut, [COLLINS], Style(style))
    thin = np.rint(cover * (1 - share) + astronaut * share).astype(np.uint8)
    for output in (thin, jpeg(thin, 90)):
        found = whats(astronaut, output, Style(style))
        assert "structure" in found
        assert "bare" not in found


def test_face_that_is_half_covered_is_found(astronaut: Image) -> None:
    output = covered(astronaut, [COLLINS], Style())
    output[:, 224:] = astronaut[:, 224:]
    assert "bare" in whats(astronaut, output, Style())


def test_cover_at_another_place_is_found(astronaut: Image) -> None:
    output = covered(astronaut, [face(224 + 90, 110, 94)], Style())
    assert "bare" in whats(astronaut, output, Style())


def test_face_in_the_output_alone_is_no_finding(astronaut: Image) -> None:
    original = np.full_like(astronaut, 128)
    found = verify_picture(original, astronaut, [COLLINS], Style(), threads=1)
    assert "face" not in [f.what for f in found]


def test_cover_that_looks_like_a_face_by_itself_is_no_finding(
    astronaut: Image, monkeypatch: pytest.MonkeyPatch
) -> None:
    style = Style("safe-blur")
    output = covered(astronaut, [COLLINS], style)
    monkeypatch.setattr(SecondDetector, "scores", lambda _, __, places, ___: np.ones(len(places)))
    assert whats(astronaut, output, style) == []
    # It has no say then, but what was not painted is found all the same.
    assert whats(astronaut, astronaut, style) == ["bare", "structure"]


def test_detector_may_look_at_some_frames_only(astronaut: Image) -> None:
    verifier = Verifier(Style(), SHAPE, every=3, threads=1)
    source = StillPicture(astronaut)
    frames = [
        any(f.what == "face" for f in verifier.look(i, Fraction(i, 25), source, source, [COLLINS]))
        for i in range(4)
    ]
    assert frames == [True, False, False, True]
    with pytest.raises(UsageError):
        Verifier(Style(), SHAPE, every=0)


def test_findings_say_when(astronaut: Image) -> None:
    verifier = Verifier(Style("mosaic"), SHAPE, threads=1)
    source = StillPicture(astronaut)
    (found,) = verifier.look(7, Fraction(7, 25), source, source, [COLLINS])
    assert (found.frame, found.time, found.track) == (7, Fraction(7, 25), 1)


def test_frame_that_is_covered_as_a_whole(astronaut: Image) -> None:
    style = Style("safe-blur")
    seen = Seen(Box(0, 0, SHAPE[1], SHAPE[0]))
    output = covered(astronaut, [seen, COLLINS], style)
    assert (output == 0).all()
    assert whats(astronaut, output, style, seen) == []
    assert whats(astronaut, astronaut, style, seen) != []


def test_pictures_of_other_sizes_are_refused(astronaut: Image) -> None:
    with pytest.raises(UsageError):
        verify_picture(astronaut, astronaut[:-2], [COLLINS], Style(), threads=1)


def test_structure_of_unrelated_noise_is_none(rng: np.random.Generator) -> None:
    for size in (30, 80, 300):
        cover = np.ones((size, size), np.bool_)
        one, two = rng.integers(0, 256, (2, size, size, 3), np.uint8)
        assert not shows_through(one, two, cover)
        assert size < 40 or shows_through(one, one // 16, cover)


def test_one_block_of_a_codec_on_the_one_edge_of_a_face_is_none(rng: np.random.Generator) -> None:
    """In small films covers hold few blocks, and a codec may leave something in one alone."""
    original = rng.integers(100, 104, (60, 56, 3), np.uint8)
    original[26:30, 24:32] = 240
    cover = np.ones(original.shape[:2], np.bool_)
    for _ in range(20):
        output = np.zeros_like(original)
        output[24:32, 24:32] = rng.integers(0, 3, (8, 8, 1), np.uint8)
        output[26:30, 24:32] += 2  # the block's edge lies where the face's is
        found = correlation(original, output, cover)
        assert found is not None
        assert found[0] > 0.3
        assert not shows_through(original, output, cover)


@pytest.mark.parametrize("style", sorted(SAFE))
def test_transparent_cover_of_a_small_face_is_found(style: str, astronaut: Image) -> None:
    small = cv2.resize(astronaut, (160, 160), interpolation=cv2.INTER_AREA)
    seen = face(224 * 0.4, 110 * 0.4, 94 * 0.4)
    cover = covered(small, [seen], Style(style))
    thin = np.rint(cover * 0.98 + small * 0.02).astype(np.uint8)
    assert "structure" in whats(small, jpeg(thin, 95), Style(style), seen)
    assert whats(small, jpeg(cover, 95), Style(style), seen) == []


def test_structure_at_the_rim_is_the_codecs() -> None:
    cover = np.zeros((100, 100), np.bool_)
    cover[20:80, 20:80] = True
    picture = np.random.default_rng(1).integers(0, 256, (100, 100, 3), np.uint8)
    output = picture.copy()
    output[24:76, 24:76] = 0
    assert correlation(picture, output, cover) is None


@pytest.mark.parametrize("aspect", [1.0, 2.0])
def test_second_detector_sees_the_face_where_it_is(astronaut: Image, aspect: float) -> None:
    detector = SecondDetector(threads=1)
    picture = astronaut[:, :: int(aspect)]
    x0, y0, x1, y1 = COLLINS.box.as_tuple()
    places = [
        Box(x0 / aspect, y0, x1 / aspect, y1),
        Box(5, 250, 5 + 90 / aspect, 350),
        Box(-80, -90, 10, 4),
    ]
    there, elsewhere, outside = detector.scores(StillPicture(picture), places, aspect)
    assert there > 0.7
    assert elsewhere < 0.3
    assert outside < 0.3
    small = StillPicture(np.ascontiguousarray(picture[::4, ::4]))
    quarter = [Box(x0 / aspect / 4, y0 / 4, x1 / aspect / 4, y1 / 4)]
    assert detector.scores(small, quarter, aspect)[0] > 0.5


def test_covers_lie_over_the_astronauts_face(astronaut: Image) -> None:
    """What the other tests take for granted."""
    assert under(SHAPE, [COLLINS], Style())[60:180, 190:260].all()
