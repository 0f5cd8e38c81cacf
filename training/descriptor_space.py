"""Write ``assets/distractors.npz``: strangers, mean descriptors, and a bridge between recognisers.

``python -m training.descriptor_space --faces data/train/faces-128.tar``

Strangers are computer-generated faces of the training set, so that nobody's descriptor ships. The
bridge is a ridge regression between the directions that the two recognisers give the same training
faces; by it an attacker that was trained on one recogniser is judged by the other as well.
"""

from __future__ import annotations

import argparse
import tarfile
from pathlib import Path

import numpy as np
import numpy.typing as npt

from seethrough.auditor import space
from seethrough.auditor.recognisers import RECOGNISERS, Descriptors, Recogniser
from seethrough.weights import ASSETS
from training.data import read_crops

STRANGERS = 1024
OTHERS = 2048
"""Faces of people that the means and the bridge are fitted on, beside the strangers."""
GENERATED = ("gen/", "bm/")
RIDGES = (0.3, 1.0, 3.0, 10.0, 30.0)


def draw(names: list[str], seed: int) -> tuple[npt.NDArray[np.intp], npt.NDArray[np.intp]]:
    """Indices of the strangers and of the other faces, drawn without repetition."""
    made = np.array([name.startswith(GENERATED) for name in names])
    rng = np.random.default_rng(seed)
    return (
        np.sort(rng.permutation(np.flatnonzero(made))[:STRANGERS]),
        np.sort(rng.permutation(np.flatnonzero(~made))[:OTHERS]),
    )


def bridge(source: Descriptors, target: Descriptors, ridge: float) -> npt.NDArray[np.float64]:
    """Ridge regression ``(D, E)`` from the rows of ``source`` to those of ``target``."""
    x, y = source.astype(np.float64), target.astype(np.float64)
    return np.asarray(np.linalg.solve(x.T @ x + ridge * np.eye(x.shape[1]), x.T @ y), np.float64)


def fit(source: Descriptors, target: Descriptors) -> tuple[npt.NDArray[np.float64], float]:
    """The bridge with the best ridge, and the mean cosine that it reaches on a held-out fifth."""
    held = np.arange(len(source)) % 5 == 0

    def reached(ridge: float) -> float:
        carried = space.unit(
            (source[held] @ bridge(source[~held], target[~held], ridge)).astype(np.float32)
        )
        return float((carried * target[held]).sum(axis=1).mean())

    best = max(RIDGES, key=reached)
    return bridge(source, target, best), reached(best)


def main() -> None:
    """Run the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--faces", type=Path, required=True, help="tar of training faces")
    parser.add_argument("--dlib", type=Path, help="what training.describe wrote: saves time")
    parser.add_argument("--output", type=Path, default=ASSETS / space.FILE)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--threads", type=int, default=1)
    given = parser.parse_args()
    with tarfile.open(given.faces) as tar:
        names = sorted(member.name for member in tar.getmembers() if member.isfile())
    strangers, others = draw(names, given.seed)
    crops = read_crops(given.faces)
    stored: dict[str, npt.NDArray[np.float16]] = {}
    directions: dict[str, Descriptors] = {}
    for name in RECOGNISERS:
        if name == "dlib" and given.dlib is not None:
            with np.load(given.dlib, allow_pickle=False) as archive:
                described = archive["train"]
            if len(described) != len(crops):
                raise SystemExit(f"{given.dlib} describes other faces than {given.faces}")
            known, people = described[strangers], described[others]
        else:
            recogniser = Recogniser(name, "cpu", given.threads)
            known = recogniser.describe(crops[strangers])
            people = recogniser.describe(crops[others])
        mean = people.mean(axis=0)
        stored[f"{name}_mean"] = mean.astype(np.float16)
        stored[f"{name}_distractors"] = known.astype(np.float16)
        directions[name] = space.unit(people - mean)
        print(f"{name}: {len(known)} strangers, {len(people)} other faces", flush=True)
    matrix, cosine = fit(directions["dlib"], directions["mobilefacenet"])
    stored["dlib_to_mobilefacenet"] = matrix.astype(np.float16)
    np.savez_compressed(given.output, allow_pickle=False, **stored)
    print(f"{given.output}: {given.output.stat().st_size:,} bytes; bridge's cosine {cosine:.3f}")


if __name__ == "__main__":
    main()
