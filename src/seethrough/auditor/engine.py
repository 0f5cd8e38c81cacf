"""Every attacker on one covered face: what each sees, and the odds that it finds the person."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from seethrough import weights as weight_table
from seethrough.auditor import odds
from seethrough.auditor.attackers import (
    Attacker,
    Context,
    Naive,
    Parrot,
    Reads,
    Restoring,
    Trained,
    directions,
    fused,
    shown,
    visible,
)
from seethrough.auditor.recognisers import (
    RECOGNISERS,
    Crops,
    Descriptors,
    Recogniser,
    RecogniserName,
)
from seethrough.auditor.space import spaces
from seethrough.auditor.types import Case, Level, Reading, Sight, Verdict
from seethrough.restorer import Restorer
from seethrough.session import Device
from seethrough.types import WeightsUsed

EXPOSED = 0.5
"""Odds among 100 people from which a face counts as exposed."""
_GLIMPSE = 0.02  # of the crop: with less than this in sight an attacker sees nothing


class AuditEngine:
    """The attackers, loaded once.

    Parameters
    ----------
    device : {"auto", "cpu", "cuda"}
        Where the networks run.
    threads : int, optional
        Threads for one run on the CPU; all usable processors where absent.

    Raises
    ------
    MissingPartError
        Where weights, an asset or the device are missing.
    """

    def __init__(self, device: Device = "auto", threads: int | None = None) -> None:
        self._calibration = odds.calibration()
        recognisers = [Recogniser(name, device, threads) for name in RECOGNISERS]
        self._describe = {each.name: each.describe for each in recognisers}
        restorer = Restorer(device, threads)
        shipped = {record.name for record in weight_table.WEIGHTS}
        self._attackers: list[Attacker] = [
            Naive(recognisers),
            Parrot(recognisers),
            Restoring(recognisers, restorer),
        ]
        if "attacker" in shipped:
            self._attackers.append(Trained(device, threads))
        if "attacker-context" in shipped:
            self._attackers.append(Context(device, threads))
        own = {"attacker", "attacker-context", *(f"recogniser-{name}" for name in RECOGNISERS)}
        self.weights: tuple[WeightsUsed, ...] = (
            restorer.weights,
            *(record.used for record in weight_table.WEIGHTS if record.name in own),
        )

    def read(self, case: Case) -> tuple[tuple[Reading, ...], tuple[Sight, ...]]:
        """Let every attacker look at one covered face.

        Parameters
        ----------
        case : Case
            The original degraded again, and photos of the person for the attackers' gallery.

        Returns
        -------
        readings : tuple of Reading
            One for each attacker and recogniser. ``A3`` is what the restoring and the trained
            attacker read together.
        sights : tuple of Sight
            What each attacker sees.
        """
        cover = odds.Cover(case.operator, float(case.covered.mean()))
        references = np.stack(case.references)
        known = {name: describe(references) for name, describe in self._describe.items()}
        readings: list[Reading] = []
        sights: list[Sight] = []
        reads: dict[Level, Reads] = {}
        for attacker in self._attackers:
            level = attacker.level
            seen = visible(level, case.operator.kind, case.covered)
            sight = attacker.look(shown(case.probe[None], seen))
            sights.append(Sight(level, sight[0]))
            # A solid cover paints the same over everybody: nothing under it tells people apart.
            blind = seen.mean() < _GLIMPSE if level == "A5" else case.operator.kind == "solid"
            scores: dict[RecogniserName, float | None] = {}
            if blind:
                scores = dict.fromkeys(RECOGNISERS)
            elif attacker.covers_gallery:
                if case.same_frame:  # the covered frame equals the probe, whoever it shows
                    scores = dict.fromkeys(RECOGNISERS)
                else:
                    gallery = np.stack([case.cover(reference) for reference in references])
                    scores = self._parrot(attacker, sight, shown(gallery, seen), cover)
            else:
                reads[level] = attacker.read(sight)
                if level == "A3":
                    reads[level] = fused(reads["A2"], reads["A3"], self._calibration.fusion)
                scores = {
                    name: self._score(attacker, name, read, known[name])
                    for name, read in reads[level].items()
                }
            readings += self._readings(level, cover, scores, blind=blind, same=case.same_frame)
        return tuple(readings), tuple(sights)

    def _score(
        self, attacker: Attacker, name: RecogniserName, read: Descriptors, known: Descriptors
    ) -> float:
        """The person's similarity among those of strangers."""
        compare = directions if attacker.level == "A3" else attacker.compare
        genuine = compare(name, read, known).mean(axis=1)
        return float(odds.z_score(genuine, compare(name, read, spaces()[name].distractors))[0])

    def _parrot(
        self, attacker: Attacker, sight: Crops, gallery: Crops, cover: odds.Cover
    ) -> dict[RecogniserName, float | None]:
        """The same where photos are covered too; strangers' similarities come from the model."""
        probe, covered = attacker.read(sight), attacker.read(gallery)
        return {
            name: float(
                odds.z_score(
                    attacker.compare(name, probe[name], covered[name]).mean(axis=1),
                    self._calibration.strangers(name, cover),
                )[0]
            )
            for name in probe
        }

    def _readings(
        self,
        level: Level,
        cover: odds.Cover,
        scores: dict[RecogniserName, float | None],
        *,
        blind: bool,
        same: bool,
    ) -> list[Reading]:
        found = []
        for name, z in scores.items():
            if blind:
                of_100, of_1000 = odds.chance()
            elif self._calibration.knows(level, name, same):
                of_100, of_1000 = self._calibration.odds(level, name, cover, z, same_frame=same)
            else:
                continue
            found.append(Reading(level, name, of_100, of_1000, upper_bound_only=same))
        return found


def verdict(readings: Sequence[Reading]) -> tuple[Verdict, Level | None]:
    """Judge one covered face.

    Parameters
    ----------
    readings : sequence of Reading
        From :meth:`AuditEngine.read`.

    Returns
    -------
    verdict : str
        ``exposed`` where the highest odds among 100 people are at least one half; ``partly
        exposed`` where any lie above chance, corrected for the number of readings (Holm);
        otherwise ``not distinguishable from chance``.
    strongest : str or None
        The attacker with the highest odds, where any lie above chance.
    """
    best = max(readings, key=lambda reading: reading.of_100.p, default=None)
    if best is None:
        return "not distinguishable from chance", None
    if best.of_100.p >= EXPOSED:
        return "exposed", best.level
    above = odds.above_chance([reading.of_100 for reading in readings])
    found = [reading for reading, is_above in zip(readings, above, strict=True) if is_above]
    if not found:
        return "not distinguishable from chance", None
    return "partly exposed", max(found, key=lambda reading: reading.of_100.p).level
