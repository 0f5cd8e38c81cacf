"""The restorer network, and a whole picture around it."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Collection, Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

from seethrough.errors import MissingPartError, UsageError
from seethrough.geometry import Matrix, crop
from seethrough.restorer.blending import Layer, compose, with_grain
from seethrough.restorer.cells import smoothed
from seethrough.restorer.checkerboard import without_checkerboard
from seethrough.restorer.completion import completed
from seethrough.restorer.consistency import consistency
from seethrough.restorer.dial import blended
from seethrough.restorer.targets import (
    CROP,
    Target,
    face_target,
    judged,
    layer_of,
    line_target,
)
from seethrough.session import Device, Session, open_session
from seethrough.types import (
    CoveredRegion,
    Face,
    Image,
    Kind,
    Mask,
    Patch,
    Restoration,
    TextLine,
    WeightsUsed,
)
from seethrough.weights import record

BATCH = 16  # crops at a time: larger batches gain no speed and cost memory
KINDS: dict[Kind, int] = {"face": 0, "text": 1}


class Restorer:
    """Makes blurred, mosaicked and low-resolution faces and text clear.

    One network gives the posterior mean: the picture with the least expected error, soft where it
    does not know. A second one, trained against a discriminator, shows faces as they may have
    looked. ``realism`` goes from the one to the other.

    Parameters
    ----------
    device : {"auto", "cpu", "cuda"}
        Where the network runs.
    threads : int, optional
        Threads for one run on the CPU; all usable processors where absent.
    weights : Path, optional
        An ONNX file of the same contract in place of the shipped network: inputs ``degraded``,
        ``float32 (N, 3, 128, 128)``, RGB on [0, 1], and ``kind``, ``int64 (N,)``, 0 for a face
        and 1 for text; first output ``restored``, like ``degraded``.
    realism : float
        Range [0, 1]; 0: the posterior mean. Text is always that: to make up detail of letters is
        to make up words.

    Attributes
    ----------
    weights : WeightsUsed
        Of the posterior mean.

    Raises
    ------
    UsageError
        Where an option is out of range, or ``realism`` above 0 is wanted of other ``weights``.
    MissingPartError
        Where the weights or the device are missing.

    Examples
    --------
    >>> restorer = Restorer(threads=1)
    >>> crops = np.zeros((2, 128, 128, 3), np.uint8)
    >>> restorer.restore_crops(crops, ["face", "text"]).shape
    (2, 128, 128, 3)
    """

    def __init__(
        self,
        device: Device = "auto",
        threads: int | None = None,
        weights: Path | None = None,
        realism: float = 0.0,
    ) -> None:
        if not 0 <= realism <= 1:
            raise UsageError(f"realism {realism:g} is out of range", "give 0 to 1")
        if realism > 0 and weights is not None:
            raise UsageError(
                "the realistic network belongs to the shipped restorer",
                "give --realism 0 with --weights",
            )
        self.realism = realism
        # First, because its error names a path that does not exist.
        self.weights = record("restorer").used if weights is None else _used(weights)
        self._session = open_session(
            "restorer" if weights is None else weights, device=device, threads=threads
        )
        if realism > 0:
            self._realistic = open_session("realistic", device=device, threads=threads)

    def used(self, kinds: Collection[Kind] = ("face", "text")) -> tuple[WeightsUsed, ...]:
        """Return the weights that have a part in restoring these kinds."""
        if self.realism > 0 and "face" in kinds:
            return (self.weights, record("realistic").used)
        return (self.weights,)

    def restore_crops(self, crops: npt.NDArray[np.uint8], kinds: Sequence[Kind]) -> Image:
        """Restore aligned crops.

        Parameters
        ----------
        crops : ndarray
            ``uint8 (N, 128, 128, 3)`` RGB: faces aligned to the template, or text with capitals
            of about 20 px.
        kinds : sequence of str
            ``face`` or ``text``, one for each crop.

        Returns
        -------
        ndarray
            ``uint8 (N, 128, 128, 3)``.

        Raises
        ------
        UsageError
            Where the shapes or kinds are not these.
        """
        if crops.dtype != np.uint8 or crops.shape[1:] != (CROP, CROP, 3):
            raise UsageError(
                f"crops of shape {crops.shape} and type {crops.dtype}",
                f"give uint8 of shape (N, {CROP}, {CROP}, 3)",
            )
        if len(kinds) != len(crops) or not set(kinds) <= KINDS.keys():
            raise UsageError(
                f"{len(crops)} crops with the kinds {list(kinds)}", "give face or text for each"
            )
        restored = np.empty_like(crops)
        for start in range(0, len(crops), BATCH):
            part = slice(start, start + BATCH)
            degraded = crops[part].transpose(0, 3, 1, 2).astype(np.float32) / np.float32(255)
            kind = np.array([KINDS[name] for name in kinds[part]], np.int64)
            output = self._run(degraded, kind)
            levels = np.floor(output * np.float32(255) + np.float32(0.5))
            restored[part] = levels.astype(np.uint8).transpose(0, 2, 3, 1)
        return restored

    def _run(
        self, degraded: npt.NDArray[np.float32], kind: npt.NDArray[np.int64]
    ) -> npt.NDArray[np.float32]:
        """Restore ``float32 (N, 3, 128, 128)``; faces between posterior mean and realistic."""
        faces = (kind == KINDS["face"]) & (self.realism > 0)
        means = ~faces if self.realism == 1 else np.ones_like(faces)
        output = np.zeros_like(degraded)
        if means.any():
            output[means] = _restored(self._session, degraded[means], kind[means])
        if faces.any():
            shown = without_checkerboard(_restored(self._realistic, degraded[faces], kind[faces]))
            if self.realism < 1:
                shown = blended(output[faces], shown, self.realism)
            output[faces] = np.clip(shown, 0, 1)
        return output

    def restore_picture(
        self,
        picture: Image,
        faces: Sequence[Face] = (),
        lines: Sequence[TextLine] = (),
        covered: Sequence[CoveredRegion] = (),
        *,
        force: bool = False,
        rng: np.random.Generator | None = None,
    ) -> Restoration:
        """Restore faces and lines of text where they lie in a picture.

        Parameters
        ----------
        picture : Image
            ``uint8 (H, W, 3)``; not changed.
        faces : sequence of Face
            From :class:`seethrough.faces.FaceDetector`, or placed by hand.
        lines : sequence of TextLine
            From :class:`seethrough.text.TextFinder`, or placed by hand.
        covered : sequence of CoveredRegion
            From :func:`seethrough.operators.find_covered`.
        force : bool
            Restore regions that are clear already, or very small, all the same.
        rng : numpy.random.Generator, optional
            Source of the grain that is laid over replaced regions of a grainy picture; none is
            laid where it is absent.

        Returns
        -------
        Restoration
            Regions stand in the order given, faces first. Pixels outside ``synthesised`` are
            the picture's.

        Notes
        -----
        A region is skipped, with its reason, where it is ``clear`` already, ``too small``,
        ``outside the picture``, or under a ``solid`` cover or an ``eye-bar``: nothing is left
        there to restore from.
        """
        targets = [face_target(face) for face in faces] + [line_target(line) for line in lines]
        known = [judged(picture, target, covered, force) for target in targets]
        wanted = [target for target in known if not target.reason]
        base, cells = smoothed(picture, wanted)
        layers = self._layers(picture, wanted, rng, base)
        result, synthesised = compose(base, [layer for layer, _ in layers])
        synthesised |= cells
        spent = iter(layers)
        regions = []
        for target in known:
            started = time.perf_counter()
            explained, seconds = None, target.seconds
            if not target.reason:
                seconds += next(spent)[1]
                if target.operator is not None:
                    box = target.box if target.cover is None else target.cover.box
                    explained = consistency(picture, result, synthesised, target.operator, box)
            seconds += time.perf_counter() - started
            regions.append(target.region(explained, seconds))
        used = self.used({target.kind for target in wanted}) if layers else ()
        return Restoration(result, synthesised, tuple(regions), used)

    def patches(self, picture: Image, targets: Sequence[Target]) -> tuple[Patch, ...]:
        """Restore regions that are judged already, as one frame of a film needs it.

        Parameters
        ----------
        picture : Image
            ``uint8 (H, W, 3)``; not changed.
        targets : sequence of Target
            Regions to restore, as :func:`seethrough.restorer.targets.judged` returns them.

        Returns
        -------
        tuple of Patch
            One for each: the pixels that changed. No grain is laid over them: in a film it would
            be new in every frame.
        """
        layers = [layer for layer, _ in self._layers(picture, targets, None, picture, grow=False)]
        result, _ = compose(picture, layers)
        return tuple(
            Patch(
                layer.window[1].start,
                layer.window[0].start,
                np.ascontiguousarray(result[layer.window]),
                layer.alpha > 0,
            )
            for layer in layers
        )

    def _restored_targets(
        self,
        picture: Image,
        matrices: Sequence[tuple[Target, Matrix]],
        crops: npt.NDArray[np.uint8],
    ) -> npt.NDArray[np.uint8]:
        """Restore the crops of targets; what lay under a mosaic as if it went on around it."""
        found: dict[int, tuple[Image, Mask]] = {}
        for i, (target, matrix) in enumerate(matrices):
            if target.kind == "face" and target.cover is not None:
                more = completed(picture, matrix, target.cover)
                if more is not None:
                    found[i] = more
        kinds: list[Kind] = [target.kind for target, _ in matrices]
        kinds += ["face"] * len(found)
        given = np.concatenate([crops, *(filled[None] for filled, _ in found.values())])
        restored = self.restore_crops(given, kinds)
        result = restored[: len(crops)]
        for (i, (_, mask)), whole in zip(found.items(), restored[len(crops) :], strict=True):
            covered = mask[..., None]
            blend = result[i] * (1 - covered) + whole * covered
            result[i] = np.rint(blend).astype(np.uint8)
        return result

    def _layers(
        self,
        picture: Image,
        targets: Sequence[Target],
        rng: np.random.Generator | None,
        base: Image,
        *,
        grow: bool = True,
    ) -> list[tuple[Layer, float]]:
        """Return the restored layer of each target, to be laid over ``base``, and its seconds."""
        matrices = [(target, matrix) for target in targets for matrix in target.matrices]
        if not matrices:
            return []
        started = time.perf_counter()
        crops = np.stack([crop(picture, matrix, CROP) for _, matrix in matrices])
        restored = self._restored_targets(picture, matrices, crops)
        each = (time.perf_counter() - started) / len(matrices)
        layers = []
        done = 0
        for target in targets:
            started = time.perf_counter()
            count = len(target.matrices)
            part = slice(done, done + count)
            layer = layer_of(base, target, crops[part], restored[part], grow=grow)
            if rng is not None:
                layer = with_grain(layer, picture, rng)
            layers.append((layer, each * count + time.perf_counter() - started))
            done += count
        return layers


def _restored(
    session: Session, degraded: npt.NDArray[np.float32], kind: npt.NDArray[np.int64]
) -> npt.NDArray[np.float32]:
    restored = session.run({"degraded": degraded, "kind": kind})[0]
    return np.asarray(np.clip(restored, 0, 1), np.float32)


def _used(weights: Path) -> WeightsUsed:
    try:
        content = weights.read_bytes()
    except OSError as error:
        raise MissingPartError(
            f"the weights {weights} cannot be read ({error.strerror})", "check the path"
        ) from error
    return WeightsUsed(weights.stem, hashlib.sha256(content).hexdigest())
