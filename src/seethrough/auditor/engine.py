"""Every attacker on one covered face: what each sees, and the odds that it finds the person."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

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
    covered_gallery: Reads
    """What that attacker reads in other photos of the person that are covered as well."""


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
        cases = [look.case for look in used]
        middle = used[len(used) // 2]
        same, kind = middle.case.same_frame, middle.case.operator.kind
        if kind == "solid":
            scores: dict[RecogniserName, float | None] = dict.fromkeys(RECOGNISERS)
            return self._readings("A4", middle.cover, scores, blind=True, same=same), ()
        covered = np.logical_or.reduce([case.covered for case in cases])
        pooled = shown(registered(cases)[None], visible("A3", kind, covered))
        reads, sight = self._pooled(pooled, middle.cover)
        counts = [*[1.0] * len(used), weight(cases)]
        together = joined([*(look.reads for look in used), reads], counts)
        score = self._among_frames if same else self._among_photos
        scores = {name: score(name, read, used) for name, read in together.items()}
        return self._readings("A4", middle.cover, scores, blind=False, same=same), (sight,)

    def _among_frames(
        self, name: RecogniserName, read: Descriptors, used: Sequence[_Look]
    ) -> float:
        """Score against the frames themselves, for want of another photo: their mean direction."""
        frames = np.stack([frame for look in used for frame in look.case.references])
        described = self._describe[name](frames)
        common = spaces()[name].direction(described).mean(axis=0)
        genuine = directions(name, read, described).mean(axis=1) / np.linalg.norm(common)
        return _standing(genuine, directions(name, read, spaces()[name].distractors))

    def _among_photos(
        self, name: RecogniserName, read: Descriptors, used: Sequence[_Look]
    ) -> float:
        """Score against other photos, covered as the frame in the middle is."""
        middle = used[len(used) // 2]
        described = self._describe[name](np.stack(middle.case.references))
        genuine = directions(name, read, described, middle.covered_gallery[name]).mean(axis=1)
        others = self._calibration.strangers(self._model_of("A4"), name, middle.cover)
        return _standing(genuine, others)

    def _pooled(self, crop: Crops, cover: odds.Cover) -> tuple[Reads, Sight]:
        """Read frames that were laid over one another as A2 and A3 read one frame."""
        reads: dict[Level, Reads] = {}
        sight = Sight("A4", crop[0])
        for attacker in self._attackers:
            if attacker.level == "A2":
                restored = attacker.look(crop)
                sight = Sight("A4", restored[0])
                reads["A2"] = attacker.read(restored)
            elif attacker.level == "A3":
                reads["A3"] = attacker.read(crop)
        return (self._fused(reads, cover) if "A3" in reads else reads["A2"]), sight

    def _fused(self, reads: dict[Level, Reads], cover: odds.Cover) -> Reads:
        weights = odds.fusion_weights(self._calibration.fusion, cover)
        return fused(reads["A2"], reads["A3"], weights)

    def _look(self, case: Case) -> _Look:
        cover = odds.Cover(case.operator, float(case.covered.mean()))
        references = np.stack(case.references)
        known = {name: describe(references) for name, describe in self._describe.items()}
        solid = case.operator.kind == "solid"
        # The frame itself, covered as well, equals the probe, whoever it shows.
        gallery = None if case.same_frame or solid else _covered_references(case)
        readings: list[Reading] = []
        sights: list[Sight] = []
        reads: dict[Level, Reads] = {}
        covered: dict[Level, Reads] = {}
        for attacker in self._attackers:
            level = attacker.level
            seen = visible(level, case.operator.kind, case.covered)
            sight = attacker.look(shown(case.probe[None], seen))
            sights.append(Sight(level, sight[0]))
            if gallery is not None and attacker.covers_gallery:
                covered[level] = attacker.read(attacker.look(shown(gallery, seen)))
            # A solid cover paints the same over everybody: nothing under it tells people apart.
            blind = seen.mean() < _GLIMPSE if level == "A5" else solid
            scores: dict[RecogniserName, float | None] = dict.fromkeys(RECOGNISERS)
            if not blind and (level != "A1" or level in covered):
                reads[level] = attacker.read(sight)
                if level == "A3":
                    reads[level] = self._fused(reads, cover)
                    if level in covered:
                        covered[level] = self._fused(covered, cover)
                scores = {
                    name: self._score(
                        attacker, cover, name, read, known[name], covered.get(level, {}).get(name)
                    )
                    for name, read in reads[level].items()
                }
            readings += self._readings(level, cover, scores, blind=blind, same=case.same_frame)
        best: Level = "A3" if "A3" in reads else "A2"
        return _Look(
            case,
            cover,
            tuple(readings),
            tuple(sights),
            reads.get(best, {}),
            covered.get(best, {}),
        )

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

        Where the gallery is covered as well, strangers' similarities come from the model: no photos
        of strangers ship that could be covered too.
        """
        genuine = attacker.compare(name, read, known, covered).mean(axis=1)
        if covered is None:
            others = attacker.compare(name, read, spaces()[name].distractors)
        else:
            others = self._calibration.strangers(attacker.level, name, cover)
        return _standing(genuine, others)

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


def _covered_references(case: Case) -> Crops:
    """The photos of the person, covered as the face is."""
    return np.stack([case.cover(reference) for reference in case.references])


def _standing(genuine: npt.NDArray[np.float64], strangers: npt.NDArray[np.float64]) -> float:
    """One probe's similarity among those of strangers."""
    return float(odds.z_score(genuine, strangers)[0])


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
