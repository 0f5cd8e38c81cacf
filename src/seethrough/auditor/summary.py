"""What the audit of a picture amounts to, in one sentence."""

from __future__ import annotations

from collections.abc import Sequence

from seethrough.auditor.report.words import one_in
from seethrough.auditor.types import VERDICTS, FaceAudit, Leak, Level, Reading
from seethrough.types import Face, Operator

SHOWN = frozenset({"seen", "thumbnail", "transparent"})
"""Kinds of leaks that show a face itself."""


def best_odds(readings: Sequence[Reading], level: Level) -> float:
    """Return an attacker's best odds out of 100, over the recognisers."""
    return max(reading.of_100.p for reading in readings if reading.level == level)


def relative_strength(operator: Operator, face_width: float) -> float | None:
    """Return cells per face width, or a blur's size as a share of it."""
    if operator.size is None:
        return None
    return (
        face_width / operator.size[0]
        if operator.kind == "mosaic"
        else (operator.size[0] / face_width)
    )


def summary_of(faces: Sequence[FaceAudit], unnamed: int, *, seen: bool = False) -> str:
    """Say the verdict over a picture in one sentence.

    Parameters
    ----------
    faces : sequence of FaceAudit
        At least one.
    unnamed : int
        Faces under a cover that could not be named.
    seen : bool
        Whether one of those is seen all the same.
    """
    count = len(faces)
    worst = min(faces, key=lambda face: VERDICTS.index(face.verdict))
    alike = [n for n, face in enumerate(faces, 1) if face.verdict == worst.verdict]
    which = "The face" if count == 1 else f"{len(alike)} of {count} faces"
    are = "is" if len(alike) == 1 else "are"
    leaks_only = False
    if seen and VERDICTS.index(worst.verdict) > VERDICTS.index("exposed"):
        return f"A face is seen through its cover{_but(unnamed)}"
    match worst.verdict:
        case "uncovered":
            partly = all(_covered_at_times(faces[n - 1]) for n in alike)
            words = f"{which} {are} not covered {'in every frame' if partly else 'at all'}"
            words += _others(faces)
        case "exposed":
            words = f"{which} can still be recognised under the cover"
            leaks_only = all(_gives_itself_away(faces[n - 1]) for n in alike)
            if leaks_only:
                words = f"{which} {are} still given away by the redacted file itself"
        case "partly exposed":
            words = f"{which} {are} still given away in part"
        case _:
            return (
                "None of our attackers told the face from anybody else's"
                if count == 1
                else f"None of our attackers told any of the {count} faces from anybody else's"
            ) + _but(unnamed)
    exposed = [faces[n - 1] for n in alike if faces[n - 1].strongest is not None]
    if exposed and not leaks_only and worst.verdict != "uncovered":
        odds = max(best_odds(face.readings, face.strongest) for face in exposed if face.strongest)
        words += f": {one_in(odds)} to be picked out of 100 people, where chance is 1 in 100"
    return words + _but(unnamed)


def _gives_itself_away(face: FaceAudit) -> bool:
    """Whether it is exposed by what the file shows, whatever attackers read under its cover."""
    return face.strongest is None or any(leak.kind in SHOWN for leak in face.leaks)


def _covered_at_times(face: FaceAudit) -> bool:
    return face.film is not None and face.film.covered_frames > 0


def _others(faces: Sequence[FaceAudit]) -> str:
    """Say how many faces are given away by their covers, beside those that have none."""
    count = sum(face.covered and face.verdict != VERDICTS[-1] for face in faces)
    if not count:
        return ""
    return f", and {count} more {'is' if count == 1 else 'are'} given away under the cover"


def _but(unnamed: int) -> str:
    if not unnamed:
        return "."
    many = "1 face was" if unnamed == 1 else f"{unnamed} faces were"
    return f"; {many} not audited, as the cover could not be named."


UNKNOWN_COVER = "unknown cover"
"""Kind of the leak that says what could not be audited."""


def unnamed_leaks(unnamed: Sequence[Face], *, seen: bool = False) -> tuple[Leak, ...]:
    """Name the faces under a cover that could not be named: they were not audited.

    Parameters
    ----------
    unnamed : sequence of Face
        In pixels of the original.
    seen : bool
        Whether one of them is seen all the same.
    """
    through = "Under a cover that could not be named, a face is seen."
    return (Leak("seen", through),) * seen + tuple(
        Leak(
            UNKNOWN_COVER,
            f"The face at x {face.box.x0:.0f} to {face.box.x1:.0f}, y {face.box.y0:.0f} to "
            f"{face.box.y1:.0f} is covered in a way that could not be named, and was not audited: "
            "give --style.",
        )
        for face in unnamed
    )
