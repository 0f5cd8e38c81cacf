"""``eval/lfw`` as PROTOCOL section 4 uses it: 1,000 people, two aligned crops each.

Landmarks are our detector's on the clean photo. Where it finds no face the crop lies where the
other photos' faces lie on average, since LFW centres its faces; :attr:`People.unseen` counts them.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from benchmarks import parts
from benchmarks.location import subject
from benchmarks.metrics import Crops
from benchmarks.sets import SIZE
from seethrough import geometry, image, weights
from seethrough.errors import InputError
from seethrough.faces import FaceDetector

PEOPLE = 1000
CALIBRATION = range(500)
REPORTED = range(500, 1000)
NEAR = 0.5
"""A file this near (dlib) to a training face may have been learned by heart."""


@dataclass(frozen=True, slots=True, eq=False)
class People:
    """Aligned crops of every person.

    Attributes
    ----------
    gallery, probes : ndarray
        ``uint8 (1000, 128, 128, 3)``: photo 0 and photo 1.
    near : ndarray
        ``bool (1000,)``: one of the two photos is near a training face.
    unseen : int
        Photos in which no face was found.
    """

    gallery: Crops
    probes: Crops
    near: npt.NDArray[np.bool_]
    unseen: int


def _align(shared: Path, threads: int) -> tuple[Crops, int]:
    """Aligned crops ``(1000, 2, 128, 128, 3)``, and in how many photos no face was found."""
    detector = FaceDetector("cpu", threads)
    pictures, matrices = [], []
    for person in range(PEOPLE):
        for photo in (0, 1):
            path = shared / "data" / "eval" / "lfw" / f"{person:04d}_{photo}.jpg"
            if not path.is_file():
                raise InputError(f"{path} is missing", "see data/README.md")
            pixels = image.read(path).pixels
            found = subject(pixels, detector.detect(pixels))
            pictures.append(pixels)
            matrices.append(None if found is None else geometry.similarity(found.landmarks, SIZE))
    usual = np.mean([matrix for matrix in matrices if matrix is not None], axis=0)
    crops = np.stack(
        [
            geometry.crop(pixels, usual if matrix is None else matrix, SIZE)
            for pixels, matrix in zip(pictures, matrices, strict=True)
        ]
    )
    return crops.reshape(PEOPLE, 2, SIZE, SIZE, 3), sum(matrix is None for matrix in matrices)


def load(shared: Path, threads: int = 1) -> People:
    """Crops of all people, from the cache where this detector has made them before.

    Raises
    ------
    InputError
        Where photos are missing.
    """
    key = hashlib.sha256(f"1 {weights.record('detector').sha256} {SIZE}".encode()).hexdigest()
    path = parts.cache_folder() / f"lfw-{key[:24]}.npz"
    if not path.exists():
        crops, unseen = _align(shared, threads)
        with parts.written(path) as temporary:
            np.savez(temporary, crops=crops, unseen=unseen)
    with np.load(path, allow_pickle=False) as archive:
        crops, unseen = archive["crops"], int(archive["unseen"])
    try:
        distances = json.loads((shared / "data" / "near.json").read_text("utf-8"))
    except OSError as error:
        raise InputError(
            f"near.json cannot be read ({error.strerror})", "see data/README.md"
        ) from error
    near = np.array([_near(distances, person) for person in range(PEOPLE)])
    return People(crops[:, 0], crops[:, 1], near, unseen)


def _near(distances: dict[str, float], person: int) -> bool:
    names = [f"lfw/{person:04d}_{photo}.jpg" for photo in (0, 1)]
    return any(distances[name] <= NEAR for name in names)
