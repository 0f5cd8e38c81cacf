"""The attackers of PROTOCOL section 4, one module each behind one protocol.

A4, which fuses the frames of a film, has its place here and comes with films.
"""

from seethrough.auditor.attackers.base import (
    COVERED_WEIGHT,
    GREY,
    Attacker,
    Flags,
    Reads,
    Similarities,
    directions,
    shown,
    visible,
)
from seethrough.auditor.attackers.context import Context
from seethrough.auditor.attackers.naive import Naive
from seethrough.auditor.attackers.parrot import Parrot
from seethrough.auditor.attackers.restoring import Restoring
from seethrough.auditor.attackers.trained import Trained, fused

__all__ = [
    "COVERED_WEIGHT",
    "GREY",
    "Attacker",
    "Context",
    "Flags",
    "Naive",
    "Parrot",
    "Reads",
    "Restoring",
    "Similarities",
    "Trained",
    "directions",
    "fused",
    "shown",
    "visible",
]
