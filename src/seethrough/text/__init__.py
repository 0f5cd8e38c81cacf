"""Lines of text: where they are, whether they are clear already, and the tiles to restore."""

from seethrough.text.clarity import is_clear
from seethrough.text.finder import TextFinder
from seethrough.text.lines import cap_height_of, line_in_box
from seethrough.text.tiles import TILE, Tile, line_tiles

__all__ = [
    "TILE",
    "TextFinder",
    "Tile",
    "cap_height_of",
    "is_clear",
    "line_in_box",
    "line_tiles",
]
