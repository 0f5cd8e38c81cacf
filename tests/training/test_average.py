"""Averages of checkpoints."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

torch = pytest.importorskip("torch", reason="training needs seethrough[train]")

from training import average  # noqa: E402


def checkpoint(value: float, seen: int, width: int = 4) -> dict[str, Any]:
    config = {"name": "restorer", "network": {"channels": [width]}, "seen": seen}
    ema = {"weight": torch.full((2, width), value, dtype=torch.float16)}
    return {
        "config": json.dumps(config),
        "ema": ema,
        "seen": seen,
        "commit": str(seen),
        "data": f"data {seen}",
        "seed": 1,
        "optims": "large",
    }


def test_every_weight_is_blended_and_the_origin_is_told(tmp_path: Path) -> None:
    paths = [tmp_path / "a.pt", tmp_path / "b.pt"]
    torch.save(checkpoint(0.0, 100), paths[0])
    torch.save(checkpoint(4.0, 300), paths[1])
    out = tmp_path / "soup.pt"
    average.main([str(paths[0]), "0.25", str(paths[1]), "0.75", "--out", str(out)])
    state = torch.load(out, weights_only=True)
    assert state["ema"]["weight"].dtype == torch.float32
    assert torch.equal(state["ema"]["weight"], torch.full((2, 4), 3.0))
    assert (state["seen"], state["commit"]) == (300, "300")
    assert json.loads(state["config"])["average_of"] == [
        {"pictures": 100, "weight": 0.25, "commit": "100", "data": "data 100"},
        {"pictures": 300, "weight": 0.75, "commit": "300", "data": "data 300"},
    ]
    assert "optims" not in state


@pytest.mark.parametrize("parts", [["a.pt"], ["a.pt", "half"], ["missing.pt", "1"]])
def test_a_wrong_command_line_says_so(parts: list[str], tmp_path: Path) -> None:
    torch.save(checkpoint(0.0, 100), tmp_path / "a.pt")
    paths = [str(tmp_path / part) if part.endswith(".pt") else part for part in parts]
    with pytest.raises(SystemExit) as error:
        average.main([*paths, "--out", str(tmp_path / "out.pt")])
    assert error.value.code == 2
    assert not (tmp_path / "out.pt").exists()


def test_a_checkpoint_averaged_with_itself_is_itself() -> None:
    part = checkpoint(1.5, 7)
    blended = average.average([(part, 0.5), (part, 0.5)])
    assert torch.equal(blended["ema"]["weight"], part["ema"]["weight"].float())


@pytest.mark.parametrize(
    ("parts", "message"),
    [
        ([(checkpoint(0, 1), 0.5), (checkpoint(1, 2), 0.6)], "do not add up to 1"),
        ([(checkpoint(0, 1, 8), 0.5), (checkpoint(1, 2), 0.5)], "differ in shape"),
    ],
)
def test_what_cannot_be_averaged_is_refused(
    parts: list[tuple[dict[str, Any], float]], message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        average.average(parts)
