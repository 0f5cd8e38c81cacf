"""Peers, scores and the command."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from benchmarks import metrics, peers, restoration, results, scoring, sets
from benchmarks.results import Column, Estimate, Table
from benchmarks.sets import FaceSet, Inputs, Setting
from seethrough import degrade


def _blurred(crops: np.ndarray, sigma: float) -> Inputs:
    blur = degrade.GaussianBlur(sigma)
    return Inputs(np.stack([blur(c) for c in crops]), None, np.zeros((len(crops), 2)))


@pytest.mark.parametrize("peer", peers.CLASSICAL, ids=lambda p: p.name)
def test_classical_peers_sharpen_what_was_blurred(peer: peers.Classical, crops: np.ndarray) -> None:
    crops = crops[:1]
    setting, inputs = Setting("gauss-4"), _blurred(crops, 4)
    chosen = peer.tuned(inputs, crops, setting)
    before = metrics.psnr_each(inputs.crops, crops).mean()
    assert metrics.psnr_each(chosen.restore(inputs, setting), crops).mean() > before + 1


def test_constants_are_the_best_of_those_offered(crops: np.ndarray) -> None:
    setting, inputs, peer = Setting("gauss-4"), _blurred(crops, 4), peers.CLASSICAL[1]
    chosen = peer.tuned(inputs, crops, setting)
    scores = {
        constant: metrics.psnr_each(
            peer.restore_with(inputs.crops, setting, constant), crops
        ).mean()
        for constant in peer.constants
    }
    assert scores[chosen.constant] == max(scores.values())


@pytest.mark.parametrize("name", ["x4", "x8", "mosaic-7", "gauss-3", "box-9"])
def test_kernels_are_kernels(name: str) -> None:
    kernel = peers.kernel(Setting.parse(name))
    assert kernel.sum() == pytest.approx(1, abs=1e-5)
    assert kernel.min() >= 0
    assert kernel.shape[0] % 2 == 1
    y, x = np.indices(kernel.shape) - kernel.shape[0] // 2
    assert abs((kernel * x).sum()) < 0.6
    assert abs((kernel * y).sum()) < 0.6


def test_gaussian_kernel_has_the_settings_sigma() -> None:
    kernel = peers.kernel(Setting("gauss-3"))
    x = np.arange(kernel.shape[1]) - kernel.shape[1] // 2
    assert np.sqrt((kernel * x**2).sum()) == pytest.approx(3, rel=0.02)


def test_consistency_is_complete_for_the_input_of_a_mosaic(crops: np.ndarray) -> None:
    setting, phases = Setting("mosaic-8"), np.array([[0.3, 0.6], [0.9, 0.1]])
    given = np.stack([sets.operator(setting, p)(c) for c, p in zip(crops, phases, strict=True)])
    inputs = Inputs(given, None, phases)
    assert scoring.consistency_each(given, inputs, setting).tolist() == [60, 60]
    assert scoring.consistency_each(crops, inputs, setting).min() > 55
    assert scoring.consistency_each(crops[::-1], inputs, setting).max() < 20


def test_consistency_finds_the_blur_of_a_reduction(crops: np.ndarray) -> None:
    chain = degrade.Chain([degrade.GaussianBlur(2), degrade.Downscale(4)])
    small = np.stack([chain(c) for c in crops])
    inputs = Inputs(np.stack([sets.resize(s, 128) for s in small]), small, np.zeros((2, 2)))
    assert scoring.consistency_each(crops, inputs, Setting("x4")).tolist() == [60, 60]
    assert scoring.consistency_each(255 - crops, inputs, Setting("x4")).max() < 20


def test_sheet_has_a_row_for_each_picture_and_a_column_for_each_stage(crops: np.ndarray) -> None:
    page = scoring.sheet({"input": crops, "negative": 255 - crops, "truth": crops}, count=1)
    assert page.shape == (scoring.HEADING + 128, 3 * 128, 3)
    assert np.array_equal(page[scoring.HEADING :, 128:256], 255 - crops[0])
    assert page[: scoring.HEADING, 128:256].min() < 100 < page[: scoring.HEADING].max()


def test_goals_are_judged_by_direction() -> None:
    def row(setting: str, method: str, psnr: float, same: float) -> dict[str, results.Value]:
        wrap = (Estimate(v, v, v, 1) for v in (psnr, same, 0.5))
        return {
            "setting": setting,
            "method": method,
            **dict(zip(("psnr", "same", "identity"), wrap, strict=True)),
        }

    table = restoration.against_goals(
        [
            row("mosaic-8", "input", 99, 1),
            row("mosaic-8", "SeeThrough", 24.0, 0.69),
            row("mosaic-8+h264-23", "SeeThrough", 23.5, 0.6),
            row("gauss-6", "SeeThrough", 25.0, 0.9),
            row("gauss-6+h264-23", "SeeThrough", 22.5, 0.6),
        ]
    )
    met = {str(r["what"]): r["met"] for r in table.rows}
    assert met == {
        "`mosaic-8`, PSNR": "yes",
        "`mosaic-8`, dB lost to H.264": "yes",
        "`mosaic-8`, share below 0.6": "no",
        "`gauss-6`, PSNR": "no",
        "`gauss-6`, dB lost to H.264": "no",
        "`gauss-6`, share below 0.6": "yes",
    }


def test_quick_table_measures_the_given_weights(
    crops: np.ndarray, half_bright: Path, tmp_path: Path
) -> None:
    options = results.Options(tmp_path, weights=half_bright)
    faces = FaceSet("valid", ("a", "b"), crops)
    setting = Setting("gauss-4")
    (row,) = restoration.quick(faces, [setting], restoration.Ours(options), options).rows
    given = sets.degraded(faces, setting, tmp_path).crops
    halved = np.floor(given * 0.5 + 0.5).astype(np.uint8)
    restored = row["restored"]
    assert isinstance(restored, Estimate)
    assert restored.mean == pytest.approx(metrics.psnr_each(halved, crops).mean(), abs=0.02)
    assert row["input"] == pytest.approx(metrics.psnr_each(given, crops).mean())


def test_peers_are_not_run_twice(
    crops: np.ndarray, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    setting, inputs = Setting("gauss-4"), _blurred(crops, 4)
    method = peers.CLASSICAL[0].tuned(inputs, crops, setting)
    first = restoration.restored_by(method, inputs, setting)

    def broken(*_: object) -> None:
        raise AssertionError("run again")

    monkeypatch.setattr(peers.Tuned, "restore", broken)
    assert np.array_equal(restoration.restored_by(method, inputs, setting), first)
    other = peers.Tuned(peers.CLASSICAL[0], (9.0, 9.0))
    with pytest.raises(AssertionError):
        restoration.restored_by(other, inputs, setting)


def test_command(
    shared: Path, half_bright: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["--quick", "--set", "valid", "--limit", "2", "--settings", "x4,mosaic-8"]
    restoration.main([*words, "--weights", str(half_bright)])
    out = capsys.readouterr().out
    assert "PSNR in dB on 2 pictures of valid" in out
    assert "| x4 |" in out
    assert "| mosaic-8 |" in out


def test_stored_peers_are_kept_and_ours_are_new() -> None:
    columns = tuple(Column(name, name) for name in ("setting", "method", "psnr"))
    before = [("x4", "input", 1.0), ("x4", restoration.Ours.name, 2.0), ("x4", "Wiener", 3.0)]
    keys = [column.key for column in columns]
    stored = Table("t", columns, tuple(dict(zip(keys, row, strict=True)) for row in before))
    new = {"setting": "x4", "method": restoration.Ours.name, "psnr": 9.0}
    found = restoration.beside_stored([new], stored)
    assert [row["psnr"] for row in found] == [1.0, 9.0, 3.0]
    with pytest.raises(SystemExit, match="other settings"):
        restoration.beside_stored([{**new, "setting": "x8"}], stored)


def test_command_refuses_unknown_names() -> None:
    with pytest.raises(SystemExit, match="celebrities"):
        restoration.main(["--set", "celebrities"])
    with pytest.raises(SystemExit, match="magic"):
        restoration.main(["--peers", "magic"])
