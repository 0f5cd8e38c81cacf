"""Attack a redaction as a capable adversary would, and say what is still recoverable.

The rule that keeps it from being a weapon: attackers see the original, degraded again the way the
redacted file was, and never the pixels under somebody's cover.
"""
