"""What a cover looks like."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias, get_args

from seethrough.errors import UsageError

StyleName: TypeAlias = Literal["solid", "silhouette", "safe-blur", "eye-bar", "blur", "mosaic"]

STYLES: tuple[StyleName, ...] = get_args(StyleName)
"""Names of the styles, the default first."""

SAFE: frozenset[StyleName] = frozenset({"solid", "silhouette", "safe-blur"})
"""Styles that are made from no pixel under any cover."""

GROWTH = (1.0, 1.25, 1.6, 2.0)
"""Sizes of the covers that are tried in turn where the style was left to this program."""

_STRENGTHS: dict[str, tuple[float, float, float]] = {
    # lowest, highest, default. The defaults are what editors do (degrade.tools: editor-mosaic,
    # editor-gauss), so that their rates are measured.
    "mosaic": (1, 64, 10),
    "blur": (0.01, 2, 1 / 8),
}


@dataclass(frozen=True, slots=True)
class Style:
    """How faces are covered.

    Parameters
    ----------
    name : str
        One of :data:`STYLES`.
    strength : float, optional
        ``mosaic``: cells per face width, 1 to 64, default 10. ``blur``: sigma as a share of the
        face's width, 0.01 to 2, default 1/8. The other styles have none.
    grow : float
        Factor on the size of every cover, 0.5 to 4. Verification enlarges it.

    Raises
    ------
    UsageError
        Where the name is unknown or a number is out of range.
    """

    name: StyleName = "solid"
    strength: float | None = None
    grow: float = 1.0

    def __post_init__(self) -> None:
        if self.name not in STYLES:
            raise UsageError(f"there is no style {self.name!r}", f"use {', '.join(STYLES)}")
        if self.strength is not None:
            if self.name not in _STRENGTHS:
                raise UsageError(f"the style {self.name} has no strength", "leave it out")
            low, high, _ = _STRENGTHS[self.name]
            if not low <= self.strength <= high:
                raise UsageError(
                    f"a {self.name} of strength {self.strength:g}", f"give {low:g} to {high:g}"
                )
        if not 0.5 <= self.grow <= 4:
            raise UsageError(f"covers grown by {self.grow:g}", "give a factor of 0.5 to 4")

    @property
    def safe(self) -> bool:
        """Whether no pixel under a cover has a part in it."""
        return self.name in SAFE

    @property
    def amount(self) -> float:
        """The strength, or the style's default; 0 where it has none."""
        default = _STRENGTHS[self.name][2] if self.name in _STRENGTHS else 0.0
        return default if self.strength is None else self.strength
