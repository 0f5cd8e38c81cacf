"""Networks are opened once, run from any thread, and say what is missing."""

from __future__ import annotations

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import onnxruntime
import pytest

from seethrough import session
from seethrough.errors import MissingPartError, UsageError

onnx = pytest.importorskip("onnx", reason="the toy network is built with onnx")


@pytest.fixture
def network(tmp_path: Path) -> Path:
    """A network that doubles (N, 3) floats."""
    helper, kind = onnx.helper, onnx.TensorProto.FLOAT
    graph = helper.make_graph(
        [helper.make_node("Add", ["x", "x"], ["y"])],
        "double",
        [helper.make_tensor_value_info("x", kind, ["n", 3])],
        [helper.make_tensor_value_info("y", kind, ["n", 3])],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
    path = tmp_path / "double.onnx"
    path.write_bytes(model.SerializeToString())
    return path


def test_run(network: Path) -> None:
    opened = session.open_session(network, device="cpu", threads=1)
    assert opened.inputs == {"x": ("n", 3)}
    assert opened.outputs == ("y",)
    x = np.arange(6, dtype=np.float32).reshape(2, 3)
    (y,) = opened.run({"x": x})
    assert np.array_equal(y, 2 * x)


def test_a_session_is_shared(network: Path) -> None:
    first = session.open_session(network, device="cpu", threads=1)
    assert session.open_session(network, device="cpu", threads=1) is first
    assert session.open_session(network, device="cpu", threads=2) is not first
    assert first.threads == 1


def test_threads_opening_at_once_get_one_session(network: Path) -> None:
    with ThreadPoolExecutor(4) as pool:
        opened = list(pool.map(lambda _: session.open_session(network, threads=1), range(16)))
    assert len(set(map(id, opened))) == 1


def test_threads_running_at_once_get_their_own_results(network: Path) -> None:
    opened = session.open_session(network, threads=1)

    def double(value: int) -> float:
        (y,) = opened.run({"x": np.full((50, 3), value, np.float32)})
        assert (y == y[0, 0]).all()
        return float(y[0, 0])

    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(double, range(200))) == [2.0 * v for v in range(200)]


def test_all_usable_processors_by_default(network: Path) -> None:
    assert session.open_session(network).threads == session.usable_cpus() >= 1


@pytest.mark.skipif(
    "CUDAExecutionProvider" in onnxruntime.get_available_providers(), reason="CUDA is here"
)
def test_cuda_where_there_is_none(network: Path) -> None:
    with pytest.raises(MissingPartError, match="onnxruntime-gpu"):
        session.open_session(network, device="cuda")
    assert session.open_session(network, device="auto").device == "cpu"


@pytest.mark.filterwarnings("ignore:Specified provider:UserWarning")
def test_cuda_that_does_not_start(
    network: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    if "CUDAExecutionProvider" in onnxruntime.get_available_providers():
        pytest.skip("CUDA is here")
    monkeypatch.setattr(session, "providers", lambda: ("CUDAExecutionProvider",))
    with pytest.raises(MissingPartError, match="did not start"):
        session.open_session(network, device="cuda")
    assert session.open_session(network, device="auto").device == "cpu"
    assert capfd.readouterr().err == ""


def test_a_file_that_is_no_network(tmp_path: Path) -> None:
    path = tmp_path / "a.onnx"
    path.write_bytes(b"not a network")
    with pytest.raises(MissingPartError, match="cannot be loaded") as caught:
        session.open_session(path)
    assert "\n" not in str(caught.value)


def test_options_out_of_range(network: Path) -> None:
    with pytest.raises(UsageError, match="threads"):
        session.open_session(network, threads=0)
    with pytest.raises(UsageError, match="device"):
        session.open_session(network, device="tpu")


def test_nothing_is_logged(network: Path, repository: Path) -> None:
    program = (
        "import sys; from pathlib import Path; import numpy as np; from seethrough import session;"
        "s = session.open_session(Path(sys.argv[1]));"
        "s.run({'x': np.zeros((1, 3), np.float32)})"
    )
    command = [sys.executable, "-W", "error", "-c", program, str(network)]
    done = subprocess.run(command, capture_output=True, text=True, cwd=repository, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
