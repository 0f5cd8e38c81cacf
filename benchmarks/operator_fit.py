"""Fit the coefficients of the operator finder: ``python -m benchmarks.operator_fit``.

Reads the photos of ``eval/lfw`` people 0000-0499, which are there for calibration, and aligned
crops of ``train/``; covers random rectangles and ellipses with Gaussian and box blurs, with and
without JPEG; measures what :mod:`seethrough.operators.blur` and ``kernel`` measure; and writes
``src/seethrough/assets/operators.json``. Prints two-fold figures, the folds split by person.
"""

from __future__ import annotations

import argparse
import json
import os
import tarfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from seethrough import degrade, image
from seethrough.operators import blur, kernel, luma_of
from seethrough.operators.parameters import Polynomial
from seethrough.types import Box, Image

ROOT = Path(__file__).resolve().parents[1]
SHARED = Path(os.environ.get("SEETHROUGH_SHARED", ROOT.parent / "shared"))
TARGET = ROOT / "src" / "seethrough" / "assets" / "operators.json"
QUALITIES = (None, None, 75, 75, 50, 60, 85, 92)
CLEAN_RATE = 0.993
"""Share of clean pictures in which no blur may be reported; sets the threshold."""

Vector = npt.NDArray[np.float64]


@dataclass
class Samples:
    """What was measured, one entry for each candidate or region."""

    candidates: list[Vector] = field(default_factory=list)
    covered: list[bool] = field(default_factory=list)
    picture: list[int] = field(default_factory=list)
    candidate_fold: list[int] = field(default_factory=list)
    spectra: list[Vector] = field(default_factory=list)
    ratio: list[float] = field(default_factory=list)
    gauss: list[bool] = field(default_factory=list)
    spectrum_fold: list[int] = field(default_factory=list)
    clean: set[int] = field(default_factory=set)


def cover(picture: Image, rng: np.random.Generator, kind: str) -> tuple[Image, Box, float]:
    """Blur a random rectangle or ellipse near the middle; return its box and the kernel's size."""
    height, width = picture.shape[:2]
    w = width * float(np.exp(rng.uniform(np.log(0.2), np.log(0.55))))
    h = min(w * rng.uniform(0.85, 1.6), 0.8 * height)
    cx, cy = (np.array([width, height]) * rng.normal(0.5, 0.08, 2)).tolist()
    box = Box(
        max(0, cx - w / 2), max(0, cy - h / 2), min(width, cx + w / 2), min(height, cy + h / 2)
    )
    sigma = max(1.8, w * float(np.exp(rng.uniform(np.log(0.03), np.log(0.17)))))
    if kind == "gauss":
        size = sigma
        operator: degrade.Degradation = degrade.GaussianBlur(sigma)
    else:
        size = float(max(5, round(sigma * np.sqrt(12))))
        operator = degrade.BoxBlur(int(size))
    region = box if rng.random() < 0.4 else degrade.Ellipse.inscribed(box)
    return degrade.Within(operator, region)(picture), box, size


def photos(count: int) -> Iterator[tuple[int, Image]]:
    """Calibration photos with the number of their person."""
    for path in sorted((SHARED / "data/eval/lfw").glob("0[0-4]??_?.jpg"))[: 2 * count]:
        yield int(path.name[:4]), image.read(path).pixels


def crops(count: int, archive: str) -> Iterator[tuple[int, Image]]:
    """Aligned crops of the training set with a number of their own."""
    with tarfile.open(SHARED / "data/train" / archive) as tar:
        members = [m for m in tar.getmembers() if m.isfile()]
        for member in members[:: max(1, len(members) // count)][:count]:
            stream = tar.extractfile(member)
            if stream is None:
                continue
            encoded = np.frombuffer(stream.read(), np.uint8)
            bgr = np.asarray(cv2.imdecode(encoded, cv2.IMREAD_COLOR), np.uint8)
            yield zlib.crc32(member.name.encode()), np.ascontiguousarray(bgr[..., ::-1])


def gather(people: int, faces: int) -> Samples:
    """Measure candidates and spectra on clean and covered pictures."""
    samples = Samples()
    serial = 0
    for person, photo in photos(people):
        rng = np.random.default_rng(serial)
        for kind in ("clean", "clean", "gauss", "gauss", "box"):
            serial += 1
            picture, box, size = (photo, None, 0.0) if kind == "clean" else cover(photo, rng, kind)
            quality = QUALITIES[rng.integers(len(QUALITIES))]
            if quality is not None:
                picture = degrade.Jpeg(quality)(picture)
            _measure(samples, picture, box, kind, size, serial, person)
    for number, crop in crops(faces // 4, "faces-256.tar"):
        serial += 1
        _measure(samples, crop, None, "clean", 0.0, serial, number)
    for number, crop in crops(faces, "faces-128.tar"):
        rng = np.random.default_rng(number)
        for kind in ("gauss", "gauss", "box"):
            picture, box, size = cover(crop, rng, kind)
            quality = QUALITIES[rng.integers(len(QUALITIES))]
            if quality is not None:
                picture = degrade.Jpeg(quality)(picture)
            _spectrum(samples, picture, _jittered(box, rng), kind, size, number)
    return samples


def _measure(
    samples: Samples,
    picture: Image,
    box: Box | None,
    kind: str,
    size: float,
    serial: int,
    person: int,
) -> None:
    luma = luma_of(picture)
    if box is None:
        samples.clean.add(serial)
    for candidate in blur.candidates(luma):
        overlap = 0.0 if box is None else candidate.box.iou(box)
        if 0.15 < overlap < 0.45:
            continue
        samples.candidates.append(np.array(candidate.features))
        samples.covered.append(overlap >= 0.45)
        samples.picture.append(serial)
        samples.candidate_fold.append(person % 2)
        if overlap >= 0.6:
            _add(samples, candidate.length, candidate.spectrum, kind, size, person)
    if box is not None:
        _spectrum(
            samples, picture, _jittered(box, np.random.default_rng(serial)), kind, size, person
        )


def _jittered(box: Box, rng: np.random.Generator) -> Box:
    dx = rng.normal(0.02, 0.03, 2) * box.width
    dy = rng.normal(0.02, 0.03, 2) * box.height
    return Box(max(0, box.x0 + dx[0]), max(0, box.y0 + dy[0]), box.x1 - dx[1], box.y1 - dy[1])


def _spectrum(
    samples: Samples, picture: Image, box: Box, kind: str, size: float, person: int
) -> None:
    x0, y0, x1, y1 = (round(v) for v in box.as_tuple())
    measured = kernel.features(luma_of(picture)[y0:y1, x0:x1])
    if measured is not None:
        _add(samples, *measured, kind, size, person)


def _add(
    samples: Samples, length: float, spectrum: Vector, kind: str, size: float, person: int
) -> None:
    samples.spectra.append(spectrum)
    samples.ratio.append(float(np.log(size / length)))
    samples.gauss.append(kind == "gauss")
    samples.spectrum_fold.append(person % 2)


def standardised(features: npt.NDArray[np.float64], quadratic: bool) -> Polynomial:
    """A polynomial with the features' mean and deviation and weights still zero."""
    count = features.shape[1]
    terms = 1 + count + (count * (count + 1) // 2 if quadratic else 0)
    return Polynomial(features.mean(axis=0), features.std(axis=0) + 1e-9, np.zeros(terms))


def ridge(
    shape: Polynomial, features: npt.NDArray[np.float64], target: Vector, penalty: float
) -> Polynomial:
    """Least squares with a penalty on the weights."""
    terms = shape.terms(features)
    normal = terms.T @ terms + penalty * np.eye(terms.shape[1])
    weights = np.linalg.solve(normal, terms.T @ target)
    return Polynomial(shape.mean, shape.deviation, np.asarray(weights, np.float64))


def logistic(
    shape: Polynomial, features: npt.NDArray[np.float64], target: Vector, penalty: float
) -> Polynomial:
    """Penalised logistic regression, both classes weighing the same (Newton's method)."""
    terms = shape.terms(features)
    share = target.mean()
    weight = np.where(target > 0, 0.5 / share, 0.5 / (1 - share))
    weights = np.zeros(terms.shape[1])
    identity = penalty * np.eye(terms.shape[1])
    for _ in range(25):
        p = 1 / (1 + np.exp(-np.clip(terms @ weights, -30, 30)))
        gradient = terms.T @ (weight * (p - target)) + penalty * weights
        hessian = (terms * (weight * p * (1 - p))[:, None]).T @ terms + identity
        weights = weights - np.linalg.solve(hessian, gradient)
    return Polynomial(shape.mean, shape.deviation, weights)


def fit(samples: Samples) -> dict[str, Polynomial]:
    """Fit all four functions, print two-fold figures, and set the threshold."""
    x, y = np.array(samples.candidates), np.array(samples.covered, float)
    fold, picture = np.array(samples.candidate_fold), np.array(samples.picture)
    shape = standardised(x, quadratic=False)
    logits = np.zeros(len(y))
    for k in (0, 1):
        other = logistic(shape, x[fold != k], y[fold != k], 3.0)
        logits[fold == k] = shape.terms(x[fold == k]) @ other.weights
    highest = {int(s): -99.0 for s in samples.clean}
    for s, z in zip(picture, logits, strict=True):
        if int(s) in highest:
            highest[int(s)] = max(highest[int(s)], float(z))
    threshold = float(np.quantile(list(highest.values()), CLEAN_RATE))
    print(f"clean pictures {len(highest)}, threshold {threshold:.2f}")
    print(f"covers kept {np.mean(logits[y > 0] > threshold):.4f} of {int(y.sum())} candidates")
    covered = logistic(shape, x, y, 3.0)
    covered.weights[0] -= threshold

    x, ratio = np.array(samples.spectra), np.array(samples.ratio)
    gauss, fold = np.array(samples.gauss), np.array(samples.spectrum_fold)
    shape = standardised(x, quadratic=True)
    error, right = np.zeros(len(ratio)), np.zeros(len(ratio), np.bool_)
    for k in (0, 1):
        train, test = fold != k, fold == k
        for kind in (True, False):
            other = ridge(shape, x[train & (gauss == kind)], ratio[train & (gauss == kind)], 10.0)
            at = test & (gauss == kind)
            error[at] = np.abs(np.expm1(shape.terms(x[at]) @ other.weights - ratio[at]))
        other = logistic(shape, x[train], gauss[train].astype(float), 10.0)
        right[test] = (shape.terms(x[test]) @ other.weights > 0) == gauss[test]
    for name, at in (("gauss", gauss), ("box", ~gauss)):
        print(
            f"{name}: {at.sum()} regions, kind right {right[at].mean():.3f}, size within 20 % "
            f"{np.mean(error[at] < 0.2):.3f}, 90 % within {np.quantile(error[at], 0.9):.3f}"
        )
    return {
        "is_covered": covered,
        "is_gauss": logistic(shape, x, gauss.astype(float), 10.0),
        "log_sigma": ridge(shape, x[gauss], ratio[gauss], 10.0),
        "log_side": ridge(shape, x[~gauss], ratio[~gauss], 10.0),
    }


def stored(functions: dict[str, Polynomial]) -> dict[str, Any]:
    """Plain numbers of six digits, for the JSON file."""

    def plain(values: Vector) -> list[float]:
        return [float(f"{v:.6g}") for v in values]

    return {
        name: {
            "mean": plain(f.mean),
            "deviation": plain(f.deviation),
            "weights": plain(f.weights),
        }
        for name, f in functions.items()
    }


def main() -> None:
    """Gather, fit, write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--people", type=int, default=140)
    parser.add_argument("--faces", type=int, default=600)
    parser.add_argument("--output", type=Path, default=TARGET)
    options = parser.parse_args()
    cv2.setNumThreads(1)
    functions = fit(gather(options.people, options.faces))
    options.output.write_text(json.dumps(stored(functions)) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
