"""How a photo is redacted: cover, write, read back, look, and only then give it its name."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import numpy.typing as npt

from seethrough import __version__, colour, image
from seethrough.files import make_public, remove_left, replacing
from seethrough.image import Picture
from seethrough.pipeline.redact_faces import Choice, choose
from seethrough.pipeline.redact_missed import (
    is_asked,
    is_told,
    left_alone,
    parted,
    settle,
    with_missed,
)
from seethrough.pipeline.redact_options import RedactOptions
from seethrough.pipeline.remains import Remain, Remains
from seethrough.profiles import trimmed
from seethrough.redactor import Coverer, Finding, StillPicture, Style, verify_picture
from seethrough.redactor.style import GROWTH
from seethrough.tracker import Tracks
from seethrough.types import Patch


@dataclass(eq=False)
class Outcome:
    """How a redaction ended.

    Attributes
    ----------
    style : Style
        The last that was tried.
    choice : Choice or None
        The faces, those included that verification has found.
    findings : tuple of Remain
        What still shows with it; empty where verification passed or was not asked for.
    untracked : tuple of Remain
        Faces that show beside those of a given file.
    unverified : Path or None
        Where the output is that failed.
    stages : dict of str to float
        Seconds.
    """

    style: Style
    choice: Choice | None = None
    findings: tuple[Remain, ...] = ()
    untracked: tuple[Remain, ...] = ()
    unverified: Path | None = None
    stages: dict[str, float] = field(default_factory=dict)

    def spend(self, stage: str, started: float) -> None:
        """Count the time since ``started``, from :func:`time.perf_counter`, to a stage."""
        self.add(stage, time.perf_counter() - started)

    def add(self, stage: str, seconds: float) -> None:
        """Count time to a stage."""
        self.stages[stage] = self.stages.get(stage, 0.0) + seconds


def styles(options: RedactOptions) -> tuple[Style, ...]:
    """Return the styles to try in turn: one that is asked for is not changed."""
    if options.style is not None or not options.verify:
        return (options.cover,)
    return tuple(replace(options.cover, grow=grow) for grow in GROWTH)


def unverified_name(output: Path) -> Path:
    """Return the name of an output that still shows something."""
    return output.with_name(f"{output.stem}.unverified{output.suffix}")


def mark(style: Style, options: RedactOptions) -> str:
    """Return the words that every redacted file carries in its metadata."""
    few = options.only or options.keep or options.from_ is not None or options.to is not None
    which = "chosen faces" if few else "faces"
    return f"Redacted by seethrough {__version__}: {which} covered, style {style.name}"


def redact_photo(
    picture: Picture,
    output: Path,
    found: Tracks,
    options: RedactOptions,
    retry: Callable[[Style, Finding], None],
) -> Outcome:
    """Cover faces and write the photo; nothing appears under its name before it is verified.

    Parameters
    ----------
    picture : Picture
        The photo.
    output : Path
        Where to.
    found : Tracks
        Its faces.
    options : RedactOptions
        Which to cover, at least one, and how.
    retry : callable
        Told of a finding before the next style is tried.

    Raises
    ------
    OutputError
        Where it cannot be written.
    """
    overwrite = options.overwrite or options.resume
    candidates = styles(options)
    outcome = Outcome(candidates[0], choose(found, options))
    known = found

    def attempt(style: Style, _: bool) -> tuple[Remain, ...]:
        outcome.style = style
        outcome.findings = _attempt(picture, temporary, options, outcome)
        return outcome.findings

    def add(missed: Sequence[Remain]) -> None:
        nonlocal known
        known = with_missed(known, missed)
        outcome.choice = choose(known, options)

    try:
        remove_left(output)
        with replacing(output, overwrite=overwrite) as temporary:
            settle(candidates, attempt, add, retry)
            if outcome.findings:  # nobody but the owner can read it
                outcome.unverified = unverified_name(output)
                temporary.replace(outcome.unverified)
                raise _StillShows
            make_public(temporary)
    except _StillShows:
        pass
    return outcome


class _StillShows(Exception):  # noqa: N818 - leaves `replacing` without a file under the name
    pass


def _attempt(
    picture: Picture,
    target: Path,
    options: RedactOptions,
    outcome: Outcome,
) -> tuple[Remain, ...]:
    started = time.perf_counter()
    assert outcome.choice is not None
    sightings = outcome.choice.covered.at(0)
    height, width = picture.height, picture.width
    style = outcome.style
    coverer = Coverer(style, (height, width), device=options.device, threads=options.threads)
    patches = coverer.patches(StillPicture(picture.pixels), sightings)
    redacted = painted(picture, patches)
    outcome.spend("cover", started)
    started = time.perf_counter()
    if redacted.profile is not None:
        redacted = replace(redacted, profile=trimmed(redacted.profile))
    if not options.keep_metadata:
        redacted = replace(redacted, exif=None)
    image.write(
        target,
        redacted,
        redacted.pixels,
        description=mark(style, options),
        overwrite=True,
        reconstruction=False,
        private=True,  # until it is verified
    )
    outcome.spend("encode", started)
    if not options.verify:
        return ()
    started = time.perf_counter()
    seen = image.read(target).pixels
    remains = Remains()
    found = verify_picture(
        picture.pixels,
        seen,
        sightings,
        style,
        options.device,
        options.threads,
        elsewhere=is_asked(options) or is_told(options),
        left=left_alone(outcome.choice, 0),
    )
    remains.add(found)
    outcome.spend("verify", started)
    shown, outcome.untracked = parted(remains.all(), options)
    return shown


def painted(picture: Picture, patches: Sequence[Patch]) -> Picture:
    """Return a photo with patches over it.

    Under a patch every sample is replaced, even where its 8-bit view would stay the same (16 bits
    and wide colour spaces hold more than that), and nothing stays transparent: the edge of a
    cut-out is an outline. Everywhere else every sample is the photo's own.

    Parameters
    ----------
    picture : Picture
        Not changed.
    patches : sequence of Patch
        Painted in their order.
    """
    pixels, covered = picture.pixels.copy(), _none(picture)
    for patch in patches:
        height, width = patch.mask.shape
        here = (slice(patch.y0, patch.y0 + height), slice(patch.x0, patch.x0 + width))
        pixels[here][patch.mask] = patch.pixels[patch.mask]
        covered[here] |= patch.mask
    samples = picture.samples.copy()
    samples[covered] = colour.from_srgb(
        pixels[covered], grey=picture.grey, bits=picture.bits, profile=picture.profile
    )
    alpha = picture.alpha
    if alpha is not None:
        alpha = alpha.copy()
        alpha[covered] = np.iinfo(alpha.dtype).max
    return replace(picture, pixels=pixels, samples=samples, alpha=alpha)


def _none(picture: Picture) -> npt.NDArray[np.bool_]:
    return np.zeros((picture.height, picture.width), np.bool_)
