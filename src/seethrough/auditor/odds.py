"""From an attacker's similarity to the odds that it picks the right person.

A similarity means nothing by itself. It is first set against similarities to strangers
(:func:`z_score`): the same probe's own, or, where the attacker covers the gallery as well, those
that are usual between strangers (:func:`strangers`). Then it is read by a logistic model that was
fitted to what the attacker achieved on PROTOCOL's calibration people, for every attacker,
recogniser and kind of gallery (:mod:`benchmarks.odds` fits and checks it). The models know the
operator only by its family and the logarithm of its strength, so that odds change smoothly from one
strength to the next. A cover stronger than all that were fitted is read as the strongest of them.

Where an audit has no other photo of a person, the attacker is given the covered frame itself. Its
similarity is then read by a model of its own: how well do such attackers do with *another* photo,
given what they see in this one. Reports mark these odds.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
import numpy.typing as npt

from seethrough.auditor.recognisers import RecogniserName
from seethrough.auditor.shipped import read_shipped
from seethrough.auditor.types import Level, Odds
from seethrough.types import Operator

FILE = "odds.json"
GALLERIES = (100, 1000)
"""Among how many people; nothing is extrapolated past the second."""
WIDTH = 1.96
"""Standard errors on either side of a 95 % interval."""

Float = npt.NDArray[np.float64]
Fusion = Mapping[RecogniserName, Mapping[str, tuple[float, float]]]
"""For each recogniser, and each family of covers, how much the trained attacker counts beside the
restoring one at the family's usual strength, and by how many powers of two more for each doubling
of the strength: the more a cover hides, the less a restorer has to go on."""

_FAMILIES = ("mosaic", "gauss", "box", "eye-bar")
_USUAL = {"mosaic": 8.0, "gauss": 6.0, "box": 31.0}  # px of the crop: where log strength is 0
_FITTED = {"mosaic": (4.0, 32.0), "gauss": (1.5, 18.0), "box": (15.0, 94.0)}  # px, likewise
_PARTIAL = 0.98  # of the crop: a smaller cover leaves something of the head


@dataclass(frozen=True, slots=True)
class Cover:
    """What the model knows of a cover.

    Attributes
    ----------
    operator : Operator
        Lengths in pixels of the 128 px crop.
    share : float
        Of the crop's pixels that are covered, range [0, 1].
    """

    operator: Operator
    share: float

    @property
    def strength(self) -> float:
        """Binary logarithm of the operator's length, 0 where that is a usual one.

        At most that of the strongest cover that the models were fitted on: beyond it they would
        promise what nobody measured.
        """
        usual = _USUAL.get(self.operator.kind)
        if usual is None or self.operator.size is None:
            return 0.0
        length = math.sqrt(self.operator.size[0] * self.operator.size[1])
        return math.log2(min(max(length, 1.0), _FITTED[self.operator.kind][1]) / usual)


def fusion_weights(fusion: Fusion, cover: Cover) -> dict[RecogniserName, float]:
    """How much the trained attacker counts beside the restoring one, under one cover.

    A cover without a family is read as a mosaic of the usual strength.
    """
    kind = cover.operator.kind
    strength = cover.strength
    if kind in _USUAL:
        strength = max(strength, math.log2(_FITTED[kind][0] / _USUAL[kind]))
    else:
        kind, strength = "mosaic", 0.0
    found = {}
    for recogniser, families in fusion.items():
        usual, slope = families[kind]
        found[recogniser] = usual * 2 ** (slope * strength)
    return found


def alike(weights: Mapping[RecogniserName, float]) -> Fusion:
    """The same weight under every cover."""
    return {name: dict.fromkeys(_USUAL, (weight, 0.0)) for name, weight in weights.items()}


def z_score(genuine: Float, strangers: Float) -> Float:
    """Set each probe's similarity to its own person against those to strangers.

    Parameters
    ----------
    genuine : ndarray
        ``(N,)``.
    strangers : ndarray
        ``(N, M)``, or ``(2,)``: their mean and standard deviation, where these are known.
    """
    if strangers.ndim == 1:
        mean, spread = strangers
    else:
        mean, spread = strangers.mean(axis=1), strangers.std(axis=1)
    return np.asarray((genuine - mean) / np.maximum(spread, 1e-9), np.float64)


def tail(z: Float, people: int) -> Float:
    """How far a normal score is ahead of the best among ``people - 1`` strangers' scores.

    The chance that it comes first is ``exp(-exp(-t))`` of the value ``t`` that is returned
    (Gumbel's law of the largest), which is held to twelve on either side.
    """
    bounded = np.clip(np.atleast_1d(z), -8, 8)
    behind = np.array([0.5 * math.erfc(value / math.sqrt(2)) for value in bounded])
    ahead = -np.log(-np.log1p(-behind)) - math.log(people - 1)
    return np.asarray(np.clip(ahead, -12, 12), np.float64)


def family(cover: Cover) -> list[float]:
    """Family, log strength within the family, and whether something is left uncovered."""
    member = [float(cover.operator.kind == name) for name in _FAMILIES]
    within = [flag * cover.strength for flag in member[:3]]
    return [*member, *within, float(cover.share < _PARTIAL)]


def features(level: Level, cover: Cover, z: Float | None, people: int) -> Float:
    """What the logistic model is linear in, ``float64 (N, F)``.

    Parameters
    ----------
    level : str
        The context attacker sees no operator, only how much is covered.
    cover : Cover
        The same for all rows.
    z : ndarray or None
        ``(N,)``; ``None`` where the similarity says nothing: the parrot with the very frame.
    people : int
        Size of the gallery.
    """
    fixed = [1.0, cover.share] if level == "A5" else family(cover)
    if z is None:
        return np.array([fixed])
    ahead = tail(z, people)[:, None]
    return np.concatenate([np.tile(fixed, (len(ahead), 1)), ahead], axis=1)


def impostor_features(cover: Cover) -> Float:
    """What an attacker's similarities between strangers are linear in: ``(F,)``."""
    member, strength = family(cover), cover.strength
    if (fitted := _FITTED.get(cover.operator.kind)) is not None:  # a parabola, soon far off
        strength = max(strength, math.log2(fitted[0] / _USUAL[cover.operator.kind]))
    linear = [flag * strength for flag in member[:3]]
    squared = [flag * strength**2 for flag in member[:3]]
    return np.array([*member[:4], *linear, *squared, member[-1]])


def strangers(fitted: Float, cover: Cover) -> Float:
    """Mean and standard deviation of an attacker's similarity between strangers, ``(2,)``.

    For attackers that cover the gallery: no photos of strangers ship, which could be covered as
    well. ``fitted`` is ``float64 (2, F)``, linear in :func:`impostor_features`:
    mean, and logarithm of the deviation.
    """
    mean, log_spread = fitted @ impostor_features(cover)
    return np.array([mean, math.exp(log_spread)])


@dataclass(frozen=True, slots=True, eq=False)
class Logistic:
    """A fitted model: log odds are linear in the features.

    Attributes
    ----------
    weights : ndarray
        ``float64 (F,)``.
    covariance : ndarray
        ``float64 (F, F)`` of the weights, over draws of calibration people.
    """

    weights: Float
    covariance: Float

    def __call__(self, x: Float) -> Float:
        """Probability with its 95 % interval, ``float64 (N, 3)``: p, low, high."""
        middle = x @ self.weights
        spread = WIDTH * np.sqrt(np.maximum(((x @ self.covariance) * x).sum(axis=1), 0))
        logits = np.stack([middle, middle - spread, middle + spread], axis=1)
        return np.asarray(1 / (1 + np.exp(-logits)), np.float64)


def key(level: Level, recogniser: RecogniserName, same_frame: bool) -> str:
    """Name of a model in the asset."""
    return f"{level} {recogniser} {'same frame' if same_frame else 'other photo'}"


def impostor_key(level: Level, recogniser: RecogniserName) -> str:
    """Name of the strangers of an attacker in the asset."""
    return f"{level} {recogniser}"


@dataclass(frozen=True, slots=True, eq=False)
class Calibration:
    """Every model, and the constants fitted with them.

    Attributes
    ----------
    models : mapping
        :func:`key` to a model for each of :data:`GALLERIES`.
    impostors : mapping
        :func:`impostor_key` to ``float64 (2, F)``: the similarity between strangers of an attacker
        that covers its gallery, mean and logarithm of the standard deviation, linear in
        :func:`impostor_features`.
    fusion : mapping
        How much the trained attacker counts: :func:`fusion_weights`.
    people : int
        How many people it was fitted on.
    """

    models: Mapping[str, Mapping[int, Logistic]]
    impostors: Mapping[str, Float]
    fusion: Fusion
    people: int

    def knows(self, level: Level, recogniser: RecogniserName, same_frame: bool) -> bool:
        """Whether the attacker has been calibrated."""
        return key(level, recogniser, same_frame) in self.models

    def strangers(self, level: Level, recogniser: RecogniserName, cover: Cover) -> Float:
        """Mean and standard deviation of a similarity between strangers: :func:`strangers`."""
        return strangers(self.impostors[impostor_key(level, recogniser)], cover)

    def odds(
        self,
        level: Level,
        recogniser: RecogniserName,
        cover: Cover,
        z: float | None,
        *,
        same_frame: bool,
    ) -> tuple[Odds, Odds]:
        """Odds among 100 and among 1,000 people."""
        found = []
        for people in GALLERIES:
            model = self.models[key(level, recogniser, same_frame)][people]
            score = None if z is None else np.array([z])
            ((p, low, high),) = model(features(level, cover, score, people))
            found.append((float(p), float(low), float(high)))
        # Nobody is found more easily in a larger crowd; two fits may say so at their ends.
        larger = [min(pair) for pair in zip(*found, strict=True)]
        return Odds(GALLERIES[0], *found[0]), Odds(GALLERIES[1], *larger)


def chance() -> tuple[Odds, Odds]:
    """Odds of an attacker that sees nothing which depends on the person."""
    first, second = (Odds(people, *[1 / people] * 3) for people in GALLERIES)
    return first, second


def to_json(calibration: Calibration) -> str:
    """Serialise, rounded to six digits."""

    def listed(values: Float) -> Any:
        return np.vectorize(lambda value: float(f"{value:.6g}"))(values).tolist()

    document = {
        "people": calibration.people,
        "fusion": {
            name: {family: listed(np.array(pair)) for family, pair in families.items()}
            for name, families in calibration.fusion.items()
        },
        "impostors": {name: listed(values) for name, values in calibration.impostors.items()},
        "models": {
            name: {
                str(people): {
                    "weights": listed(model.weights),
                    "covariance": listed(model.covariance),
                }
                for people, model in models.items()
            }
            for name, models in calibration.models.items()
        },
    }
    return json.dumps(document, separators=(",", ":")).replace('},"', '},\n"') + "\n"


def from_json(text: str) -> Calibration:
    """Read what :func:`to_json` wrote."""
    document = json.loads(text)
    return Calibration(
        models={
            name: {
                int(people): Logistic(np.array(m["weights"]), np.array(m["covariance"]))
                for people, m in models.items()
            }
            for name, models in document["models"].items()
        },
        impostors={name: np.array(values) for name, values in document["impostors"].items()},
        fusion={
            name: {family: (pair[0], pair[1]) for family, pair in families.items()}
            for name, families in document["fusion"].items()
        },
        people=document["people"],
    )


@cache
def calibration() -> Calibration:
    """Return the calibration that ships.

    Raises
    ------
    MissingPartError
        Where the asset is missing or damaged.
    """
    return read_shipped(FILE, lambda path: from_json(path.read_text(encoding="utf-8")))


def above_chance(odds: Sequence[Odds], level: float = 0.05) -> list[bool]:
    """Which odds lie above chance, corrected for asking so often (Holm).

    An interval is taken for that of a normal variable on the scale of log odds.

    Parameters
    ----------
    odds : sequence of Odds
        All that are asked about at once.
    level : float
        Probability of any false answer.
    """

    def logit(p: float) -> float:
        bounded = min(max(p, 1e-9), 1 - 1e-9)
        return math.log(bounded / (1 - bounded))

    values = []
    for each in odds:
        spread = (logit(each.high) - logit(each.low)) / (2 * WIDTH)
        distance = logit(each.p) - logit(each.chance)
        score = distance / spread if spread > 0 else (0.0 if distance <= 0 else math.inf)
        values.append(0.5 * math.erfc(score / math.sqrt(2)))
    found = [False] * len(values)
    for rank, index in enumerate(sorted(range(len(values)), key=values.__getitem__)):
        if values[index] * (len(values) - rank) > level:
            break
        found[index] = True
    return found
