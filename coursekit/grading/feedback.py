"""One page of feedback per student: points, reasons, hints; everything escaped, no hidden input, no code."""

from __future__ import annotations

import hashlib
import re
from html import escape
from pathlib import Path
from string import Template

from coursekit.palette import ROLES, VERDICTS, Ink

from .exercise import Assignment
from .files import write_whole
from .gradebook import Mark
from .text import clean

_INKS: dict[str, Ink] = {name: ROLES[name] for name in ("text", "muted", "ground", "grid")} | {
    "good": VERDICTS["holds"],
    "part": VERDICTS["corrected"],
    "bad": VERDICTS["false"],
}

_PAGE = Template("""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>$assignment: feedback for $student</title>
<style>
:root { $light }
@media (prefers-color-scheme: dark) { :root { $dark } }
body { background: var(--ground); color: var(--text); font: 1rem/1.55 system-ui, sans-serif; margin: 0; }
main { max-width: 42rem; margin: 0 auto; padding: 2rem 1rem 3rem; }
h1 { font-size: 1.5rem; line-height: 1.25; margin: 0 0 .2rem; overflow-wrap: anywhere; }
h2 { font-size: 1.05rem; margin: 0; }
.total { font-size: 1.2rem; margin: .6rem 0 1.4rem; }
article { border: 1px solid var(--grid); border-left: 5px solid var(--ink); border-radius: 6px; margin: 0 0 1rem;
  padding: .8rem 1rem; }
header { display: flex; flex-wrap: wrap; gap: .2rem 1rem; justify-content: space-between; align-items: baseline; }
.status { color: var(--ink); font-weight: 600; margin: .2rem 0 0; }
.good { --ink: var(--good); } .part { --ink: var(--part); } .bad { --ink: var(--bad); }
.none { --ink: var(--muted); }
p { overflow-wrap: anywhere; }
article p:last-child { margin: .4rem 0 0; }
footer { color: var(--muted); font-size: .85rem; border-top: 1px solid var(--grid); padding-top: .6rem; }
code { overflow-wrap: anywhere; }
</style>
</head>
<body><main>
<h1>$title</h1>
<p class="total">$student: <strong>$points of $max points</strong></p>
$items
<footer><p>These points come from grading, with inputs drawn anew; a self-check in the notebook uses others.
Submission <code>$submission</code>, assignment <code>$version</code>, boundary tier <code>$tier</code>.</p>
</footer>
</main></body>
</html>
""")

_ITEM = Template("""<article class="$look">
<header><h2>$title</h2><span>$points of $max points</span></header>
<p class="status">$status</p>
<p>$message</p>
</article>""")


def write_feedback(marks: list[Mark], assignment: Assignment, folder: Path) -> None:
    """Writes ``folder/<student>.html`` for every student in ``marks``."""
    for student in dict.fromkeys(mark.student for mark in marks):
        page = feedback([mark for mark in marks if mark.student == student], assignment)
        write_whole(folder / f"{file_stem(student)}.html", page)


def file_stem(student: str) -> str:
    """A harmless file name; where it had to differ from the student's name, a hash keeps two students apart."""
    plain = re.sub(r"[^A-Za-z0-9_-]", "_", student)[:80]
    return plain if plain == student else f"{plain}-{hashlib.sha256(student.encode()).hexdigest()[:8]}"


def feedback(marks: list[Mark], assignment: Assignment) -> str:
    """The page of one student."""
    titles = {item.id: item.title for item in assignment.items}
    first = marks[0]
    return _PAGE.substitute(
        assignment=_html(assignment.name),
        title=_html(assignment.title),
        student=_html(first.student),
        points=f"{sum(mark.points for mark in marks):g}",
        max=f"{sum(mark.max for mark in marks):g}",
        items="\n".join(_item(mark, titles.get(mark.item, mark.item)) for mark in marks),
        submission=_html(first.submission),
        version=_html(assignment.version),
        tier=_html(first.tier),
        light=_colours("light"),
        dark=_colours("dark"),
    )


def _item(mark: Mark, title: str) -> str:
    full = mark.points == mark.max
    look = {"graded": "good" if full else "bad", "partly": "part", "not attempted": "none"}.get(mark.status, "bad")
    status = {"graded": "graded: right" if full else "graded: not right", "partly": "graded: partly right"}
    return _ITEM.substitute(
        look=look,
        title=_html(title),
        points=f"{mark.points:g}",
        max=f"{mark.max:g}",
        status=_html(status.get(mark.status, mark.status)),
        message=_html(mark.message[:1].upper() + mark.message[1:]),
    )


def _html(text: str) -> str:
    return escape(clean(text, 600))


def _colours(theme: str) -> str:
    return " ".join(f"--{name}: {getattr(ink, theme)};" for name, ink in _INKS.items())
