from __future__ import annotations

from pathlib import Path

import pytest

from seethrough.auditor import shipped, space
from seethrough.errors import MissingPartError


@pytest.mark.parametrize("content", [None, b"", b"PK\x03\x04 half a zip", b"{}"])
def test_a_table_that_is_missing_or_damaged_is_a_missing_part(
    content: bytes | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shipped, "ASSETS", tmp_path)
    if content is not None:
        (tmp_path / "table.npz").write_bytes(content)
    monkeypatch.setattr(space, "FILE", "table.npz")
    space.spaces.cache_clear()
    space._stored.cache_clear()
    with pytest.raises(MissingPartError, match=r"table\.npz cannot be read"):
        space.spaces()
