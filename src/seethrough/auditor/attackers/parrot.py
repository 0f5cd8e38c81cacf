"""A1: covers the photos that it searches in the same way, and compares like with like.

R. McPherson, R. Shokri, V. Shmatikov, "Defeating image obfuscation with deep learning", 2016, after
E. Newton, L. Sweeney, B. Malin, "Preserving privacy by de-identifying face images", TKDE 17(2),
2005, who named it parrot recognition.
"""

from __future__ import annotations

from typing import ClassVar

from seethrough.auditor.attackers.base import Recognising
from seethrough.auditor.types import Level


class Parrot(Recognising):
    """Sees like the naive attacker, in a gallery that is covered too."""

    level: ClassVar[Level] = "A1"
    covers_gallery: ClassVar[bool] = True
