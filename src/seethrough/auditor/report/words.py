"""Odds, covers and findings in words that need no statistics."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass

from seethrough.auditor.types import (
    VERDICTS,
    Bare,
    FaceAudit,
    FilmFace,
    Level,
    Odds,
    PictureAudit,
    Reading,
)
from seethrough.types import Operator

RAREST = 2000
"""Rarer odds than 1 in this many are not told apart: galleries end at 1,000 people."""
_TIMES = 5  # spans of time that a sentence names


@dataclass(frozen=True, slots=True)
class Attacker:
    """How the report speaks of one level of PROTOCOL section 4."""

    name: str
    does: str
    sees: str


ATTACKERS: dict[Level, Attacker] = {
    "A0": Attacker(
        "Looks as it is",
        "runs face recognition on the covered face as it is",
        "The cover itself",
    ),
    "A1": Attacker(
        "Covers its own photos",
        "covers its own photos of everybody in the same way and compares like with like",
        "Its own photo of the person, covered the same way",
    ),
    "A2": Attacker(
        "Restores first",
        "restores the face with a neural network, then runs face recognition on the guess",
        "Restoration: a guess, not the person",
    ),
    "A3": Attacker(
        "Trained on covers",
        "uses a network trained to read identity straight from covered faces",
        "What the trained network was given",
    ),
    "A4": Attacker(
        "Joins many frames",
        "joins the frames of a film in which the face is covered",
        "Many frames joined: a guess, not the person",
    ),
    "A5": Attacker(
        "Ignores the cover",
        "sees only what lies outside the cover: hair, outline, ears",
        "What lies outside the cover",
    ),
}

RECOGNISERS = {"dlib": "dlib", "mobilefacenet": "MobileFaceNet"}


def recogniser(name: str) -> str:
    """The recogniser's proper name."""
    return RECOGNISERS.get(name, name)


def one_in(p: float) -> str:
    """Say a probability the way people say odds.

    Parameters
    ----------
    p : float
        Range [0, 1].

    Returns
    -------
    str
        ``1 in 3``, ``1 in 130``, ``7 in 10``; ``under 1 in 2,000`` below :data:`RAREST`, and
        ``over 99 in 100`` near certainty.

    Raises
    ------
    ValueError
        Where ``p`` is no probability.
    """
    if not 0 <= p <= 1:
        raise ValueError(f"{p} is no probability")
    if p * RAREST < 1 - 1e-9:
        return f"under 1 in {RAREST:,}"
    if p >= 0.995:
        return "over 99 in 100"
    if p >= 0.95:
        return f"{math.floor(p * 100 + 0.5)} in 100"
    if p > 0.4:
        tenths = min(math.floor(p * 10 + 0.5), 9)
        return "1 in 2" if tenths == 5 else f"{tenths} in 10"
    return f"1 in {_two_digits(1 / p):,}"


def between(odds: Odds) -> str:
    """Say the 95 % interval: ``1 in 5 to 1 in 2``, or ``up to 1 in 50`` where it has no floor."""
    low, high = one_in(odds.low), one_in(odds.high)
    if odds.low * RAREST < 1 <= odds.high * RAREST:
        return f"up to {high}"
    return low if low == high else f"{low} to {high}"


def glued(text: str) -> str:
    """Keep the parts of ``1 in 3`` and ``95 %`` on one line."""
    return re.sub(r"(?<=\d) (?=in \d|%)|(?<=\d in) (?=\d)", "\N{NO-BREAK SPACE}", text)


def above_chance(odds: Odds) -> bool:
    """Whether the whole interval lies above a blind guess."""
    return odds.low > odds.chance


def cover(operator: Operator | None, strength: float | None) -> str:
    """Say how a face was covered.

    Parameters
    ----------
    operator : Operator or None
        Lengths in pixels of the redacted picture.
    strength : float or None
        Cells per face width (mosaic), or the blur's size as a share of it.
    """
    if operator is None:
        return "Covered in a way that could not be named"
    match operator.kind:
        case "solid":
            return "Solid cover"
        case "eye-bar":
            return "Bar over the eyes"
        case "mosaic":
            words = "Mosaic" + (f", cells of {_sides(operator.size)} px" if operator.size else "")
            return words + (f", {strength:.2g} to a face width" if strength else "")
        case "gauss" | "box":
            words = "Gaussian blur" if operator.kind == "gauss" else "Box blur"
            length = "sigma" if operator.kind == "gauss" else "kernel"
            words += f", {length} {_sides(operator.size)} px" if operator.size else ""
            return words + (f", {100 * strength:.2g} % of the face width" if strength else "")


def strongest(face: FaceAudit) -> Reading | None:
    """The best reading of the strongest attacker; ``None`` where none is above chance."""
    readings = [reading for reading in face.readings if reading.level == face.strongest]
    return max(readings, key=lambda reading: reading.of_100.p, default=None)


def clock(seconds: float) -> str:
    """Say a time of a film: ``0:03.20``, ``1:02:03.00``."""
    hundredths = max(math.floor(seconds * 100 + 0.5), 0)
    minutes, rest = divmod(hundredths, 6000)
    hours, minutes = divmod(minutes, 60)
    lead = f"{hours}:{minutes:02d}" if hours else f"{minutes}"
    return f"{lead}:{rest // 100:02d}.{rest % 100:02d}"


def seen(face: FilmFace) -> str:
    """Say when a film shows a face, and at how many frames the attackers looked."""
    words = f"From {clock(face.from_)} to {clock(face.to)}."
    if not face.looks:
        return words
    frames = "One frame was" if face.looks == 1 else f"{face.looks} frames were"
    words += f" {frames} looked at closely."
    if face.looks > 1:
        words += " Every attacker but A4 sees one frame; the one in the middle of its odds counts."
    return words


def is_bare(face: FilmFace, at: float) -> bool:
    """Whether a face is bare at a time."""
    return any(span.from_ - 1e-6 <= at < span.to - 1e-6 for span in face.bare)


def times(bare: Sequence[Bare]) -> str:
    """Say when a face is bare: ``from 0:03.20 to 0:03.28 (2 frames)``, at most five times."""
    said = [
        f"from {clock(span.from_)} to {clock(span.to)} "
        f"({span.frames} {'frame' if span.frames == 1 else 'frames'})"
        for span in bare[:_TIMES]
    ]
    if len(bare) > _TIMES:
        left = len(bare) - _TIMES
        said.append(f"{left} more {'time' if left == 1 else 'times'}")
    return said[0] if len(said) == 1 else ", ".join(said[:-1]) + " and " + said[-1]


def finding(face: FaceAudit) -> str:
    """Say what became of one face in a few sentences."""
    if not face.covered and face.film is not None and face.film.covered_frames:
        frames = sum(span.frames for span in face.film.bare)
        bare = (
            f"In {frames} {'frame' if frames == 1 else 'frames'} the redacted film leaves this "
            "face uncovered. Anybody who knows the person recognises them there; no attack is "
            "needed."
        )
        return f"{bare} In the others it is covered. {_attacked(face)}" if face.readings else bare
    if not face.covered and face.film is not None:
        return (
            "The redacted film leaves this face uncovered. "
            "Anybody who knows the person recognises them; no attack is needed."
        )
    if not face.covered:
        return (
            "The redacted picture leaves this face uncovered. "
            "Anybody who knows the person recognises them; no attack is needed."
        )
    return _attacked(face)


def _attacked(face: FaceAudit) -> str:
    """Say what the attackers read."""
    if not face.readings:
        return "No attacker could be run on this face, so nothing is known of its odds."
    best = strongest(face)
    if best is None:
        itself = "The redacted file itself gives this face away, as found above. "
        return (
            f"{itself if face.leaks else ''}None of our attackers did better than a blind guess. "
            f"That is no proof that nobody can. {_context(face.readings)}".rstrip()
        )
    few, many = best.of_100, best.of_1000
    return (
        f"The strongest attacker {ATTACKERS[best.level].does} ({best.level}). "
        f"Among {few.people:,} people it picks the right one {one_in(few.p)} times "
        f"(95 %: {between(few)}); a blind guess is right {one_in(few.chance)} times. "
        f"Among {many.people:,} people it is right {one_in(many.p)} times. "
        f"{_second_opinion(face.readings, best)}".rstrip()
    )


def headline(audits: Sequence[PictureAudit]) -> str:
    """The verdict over all pictures in one sentence."""
    if len(audits) == 1:
        return audits[0].summary
    worst = min((audit.verdict for audit in audits), key=VERDICTS.index)
    count = sum(audit.verdict == worst for audit in audits)
    what = kinds(audits)
    where = f"{count} of {len(audits)} {what}"
    match worst:
        case "uncovered":
            return f"In {where} a face is not covered at all."
        case "exposed":
            return f"In {where} a covered face can still be recognised."
        case "partly exposed":
            return f"In {where} a cover still gives part of the identity away."
        case _:
            return f"In none of {len(audits)} {what} did our attackers beat a blind guess."


def kinds(audits: Sequence[PictureAudit]) -> str:
    """Say what was audited: ``pictures``, ``films`` or, where there are both, ``files``."""
    films = sum(audit.length is not None for audit in audits)
    return "pictures" if not films else "films" if films == len(audits) else "files"


def duration(seconds: float) -> str:
    """Say a duration: ``8.4 seconds``, ``3 min 5 s``."""
    if seconds < 100:
        return f"{seconds:.1f} seconds"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest} s"


def _second_opinion(readings: Sequence[Reading], best: Reading) -> str:
    """Whether the other recognisers see what the strongest attacker found."""
    others = [r for r in readings if r.level == best.level and r.recogniser != best.recogniser]
    if not others:
        return ""
    names = " and ".join(recogniser(reading.recogniser) for reading in others)
    agree = all(above_chance(reading.of_100) for reading in others)
    return (
        f"Measured with the face recogniser {recogniser(best.recogniser)}; {names} "
        f"{'also finds it' if agree else 'finds nothing'} above chance."
    )


def _context(readings: Sequence[Reading]) -> str:
    """The upper bound of what shows around the cover, where it was measured."""
    outside = [reading.of_100 for reading in readings if reading.level == "A5"]
    if not outside:
        return ""
    worst = max(outside, key=lambda odds: odds.high)
    return (
        f"What shows outside the cover (hair, outline, ears) is matched {one_in(worst.p)} times "
        f"among {worst.people:,} people; at the 95 % limit, {one_in(worst.high)} times."
    )


def _two_digits(value: float) -> int:
    """Round to two significant digits, half up, at least 1."""
    step = 10 ** max(math.floor(math.log10(value)) - 1, 0)
    return int(max(math.floor(value / step + 0.5) * step, 1))


def _sides(size: tuple[float, float] | None) -> str:
    """One length, or two where the sides differ."""
    if size is None:
        return ""
    sides = [f"{side:.3g}" for side in size]
    return sides[0] if sides[0] == sides[1] else " by ".join(sides)
