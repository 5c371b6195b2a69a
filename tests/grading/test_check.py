"""What the self-check says: precise, repeatable, harmless, and never a grade."""

from __future__ import annotations

import re
from typing import Any

import pytest
import torch

from coursekit.grading.check import check
from coursekit.grading.compare import Tolerance, difference
from coursekit.palette import VERDICTS


def right(w: Any, g: Any, eta: float) -> Any:
    return w - eta * g


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (
            lambda w, g, eta: (w - eta * g).numpy(),
            "expected a tensor of shape (2,) and dtype torch.float64, got a ndarray",
        ),
        (lambda w, g, eta: (w - eta * g).float(), "expected dtype torch.float64, got torch.float32"),
        (lambda w, g, eta: (w - eta * g)[None], "expected shape (2,), got (1, 2)"),
        (lambda w, g, eta: w * float("nan"), "2 of 2 numbers are NaN"),
        (lambda w, g, eta: w / 0, "2 of 2 numbers are infinite"),
        (lambda w, g, eta: None, "got None"),
        (lambda w, g, eta: torch.nn.Parameter(w - eta * g), "got a Parameter of shape (2,)"),
        (lambda w, g, eta: w - eta * g + 1e-6, "the numbers differ, by up to 1e-06"),
        (lambda w: w, "the function stops with TypeError"),
    ],
)
def test_says_what_differs(answer: Any, said: str) -> None:
    result = check("smoothness.gd_step", answer)
    assert not result
    assert said in result.message


def test_shows_the_first_differing_case() -> None:
    result = check("smoothness.gd_step", lambda w, g, eta: right(w, g, eta) if w.ndim == 1 else w)
    assert result.message.startswith(
        "2 of 4 recorded cases differ: right for vectors, not for other shapes. The first is case 3 ("
    )
    assert "\n  w = [[1, 2, 3], [4, 5, 6]]\n" in result.message


def test_finds_a_change_in_place_of_any_argument() -> None:
    def spoils_g(w: Any, g: Any, eta: float) -> Any:
        new = w - eta * g
        g.zero_()
        return new

    assert check("smoothness.gd_step", spoils_g).message.endswith("the argument g was changed in place.")


def test_shows_error_type_message_and_line() -> None:
    def broken(w: Any, g: Any, eta: float) -> Any:
        raise KeyError("velocity")

    line = broken.__code__.co_firstlineno + 1
    assert f"KeyError: 'velocity' (line {line} of the cell)" in check("smoothness.gd_step", broken).message


def test_addresses_are_not_printed() -> None:
    def broken(w: Any, g: Any, eta: float) -> Any:
        raise ValueError(object())

    assert "object at 0x...>" in check("smoothness.gd_step", broken).message


def test_only_the_stub_counts_as_not_attempted() -> None:
    def stub(w: Any, g: Any, eta: float) -> Any:
        raise NotImplementedError("gd_step is not written yet")

    def library(w: Any, g: Any, eta: float) -> Any:
        raise NotImplementedError("no such kernel")

    assert check("smoothness.gd_step", stub).status == "not attempted"
    assert check("smoothness.gd_step", library).status == "not passed"


def test_unknown_exercise_lists_the_known_ones() -> None:
    with pytest.raises(
        ValueError, match=r"'smoothness.gd_stop'; allowed: smoothness.gd_step, smoothness.estimate_L"
    ):
        check("smoothness.gd_stop", right)
    with pytest.raises(TypeError, match="pass the function itself"):
        check("smoothness.gd_step", torch.ones(2))  # type: ignore[arg-type]


def test_texts_are_repeatable_escaped_and_no_grade() -> None:
    def broken(w: Any, g: Any, eta: float) -> Any:
        raise ValueError("<script>alert(1)</script>")

    first, second = (repr(check("smoothness.gd_step", right)) for _ in range(2))
    assert first == second
    assert first.startswith("self-check passed: smoothness.gd_step\n")
    assert "not a grade" in first
    page = check("smoothness.gd_step", broken)._repr_html_()
    assert "<script" not in page
    assert "&lt;script" in page
    assert f"var(--ck-verdict-false, {VERDICTS['false'].light})" in page
    wrong = repr(check("smoothness.gd_step", lambda w, g, eta: w / 3))
    assert not re.search(r"\d\.\d{5,}", wrong)


def test_says_how_far_a_sequence_agrees() -> None:
    run = torch.arange(12, dtype=torch.float64).reshape(6, 2)
    for first, said in (
        (0, "by up to 1"),
        (1, "; index 0 agrees, index 1 does not"),
        (4, "; indices 0 to 3 agree,"),
    ):
        wrong = run.clone()
        wrong[first:, 1] += 1
        assert said in (difference(wrong, run, Tolerance(1e-9)) or "")
    assert "agree" not in (difference(run + 1, run, Tolerance(1e-9)) or "")
    for wrong, answer in ((3, 4), ("a", "b"), (True, False)):
        assert difference(wrong, answer, Tolerance(0.0)) == "the values differ"  # a hidden answer is not told
    assert (difference([1.0, 2.0, 4.0], [1.0, 2.0, 3.0], Tolerance(0.0)) or "").startswith("value 3 of 3: ")


def test_comparison_is_strict_about_types_and_kind_to_rounding() -> None:
    near = Tolerance(1e-9)
    one = torch.ones(2, dtype=torch.float64)
    assert difference(one * (1 + 1e-12), one, near) is None
    assert difference(one * (1 + 1e-6), one, near)
    assert difference([one], (one,), near)
    assert difference((one, one), (one,), near)
    assert difference(True, 1.0, near)
    assert difference(one * float("nan"), one * float("nan"), near) is None
    assert difference(one * float("-inf"), one * float("inf"), near)
