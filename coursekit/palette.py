"""The book's colours, defined once: matplotlib, CSS and the explorables all read them from here.

Light values reach a contrast of at least 4.5:1 on white, dark values on the dark page; neighbouring methods
also differ in dash pattern, so that nothing is told by colour alone.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Ink:
    """One role: its colour on a light and on a dark page, and its dash pattern (in points, empty = solid)."""

    light: str
    dark: str
    dash: tuple[int, ...] = ()


METHODS: dict[str, Ink] = {
    "gradient_descent": Ink("#0b62b8", "#6cb6ff"),
    "heavy_ball": Ink("#b3420b", "#ff9f5a", (7, 3)),
    "heavy_ball_difference": Ink("#96401f", "#ffb088", (10, 2, 3, 2)),
    "nesterov": Ink("#8038c4", "#c8a2ff", (7, 2, 2, 2)),
    "accelerated": Ink("#5b3fa8", "#b3a4ff", (7, 2, 2, 2, 2, 2)),
    "adam": Ink("#0f7048", "#56d391", (2, 2)),
    "adamw": Ink("#006675", "#4fd0e0", (4, 2, 1, 2)),
    "amsgrad": Ink("#4b6600", "#b5d35c", (1, 1)),
    "adagrad": Ink("#9b2c76", "#f49ad1", (5, 1)),
    "adagrad_norm": Ink("#7a2f8f", "#e0a0f0", (5, 1, 1, 1)),
    "rmsprop": Ink("#7d4e12", "#e0b37a", (9, 3)),
    "lion": Ink("#8f2020", "#ff9b9b", (7, 2, 1, 2, 1, 2)),
    "sign_descent": Ink("#55595f", "#b4bac2", (3, 1)),
    "amgt": Ink("#2f6b1f", "#9fd486", (3, 3)),
}

ROLES: dict[str, Ink] = {
    "bound": Ink("#9a1b50", "#ff8fb8", (4, 3)),  # what a theorem promises
    "measured": Ink("#0b62b8", "#6cb6ff"),  # what a run does
    "limit": Ink("#6a5500", "#e3c567", (1, 2)),  # an edge of a stated range: 1/L, 2/L
    "text": Ink("#1d242c", "#e6e9ee"),
    "muted": Ink("#56606b", "#a9b2bd"),
    "ground": Ink("#ffffff", "#14181f"),
    "grid": Ink("#d9dee5", "#39424e"),
}
VERDICTS: dict[str, Ink] = {
    "holds": Ink("#0f7048", "#56d391"),
    "corrected": Ink("#7a5a00", "#e3c567"),
    "false": Ink("#a3172a", "#ff8b95"),
    "underspecified": Ink("#56606b", "#a9b2bd"),
    "empirical": Ink("#0b62b8", "#6cb6ff"),
}


def css() -> str:
    """All inks as CSS custom properties, ``--ck-<name>``, for both themes of the book."""

    def block(selector: str, theme: str) -> str:
        inks = {**METHODS, **ROLES, **{f"verdict-{k}": v for k, v in VERDICTS.items()}}
        lines = [f"  --ck-{name.replace('_', '-')}: {getattr(ink, theme)};" for name, ink in inks.items()]
        return "\n".join([selector + " {", *lines, "}"])

    return block("html", "light") + "\n" + block('html[data-theme="dark"]', "dark") + "\n"
