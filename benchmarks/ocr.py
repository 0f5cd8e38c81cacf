"""The judge of restored text: an OCR engine that had no part in training, and its edits."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np

from seethrough.errors import MissingPartError
from seethrough.types import Image


class Tesseract:
    """The judge: Debian's OCR engine, run as a program.

    Raises
    ------
    MissingPartError
        Where the program is not installed.
    """

    def __init__(self) -> None:
        found = shutil.which("tesseract")
        if found is None:
            raise MissingPartError(
                "the OCR engine that judges text is missing", "run apt-get install tesseract-ocr"
            )
        self._program = found

    @property
    def version(self) -> str:
        """As the program states it."""
        run = subprocess.run(
            [self._program, "--version"], capture_output=True, text=True, check=True
        )
        return (run.stdout or run.stderr).splitlines()[0]

    def read(self, pictures: Sequence[Image]) -> list[str]:
        """Read one line of text in each picture, with single spaces between words.

        One run reads them all: starting the engine costs more than a line.
        """
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            files = [folder / f"{i}.png" for i in range(len(pictures))]
            for file, picture in zip(files, pictures, strict=True):
                if not cv2.imwrite(str(file), picture):
                    raise OSError(f"{file} cannot be written")
            listing = folder / "files.txt"
            listing.write_text("".join(f"{file}\n" for file in files), encoding="utf-8")
            output = subprocess.run(
                [self._program, str(listing), "-", "--psm", "7", "-l", "eng"],
                capture_output=True, encoding="utf-8", check=True,
                env={**os.environ, "OMP_THREAD_LIMIT": "1"},
            ).stdout  # fmt: skip
        pages = output.split("\f")
        if len(pages) == len(pictures) + 1:  # some versions close the last page as well
            pages.pop()
        if len(pages) != len(pictures):
            raise RuntimeError(f"the OCR engine read {len(pages)} pages of {len(pictures)}")
        return [" ".join(page.split()) for page in pages]


def prepared(crop: Image, baseline: int, cap_height: float) -> Image:
    """Bring a line to what an OCR engine expects, alike for clean, degraded and restored ones.

    The rows of the line alone, dark on bright, enlarged three times, with a margin.
    """
    top, bottom = baseline - round(1.5 * cap_height), baseline + round(0.7 * cap_height)
    grey = cv2.cvtColor(crop[max(0, top) : bottom], cv2.COLOR_RGB2GRAY)
    if np.median(grey) < 128:
        grey = 255 - grey
    large = cv2.resize(grey, None, fx=3, fy=3, interpolation=cv2.INTER_CUBIC)
    return np.asarray(cv2.copyMakeBorder(large, 24, 24, 24, 24, cv2.BORDER_REPLICATE), np.uint8)


def edits(read: str, truth: str) -> int:
    """Levenshtein distance: insertions, deletions and replacements of characters."""
    row = list(range(len(truth) + 1))
    for i, a in enumerate(read, 1):
        above, row[0] = row[0], i
        for j, b in enumerate(truth, 1):
            above, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, above + (a != b))
    return row[-1]
