"""Pictures that stand in for faces, and an atlas of a few fonts."""

from __future__ import annotations

import tarfile
from io import BytesIO
from pathlib import Path

import cv2
import numpy as np
import pytest

from training import glyphs, typeface


@pytest.fixture(scope="session")
def atlas(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A glyph atlas of a few installed fonts and a short vocabulary."""
    try:
        fonts = glyphs.installed_fonts()
    except FileNotFoundError:
        pytest.skip("fontconfig is not installed")
    ours = [font for font in fonts if font[0].startswith(("DejaVu Sans", "Liberation", "Open"))]
    if not ours:
        pytest.skip("none of the fonts DejaVu, Liberation or Open Sans is installed")
    path = tmp_path_factory.mktemp("atlas") / "glyphs.npz"
    typeface.save(path, glyphs.build(ours), ["see", "through", "Report", "window", "paper"])
    return path


@pytest.fixture(scope="session")
def faces() -> np.ndarray:
    """Six pictures that stand in for faces."""
    rng = np.random.default_rng(4)
    coarse = rng.random((6, 9, 9, 3), np.float32)
    return np.stack([(cv2.resize(c, (128, 128)) * 255).astype(np.uint8) for c in coarse])


@pytest.fixture(scope="session")
def archive(tmp_path_factory: pytest.TempPathFactory, faces: np.ndarray) -> Path:
    path = tmp_path_factory.mktemp("faces") / "faces.tar"
    with tarfile.open(path, "w") as tar:
        for i, face in enumerate(faces):
            encoded = cv2.imencode(".png", face[..., ::-1])[1].tobytes()
            entry = tarfile.TarInfo(f"set/{i}.png")
            entry.size = len(encoded)
            tar.addfile(entry, BytesIO(encoded))
    return path
