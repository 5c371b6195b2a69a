"""One page for the instructor: what to look at first, the distribution, items, the most frequent mistakes."""

from __future__ import annotations

import math
from collections import Counter
from html import escape
from string import Template

import numpy as np

from .exercise import Assignment
from .exports.table import UNGRADED, Row, item_ids, number
from .item_analysis import ItemFigures, item_figures
from .page import bar, page
from .text import markup, some

_STYLE = """
.warn { border-left: 5px solid var(--bad); padding: .1rem 1rem; }
.calm { border-left: 5px solid var(--good); padding: .1rem 1rem; }
.figures { display: flex; flex-wrap: wrap; gap: .3rem 2rem; padding: 0; list-style: none; }
.figures strong { font-size: 1.3rem; display: block; }
figure { margin: 1rem 0; } figcaption, .axis, .note { color: var(--muted); font-size: .85rem; }
.axis { display: flex; justify-content: space-between; }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums; }
th, td { text-align: right; padding: .35rem .5rem; border-bottom: 1px solid var(--grid); vertical-align: top; }
td, th[scope=col] { white-space: nowrap; }
th:first-child { text-align: left; min-width: 9rem; }
th[scope=col] { font-size: .85rem; vertical-align: bottom; }
th[scope=row] { font-weight: 400; }
td svg { min-width: 6rem; }
ol.mistakes li { margin-bottom: .7rem; } ol.mistakes svg { max-width: 20rem; margin-top: .2rem; }
ol.mistakes { padding-left: 1.6rem; }
"""

_BODY = Template("""<h1>The class: $title</h1>
$first
<h2>Points</h2>
$numbers
$histogram
<h2>Item by item</h2>
$items
<h2>The most frequent mistakes</h2>
$mistakes
<footer><p>$source</p></footer>""")

_TABLE = Template("""<div class="scroll" tabindex="0" role="region" aria-label="Item by item"><table>
<thead><tr><th scope="col">Item</th><th scope="col">Points</th><th scope="col">Difficulty</th>
<th scope="col">r</th><th scope="col">D</th><th scope="col">Right</th><th scope="col">Partly</th>
<th scope="col">Wrong</th><th scope="col">Not tried</th><th scope="col">Stopped</th></tr></thead>
<tbody>
$rows
</tbody></table></div>
<p class="note">Difficulty: the mean share of the item's points; 1 is easy. r: correlation of an item's share with
the points of all other items (point-biserial where an item is all or nothing). D: mean share among the best
27&nbsp;% by total, minus that among the last 27&nbsp;%. An item with r or D near 0 or below does not tell strong
from weak: look at its statement first. Stopped: at the time limit, or because the process ended.$few</p>""")

_BINS = 10
_SHOWN = 10  # mistakes, and students named in one list
_FEW = 30  # below that, r and D move a lot from class to class


def class_report(table: tuple[Row, ...], assignment: Assignment) -> str:
    """The page. Figures are of the students whose every item is graded."""
    graded = [row for row in table if row.points is not None]
    titles = {item.id: item.title for item in assignment.items}
    tiers = sorted({mark.tier for row in table for mark in row.marks})
    source = f"{len(table)} students; boundary tier: {', '.join(tiers)}; version {table[0].marks[0].version}."
    body = _BODY.substitute(
        title=escape(assignment.title),
        first=_first(table),
        numbers=_numbers(graded),
        histogram=_histogram(graded),
        items=_items(graded, titles),
        mistakes=_mistakes(graded, assignment),
        source=escape(source),
    )
    return page(f"{assignment.name}: the class", _STYLE, body, width="56rem")


def _first(table: tuple[Row, ...]) -> str:
    """What needs a person: items without a mark, and files that could not be read."""
    lines = []
    for status, words in (
        (UNGRADED, "not graded, because the sandbox or the grader failed: grade again; no export has a total"),
        ("unreadable", "with a notebook that could not be read: 0 points until you look"),
    ):
        if found := [row.student for row in table if any(mark.status == status for mark in row.marks)]:
            names = some([markup(student, 60) for student in found], _SHOWN)
            lines.append(f"<p><strong>{len(found)}</strong> {words}: {names}</p>")
    if not lines:
        return '<div class="calm"><p>Every item of every student has a mark.</p></div>'
    return '<div class="warn">\n<h2>Look at these first</h2>\n' + "\n".join(lines) + "\n</div>"


def _totals(graded: list[Row]) -> np.ndarray:
    return np.array([row.points for row in graded], dtype=float)


def _numbers(graded: list[Row]) -> str:
    if not graded:
        return "<p>Nobody has a total yet.</p>"
    totals = _totals(graded)
    lower, median, upper = np.percentile(totals, [25, 50, 75])
    figures = {
        "students": str(len(graded)),
        "mean": f"{totals.mean():.1f}",
        "median": f"{median:.1f}",
        "middle half": f"{lower:.1f} to {upper:.1f}",
        "points in all": number(max(row.max for row in graded)),
    }
    lines = "".join(f"<li><strong>{value}</strong>{name}</li>" for name, value in figures.items())
    return f'<ul class="figures">{lines}</ul>'


def _histogram(graded: list[Row]) -> str:
    if not graded:
        return ""
    most = max(row.max for row in graded)
    counts, edges = np.histogram(_totals(graded), bins=_BINS, range=(0.0, most))
    bars = "".join(
        f'<rect class="fill" x="{i + 0.04}" y="{1 - n / counts.max():.4g}" width=".92" '
        f'height="{n / counts.max():.4g}"><title>{n} from {low:g} to {high:g}</title></rect>'
        for i, (n, low, high) in enumerate(zip(counts, edges[:-1], edges[1:], strict=True))
    )
    words = ", ".join(
        f"{n} from {low:g} to {high:g}" for n, low, high in zip(counts, edges, edges[1:], strict=False)
    )
    axis = "".join(f"<span>{edge:g}</span>" for edge in edges[::5])
    return (
        f'<figure><svg class="plain" role="img" aria-label="Students by points: {words}" height="150" '
        f'viewBox="0 0 {_BINS} 1" preserveAspectRatio="none">{bars}</svg><div class="axis">{axis}</div>'
        f"<figcaption>Students by total points; the highest bar is {counts.max()}.</figcaption></figure>"
    )


def _items(graded: list[Row], titles: dict[str, str]) -> str:
    if not graded:
        return ""
    ids = item_ids(graded)
    marks = {(row.student, mark.item): mark for row in graded for mark in row.marks}
    worth = {mark.item: mark.max for row in graded for mark in row.marks}
    shares = np.zeros((len(graded), len(ids)))
    for i, row in enumerate(graded):
        for j, item in enumerate(ids):
            if (mark := marks.get((row.student, item))) and mark.max:
                shares[i, j] = mark.points / mark.max
    rows = []
    for item, figures in zip(ids, item_figures(shares, np.array([worth[i] for i in ids])), strict=True):
        found = [mark for (_, name), mark in marks.items() if name == item]
        count = Counter(mark.status for mark in found)
        right = sum(mark.points == mark.max for mark in found)
        stopped = count["timed out"] + count["crashed"]
        counts = [right, count["partly"], count["graded"] - right, count["not attempted"], stopped]
        rows.append(_row(titles.get(item, item), worth[item], figures, counts))
    few = f" With fewer than {_FEW} students, r and D are rough." if len(graded) < _FEW else ""
    return _TABLE.substitute(rows="\n".join(rows), few=few)


def _row(title: str, worth: float, figures: ItemFigures, counts: list[int]) -> str:
    cells = [number(worth), f"{figures.difficulty:.2f}{bar(figures.difficulty, 'plain', 6)}"]
    cells += ["–" if math.isnan(x) else f"{x:.2f}" for x in (figures.correlation, figures.upper_lower)]
    cells += [str(n) for n in counts]
    return f'<tr><th scope="row">{escape(title)}</th>' + "".join(f"<td>{cell}</td>" for cell in cells) + "</tr>"


def _mistakes(graded: list[Row], assignment: Assignment) -> str:
    """The mistakes that a hint names, by how many students made them."""
    hints = {(item.id, mutant.hint): item.title for item in assignment.items for mutant in item.mutants}
    lost = [m for row in graded for m in row.marks if m.status in ("graded", "partly") and m.points < m.max]
    named = Counter((mark.item, mark.message) for mark in lost if (mark.item, mark.message) in hints)
    if not named:
        return "<p>No answer matches a mistake that is known by a hint.</p>"
    lines = [
        f"<li><strong>{escape(hints[item, hint])}</strong>, {count} of {len(graded)}: {escape(hint)}"
        f"{bar(count / len(graded), 'plain', 6)}</li>"
        for (item, hint), count in named.most_common(_SHOWN)
    ]
    rest = f'<p class="note">Of {len(lost)} answers that lost points, a hint named {named.total()}.</p>'
    return '<ol class="mistakes">\n' + "\n".join(lines) + f"\n</ol>\n{rest}"
