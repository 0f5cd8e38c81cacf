"""How legible restored text is: ``python -m benchmarks.text``.

Lines set in type faces that training never saw, degraded as PROTOCOL section 2 says, restored,
and read by an OCR engine that had no part in training (Debian's ``tesseract-ocr``).
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

import cv2
import numpy as np

from benchmarks import command, metrics, results, sets
from benchmarks.metrics import Crops
from benchmarks.ocr import Tesseract, edits, prepared
from benchmarks.results import Column, Estimate, Goal, Options, Section, Table, Value, goals
from benchmarks.scoring import sheet
from benchmarks.sets import SIZE, Setting
from seethrough.degrade import low_resolution, to_uint8
from seethrough.errors import MissingPartError
from seethrough.restorer import Restorer
from training.glyphs import build, installed_fonts, vocabulary
from training.text_render import background, draw, ink, line_width, phrase
from training.typeface import Typeface, is_held_out

Restore: TypeAlias = Callable[[Crops], Crops]
"""``uint8 (N, 128, 128, 3)`` degraded text to the same shape restored."""

CAP_HEIGHT = 20.0
"""Of the clean lines, in pixels."""
LINES = 400
LARGER = (24.0, 28.0, 32.0)
"""Further cap heights that `x4` is measured at: the smallest is the hardest."""
MARGIN = 8
"""Pixels left free at both ends of a line."""
SHEET_ROWS = 16
BASES = ("x4", "mosaic-4", "mosaic-6", "mosaic-8", "gauss-2", "gauss-3", "gauss-4")
SETTINGS = tuple(Setting(base, *codec) for codec in ((), ("jpeg", 75)) for base in BASES)

COLUMNS = (
    Column("setting", "setting"),
    Column("picture", "picture"),
    Column("psnr", "PSNR, dB"),
    Column("ssim", "SSIM", 3),
    Column("cer", "character error rate", 1, share=True),
)
SIZE_COLUMNS = (
    Column("cap", "cap height, px", 0),
    Column("clean", "clean", 1, share=True),
    Column("input", "input", 1, share=True),
    Column("restored", "restored", 1, share=True),
    Column("ratio", "restored / input"),
)


@dataclass(frozen=True, slots=True, eq=False)
class Lines:
    """Clean rendered lines.

    Attributes
    ----------
    clean : ndarray
        ``uint8 (N, 128, 128, 3)``: one line in each.
    texts : tuple of str
        What stands there.
    baselines : tuple of int
        Row of each base line.
    families : tuple of str
        Families of the type faces that had a part, sorted.
    cap_height : float
        In pixels.
    """

    clean: Crops
    texts: tuple[str, ...]
    baselines: tuple[int, ...]
    families: tuple[str, ...]
    cap_height: float = CAP_HEIGHT


def held_out_faces() -> list[Typeface]:
    """Rasterise the type faces of this machine that training never saw.

    Raises
    ------
    MissingPartError
        Where none of them, or no fontconfig, is installed.
    """
    try:
        faces = build([font for font in installed_fonts() if is_held_out(font[0])])
    except FileNotFoundError:
        raise MissingPartError(
            "fontconfig, which lists type faces, is missing", "run apt-get install fontconfig"
        ) from None
    if not faces:
        raise MissingPartError(
            "no type face that is held out from training is installed",
            "run apt-get install fonts-cabin fonts-courier-prime fonts-ebgaramond fonts-open-sans "
            "fonts-paratype fonts-roboto-unhinted fonts-sil-charis fonts-vollkorn",
        )
    return faces


def words() -> list[str]:
    """Return the vocabulary.

    Raises
    ------
    MissingPartError
        Where Debian's word list is not installed.
    """
    try:
        return vocabulary()
    except OSError:
        raise MissingPartError(
            "the word list /usr/share/dict/words is missing", "run apt-get install wamerican"
        ) from None


def render(
    faces: Sequence[Typeface],
    vocabulary: Sequence[str],
    count: int,
    seed: int = 0,
    cap_height: float = CAP_HEIGHT,
) -> Lines:
    """Set lines which fit the square whole.

    Line ``i`` depends on the seed, ``i`` and the type faces only, not on ``count``.
    """
    clean, texts, baselines, families = [], [], [], set()
    for i in range(count):
        rng = np.random.default_rng([seed, i])
        face = faces[int(rng.integers(len(faces)))]
        width = np.inf
        while width > SIZE - 2 * MARGIN:
            text = phrase(vocabulary, rng, int(rng.integers(3, 11)))
            width = line_width(face, text, cap_height)
        x = rng.uniform(MARGIN, SIZE - MARGIN - width)
        baseline = int(rng.integers(56, 93))
        coverage = np.zeros((SIZE, SIZE), np.float32)
        draw(coverage, face, text, (x, baseline), cap_height)
        paper, alpha = background(rng), coverage[..., None]
        clean.append(to_uint8(paper * (1 - alpha) + ink(paper, rng) * alpha))
        texts.append(text)
        baselines.append(baseline)
        families.add(face.family)
    return Lines(
        np.stack(clean), tuple(texts), tuple(baselines), tuple(sorted(families)), cap_height
    )


def degraded(clean: Crops, setting: Setting, seed: int = 0) -> Crops:
    """Degrade each line as PROTOCOL says; ``x4`` is enlarged again by cubic interpolation."""
    crops = []
    for i, picture in enumerate(clean):
        rng = np.random.default_rng([seed, i, 1])
        phase = rng.random(2)
        if setting.factor > 1:
            reduced = low_resolution(setting.factor, rng)(picture, rng)
            crop = sets.resize(reduced, SIZE)
        else:
            crop = sets.operator(setting, phase)(picture)
        crops.append(sets.encoded(crop, setting) if setting.codec else crop)
    return np.stack(crops)


def error_rate(crops: Crops, lines: Lines, judge: Tesseract, rng: np.random.Generator) -> Estimate:
    """Character error rate: all edits over all characters, with its interval over lines."""
    pictures = [
        prepared(crop, baseline, lines.cap_height)
        for crop, baseline in zip(crops, lines.baselines, strict=True)
    ]
    found = [edits(*pair) for pair in zip(judge.read(pictures), lines.texts, strict=True)]
    mean_length = sum(map(len, lines.texts)) / len(lines.texts)
    return metrics.estimate(np.array(found) / mean_length, rng)


def evaluate(
    restore: Restore,
    lines: Lines,
    settings: Sequence[Setting] = SETTINGS,
    *,
    judge: Tesseract,
    seed: int = 0,
) -> list[dict[str, Value]]:
    """Score any restorer of text.

    Parameters
    ----------
    restore : callable
        ``uint8 (N, 128, 128, 3)`` degraded lines to the same shape.
    lines : Lines
        From :func:`render`.
    settings : sequence of Setting
        How they are degraded.
    judge : Tesseract
        Reads them.
    seed : int
        Seeds degradations and intervals.

    Returns
    -------
    list of dict
        Rows for :data:`COLUMNS`: the clean lines, then input and restored for each setting.
    """
    rng = np.random.default_rng(seed)
    rows: list[dict[str, Value]] = [
        {"setting": "none", "picture": "clean", "cer": error_rate(lines.clean, lines, judge, rng)}
    ]
    for setting in settings:
        inputs = degraded(lines.clean, setting, seed)
        for name, crops in (("input", inputs), ("restored", restore(inputs))):
            rows.append(
                {
                    "setting": str(setting),
                    "picture": name,
                    "psnr": metrics.estimate(metrics.psnr_each(crops, lines.clean), rng),
                    "ssim": metrics.estimate(metrics.ssim_each(crops, lines.clean), rng),
                    "cer": error_rate(crops, lines, judge, rng),
                }
            )
    return rows


def by_size(
    restore: Restore,
    faces: Sequence[Typeface],
    vocabulary: Sequence[str],
    count: int,
    *,
    judge: Tesseract,
    seed: int = 0,
) -> Table:
    """Read ``x4`` at :data:`LARGER` cap heights: what a larger print is worth."""
    rows: list[dict[str, Value]] = []
    for cap_height in LARGER:
        lines = render(faces, vocabulary, count, seed, cap_height)
        clean, given, restored = (
            row["cer"] for row in evaluate(restore, lines, [Setting("x4")], judge=judge, seed=seed)
        )
        assert isinstance(given, Estimate)
        assert isinstance(restored, Estimate)
        rows.append(
            {
                "cap": cap_height,
                "clean": clean,
                "input": given,
                "restored": restored,
                "ratio": restored.mean / given.mean if given.mean > 0 else None,
            }
        )
    caption = f"`x4` in larger print, {count} lines each of the same type faces"
    return Table(caption, SIZE_COLUMNS, tuple(rows))


def against_goals(rows: Sequence[Mapping[str, Value]]) -> Table | None:
    """``x4`` beside the project's goals, where it was measured."""
    rates = {
        (row["setting"], row["picture"]): row["cer"].mean
        for row in rows
        if isinstance(row["cer"], Estimate)
    }
    clean, given, restored = (
        rates.get(key) for key in (("none", "clean"), ("x4", "input"), ("x4", "restored"))
    )
    if clean is None or given is None or restored is None:
        return None
    above = 100 * (restored - clean)
    found = [Goal("`x4`, error rate above the clean lines', points", above, 3, least=False)]
    if given > 0:
        found.append(
            Goal("`x4`, error rate / bicubic input's", restored / given, 1 / 3, least=False)
        )
    return goals("Against the goals", found)


def run(options: Options, settings: Sequence[Setting] = SETTINGS) -> Section:
    """Measure the packaged restorer, or ``options.weights``."""
    judge = Tesseract()
    faces, vocabulary, count = held_out_faces(), words(), options.limit or LINES
    lines = render(faces, vocabulary, count, options.seed)
    restorer = Restorer(device="cpu", threads=options.threads, weights=options.weights)

    def restore(crops: Crops) -> Crops:
        return restorer.restore_crops(crops, ["text"] * len(crops))

    rows = evaluate(restore, lines, settings, judge=judge, seed=options.seed)
    if options.sheets is not None:
        save_sheets(options.sheets, lines, settings, restore, options.seed)
    text = (
        f"{len(lines.texts)} lines at a cap height of {CAP_HEIGHT:g} px, each whole in its 128 px "
        f"square, in type faces never trained on ({', '.join(lines.families)}), on the papers and "
        "in the inks of `training/text_render.py`. The judge had no part in training; it is shown "
        "the rows of the line, dark on bright, enlarged three times, alike in every row of the "
        "table. The rate is all edits over all characters, upper and lower case apart. Our "
        "setting: `+jpeg 75` enlarges the square to 256 px, encodes it and reduces it again."
    )
    digest = hashlib.sha256(lines.clean.tobytes()).hexdigest()
    provenance = sets.provenance(options) | {
        "weights": f"{restorer.weights.name}, sha256 {restorer.weights.sha256}",
        "judge": f"{judge.version}, eng, --psm 7",
        "lines": f"seed {options.seed}, sha256 {digest[:16]}",
    }
    table = Table("Text, held-out type faces", COLUMNS, tuple(rows))
    aims = against_goals(rows)
    tables: tuple[Table, ...] = (table,) if aims is None else (aims, table)
    if Setting("x4") in settings:
        seed = options.seed
        tables += (by_size(restore, faces, vocabulary, max(1, count // 2), judge=judge, seed=seed),)
    return Section("text", "Restoration of text", text, tables, provenance)


def save_sheets(
    folder: Path, lines: Lines, settings: Sequence[Setting], restore: Restore, seed: int
) -> None:
    """Write input, restored and clean lines side by side, a sheet for each setting."""
    folder.mkdir(parents=True, exist_ok=True)
    clean = lines.clean[:SHEET_ROWS]
    for setting in settings:
        inputs = degraded(clean, setting, seed)
        picture = sheet({"input": inputs, "restored": restore(inputs), "clean": clean}, SHEET_ROWS)
        if not cv2.imwrite(str(folder / f"text-{setting}.png"), picture[..., ::-1]):
            raise OSError(f"{folder} cannot be written to")


def main(arguments: Sequence[str] | None = None) -> None:
    """Command line."""
    parser = command.parser("benchmarks.text", __doc__)
    parser.add_argument("--settings", help="for example x4,mosaic-6+jpeg-75; default all")
    given = parser.parse_args(arguments)
    options = command.options(given)
    chosen = (
        tuple(Setting.parse(name) for name in given.settings.split(","))
        if given.settings
        else SETTINGS
    )
    section = run(options, chosen)
    print(results.markdown(section))


if __name__ == "__main__":
    main()
