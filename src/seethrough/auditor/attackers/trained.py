"""A3: a network that was trained to read identity out of covered faces.

It predicts dlib's descriptor; a linear bridge carries the prediction into MobileFaceNet's space, so
that a recogniser it was not trained against judges it too. What it reads is not what the
restoring attacker reads: :func:`fused` adds the two.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import ClassVar

import numpy as np

from seethrough.auditor import space
from seethrough.auditor.attackers.base import Directed, Reads, mirrored
from seethrough.auditor.recognisers import Crops, Descriptors, RecogniserName
from seethrough.auditor.types import Level
from seethrough.session import Device, open_session

BATCH = 16


class Trained(Directed):
    """Reads identity straight from the covered face, seen as it is and mirrored.

    Parameters
    ----------
    device, threads
        Where the network runs.
    weights : str or Path
        A name of the table of weights, or an ONNX file of the same contract: input ``degraded``
        ``float32 (N, 3, 128, 128)``, RGB on [0, 1]; output ``descriptor`` ``float32 (N, 128)``, a
        direction in dlib's space as seen from its mean.
    """

    level: ClassVar[Level] = "A3"
    covers_gallery: ClassVar[bool] = True

    def __init__(
        self, device: Device, threads: int | None, weights: str | Path = "attacker"
    ) -> None:
        self._session = open_session(weights, device=device, threads=threads)

    def look(self, shown: Crops) -> Crops:
        """Return the pixels themselves."""
        return shown

    def read(self, seen: Crops) -> Reads:
        """Predict directions in both spaces."""
        read = space.unit(self._predict(seen) + self._predict(mirrored(seen)))
        return {"dlib": read, "mobilefacenet": space.carried(read)}

    def _predict(self, seen: Crops) -> Descriptors:
        found = np.empty((len(seen), 128), np.float32)
        for start in range(0, len(seen), BATCH):
            part = slice(start, start + BATCH)
            levels = seen[part].transpose(0, 3, 1, 2).astype(np.float32) / np.float32(255)
            found[part] = self._session.run({"degraded": levels})[0]
        return space.unit(found)


def fused(restored: Reads, trained: Reads, weights: Mapping[RecogniserName, float]) -> Reads:
    """Add what the restoring and the trained attacker read.

    Parameters
    ----------
    restored, trained : mapping
        Directions of length one.
    weights : mapping
        Of the trained attacker's, for each recogniser.

    Returns
    -------
    mapping
        Directions of length one.
    """
    return {
        name: space.unit(restored[name] + np.float32(weights[name]) * trained[name])
        for name in restored
    }
