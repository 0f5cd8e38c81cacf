"""The table of every weight file in the package: what it is, and the checksum that it must have.

A file is used only after its SHA-256 has been compared with the table, once in a process.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from seethrough.errors import MissingPartError, UsageError
from seethrough.types import WeightsUsed

ASSETS = Path(__file__).parent / "assets"


@dataclass(frozen=True, slots=True)
class Weights:
    """One weight file.

    Attributes
    ----------
    name : str
        What the code and ``seethrough info`` call it.
    file : str
        ONNX file in ``seethrough/assets``.
    sha256 : str
        Of that file, 64 hexadecimal digits.
    task : str
        What the network does.
    scale : int
        Output pixels for one input pixel along a side; 1 where the output is no picture.
    preprocessing : str
        The tensors that go in and come out: names, shapes, ranges, channel order.
    licence : str
        Of the weights, which may differ from the code's.
    card : str
        Model card in ``seethrough/assets``: data, settings, measured figures, limits.
    """

    name: str
    file: str
    sha256: str
    task: str
    scale: int
    preprocessing: str
    licence: str
    card: str

    @property
    def used(self) -> WeightsUsed:
        """Name and checksum, as outputs report them."""
        return WeightsUsed(self.name, self.sha256)


WEIGHTS: tuple[Weights, ...] = (
    Weights(
        name="restorer",
        file="restorer.onnx",
        sha256="58b621a841eff4455b8b13af5d5aca282ef9d70041b8f0eb311b3b5d1a69c04d",
        task="restores 128 px crops of faces and text, least squared error",
        scale=1,
        preprocessing=(
            "degraded: float32 (N, 3, 128, 128), RGB on [0, 1]; kind: int64 (N,), 0 face, 1 text; "
            "restored: float32 (N, 3, 128, 128), to be clipped to [0, 1]"
        ),
        licence="non-commercial use only (see LICENSE-WEIGHTS)",
        card="restorer.md",
    ),
    Weights(
        name="realistic",
        file="realistic.onnx",
        sha256="f49b9ab2ccf3e37b5b4d291635adc9e58d57ee5a988637bc7c130b87414140c0",
        task="restores 128 px crops of faces so that they look real (--realism)",
        scale=1,
        preprocessing=(
            "degraded: float32 (N, 3, 128, 128), RGB on [0, 1]; kind: int64 (N,), 0; "
            "restored: float32 (N, 3, 128, 128), to be clipped to [0, 1]"
        ),
        licence="non-commercial use only (see LICENSE-WEIGHTS)",
        card="realistic.md",
    ),
    Weights(
        name="detector",
        file="detector.onnx",
        sha256="c6f16d77b61e79bd3eae6bd6a9dae3517b12815f2e6c26a9f0e08e8b69486774",
        task="finds faces and five landmarks (RetinaFace, MobileNet 0.25)",
        scale=1,
        preprocessing="see the card",
        licence="MIT",
        card="detector.md",
    ),
    Weights(
        name="aligner",
        file="aligner.onnx",
        sha256="1809db698d1aa49887aba7d6d0982d79d196907ff38c5cbe78cf5cd5d39bfe4b",
        task="brings covered faces onto the template",
        scale=1,
        preprocessing=(
            "crop: float32 (N, 3, 64, 64), RGB on [0, 1]; correction: float32 (N, 4), a similarity "
            "(see the card)"
        ),
        licence="non-commercial use only (see LICENSE-WEIGHTS)",
        card="aligner.md",
    ),
    Weights(
        name="text-detector",
        file="text-detector.onnx",
        sha256="484bc51b8d62e500e1b03290c5f1638d2e5c8ee77e59378499dd4ca4954407ef",
        task="finds lines of text (PP-OCR, differentiable binarisation)",
        scale=1,
        preprocessing="see the card",
        licence="Apache-2.0",
        card="text-detector.md",
    ),
    Weights(
        name="second-detector",
        file="second-detector.onnx",
        sha256="b22b1fe4931d101cfd786eac9da8f007fc45b8c1d683262d81252dfbca81f61b",
        task="looks for faces in what was redacted (CenterFace)",
        scale=1,
        preprocessing=(
            "picture: float32 (N, 3, H, W), RGB on [0, 255], sides multiples of 32; "
            "scores, sizes, offsets: for each cell of 4 px (see the card)"
        ),
        licence="MIT",
        card="second-detector.md",
    ),
    Weights(
        name="segmenter",
        file="segmenter.onnx",
        sha256="df6ac3f3d31b3a70b9703c6f390dcd6516bcdbf037c168b713a4ec7a60113cf1",
        task="finds which pixels are people (MediaPipe Selfie Segmentation); for silhouettes",
        scale=1,
        preprocessing=(
            "picture: float32 (N, 3, 256, 256), RGB on [0, 1]; "
            "person: float32 (N, 1, 256, 256), a probability"
        ),
        licence="Apache-2.0",
        card="segmenter.md",
    ),
    Weights(
        name="recogniser-dlib",
        file="recogniser-dlib.onnx",
        sha256="bc430cd551474279cc2db80c537d007f4604e0c1978d9572dc80796afbf06962",
        task="describes a face by 128 numbers (dlib's ResNet); for the audit",
        scale=1,
        preprocessing=(
            "chips: uint8 (N, 150, 150, 3), RGB, on dlib's mean face; "
            "descriptors: float32 (N, 128), compared by Euclidean distance"
        ),
        licence="CC0-1.0",
        card="recogniser-dlib.md",
    ),
    Weights(
        name="recogniser-mobilefacenet",
        file="recogniser-mobilefacenet.onnx",
        sha256="268c0ab5958831e87ebd8e56bc116f6c8c9a855f622d11a3823df4d5d4f21e3a",
        task="describes a face by 512 numbers (MobileFaceNet of FaceX-Zoo); for the audit",
        scale=1,
        preprocessing=(
            "chips: uint8 (N, 112, 112, 3), RGB, on ArcFace's five points; "
            "descriptors: float32 (N, 512) of length one, compared by their cosine"
        ),
        licence="MIT",
        card="recogniser-mobilefacenet.md",
    ),
    Weights(
        name="attacker",
        file="attacker.onnx",
        sha256="aefa82224e7fe1dd928e639e457b3d8fbc19b2928ba60c673985310335d903ea",
        task="reads identity out of covered faces (attacker A3); for the audit",
        scale=1,
        preprocessing=(
            "degraded: float32 (N, 3, 128, 128), RGB on [0, 1], aligned to the FFHQ template; "
            "descriptor: float32 (N, 128), a direction in dlib's space"
        ),
        licence="non-commercial use only (see LICENSE-WEIGHTS)",
        card="attacker.md",
    ),
    Weights(
        name="attacker-restorer",
        file="attacker-restorer.onnx",
        sha256="ed0ade3f615727931c28a8666f9087cc2af165be514f09825a6350878331fe06",
        task="restores faces so that they are recognised (attacker A2); for the audit",
        scale=1,
        preprocessing=(
            "degraded: float32 (N, 3, 128, 128), RGB on [0, 1]; kind: int64 (N,), 0; "
            "restored: float32 (N, 3, 128, 128), to be clipped to [0, 1]"
        ),
        licence="non-commercial use only (see LICENSE-WEIGHTS)",
        card="attacker-restorer.md",
    ),
    Weights(
        name="attacker-context",
        file="attacker-context.onnx",
        sha256="8303f85b0a122924b58bfe93841cbf6f99580d6079d448f3fee51eb9c23cc216",
        task="reads identity out of what a cover leaves (attacker A5); for the audit",
        scale=1,
        preprocessing=(
            "degraded: float32 (N, 3, 128, 128), RGB on [0, 1], aligned to the FFHQ template, the "
            "cover grey (128); descriptor: float32 (N, 128), a direction in dlib's space"
        ),
        licence="non-commercial use only (see LICENSE-WEIGHTS)",
        card="attacker-context.md",
    ),
)


def record(name: str) -> Weights:
    """Return the table's entry for ``name``.

    Raises
    ------
    UsageError
        Where the table has no such entry.
    """
    for weights in WEIGHTS:
        if weights.name == name:
            return weights
    known = ", ".join(weights.name for weights in WEIGHTS)
    raise UsageError(f"there are no weights called {name!r}", f"known are: {known}")


@cache
def locate(name: str) -> Path:
    """Return the path of the weights called ``name``, their checksum verified.

    Raises
    ------
    UsageError
        Where the table has no such entry.
    MissingPartError
        Where the file is absent or its SHA-256 is not the table's.
    """
    weights = record(name)
    path = ASSETS / weights.file
    try:
        with path.open("rb") as file:
            found = hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise MissingPartError(
            f"the weights {name} cannot be read at {path} ({error.strerror})",
            "install seethrough again",
        ) from error
    if found != weights.sha256:
        raise MissingPartError(
            f"the weights {name} at {path} have checksum {found[:12]}..., "
            f"not {weights.sha256[:12]}...",
            "the file is damaged or was replaced: install seethrough again",
        )
    return path
