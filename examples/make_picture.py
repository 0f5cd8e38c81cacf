"""Make the README's picture from what `make demo` wrote.

make demo && python examples/make_picture.py
"""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np

ROOT = Path(__file__).resolve().parents[1]
NAMES = ("face-blurred", "face-mosaic", "text-blurred")


def main() -> None:
    """Stack the before | after pictures at one width."""
    target = ROOT / "docs/images/before-after.png"
    rows = []
    for name in NAMES:
        row = cv2.imread(str(ROOT / f"demo/{name}.compare.png"))
        if row is None:
            raise SystemExit(f"demo/{name}.compare.png is missing: run `make demo` first")
        height = round(row.shape[0] * 720 / row.shape[1])
        rows.append(cv2.resize(row, (720, height), interpolation=cv2.INTER_AREA))
    target.parent.mkdir(parents=True, exist_ok=True)
    cv2.imwrite(str(target), np.concatenate(rows))


if __name__ == "__main__":
    main()
