"""Identity distance: dlib's 128-d descriptor at the aligned crop (PROTOCOL section 3).

The network is the audit's first recogniser (:mod:`seethrough.auditor.recognisers`). Two pictures
are taken for one person below a distance of 0.6.
"""

from __future__ import annotations

import hashlib

import numpy as np

from benchmarks import parts
from benchmarks.metrics import Crops, Scores
from seethrough import weights
from seethrough.auditor.recognisers import Descriptors, Recogniser, RecogniserName, chip_matrix

SOURCE = (
    "dlib_face_recognition_resnet_model_v1 of face-recognition-models 0.1.3, in ONNX Runtime, "
    "weights in half precision"
)
SAME_PERSON = 0.6
"""dlib's own threshold for two photos of one person."""


class Descriptor:
    """A recogniser that keeps the descriptors of clean pictures, which never change, on disk."""

    def __init__(self, threads: int = 1, name: RecogniserName = "dlib") -> None:
        self.recogniser = Recogniser(name, "cpu", threads)

    def describe(self, crops: Crops) -> Descriptors:
        """Descriptors of aligned crops ``uint8 (N, S, S, 3)`` RGB."""
        return self.recogniser.describe(crops)

    def describe_cached(self, crops: Crops) -> Descriptors:
        """:meth:`describe`, kept in the cache."""
        name = self.recogniser.name
        digest = hashlib.sha256(chip_matrix(name, crops.shape[1]).tobytes())
        digest.update(weights.record(f"recogniser-{name}").sha256.encode())
        digest.update(crops.tobytes())
        path = parts.cache_folder() / f"descriptors-{digest.hexdigest()[:24]}.npy"
        if not path.exists():
            with parts.written(path) as temporary:
                np.save(temporary, self.describe(crops))
        return np.asarray(np.load(path, allow_pickle=False), np.float32)


def distances(a: Descriptors, b: Descriptors) -> Scores:
    """Euclidean distance of each pair of descriptors."""
    difference = a.astype(np.float64) - b.astype(np.float64)
    return np.asarray(np.linalg.norm(difference, axis=1), np.float64)
