"""Which type faces training learns from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest

from training import letterforms, typeface
from training.typeface import Typeface


@pytest.fixture(scope="module")
def faces(atlas: Path) -> list[Typeface]:
    """Ordinary faces, with at least one of the references."""
    found, _ = typeface.load(atlas)
    if not any(face.family in letterforms.REFERENCES for face in found):
        pytest.skip("none of the reference families is installed")
    return found


def names(faces: Sequence[Typeface]) -> list[str]:
    return [face.family for face in faces]


def reference(faces: Sequence[Typeface]) -> Typeface:
    return next(face for face in faces if face.family in letterforms.REFERENCES)


def shuffled(face: Typeface) -> Typeface:
    """The same drawings, each for another character."""
    order = np.roll(np.arange(len(typeface.CHARACTERS)), 7)
    return replace(
        face,
        family="Cipher",
        bitmaps=tuple(face.bitmaps[i] for i in order),
        offsets=face.offsets[order],
    )


def narrowed(face: Typeface, family: str) -> Typeface:
    """The same letters at three quarters of their width."""
    bitmaps = tuple(
        np.asarray(cv2.resize(b, (max(1, b.shape[1] * 3 // 4), b.shape[0])), np.uint8)
        for b in face.bitmaps
    )
    return replace(face, family=family, bitmaps=bitmaps, advances=face.advances * np.float32(0.75))


def test_ordinary_faces_stay(faces: list[Typeface]) -> None:
    kept = names(letterforms.chosen(faces))
    assert reference(faces).family in kept


def test_letters_that_are_not_what_they_say_leave(faces: list[Typeface]) -> None:
    kept = names(letterforms.chosen([*faces, shuffled(reference(faces))]))
    assert "Cipher" not in kept


def test_capitals_in_place_of_small_letters_leave(faces: list[Typeface]) -> None:
    face = reference(faces)
    order = [ord(chr(i + 33).upper()) - 33 for i in range(len(typeface.CHARACTERS))]
    capitals = replace(
        face,
        family="Capitals",
        bitmaps=tuple(face.bitmaps[i] for i in order),
        offsets=face.offsets[order],
    )
    assert "Capitals" not in names(letterforms.chosen([*faces, capitals]))


def test_of_copies_the_well_known_one_stays(faces: list[Typeface]) -> None:
    copy = replace(reference(faces), family="A Copy")
    kept = names(letterforms.chosen([copy, *faces]))
    assert "A Copy" not in kept
    assert reference(faces).family in kept


def test_another_width_is_no_copy(faces: list[Typeface]) -> None:
    narrow = narrowed(reference(faces), "Narrow")
    assert "Narrow" in names(letterforms.chosen([*faces, narrow]))


def test_copies_of_held_out_faces_leave(faces: list[Typeface]) -> None:
    secret = narrowed(reference(faces), f"{typeface.HELD_OUT[0]} Secret")
    kept = names(letterforms.chosen([*faces, replace(secret, family="Leak"), secret]))
    assert secret.family in kept
    assert "Leak" not in kept


def test_nothing_to_compare_with_is_an_error(faces: list[Typeface]) -> None:
    with pytest.raises(ValueError, match="nothing to compare with"):
        letterforms.chosen([replace(face, family="Other") for face in faces])


def test_shapes_are_unit_vectors_without_width(faces: list[Typeface]) -> None:
    face = reference(faces)
    found = letterforms.shapes(face)
    assert found.dtype == np.float32
    np.testing.assert_allclose(np.linalg.norm(found, axis=1), 1, atol=1e-4)
    np.testing.assert_allclose(found.mean(axis=1), 0, atol=1e-5)
    narrow = letterforms.shapes(narrowed(face, "Narrow"))
    assert float((found * narrow).sum(axis=1).mean()) > 0.95
