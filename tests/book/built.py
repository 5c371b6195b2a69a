"""The book as it was built: its pages, and what may be wrong with one of them.

Each ``find_*`` function returns what it found wrong, so that a test can also show that it finds something.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import yaml
from bs4 import BeautifulSoup, Comment, Tag

ROOT = Path(__file__).parents[2]
HTML = Path(os.environ.get("BOOK_HTML", ROOT / "_build" / "html"))
EXTERNAL = re.compile(r"^(https?:)?//")
LOADING = {"script": "src", "img": "src", "iframe": "src", "source": "src", "video": "src", "audio": "src"}
LOADING_RELATIONS = {"stylesheet", "icon", "preload", "modulepreload", "preconnect", "dns-prefetch"}


def toc() -> list[str]:
    """Every page that _toc.yml names, in reading order, as a path without suffix."""

    def below(entry: dict[str, Any]) -> Iterator[str]:
        yield entry["file"]
        for child in entry.get("sections", []):
            yield from below(child)

    content = yaml.safe_load((ROOT / "_toc.yml").read_text(encoding="utf-8"))
    entries = [entry for part in content["parts"] for entry in part["chapters"]]
    return [content["root"], *(page for entry in entries for page in below(entry))]


def front_matter(page: str) -> dict[str, Any]:
    """The YAML block at the top of a page's source, empty where there is none."""
    text = (ROOT / f"{page}.md").read_text(encoding="utf-8")
    found = re.match(r"---\n(.*?)\n---\n", text, re.DOTALL)
    return yaml.safe_load(found[1]) if found else {}


def is_stub(page: str) -> bool:
    return front_matter(page).get("status") == "stub"


def parse(html: str) -> BeautifulSoup:
    return BeautifulSoup(html, "html.parser")


def article(page: str) -> Tag:
    """The built page's own content, without navigation."""
    path = HTML / f"{page}.html"
    assert path.exists(), f"{path} is missing: build the book first (make book)"
    found = parse(path.read_text(encoding="utf-8")).find("article")
    assert isinstance(found, Tag)
    return found


def find_images_without_text(content: Tag) -> list[str]:
    """Images that a screen reader cannot tell: no alt text, or an SVG picture without a label."""
    images = [str(img)[:200] for img in content.find_all("img") if not img.get("alt", "").strip()]
    drawings = [
        str(svg)[:200] for svg in content.select('svg[role="img"]') if not svg.get("aria-label", "").strip()
    ]
    return images + drawings


def find_stray_dollars(content: Tag) -> list[str]:
    """Text with a dollar sign outside of mathematics and code: a formula that was not read as one."""
    return [
        str(text).strip()[:200]
        for text in content.find_all(string=re.compile(r"\$"))
        if not isinstance(text, Comment)
        and not text.find_parent(["pre", "code", "script", "style"])
        and not text.find_parent(class_=re.compile(r"(^|\s)math(\s|$)"))
    ]


def find_external(page: Tag) -> list[str]:
    """What the page would load from somewhere else: scripts, styles, images, fonts, frames."""
    loaded = [tag.get(key, "") for name, key in LOADING.items() for tag in page.find_all(name)]
    loaded += [
        link.get("href", "") for link in page.find_all("link") if LOADING_RELATIONS & set(link.get("rel", []))
    ]
    return [address for address in loaded if EXTERNAL.match(str(address))]


def find_external_in_css(css: str) -> list[str]:
    """Addresses outside of the book that a style sheet would load."""
    addresses = re.findall(r"""(?:url\(\s*["']?|@import\s+["'])([^"')\s]+)""", css)
    return [address for address in addresses if EXTERNAL.match(address)]


def find_heading_faults(content: Tag) -> list[str]:
    """Headings out of order: not exactly one h1 at the start, or a level that is skipped."""
    levels = [int(h.name[1]) for h in content.find_all(re.compile(r"^h[1-6]$"))]
    faults = [] if levels[:1] == [1] and levels.count(1) == 1 else [f"h1 expected once, first; levels {levels}"]
    return faults + [f"h{a} is followed by h{b}" for a, b in pairwise(levels) if b > a + 1]
