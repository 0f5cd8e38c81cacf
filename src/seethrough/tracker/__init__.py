"""Faces through time: where each one is in every frame of a film, as a file that can be edited.

A track is a face followed over consecutive frames. It is stored as keyframes, between which boxes
and landmarks move linearly; what is in memory is exactly what :func:`write_tracks` writes and a
person may change.
"""

from seethrough.tracker.engine import track as track
from seethrough.tracker.options import OnLost as OnLost
from seethrough.tracker.options import TrackOptions as TrackOptions
from seethrough.tracker.tracks import How as How
from seethrough.tracker.tracks import Keyframe as Keyframe
from seethrough.tracker.tracks import Sighting as Sighting
from seethrough.tracker.tracks import Track as Track
from seethrough.tracker.tracks import Tracks as Tracks
from seethrough.tracker.tracks import UnsureSpan as UnsureSpan
from seethrough.tracker.tracks_file import read_tracks as read_tracks
from seethrough.tracker.tracks_file import write_tracks as write_tracks
