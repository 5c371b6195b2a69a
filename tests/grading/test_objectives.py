"""Objectives as arguments: what they answer, who counts, and what a student's process may ask of the grader's."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from typing import Any

import pytest
import torch
from torch.autograd.functional import hessian

import coursekit
from coursekit.grading import objective
from coursekit.grading.boundary import Worker, WorkerGone
from coursekit.grading.exam import grade_submission, prepare
from coursekit.grading.exercise import Assignment, load
from coursekit.grading.objective import Objective
from coursekit.grading.observe import observe
from coursekit.grading.public import dumps, loads, recordings
from coursekit.grading.recording import bill, record
from coursekit.grading.release import same
from coursekit.grading.submission import Submission
from coursekit.grading.warm import StartFailed, Warm

from .conftest import SEED
from .toy import write_toy

SOURCE = """
import math, torch
from coursekit.grading.wire import receive, send
def values(f, w):
    return f(w), f.grad(w), f.hvp(w, w)
def by_autograd(f, w):
    w = w.clone().requires_grad_(True)
    (g,) = torch.autograd.grad(3 * f(w), w)
    return g
def never_ends(f, w):
    while True:
        f(w)
def says(f, what):
    try:
        return f.hvp(*what) if len(what) == 2 else f(*what)
    except ValueError as error:
        return str(error)
def forge(f, w, header, vectors):
    conn, request, place = f._ask.args
    send(conn, {"kind": "ask", "id": request, "objective": place, **header}, vectors)
    return receive(conn)[1][0]
def kind_of(f, w):
    return type(f).__name__
"""
ROSENBROCK = Objective("Rosenbrock")
POINT = torch.tensor([-1.2, 1.0], dtype=torch.float64)


def call(worker: Worker, name: str, *arguments: Any, seconds: float = 10.0) -> Any:
    return worker.call(name, arguments, time.monotonic() + seconds)


@pytest.fixture(scope="module")
def warm() -> Iterator[Warm]:
    with Warm() as warm:
        yield warm


@pytest.fixture
def worker(warm: Warm) -> Iterator[Worker]:
    worker = Worker(warm)
    assert worker.execute("source", SOURCE, 10) is None
    yield worker
    worker.close()


@pytest.fixture(scope="module")
def toy(tmp_path_factory: pytest.TempPathFactory) -> Assignment:
    return load(write_toy(tmp_path_factory.mktemp("toy") / "toy"))


def plain(w: torch.Tensor, a: float = 100.0) -> torch.Tensor:
    return (1 - w[0]) ** 2 + a * (w[1] - w[0] ** 2) ** 2


@pytest.mark.parametrize(
    "f",
    [ROSENBROCK, Objective("Rosenbrock", local=True), Objective(plain, {"a": 100.0}, dim=2)],
    ids=["in the grader", "local", "plain"],
)
def test_answers_are_those_of_autograd_on_both_sides(worker: Worker, f: Objective) -> None:
    namespace: dict[str, Any] = {}
    exec(SOURCE, namespace)
    (g,) = torch.autograd.grad(plain(v := POINT.clone().requires_grad_(True)), v)
    expected = (plain(POINT), g, hessian(plain, POINT) @ POINT)
    for outcome in (call(worker, "values", f, POINT), observe(namespace["values"], (f, POINT))):
        torch.testing.assert_close(outcome.value, expected, rtol=1e-13, atol=0)
        assert bill(outcome) == ([] if f.local else [[1, 1, 1]])
        assert outcome.arguments[0] is f
    for outcome in (call(worker, "by_autograd", f, POINT), observe(namespace["by_autograd"], (f, POINT))):
        torch.testing.assert_close(outcome.value, 3 * g, rtol=1e-13, atol=0)
        assert bill(outcome) == ([] if f.local else [[1, 1, 0]])


def test_only_local_objectives_are_in_the_students_process(worker: Worker) -> None:
    assert call(worker, "kind_of", ROSENBROCK, POINT).value == "Counted"
    assert call(worker, "kind_of", Objective("Rosenbrock", local=True), POINT).value == "CountedHere"


@pytest.mark.parametrize(
    ("what", "said"),
    [
        ((POINT[:1],), "w must be a float64 tensor of shape (2,), got torch.float64 of shape (1,)"),
        ((POINT[None],), "got torch.float64 of shape (1, 2)"),  # a batch would be many questions for one
        ((POINT.float(),), "got torch.float32 of shape (2,)"),
        ((POINT / 0,), "w must be finite, got a NaN or an infinity"),
        (([1.0, 2.0],), "got a list"),
        ((POINT, POINT[:1]), "v must be a float64 tensor of shape (2,), got torch.float64 of shape (1,)"),
    ],
)
def test_an_odd_point_is_refused_at_the_door_and_not_counted(worker: Worker, what: Any, said: str) -> None:
    namespace: dict[str, Any] = {}
    exec(SOURCE, namespace)
    here = observe(namespace["says"], (ROSENBROCK, what))
    assert said in here.value
    assert bill(here) == [[0, 0, 0]]
    there = call(worker, "says", ROSENBROCK, what)
    assert (there.value, bill(there)) == (here.value, bill(here))


def test_questions_have_an_end(worker: Worker, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(objective, "MAX_CALLS", 50)
    outcome = call(worker, "never_ends", ROSENBROCK, POINT)
    assert "ValueError: the objective was asked 50 times, and that is the most" in str(outcome.failure)
    monkeypatch.setattr(objective, "MAX_CALLS", 10**9)
    started = time.monotonic()
    with pytest.raises(WorkerGone) as gone:
        call(worker, "never_ends", ROSENBROCK, POINT, seconds=0.5)
    assert gone.value.status == "timed out"
    assert time.monotonic() - started < 5


@pytest.mark.parametrize(
    "header",
    [
        {"objective": "1", "what": "value"},
        {"objective": ["0"], "what": "value"},
        {"objective": "0", "what": {"value": 1}},
        {"objective": None, "what": "value"},
        {"objective": "0", "what": "value", "id": "another"},
    ],
    ids=str,
)
def test_a_forged_question_ends_the_process(worker: Worker, header: dict[str, Any]) -> None:
    with pytest.raises(WorkerGone, match="a question to an objective that it was not given"):
        call(worker, "forge", ROSENBROCK, POINT, header, [POINT])


@pytest.mark.parametrize(
    ("what", "vectors"), [("hessian", [POINT]), ("value", []), ("hvp", [POINT]), ("value", [1]), ("grad", [None])]
)
def test_a_malformed_question_is_refused_and_not_counted(worker: Worker, what: str, vectors: list[Any]) -> None:
    outcome = call(worker, "forge", ROSENBROCK, POINT, {"what": what}, vectors)
    assert re.match("an objective is asked for value, grad, hvp|w must be a float64 tensor", outcome.value)
    assert bill(outcome) == [[0, 0, 0]]
    assert bill(call(worker, "values", ROSENBROCK, POINT)) == [[1, 1, 1]]


def test_a_fault_of_the_objective_is_no_mark(worker: Worker) -> None:
    with pytest.raises(StartFailed, match="an objective of the assignment fails: ZeroDivisionError"):
        call(worker, "values", Objective(lambda w: w[0] * (1 // 0), dim=2), POINT)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("Rosenbrok",), "must be a function or named in coursekit.problems"),
        (("Quadratic",), "Quadratic cannot be made"),
        (("Quadratic", {"eigenvalues": [[1.0]]}), "eigenvalues must be a finite vector"),
        ((plain,), "a plain function needs its dim"),
        ((plain, {}, 2, True), "cannot be local"),
    ],
)
def test_an_objective_that_cannot_be_is_refused(arguments: Any, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        Objective(*arguments)


def test_counts_are_part_of_the_answer_and_name_the_mistake(toy: Assignment) -> None:
    item = toy.items[0]
    for recording in (record(toy, item, item.hidden_cases(SEED)), record(toy, item, item.public_cases())):
        for hint, outcomes in recording.mutants:
            verdict = recording.judge(outcomes)
            assert not verdict.right
            assert verdict.hint == hint
        assert recording.judge(recording.reference).right
        asks_twice = next(outcomes for hint, outcomes in recording.mutants if "gradient does not" in hint)
        assert any("gradients, and 1 are enough" in (d or "") for d in recording.judge(asks_twice).differences)


def test_what_the_budget_allows_is_right(toy: Assignment) -> None:
    item = toy.items[0]
    reference = toy.reference(item)

    def generous(f: Any, w: Any) -> Any:
        f(w)
        return reference(f, w)

    recording = record(toy, item, item.public_cases())
    assert recording.judge(tuple(observe(generous, case.arguments) for case in recording.cases)).right


def test_recorded_objectives_and_bills_survive_the_file(toy: Assignment) -> None:
    recorded = recordings(toy)
    again = loads(dumps(recorded))
    assert same(again, recorded)
    assert dumps(again) == dumps(recorded)
    assert again["halve"].budget == toy.items[0].budget
    assert [bill(o) for o in again["halve"].reference] == [bill(o) for o in recorded["halve"].reference]
    other = dumps(recorded).replace('"calls": [[', '"calls": [[1', 1)
    assert not same(loads(other), recorded)


def test_a_plain_function_is_not_recorded(toy: Assignment) -> None:
    item = toy.items[0]
    hidden = {"halve": record(toy, item, item.hidden_cases(SEED))}
    with pytest.raises(ValueError, match="no code is shipped"):
        dumps(hidden)


def test_students_count_with_the_same_function() -> None:
    f = coursekit.counted(coursekit.problems.Rosenbrock())
    f(POINT), f.grad(POINT), f.grad(POINT)
    assert (f.calls.values, f.calls.gradients, f.calls.hvps) == (1, 2, 0)
    assert repr(f).startswith("Rosenbrock: Calls(values=1, gradients=2")


def test_a_submission_is_graded_by_trusted_counts(toy: Assignment, warm: Warm) -> None:
    exam = prepare(toy, SEED)
    item = toy.items[0]
    right = toy.master.solutions["halve"]
    lies = right.replace("def halve(f, w):", "def halve(f, w):\n    f.calls = 0").replace("> f_w", "> f(w)")
    for cell, points, said in (
        (right, 4, "all 4 hidden cases agree"),
        (toy.master.mutated("halve", "> f_w", "> f(w)"), None, "f(w) does not change: ask for it once."),
        (lies, None, "f(w) does not change: ask for it once."),
        (right.replace("eta = f(w), f.grad(w), 1.0", "eta = f([1.0]), f.grad(w), 1.0"), 0, "4 of 4 hidden cases"),
    ):
        (mark,) = grade_submission(Submission("ada", "1", {"halve": (cell,)}), exam, warm)
        assert mark.message.startswith(said)
        assert mark.points == points if points is not None else mark.points < item.points
