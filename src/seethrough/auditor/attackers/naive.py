"""A0: recognises the covered face as it is."""

from __future__ import annotations

from typing import ClassVar

from seethrough.auditor.attackers.base import Recognising
from seethrough.auditor.types import Level


class Naive(Recognising):
    """Hands the covered face to a recogniser."""

    level: ClassVar[Level] = "A0"
    covers_gallery: ClassVar[bool] = False
