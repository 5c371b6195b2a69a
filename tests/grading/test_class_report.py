"""The class report: its figures against scipy, and what it says of mistakes and of what is not graded."""

from __future__ import annotations

import re

import numpy as np
import pytest
import scipy.stats

from coursekit.grading.class_report import class_report
from coursekit.grading.exercise import Assignment, load
from coursekit.grading.exports.table import rows
from coursekit.grading.gradebook import Mark
from coursekit.grading.item_analysis import item_figures

from .runs import TINY


@pytest.fixture(scope="module")
def tiny() -> Assignment:
    return load(TINY)


def draw(binary: bool) -> tuple[np.ndarray, np.ndarray]:
    random = np.random.default_rng(0)
    skill = random.normal(size=(200, 1))
    answers = skill + random.normal(size=(200, 5)) + np.array([1.5, 0.5, 0.0, -0.5, -1.5])
    shares = (answers > 0).astype(float) if binary else np.clip(np.round(answers + 1), 0, 2) / 2
    return shares, np.array([2.0, 4.0, 3.0, 1.0, 5.0])


@pytest.mark.parametrize("binary", [True, False])
def test_discrimination_is_scipys_correlation_with_the_rest(binary: bool) -> None:
    shares, weights = draw(binary)
    oracle = scipy.stats.pointbiserialr if binary else scipy.stats.pearsonr
    for j, figures in enumerate(item_figures(shares, weights)):
        rest = np.delete(shares, j, 1) @ np.delete(weights, j)
        assert figures.correlation == pytest.approx(oracle(shares[:, j], rest).statistic, abs=1e-12)
        assert figures.difficulty == pytest.approx(shares[:, j].sum() / len(shares), abs=1e-12)
        with_itself = oracle(shares[:, j], shares @ weights).statistic
        assert figures.correlation < with_itself - 0.01  # the item's own points would flatter it


def test_upper_lower_is_the_difference_of_the_two_ends() -> None:
    random = np.random.default_rng(1)
    shares, weights = random.random((100, 3)), np.ones(3)  # no ties
    order = scipy.stats.rankdata(shares.sum(1), method="ordinal")
    for j, figures in enumerate(item_figures(shares, weights)):
        best, last = shares[order > 73, j], shares[order <= 27, j]
        assert figures.upper_lower == pytest.approx(best.mean() - last.mean(), abs=1e-12)


def test_ties_at_the_edge_do_not_depend_on_the_order_of_students() -> None:
    shares, weights = draw(binary=True)
    again = np.random.default_rng(2).permutation(shares)
    assert len(np.unique(shares @ weights)) < 20
    for one, two in zip(item_figures(shares, weights), item_figures(again, weights), strict=True):
        assert (one.upper_lower, one.correlation) == pytest.approx((two.upper_lower, two.correlation), abs=1e-12)


def test_an_item_that_the_strong_get_wrong_is_found_out() -> None:
    shares, weights = draw(binary=True)
    shares[:, 2] = 1 - shares[:, 2]
    figures = item_figures(shares, weights)
    assert figures[2].correlation < -0.2
    assert figures[2].upper_lower < 0
    assert min(f.correlation for j, f in enumerate(figures) if j != 2) > 0


def test_figures_that_are_not_defined() -> None:
    (same,) = item_figures(np.ones((4, 1)), np.ones(1))
    assert (same.difficulty, same.upper_lower) == (1.0, 0.0)
    assert np.isnan(same.correlation)
    for shares in (np.ones((0, 1)), np.ones((3, 2)), np.ones(3)):
        with pytest.raises(ValueError, match="shares has shape"):
            item_figures(shares, np.ones(1))


def marks_of(student: str, *answers: tuple[str, float, str]) -> list[Mark]:
    """One mark for `double` and one for `total`: status, points, message."""
    base = {"student": student, "submission": "ab12", "version": "v", "tier": "full", "max": 2.0}
    return [
        Mark(**base, item=item, status=status, points=points, message=message)
        for item, (status, points, message) in zip(("double", "total"), answers, strict=True)
    ]


RIGHT = ("graded", 2.0, "all 3 hidden cases agree")


def test_mistakes_are_counted_by_hint(tiny: Assignment) -> None:
    hint, rare = (tiny.items[0].mutants[i].hint for i in (1, 2))
    unnamed = ("graded", 0.0, "2 of 3 hidden cases differ")
    marks = [mark for i in range(3) for mark in marks_of(f"a{i}", ("graded", 0.0, hint), RIGHT)]
    marks += marks_of("b", ("partly", 1.0, rare), unnamed) + marks_of("c", RIGHT, RIGHT)
    page = class_report(rows(marks), tiny)
    text = page.partition("most frequent mistakes</h2>")[2]
    assert text.index(f"3 of 5: {hint}") < text.index(f"1 of 5: {rare}")
    assert "Of 5 answers that lost points, a hint named 4." in text
    assert "hidden cases" not in text
    assert "No answer matches" in class_report(rows(marks_of("c", RIGHT, unnamed)), tiny)


def test_what_is_not_graded_stands_first_and_has_no_part_in_the_figures(tiny: Assignment) -> None:
    error = ("sandbox error", 0.0, "the warm process did not start")
    unreadable = ("unreadable", 0.0, "this is not a readable notebook (ValueError)")
    marks = [mark for i in range(12) for mark in marks_of(f"s{i:02}", error, RIGHT)]
    marks += marks_of("<b>eve</b>", unreadable, unreadable) + marks_of("fay", RIGHT, RIGHT)
    page = class_report(rows(marks), tiny)
    assert page.index("Look at these first") < page.index("<h2>Points</h2>")
    assert "<strong>12</strong> not graded" in page
    assert "s09</bdi> and 2 more" in page
    assert "<bdi>&lt;b&gt;eve&lt;/b&gt;</bdi>" in page
    assert "<strong>2</strong>students" in page
    counts = re.search(r'aria-label="Students by points: ([^"]*)"', page)
    assert counts is not None
    assert sum(int(part.split()[0]) for part in counts[1].split(", ")) == 2
    assert "Every item of every student has a mark." in class_report(rows(marks_of("fay", RIGHT, RIGHT)), tiny)
    assert "Nobody has a total yet." in class_report(rows(marks_of("s", error, error)), tiny)
