"""The words by which an output says what it is."""

from __future__ import annotations

from collections.abc import Sequence

from seethrough import __version__
from seethrough.types import WeightsUsed


def mark(weights: Sequence[WeightsUsed], realism: float = 0.0) -> str:
    """Return the words that every restored file carries in its metadata."""
    names = "; ".join(f"{used.name} sha256 {used.sha256}" for used in weights)
    return (
        f"Reconstruction by seethrough {__version__}: "
        f"a plausible guess, not evidence. Realism {realism:g}. Weights: {names}"
    )
