"""Sightings of one frame in, patches to paint out."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from seethrough.redactor import classic, region
from seethrough.redactor.blanked import Blanked
from seethrough.redactor.region import Region
from seethrough.redactor.safe_blur import MEMORY as MEMORY
from seethrough.redactor.safe_blur import SafeBlur
from seethrough.redactor.silhouette import Silhouettes
from seethrough.redactor.source import Sighting, Source
from seethrough.redactor.style import Style
from seethrough.session import Device
from seethrough.types import Patch

_BLACK = np.zeros((1, 1, 3), np.uint8)


class Coverer:
    """Covers the faces of one film, frame after frame, or of one photo.

    Parameters
    ----------
    style : Style
        What the covers look like.
    shape : (int, int)
        Height and width of the frames in upright, stored pixels.
    sample_aspect : float
        Width of a stored pixel in its heights.
    device, threads
        As in :func:`seethrough.session.open_session`; only ``silhouette`` runs a network.

    Notes
    -----
    ``safe-blur`` is smoothed over the frames that it is given in turn: one coverer for each film,
    every frame in order.
    """

    def __init__(
        self,
        style: Style,
        shape: tuple[int, int],
        sample_aspect: float = 1.0,
        device: Device = "auto",
        threads: int | None = None,
    ) -> None:
        self.style = style
        self._shape = shape
        self._aspect = float(sample_aspect)
        self._safe_blur = SafeBlur(self._aspect) if style.name == "safe-blur" else None
        self._silhouettes = (
            Silhouettes(self._aspect, device, threads) if style.name == "silhouette" else None
        )

    def regions(self, sightings: Sequence[Sighting]) -> list[Region]:
        """Return where the faces will be covered, whatever the frame shows there."""
        return [r for r in self._regions(sightings) if r is not None]

    def _regions(self, sightings: Sequence[Sighting]) -> list[Region | None]:
        shape = {"eye-bar": region.eye_bar, "blur": region.face, "mosaic": region.face}.get(
            self.style.name, region.head
        )
        return [
            region.whole(self._shape)
            if region.spans(s.box, self._shape)
            else shape(s, self._shape, self._aspect, self.style.grow)
            for s in sightings
        ]

    def remember(self, source: Source, sightings: Sequence[Sighting]) -> None:
        """Look at a frame that is not to be covered again.

        Before a film goes on after an interruption: the last :data:`MEMORY` frames, in order,
        make the covers those of a film that was never interrupted.
        """
        memory = self._safe_blur or self._silhouettes
        if memory is not None:
            memory.remember(Blanked(source, self.regions(sightings)), sightings)

    def patches(self, source: Source, sightings: Sequence[Sighting]) -> list[Patch]:
        """Cover the faces of one frame.

        Parameters
        ----------
        source : Source
            The frame, not painted yet. The safe styles read no pixel of it under any cover.
        sightings : sequence of Sighting
            Every face to cover in it, none that lies wholly outside.

        Returns
        -------
        list of Patch
            To be painted in this order. One for each face that reaches into the frame; for
            ``silhouette`` one for all; a black one over the whole frame where a box spans it.
        """
        if any(region.spans(s.box, self._shape) for s in sightings):
            self.remember(source, sightings)
            return [self.whole()]
        regions = self._regions(sightings)
        covers = [r for r in regions if r is not None]
        if self.style.name == "blur":
            return classic.blurred(source, sightings, self.style, self._aspect)
        if self.style.name == "mosaic":
            return classic.mosaicked(source, sightings, self.style, self._aspect)
        if self._safe_blur is not None:
            return self._safe_blur.patches(Blanked(source, covers), sightings, regions)
        if self._silhouettes is not None and covers:
            people = self._silhouettes.region(Blanked(source, covers), sightings, covers)
            return [solid(people)]
        return [solid(r) for r in covers]

    def whole(self) -> Patch:
        """Cover the whole frame."""
        return solid(region.whole(self._shape))


def solid(where: Region) -> Patch:
    """Paint a region black; one pixel stands for all of them (strides of 0)."""
    pixels = np.broadcast_to(_BLACK, (*where.mask.shape, 3))
    return Patch(where.x0, where.y0, pixels, where.mask)
