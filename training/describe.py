"""Write the labels of the attackers: descriptors of clean faces.

    python -m training.describe ../cache/descriptors.npz \
        --faces ../shared/data/train/faces-128.tar --valid ../shared/data/valid/faces-128.tar

The recogniser runs in ONNX Runtime, 50,000 descriptions in seven minutes of one core;
``--virtual N`` adds people who do not exist (:mod:`training.virtual`). The file travels with the
packed faces to machines that have neither.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import get_args

import numpy as np

from seethrough.auditor.recognisers import Recogniser, RecogniserName
from training import data
from training.virtual import SEED, VirtualFaces


def describe(
    target: Path, faces: Path, valid: Path, name: RecogniserName, virtual: int = 0
) -> None:
    """Write ``train``, ``flipped`` (mirrored faces), ``virtual`` and ``valid``.

    Each ``float32 (N, D)``.
    """
    recogniser = Recogniser(name, device="cpu", threads=1)
    crops = data.read_crops(faces)
    train = recogniser.describe(crops)
    flipped = recogniser.describe(np.ascontiguousarray(crops[:, :, ::-1]))
    held_out = recogniser.describe(data.read_crops(valid))
    nobody = VirtualFaces(crops, SEED)
    parts = [
        recogniser.describe(np.stack([nobody[i] for i in range(start, min(start + 256, virtual))]))
        for start in range(0, virtual, 256)
    ]
    made = np.concatenate([np.empty((0, recogniser.dimensions), np.float32), *parts])
    target.parent.mkdir(parents=True, exist_ok=True)
    partial = target.with_suffix(".partial")
    with partial.open("wb") as file:
        np.savez(file, train=train, flipped=flipped, virtual=made, valid=held_out)
    partial.rename(target)


def main() -> None:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("target", type=Path, help="file to write (.npz)")
    parser.add_argument("--faces", type=Path, required=True, help="tar of 128 px faces")
    parser.add_argument("--valid", type=Path, required=True, help="tar of held-out faces")
    parser.add_argument("--recogniser", choices=get_args(RecogniserName), default="dlib")
    parser.add_argument("--virtual", type=int, default=0, metavar="N", help="people made up")
    given = parser.parse_args()
    describe(given.target, given.faces, given.valid, given.recogniser, given.virtual)


if __name__ == "__main__":
    main()
