"""One page of feedback per student: points, reasons, what to do next; all escaped, no hidden input, no code."""

from __future__ import annotations

import hashlib
import re
from html import escape
from pathlib import Path
from string import Template

from .exercise import Assignment, Item
from .exports.table import UNGRADED, Row, number, rows
from .files import write_whole
from .gradebook import Mark
from .page import bar, page
from .text import clean, markup

_STYLE = """
.total { font-size: 1.2rem; margin: .6rem 0 .8rem; }
.strip { margin: 0 0 .3rem; } figcaption { color: var(--muted); font-size: .85rem; }
figure { margin: 0 0 1.4rem; }
h2 { margin: 1.2rem 0 .4rem; }
ol { padding-left: 1.4rem; margin-top: .2rem; }
article { border: 1px solid var(--grid); border-left: 5px solid var(--ink); border-radius: 6px; margin: 0 0 1rem;
  padding: .8rem 1rem; scroll-margin-top: 1rem; }
header { display: flex; flex-wrap: wrap; gap: .2rem 1rem; justify-content: space-between; align-items: baseline; }
h3 { font-size: 1.05rem; margin: 0; }
article svg { margin: .5rem 0 .2rem; }
.status { color: var(--ink); font-weight: 600; margin: .2rem 0 0; }
article p { margin: .4rem 0 0; }
"""

_BODY = Template("""<h1>$title</h1>
<p class="total">$student: <strong>$total</strong></p>
$strip
$next
<h2>Item by item</h2>
$items
<footer><p>These points come from grading, with inputs drawn anew; a self-check in the notebook uses others.
Submission <code>$submission</code>, assignment <code>$version</code>, boundary tier <code>$tier</code>.</p>
</footer>""")

_ITEM = Template("""<article class="$look" id="$item">
<header><h3>$title</h3><span>$points</span></header>
$bar
<p class="status">$status</p>
<p>$message</p>$advice
</article>""")

_NEXT = 3  # items to name; a longer list is a list of everything


def write_feedback(marks: list[Mark], assignment: Assignment, folder: Path) -> None:
    """Writes ``folder/<student>.html`` for every student in ``marks``, where a student's marks stand together."""
    for row in rows(marks):
        write_whole(folder / f"{file_stem(row.student)}.html", feedback(row, assignment))


def file_stem(student: str) -> str:
    """A harmless file name; where it had to differ from the student's name, a hash keeps two students apart."""
    plain = re.sub(r"[^A-Za-z0-9_-]", "_", student)[:80]
    digest = hashlib.sha256(student.encode("utf-8", "surrogatepass")).hexdigest()[:8]
    return plain if plain == student else f"{plain}-{digest}"


def feedback(row: Row, assignment: Assignment) -> str:
    """The page of one student."""
    items = {item.id: item for item in assignment.items}
    first = row.marks[0]
    total = "not graded yet" if row.points is None else f"{number(row.points)} of {number(row.max)} points"
    body = _BODY.substitute(
        title=escape(assignment.title),
        student=markup(row.student),
        total=total,
        strip=_strip(row, items),
        next=_next(row, items),
        items="\n".join(_item(mark, items.get(mark.item), assignment.name) for mark in row.marks),
        submission=escape(first.submission),
        version=escape(first.version),
        tier=escape(first.tier),
    )
    return page(f"{assignment.name}: feedback for {clean(row.student)}", _STYLE, body)


def look(mark: Mark) -> str:
    """The colour of a mark: good, part, bad, or none for what was not attempted or not graded."""
    if mark.status in ("not attempted", UNGRADED):
        return "none"
    return "good" if mark.points == mark.max else "part" if mark.points else "bad"


def _strip(row: Row, items: dict[str, Item]) -> str:
    """A picture of the whole: one segment an item, as wide as its points, filled as far as they were earned."""
    words, parts, start = [], [], 0.0
    gap = 0.006 * row.max
    for mark in row.marks:
        words.append(f"{_title(mark, items.get(mark.item))} {_points(mark)}")
        width = mark.max - gap
        parts.append(f'<rect class="track" x="{start:.4g}" width="{width:.4g}" height="1"/>')
        share = mark.points / mark.max if mark.max else 0.0
        parts.append(f'<rect class="fill {look(mark)}" x="{start:.4g}" width="{width * share:.4g}" height="1"/>')
        start += mark.max
    label = escape(f"Points by item: {'; '.join(words)}")
    return (
        f'<figure><svg class="strip" role="img" aria-label="{label}" height="22" '
        f'viewBox="0 0 {row.max - gap:.6g} 1" preserveAspectRatio="none">{"".join(parts)}</svg>'
        "<figcaption>One segment an item, as wide as its points.</figcaption></figure>"
    )


def _next(row: Row, items: dict[str, Item]) -> str:
    """The items where points are to be won: first what was begun, then what was not, larger ones first."""
    open_ = [mark for mark in row.marks if mark.points < mark.max and mark.status != UNGRADED]
    if not open_:
        done = "Everything is right." if row.points is not None else "Nothing for now."
        return f"<h2>What to do next</h2>\n<p>{done}</p>"
    open_.sort(key=lambda mark: (mark.status == "not attempted", mark.points - mark.max))
    lines = [
        f'<li><a href="#{escape(mark.item)}">{escape(_title(mark, items.get(mark.item)))}</a>: '
        f"{number(mark.max - mark.points)} more points</li>"
        for mark in open_[:_NEXT]
    ]
    return "<h2>What to do next</h2>\n<ol>\n" + "\n".join(lines) + "\n</ol>"


def _item(mark: Mark, item: Item | None, assignment: str) -> str:
    full = mark.points == mark.max
    status = {
        "graded": "graded: right" if full else "graded: not right",
        "partly": "graded: partly right",
        UNGRADED: "not graded yet",
    }
    message = markup(mark.message[:1].upper() + mark.message[1:])
    if item and mark.message in {mutant.hint for mutant in item.mutants}:
        message = f"<strong>Hint.</strong> {message}"
    advice = "" if full else f"\n<p>{_advice(mark, item, assignment)}</p>"
    return _ITEM.substitute(
        look=look(mark),
        item=escape(mark.item),
        title=escape(_title(mark, item)),
        points=_points(mark),
        bar=bar(mark.points / mark.max if mark.max else 0.0, look(mark)),
        status=status.get(mark.status, mark.status),
        message=message,
        advice=advice,
    )


def _advice(mark: Mark, item: Item | None, assignment: str) -> str:
    """What a student does about a mark that is not full."""
    name = escape(mark.item)
    check = f"<code>coursekit.check(&quot;{escape(assignment)}.{name}&quot;, {name})</code>"
    match mark.status:
        case "not attempted":
            effort = f" Expect to need about {item.minutes} min." if item else ""
            return f"Write your solution in the cell that begins with <code># ITEM {name}</code>.{effort}"
        case "timed out":
            limit = f" All its calls together have {item.seconds:g} seconds." if item else ""
            return f"Look for a loop that does not end, or for work that is done again in every round.{limit}"
        case "crashed":
            return "Look for a call that ends Python, for recursion without an end, and for very large arrays."
        case "unreadable":
            return "Open the notebook, restart the kernel, run all cells, save, and hand in that file."
        case "sandbox error":
            return "Nothing for you to do: the machine that grades failed here. The item will be graded again."
    return f"Mend it, then run {check} again."


def _title(mark: Mark, item: Item | None) -> str:
    return item.title if item else mark.item


def _points(mark: Mark) -> str:
    return f"{number(mark.points) if mark.status != UNGRADED else '–'} of {number(mark.max)} points"
