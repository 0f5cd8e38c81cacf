"""Identity distance: dlib's 128-d descriptor at the aligned crop (PROTOCOL section 3).

dlib's network wants a 150 px chip in which its mean face (300-W, ``face_chip_details`` with
padding 0.25) lies at fixed places. A crop that is aligned to the FFHQ template needs no
landmarks for that: one fixed similarity carries the template's five points to the same points
of dlib's mean face. Two pictures are taken for one person below a distance of 0.6.
"""

from __future__ import annotations

import hashlib
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt
import onnx

from benchmarks import dlib_onnx, parts
from benchmarks.metrics import Crops, Scores
from seethrough import geometry
from seethrough.session import Session, open_session
from seethrough.types import Image

SOURCE = "dlib_face_recognition_resnet_model_v1 of face-recognition-models 0.1.3, in ONNX Runtime"
SAME_PERSON = 0.6
"""dlib's own threshold for two photos of one person."""
PADDING = 0.25

Descriptors = npt.NDArray[np.float32]
"""``float32 (N, 128)``."""

# dlib's mean face (``mean_face_shape_x`` and ``_y`` in ``render_face_detections.h``) on a unit
# square, reduced to five points: the means of six points around each eye, the tip of the nose
# (point 30) and the corners of the mouth (48 and 54).
_MEAN_FACE = np.array(
    [
        [0.225492, 0.215990],
        [0.754762, 0.215990],
        [0.490127, 0.515625],
        [0.254149, 0.780233],
        [0.726104, 0.780233],
    ]
)


def chip_matrix(size: int = 128) -> geometry.Matrix:
    """Similarity from an aligned crop of ``size`` pixels to dlib's chip, ``float64 (2, 3)``."""
    target = (_MEAN_FACE + PADDING) / (1 + 2 * PADDING) * dlib_onnx.CHIP
    # Least squares from the template to dlib's points: centred, the best complex factor.
    source = geometry.template(size)
    z, w = (points[:, 0] + 1j * points[:, 1] for points in (source, target))
    factor = np.vdot(z - z.mean(), w - w.mean()) / np.vdot(z - z.mean(), z - z.mean())
    shift = w.mean() - factor * z.mean()
    return np.array(
        [[factor.real, -factor.imag, shift.real], [factor.imag, factor.real, shift.imag]]
    )


def chip(crop: Image) -> Image:
    """Cut dlib's 150 px chip out of a square crop aligned to the FFHQ template."""
    matrix = chip_matrix(crop.shape[0])
    side = (dlib_onnx.CHIP, dlib_onnx.CHIP)
    done = cv2.warpAffine(
        crop, matrix, side, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT_101
    )
    return np.asarray(done, np.uint8)


def network(path: Path | None = None) -> Path:
    """Path of the descriptor's ONNX file in the cache, built where it is missing."""
    path = path or parts.cache_folder() / "dlib-descriptor.onnx"
    if not path.exists():
        model = dlib_onnx.build(parts.locate("dlib-descriptor"))
        with parts.written(path) as temporary:
            onnx.save(model, temporary)
    return path


class Descriptor:
    """The descriptor network, loaded."""

    def __init__(self, threads: int = 1) -> None:
        self._session: Session = open_session(network(), device="cpu", threads=threads)

    def describe(self, crops: Crops, batch: int = 16) -> Descriptors:
        """Descriptors of aligned crops.

        Parameters
        ----------
        crops : ndarray
            ``uint8 (N, S, S, 3)`` RGB, aligned to the FFHQ template.
        batch : int
            How many run at once.
        """
        if crops.ndim != 4 or crops.shape[1] != crops.shape[2] or crops.shape[3] != 3:
            raise ValueError(f"square RGB crops expected, not {crops.shape}")
        found = [
            self._session.run({"chips": np.stack([chip(c) for c in crops[i : i + batch]])})[0]
            for i in range(0, len(crops), batch)
        ]
        return np.concatenate(found) if found else np.empty((0, 128), np.float32)

    def describe_cached(self, crops: Crops) -> Descriptors:
        """:meth:`describe`, kept in the cache: for clean pictures, which never change."""
        digest = hashlib.sha256(chip_matrix(crops.shape[1]).tobytes())
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
