"""The pages: nothing a student wrote becomes markup, nothing is loaded, and each mark says what to do about it."""

from __future__ import annotations

from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from coursekit.grading.class_report import class_report
from coursekit.grading.exercise import Assignment, load
from coursekit.grading.exports.table import Row, rows
from coursekit.grading.feedback import feedback, file_stem, write_feedback
from coursekit.grading.gradebook import STATUSES, Mark
from tests.browser import axe, browser, serve

from .runs import TINY

__all__ = ["browser"]

TINY_ASSIGNMENT = load(TINY)
EVIL = ["<script>alert(1)</script>\"'>&amp;", "\u202e\x1b[31m</bdi></main>", "<img src=x onerror=y>", "a" * 5000]


@pytest.fixture(scope="module")
def tiny() -> Assignment:
    return TINY_ASSIGNMENT


def mark(student: str, item: str, status: str, points: float, message: str) -> Mark:
    return Mark(student, "ab12", "v", "full", item, points, 2.0, status, message)


def row(student: str = "ada", message: str = "m", status: str = "graded", points: float = 0.0) -> Row:
    marks = (mark(student, "double", status, points, message), mark(student, "total", "graded", 2.0, "right"))
    return Row(student, marks)


class Shape(HTMLParser):
    """The elements of a page with their attributes, and its text."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, tuple[Any, ...]]] = []
        self.text = ""
        self.feed(page)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, tuple(attrs)))

    def handle_data(self, data: str) -> None:
        self.text += data


@settings(max_examples=60, deadline=None)
@given(st.text() | st.sampled_from(EVIL), st.text() | st.sampled_from(EVIL))
def test_text_of_students_is_text_on_every_page(student: str, message: str) -> None:
    plain, mine = row(), row(student, message)
    for make in (lambda r: feedback(r, TINY_ASSIGNMENT), lambda r: class_report((r,), TINY_ASSIGNMENT)):
        assert Shape(make(mine)).elements == Shape(make(plain)).elements


def test_the_parser_would_see_an_element_of_a_student() -> None:
    page = feedback(row(), TINY_ASSIGNMENT).replace("<p>M", "<p><script>M")
    assert Shape(page).elements != Shape(feedback(row(), TINY_ASSIGNMENT)).elements


def test_evil_text_is_shown_as_it_was_written(tiny: Assignment) -> None:
    page = feedback(row(message=EVIL[0]), tiny)
    assert EVIL[0] in Shape(page).text
    assert "\u202e" not in feedback(row(EVIL[1]), tiny)


def test_nothing_is_loaded_and_no_code_is_shown(tiny: Assignment) -> None:
    for page in (feedback(row(), tiny), class_report((row(),), tiny)):
        attributes = [pair for _, found in Shape(page).elements for pair in found]
        links = [value for name, value in attributes if name in ("src", "href", "srcset", "data", "action")]
        assert all(str(value).startswith("#") for value in links)
        assert "url(" not in page
        assert "@import" not in page
        for solution in tiny.master.solutions.values():
            body = solution.split("### BEGIN SOLUTION")[1].split("### END")[0].strip()
            assert body not in page


@pytest.mark.parametrize(
    ("status", "points", "said"),
    [
        ("graded", 2.0, "graded: right"),
        ("graded", 0.0, "Mend it, then run <code>coursekit.check(&quot;tiny.double&quot;, double)</code> again."),
        ("partly", 1.0, "graded: partly right"),
        (
            "not attempted",
            0.0,
            "in the cell that begins with <code># ITEM double</code>. Expect to need about 1 min.",
        ),
        ("timed out", 0.0, "All its calls together have 10 seconds."),
        ("crashed", 0.0, "recursion without an end"),
        ("unreadable", 0.0, "hand in that file"),
        ("sandbox error", 0.0, "Nothing for you to do"),
    ],
)
def test_every_status_says_what_to_do(tiny: Assignment, status: str, points: float, said: str) -> None:
    page = feedback(row(status=status, points=points), tiny)
    assert said in page
    assert ('<a href="#double">Write double</a>' in page) == (points < 2 and status != "sandbox error")
    assert status in STATUSES


def test_an_item_that_is_not_graded_leaves_no_total(tiny: Assignment) -> None:
    assert "<strong>not graded yet</strong>" in feedback(row(status="sandbox error"), tiny)
    assert "<strong>3.5 of 4 points</strong>" in feedback(row(status="partly", points=1.5), tiny)


def test_a_hint_is_called_a_hint(tiny: Assignment) -> None:
    hint = tiny.items[0].mutants[0].hint
    assert f"<strong>Hint.</strong> <bdi>{hint}</bdi>" in feedback(row(message=hint), tiny)
    assert "Hint." not in feedback(row(message=hint + "!"), tiny)


def test_what_to_do_next_begins_with_what_was_begun(tiny: Assignment) -> None:
    marks = (mark("a", "double", "not attempted", 0, "m"), mark("a", "total", "partly", 1.5, "m"))
    page = feedback(Row("a", marks), tiny)
    assert page.index('<a href="#total">Write total</a>: 0.5 more') < page.index(
        '<a href="#double">Write double</a>'
    )
    assert "Everything is right." in feedback(row(points=2.0), tiny)


@given(st.lists(st.text(), unique=True, max_size=20))
def test_no_two_students_share_a_page(students: list[str]) -> None:
    stems = [file_stem(student) for student in students]
    assert len(set(stems)) == len(stems)
    assert not any(set(stem) & set("/\\. \0") for stem in stems)


@pytest.mark.browser
@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("width", [390, 1280])
def test_pages_in_a_browser(browser: Any, tmp_path: Path, tiny: Assignment, width: int, theme: Any) -> None:
    marks = [m for s in ("ada" * 30, EVIL[0]) for m in row(s, "a word " * 40, "partly", 1.0).marks]
    marks += row("bob", status="sandbox error").marks
    write_feedback(marks, tiny, tmp_path / "feedback")
    (tmp_path / "class.html").write_text(class_report(rows(marks), tiny))
    page = browser.new_page(viewport={"width": width, "height": 800}, color_scheme=theme)
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    with serve(tmp_path) as address:
        for path in sorted(tmp_path.rglob("*.html")):
            asked.clear()
            url = f"{address}/{path.relative_to(tmp_path)}"
            page.goto(url)
            assert set(asked) <= {url, f"{address}/favicon.ico"}
            assert page.evaluate("document.documentElement.scrollWidth") <= width
            assert axe(page) == []
    page.close()
