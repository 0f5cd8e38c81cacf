"""The verb ``restore``: from files to restored files."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np

from seethrough import image
from seethrough.errors import InputError, UsageError
from seethrough.face_settling import corrected, tells_where
from seethrough.geometry import template, tight_box, upright_landmarks
from seethrough.operators import estimate, find_covered
from seethrough.pipeline.inputs import Item, one_file, plan
from seethrough.pipeline.marks import mark as mark
from seethrough.pipeline.networks import Networks
from seethrough.pipeline.options import RestoreOptions
from seethrough.pipeline.placing import check_placed
from seethrough.pipeline.progress import Progress
from seethrough.pipeline.report import Record
from seethrough.pipeline.restoring_films import FilmRestoring
from seethrough.pipeline.run import Run, generator
from seethrough.restorer import CROP
from seethrough.restorer.consistency import consistency, scaled
from seethrough.text import line_in_box
from seethrough.types import (
    Box,
    CoveredRegion,
    Face,
    Image,
    Kind,
    Region,
    Restoration,
    TextLine,
)

MAX_ALIGNED = 512  # px a side
UNRECOGNISED = "no face recognised"
"""Reason of a mosaic or a blur that was found, but neither a face nor text in it."""


def restoring(inputs: Sequence[Path], output: Path, options: RestoreOptions) -> Run:
    """Plan a restoration; iterating over the result does the work.

    Parameters
    ----------
    inputs : sequence of Path
        Pictures, films and folders.
    output : Path
        A file for a single file, otherwise a folder.
    options : RestoreOptions
        What to restore, and how.

    Raises
    ------
    UsageError
        Where options and paths contradict each other.
    OutputError
        Where the output cannot be what the inputs need.
    """
    if (options.box or options.landmarks) and not one_file(inputs):
        raise UsageError(
            "--box and --landmarks name regions of one picture", "give a single picture with them"
        )
    suffix = ".png" if options.aligned else None
    films = not options.aligned
    items = plan(inputs, output, suffix=suffix, compare=options.compare, films=films)
    progress = Progress()
    work = _Restoring(options, progress, alone=one_file(inputs))
    return Run("restore", items, work, work.networks.used, options, films=films, progress=progress)


class _Restoring:
    """What one run needs: its options, and the networks that it has loaded."""

    def __init__(self, options: RestoreOptions, progress: Progress, *, alone: bool) -> None:
        self.options = options
        self.alone = alone  # one input, for which a box can be given
        self.networks = Networks(options.device, options.threads, options.weights)
        self.films = FilmRestoring(options, self.networks, progress, _placed)

    def __call__(self, item: Item) -> Record:
        if item.film:
            return self.films(item)
        picture = image.read(item.source)
        if self.options.aligned:
            return self._aligned(item, picture)
        restoration = self._restored(picture.pixels)
        done = any(region.status == "done" for region in restoration.regions)
        record = Record(
            item.source,
            item.output if done else None,
            "done" if done else "skipped",
            None if done else _why(restoration.regions, self.options, boxes=self.alone),
            picture.width,
            picture.height,
            restoration.regions,
        )
        if done:
            self._write(item, picture, restoration)
        return record

    def _restored(self, pixels: Image) -> Restoration:
        options = self.options
        check_placed(options, pixels.shape[1], pixels.shape[0])
        covered = find_covered(pixels)
        faces: tuple[Face, ...] = ()
        lines: tuple[TextLine, ...] = ()
        if options.box or options.landmarks:
            faces, lines = _placed(options)
            if covered:
                faces = self._corrected(pixels, faces, covered)
        else:
            if options.kind != "text":
                faces = self.networks.detector.detect(pixels, covered)
            if options.kind != "face":
                found = self.networks.finder.find(pixels, covered)
                lines = tuple(line for line in found if not _inside_a_face(line, faces))
        restoration = self.networks.restorer(options.dial()).restore_picture(
            pixels,
            faces,
            lines,
            covered,
            force=options.force,
            rng=generator(options.seed, pixels),
        )
        if options.kind == "text" or options.box or options.landmarks:
            return restoration
        hidden = _hidden(covered, restoration.regions)
        return replace(restoration, regions=(*restoration.regions, *hidden))

    def _corrected(
        self, pixels: Image, faces: Sequence[Face], covered: Sequence[CoveredRegion]
    ) -> tuple[Face, ...]:
        """Bring faces that were placed by boxes to where they lie under their covers."""
        boxed = len(self.options.box)  # they come first
        moved = [
            corrected(pixels, face, self.networks.aligner) if tells_where(face, covered) else face
            for face in faces[:boxed]
        ]
        return (*moved, *faces[boxed:])

    def _aligned(self, item: Item, picture: image.Picture) -> Record:
        side = picture.width
        if picture.height != side:
            raise InputError(
                f"{item.source} is {side} x {picture.height} px, not square",
                "cut it to an aligned square, or leave --aligned out",
            )
        if side > MAX_ALIGNED:
            raise InputError(
                f"{item.source} is {side} px a side, more than {MAX_ALIGNED}",
                "reduce it, or leave --aligned out",
            )
        kind: Kind = "text" if self.options.kind == "text" else "face"
        started = time.perf_counter()
        before = network_sized(picture.pixels)
        restorer = self.networks.restorer(self.options.dial())
        after = restorer.restore_crops(before[None], [kind])[0]
        everywhere = np.ones(after.shape[:2], np.bool_)
        landmarks = template(side) if kind == "face" else None
        whole = Box(0, 0, side, side)
        operator = estimate(picture.pixels, whole)
        explained = None
        if operator is not None:
            here = scaled(operator, CROP / side)
            explained = consistency(before, after, everywhere, here, Box(0, 0, CROP, CROP))
        region = Region(
            kind,
            whole if landmarks is None else tight_box(landmarks),
            landmarks,
            1.0,
            "done",
            None,
            operator,
            explained,
            time.perf_counter() - started,
        )
        restoration = Restoration(after, everywhere, (region,), restorer.used([kind]))
        self._write(item, image.Picture.of(before), restoration)
        return Record(item.source, item.output, "done", None, side, side, (region,))

    def _write(self, item: Item, picture: image.Picture, restoration: Restoration) -> None:
        realistic = len(restoration.weights) > 1
        description = mark(restoration.weights, self.options.dial() if realistic else 0.0)
        overwrite = self.options.overwrite or self.options.resume
        image.write(
            item.output,
            picture,
            restoration.picture,
            changed=restoration.synthesised,
            description=description,
            overwrite=overwrite,
        )
        if item.compare is not None:
            both = np.concatenate([picture.pixels, restoration.picture], axis=1)
            image.write(
                item.compare,
                image.Picture.of(both),
                both,
                description=f"Left: before. Right: after. {description}",
                overwrite=overwrite,
            )


def network_sized(pixels: Image) -> Image:
    """Bring a square crop to the network's 128 px: downwards by area, upwards bicubically."""
    side = pixels.shape[0]
    if side == CROP:
        return pixels
    how = cv2.INTER_AREA if side > CROP else cv2.INTER_CUBIC
    return np.asarray(cv2.resize(pixels, (CROP, CROP), interpolation=how), np.uint8)


def _placed(options: RestoreOptions) -> tuple[tuple[Face, ...], tuple[TextLine, ...]]:
    """Return the regions that a person placed."""
    if options.kind == "text":
        return (), tuple(line_in_box(box) for box in options.box)
    boxed = [Face(box, upright_landmarks(box), 1.0) for box in options.box]
    given = [np.array(points, np.float64).reshape(5, 2) for points in options.landmarks]
    return (*boxed, *(Face(tight_box(points), points, 1.0) for points in given)), ()


def _inside_a_face(line: TextLine, faces: Sequence[Face]) -> bool:
    """Text finders fire on eyes and teeth: a line that is mostly face is no text."""
    return any(line.box.intersection(face.box) > 0.5 * line.box.area for face in faces)


def _hidden(covered: Sequence[CoveredRegion], regions: Sequence[Region]) -> list[Region]:
    """Return the covers under which nothing was found, as faces that were skipped.

    A detector sees no face under a mask, and often none behind a bar over the eyes. Where a mosaic
    or a blur hides too much, or lies over something else, a person may still say where to look.
    """
    return [
        Region(
            "face",
            cover.box,
            None,
            cover.operator.confidence,
            "skipped",
            cover.operator.kind if cover.operator.kind in ("solid", "eye-bar") else UNRECOGNISED,
            cover.operator,
            None,
            0.0,
        )
        for cover in covered
        if all(cover.box.intersection(region.box) == 0 for region in regions)
    ]


def _why(regions: Sequence[Region], options: RestoreOptions, *, boxes: bool) -> str:
    """Return why nothing was restored."""
    sought = {"auto": "face or text", "face": "face", "text": "text"}[options.kind]
    if not regions:
        return f"no {sought} found"
    reasons = {region.reason or "" for region in regions}
    if reasons == {UNRECOGNISED} and boxes:
        covers = [r for r in regions if r.operator is not None]
        words = [f"{_COVERS[r.operator.kind]} over {_corners(r.box)}" for r in covers if r.operator]
        more = [f"{len(words) - _NAMED} more"] if len(words) > _NAMED else []
        return f"no {sought} found, but {', '.join(words[:_NAMED] + more)}"
    return ", ".join(sorted(reasons))


_NAMED = 3  # covers in one line
_COVERS = {"mosaic": "a mosaic", "gauss": "a blur", "box": "a blur"}


def _corners(box: Box) -> str:
    """Return a box as ``--box`` takes it."""
    return ",".join(f"{round(side)}" for side in box.as_tuple())
