"""The spaces that descriptors live in: their middle, strangers to compare with, and a bridge.

``assets/distractors.npz`` holds, in half precision, descriptors of computer-generated faces, who
are nobody; the mean descriptor of the training faces for each recogniser; and the linear map by
which a prediction of dlib's descriptor is carried into MobileFaceNet's space.
``python -m training.descriptor_space`` writes it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
import numpy.typing as npt

from seethrough.auditor.recognisers import RECOGNISERS, Descriptors, RecogniserName
from seethrough.auditor.shipped import read_shipped

FILE = "distractors.npz"


@dataclass(frozen=True, slots=True, eq=False)
class Space:
    """One recogniser's space.

    Attributes
    ----------
    mean : ndarray
        ``float32 (D,)``: mean descriptor of the training faces.
    distractors : ndarray
        ``float32 (M, D)``: descriptors of computer-generated faces.
    """

    mean: npt.NDArray[np.float32]
    distractors: Descriptors

    def direction(self, descriptors: Descriptors) -> Descriptors:
        """Directions of descriptors as seen from the mean, each of length one."""
        return unit(descriptors - self.mean)


def unit(vectors: Descriptors) -> Descriptors:
    """Scale every row to length one; rows of zeros stay."""
    length = np.linalg.norm(vectors, axis=1, keepdims=True)
    return np.asarray(vectors / np.maximum(length, 1e-12), np.float32)


@cache
def spaces() -> Mapping[RecogniserName, Space]:
    """Return the space of each recogniser.

    Raises
    ------
    MissingPartError
        Where the asset is missing.
    """
    stored = _stored()
    return {
        name: Space(stored[f"{name}_mean"], stored[f"{name}_distractors"]) for name in RECOGNISERS
    }


def carried(directions: Descriptors) -> Descriptors:
    """Carry directions in dlib's space, ``(N, 128)``, into MobileFaceNet's, ``(N, 512)``."""
    return unit(directions @ _stored()["dlib_to_mobilefacenet"])


@cache
def _stored() -> dict[str, npt.NDArray[np.float32]]:
    def read(path: Path) -> dict[str, npt.NDArray[np.float32]]:
        with path.open("rb") as file, np.load(file, allow_pickle=False) as archive:
            return {name: archive[name].astype(np.float32) for name in archive.files}

    return read_shipped(FILE, read)
