"""Options of the verbs: frozen dataclasses, validated on construction.

The command line's flags, the Python keywords and these fields bear the same names.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, Self, TypeAlias, get_args

import numpy as np

from seethrough.degrade import PRESETS
from seethrough.errors import UsageError
from seethrough.files import named
from seethrough.geometry import similarity
from seethrough.session import Device, check_threads
from seethrough.types import Box
from seethrough.video.options import Codec, EncodeOptions

KindChoice: TypeAlias = Literal["auto", "face", "text"]
REALISM = 0.7
"""Where the dial stands for photos unless told otherwise."""
Numbers: TypeAlias = str | Sequence[float]
"""Numbers as such, or as one string with commas between."""


def _choice(name: str, value: object, choices: tuple[object, ...]) -> None:
    if value not in choices:
        listed = ", ".join(map(str, choices))
        raise UsageError(f"{name} {value!r} is unknown", f"choose from {listed}")


def numbers(name: str, given: Numbers, count: int) -> tuple[float, ...]:
    """Read ``count`` finite numbers from a sequence or from a string such as ``"1,2"``.

    Raises
    ------
    UsageError
        Where they are not that many finite numbers.
    """
    parts = given.split(",") if isinstance(given, str) else list(given)
    values = tuple(_number(part) for part in parts)
    remedy = f"give {count} numbers, commas between" if count > 1 else "give one number"
    if None in values:
        raise UsageError(f"{parts[values.index(None)]!r} in {name} {given!r} is no number", remedy)
    if len(values) != count:
        found = "is 1 number" if len(values) == 1 else f"are {len(values)} numbers"
        raise UsageError(f"there {found} in {name} {given!r}, not {count}", remedy)
    return tuple(value for value in values if value is not None)


def _number(given: str | float) -> float | None:
    """Return a finite number, or nothing."""
    try:
        value = float(given)
    except ValueError:
        return None
    return value if math.isfinite(value) else None


def _within(name: str, value: float | None, low: float, high: float) -> None:
    if value is not None and not low <= value <= high:
        raise UsageError(f"{name} {value:g} is out of range", f"give {low:g} to {high:g}")


@dataclass(frozen=True, kw_only=True)
class RunOptions:
    """Options of every verb that reads and writes files.

    Attributes
    ----------
    overwrite : bool
        Replace outputs that exist.
    resume : bool
        Skip inputs whose output exists: an output appears only once it is complete.
    device : str
        ``auto``, ``cpu`` or ``cuda``.
    threads : int or None
        Threads of the networks, 1 or more (:func:`seethrough.session.check_threads` has the most);
        ``None`` takes what the machine has.
    seed : int
        Seed of everything random, 0 or more.
    """

    overwrite: bool = False
    resume: bool = False
    device: Device = "auto"
    threads: int | None = None
    seed: int = 0

    def __post_init__(self) -> None:
        _choice("device", self.device, get_args(Device))
        check_threads(self.threads)
        if self.seed < 0:
            raise UsageError(f"the seed {self.seed} is negative", "give 0 or more")

    @property
    def files(self) -> tuple[Path, ...]:
        """Files that options name and that are read besides the inputs."""
        return ()

    @property
    def placed(self) -> bool:
        """Whether they say where regions lie, so that nobody has to be told how to."""
        return False


@dataclass(frozen=True, kw_only=True)
class RestoreOptions(RunOptions):
    """Options of ``restore``.

    Attributes
    ----------
    kind : str
        What to look for: ``auto`` (both), ``face`` or ``text``.
    aligned : bool
        Each input is one square crop, aligned to the face template or filled by text.
    box : tuple of Box
        Regions of the single input, half-open pixels; they replace detection.
    landmarks : tuple of tuple of float
        Ten numbers ``x, y, ...`` a face; they replace detection.
    realism : float or None
        Range [0, 1]: from the posterior mean, 0, to the realistic network; ``None`` is
        :data:`REALISM`, but 0 for films and with other ``weights``.
    compare : bool
        Also write ``NAME.compare.png``, before and after side by side; of a film, a film.
    force : bool
        Restore regions that are clear already.
    weights : Path or None
        A restorer network (ONNX) in place of the one that is shipped.
    codec : str or None
        Of films: ``h264``, ``h265``, ``vp9`` or ``av1``.
    crf : float or None
        Constant rate factor of films.
    preset : str or None
        The encoder's preset.
    """

    kind: KindChoice = "auto"
    aligned: bool = False
    box: tuple[Box, ...] = ()
    landmarks: tuple[tuple[float, ...], ...] = ()
    realism: float | None = None
    compare: bool = False
    force: bool = False
    weights: Path | None = None
    codec: Codec | None = None
    crf: float | None = None
    preset: str | None = None

    @classmethod
    def of(
        cls,
        *,
        box: Iterable[Box | Numbers] | None = None,
        landmarks: Iterable[Numbers] | None = None,
        weights: str | Path | None = None,
        **others: Any,
    ) -> Self:
        """Read the options as a command line or a Python caller gives them."""
        return cls(
            box=tuple(
                each if isinstance(each, Box) else Box(*numbers("the box", each, 4))
                for each in box or ()
            ),
            landmarks=tuple(numbers("the landmarks", each, 10) for each in landmarks or ()),
            weights=None if weights is None else named(weights),
            **others,
        )

    @property
    def files(self) -> tuple[Path, ...]:
        """The network, where it is not the shipped one."""
        return () if self.weights is None else (self.weights,)

    @property
    def placed(self) -> bool:
        """Whether boxes or landmarks replace detection."""
        return bool(self.box or self.landmarks)

    def dial(self, *, film: bool = False) -> float:
        """Realism as it is used: made up detail flickers, so films have none unless asked for."""
        if self.realism is not None:
            return self.realism
        return 0.0 if film or self.weights is not None else REALISM

    @property
    def encoding(self) -> EncodeOptions:
        """How films are encoded; they keep what they hold."""
        return EncodeOptions(codec=self.codec, crf=self.crf, preset=self.preset, keep_metadata=True)

    def __post_init__(self) -> None:
        super().__post_init__()
        _ = self.encoding  # refuses what makes no sense
        _choice("kind", self.kind, get_args(KindChoice))
        _within("realism", self.realism, 0, 1)
        for points in self.landmarks:
            values = numbers("the landmarks", points, 10)
            similarity(np.reshape(values, (5, 2)), 1)  # refuses points that cannot be a face
        if self.aligned and (self.box or self.landmarks):
            raise UsageError(
                "an aligned crop is one region already",
                "give --aligned, or --box and --landmarks, not both",
            )
        if self.kind == "text" and self.landmarks:
            raise UsageError("text has no landmarks", "give --box, or --kind face")
        if self.weights is not None and self.realism:
            raise UsageError(
                "the realistic network belongs to the shipped restorer",
                "give --realism 0 with --weights",
            )


@dataclass(frozen=True)
class Length:
    """A length in pixels of the input, or as a share of the face width.

    Attributes
    ----------
    value : float
        Pixels, or per cent; above 0.
    relative : bool
        Whether ``value`` is per cent of the face width.
    """

    value: float
    relative: bool = False

    @classmethod
    def parse(cls, given: float | str | Length) -> Length:
        """Read ``8``, ``"8"`` (pixels) or ``"8%"`` (of the face width)."""
        if isinstance(given, Length):
            return given
        text = str(given).strip()
        try:
            return cls(float(text.removesuffix("%")), text.endswith("%"))
        except ValueError:
            raise UsageError(f"{text!r} is not a length", "give pixels (8) or a share (8%)") from (
                None
            )

    def __post_init__(self) -> None:
        if not 0 <= self.value <= 10_000:
            raise UsageError(f"the length {self.value:g} is out of range", "give 0 to 10000")

    def pixels(self, face_width: float) -> float:
        """Return the length in pixels for a face that is ``face_width`` pixels wide."""
        return self.value / 100 * face_width if self.relative else self.value


def _motion(given: str | tuple[float | str, float]) -> tuple[Length, float]:
    parts = given.split(",") if isinstance(given, str) else given
    if len(parts) != 2:
        raise UsageError(f"the motion {given!r} is not LENGTH,ANGLE", "give two, such as 12,30")
    (angle,) = numbers("the angle", str(parts[1]), 1)
    return Length.parse(parts[0]), angle


@dataclass(frozen=True, kw_only=True)
class DegradeOptions(RunOptions):
    """Options of ``degrade``; they act in the order in which they stand here.

    Attributes
    ----------
    tool : str or None
        A real tool's cover, one of :data:`seethrough.degrade.PRESETS`.
    eye_bar, mask_face, mask_head : bool
        PROTOCOL's black bar and ellipses, placed on the face.
    mosaic : Length or None
        Cell size.
    phase : tuple of float
        Grid lines lie at ``x = k * cell - phase[0]``, likewise y.
    sampled : bool
        A cell takes one pixel's colour, not its mean.
    gauss, box : Length or None
        Sigma of a Gaussian blur; kernel of a box blur.
    motion : tuple of Length and float, or None
        Length and angle in degrees.
    x4, x8 : bool
        PROTOCOL's random blur, reduction by area, and noise.
    noise : float or None
        Sigma on the scale [0, 1].
    jpeg : int or None
        Quality, 1 to 100.
    h264 : float or None
        Constant rate factor, 0 to 51.
    faces : bool
        Limit all of these to the faces that are found.
    """

    tool: str | None = None
    eye_bar: bool = False
    mask_face: bool = False
    mask_head: bool = False
    mosaic: Length | None = None
    phase: tuple[float, float] = (0.0, 0.0)
    sampled: bool = False
    gauss: Length | None = None
    box: Length | None = None
    motion: tuple[Length, float] | None = None
    x4: bool = False
    x8: bool = False
    noise: float | None = None
    jpeg: int | None = None
    h264: float | None = None
    faces: bool = False

    @classmethod
    def of(
        cls,
        *,
        mosaic: Length | float | str | None = None,
        phase: Numbers = (0.0, 0.0),
        gauss: Length | float | str | None = None,
        box: Length | float | str | None = None,
        motion: str | tuple[float | str, float] | None = None,
        **others: Any,
    ) -> Self:
        """Read the options as a command line or a Python caller gives them."""
        x, y = numbers("the phase", phase, 2)
        return cls(
            mosaic=None if mosaic is None else Length.parse(mosaic),
            phase=(x, y),
            gauss=None if gauss is None else Length.parse(gauss),
            box=None if box is None else Length.parse(box),
            motion=None if motion is None else _motion(motion),
            **others,
        )

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.tool is not None:
            _choice("tool", self.tool, PRESETS)
        _within("noise", self.noise, 0, 1)
        _within("jpeg", self.jpeg, 1, 100)
        _within("h264", self.h264, 0, 51)
        numbers("the phase", self.phase, 2)
        if self.mosaic is None and (self.sampled or self.phase != (0.0, 0.0)):
            raise UsageError("--phase and --sampled shape a mosaic", "give --mosaic CELL too")
        for name in ("mosaic", "gauss", "box"):
            length = getattr(self, name)
            if length is not None and length.value == 0:
                raise UsageError(f"--{name} 0 does nothing", "give a length above 0")
        if not self.operators:
            raise UsageError(
                "no operator is given", "name one, such as --mosaic 8 (see degrade --help)"
            )

    @property
    def operators(self) -> tuple[str, ...]:
        """Names of the operators that are asked for, in the order in which they act."""
        names = (
            *("tool", "eye_bar", "mask_face", "mask_head", "mosaic", "gauss", "box", "motion"),
            *("x4", "x8", "noise", "jpeg", "h264"),
        )
        given = ((name, getattr(self, name)) for name in names)
        nothing = (None, False)  # by identity: CRF 0 is the best quality that H.264 has
        return tuple(
            name
            for name, value in given
            if not any(value is none for none in nothing) and (name, value) != ("noise", 0)
        )
