"""End to end: are degraded faces found in whole photos, and how well are they aligned?

PROTOCOL section 3: ``eval/lfw`` photos with the face region degraded in place, no boxes given. A
face is located where the detector's box has an IoU of at least 0.5 with the one that it found on
the clean photo; a face that matches none of the clean photo's is false. The photo is restored as
a user would, with the faces found, and again with the clean photo's landmarks; both are compared
with the clean photo over its aligned crop.

``python -m benchmarks.run location``
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, NamedTuple, TypeAlias

import numpy as np
import numpy.typing as npt

from benchmarks import metrics
from benchmarks.results import Column, Options, Section, Table, Value
from benchmarks.sets import SIZE, Setting, operator, provenance
from seethrough import degrade, geometry, image
from seethrough.errors import InputError
from seethrough.faces import FaceDetector
from seethrough.operators import find_covered
from seethrough.restorer import Restorer
from seethrough.types import Box, CoveredRegion, Face, Image, Landmarks

SETTINGS = ("mosaic-8", "mosaic-12", "gauss-6")
REPORTED = range(500, 1000)
"""People of ``eval/lfw`` to report on; 0-499 are for development."""
LOCATED_IOU = 0.5
FALSE_IOU = 0.3
"""A face that overlaps every face of the clean photo by less is false; between the two figures
it is a poor box of a true face, which counts as not located."""
CENTRE = (64.0, 80.0)
"""Middle of the tight face in the 128 px crop, where shifts are measured."""

Extent: TypeAlias = Literal["crop", "face"]
EXTENTS: tuple[Extent, ...] = ("crop", "face")
Key: TypeAlias = tuple[str, Extent]
"""A setting and the region that it acts on."""


@dataclass(frozen=True, slots=True, eq=False)
class Location:
    """What the detector made of one degraded photo.

    Attributes
    ----------
    face : Face or None
        The face that matches the degraded one; ``None`` where it was not located.
    false : int
        Faces found which match no face of the clean photo.
    """

    face: Face | None
    false: int


class Quality(NamedTuple):
    """PSNR in dB over the clean photo's aligned crop."""

    given: float
    """Of the degraded photo as it is."""
    found: float
    """Restored with the faces that were found in it."""
    reference: float
    """Restored with the clean photo's landmarks."""


def face_region(landmarks: Landmarks, extent: Extent = "crop") -> Box:
    """Return the upright region of a photo that is degraded.

    Parameters
    ----------
    landmarks : Landmarks
        Of the clean photo.
    extent : {"crop", "face"}
        ``crop``: the square with the centre and size of the aligned 128 px crop (our setting:
        PROTOCOL's operators act on whole crops). ``face``: the tight face box of its tools.
    """
    if extent == "face":
        return geometry.tight_box(landmarks)
    matrix = geometry.similarity(landmarks, SIZE)
    x, y = geometry.transform(geometry.invert(matrix), [(SIZE - 1) / 2] * 2) + 0.5
    half = SIZE / 2 / geometry.scale_of(matrix)
    return Box(float(x - half), float(y - half), float(x + half), float(y + half))


def degraded_photo(
    photo: Image, landmarks: Landmarks, op: degrade.Degradation, extent: Extent = "crop"
) -> Image:
    """Degrade the face region of a photo in place, at the scale of the aligned face.

    Parameters
    ----------
    photo : Image
        ``uint8 (H, W, 3)``.
    landmarks : Landmarks
        Of the face, found on the clean photo.
    op : Degradation
        Its lengths are pixels of the aligned 128 px crop; they are brought to the photo's.
    extent : {"crop", "face"}
        As in :func:`face_region`.

    Returns
    -------
    Image
        Outside the region it is the photo. Grids are upright, as tools make them.
    """
    pixel = 1 / geometry.scale_of(geometry.similarity(landmarks, SIZE))
    return degrade.Within(degrade.scaled(op, pixel), face_region(landmarks, extent))(photo)


def subject(photo: Image, faces: Sequence[Face]) -> Face | None:
    """Return the face nearest to the photo's centre: LFW's photos are centred on theirs."""
    centre = np.array(photo.shape[1::-1]) / 2
    return min(
        faces, key=lambda f: float(np.hypot(*(np.array(f.box.centre) - centre))), default=None
    )


def compare(found: Sequence[Face], target: Face, clean_faces: Sequence[Face]) -> Location:
    """Compare the faces of a degraded photo with those of the clean one.

    Parameters
    ----------
    found : sequence of Face
        Of the degraded photo.
    target : Face
        The face that was degraded, as found on the clean photo.
    clean_faces : sequence of Face
        Every face found on the clean photo, ``target`` included.
    """
    matching = [face for face in found if face.box.iou(target.box) >= LOCATED_IOU]
    false = sum(all(face.box.iou(other.box) < FALSE_IOU for other in clean_faces) for face in found)
    return Location(max(matching, key=lambda f: f.box.iou(target.box), default=None), false)


def quality(
    restorer: Restorer,
    photo: Image,
    degraded: Image,
    target: Face,
    found: Sequence[Face],
    covered: Sequence[CoveredRegion],
) -> Quality:
    """Restore a degraded photo twice, and compare with the clean one.

    Parameters
    ----------
    restorer : Restorer
        The network and all that surrounds it.
    photo, degraded : Image
        The clean photo, and what :func:`degraded_photo` made of it.
    target : Face
        The face that was degraded, as found on the clean photo.
    found : sequence of Face
        As found on the degraded photo; none of them may be the degraded one.
    covered : sequence of CoveredRegion
        As found on the degraded photo; both restorations are told.
    """
    matrix = geometry.similarity(target.landmarks, SIZE)
    results = [
        degraded,
        *(
            restorer.restore_picture(degraded, faces, (), covered).picture
            for faces in (found, [target])
        ),
    ]
    truth = geometry.crop(photo, matrix, SIZE)
    return Quality(*(metrics.psnr(geometry.crop(r, matrix, SIZE), truth) for r in results))


def misalignment(landmarks: Landmarks, reference: Landmarks) -> npt.NDArray[np.float64]:
    """Compare the crops that two sets of landmarks align.

    Returns
    -------
    ndarray
        ``float64 (4,)``: shift x and y at :data:`CENTRE` in px of the 128 px crop, rotation in
        degrees, natural logarithm of the scale: of the crop by ``landmarks``, seen from the crop
        by ``reference``.
    """
    ours, theirs = (geometry.similarity(points, SIZE) for points in (landmarks, reference))
    linear = ours[:, :2] @ np.linalg.inv(theirs[:, :2])
    there = geometry.transform(ours, geometry.transform(geometry.invert(theirs), CENTRE))
    angle = np.degrees(np.arctan2(linear[1, 0], linear[0, 0]))
    return np.array([*(there - CENTRE), angle, np.log(np.hypot(*linear[:, 0]))])


def photos(shared: Path, people: Sequence[int]) -> Iterator[tuple[int, Image]]:
    """Yield the first photo of each person of ``eval/lfw``, with the person's number.

    Raises
    ------
    InputError
        Where the photos are missing.
    """
    for person in people:
        path = shared / "data" / "eval" / "lfw" / f"{person:04d}_0.jpg"
        if not path.is_file():
            raise InputError(f"{path} is missing", "see data/README.md")
        yield person, image.read(path).pixels


def run(options: Options, people: Sequence[int] = REPORTED) -> Section:
    """Measure location, alignment and restoration over ``people``, every setting."""
    detector = FaceDetector("cpu", options.threads)
    restorer = Restorer("cpu", options.threads, options.weights)
    rng = np.random.default_rng(options.seed)
    scored: dict[Key, list[Location]] = {}
    errors: dict[Key, list[npt.NDArray[np.float64]]] = {}
    restored: dict[Key, list[Quality]] = {}
    faces = no_face = 0
    for person, photo in photos(options.shared, people[: options.limit]):
        clean = detector.detect(photo, find_covered(photo))
        target = subject(photo, clean)
        if target is None:
            no_face += 1
            continue
        faces += len(clean)
        for name in SETTINGS:
            phase = np.random.default_rng([options.seed, person]).random(2)
            op = operator(Setting.parse(name), phase)
            for extent in EXTENTS:
                key: Key = (name, extent)
                degraded = degraded_photo(photo, target.landmarks, op, extent)
                covered = find_covered(degraded)
                found = detector.detect(degraded, covered)
                result = compare(found, target, clean)
                scored.setdefault(key, []).append(result)
                if result.face is not None:
                    error = misalignment(result.face.landmarks, target.landmarks)
                    errors.setdefault(key, []).append(error)
                restored.setdefault(key, []).append(
                    quality(restorer, photo, degraded, target, found, covered)
                )
    return Section(
        key="location",
        title="Faces in photos, end to end",
        text=(
            "`eval/lfw`, the first photo of each person; the face region degraded in place at the "
            "scale of the aligned face, no boxes given. Region (our setting): `crop`, the upright "
            "square of the aligned crop's size; `face`, the tight box of PROTOCOL's tools. "
            f"The clean photos held {faces} faces, {no_face} photos none."
        ),
        tables=(_located(scored, rng), _restored(restored, rng), _misaligned(errors)),
        provenance={
            "weights": f"{restorer.weights.name}, sha256 {restorer.weights.sha256}",
            **provenance(options),
        },
    )


def _located(scored: dict[Key, list[Location]], rng: np.random.Generator) -> Table:
    rows: list[dict[str, Value]] = [
        {
            "setting": name,
            "region": extent,
            "located": metrics.estimate([r.face is not None for r in results], rng),
            "false": metrics.estimate([r.false for r in results], rng),
        }
        for (name, extent), results in scored.items()
    ]
    columns = (
        Column("setting", "degraded by"),
        Column("region", "region"),
        Column("located", "located", digits=1, share=True),
        Column("false", "false faces a photo", digits=3),
    )
    return Table("Faces located, IoU at least 0.5 with the clean photo's box", columns, tuple(rows))


def _restored(restored: dict[Key, list[Quality]], rng: np.random.Generator) -> Table:
    rows: list[dict[str, Value]] = []
    for (name, extent), values in restored.items():
        given, found, reference = np.array(values).T
        rows.append(
            {
                "setting": name,
                "region": extent,
                "given": metrics.estimate(given, rng),
                "found": metrics.estimate(found, rng),
                "reference": metrics.estimate(reference, rng),
                "loss": metrics.estimate(reference - found, rng),
            }
        )
    columns = (
        Column("setting", "degraded by"),
        Column("region", "region"),
        Column("given", "degraded photo"),
        Column("found", "restored, end to end"),
        Column("reference", "restored, landmarks of the clean photo"),
        Column("loss", "lost end to end"),
    )
    return Table(
        "PSNR in dB over the clean photo's aligned crop, faces that were not located included",
        columns,
        tuple(rows),
    )


def _misaligned(errors: dict[Key, list[npt.NDArray[np.float64]]]) -> Table:
    parts = (("x", "shift x, px"), ("y", "shift y, px"), ("r", "rotation, degrees"))
    columns = [Column("setting", "degraded by"), Column("region", "region")]
    for key, heading in (*parts, ("s", "log scale")):
        digits = 3 if key == "s" else 2
        columns.append(Column(f"{key}-mean", f"{heading}: mean", digits))
        columns.append(Column(f"{key}-sd", "sd", digits))
    rows = []
    for (name, extent), values in errors.items():
        row: dict[str, Value] = {"setting": name, "region": extent}
        for key, column in zip("xyrs", np.array(values).T, strict=True):
            row |= {f"{key}-mean": float(column.mean()), f"{key}-sd": float(column.std())}
        rows.append(row)
    return Table(
        "Alignment on the degraded photo against that on the clean one, in the 128 px crop",
        tuple(columns),
        tuple(rows),
    )
