"""Text with mathematics, made plain for a terminal."""

from __future__ import annotations

import re

SYMBOLS = {
    "eta": "η",
    "lambda": "λ",
    "mu": "μ",
    "kappa": "κ",
    "epsilon": "ε",
    "nabla": "∇",
    "le": " ≤ ",
    "ge": " ≥ ",
    "rho": "ρ",
    "succeq": " ⪰ ",
    "infty": "∞",
    "cdot": "·",
    "star": "*",
    "log": "log",
    "|": "‖",
    ",": "",
}


def plain(text: str) -> str:
    """MyST Markdown with mathematics as plain text: ``$0 < \\eta < 2/L$`` becomes ``0 < η < 2/L``."""

    def symbol(match: re.Match[str]) -> str:
        return SYMBOLS.get(match[1], match[1])

    def mathematics(match: re.Match[str]) -> str:
        text = re.sub(r"10\^\{(-?\d+)\}", r"1e\1", match[1])
        text = re.sub(r"\\([a-z]+|.)(?: (?=[\\A-Za-z]))?", symbol, text)
        return re.sub(" +", " ", text).replace("^2", "²").replace("^*", "*")

    return re.sub(r"\$([^$]*)\$", mathematics, text)
