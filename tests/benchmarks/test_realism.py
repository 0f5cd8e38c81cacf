"""The dial's benchmark: goals are computed from the tables, and the plane is drawn."""

from __future__ import annotations

from pathlib import Path

from benchmarks import realism
from benchmarks.results import Estimate


def estimate(value: float) -> Estimate:
    return Estimate(value, value, value, 8)


def rows() -> list[dict[str, object]]:
    """The further the dial, the smaller LPIPS and the larger the error."""
    found: list[dict[str, object]] = [
        {
            "setting": str(setting),
            "method": realism.called(dial),
            "psnr": estimate(25 - dial),
            "lpips": estimate(0.3 - 0.2 * dial),
            "identity": estimate(0.5 + 0.01 * dial),
        }
        for setting in realism.SETTINGS
        for dial in realism.DIALS
    ]
    peer = {"psnr": estimate(24.5), "lpips": estimate(0.2), "identity": estimate(0.6)}
    return [*found, {"setting": "x4", "method": realism.PEER, **peer}]


def test_goals_compare_the_default_with_both_ends() -> None:
    ranks = [
        {
            "setting": str(s),
            "method": realism.called(d),
            "first": estimate(0.3),
            "alone": estimate(0.2),
        }
        for s in realism.SETTINGS
        for d in (0.0, realism.REALISM)
    ]
    table = realism.against_goals(rows(), ranks)  # type: ignore[arg-type]
    measured = {row["what"]: row for row in table.rows}
    share = measured["`x4`, LPIPS as a share of the posterior mean's"]
    assert abs(share["measured"] - (0.3 - 0.2 * realism.REALISM) / 0.3) < 1e-9  # type: ignore[operator]
    assert measured["`x4`, dB over Real-ESRGAN"]["met"] == "no"
    assert measured["`mosaic-8`, A2 rank-1 of 1,000, realism 0"]["met"] == "yes"
    assert measured["`x4`, A2 rank-1 of 1,000, realism 0"]["met"] == "no"


def test_the_plane_is_drawn(tmp_path: Path) -> None:
    realism.draw(rows(), tmp_path / "plane.svg")  # type: ignore[arg-type]
    drawn = (tmp_path / "plane.svg").read_text(encoding="utf-8")
    assert "<svg" in drawn
    realism.draw(rows(), tmp_path / "again.svg")  # type: ignore[arg-type]
    assert drawn == (tmp_path / "again.svg").read_text(encoding="utf-8")
