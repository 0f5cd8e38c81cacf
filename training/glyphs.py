"""A glyph atlas: every printable ASCII character of many Debian fonts, rasterised once.

Training composes lines from it on the fly with NumPy and OpenCV alone, so that a bare machine
without fonts or FreeType renders the same text. Families that are held out
(:mod:`training.typeface`) are never trained on; benchmarks render with them only.

    python -m training.glyphs ../cache/glyphs.npz
"""

from __future__ import annotations

import argparse
import hashlib
import subprocess
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from PIL import Image as PilImage
from PIL import ImageDraw, ImageFont

from training.letterforms import chosen
from training.typeface import CAP_HEIGHT, CHARACTERS, Typeface, is_held_out, save

EXCLUDED = (
    "Math", "STIXIntegrals", "STIXNonUnicode", "STIXSize", "STIXVariants", "Symbols", "Keyboard",
    "Initials", "D050000L", "Caps", "Thin", "Monoisome", "Minus", "Smallcaps", "Z003",
    "Script", "Upright", "Unslanted", "Quotation", "Tamil", "Style Std", "Humor", "Sketch", " SC",
)  # fmt: skip
"""Families without ordinary letters, or near-copies of another."""

STYLES = (("regular", "book", "roman", "medium", "text"), ("bold", "semibold", "demi"),
          ("italic", "oblique"), ("bold italic", "bold oblique", "bolditalic"))  # fmt: skip
"""At most one file of each group is taken per family, by the first name that matches."""


def installed_fonts() -> list[tuple[str, Path]]:
    """Family and file of the Debian fonts to use, sorted; at most four styles per family."""
    listing = subprocess.run(
        ["fc-list", "--format", "%{family[0]}\t%{style}\t%{file}\n"],
        check=True, capture_output=True, text=True,
    ).stdout  # fmt: skip
    found: dict[tuple[str, int], tuple[int, Path]] = {}
    for row in sorted(listing.splitlines()):
        fields = row.split("\t")
        if len(fields) != 3:  # a name with a line break in it
            continue
        family, style, file = fields
        if any(word in family for word in EXCLUDED) or not file.endswith((".ttf", ".otf", ".t1")):
            continue
        styles = [name.strip().lower() for name in style.split(",")]
        for group, names in enumerate(STYLES):
            ranks = [names.index(name) for name in styles if name in names]
            if ranks:
                kept = found.get((family, group))
                if kept is None or min(ranks) < kept[0]:
                    found[family, group] = min(ranks), Path(file)
                break
    return [(family, path) for (family, _), (_, path) in sorted(found.items())]


def rasterise(family: str, path: Path) -> Typeface | None:
    """Draw a font's glyphs at ``CAP_HEIGHT``; ``None`` where it lacks ordinary letters."""
    try:
        trial = ImageFont.truetype(str(path), 100)
    except OSError:
        return None
    x0, y0, x1, y1 = trial.getbbox("H", anchor="ls")
    if y1 - y0 < 20 or trial.getmask("A").getbbox() is None:
        return None
    if bytes(trial.getmask("A")) == bytes(trial.getmask("B")):
        return None  # a box for every letter: the font has no Latin
    font = ImageFont.truetype(str(path), round(100 * CAP_HEIGHT / (y1 - y0)))
    bitmaps, offsets = [], []
    for character in CHARACTERS:
        x0, y0, x1, y1 = (int(v) for v in font.getbbox(character, anchor="ls"))
        canvas = PilImage.new("L", (max(1, x1 - x0), max(1, y1 - y0)))
        ImageDraw.Draw(canvas).text((-x0, -y0), character, fill=255, font=font, anchor="ls")
        bitmaps.append(np.asarray(canvas))
        offsets.append((x0, y0))
    advances = [font.getlength(character) for character in CHARACTERS + " "]
    return Typeface(
        family, tuple(bitmaps), np.array(offsets, np.int16), np.array(advances, np.float32)
    )


def build(fonts: Sequence[tuple[str, Path]]) -> list[Typeface]:
    """Rasterise fonts, leaving out those without ordinary letters."""
    faces = (rasterise(family, path) for family, path in fonts)
    return [face for face in faces if face is not None]


def vocabulary(path: Path = Path("/usr/share/dict/words")) -> list[str]:
    """Plain words of Debian's ``wamerican`` list, 2 to 12 letters, sorted."""
    words = path.read_text(encoding="utf-8").split()
    return sorted({w for w in words if w.isascii() and w.isalpha() and 2 <= len(w) <= 12})


def main() -> None:
    """Build the atlas from the fonts of this machine."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("output", type=Path)
    output = parser.parse_args().output
    output.parent.mkdir(parents=True, exist_ok=True)
    faces = chosen(build(installed_fonts()))
    save(output, faces, vocabulary())
    digest = hashlib.sha256(output.read_bytes()).hexdigest()
    families = sorted({face.family for face in faces})
    held_out = [family for family in families if is_held_out(family)]
    print(f"{len(faces)} faces of {len(families)} families, {output.stat().st_size:,} bytes")
    print(f"held out: {', '.join(held_out)}")
    print(f"sha256 {digest}")


if __name__ == "__main__":
    main()
