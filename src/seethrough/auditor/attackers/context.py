"""A5: looks at what the cover leaves: hair, outline, ears."""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar

from seethrough.auditor.attackers.trained import Trained
from seethrough.auditor.types import Level
from seethrough.session import Device


class Context(Trained):
    """The trained attacker's twin, trained on faces whose cover was blanked."""

    level: ClassVar[Level] = "A5"
    covers_gallery: ClassVar[bool] = False  # that would find the scene again, not the person

    def __init__(
        self, device: Device, threads: int | None, weights: str | Path = "attacker-context"
    ) -> None:
        super().__init__(device, threads, weights)
