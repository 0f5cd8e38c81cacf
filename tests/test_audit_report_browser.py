"""The audit's report in a real browser: on a desk, on a phone, on paper."""

from __future__ import annotations

import html
import json
import re
import shutil
import subprocess
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import PIL.Image
import pytest

from seethrough.auditor import report
from seethrough.auditor.types import Leak, Sight
from seethrough.types import WeightsUsed
from tests.audit_examples import bare, exposed, picture, safe

pytestmark = pytest.mark.slow

BROWSERS = ("chromium", "chromium-browser", "google-chrome", "chrome")
DESK, PHONE = 1200, 360
SIGNAL = (255, 0, 255)
"""A colour that the page itself never uses."""

# Measures the page from outside, as the page itself holds no script: how wide its content is,
# which pictures failed, and the lowest contrast of any of its words (WCAG 2.2, 1.4.3).
PROBE = """
<!doctype html><body style="margin:0">
<iframe src="{page}" width="{desk}" height="900" style="border:0"></iframe>
<iframe src="{page}" width="{phone}" height="900" style="border:0"></iframe>
<pre id="measured"></pre>
<script>
const channels = colour => colour.match(/[\\d.]+/g).map(Number);
const luminance = colour => channels(colour).slice(0, 3).map(c => c / 255)
  .map(c => c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4)
  .reduce((sum, c, i) => sum + c * [0.2126, 0.7152, 0.0722][i], 0);
function ground(element, view) {{
  for (let e = element; e; e = e.parentElement) {{
    const colour = view.getComputedStyle(e).backgroundColor;
    if ((channels(colour)[3] ?? 1) > 0) return colour;
  }}
  return "rgb(255, 255, 255)";
}}
function measure(frame) {{
  const view = frame.contentWindow, page = frame.contentDocument;
  const walk = page.createTreeWalker(page.body, NodeFilter.SHOW_TEXT);
  let lowest = 99, words = 0, smallest = 99;
  while (walk.nextNode()) {{
    const text = walk.currentNode, element = text.parentElement;
    if (!text.textContent.trim() || element.localName === "style") continue;
    const style = view.getComputedStyle(element);
    const svg = element.ownerSVGElement;
    const ink = luminance(svg ? style.fill : style.color);
    const paper = luminance(ground(svg ? svg.parentElement : element, view));
    lowest = Math.min(lowest, (Math.max(ink, paper) + .05) / (Math.min(ink, paper) + .05));
    const range = page.createRange();
    range.selectNodeContents(text);
    smallest = Math.min(smallest, range.getBoundingClientRect().height);
    words += 1;
  }}
  return {{
    width: page.documentElement.scrollWidth, words, lowest, smallest,
    images: page.images.length,
    broken: [...page.images].filter(image => image.naturalWidth === 0).length,
    plots: [...page.querySelectorAll("svg")].map(svg => svg.getBoundingClientRect().width),
    loaded: view.performance.getEntriesByType("resource").map(entry => entry.name.slice(0, 5)),
  }};
}}
onload = () => document.getElementById("measured").textContent =
  JSON.stringify([...document.querySelectorAll("iframe")].map(measure));
</script>
"""

Browser = Callable[..., str]


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Browser:
    found = next(filter(None, map(shutil.which, BROWSERS)), None)
    if found is None:
        pytest.skip("no browser to look at the page with (Debian: apt-get install chromium)")
    profile = tmp_path_factory.mktemp("profile")

    def run(page: Path, *options: str) -> str:
        done = subprocess.run(
            [
                found,
                "--headless",
                "--no-sandbox",  # continuous integration runs as root
                "--disable-gpu",
                "--disable-dev-shm-usage",
                "--hide-scrollbars",
                "--allow-file-access-from-files",
                f"--user-data-dir={profile}",
                *options,
                page.as_uri(),
            ],
            capture_output=True,
            text=True,
            timeout=180,
            check=True,
        )
        return done.stdout

    return run


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three faces and a long name; every picture of a face is a square of one loud colour."""
    for part in ("jinja2", "matplotlib"):
        pytest.importorskip(part, reason="needs seethrough[audit]")
    flat = np.full((128, 128, 3), SIGNAL, dtype=np.uint8)
    sights = tuple(Sight(level, flat) for level in ("A0", "A2", "A5"))
    audit = picture(
        replace(exposed(bound=True), sights=sights),
        replace(safe(), sights=sights),
        bare(),
        leaks=(Leak("thumbnail", "The redacted file holds a thumbnail that shows the face."),),
        name="a-very-long-name-without-a-break" * 4 + ".jpg",
    )
    folder = tmp_path_factory.mktemp("page")
    weights = [WeightsUsed("restorer", "ab" * 32)]
    return report.write([audit], folder, seconds=8, weights=weights)


@pytest.fixture(scope="module")
def measured(
    browser: Browser, page: Path, tmp_path_factory: pytest.TempPathFactory
) -> list[dict[str, Any]]:
    """What the page measures on a desk and on a phone."""
    probe = tmp_path_factory.mktemp("probe") / "probe.html"
    probe.write_text(PROBE.format(page=page.as_uri(), desk=DESK, phone=PHONE))
    dumped = browser(probe, "--dump-dom")
    found = re.search(r'<pre id="measured">(.+?)</pre>', dumped, re.DOTALL)
    assert found, dumped[-2000:]
    return list(json.loads(html.unescape(found[1])))


@pytest.fixture(scope="module")
def shots(
    browser: Browser, page: Path, tmp_path_factory: pytest.TempPathFactory
) -> dict[int, PIL.Image.Image]:
    """The top of the page by its width. Through frames, as windows have a least width."""
    folder = tmp_path_factory.mktemp("shots")
    frames = "".join(
        f'<iframe src="{page.as_uri()}" style="position:absolute;border:0;top:0;left:{left}px" '
        f'width="{width}" height="3000"></iframe>'
        for width, left in ((DESK, 0), (PHONE, DESK))
    )
    (folder / "frames.html").write_text(frames)
    options = (f"--window-size={DESK + PHONE},3000", f"--screenshot={folder / 'shot.png'}")
    browser(folder / "frames.html", *options)
    with PIL.Image.open(folder / "shot.png") as taken:
        seen = taken.convert("RGB")
    return {
        DESK: seen.crop((0, 0, DESK, 3000)),
        PHONE: seen.crop((DESK, 0, DESK + PHONE, 3000)),
    }


@pytest.mark.parametrize("place", [0, 1], ids=["desk", "phone"])
def test_nothing_is_cut_off_or_missing(measured: list[dict[str, Any]], place: int) -> None:
    seen = measured[place]
    assert seen["width"] == (DESK, PHONE)[place]
    assert seen["words"] > 100
    assert seen["images"] == 7
    assert seen["broken"] == 0
    assert len(seen["plots"]) == 2
    assert min(seen["plots"]) > 300
    assert set(seen["loaded"]) <= {"data:"}


@pytest.mark.parametrize("place", [0, 1], ids=["desk", "phone"])
def test_every_word_can_be_read(measured: list[dict[str, Any]], place: int) -> None:
    assert measured[place]["lowest"] >= 4.5
    assert measured[place]["smallest"] >= 11


@pytest.mark.parametrize(("width", "side"), [(DESK, 110), (PHONE, 85)])
def test_a_screenshot_shows_the_pictures_on_white(
    shots: dict[int, PIL.Image.Image], width: int, side: int
) -> None:
    seen = np.asarray(shots[width]).astype(int)
    loud = np.abs(seen - SIGNAL).max(axis=2) < 8
    assert loud.sum() > 3 * side**2
    assert (seen[:, :8] == 255).all()
    assert (seen[:, -8:] == 255).all()
    assert 0.01 < (seen.max(axis=2) < 90).mean() < 0.2


def test_it_prints_on_a4(browser: Browser, page: Path, tmp_path: Path) -> None:
    path = tmp_path / "report.pdf"
    browser(page, "--no-pdf-header-footer", f"--print-to-pdf={path}")
    content = path.read_bytes()
    boxes = re.findall(rb"/MediaBox \[0 0 ([\d.]+) ([\d.]+)\]", content)
    assert 2 <= len(boxes) <= 6
    for width, height in boxes:
        assert float(width) == pytest.approx(595, abs=1.5)
        assert float(height) == pytest.approx(842, abs=1.5)
