"""Options of the verb ``faces``."""

from __future__ import annotations

from dataclasses import dataclass

from seethrough.pipeline.options import RunOptions
from seethrough.tracker import OnLost, TrackOptions


@dataclass(frozen=True, kw_only=True)
class FacesOptions(RunOptions):
    """Options of ``faces``.

    Attributes
    ----------
    on_lost : {"hold", "cover-frame", "stop"}
        What ``tracks.json`` says where a face of a film is lost, as in
        :class:`seethrough.tracker.TrackOptions`.
    """

    on_lost: OnLost = "hold"

    def __post_init__(self) -> None:
        RunOptions.__post_init__(self)
        TrackOptions(on_lost=self.on_lost)

    @property
    def tracking(self) -> TrackOptions:
        """How faces are followed."""
        return TrackOptions(on_lost=self.on_lost)
