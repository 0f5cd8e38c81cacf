"""The verb ``info``: what this installation is made of."""

from __future__ import annotations

import platform
import time
from dataclasses import dataclass, field
from typing import Any

from seethrough import __version__
from seethrough.errors import MissingPartError
from seethrough.pipeline.report import header
from seethrough.session import Device, open_session, providers, runtime_version
from seethrough.weights import WEIGHTS, Weights, locate

NOTICE = (
    "The code is under the MIT licence. The restorer's weights are for non-commercial use only: "
    "they were trained on pictures whose licences say so (see their model card)."
)


@dataclass(frozen=True, slots=True)
class Information:
    """Version, providers and weights of this installation.

    Attributes
    ----------
    version : str
        Of this package.
    python, onnxruntime : str
        Versions of what it runs on.
    providers : tuple of str
        ONNX Runtime's execution providers, in its order of preference.
    weights : tuple of Weights
        The networks of this package.
    faults : tuple of MissingPartError
        One for the device, if it is not to be had, and one for each network that is missing or
        whose checksum is wrong.
    notice : str
        Licences.
    seconds : float
        Time spent.
    """

    version: str
    python: str
    onnxruntime: str
    providers: tuple[str, ...]
    weights: tuple[Weights, ...]
    faults: tuple[MissingPartError, ...] = ()
    notice: str = NOTICE
    seconds: float = field(default=0.0)

    def as_dict(self) -> dict[str, Any]:
        """Return the JSON object of INTERFACE.md."""
        used = tuple(weights.used for weights in self.weights)
        common = header("info", used, self.seconds)
        details = zip(common.pop("weights"), self.weights, strict=True)
        return {
            **common,
            "weights": [
                {**entry, "task": w.task, "scale": w.scale, "licence": w.licence, "file": w.file}
                for entry, w in details
            ],
            "python": self.python,
            "onnxruntime": self.onnxruntime,
            "providers": list(self.providers),
            "notice": self.notice,
            "inputs": [],
        }

    def as_text(self) -> str:
        """Return the same in words, a few lines."""
        lines = [
            f"seethrough {self.version}",
            f"Python {self.python}, ONNX Runtime {self.onnxruntime}",
            f"providers: {', '.join(self.providers)}",
            "weights:",
        ]
        for w in self.weights:
            lines += [f"  {w.name}: {w.task}", f"    sha256 {w.sha256}", f"    {w.licence}"]
        return "\n".join([*lines, self.notice])


def information(device: Device = "auto") -> Information:
    """Gather version, providers and weights; verify every checksum, and the device."""
    started = time.perf_counter()
    faults = []
    for weights in WEIGHTS:
        try:
            locate(weights.name)
        except MissingPartError as error:
            faults.append(error)
    if device == "cuda" and not faults:
        try:
            open_session("restorer", device=device)
        except MissingPartError as error:
            faults.append(error)
    return Information(
        __version__,
        platform.python_version(),
        runtime_version(),
        providers(),
        WEIGHTS,
        tuple(faults),
        seconds=time.perf_counter() - started,
    )
