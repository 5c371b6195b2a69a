"""The built book, read as HTML: complete, readable aloud, and independent of the network."""

from __future__ import annotations

import re
import subprocess
import sys

import pytest

from coursekit import palette
from coursekit.book import cover
from coursekit.book.build import files
from coursekit.book.sphinx_ext.pages import NOT_WRITTEN

from .built import (
    HTML,
    ROOT,
    article,
    find_external,
    find_external_in_css,
    find_heading_faults,
    find_images_without_text,
    find_stray_dollars,
    is_stub,
    parse,
    toc,
)

PAGES = toc()
STATIC = ROOT / "book" / "_static"
HEX = re.compile(r"#[0-9a-fA-F]{3,8}\b")


def test_toc_names_every_page_once() -> None:
    sources = {path.relative_to(ROOT) for path in files(ROOT / "book") if path.suffix == ".md"}
    assert set(PAGES) == {path.with_suffix("").as_posix() for path in sources}
    assert len(PAGES) == len(set(PAGES))


@pytest.mark.parametrize("page", PAGES)
def test_page_is_readable(page: str) -> None:
    content = article(page)
    assert find_images_without_text(content) == []
    assert find_stray_dollars(content) == []
    assert find_heading_faults(content) == []


@pytest.mark.parametrize("page", [*PAGES, "search", "genindex"])
def test_page_loads_nothing_from_elsewhere(page: str) -> None:
    assert find_external(parse((HTML / f"{page}.html").read_text(encoding="utf-8"))) == []


def test_styles_load_nothing_from_elsewhere() -> None:
    sheets = list((HTML / "_static").rglob("*.css"))
    assert sheets
    assert {
        str(sheet): found for sheet in sheets if (found := find_external_in_css(sheet.read_text("utf-8")))
    } == {}


@pytest.mark.parametrize(
    ("find", "html"),
    [
        (find_images_without_text, '<p><img src="a.png"></p>'),
        (find_images_without_text, '<p><svg role="img"></svg></p>'),
        (find_stray_dollars, "<p>Let $f$ be smooth.</p>"),
        (find_heading_faults, "<h1>One</h1><h3>Three</h3>"),
        (find_heading_faults, "<h2>Two</h2>"),
        (find_external, '<script src="https://example.org/a.js"></script>'),
        (find_external, '<link rel="stylesheet" href="//example.org/a.css">'),
        (lambda tag: find_external_in_css(tag.get_text()), "@font-face { src: url('https://example.org/f') }"),
    ],
)
def test_each_finder_finds(find: object, html: str) -> None:
    assert callable(find)
    assert find(parse(html))


@pytest.mark.parametrize("page", PAGES)
def test_stub_says_so_and_only_a_stub_does(page: str) -> None:
    boxes = article(page).select(".ck-stub")
    assert bool(boxes) == is_stub(page)
    assert all(NOT_WRITTEN in box.get_text() for box in boxes)


def test_status_page_lists_every_page() -> None:
    rows = article("book/status").select("table.ck-status tbody tr")
    assert len(rows) == len(PAGES)
    for page, row in zip(PAGES, rows, strict=True):
        cells = [cell.get_text().strip() for cell in row.find_all("td")]
        assert cells[1] == (NOT_WRITTEN if is_stub(page) else "Written"), page


def test_cover_counts_what_is_written() -> None:
    marks = [mark.get_text() for mark in article("book/index").select(".ck-cards .ck-mark")]
    chapters = [page for page in PAGES if page.endswith("/index") and page != "book/index"]
    assert len(marks) == len(chapters)
    for mark, chapter in zip(marks, chapters, strict=True):
        folder = chapter.removesuffix("index")
        sections = [page for page in PAGES if page.startswith(folder) and page != chapter]
        written = sum(not is_stub(page) for page in sections)
        assert mark == (f"{written} of {len(sections)} sections written" if written else NOT_WRITTEN)


@pytest.mark.parametrize("sheet", sorted(path.name for path in STATIC.glob("*.css")))
def test_styles_take_colours_from_the_palette(sheet: str) -> None:
    css = (STATIC / sheet).read_text("utf-8")
    assert not HEX.search(css)
    assert not re.search(r"\b(rgb|hsl)a?\(", css)
    known = set(re.findall(r"(--ck-[\w-]+):", palette.css() + (STATIC / "course.css").read_text("utf-8") + css))
    assert set(re.findall(r"var\((--ck-[\w-]+)", css)) <= known


def test_icon_takes_colours_from_the_palette() -> None:
    inks = [ink for group in (palette.METHODS, palette.ROLES, palette.VERDICTS) for ink in group.values()]
    used = set(HEX.findall((STATIC / "favicon.svg").read_text("utf-8")))
    assert used
    assert used <= {colour for ink in inks for colour in (ink.light, ink.dark)}


def test_cover_picture_is_a_run() -> None:
    def numbers(svg: str) -> list[float]:
        return [float(x) for x in re.findall(r"-?\d+(?:\.\d+)?", svg)]

    stored, fresh = (STATIC / "cover.svg").read_text("utf-8"), cover.picture()
    assert numbers(stored) == pytest.approx(numbers(fresh), abs=0.11)  # printed to a tenth of a pixel
    # The closed form of gradient descent on a quadratic: w_t = (1 - ηλ)^t w_0, coordinate by coordinate.
    eta = 2 / (cover.L + cover.MU)
    last = [(1 - eta * lam) ** cover.STEPS * w for lam, w in zip((cover.MU, cover.L), cover.START, strict=True)]
    assert cover.paths()["gradient_descent"][-1] == pytest.approx(cover.pixel(*last))


def test_fonts_are_small_and_licensed() -> None:
    fonts = list((STATIC / "fonts").glob("*.woff2"))
    assert sum(font.stat().st_size for font in fonts) <= 400_000
    for font in fonts:
        family = re.sub(r"-(latin|latin-ext|greek)-wght-(normal|italic)$", "", font.stem)
        assert "SIL Open Font License" in (STATIC / "fonts" / f"{family}-OFL.txt").read_text("utf-8")
        assert font.name in (STATIC / "fonts.css").read_text("utf-8")


def test_extension_imports_no_torch() -> None:
    code = (
        "import sys, importlib, coursekit.book.sphinx_ext as ext\n"
        "for part in ext.PARTS: importlib.import_module(f'{ext.__name__}.{part}')\n"
        "sys.exit('torch' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0
