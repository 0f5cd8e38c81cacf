"""Cover faces so that nothing is left of them, and check that nothing is.

Styles say what a cover looks like; a :class:`~seethrough.redactor.coverer.Coverer` turns the
sightings of one frame into patches to paint; a :class:`~seethrough.redactor.verifier.Verifier`
looks at what came out of the encoder. A photo is a film of one frame.
"""

from seethrough.redactor.coverer import Coverer
from seethrough.redactor.source import Sighting, Source, StillPicture
from seethrough.redactor.style import SAFE, STYLES, Style
from seethrough.redactor.verifier import Finding, Verifier, verify_picture

__all__ = [
    "SAFE",
    "STYLES",
    "Coverer",
    "Finding",
    "Sighting",
    "Source",
    "StillPicture",
    "Style",
    "Verifier",
    "verify_picture",
]
