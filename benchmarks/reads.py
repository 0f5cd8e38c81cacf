"""What every attacker reads out of ``eval/lfw`` under every style, kept on disk.

Reads are the costly part: they are made in chunks of people, stored as they come in half precision
and never made twice, so a run that stops goes on where it was. A file's name depends on the
pictures, the style and the weights that read them.
"""

from __future__ import annotations

import hashlib
import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, Literal, TypeAlias

import numpy as np
import numpy.typing as npt

from benchmarks import lfw, parts
from benchmarks.metrics import Crops
from benchmarks.results import Options
from benchmarks.styles import Style, by_name
from seethrough import weights
from seethrough.auditor import odds
from seethrough.auditor.attackers import (
    Attacker,
    Context,
    Naive,
    Parrot,
    Reads,
    Restoring,
    Similarities,
    Trained,
    fused,
    shown,
    visible,
)
from seethrough.auditor.recognisers import RECOGNISERS, Descriptors, Recogniser, RecogniserName
from seethrough.auditor.space import carried
from seethrough.restorer import Restorer
from seethrough.types import Operator

CHUNK = 125
Source: TypeAlias = Literal["probes", "gallery"]
Name: TypeAlias = Literal["A0", "A1", "A2", "A3", "A2+A3", "A5"]
"""Attackers of the tables: ``A3`` alone, and fused with ``A2``, which the audit calls A3."""
NAMES: tuple[Name, ...] = ("A0", "A1", "A2", "A3", "A2+A3", "A5")
People: TypeAlias = npt.NDArray[np.intp]
Rows: TypeAlias = dict[str, npt.NDArray[Any]]
"""Arrays of 1,000 rows, or of one for each of a chunk's people."""


class Reader:
    """Attackers, people, and the folder of what was read before.

    Attributes
    ----------
    calibration, reported : ndarray
        People whose probes are read. Every second of PROTOCOL's calibration people is enough.
    crowd : ndarray
        People of the gallery, in order: all 1,000, but in a limited run those who are read, and
        100 at least.
    """

    def __init__(self, options: Options) -> None:
        self.people = lfw.load(options.shared, options.threads)
        self.calibration = np.array(lfw.CALIBRATION[::2][: options.limit], np.intp)
        self.reported = np.array(lfw.REPORTED[: options.limit], np.intp)
        self.crowd = np.arange(lfw.PEOPLE)
        if options.limit is not None:
            read = np.union1d(self.calibration, self.reported)
            more = np.setdiff1d(self.crowd, read)[: max(0, 100 - len(read))]
            self.crowd = np.union1d(read, more)
        recognisers = [Recogniser(name, "cpu", options.threads) for name in RECOGNISERS]
        restorers = [Restorer("cpu", options.threads, options.weights)]
        if options.weights is None:
            own = weights.locate("attacker-restorer")
            restorers.append(Restorer("cpu", options.threads, own))
        described = "".join(weights.record(f"recogniser-{n}").sha256 for n in RECOGNISERS)
        self._attackers: dict[str, Attacker] = {
            "A0": Naive(recognisers),
            "A1": Parrot(recognisers),
            "A2": Restoring(recognisers, *restorers),
        }
        self._made_by = {"A0": described, "A2": described}
        for each in restorers:
            self._made_by["A2"] += each.weights.sha256
        self.weights = {each.weights.name: each.weights.sha256 for each in restorers}
        shipped = {record.name: record.sha256 for record in weights.WEIGHTS}
        self.weights |= {n: s for n, s in shipped.items() if n.startswith("recogniser")}
        if "attacker" in shipped:
            self._attackers["A3"] = Trained("cpu", options.threads)
            self._made_by["A3"] = self.weights["attacker"] = shipped["attacker"]
        if "attacker-context" in shipped:
            self._attackers["A5"] = Context("cpu", options.threads)
            self._made_by["A5"] = self.weights["attacker-context"] = shipped["attacker-context"]
        digest = hashlib.sha256(self.people.probes.tobytes())
        digest.update(self.people.gallery.tobytes())
        self._pictures = digest.hexdigest()

    @property
    def names(self) -> tuple[Name, ...]:
        """Attackers whose weights are there."""
        there = set(self._attackers) | ({"A2+A3"} if "A3" in self._attackers else set())
        return tuple(name for name in NAMES if name in there)

    def attacker(self, name: Name) -> Attacker:
        """The attacker whose way of comparing a name's reads are compared in."""
        return self._attackers[{"A2+A3": "A2"}.get(name, name)]

    def clean_gallery(self) -> Reads:
        """Descriptors of the photo 0 of everybody in the crowd."""
        return self._read("A0", by_name("clean"), self.crowd, "gallery")

    def owners(self, people: People) -> People:
        """Rows of the gallery that show these people."""
        return np.searchsorted(self.crowd, people)

    def frames(self, people: People) -> Reads:
        """Descriptors of the clean photos 1 of these people, the frames that are covered."""
        return self._read("A0", by_name("clean"), people, "probes")

    def applies(self, name: Name, style: Style) -> bool:
        """Whether the attacker has something to look at."""
        return name != "A5" or (style.partial and style.base != "clean")

    def reads(self, name: Name, style: Style, people: People, fusion: odds.Fusion) -> Reads:
        """What an attacker takes the probes of these people for.

        Parameters
        ----------
        name : str
            Of :data:`NAMES`.
        style : Style
            How they are covered.
        people : ndarray
            Their numbers.
        fusion : mapping
            How much the trained attacker counts: :func:`seethrough.auditor.odds.fusion_weights`.
        """
        if name == "A2+A3":
            restored = self._read("A2", style, people, "probes")
            trained = self._read("A3", style, people, "probes")
            return fused(restored, trained, odds.fusion_weights(fusion, cover_of(style)))
        return self._read("A0" if name == "A1" else name, style, people, "probes")

    def covered_gallery(self, name: Name, style: Style, fusion: odds.Fusion) -> Reads:
        """What it takes the photos of the gallery for once they are covered too, never encoded."""
        base = by_name(style.base)
        if name == "A2+A3":
            restored = self._read("A2", base, self.crowd, "gallery")
            trained = self._read("A3", base, self.crowd, "gallery")
            return fused(restored, trained, odds.fusion_weights(fusion, cover_of(style)))
        return self._read("A0" if name == "A1" else name, base, self.crowd, "gallery")

    def similarities(
        self,
        name: Name,
        style: Style,
        people: People,
        fusion: odds.Fusion,
        *,
        covers: bool | None = None,
    ) -> dict[RecogniserName, Similarities]:
        """The probes of these people against the whole gallery, ``float64 (N, M)`` each.

        ``covers`` says whether the gallery is covered as well; by itself the attacker does what it
        does in audits.
        """
        attacker = self.attacker(name)
        reads = self.reads(name, style, people, fusion)
        photos = self.clean_gallery()
        covered: Reads = {}
        if attacker.covers_gallery if covers is None else covers:
            covered = self.covered_gallery(name, style, fusion)
        return {
            each: attacker.compare(each, reads[each], photos[each], covered.get(each))
            for each in RECOGNISERS
        }

    def _read(self, name: str, style: Style, people: People, source: Source) -> Reads:
        attacker = self._attackers[name]

        def make(chunk: People) -> Rows:
            seen = style.covered if style.operator is None else visible(
                attacker.level, style.operator.kind, style.covered
            )  # fmt: skip
            crops = self.covered(style, chunk, source)
            if style.operator is not None:
                crops = shown(crops, seen)
            alike = bool((crops == crops[0]).all())  # under a solid cover one stands for all
            found = attacker.read(attacker.look(crops[:1] if alike else crops))
            kept = RECOGNISERS if name in ("A0", "A2") else RECOGNISERS[:1]
            return {
                name: np.broadcast_to(found[name], (len(chunk), found[name].shape[1]))
                for name in kept
            }

        how = "read" if name == "A0" else "read mirrored too"
        key = f"{how} {name} {style.name} {source} {self._made_by[name]}"
        found = self._kept(key, people, np.float16, make)
        dlib: Descriptors = found["dlib"].astype(np.float32)
        if name in ("A0", "A2"):
            return {"dlib": dlib, "mobilefacenet": found["mobilefacenet"].astype(np.float32)}
        return {"dlib": dlib, "mobilefacenet": carried(dlib)}

    def covered(self, style: Style, people: People, source: Source) -> Crops:
        """Covered crops; encoded ones are kept, since encoding takes longer than reading."""
        clean = self.people.probes if source == "probes" else self.people.gallery
        if not style.codec:
            return style.apply(clean[people], people)
        kept = self._kept(
            f"crops {style.name} {source}",
            people,
            np.uint8,
            lambda chunk: {"crops": style.apply(clean[chunk], chunk)},
        )
        return np.asarray(kept["crops"], np.uint8)

    def _kept(
        self,
        key: str,
        people: People,
        dtype: npt.DTypeLike,
        make: Callable[[People], Rows],
    ) -> Rows:
        """Rows of these people from the file of ``key``, made where they are missing."""
        digest = hashlib.sha256(f"1 {key} {self._pictures}".encode()).hexdigest()
        path = parts.cache_folder() / f"leak-{digest[:24]}.npz"
        rows = _load(path)
        done = np.asarray(rows.pop("done", np.zeros(lfw.PEOPLE)), np.bool_)
        missing = people[~done[people]]
        if len(missing):
            print(f"{key[:48]}: {len(missing)} people", file=sys.stderr, flush=True)
        for chunk in _chunks(missing):
            for name, values in make(chunk).items():
                if name not in rows:
                    rows[name] = np.zeros((lfw.PEOPLE, *values.shape[1:]), dtype)
                rows[name][chunk] = values
            done[chunk] = True
            with parts.written(path) as temporary:
                np.savez(temporary, allow_pickle=False, done=done, **rows)
        return {name: values[people] for name, values in rows.items()}


def cover_of(style: Style) -> odds.Cover:
    """What the audit knows of a style: its operator, and how much of the crop it covers."""
    operator = style.operator or Operator("solid", None, None, 1.0)
    return odds.Cover(operator, float(style.covered.mean()))


def _chunks(people: People) -> Iterable[People]:
    return (people[start : start + CHUNK] for start in range(0, len(people), CHUNK))


def _load(path: Path) -> Rows:
    if not path.exists():
        return {}
    with np.load(path, allow_pickle=False) as archive:
        return {name: archive[name] for name in archive.files}
