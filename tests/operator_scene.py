"""What tests of the operator finder share."""

from __future__ import annotations

from seethrough.types import Box, CoveredRegion


def about(found: tuple[CoveredRegion, ...], box: Box) -> CoveredRegion:
    """The only region that overlaps a box."""
    near = [region for region in found if region.box.iou(box) > 0.3]
    assert len(near) == 1, found
    return near[0]
