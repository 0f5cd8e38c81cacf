"""The pictures of PROTOCOL and what its degradations make of them.

Everything is aligned 128 px RGB. Inputs of ``eval/ffhq`` that need random numbers are those of
``protocol/inputs.npz``; other sets draw theirs from a generator seeded by picture, so that a
picture's input does not depend on which others are measured.
"""

from __future__ import annotations

import hashlib
import platform
import subprocess
import tarfile
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt

from benchmarks import parts
from benchmarks.metrics import Crops
from benchmarks.results import ROOT, Options
from seethrough import degrade
from seethrough.errors import InputError, UsageError
from seethrough.types import Image

SIZE = 128
"""Side of an aligned crop in pixels."""
FACE_PX = 256
"""Side of the crop in the photo or film that ``+jpeg`` and ``+h264`` encode."""
NAMES = ("ffhq", "london", "valid")


@dataclass(frozen=True, slots=True, eq=False)
class FaceSet:
    """Clean aligned faces.

    Attributes
    ----------
    name : str
        One of :data:`NAMES`.
    files : tuple of str
        One name for each picture.
    clean : ndarray
        ``uint8 (N, 128, 128, 3)`` RGB.
    """

    name: str
    files: tuple[str, ...]
    clean: Crops


@dataclass(frozen=True, slots=True)
class Setting:
    """One degradation by PROTOCOL's name, and the encoding after it if any.

    Attributes
    ----------
    base : str
        ``x4``, ``x8``, ``mosaic-c``, ``gauss-s`` or ``box-k``.
    codec : str
        ``""``, ``h264`` or ``jpeg``.
    quality : int
        CRF or JPEG quality; 0 without a codec.
    """

    base: str
    codec: str = ""
    quality: int = 0

    @classmethod
    def parse(cls, text: str) -> Setting:
        """Read ``mosaic-8`` or ``mosaic-8+h264-23``.

        Raises
        ------
        UsageError
            Where PROTOCOL has no such degradation.
        """
        base, plus, encoding = text.strip().partition("+")
        codec, _, quality = encoding.strip().replace(" ", "-").partition("-")
        setting = cls(base.strip(), codec, int(quality) if quality.isdigit() else 0)
        known = setting.base in ("x4", "x8") or setting.kind in ("mosaic", "gauss", "box")
        if not known or (plus and (codec not in ("h264", "jpeg") or not quality.isdigit())):
            raise UsageError(
                f"there is no setting {text!r}",
                "use x4, x8, mosaic-8, gauss-6, box-15 and the like, with +h264-23 or +jpeg-75",
            )
        if setting.base not in ("x4", "x8") and setting.length <= 0:
            raise UsageError(f"the setting {text!r} has no size", "write mosaic-8, say")
        return setting

    @property
    def kind(self) -> str:
        """``x4``, ``x8``, ``mosaic``, ``gauss`` or ``box``."""
        return self.base.partition("-")[0]

    @property
    def length(self) -> float:
        """Cell, sigma or kernel in pixels of the 128 px crop; 0 for ``x4`` and ``x8``."""
        number = self.base.partition("-")[2]
        return float(number) if number.replace(".", "", 1).isdigit() else 0.0

    @property
    def factor(self) -> int:
        """By how much the picture was reduced: 4, 8, or 1."""
        return {"x4": 4, "x8": 8}.get(self.base, 1)

    def __str__(self) -> str:
        return f"{self.base}+{self.codec}-{self.quality}" if self.codec else self.base


@dataclass(frozen=True, slots=True, eq=False)
class Inputs:
    """What a restorer is given.

    Attributes
    ----------
    crops : ndarray
        ``uint8 (N, 128, 128, 3)``: the degraded pictures; ``x4`` and ``x8`` enlarged by cubic
        interpolation.
    reduced : ndarray or None
        The 32 or 16 px pictures of ``x4`` and ``x8`` where no encoder came after; else ``None``.
    phases : ndarray
        ``float64 (N, 2)`` in [0, 1): each picture's mosaic phase as a share of the cell.
    """

    crops: Crops
    reduced: Crops | None
    phases: npt.NDArray[np.float64]


def resize(picture: Image, size: int) -> Image:
    """Enlarge by OpenCV's cubic, reduce by its area average, to a square."""
    method = cv2.INTER_AREA if size < picture.shape[0] else cv2.INTER_CUBIC
    if size == picture.shape[0]:
        return picture
    return np.asarray(cv2.resize(picture, (size, size), interpolation=method), np.uint8)


def load(name: str, shared: Path, limit: int | None = None) -> FaceSet:
    """Load a set of clean aligned faces, in file order.

    Parameters
    ----------
    name : str
        ``ffhq`` (800, the headline), ``london`` (51 neutral portraits) or ``valid`` (268, to
        choose weights by).
    shared : Path
        The folder that holds ``data`` and ``protocol``.
    limit : int, optional
        Only the first so many.

    Raises
    ------
    UsageError
        Where the name is unknown.
    InputError
        Where the pictures are missing.
    """
    if name not in NAMES:
        raise UsageError(f"there is no set {name!r}", f"use one of {', '.join(NAMES)}")
    data = shared / "data"
    try:
        if name == "valid":
            encoded = _tar_members(data / "valid" / "faces-128.tar")
        else:
            pattern = "*.jpg" if name == "ffhq" else "*_neutral.webp"
            encoded = {p.name: p for p in sorted((data / "eval" / name).glob(pattern))}
    except OSError as error:
        raise InputError(f"the set {name} cannot be read ({error})", "see data/README.md") from None
    if not encoded:
        raise InputError(f"there are no pictures of {name} in {data}", "see data/README.md")
    files = tuple(encoded)[:limit]
    return FaceSet(name, files, np.stack([resize(_decode(encoded[f]), SIZE) for f in files]))


def degraded(faces: FaceSet, setting: Setting, shared: Path, seed: int = 0) -> Inputs:
    """Make the inputs of a set under a setting.

    Encoded inputs are kept in the cache, since x264 takes 0.1 s for each.

    Parameters
    ----------
    faces : FaceSet
        Clean pictures.
    setting : Setting
        How they are degraded.
    shared : Path
        Where ``protocol/inputs.npz`` is, needed for ``ffhq`` only.
    seed : int
        Seeds the draws of the other sets.
    """
    count = len(faces.clean)
    stored = _stored(shared) if faces.name == "ffhq" else None
    rngs = [np.random.default_rng([seed, i]) for i in range(count)]
    if stored is not None:
        phases = np.asarray(stored["phase"][:count], np.float64)
    else:
        phases = np.array([rng.random(2) for rng in rngs])
    reduced = None
    if setting.factor > 1:
        reduced = (
            np.asarray(stored[setting.base][:count], np.uint8)
            if stored is not None
            else np.stack(
                [
                    degrade.low_resolution(setting.factor, rng)(picture, rng)
                    for picture, rng in zip(faces.clean, rngs, strict=True)
                ]
            )
        )
        crops = np.stack([resize(picture, SIZE) for picture in reduced])
    else:
        crops = np.stack(
            [
                operator(setting, phase)(picture)
                for picture, phase in zip(faces.clean, phases, strict=True)
            ]
        )
    if setting.codec:
        crops, reduced = _encoded_cached(crops, setting), None
    return Inputs(crops, reduced, phases)


def operator(setting: Setting, phase: npt.NDArray[np.float64]) -> degrade.Degradation:
    """PROTOCOL's in-place operator; ``phase`` is the picture's ``inputs.npz["phase"]``."""
    length = setting.length
    if setting.kind == "mosaic":
        ox, oy = np.floor(length * phase)
        return degrade.Mosaic(length, (float(ox), float(oy)))
    if setting.kind == "gauss":
        return degrade.GaussianBlur(length)
    if setting.kind == "box":
        return degrade.BoxBlur(int(length))
    raise UsageError(f"{setting} changes the size", "use a mosaic, Gaussian or box")


def encoded(picture: Image, setting: Setting) -> Image:
    """Enlarge a crop to 256 px, encode and decode it, and reduce it again.

    Our setting: cubic enlargement, the crop alone as the frame, area average back.
    """
    codec = (
        degrade.H264(setting.quality) if setting.codec == "h264" else degrade.Jpeg(setting.quality)
    )
    return resize(codec(resize(picture, FACE_PX)), picture.shape[0])


def provenance(options: Options) -> dict[str, str]:
    """Where a figure comes from: commit, machine, versions, and whether the run was limited."""
    try:
        commit = subprocess.run(
            ["git", "-C", str(ROOT), "rev-parse", "--short", "HEAD"],
            capture_output=True,
            text=True,
            check=True,
        ).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        commit = "unknown"
    packages = ("numpy", "onnxruntime", "opencv-python-headless", "scikit-image", "av")
    found = {
        "commit": commit,
        "CPU": f"{cpu_name()}, {options.threads} thread(s), float32",
        "versions": ", ".join(
            [f"Python {platform.python_version()}", *(f"{p} {version(p)}" for p in packages)]
        ),
    }
    if options.limit is not None:
        found["LIMITED"] = f"only the first {options.limit} of each set"
    return found


def cpu_name() -> str:
    """The processor's name and its widest vector instructions."""
    try:
        lines = Path("/proc/cpuinfo").read_text("utf-8").splitlines()
    except OSError:
        return platform.processor() or "unknown"
    fields = dict(line.partition(":")[::2] for line in lines)
    fields = {key.strip(): value.strip() for key, value in fields.items()}
    flags = set(fields.get("flags", "").split())
    kinds = ("amx_bf16", "avx512_bf16", "avx512f", "avx2")
    widest = next((flag for flag in kinds if flag in flags), "no AVX2")
    model = f"family {fields.get('cpu family', '?')} model {fields.get('model', '?')}"
    return f"{fields.get('model name', 'unknown')} ({model}, {widest})"


def _stored(shared: Path) -> dict[str, npt.NDArray[np.float64] | Crops]:
    path = shared / "protocol" / "inputs.npz"
    if not path.is_file():
        raise InputError(f"{path} is missing", "set SEETHROUGH_SHARED")
    with np.load(path, allow_pickle=False) as archive:
        return {name: archive[name] for name in archive.files}


def _encoded_cached(crops: Crops, setting: Setting) -> Crops:
    digest = hashlib.sha256(f"1 {setting.codec} {setting.quality} {FACE_PX}".encode())
    digest.update(crops.tobytes())
    path = parts.cache_folder() / f"encoded-{digest.hexdigest()[:24]}.npy"
    if not path.exists():
        done = np.stack([encoded(picture, setting) for picture in crops])
        with parts.written(path) as temporary:
            np.save(temporary, done)
    return np.asarray(np.load(path, allow_pickle=False), np.uint8)


def _tar_members(path: Path) -> dict[str, Path | bytes]:
    found: dict[str, Path | bytes] = {}
    with tarfile.open(path) as archive:
        for member in archive:
            stream = archive.extractfile(member) if member.isfile() else None
            if stream is not None:
                found[member.name] = stream.read()
    return dict(sorted(found.items()))


def _decode(source: Path | bytes) -> Image:
    data = source.read_bytes() if isinstance(source, Path) else source
    picture = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)
    if picture is None:
        raise InputError("a picture of the set does not decode", "copy the data again")
    return np.ascontiguousarray(picture[..., ::-1], np.uint8)
