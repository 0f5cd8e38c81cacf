"""The verbs on files, as the command line has them.

Every keyword bears the name of its flag. A verb handles every input before it raises the first
failure, whose exception is that of the input that failed.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TypeAlias

from seethrough.files import named
from seethrough.pipeline.audit_options import AuditOptions
from seethrough.pipeline.audit_report import AuditRecord, AuditReport
from seethrough.pipeline.auditing import auditing
from seethrough.pipeline.degrading import degrading
from seethrough.pipeline.faces_options import FacesOptions
from seethrough.pipeline.faces_report import FacesRecord, FacesReport
from seethrough.pipeline.faces_verb import faces
from seethrough.pipeline.facing import facing
from seethrough.pipeline.information import Information, information
from seethrough.pipeline.inputs import paths_of
from seethrough.pipeline.options import DegradeOptions, KindChoice, RestoreOptions, RunOptions
from seethrough.pipeline.redact_options import RedactOptions
from seethrough.pipeline.redact_report import RedactRecord, RedactReport
from seethrough.pipeline.redact_verb import redact
from seethrough.pipeline.redacting import redacting
from seethrough.pipeline.report import Record, Report
from seethrough.pipeline.restoring import restoring
from seethrough.session import Device
from seethrough.types import Box
from seethrough.video.options import Codec

__all__ = [
    "AuditOptions",
    "AuditRecord",
    "AuditReport",
    "DegradeOptions",
    "FacesOptions",
    "FacesRecord",
    "FacesReport",
    "Information",
    "Record",
    "RedactOptions",
    "RedactRecord",
    "RedactReport",
    "Report",
    "RestoreOptions",
    "audit",
    "auditing",
    "degrade",
    "degrading",
    "faces",
    "facing",
    "info",
    "redact",
    "redacting",
    "restore",
    "restoring",
]

Paths: TypeAlias = str | Path | Sequence[str | Path]


def restore(
    inputs: Paths,
    output: str | Path,
    *,
    kind: KindChoice = "auto",
    aligned: bool = False,
    box: Iterable[Box | Sequence[float]] = (),
    landmarks: Iterable[Sequence[float]] = (),
    realism: float | None = None,
    compare: bool = False,
    force: bool = False,
    overwrite: bool = False,
    resume: bool = False,
    weights: str | Path | None = None,
    codec: Codec | None = None,
    crf: float | None = None,
    preset: str | None = None,
    device: Device = "auto",
    threads: int | None = None,
    seed: int = 0,
) -> Report:
    """Make clear pictures out of blurred, mosaicked and low-resolution ones.

    Faces and lines of text are found, restored and pasted back; no other pixel changes.

    Parameters
    ----------
    inputs : path or sequence of paths
        Pictures, films and folders; folders are walked recursively.
    output : path
        A file for a single input, whose suffix chooses the format; otherwise a folder.
    kind : {"auto", "face", "text"}
        What to look for.
    aligned : bool
        Each input is one square crop of at most 512 px, aligned to the face template or, with
        ``kind="text"``, filled by text; with ``"auto"`` it is taken for a face. The output is a
        PNG of 128 px.
    box : iterable of Box or (x0, y0, x1, y1)
        Regions of the single input in half-open pixels of the upright picture, in place of
        detection: tight faces or, with ``kind="text"``, lines.
    landmarks : iterable of ten floats
        ``x, y`` of left eye, right eye, nose, left and right mouth corner (viewer's left first)
        for each face of the single input, in place of detection.
    realism : float, optional
        Range [0, 1]: from the posterior mean, 0, soft and closest to the truth, to faces that
        look real, 1; 0.7 where absent, but 0 for films and with other ``weights``.
    compare : bool
        Also write ``NAME.compare.png``: before | after; of a film, a film.
    force : bool
        Restore regions that are clear already.
    overwrite : bool
        Replace outputs that exist.
    resume : bool
        Skip inputs whose output an earlier run finished.
    weights : path, optional
        A restorer network (ONNX) in place of the shipped one.
    codec : {"h264", "h265", "vp9", "av1"}, optional
        Of films; H.264, in WebM VP9, where absent.
    crf : float, optional
        Constant rate factor of films; the codec's default where absent.
    preset : str, optional
        The encoder's preset.
    device : {"auto", "cpu", "cuda"}
        Where the networks run.
    threads : int, optional
        Threads for one run on the CPU; all usable processors where absent.
    seed : int
        Seed of the grain that replaced regions of a grainy picture get.

    Returns
    -------
    Report
        One record for each input: what was found, restored and skipped, and why.

    Raises
    ------
    UsageError
        Where an option is out of range or contradicts another.
    InputError, OutputError, MissingPartError
        The first failure, once every input has been handled.
    NothingToDoError
        Where nothing was restored in any input; nothing is written.

    Examples
    --------
    >>> import seethrough
    >>> report = seethrough.restore("photo.jpg", "clear.png")  # doctest: +SKIP
    >>> [region.status for region in report.records[0].regions]  # doctest: +SKIP
    ['done', 'skipped']
    >>> report = seethrough.restore("photos", "clear", resume=True)  # doctest: +SKIP
    """
    options = RestoreOptions.of(
        kind=kind,
        aligned=aligned,
        box=box,
        landmarks=landmarks,
        realism=realism,
        compare=compare,
        force=force,
        overwrite=overwrite,
        resume=resume,
        weights=weights,
        codec=codec,
        crf=crf,
        preset=preset,
        device=device,
        threads=threads,
        seed=seed,
    )
    return restoring(paths_of(inputs), named(output), options).finish()


def audit(
    original: str | Path,
    output: str | Path,
    *,
    redacted: str | Path | None = None,
    style: str | None = None,
    strength: float | str | None = None,
    overwrite: bool = False,
    resume: bool = False,
    device: Device = "auto",
    threads: int | None = None,
    seed: int = 0,
) -> AuditReport:
    """Measure what a redaction leaves: which attackers still find the person, with which odds.

    Attackers see the original, degraded again the way the redacted file was, and never the pixels
    under its covers. From the redacted file come the place of each cover, its operator, strength
    and compression.

    Parameters
    ----------
    original : path
        An uncovered picture or film, or a folder of them. Several originals that show one person
        serve as the attackers' gallery.
    output : path
        The folder for ``report.html`` and ``report.json``, created for its owner alone.
    redacted : path, optional
        The redacted picture or film, or a folder of them with the originals' names (suffixes may
        differ).
    style : {"mosaic", "blur", "box", "solid", "eye-bar", "mask-face", "mask-head"}, optional
        Without ``redacted``, the cover to simulate over every face; with it, how the faces that
        it covers are covered, in place of what the file tells. ``solid`` covers the head.
    strength : float or str, optional
        Mosaic: cells per face width. Blur: sigma as a share of it; box: the kernel likewise. A
        string such as ``"9px"``: pixels of the redacted picture (a cell, sigma, the kernel).
    overwrite : bool
        Replace a report that exists.
    resume : bool
        Do nothing where an earlier run has finished its report.
    device, threads
        As in :func:`restore`.
    seed : int
        As for the other verbs; nothing here depends on it.

    Returns
    -------
    AuditReport
        One record for each original, with its :class:`~seethrough.auditor.types.PictureAudit`.

    Raises
    ------
    UsageError
        Where there is neither a redacted file nor a style, or an option makes no sense.
    InputError
        Where a pair does not match (a photo and a film never do), is swapped, or is covered in a
        way that cannot be named.
    OutputError, MissingPartError
        The first failure, once every pair has been handled.
    NothingToDoError
        Where no original shows a face; nothing is written.

    Examples
    --------
    >>> import seethrough
    >>> report = seethrough.audit("raw.jpg", "report", redacted="blurred.jpg")  # doctest: +SKIP
    >>> report.audits[0].verdict  # doctest: +SKIP
    'exposed'
    """
    options = AuditOptions(
        style=style,
        strength=strength,
        overwrite=overwrite,
        resume=resume,
        device=device,
        threads=threads,
        seed=seed,
    )
    covered = None if redacted is None else named(redacted)
    report = auditing(named(original), covered, named(output), options).finish()
    assert isinstance(report, AuditReport)
    return report


def degrade(
    inputs: Paths,
    output: str | Path,
    *,
    tool: str | None = None,
    eye_bar: bool = False,
    mask_face: bool = False,
    mask_head: bool = False,
    mosaic: float | str | None = None,
    phase: tuple[float, float] = (0.0, 0.0),
    sampled: bool = False,
    gauss: float | str | None = None,
    box: float | str | None = None,
    motion: tuple[float | str, float] | None = None,
    x4: bool = False,
    x8: bool = False,
    noise: float | None = None,
    jpeg: int | None = None,
    h264: float | None = None,
    faces: bool = False,
    overwrite: bool = False,
    resume: bool = False,
    device: Device = "auto",
    threads: int | None = None,
    seed: int = 0,
) -> Report:
    """Degrade pictures and films with the operators that training, restoring and audits use.

    They act in the order in which they stand here. Lengths are pixels of the input, or a string
    such as ``"8%"``: per cent of the face width.

    Parameters
    ----------
    inputs : path or sequence of paths
        Pictures, films and folders; folders are walked recursively.
    output : path
        A file for a single picture, whose suffix chooses the format; otherwise a folder.
    tool : str, optional
        A real tool's cover: one of :data:`seethrough.degrade.PRESETS`.
    eye_bar, mask_face, mask_head : bool
        A black bar over the eyes, black ellipses over face and head.
    mosaic : float or str, optional
        Cell size.
    phase : (float, float)
        The mosaic's grid lines lie at ``x = k * cell - phase[0]``, likewise y, in pixels.
    sampled : bool
        A mosaic cell takes one pixel's colour, not its mean.
    gauss : float or str, optional
        Sigma of a Gaussian blur.
    box : float or str, optional
        Kernel of a box blur.
    motion : (float or str, float), optional
        Length and angle (degrees) of a motion blur.
    x4, x8 : bool
        A random blur, reduction by area to a quarter or an eighth, and noise. The output is
        smaller; with ``faces`` they are brought back to their size bicubically.
    noise : float, optional
        Sigma of Gaussian noise on the scale [0, 1].
    jpeg : int, optional
        Quality, 1 to 100.
    h264 : float, optional
        Constant rate factor, 0 to 51.
    faces : bool
        Limit the operators to the faces that are found. Otherwise the whole picture is taken
        for one aligned face.
    overwrite, resume, device, threads
        As in :func:`restore`.
    seed : int
        Seed of random blurs and noise; with it, a picture always degrades alike.

    Returns
    -------
    Report
        One record for each input.

    Raises
    ------
    UsageError
        Where no operator is given, or an option is out of range or contradicts another.
    InputError, OutputError, MissingPartError
        The first failure, once every input has been handled.
    NothingToDoError
        With ``faces``, where no input shows one.

    Examples
    --------
    >>> from seethrough import pipeline
    >>> pipeline.degrade("photo.jpg", "m.png", mosaic="10%", faces=True)  # doctest: +SKIP
    """
    options = DegradeOptions.of(
        tool=tool,
        eye_bar=eye_bar,
        mask_face=mask_face,
        mask_head=mask_head,
        mosaic=mosaic,
        phase=phase,
        sampled=sampled,
        gauss=gauss,
        box=box,
        motion=motion,
        x4=x4,
        x8=x8,
        noise=noise,
        jpeg=jpeg,
        h264=h264,
        faces=faces,
        overwrite=overwrite,
        resume=resume,
        device=device,
        threads=threads,
        seed=seed,
    )
    return degrading(paths_of(inputs), named(output), options).finish()


def info(*, device: Device = "auto", threads: int | None = None, seed: int = 0) -> Information:
    """Return version, providers and weights of this installation, every checksum verified.

    Parameters
    ----------
    device : {"auto", "cpu", "cuda"}
        A device to try as well.
    threads, seed : int, optional
        As for the other verbs; nothing here depends on them.

    Raises
    ------
    UsageError
        Where an option is out of range. What is missing is no exception here but one of
        ``faults``.

    Examples
    --------
    >>> from seethrough import pipeline
    >>> pipeline.info().version == seethrough.__version__
    True
    """
    RunOptions(device=device, threads=threads, seed=seed)
    return information(device)
