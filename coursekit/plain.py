"""Text with mathematics, made plain for a terminal."""

from __future__ import annotations

import re
import unicodedata

SYMBOLS = {
    "lambda": "λ",  # Unicode spells this letter LAMDA
    "epsilon": "ε",
    "varepsilon": "ε",
    "nabla": "∇",
    "mid": " | ",
    "ne": " ≠ ",
    "infty": "∞",
    "sum": "Σ",
    "sqrt": "√",
    "pm": "±",
    "mp": "∓",
    "cdot": "·",
    "star": "*",
    "top": "ᵀ",
    "dots": "…",
    "|": "‖",
    ",": "",
    **dict.fromkeys(("le", "leq"), " ≤ "),
    **dict.fromkeys(("ge", "geq"), " ≥ "),
    "succeq": " ⪰ ",
    "approx": " ≈ ",
    **dict.fromkeys(("mathbb", "mathrm", "mathcal", "text", "tfrac"), ""),
}
_PART = r"(\{[^{}]*\}|[^\\{}])"  # what a command takes: a group or one sign


def plain(text: str) -> str:
    """MyST Markdown with mathematics as plain text: ``$0 < \\eta < 2/L$`` becomes ``0 < η < 2/L``."""
    return re.sub(r"\$([^$]*)\$", lambda match: _mathematics(match[1]), text)


def _mathematics(text: str) -> str:
    text = re.sub(r"10\^\{(-?\d+)\}", r"1e\1", text)
    text = re.sub(rf"\\[td]?frac *{_PART} *{_PART}", lambda m: f"{_operand(m[1])}/{_operand(m[2])}", text)
    text = re.sub(rf"\\sqrt *{_PART}", lambda m: f"√{_operand(m[1])}", text)
    text = re.sub(rf"\\hat *{_PART}", lambda m: f"{m[1].strip('{}')}\u0302", text)
    text = re.sub(r"\\([A-Za-z]+|.)(?: (?=[\\A-Za-z]))?", _symbol, text)
    return re.sub(" +", " ", text).replace("^2", "²").replace("^*", "*").replace("{", "").replace("}", "")


def _operand(part: str) -> str:
    inner = part.strip("{}")
    return inner if re.fullmatch(r"\\?\w+", inner) else f"({inner})"


def _symbol(match: re.Match[str]) -> str:
    name = match[1]
    case = "CAPITAL" if name[0].isupper() else "SMALL"
    try:
        return SYMBOLS[name] if name in SYMBOLS else unicodedata.lookup(f"GREEK {case} LETTER {name.upper()}")
    except KeyError:
        return name
