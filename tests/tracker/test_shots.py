from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest

from seethrough.tracker import TrackOptions, engine
from seethrough.tracker.course import Spot
from seethrough.tracker.live import Live
from seethrough.tracker.tracing import _taken_over
from tests.tracker.scenes import ArrayFilm, film


def spot(x: float) -> Spot:
    box = np.array([x, 60, x + 40, 110.0])
    return Spot(box, np.array([[8, 20], [30, 20], [20, 30], [10, 40], [30, 40.0]]) + box[:2], 0.95)


def lost_and_found() -> tuple[Live, Live]:
    """Return a face that was lost after frame 3, and the same, seen again in frames 7 and 8."""
    lost, found = Live.found(0, spot(60)), Live.found(7, spot(160))
    for frame in range(1, 4):
        lost.see(frame, spot(60))
    for _ in range(4, 9):
        lost.course.append(spot(60), "held")
    lost.pending.clear()
    found.see(8, spot(160))
    return lost, found


@pytest.mark.parametrize("older_first", [True, False])
def test_a_face_found_again_just_before_a_cut_is_covered_up_to_it(older_first: bool) -> None:
    lost, found = lost_and_found()
    made = engine._Engine(ArrayFilm(), TrackOptions(), "cpu", 1)
    frames = film(9, lambda _: None)
    for frame in frames:
        made._finisher.take(frame, (1.0, 1.0), frame.picture.shape)
    made._count = len(frames)
    made._live = [lost, found] if older_first else [found, lost]

    def back(live: Live, *_: object) -> bool:
        return live is found and _taken_over(found, lost, 6)

    made._tracer = SimpleNamespace(back=back)  # type: ignore[assignment]
    lost.motion.shift[:] = found.motion.shift  # both stand still
    tracks = made.finish()
    boxes = [sighting.box for sighting in tracks.at(8)]
    assert any(box.x0 <= 160 and box.x1 >= 200 for box in boxes), boxes
