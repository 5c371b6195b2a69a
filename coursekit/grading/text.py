"""Student text made harmless before anyone sees it: no control or bidi characters, no formulas, no markup."""

from __future__ import annotations

import html
import re
import unicodedata

_ANSI = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)?|[@-Z\\-_])")
# At the start of a cell; also after a semicolon, where half of Europe's spreadsheets begin another cell.
_FORMULA = re.compile(r"(^|;\s*)(?=[=+\-@|%＝＋－＠])")


def clean(text: str, limit: int = 300) -> str:
    """One line of printable text, at most ``limit`` characters, without controls, ANSI, bidi and surrogates."""
    text = _ANSI.sub("", text[: 8 * limit])
    kept = (" " if ch in "\n\r\t\v\f\x85\u2028\u2029" else ch for ch in text)
    text = "".join(ch for ch in kept if unicodedata.category(ch) not in ("Cc", "Cf", "Cs", "Co", "Cn"))
    text = " ".join(text.split())
    return text if len(text) <= limit else text[: limit - 1] + "…"


def some(names: list[str], most: int) -> str:
    """The first of the names, in a row, and how many more there are."""
    return ", ".join(names[:most]) + (f" and {len(names) - most} more" if len(names) > most else "")


def spreadsheet(text: str) -> str:
    """``clean`` text that no spreadsheet takes for a formula: one that could be gets an apostrophe in front."""
    return _FORMULA.sub(r"\1'", clean(text))


def markup(text: str, limit: int = 600) -> str:
    """``clean`` text as HTML, in an element of its own: letters written right to left do not move what follows."""
    return f"<bdi>{html.escape(clean(text, limit))}</bdi>"
