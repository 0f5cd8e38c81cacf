"""Options of the verb ``audit``."""

from __future__ import annotations

from dataclasses import dataclass

from seethrough.auditor.covers import STYLES
from seethrough.auditor.picture import Style
from seethrough.errors import UsageError
from seethrough.pipeline.options import RunOptions

_STRENGTHS = {
    "mosaic": ("cells per face width", 1.0, 1000.0),
    "blur": ("sigma as a share of the face width", 0.001, 2.0),
    "box": ("the kernel as a share of the face width", 0.001, 4.0),
}
"""What the strength of a style means, and its range."""

_ALIASES = {"gauss": "blur"}


@dataclass(frozen=True, kw_only=True)
class AuditOptions(RunOptions):
    """Options of ``audit``.

    Attributes
    ----------
    style : str or None
        How faces are covered: simulated where no redacted file is given, and otherwise instead
        of what the file tells.
    strength : float or str or None
        Mosaic: cells per face width. Blurs: size as a share of it. With ``px`` behind: pixels.
    """

    style: str | None = None
    strength: float | str | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        _ = self.cover  # refuses what makes no sense

    @property
    def cover(self) -> Style | None:
        """The style with its strength read.

        Raises
        ------
        UsageError
            Where it is unknown, or its strength missing, out of range or meaningless.
        """
        if self.style is None:
            if self.strength is not None:
                raise UsageError("--strength says how strong a style is", "give --style too")
            return None
        name = _ALIASES.get(self.style, self.style)
        if name not in STYLES:
            listed = ", ".join((*STYLES, *_ALIASES))
            raise UsageError(f"style {self.style!r} is unknown", f"choose from {listed}")
        return Style(name, _strength(name, self.strength))


def _strength(style: str, given: float | str | None) -> tuple[float, bool] | None:
    """Read ``12`` (cells per face width, or a share of it) or ``"9px"``."""
    if style not in _STRENGTHS:
        if given is not None:
            raise UsageError(f"the style {style} has no strength", "leave --strength out")
        return None
    means, low, high = _STRENGTHS[style]
    remedy = f"give --strength: {means}, or pixels such as 9px"
    if given is None:
        raise UsageError(f"nothing says how strong the {style} is", remedy)
    text = str(given).strip()
    in_pixels = text.endswith("px")
    try:
        value = float(text.removesuffix("px"))
    except ValueError:
        raise UsageError(f"the strength {text!r} is no number", remedy) from None
    least, most = (0.5, 1000.0) if in_pixels else (low, high)
    if not least <= value <= most:
        raise UsageError(
            f"the strength {text} of {style} is out of range", f"give {least:g} to {most:g}"
        )
    return value, in_pixels
