"""The shell of the pages that grading writes: the book's colours in both themes, print, no request to anywhere."""

from __future__ import annotations

from html import escape
from string import Template

from coursekit.palette import ROLES, VERDICTS, Ink

INKS: dict[str, Ink] = {name: ROLES[name] for name in ("text", "muted", "ground", "grid")} | {
    "good": VERDICTS["holds"],
    "part": VERDICTS["corrected"],
    "bad": VERDICTS["false"],
    "plain": VERDICTS["empirical"],
}

_PAGE = Template("""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>$title</title>
<style>
:root { $light }
@media screen and (prefers-color-scheme: dark) { :root { $dark } }
body { background: var(--ground); color: var(--text); font: 1rem/1.55 system-ui, sans-serif; margin: 0; }
main { max-width: $width; margin: 0 auto; padding: 2rem 1rem 3rem; }
h1 { font-size: 1.5rem; line-height: 1.25; margin: 0 0 .2rem; }
h2 { font-size: 1.15rem; margin: 2rem 0 .6rem; }
h1, h2, h3, p, li, code { overflow-wrap: anywhere; }
a { color: var(--plain); }
.good { --ink: var(--good); } .part { --ink: var(--part); } .bad { --ink: var(--bad); }
.none { --ink: var(--muted); } .plain { --ink: var(--plain); }
svg { display: block; width: 100%; }
svg .track { fill: var(--grid); } svg .fill { fill: var(--ink); }
footer { color: var(--muted); font-size: .85rem; border-top: 1px solid var(--grid); padding-top: .6rem; }
$style
@media print { main { max-width: none; padding: 0; } article, tr { break-inside: avoid; }
  svg { print-color-adjust: exact; -webkit-print-color-adjust: exact; } }
</style>
</head>
<body><main>
$body
</main></body>
</html>
""")


def page(title: str, style: str, body: str, width: str = "42rem") -> str:
    """A whole page. ``title`` is plain text, escaped here; ``body`` is HTML in which text is escaped already."""
    return _PAGE.substitute(
        title=escape(title), style=style, body=body, width=width, light=_colours("light"), dark=_colours("dark")
    )


def bar(share: float, look: str, height: int = 8) -> str:
    """A bar that is filled to ``share``, between 0 and 1. Decoration: the number stands beside it in words."""
    return (
        f'<svg class="{look}" height="{height}" viewBox="0 0 100 1" preserveAspectRatio="none" aria-hidden="true">'
        f'<rect class="track" width="100" height="1"/>'
        f'<rect class="fill" width="{100 * min(max(share, 0.0), 1.0):.4g}" height="1"/></svg>'
    )


def _colours(theme: str) -> str:
    return " ".join(f"--{name}: {getattr(ink, theme)};" for name, ink in INKS.items())
