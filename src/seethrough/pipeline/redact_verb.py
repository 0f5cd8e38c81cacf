"""The verb ``redact`` on files, as the command line has it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

from seethrough.files import named
from seethrough.pipeline.inputs import paths_of
from seethrough.pipeline.redact_options import Faces, RedactOptions, Time
from seethrough.pipeline.redact_report import RedactReport
from seethrough.pipeline.redacting import redacting
from seethrough.redactor.style import StyleName
from seethrough.session import Device
from seethrough.tracker import OnLost
from seethrough.types import Box
from seethrough.video.options import Codec, Voice


def redact(
    inputs: str | Path | Sequence[str | Path],
    output: str | Path,
    *,
    style: StyleName | None = None,
    strength: float | None = None,
    only: Faces | None = None,
    keep: Faces | None = None,
    tracks: str | Path | None = None,
    from_: Time | None = None,
    to: Time | None = None,
    box: Iterable[Box | Sequence[float]] = (),
    on_lost: OnLost = "hold",
    verify: bool = True,
    voice: Voice = "keep",
    keep_metadata: bool = False,
    keep_subtitles: bool = False,
    codec: Codec | None = None,
    crf: float | None = None,
    preset: str | None = None,
    overwrite: bool = False,
    resume: bool = False,
    device: Device = "auto",
    threads: int | None = None,
    seed: int = 0,
) -> RedactReport:
    """Hide the faces of photos and films for good.

    Every output is read back and looked at before it gets its name. Metadata that may hold names
    and places is dropped. An input without a face is not copied: it would pass for redacted.

    Parameters
    ----------
    inputs : path or sequence of paths
        Photos, films and folders; folders are walked recursively.
    output : path
        A file for a single input, whose suffix chooses the format; otherwise a folder.
    style : {"solid", "silhouette", "safe-blur", "eye-bar", "blur", "mosaic"}, optional
        ``solid`` where absent, and then larger covers are tried where verification fails; a style
        that is given is kept as it is. Into the first three no pixel of a face enters; the others
        give people away, and a warning says how often.
    strength : float, optional
        ``mosaic``: cells per face width. ``blur``: sigma as a share of it.
    only, keep : int, str or iterable of int, optional
        Numbers of the faces to cover, or of those to leave; not both. A single input. Faces
        number by first frame, then left edge.
    tracks : path, optional
        A ``tracks.json`` in place of detection, honoured as it stands. A single input.
    from_, to : float, str or Fraction, optional
        Cover frames of the single film with ``from_ <= time < to``: seconds, or
        ``"[hh:]mm:ss[.mmm]"``.
    box : iterable of Box or (x0, y0, x1, y1)
        Regions of the single input to cover besides, in half-open upright pixels; in a film from
        its start to its end.
    on_lost : {"hold", "cover-frame", "stop"}
        Where a face of a film is lost: hold and enlarge its cover, cover the whole frame, or
        stop.
    verify : bool
        Look at the finished output with another detector, and compare covers with the original.
    voice : {"keep", "mute"}
        Sound of films. A voice identifies too.
    keep_metadata : bool
        Keep descriptive EXIF of photos, and tags, chapters and attachments of films, which may hold
        names and places. Thumbnails and other pictures are always dropped.
    keep_subtitles : bool
        Keep subtitles of films, which may hold names.
    codec : {"h264", "h265", "vp9", "av1"}, optional
        Of films; where absent ``h264``, and ``vp9`` in WebM.
    crf : float, optional
        Constant rate factor of films; the codec's default where absent.
    preset : str, optional
        The encoder's preset.
    overwrite : bool
        Replace outputs that exist.
    resume : bool
        Skip inputs whose output an earlier run finished, and go on with a film that it did not.
    device : {"auto", "cpu", "cuda"}
        Where the networks run.
    threads : int, optional
        Threads of the networks and codecs; all usable processors where absent.
    seed : int
        As for the other verbs; nothing here depends on it.

    Returns
    -------
    RedactReport
        One :class:`~seethrough.pipeline.redact_report.RedactRecord` for each input.

    Raises
    ------
    UsageError
        Where an option is out of range or contradicts another, a number is no face's, or the film
        ends before ``from_``.
    InputError, OutputError, MissingPartError
        The first failure, once every input has been handled.
    VerificationError
        Where something still shows; the output is kept as ``NAME.unverified.SUFFIX``.
    NothingToDoError
        Where no input shows a face; nothing is written.

    Examples
    --------
    >>> import seethrough
    >>> report = seethrough.redact("photo.jpg", "safe.jpg")  # doctest: +SKIP
    >>> report.records[0].verified  # doctest: +SKIP
    True
    """
    options = RedactOptions.of(
        style=style,
        strength=strength,
        only=only,
        keep=keep,
        tracks=tracks,
        from_=from_,
        to=to,
        box=box,
        on_lost=on_lost,
        verify=verify,
        voice=voice,
        keep_metadata=keep_metadata,
        keep_subtitles=keep_subtitles,
        codec=codec,
        crf=crf,
        preset=preset,
        overwrite=overwrite,
        resume=resume,
        device=device,
        threads=threads,
        seed=seed,
    )
    report = redacting(paths_of(inputs), named(output), options).finish()
    assert isinstance(report, RedactReport)
    return report
