"""A picture through a video encoder and back: what a codec leaves of a cover."""

from __future__ import annotations

import io

import av
import numpy as np

from seethrough.types import Image
from seethrough.video.codecs import repeatable_x264

STILL_FRAMES = 25
"""One second at 25 frames a second."""


def still_through_h264(picture: Image, crf: float, preset: str = "medium") -> Image:
    """Encode a picture as a one-second still film and return its last frame, decoded.

    Parameters
    ----------
    picture : Image
        ``uint8 (H, W, 3)``; odd sizes are padded by repeating the edge, as yuv420p needs.
    crf : float
        x264's constant rate factor.
    preset : str
        x264's preset.

    Returns
    -------
    Image
        Of the same size.
    """
    height, width = picture.shape[:2]
    padded = np.pad(picture, ((0, height % 2), (0, width % 2), (0, 0)), mode="edge")
    film = io.BytesIO()
    with av.open(film, "w", format="mp4") as container:
        stream = container.add_stream("libx264", rate=STILL_FRAMES)
        stream.width, stream.height, stream.pix_fmt = padded.shape[1], padded.shape[0], "yuv420p"
        # One thread: the result does not depend on the machine.
        fixed = {"threads": "1", **repeatable_x264()}
        stream.options = {"crf": f"{crf:g}", "preset": preset, **fixed}
        for _ in range(STILL_FRAMES):
            container.mux(stream.encode(av.VideoFrame.from_ndarray(padded, format="rgb24")))
        container.mux(stream.encode())
    film.seek(0)
    with av.open(film, "r") as encoded:
        *_, last = encoded.decode(video=0)
        decoded = last.to_ndarray(format="rgb24")
    return np.ascontiguousarray(decoded[:height, :width], np.uint8)
