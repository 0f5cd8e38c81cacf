"""The networks of a run, each loaded when it is first needed."""

from __future__ import annotations

from functools import cached_property
from pathlib import Path

from seethrough import colour
from seethrough.face_aligner import FaceAligner
from seethrough.faces import ACCEPT, ACCEPT_SURE, ACCEPT_WARY, FaceDetector
from seethrough.image import Picture
from seethrough.operators import find_covered
from seethrough.restorer import Restorer
from seethrough.session import Device
from seethrough.text import TextFinder
from seethrough.types import Face, WeightsUsed
from seethrough.weights import record

_SAME = 0.4  # IoU from which two views show one face

# What each part loads; the detector brings the aligner with it.
_WEIGHTS = {
    "detector": ("detector", "aligner"),
    "aligner": ("aligner",),
    "finder": ("text-detector",),
}


class Networks:
    """Detector, text finder and restorer on one device.

    Parameters
    ----------
    device : {"auto", "cpu", "cuda"}
        Where they run.
    threads : int or None
        Threads for one run on the CPU.
    weights : Path or None
        A restorer in place of the shipped one.
    """

    def __init__(self, device: Device, threads: int | None, weights: Path | None = None) -> None:
        self._device: Device = device
        self._threads = threads
        self._weights = weights
        self._restorers: dict[float, Restorer] = {}

    @cached_property
    def detector(self) -> FaceDetector:
        """Finds faces."""
        return FaceDetector(self._device, self._threads)

    @cached_property
    def aligner(self) -> FaceAligner:
        """Corrects where covered faces lie."""
        return FaceAligner(self._device, self._threads)

    @cached_property
    def finder(self) -> TextFinder:
        """Finds lines of text."""
        return TextFinder(self._device, self._threads)

    def restorer(self, realism: float = 0.0) -> Restorer:
        """Return what restores crops and pictures, so real as wanted."""
        if realism not in self._restorers:
            made = Restorer(self._device, self._threads, self._weights, realism)
            self._restorers[realism] = made
        return self._restorers[realism]

    def faces_to_hide(self, picture: Picture) -> tuple[Face, ...]:
        """Find the faces of a photo, small ones too, and whatever else may be one.

        Whoever opens the photo may brighten it, or drop its transparency: the faces that show only
        then come after the others.
        """
        pixels = picture.pixels
        covered = find_covered(pixels)
        faces = list(self.detector.detect(pixels, covered, accept=ACCEPT_WARY, small=ACCEPT))
        for view in colour.other_views(pixels, picture.samples, picture.alpha):
            for face in self.detector.detect(view, accept=ACCEPT_SURE, small=ACCEPT_SURE):
                if all(face.box.iou(other.box) <= _SAME for other in faces):
                    faces.append(face)
        return tuple(faces)

    def used(self) -> tuple[WeightsUsed, ...]:
        """Return the weights of those that were loaded."""
        loaded = [names for part, names in _WEIGHTS.items() if part in self.__dict__]
        used = list(dict.fromkeys(record(name).used for names in loaded for name in names))
        for restorer in self._restorers.values():
            used += [each for each in restorer.used() if each not in used]
        return tuple(used)
