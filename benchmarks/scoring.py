"""Scores restored crops by every metric of PROTOCOL section 3 at once."""

from __future__ import annotations

from collections.abc import Mapping

import cv2
import numpy as np
import numpy.typing as npt

from benchmarks import metrics, sets
from benchmarks.identity import SAME_PERSON, Descriptor, distances
from benchmarks.lpips import Lpips
from benchmarks.metrics import Crops, Scores
from benchmarks.results import Column, Value
from benchmarks.sets import FaceSet, Inputs, Setting
from seethrough import degrade
from seethrough.auditor.recognisers import Descriptors

CAP_DB = 60.0
"""Consistency is capped here: 8-bit rounding alone leaves 59 dB, and equal pictures infinity."""
GAUSSIANS = (0.0, 0.5, 0.75, 1.0, 1.5, 2.0, 2.5, 3.0, 3.5, 4.0, 5.0)
"""Sigmas tried where a picture's own blur is not known (``x4`` and ``x8``)."""

HEADING = 16
"""Rows of a contact sheet above the pictures."""

COLUMNS: tuple[Column, ...] = (
    Column("setting", "setting"),
    Column("method", "method"),
    Column("psnr", "PSNR, dB"),
    Column("ssim", "SSIM", 3),
    Column("lpips", "LPIPS", 3),
    Column("identity", "identity distance", 3),
    Column("same", f"below {SAME_PERSON}", 0, share=True),
    Column("consistency", "consistency, dB", 1),
)


def consistency_each(restored: Crops, inputs: Inputs, setting: Setting) -> Scores:
    """PSNR between each input and its output degraded again, in dB, capped at 60.

    Mosaics, Gaussians and boxes are applied as they were. The blur of ``x4`` and ``x8`` differs
    from picture to picture and is not stored: the Gaussian (or none) that explains the input
    best stands for it. An encoder is not applied again; its loss stays in the figure.
    """
    scores = []
    for i, picture in enumerate(restored):
        if setting.factor == 1:
            again = sets.operator(setting, inputs.phases[i])(picture)
            scores.append(metrics.psnr(again, inputs.crops[i]))
            continue
        reduce = degrade.Downscale(setting.factor)
        given = inputs.reduced[i] if inputs.reduced is not None else reduce(inputs.crops[i])
        scores.append(
            max(
                metrics.psnr(
                    degrade.Chain([degrade.GaussianBlur(sigma), reduce] if sigma else [reduce])(
                        picture
                    ),
                    given,
                )
                for sigma in GAUSSIANS
            )
        )
    return np.array([min(score, CAP_DB) for score in scores])


class Judges:
    """LPIPS and the face descriptor, loaded once."""

    def __init__(self, threads: int) -> None:
        self._lpips = Lpips(threads)
        self._descriptor = Descriptor(threads)

    def truth(self, faces: FaceSet) -> Descriptors:
        """Descriptors of the clean pictures, from the cache where they are known."""
        return self._descriptor.describe_cached(faces.clean)

    def scores(
        self,
        restored: Crops,
        faces: FaceSet,
        inputs: Inputs,
        setting: Setting,
        rng: np.random.Generator,
    ) -> dict[str, Value]:
        """One row of a table: every metric's mean with its interval.

        Parameters
        ----------
        restored, faces, inputs, setting
            As of :meth:`each`.
        rng : numpy.random.Generator
            Draws the bootstrap samples.
        """
        return row(setting, self.each(restored, faces, inputs, setting), rng)

    def each(
        self, restored: Crops, faces: FaceSet, inputs: Inputs, setting: Setting
    ) -> dict[str, Scores]:
        """Score every picture by every metric.

        Parameters
        ----------
        restored : ndarray
            ``uint8 (N, 128, 128, 3)``.
        faces, inputs, setting
            What was degraded, and how.
        """
        distance = distances(self._descriptor.describe(restored), self.truth(faces))
        return {
            "psnr": metrics.psnr_each(restored, faces.clean),
            "ssim": metrics.ssim_each(restored, faces.clean),
            "lpips": self._lpips.each(restored, faces.clean),
            "identity": distance,
            "same": (distance < SAME_PERSON).astype(np.float64),
            "consistency": consistency_each(restored, inputs, setting),
        }


def row(setting: Setting, each: Mapping[str, Scores], rng: np.random.Generator) -> dict[str, Value]:
    """Put every metric's mean, with its interval, into one row of a table."""
    means = {name: metrics.estimate(values, rng) for name, values in each.items()}
    return {"setting": str(setting), **means}


def sheet(columns: Mapping[str, Crops], count: int = 8) -> npt.NDArray[np.uint8]:
    """Lay out a contact sheet: a row for each picture, a named column for each stage.

    Parameters
    ----------
    columns : mapping of str to ndarray
        Heading to ``uint8 (N, 128, 128, 3)``, from left to right.
    count : int
        At most so many rows.

    Returns
    -------
    ndarray
        ``uint8 (H, W, 3)`` RGB; the headings stand in the first :data:`HEADING` rows.
    """
    stages = []
    for name, crops in columns.items():
        heading = np.full((HEADING, crops.shape[2], 3), 255, np.uint8)
        cv2.putText(heading, name, (2, 11), cv2.FONT_HERSHEY_SIMPLEX, 0.38, (0, 0, 0))
        stages.append(np.concatenate([heading, *crops[:count]], axis=0))
    return np.concatenate(stages, axis=1)
