"""Films through PyAV, whose only importer this is."""

from seethrough.video.frame import Frame
from seethrough.video.options import EncodeOptions
from seethrough.video.reader import FilmInfo, FilmReader
from seethrough.video.still import still_through_h264
from seethrough.video.tags import FilmTags, read_tags
from seethrough.video.transcoding import Timings, rehearse, transcode

__all__ = [
    "EncodeOptions",
    "FilmInfo",
    "FilmReader",
    "FilmTags",
    "Frame",
    "Timings",
    "read_tags",
    "rehearse",
    "still_through_h264",
    "transcode",
]
