"""Times of films in words."""

from __future__ import annotations


def clock(seconds: float) -> str:
    """Return a time as ``--from`` takes it: ``mm:ss.d``, with hours where there are any."""
    tenths = round(seconds * 10)
    hours, rest = divmod(tenths, 36000)
    minutes, rest = divmod(rest, 600)
    text = f"{minutes:02d}:{rest // 10:02d}.{rest % 10}"
    return f"{hours}:{text}" if hours else text
