"""Coefficients of the operator finder, fitted by ``python -m benchmarks.operator_fit``."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

import numpy as np
import numpy.typing as npt

Vector = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Polynomial:
    """A linear or quadratic function of standardised features, clipped at four deviations.

    Attributes
    ----------
    mean, deviation : ndarray
        ``float64 (F,)``.
    weights : ndarray
        ``float64``: a constant, then one weight for each feature, then, if quadratic, one for
        each product ``i <= j``.
    """

    mean: Vector
    deviation: Vector
    weights: Vector

    def terms(self, features: Vector) -> npt.NDArray[np.float64]:
        """Return the terms that the weights multiply, ``(..., F) -> (..., terms)``."""
        z = np.clip((features - self.mean) / self.deviation, -4, 4)
        out = [np.ones((*z.shape[:-1], 1)), z]
        if len(self.weights) > 1 + z.shape[-1]:
            i, j = np.triu_indices(z.shape[-1])
            out.append(z[..., i] * z[..., j])
        return np.concatenate(out, axis=-1)

    def __call__(self, features: Vector) -> float:
        """Evaluate at one vector of features."""
        return float(self.terms(features) @ self.weights)


@dataclass(frozen=True, slots=True, eq=False)
class Parameters:
    """The five fitted functions.

    Attributes
    ----------
    is_covered : Polynomial
        Logit that a candidate of :mod:`blur` is a cover, of ``blur.FEATURES``.
    is_gauss : Polynomial
        Logit that a kernel is Gaussian rather than a box, of ``kernel.features``.
    log_sigma, log_side : Polynomial
        Logarithm of a Gaussian's sigma and of a box's side, over the change length.
    is_solid : Polynomial
        Logit that a candidate of :mod:`solid` is a cover, of ``solid.FEATURES``.
    """

    is_solid: Polynomial
    is_covered: Polynomial
    is_gauss: Polynomial
    log_sigma: Polynomial
    log_side: Polynomial


@cache
def parameters() -> Parameters:
    """Return the fitted functions, read once from ``assets/operators.json``."""
    text = files("seethrough").joinpath("assets", "operators.json").read_text(encoding="utf-8")
    stored: dict[str, Any] = json.loads(text)
    return Parameters(
        **{
            name: Polynomial(
                *(np.array(stored[name][part]) for part in ("mean", "deviation", "weights"))
            )
            for name in ("is_solid", "is_covered", "is_gauss", "log_sigma", "log_side")
        }
    )
