"""Fit the coefficients of the operator finder: ``python -m benchmarks.operator_fit``.

Reads the photos of ``eval/lfw`` people 0000-0499, which are there for calibration, and aligned
crops of ``train/``; covers random rectangles and ellipses with Gaussian and box blurs, with and
without JPEG; measures what :mod:`seethrough.operators.blur` and ``kernel`` measure; likewise
covers rectangles, ellipses and bars with one colour for ``solid``; and writes
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
from seethrough.operators import blur, luma_of, rim, solid
from seethrough.operators.parameters import Polynomial
from seethrough.operators.steps import Plane
from seethrough.types import Box, Image

ROOT = Path(__file__).resolve().parents[1]
SHARED = Path(os.environ.get("SEETHROUGH_SHARED", ROOT.parent / "shared"))
TARGET = ROOT / "src" / "seethrough" / "assets" / "operators.json"
QUALITIES = (None, None, 75, 75, 50, 60, 85, 92)
CLEAN_RATE = 0.993
"""Share of clean pictures in which no blur may be reported; sets the threshold."""
CLEAN_OF_SOLIDS = 0.998
"""The same for solid covers."""
CHECKED = 100
"""People of ``eval/lfw`` that are left out, to look at while developing."""

Vector = npt.NDArray[np.float64]


@dataclass
class Samples:
    """What was measured, one entry for each candidate or region."""

    candidates: list[Vector] = field(default_factory=list)
    covered: list[bool] = field(default_factory=list)
    picture: list[int] = field(default_factory=list)
    candidate_fold: list[int] = field(default_factory=list)
    spectra: list[Vector] = field(default_factory=list)  # of the parts of one region
    ratio: list[Vector] = field(default_factory=list)
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
    for person in range(CHECKED, CHECKED + count):
        for number in (0, 1):
            path = SHARED / "data" / "eval" / "lfw" / f"{person:04d}_{number}.jpg"
            yield person, image.read(path).pixels


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


@dataclass
class Solids:
    """What was measured of solid covers, one entry for each candidate."""

    features: list[Vector] = field(default_factory=list)
    covered: list[bool] = field(default_factory=list)
    picture: list[int] = field(default_factory=list)
    fold: list[int] = field(default_factory=list)
    clean: set[int] = field(default_factory=set)
    hidden: int = 0  # pictures with a cover

    def add(self, picture: Image, box: Box | None, serial: int, person: int) -> None:
        """Measure one picture; ``box`` is its cover's."""
        if box is None:
            self.clean.add(serial)
        else:
            self.hidden += 1
        for candidate in solid.candidates(picture):
            overlap = 0.0 if box is None else candidate.box.iou(box)
            if 0.2 < overlap < 0.6:
                continue
            self.features.append(np.array(candidate.features))
            self.covered.append(overlap >= 0.6)
            self.picture.append(serial)
            self.fold.append(person % 2)


def fill(picture: Image, rng: np.random.Generator) -> tuple[Image, Box]:
    """Lay one colour over a rectangle, an ellipse or a bar, perhaps turned; return its box."""
    height, width = picture.shape[:2]
    shape = rng.choice(["rectangle", "ellipse", "bar"])
    w = width * float(np.exp(rng.uniform(np.log(0.18), np.log(0.6))))
    h = w / rng.uniform(3, 7) if shape == "bar" else w * rng.uniform(0.85, 1.5)
    w, h = max(w, 24), min(max(h, 11), 0.8 * height)
    cx, cy = (np.array([width, height]) * rng.normal((0.5, 0.47), 0.06)).tolist()
    turn = 0.0 if rng.random() < 0.4 else rng.normal(0, 8)
    mask = np.zeros((height, width), np.uint8)
    if shape == "ellipse":
        axes = (round(w * 8), round(h * 8))
        cv2.ellipse(mask, (round(cx * 16), round(cy * 16)), axes, turn, 0, 360, 1, -1, shift=4)
    else:
        corners = np.rint(cv2.boxPoints(((cx, cy), (w, h), turn))).astype(np.int32)
        cv2.fillPoly(mask, [corners], (1,))
    colour = rng.integers(0, 256, 3).astype(float)
    if rng.random() < 0.7:
        colour[:] = rng.choice([0.0, 0.0, 0.0, 255.0, colour[0]])
    opacity = rng.choice([1.0, 1.0, 0.98])
    covered = np.where(mask[..., None] > 0, picture + (colour - picture) * opacity, picture)
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    box = Box(*map(float, (columns[0], rows[0], columns[-1] + 1, rows[-1] + 1)))
    return np.floor(covered + 0.5).astype(np.uint8), box


def gather_solids(people: int) -> Solids:
    """Measure solid covers on clean and covered pictures."""
    solids = Solids()
    for index, (person, photo) in enumerate(photos(people)):
        rng = np.random.default_rng([1, index])
        for number in range(3):
            picture, box = (photo, None) if number == 0 else fill(photo, rng)
            solids.add(encoded(picture, rng), box, 3 * index + number, person)
    return solids


def fit_solids(solids: Solids) -> Polynomial:
    """Fit the judge of solid covers, print two-fold figures, and set its threshold."""
    x, y, fold = np.array(solids.features), np.array(solids.covered, float), np.array(solids.fold)
    shape = standardised(x, quadratic=False)
    logits = np.zeros(len(y))
    for k in (0, 1):
        other = logistic(shape, x[fold != k], y[fold != k], 1.0)
        logits[fold == k] = shape.terms(x[fold == k]) @ other.weights
    threshold = _threshold(solids.picture, logits, solids.clean, CLEAN_OF_SOLIDS)
    kept = int(np.sum((logits > threshold) & (y > 0)))
    print(f"solid: clean {len(solids.clean)}, threshold {threshold:.2f}, kept {kept}")
    print(f"of {int(y.sum())} candidates on {solids.hidden} covers")
    judge = logistic(shape, x, y, 1.0)
    judge.weights[0] -= threshold
    return judge


def _threshold(pictures: list[int], logits: Vector, clean: set[int], rate: float) -> float:
    """Logit that the best candidate exceeds in a share ``1 - rate`` of the clean pictures."""
    highest = dict.fromkeys(clean, -99.0)
    for picture, logit in zip(pictures, logits, strict=True):
        if picture in highest:
            highest[picture] = max(highest[picture], float(logit))
    return float(np.quantile(list(highest.values()), rate))


def gather(people: int, faces: int) -> Samples:
    """Measure candidates and spectra on clean and covered pictures."""
    samples = Samples()
    serial = 0
    for person, photo in photos(people):
        for kind in ("clean", "gauss", "box"):
            serial += 1
            rng = np.random.default_rng([2, serial])
            picture, box, size = (photo, None, 0.0) if kind == "clean" else cover(photo, rng, kind)
            _measure(samples, encoded(picture, rng), box, kind, size, serial, person)
    for number, crop in crops(faces // 4, "faces-256.tar"):
        serial += 1
        _measure(samples, crop, None, "clean", 0.0, serial, number)
    for number, crop in crops(faces, "faces-128.tar"):
        rng = np.random.default_rng(number)
        kind = "gauss" if rng.random() < 0.6 else "box"
        picture, box, size = cover(crop, rng, kind)
        luma = luma_of(encoded(picture, rng))
        _spectra(samples, luma, rim.fine_detail(luma), _jittered(box, rng), kind, size, number)
    return samples


def encoded(picture: Image, rng: np.random.Generator) -> Image:
    """Send a picture through a codec, or none."""
    if rng.random() < 0.05:
        return degrade.H264(float(rng.integers(20, 29)))(picture)
    quality = QUALITIES[rng.integers(len(QUALITIES))]
    return picture if quality is None else degrade.Jpeg(quality)(picture)


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
    detail = rim.fine_detail(luma)
    if box is None:
        samples.clean.add(serial)
    for candidate in blur.candidates(luma, detail):
        overlap = 0.0 if box is None else candidate.box.iou(box)
        if 0.15 < overlap < 0.45:
            continue
        samples.candidates.append(np.array(candidate.features))
        samples.covered.append(overlap >= 0.45)
        samples.picture.append(serial)
        samples.candidate_fold.append(person % 2)
        if overlap >= 0.5:
            _spectra(samples, luma, detail, candidate.box, kind, size, person)


def _jittered(box: Box, rng: np.random.Generator) -> Box:
    dx = rng.normal(0.02, 0.03, 2) * box.width
    dy = rng.normal(0.02, 0.03, 2) * box.height
    return Box(max(0, box.x0 + dx[0]), max(0, box.y0 + dy[0]), box.x1 - dx[1], box.y1 - dy[1])


def _spectra(
    samples: Samples, luma: Plane, detail: Plane, box: Box, kind: str, size: float, person: int
) -> None:
    """Add what the parts of a region show."""
    measured = blur.measured(luma, detail, box)
    if measured:
        samples.spectra.append(np.array([spectrum for _, spectrum in measured]))
        samples.ratio.append(np.log([size / length for length, _ in measured]))
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
    """Fit the functions of blurs, print two-fold figures, and set the threshold."""
    x, y = np.array(samples.candidates), np.array(samples.covered, float)
    fold = np.array(samples.candidate_fold)
    shape = standardised(x, quadratic=False)
    logits = np.zeros(len(y))
    for k in (0, 1):
        other = logistic(shape, x[fold != k], y[fold != k], 3.0)
        logits[fold == k] = shape.terms(x[fold == k]) @ other.weights
    threshold = _threshold(samples.picture, logits, samples.clean, CLEAN_RATE)
    print(f"clean pictures {len(samples.clean)}, threshold {threshold:.2f}")
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
    parser.add_argument("--only", choices=("blur", "solid"))
    parser.add_argument("--output", type=Path, default=TARGET)
    options = parser.parse_args()
    cv2.setNumThreads(1)
    functions = json.loads(options.output.read_text()) if options.only else {}
    if options.only != "blur":
        functions |= stored({"is_solid": fit_solids(gather_solids(options.people))})
    if options.only != "solid":
        functions |= stored(fit(gather(options.people, options.faces)))
    options.output.write_text(json.dumps(functions) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
