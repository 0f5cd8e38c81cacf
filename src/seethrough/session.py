"""Networks at run time: the only module that imports ONNX Runtime.

A session is opened once for each (file, device, threads) in a process and shared; ONNX Runtime
allows any number of threads to run one session at the same time.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from contextlib import redirect_stdout
from pathlib import Path
from threading import Lock
from typing import Any, Literal, TypeAlias, get_args

import numpy.typing as npt
import onnxruntime as ort

from seethrough import weights as weight_table
from seethrough.errors import MissingPartError, UsageError
from seethrough.files import resolved

Device: TypeAlias = Literal["auto", "cpu", "cuda"]

_CUDA = "CUDAExecutionProvider"
_CPU = "CPUExecutionProvider"
_MOST_THREADS = 64  # as many may be asked for on any machine
_SEVERITY_ERROR = 3  # ONNX Runtime's numbers: 0 verbose, 1 info, 2 warning, 3 error, 4 fatal
_SEVERITY_FATAL = 4

ort.set_default_logger_severity(_SEVERITY_ERROR)

_open: dict[tuple[Path, str, int], Session] = {}
_lock = Lock()


class Session:
    """A loaded network.

    Parameters
    ----------
    path : Path
        An ONNX file.
    device : str
        ``cpu`` or ``cuda``.
    threads : int
        Threads for one run on the CPU.

    Raises
    ------
    MissingPartError
        Where the file is no network that this ONNX Runtime can load, or the device is not to
        be had.
    """

    def __init__(self, path: Path, device: Literal["cpu", "cuda"], threads: int) -> None:
        options = ort.SessionOptions()
        options.intra_op_num_threads = threads
        options.inter_op_num_threads = 1
        # Threads wait busily inside a run (fast) but not after it: a photo alternates between
        # several networks, and one's waiting threads would take the cores from the next.
        options.add_session_config_entry("session.force_spinning_stop", "1")
        # A device that cannot be had is reported below, by an exception, not by a log as well.
        options.log_severity_level = _SEVERITY_FATAL if device == "cuda" else _SEVERITY_ERROR
        try:
            self._session = ort.InferenceSession(
                path, options, providers=[_CUDA, _CPU] if device == "cuda" else [_CPU]
            )
        except Exception as error:  # ONNX Runtime's exceptions have no common base but this
            shipped = [resolved(weight_table.ASSETS / each.file) for each in weight_table.WEIGHTS]
            first = (
                "install seethrough again"
                if resolved(path) in shipped
                else "check that the file is an ONNX network and was copied whole"
            )
            raise MissingPartError(
                f"the network {path} cannot be loaded ({_first_line(error)})",
                f"{first}, or update onnxruntime",
            ) from error
        # ONNX Runtime falls back to the CPU in silence where the CUDA libraries do not load.
        if device == "cuda" and _CUDA not in self._session.get_providers():
            raise MissingPartError(
                "the CUDA provider of ONNX Runtime did not start",
                "install the CUDA and cuDNN libraries that onnxruntime-gpu asks for, "
                "or use --device cpu",
            )
        self.path = path
        self.device = device
        self.threads = threads

    @property
    def inputs(self) -> dict[str, tuple[int | str | None, ...]]:
        """Name to shape of each input; a free dimension is its name, or ``None``."""
        return {node.name: tuple(node.shape) for node in self._session.get_inputs()}

    @property
    def outputs(self) -> tuple[str, ...]:
        """Names of the outputs, in the order in which :meth:`run` returns them."""
        return tuple(node.name for node in self._session.get_outputs())

    def run(self, feeds: Mapping[str, npt.NDArray[Any]]) -> list[npt.NDArray[Any]]:
        """Run the network.

        Parameters
        ----------
        feeds : mapping of str to ndarray
            Every input by name, with the shape and dtype that the weights' record gives.

        Returns
        -------
        list of ndarray
            Every output, in the network's order.
        """
        results: list[npt.NDArray[Any]] = self._session.run(None, dict(feeds))
        return results


def providers() -> tuple[str, ...]:
    """Return the execution providers of this ONNX Runtime, in its order of preference."""
    return tuple(ort.get_available_providers())


def runtime_version() -> str:
    """Return the version of ONNX Runtime."""
    return str(ort.__version__)


def usable_cpus() -> int:
    """Return how many processors this process may run on."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def check_threads(threads: int | None) -> None:
    """Refuse a number of threads that no machine of this size can use.

    Thousands of threads that wait for each other stop the program, and the machine with it.

    Raises
    ------
    UsageError
        Where there are none, or more than 64 and than four for each usable processor.
    """
    most = max(_MOST_THREADS, 4 * usable_cpus())
    if threads is not None and not 1 <= threads <= most:
        raise UsageError(f"{threads} threads cannot work", f"give 1 to {most}")


def open_session(
    weights: str | Path, *, device: Device = "auto", threads: int | None = None
) -> Session:
    """Open a network, or return the session that is open already.

    Parameters
    ----------
    weights : str or Path
        A name from :data:`seethrough.weights.WEIGHTS`, whose checksum is verified, or the path
        of any ONNX file.
    device : {"auto", "cpu", "cuda"}
        ``auto`` takes CUDA where it works and the CPU elsewhere.
    threads : int, optional
        Threads for one run on the CPU; all usable processors where absent.

    Returns
    -------
    Session

    Raises
    ------
    UsageError
        Where an option is out of range or the name is unknown.
    MissingPartError
        Where the weights or the device are missing.
    """
    if device not in get_args(Device):
        raise UsageError(f"there is no device {device!r}", "use auto, cpu or cuda")
    check_threads(threads)
    path = weights if isinstance(weights, Path) else weight_table.locate(weights)
    count = usable_cpus() if threads is None else threads
    if device == "cuda" and _CUDA not in providers():
        raise MissingPartError(
            "this ONNX Runtime has no CUDA provider",
            "replace it (pip uninstall onnxruntime, then pip install onnxruntime-gpu), "
            "or use --device cpu",
        )
    with _lock:
        key = (resolved(path), device, count)
        if key not in _open:
            _open[key] = _load(*key)
        return _open[key]


def _load(path: Path, device: str, threads: int) -> Session:
    if device == "cpu" or _CUDA not in providers():
        return Session(path, "cpu", threads)
    with redirect_stdout(None):  # it prints what it misses; the session says so better
        ort.preload_dlls()  # finds CUDA libraries that pip installed
    try:
        return Session(path, "cuda", threads)
    except MissingPartError:
        if device == "cuda":
            raise
        return Session(path, "cpu", threads)


def _first_line(error: Exception) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0]
