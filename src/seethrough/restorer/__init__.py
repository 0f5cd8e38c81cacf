"""The restorer: aligned crop in, restored crop out; and a whole picture around it."""

from seethrough.restorer.engine import Restorer
from seethrough.restorer.targets import CROP

__all__ = ["CROP", "Restorer"]
