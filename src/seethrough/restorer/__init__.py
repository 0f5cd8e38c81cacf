"""The restorer: aligned crop in, restored crop out; and a whole picture around it."""

from seethrough.restorer.engine import CROP, Restorer

__all__ = ["CROP", "Restorer"]
