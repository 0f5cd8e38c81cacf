"""Pack a training set small enough to travel to a machine without network.

    python -m training.pack ../shared/data/train/faces-128.tar packed/faces.tar --quality 80

Crops are decoded and encoded again as WebP; the result is read like the original. With the glyph
atlas and a copy of the tree it fits in 64 MiB, and the same training command runs on it.
"""

from __future__ import annotations

import argparse
import io
import tarfile
from pathlib import Path

import cv2

from training.data import read_crops


def pack(source: Path, target: Path, quality: int) -> int:
    """Re-encode every crop of a tar; returns how many.

    Parameters
    ----------
    source, target : Path
        Tars of 128 px pictures.
    quality : int
        WebP quality, 1 to 100.
    """
    crops = read_crops(source)
    target.parent.mkdir(parents=True, exist_ok=True)
    partial = target.with_suffix(".partial")
    with tarfile.open(partial, "w") as tar:
        for i, crop in enumerate(crops):
            options = [cv2.IMWRITE_WEBP_QUALITY, quality]
            done, encoded = cv2.imencode(".webp", crop[..., ::-1], options)
            assert done
            entry = tarfile.TarInfo(f"{i:06d}.webp")
            entry.size = len(encoded)
            tar.addfile(entry, io.BytesIO(encoded.tobytes()))
    partial.rename(target)
    return len(crops)


def main() -> None:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("source", type=Path, help="tar of 128 px crops")
    parser.add_argument("target", type=Path, help="tar to write")
    parser.add_argument("--quality", type=int, default=80, help="WebP quality, 1 to 100")
    arguments = parser.parse_args()
    count = pack(arguments.source, arguments.target, arguments.quality)
    print(f"{count:,} crops, {arguments.target.stat().st_size / 2**20:.1f} MiB")


if __name__ == "__main__":
    main()
