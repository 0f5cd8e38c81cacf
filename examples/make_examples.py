"""Make the bundled examples: a blurred face, a mosaicked face and blurred text.

    python examples/make_examples.py

The face is NASA's portrait of Eileen Collins (public domain), as scikit-image ships it. The sign
is set in DejaVu, which training has seen, in words of this project's own.
"""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
from PIL import Image as PilImage
from PIL import ImageDraw, ImageFont
from skimage import data

from seethrough.degrade import Degradation, Ellipse, GaussianBlur, Mosaic, Within
from seethrough.types import Box, Image

FOLDER = Path(__file__).parent
FACE = Box(170, 56, 280, 186)
"""The astronaut's face in scikit-image's 512 px picture: brow to chin."""
FONT = "/usr/share/fonts/truetype/dejavu/DejaVuSans-Bold.ttf"
LINES = ("Platform 4", "Trains to the coast", "leave every hour")


def sign() -> Image:
    """Three lines, white on blue."""
    picture = PilImage.new("RGB", (420, 190), (24, 58, 120))
    pen = ImageDraw.Draw(picture)
    for i, (line, size) in enumerate(zip(LINES, (40, 28, 28), strict=True)):
        font = ImageFont.truetype(FONT, size)
        pen.text((28, 26 + (0, 62, 104)[i]), line, fill=(245, 245, 240), font=font)
    return np.asarray(picture)


def save(name: str, picture: Image) -> None:
    """Write a PNG beside this file."""
    cv2.imwrite(str(FOLDER / name), picture[..., ::-1])


def main() -> None:
    """Write the three pictures."""
    astronaut = np.ascontiguousarray(data.astronaut()[:400, 40:400])
    face = Box(FACE.x0 - 40, FACE.y0, FACE.x1 - 40, FACE.y1)
    width = face.width
    blur: Degradation = Within(GaussianBlur(width / 14), Ellipse.inscribed(face), feather=6)
    mosaic: Degradation = Within(Mosaic(width / 11), face, cropped=True)
    save("face-blurred.png", blur(astronaut))
    save("face-mosaic.png", mosaic(astronaut))
    save("text-blurred.png", GaussianBlur(3.2)(sign()))


if __name__ == "__main__":
    main()
