"""The two face recognisers that attackers look through.

Each is a network and the place where it wants a face: a crop that is aligned to the FFHQ template
needs no landmarks, since one fixed similarity carries the template's five points to the
network's own. Descriptors stay inside this room: no report, file or public name carries one.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal, TypeAlias, get_args

import cv2
import numpy as np
import numpy.typing as npt

from seethrough import geometry
from seethrough.errors import UsageError
from seethrough.session import Device, Session, open_session
from seethrough.types import Image

RecogniserName: TypeAlias = Literal["dlib", "mobilefacenet"]

Crops: TypeAlias = npt.NDArray[np.uint8]
"""``uint8 (N, S, S, 3)`` RGB, aligned to the FFHQ template."""

Descriptors: TypeAlias = npt.NDArray[np.float32]
"""``float32 (N, D)``."""

BATCH = 8

# dlib's mean face (``mean_face_shape_x`` and ``_y`` in ``render_face_detections.h``) on a unit
# square, reduced to five points: the means of six points around each eye, the tip of the nose
# (point 30) and the corners of the mouth (48 and 54). ``face_chip_details`` pads it by 0.25.
_DLIB_MEAN_FACE = np.array(
    [
        [0.225492, 0.215990],
        [0.754762, 0.215990],
        [0.490127, 0.515625],
        [0.254149, 0.780233],
        [0.726104, 0.780233],
    ]
)
_DLIB_PADDING = 0.25

# ArcFace's five points in a chip of 112 px, to which FaceX-Zoo aligned its training faces.
_ARCFACE_112 = np.array(
    [
        [38.2946, 51.6963],
        [73.5318, 51.5014],
        [56.0252, 71.7366],
        [41.5493, 92.3655],
        [70.7299, 92.2041],
    ]
)


@dataclass(frozen=True)
class _Network:
    """Where a recogniser wants the five points, and how its descriptors compare."""

    side: int
    points: npt.NDArray[np.float64] = field(repr=False)
    dimensions: int
    euclidean: bool


_NETWORKS: dict[RecogniserName, _Network] = {
    "dlib": _Network(
        side=150,
        points=(_DLIB_MEAN_FACE + _DLIB_PADDING) / (1 + 2 * _DLIB_PADDING) * 150,
        dimensions=128,
        euclidean=True,
    ),
    "mobilefacenet": _Network(side=112, points=_ARCFACE_112, dimensions=512, euclidean=False),
}

RECOGNISERS: tuple[RecogniserName, ...] = get_args(RecogniserName)


def chip_matrix(name: RecogniserName, size: int = 128) -> geometry.Matrix:
    """Similarity from an aligned crop of ``size`` pixels to the network's chip.

    Returns
    -------
    ndarray
        ``float64 (2, 3)``: least squares from the FFHQ template to the network's five points.
    """
    # As complex numbers, centred, a similarity is one factor.
    source, target = geometry.template(size), _NETWORKS[name].points
    z, w = (points[:, 0] + 1j * points[:, 1] for points in (source, target))
    factor = np.vdot(z - z.mean(), w - w.mean()) / np.vdot(z - z.mean(), z - z.mean())
    shift = w.mean() - factor * z.mean()
    return np.array(
        [[factor.real, -factor.imag, shift.real], [factor.imag, factor.real, shift.imag]]
    )


def chip(crop: Image, name: RecogniserName) -> Image:
    """Cut the network's chip out of a square crop aligned to the FFHQ template."""
    side = _NETWORKS[name].side
    done = cv2.warpAffine(
        crop,
        chip_matrix(name, crop.shape[0]),
        (side, side),
        flags=cv2.INTER_LINEAR,
        borderMode=cv2.BORDER_REFLECT_101,
    )
    return np.asarray(done, np.uint8)


class Recogniser:
    """One recogniser, loaded.

    Parameters
    ----------
    name : {"dlib", "mobilefacenet"}
        dlib's ResNet (128 numbers, compared by Euclidean distance; one person below 0.6) or
        FaceX-Zoo's MobileFaceNet (512 numbers of length one, compared by their cosine).
    device : {"auto", "cpu", "cuda"}
        Where it runs.
    threads : int, optional
        Threads for one run on the CPU.

    Raises
    ------
    MissingPartError
        Where the weights or the device are missing.
    """

    def __init__(
        self, name: RecogniserName, device: Device = "auto", threads: int | None = None
    ) -> None:
        self.name: RecogniserName = name
        self.dimensions = _NETWORKS[name].dimensions
        self._euclidean = _NETWORKS[name].euclidean
        self._session: Session = open_session(f"recogniser-{name}", device=device, threads=threads)

    def describe(self, crops: Crops) -> Descriptors:
        """Descriptors of aligned crops.

        Parameters
        ----------
        crops : ndarray
            ``uint8 (N, S, S, 3)`` RGB, aligned to the FFHQ template.

        Returns
        -------
        ndarray
            ``float32 (N, D)``, as the network gives them.

        Raises
        ------
        UsageError
            Where the crops are not square, RGB and 8 bit.
        """
        if (
            crops.dtype != np.uint8
            or crops.ndim != 4
            or crops.shape[1:] != (*crops.shape[1:2] * 2, 3)
        ):
            raise UsageError(
                f"crops of shape {crops.shape} and type {crops.dtype}",
                "give square RGB crops, uint8 of shape (N, S, S, 3)",
            )
        found = np.empty((len(crops), self.dimensions), np.float32)
        for start in range(0, len(crops), BATCH):
            part = slice(start, start + BATCH)
            chips = np.stack([chip(crop, self.name) for crop in crops[part]])
            found[part] = self._session.run({"chips": chips})[0]
        return found

    def similarity(self, a: Descriptors, b: Descriptors) -> npt.NDArray[np.float64]:
        """Compare every descriptor of ``a`` with every one of ``b``, as the network means it.

        Parameters
        ----------
        a, b : ndarray
            ``(N, D)`` and ``(M, D)``.

        Returns
        -------
        ndarray
            ``float64 (N, M)``, larger for more alike: the negative Euclidean distance (dlib) or
            the cosine (MobileFaceNet).
        """
        x, y = a.astype(np.float64), b.astype(np.float64)
        products = x @ y.T
        if not self._euclidean:
            return np.asarray(
                products / (np.linalg.norm(x, axis=1)[:, None] * np.linalg.norm(y, axis=1)),
                np.float64,
            )
        squares = (x**2).sum(axis=1)[:, None] + (y**2).sum(axis=1) - 2 * products
        return np.asarray(-np.sqrt(np.maximum(squares, 0)), np.float64)
