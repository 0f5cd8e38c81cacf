"""The benchmark of the dial's constants."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from benchmarks import dial
from benchmarks.results import Options
from seethrough.errors import UsageError
from seethrough.pipeline.options import REALISM
from seethrough.restorer.dial import BANDS, Bands


def test_every_blend_has_a_name_of_its_own() -> None:
    names = [dial.called(bands) for bands in dial.TRIED]
    assert len(set(names)) == len(names)
    assert sum("chosen" in name for name in names) == 1
    assert names[0] == "all frequencies and colours alike"


def test_all_frequencies_alike_is_a_plain_mean(rng: np.random.Generator) -> None:
    mean, realistic = rng.integers(0, 256, (2, 3, 128, 128, 3)).astype(np.uint8)
    mixed = dial.mixed(mean, realistic, Bands(fine=1, coarse=1, chroma=0))
    plain = (1 - REALISM) * mean.astype(float) + REALISM * realistic
    assert np.abs(mixed - plain).max() <= 1
    assert not np.array_equal(mixed, dial.mixed(mean, realistic, BANDS))


def test_other_weights_have_no_dial() -> None:
    with pytest.raises(UsageError, match="shipped"):
        dial.run(Options(Path(), weights=Path("other.onnx")))
