"""A cover that leaves a person's outline: head, hair, clothes and hands black.

A network finds which pixels are people. It sees the picture with every head blanked and a drawn one
in its place, the same for everybody, so that no face pixel decides where the outline runs. Heads
are covered as ``solid`` covers them, whatever the network says, and joined to what it finds.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Sequence

import cv2
import numpy as np
import numpy.typing as npt

from seethrough.redactor import stand_in
from seethrough.redactor.blanked import Blanked
from seethrough.redactor.field import continued
from seethrough.redactor.region import Pose, Region, pose_of, quadrangle
from seethrough.redactor.source import Sighting
from seethrough.session import Device, open_session
from seethrough.types import Image

WEIGHTS_NAME = "segmenter"
MEMORY = 3
"""Frames that have a part in a frame's outline, its own included."""

_SIDE = 256  # of the network's input
_LONG_SIDE = 512  # of the copy in which people are looked for
_CELLS = 32  # of the grid that continues the surroundings into blanked heads
_SMOOTH = 2.0  # pixels of the reduced frame: outlines without slivers
_PERSON = 0.5  # probability from which a pixel is a person's
_CLOSE_UPS = 6  # heads, the largest, that are looked at by themselves too
_VIEW = 2.2  # half of such a view's width, in face widths
_WEIGHTS = (0.2, 0.3, 0.5)  # of the last frames: where the newest sees nobody there is nobody
_NECK = ((34.0, 96.0), (94.0, 96.0), (104.0, 150.0), (24.0, 150.0))  # in the 128 px crop

Floats = npt.NDArray[np.float32]


class Silhouettes:
    """Finds the people of one film, frame after frame.

    Parameters
    ----------
    sample_aspect : float
        Width of a stored pixel in its heights.
    device, threads
        As in :func:`seethrough.session.open_session`.

    Raises
    ------
    MissingPartError
        Where the weights or the device are missing.
    """

    def __init__(self, sample_aspect: float, device: Device, threads: int | None) -> None:
        self._session = open_session(WEIGHTS_NAME, device=device, threads=threads)
        self._aspect = sample_aspect
        self._last: deque[Floats] = deque(maxlen=MEMORY)
        self._tracks: set[int] = set()

    def remember(self, blanked: Blanked, sightings: Sequence[Sighting]) -> Floats:
        """Look for the people of a frame.

        Returns
        -------
        ndarray
            ``float32 (h, w)``: probability over the reduced frame, mean over the last frames.
        """
        tracks = {sighting.track for sighting in sightings}
        if not tracks & self._tracks:  # another scene, for all that is known
            self._last.clear()
        self._tracks = tracks
        people = self._people(blanked, [pose_of(s, self._aspect) for s in sightings])
        if self._last and self._last[0].shape != people.shape:
            self._last.clear()
        self._last.append(people)
        weights = np.array(_WEIGHTS[-len(self._last) :], np.float32)
        return np.asarray(
            np.tensordot(weights / weights.sum(), np.stack(list(self._last)), axes=1), np.float32
        )

    def region(
        self,
        blanked: Blanked,
        sightings: Sequence[Sighting],
        heads: Sequence[Region],
    ) -> Region:
        """Return where people are whose heads are covered: at least those heads.

        Parameters
        ----------
        blanked : Blanked
            The frame without heads.
        sightings : sequence of Sighting
            At least one.
        heads : sequence of Region
            The covers of those that reach into the frame, at least one.
        """
        people = self.remember(blanked, sightings)
        height, width = blanked.shape
        large = cv2.resize(people, (width, height), interpolation=cv2.INTER_LINEAR)
        mask = (np.asarray(large) > _PERSON).view(np.uint8)
        necks = [quadrangle(s, _NECK, blanked.shape, self._aspect) for s in sightings]
        sure = np.zeros(blanked.shape, np.uint8)
        for part in (*heads, *(neck for neck in necks if neck is not None)):
            sure[part.y0 : part.y1, part.x0 : part.x1] |= part.mask
        mask |= sure
        count, labels = cv2.connectedComponents(mask, connectivity=8)
        if count > 2:  # people, or what passes for them, whose heads are not covered stay
            wanted = np.zeros(count, np.bool_)
            wanted[np.unique(labels[sure > 0])] = True
            mask = wanted[labels].view(np.uint8)
        x0, y0, wide, high = cv2.boundingRect(mask)
        return Region(x0, y0, mask[y0 : y0 + high, x0 : x0 + wide].view(np.bool_))

    def _people(self, blanked: Blanked, poses: Sequence[Pose]) -> Floats:
        pixels, factor = self._dressed(blanked, poses)
        height, width = pixels.shape[:2]
        windows = [(slice(0, height), slice(0, width))]
        nearest = sorted(poses, key=lambda pose: -float(pose.right @ pose.right))
        for pose in nearest[:_CLOSE_UPS]:
            face = 72 * float(np.hypot(*pose.right)) / factor
            x, y = pose.origin / factor
            # Mostly below the head, where the body is; upside-down heads get as much above.
            reach = _VIEW * face
            x0, x1 = max(math.floor(x - reach), 0), min(math.ceil(x + reach), width)
            low, high = (1.5, 2.9) if pose.down[1] > 0 else (2.9, 1.5)
            y0, y1 = max(math.floor(y - low * face), 0), min(math.ceil(y + high * face), height)
            if min(x1 - x0, y1 - y0) >= 8:
                windows.append((slice(y0, y1), slice(x0, x1)))
        feed = np.empty((len(windows), 3, _SIDE, _SIDE), np.float32)
        for entry, window in zip(feed, windows, strict=True):
            part = pixels[window]
            shrinks = max(part.shape[:2]) > _SIDE
            how = cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR
            view = cv2.resize(part, (_SIDE, _SIDE), interpolation=how)
            entry[:] = np.asarray(view, np.float32).transpose(2, 0, 1) / 255
        # Mirrored too: what the network takes for a person but once is none.
        (plain,) = self._session.run({"picture": feed})
        (mirrored,) = self._session.run({"picture": np.ascontiguousarray(feed[..., ::-1])})
        answers = (plain + mirrored[..., ::-1]) / 2
        people = np.zeros((height, width), np.float32)
        for answer, window in zip(answers[:, 0], windows, strict=True):
            inside = people[window]
            np.maximum(inside, cv2.resize(answer, inside.shape[::-1]), out=inside)
        return np.asarray(cv2.GaussianBlur(people, (0, 0), _SMOOTH), np.float32)

    def _dressed(self, blanked: Blanked, poses: Sequence[Pose]) -> tuple[Image, float]:
        """Return the reduced frame with drawn heads, and its reduction in square pixels."""
        pixels, withheld, (fx, fy) = blanked.reduced(_LONG_SIDE, (0, 0, 0))
        known = np.where(withheld, 0, 255).astype(np.uint8)
        both = cv2.merge([*cv2.split(pixels), known])
        cells = cv2.resize(both, (_CELLS, _CELLS), interpolation=cv2.INTER_AREA)
        field = continued(np.asarray(cells, np.float32))
        size = (pixels.shape[1], pixels.shape[0])
        filled = cv2.resize(field, size, interpolation=cv2.INTER_CUBIC)
        pixels[withheld] = np.clip(np.asarray(filled)[withheld], 0, 255)
        factor = math.sqrt(fx * self._aspect * fy)
        for pose in poses:
            stand_in.draw_on(pixels, pose, factor)
        return pixels, factor
