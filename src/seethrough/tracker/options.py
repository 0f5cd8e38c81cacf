"""How faces are followed, as one frozen record."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias, get_args

from seethrough.errors import UsageError

OnLost: TypeAlias = Literal["hold", "cover-frame", "stop"]


@dataclass(frozen=True, slots=True)
class TrackOptions:
    """How faces are followed.

    Attributes
    ----------
    on_lost : {"hold", "cover-frame", "stop"}
        What happens where a face is lost: it was seen, did not leave at the border, and can
        neither be seen nor followed. ``hold`` keeps its box and lets it grow for ``hold``
        seconds, or until it is seen again; ``cover-frame`` lets it cover the whole frame for
        that time; ``stop`` raises an error that names the times.
    hold : float
        Seconds, at least 0.
    every : int
        Detect on every n-th frame and follow by motion between, at least 1.
    long_side : int
        Long side in pixels of the frames that the detector sees, at least 160.
    """

    on_lost: OnLost = "hold"
    hold: float = 2.0
    every: int = 2
    long_side: int = 640

    def __post_init__(self) -> None:
        if self.on_lost not in get_args(OnLost):
            raise UsageError(
                f"there is no --on-lost {self.on_lost!r}", "use hold, cover-frame or stop"
            )
        if not 0 <= self.hold <= 3600:
            raise UsageError(f"a face cannot be held for {self.hold:g} s", "give 0 to 3600 seconds")
        if self.every < 1:
            raise UsageError(f"every {self.every} frames cannot be detected", "give 1 or more")
        if self.long_side < 160:
            raise UsageError(
                f"faces cannot be found on frames of {self.long_side} px", "give 160 or more"
            )
