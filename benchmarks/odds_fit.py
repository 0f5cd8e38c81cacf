"""Fits the audit's odds: which samples are drawn, and the logistic regression on them."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from benchmarks.identification import outcome
from benchmarks.reads import Name, People, Reader, cover_of
from benchmarks.styles import Style
from seethrough.auditor import odds
from seethrough.auditor.recognisers import RECOGNISERS, RecogniserName
from seethrough.auditor.space import spaces
from seethrough.auditor.types import Level

Float = npt.NDArray[np.float64]
RIDGE = 0.5
"""Of the logistic weights; keeps a family apart from its neighbours only where data say so."""
STEPS = 60
FUSION_STYLES = ("mosaic-8", "gauss-6")
"""Shown in a table of weights."""
FUSION_WEIGHTS = (0.1, 0.15, 0.25, 0.35, 0.5, 0.75, 1.0, 1.5, 2.0, 3.0)
"""Of the trained attacker, at a family's usual strength."""
FUSION_SLOPES = (0.0, 0.5, 1.0, 1.5)
"""Powers of two that it counts more for each doubling of the strength."""


@dataclass(frozen=True, slots=True, eq=False)
class Sample:
    """One attacker, recogniser and style: what it scored, and how it fared.

    Attributes
    ----------
    people : ndarray
        ``(N,)``: numbers of the people.
    z : mapping
        Whether the gallery held the same frame to ``float64 (N,)``, the score against strangers,
        or ``None`` where there is none.
    hits : mapping
        Size of the gallery to ``float64 (N,)``: share of galleries in which the right person,
        by another photo, came first.
    strangers : ndarray
        ``float64 (2,)``: mean and standard deviation of the similarities between different people
        of the gallery.
    covers_gallery : bool
        Whether the attacker covers the gallery too.
    """

    level: Level
    recogniser: RecogniserName
    cover: odds.Cover
    people: People
    z: Mapping[bool, Float | None]
    hits: Mapping[int, Float]
    strangers: Float
    covers_gallery: bool


def level_of(name: Name) -> Level:
    """What the audit calls an attacker of the tables: its A3 is A2 and A3 together."""
    return "A3" if name == "A2+A3" else name


def samples(
    reader: Reader,
    style: Style,
    people: People,
    fusion: odds.Fusion,
    *,
    people_as_strangers: bool = False,
) -> list[Sample]:
    """Every attacker's scores under one style.

    Parameters
    ----------
    reader : Reader
        Reads and people.
    style : Style
        A cover that the audit can name.
    people : ndarray
        Whose probes.
    fusion : mapping
        Weight of the trained attacker beside the restoring one.
    people_as_strangers : bool
        Compare with the other people of ``eval/lfw`` instead of the shipped descriptors. Strangers
        whose photos are covered too are other people in any case, until :func:`with_impostors`.
    """
    assert style.operator is not None
    cover = cover_of(style)
    frames = reader.frames(people)
    found = []
    for name in reader.names:
        solid = style.operator.kind == "solid" and name != "A5"
        if name == "A3" or solid or not reader.applies(name, style):
            continue
        reads, gallery = reader.reads(name, style, people, fusion), reader.clean_gallery()
        against = reader.similarities(name, style, people, fusion)
        attacker = reader.attacker(name)
        owners = reader.owners(people)
        for recogniser in RECOGNISERS:
            read, similarities = reads[recogniser], against[recogniser]
            genuine = similarities[np.arange(len(people)), owners]
            others = _others(similarities, owners)
            between = np.array([others.mean(), others.std(axis=1).mean()])
            z: dict[bool, Float | None] = {False: None, True: None}
            if name != "A1":  # with the frame itself, strangers are described and never covered
                if people_as_strangers:
                    alone = attacker.compare(recogniser, read, gallery[recogniser])
                    strangers = _others(alone, owners)
                else:
                    known = spaces()[recogniser].distractors
                    strangers = attacker.compare(recogniser, read, known)
                same = np.diag(attacker.compare(recogniser, read, frames[recogniser]))
                z[True] = odds.z_score(same, strangers)
            if attacker.covers_gallery:
                z[False] = odds.z_score(genuine, between)
            else:
                z[False] = odds.z_score(genuine, strangers)
            scored = outcome(similarities, owners)
            hits = {100: scored.of_100, 1000: scored.first}
            covers = attacker.covers_gallery
            found.append(
                Sample(level_of(name), recogniser, cover, people, z, hits, between, covers)
            )
    return found


def with_impostors(sample: Sample, impostors: Mapping[str, Float]) -> Sample:
    """The score against strangers as the fitted model knows them, where photos are covered too."""
    z, key = sample.z[False], odds.impostor_key(sample.level, sample.recogniser)
    if key not in impostors or z is None:
        return sample
    genuine = z * sample.strangers[1] + sample.strangers[0]
    known = odds.strangers(impostors[key], sample.cover)
    return replace(sample, z={**sample.z, False: odds.z_score(genuine, known)})


def _others(similarities: Float, owners: People) -> Float:
    mask = np.ones(similarities.shape, np.bool_)
    mask[np.arange(len(owners)), owners] = False
    return similarities[mask].reshape(len(owners), -1)


def fit_fusion(
    reader: Reader, styles: Sequence[Style], people: People, *, covers: bool = True
) -> odds.Fusion:
    """How much the trained attacker counts, so that most calibration people are named.

    For every family of covers its own, over all strengths together. Without ``covers`` for
    attackers that leave their gallery as it is.
    """
    usual: dict[RecogniserName, float] = dict.fromkeys(RECOGNISERS, 1.0)
    if "A2+A3" not in reader.names:
        return odds.alike(usual)
    reached: dict[tuple[RecogniserName, str], list[float]] = {}
    for weight in FUSION_WEIGHTS:
        fusion = odds.alike(dict.fromkeys(RECOGNISERS, weight))
        for style in styles:
            similarities = reader.similarities("A2+A3", style, people, fusion, covers=covers)
            for recogniser, values in similarities.items():
                scored = outcome(values, reader.owners(people))
                named = float(scored.first.mean() + scored.of_100.mean())
                reached.setdefault((recogniser, style.name), []).append(named)
    grid = np.log(FUSION_WEIGHTS)

    def total(recogniser: RecogniserName, family: str, pair: tuple[float, float]) -> float:
        fusion = {recogniser: {family: pair}}
        return sum(
            float(np.interp(np.log(odds.fusion_weights(fusion, cover)[recogniser]), grid, scores))
            for style in styles
            if (cover := cover_of(style)).operator.kind == family
            and (scores := reached[recogniser, style.name])
        )

    pairs = list(itertools.product(FUSION_WEIGHTS, FUSION_SLOPES))
    return {
        name: {
            family: max(pairs, key=lambda pair: total(name, family, pair))
            for family in odds.alike(usual)[name]
        }
        for name in RECOGNISERS
    }


def fit_impostors(found: Sequence[Sample]) -> dict[str, Float]:
    """Similarities between strangers as smooth functions of the cover, where photos are covered."""
    fitted = {}
    for level, recogniser in sorted({(s.level, s.recogniser) for s in found if s.covers_gallery}):
        chosen = [s for s in found if (s.level, s.recogniser) == (level, recogniser)]
        x = np.stack([odds.impostor_features(s.cover) for s in chosen])
        y = np.stack([[s.strangers[0], np.log(max(s.strangers[1], 1e-6))] for s in chosen])
        normal = x.T @ x + 1e-3 * np.eye(x.shape[1])
        solved = np.asarray(np.linalg.solve(normal, x.T @ y).T, np.float64)
        fitted[odds.impostor_key(level, recogniser)] = solved
    return fitted


def fit(found: Sequence[Sample], *, same_frame: bool, people: int) -> odds.Logistic:
    """Logistic regression over all styles of one attacker and recogniser.

    The covariance is that of weights over draws of people (the sandwich estimator, clustered by
    person), since one person's rows under several styles are not independent.
    """
    x, y, who = rows(found, same_frame=same_frame, people=people)
    weights = np.zeros(x.shape[1])
    for _ in range(STEPS):
        p = 1 / (1 + np.exp(-np.clip(x @ weights, -30, 30)))
        slope = x.T @ (y - p) - RIDGE * weights
        curve = (x * (p * (1 - p))[:, None]).T @ x + RIDGE * np.eye(len(weights))
        step = np.linalg.solve(curve, slope)
        weights = weights + step * min(1.0, 3 / max(float(np.abs(step).max()), 1e-9))
        if np.abs(step).max() < 1e-7:
            break
    p = 1 / (1 + np.exp(-np.clip(x @ weights, -30, 30)))
    scores = np.zeros((int(who.max()) + 1, len(weights)))
    np.add.at(scores, who, x * (y - p)[:, None])
    inverse = np.linalg.inv((x * (p * (1 - p))[:, None]).T @ x + RIDGE * np.eye(len(weights)))
    return odds.Logistic(weights, inverse @ (scores.T @ scores) @ inverse)


def rows(
    found: Sequence[Sample], *, same_frame: bool, people: int
) -> tuple[Float, Float, npt.NDArray[np.intp]]:
    """Features, outcomes and people of all samples, one row for each probe."""
    x, y, who = [], [], []
    for sample in found:
        z = sample.z[same_frame]
        made = odds.features(sample.level, sample.cover, z, people)
        x.append(made if z is not None else np.tile(made, (len(sample.people), 1)))
        y.append(sample.hits[people])
        who.append(sample.people)
    return np.concatenate(x), np.concatenate(y), np.concatenate(who)


def calibrate(found: Sequence[Sample], fusion: odds.Fusion) -> odds.Calibration:
    """Fit every attacker, recogniser and kind of gallery."""
    impostors = fit_impostors(found)
    found = [with_impostors(sample, impostors) for sample in found]
    models: dict[str, dict[int, odds.Logistic]] = {}
    for level, recogniser in sorted({(s.level, s.recogniser) for s in found}):
        chosen = [s for s in found if (s.level, s.recogniser) == (level, recogniser)]
        for same in (False, True):
            models[odds.key(level, recogniser, same)] = {
                people: fit(chosen, same_frame=same, people=people) for people in odds.GALLERIES
            }
    people = len(np.unique(np.concatenate([sample.people for sample in found])))
    return odds.Calibration(models, impostors, fusion, people)


@dataclass(frozen=True, slots=True, eq=False)
class Checked:
    """Predictions and outcomes, one for each probe, style, attacker and recogniser."""

    predicted: Float
    hits: Float
    people: People

    def error(self, bins: int = 10) -> float:
        """Mean absolute difference between predicted and reached over bins of the prediction."""
        return _error(self.predicted, self.hits, bins)

    def interval(self, rng: np.random.Generator, draws: int = 200) -> tuple[float, float]:
        """95 % bootstrap interval of :meth:`error` over people."""
        order = np.argsort(self.people, kind="stable")
        who, starts = np.unique(self.people[order], return_index=True)
        groups = np.split(order, starts[1:])
        errors = []
        for _ in range(draws):
            chosen = np.concatenate([groups[i] for i in rng.integers(0, len(who), len(who))])
            errors.append(_error(self.predicted[chosen], self.hits[chosen], 10))
        low, high = np.percentile(errors, [2.5, 97.5])
        return float(low), float(high)


def _error(predicted: Float, hits: Float, bins: int) -> float:
    which = np.minimum((predicted * bins).astype(int), bins - 1)
    count = np.bincount(which, minlength=bins)
    gap = np.bincount(which, predicted - hits, minlength=bins)
    return float(np.abs(gap).sum() / max(count.sum(), 1))


def check(
    calibration: odds.Calibration, found: Sequence[Sample], *, same_frame: bool, people: int
) -> Checked:
    """What the calibration predicts of samples, beside what happened."""
    predicted, hits, who = [], [], []
    for sample in found:
        model = calibration.models[odds.key(sample.level, sample.recogniser, same_frame)][people]
        x, y, owners = rows([sample], same_frame=same_frame, people=people)
        predicted.append(model(x)[:, 0])
        hits.append(y)
        who.append(owners)
    return Checked(np.concatenate(predicted), np.concatenate(hits), np.concatenate(who))
