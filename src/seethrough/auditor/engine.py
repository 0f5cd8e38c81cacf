"""Every attacker on one covered face: what each sees, and the odds that it finds the person."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

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
from seethrough.auditor.attackers.film import alike, joined, registered, typical, weight
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


@dataclass(frozen=True, slots=True, eq=False)
class _Look:
    """What the attackers made of one covered face."""

    case: Case
    cover: odds.Cover
    readings: tuple[Reading, ...]
    sights: tuple[Sight, ...]
    reads: Reads
    """What single looks read best: A3's, or A2's where there is no A3."""


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
        tuned = Restorer(device, threads, weight_table.locate("attacker-restorer"))
        shipped = {record.name for record in weight_table.WEIGHTS}
        self._attackers: list[Attacker] = [
            Naive(recognisers),
            Parrot(recognisers),
            Restoring(recognisers, restorer, tuned),
        ]
        if "attacker" in shipped:
            self._attackers.append(Trained(device, threads))
        if "attacker-context" in shipped:
            self._attackers.append(Context(device, threads))
        own = {"attacker", "attacker-context", *(f"recogniser-{name}" for name in RECOGNISERS)}
        self.weights: tuple[WeightsUsed, ...] = (
            restorer.weights,
            tuned.weights,
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
        look = self._look(case)
        return look.readings, look.sights

    def read_film(self, cases: Sequence[Case]) -> tuple[tuple[Reading, ...], tuple[Sight, ...]]:
        """Let every attacker look at several frames of one covered face.

        Parameters
        ----------
        cases : sequence of Case
            At least one.

        Returns
        -------
        readings, sights
            As of :meth:`read`: those of the frame in the middle, for each attacker by itself;
            and, where there is more than one frame, ``A4``, which joins them.
        """
        looks = [self._look(case) for case in cases]
        readings, sights = typical([(look.readings, look.sights) for look in looks])
        if len(looks) < 2:
            return readings, sights
        more, sight = self._joined(looks)
        # In the order of the levels, as reports list them.
        return (
            tuple(sorted((*readings, *more), key=lambda reading: reading.level)),
            tuple(sorted((*sights, *sight), key=lambda each: each.level)),
        )

    def _joined(self, looks: Sequence[_Look]) -> tuple[list[Reading], tuple[Sight, ...]]:
        """A4: what the frames read together. Its odds are read as those of one look."""
        used = [looks[index] for index in alike([look.case for look in looks])]
        middle = used[len(used) // 2]
        same = middle.case.same_frame
        kind = middle.case.operator.kind
        if kind == "solid":
            scores: dict[RecogniserName, float | None] = dict.fromkeys(RECOGNISERS)
            return self._readings("A4", middle.cover, scores, blind=True, same=same), ()
        covered = np.logical_or.reduce([look.case.covered for look in used])
        cases = [look.case for look in used]
        reads, sight = self._pooled(shown(registered(cases)[None], visible("A3", kind, covered)))
        counts = [*[1.0] * len(used), weight(cases)]
        together = joined([*(look.reads for look in used), reads], counts)
        scores = {}
        if not same:
            photos = shown(_covered(middle.case), visible("A3", kind, covered))
            level, (alike_read, _) = self._model_of("A4"), self._pooled(photos)
            for name, read in together.items():
                described = self._describe[name](np.stack(middle.case.references))
                genuine = directions(name, read, described, alike_read[name]).mean(axis=1)
                others = self._calibration.strangers(level, name, middle.cover)
                scores[name] = float(odds.z_score(genuine, others)[0])
            return self._readings("A4", middle.cover, scores, blind=False, same=same), (sight,)
        # For want of another photo: the mean direction of the frames that were looked at.
        frames = np.stack([photo for case in cases for photo in case.references])
        for name, read in together.items():
            described = self._describe[name](frames)
            common = spaces()[name].direction(described).mean(axis=0)
            genuine = directions(name, read, described).mean(axis=1) / np.linalg.norm(common)
            strangers = directions(name, read, spaces()[name].distractors)
            scores[name] = float(odds.z_score(genuine, strangers)[0])
        return self._readings("A4", middle.cover, scores, blind=False, same=same), (sight,)

    def _pooled(self, crops: Crops) -> tuple[Reads, Sight]:
        """Read crops as A2 and A3 read one frame together; what A2 sees in the first."""
        reads: dict[Level, Reads] = {}
        sight = Sight("A4", crops[0])
        for attacker in self._attackers:
            if attacker.level == "A2":
                restored = attacker.look(crops)
                sight = Sight("A4", restored[0])
                reads["A2"] = attacker.read(restored)
            elif attacker.level == "A3":
                reads["A3"] = attacker.read(crops)
        if "A3" in reads:
            return fused(reads["A2"], reads["A3"], self._calibration.fusion), sight
        return reads["A2"], sight

    def _look(self, case: Case) -> _Look:
        cover = odds.Cover(case.operator, float(case.covered.mean()))
        references = np.stack(case.references)
        known = {name: describe(references) for name, describe in self._describe.items()}
        readings: list[Reading] = []
        sights: list[Sight] = []
        reads: dict[Level, Reads] = {}
        photos: dict[Level, Reads] = {}  # what is read in references that are covered alike
        for attacker in self._attackers:
            level = attacker.level
            seen = visible(level, case.operator.kind, case.covered)
            sight = attacker.look(shown(case.probe[None], seen))
            sights.append(Sight(level, sight[0]))
            # A solid cover paints the same over everybody: nothing under it tells people apart.
            blind = seen.mean() < _GLIMPSE if level == "A5" else case.operator.kind == "solid"
            scores: dict[RecogniserName, float | None] = {}
            # The frame itself, covered alike, equals the probe, whoever it shows.
            covers = attacker.covers_gallery and not case.same_frame
            if blind or (level == "A1" and not covers):
                scores = dict.fromkeys(RECOGNISERS)
            else:
                reads[level] = attacker.read(sight)
                if covers:
                    photos[level] = attacker.read(attacker.look(shown(_covered(case), seen)))
                if level == "A3":
                    reads[level] = fused(reads["A2"], reads["A3"], self._calibration.fusion)
                    if covers:
                        photos[level] = fused(photos["A2"], photos["A3"], self._calibration.fusion)
                alike_read = photos.get(level, {})
                scores = {
                    name: self._score(
                        attacker, cover, name, read, known[name], alike_read.get(name)
                    )
                    for name, read in reads[level].items()
                }
            readings += self._readings(level, cover, scores, blind=blind, same=case.same_frame)
        reading = reads.get("A3", reads.get("A2", {}))
        return _Look(case, cover, tuple(readings), tuple(sights), reading)

    def _score(
        self,
        attacker: Attacker,
        cover: odds.Cover,
        name: RecogniserName,
        read: Descriptors,
        known: Descriptors,
        covered: Descriptors | None,
    ) -> float:
        """The person's similarity among those of strangers.

        Where photos were covered alike, strangers' similarities come from the model: no photos of
        strangers ship that could be covered as well.
        """
        genuine = attacker.compare(name, read, known, covered).mean(axis=1)
        if covered is None:
            others = attacker.compare(name, read, spaces()[name].distractors)
        else:
            others = self._calibration.strangers(attacker.level, name, cover)
        return float(odds.z_score(genuine, others)[0])

    def _model_of(self, level: Level) -> Level:
        """Whose model reads an attacker's scores: nobody has calibrated several looks."""
        if level != "A4":
            return level
        return "A3" if any(each.level == "A3" for each in self._attackers) else "A2"

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
        model = self._model_of(level)
        for name, z in scores.items():
            if blind:
                of_100, of_1000 = odds.chance()
            elif self._calibration.knows(model, name, same):
                of_100, of_1000 = self._calibration.odds(model, name, cover, z, same_frame=same)
            else:
                continue
            found.append(Reading(level, name, of_100, of_1000, same, bool(blind or model == level)))
        return found


def _covered(case: Case) -> Crops:
    """The photos of the person, covered as the face is."""
    return np.stack([case.cover(reference) for reference in case.references])


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
