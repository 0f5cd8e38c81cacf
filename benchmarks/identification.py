"""Closed-set identification: ranks, odds among fewer people, verification, significance."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from benchmarks.results import Estimate

Float = npt.NDArray[np.float64]
DRAWS = 10
"""Galleries of 100 that are drawn for each probe."""
FALSE_ACCEPT = 1e-3
SIGNIFICANT = 0.01


@dataclass(frozen=True, slots=True, eq=False)
class Outcome:
    """How one attacker fared with each probe.

    Attributes
    ----------
    first : ndarray
        ``float64 (N,)``: 1 where the right person is the most similar of all, ties shared.
    tenth : ndarray
        ``float64 (N,)``: 1 where the person is among the ten most similar.
    of_100 : ndarray
        ``float64 (N,)``: share of the seeded draws of 100 people in which the person is first.
    accepted : ndarray
        ``float64 (N,)``: 1 where the similarity is above that of all but one in 1,000 strangers.
    """

    first: Float
    tenth: Float
    of_100: Float
    accepted: Float


def outcome(similarities: Float, owners: npt.NDArray[np.intp], seed: int = 0) -> Outcome:
    """Score probes against a gallery.

    Parameters
    ----------
    similarities : ndarray
        ``(N, M)``: every probe with every photo of the gallery, larger for more alike.
    owners : ndarray
        ``(N,)``: column of each probe's person.
    seed : int
        Of the draws of 100.
    """
    count, people = similarities.shape
    rows = np.arange(count)
    genuine = similarities[rows, owners]
    strangers = np.ones(similarities.shape, np.bool_)
    strangers[rows, owners] = False
    others = similarities[strangers].reshape(count, people - 1)
    above = (others > genuine[:, None]).sum(axis=1)
    level = (others == genuine[:, None]).sum(axis=1)
    threshold = np.quantile(others, 1 - FALSE_ACCEPT)
    of_100 = np.zeros(count)
    smaller = min(99, people - 1)
    for draw in range(DRAWS):
        rng = np.random.default_rng([seed, draw])
        some = others[:, rng.permutation(people - 1)[:smaller]]
        best = (some > genuine[:, None]).sum(axis=1) == 0
        of_100 += best / (1 + (some == genuine[:, None]).sum(axis=1)) / DRAWS
    return Outcome(
        first=np.where(above == 0, 1 / (1 + level), 0),
        tenth=np.clip((10 - above) / (1 + level), 0, 1),
        of_100=of_100,
        accepted=(genuine > threshold).astype(np.float64),
    )


def wilson(values: Float) -> Estimate:
    """Mean of shares with Wilson's 95 % interval, which is right for none and for all too."""
    n, share, z = len(values), float(values.mean()), 1.96
    middle = (share + z * z / (2 * n)) / (1 + z * z / n)
    half = z * math.sqrt(share * (1 - share) / n + z * z / (4 * n * n)) / (1 + z * z / n)
    return Estimate(share, min(max(0.0, middle - half), share), max(middle + half, share), n)


def binomial_tail(hits: int, trials: int, chance: float) -> float:
    """Probability of at least so many hits by chance."""
    if hits <= 0:
        return 1.0
    terms = (
        math.exp(
            math.lgamma(trials + 1)
            - math.lgamma(k + 1)
            - math.lgamma(trials - k + 1)
            + k * math.log(chance)
            + (trials - k) * math.log1p(-chance)
        )
        for k in range(hits, trials + 1)
    )
    return min(1.0, math.fsum(terms))


def holm(values: Sequence[float], level: float = SIGNIFICANT) -> list[bool]:
    """Which of many p values are significant together (S. Holm, 1979)."""
    found = [False] * len(values)
    for rank, index in enumerate(sorted(range(len(values)), key=values.__getitem__)):
        if values[index] * (len(values) - rank) >= level:
            break
        found[index] = True
    return found
