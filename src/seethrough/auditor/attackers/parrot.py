"""A1: covers the photos that it searches in the same way, and compares like with like.

R. McPherson, R. Shokri, V. Shmatikov, "Defeating image obfuscation with deep learning", 2016, after
E. Newton, L. Sweeney, B. Malin, "Preserving privacy by de-identifying face images", TKDE 17(2),
2005, who named it parrot recognition.
"""

from __future__ import annotations

from typing import ClassVar

from seethrough.auditor.attackers.base import Recognising, Similarities
from seethrough.auditor.recognisers import Descriptors, RecogniserName
from seethrough.auditor.types import Level


class Parrot(Recognising):
    """Sees like the naive attacker, in a gallery that is covered too."""

    level: ClassVar[Level] = "A1"
    covers_gallery: ClassVar[bool] = True

    def compare(
        self,
        name: RecogniserName,
        read: Descriptors,
        gallery: Descriptors,
        covered_gallery: Descriptors | None = None,
    ) -> Similarities:
        """Compare with the covered photos alone, as the recogniser itself does.

        Raises
        ------
        ValueError
            Without them: a parrot has nothing else to go by.
        """
        if covered_gallery is None:
            raise ValueError("the parrot compares with covered photos; give them")
        return super().compare(name, read, covered_gallery)
