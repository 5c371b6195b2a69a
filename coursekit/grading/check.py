"""The self-check in the notebook: compares with recorded answers and names the mistake. It is not a grade."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from html import escape
from typing import Any

from coursekit.palette import ROLES, VERDICTS

from . import public
from .compare import show
from .observe import Outcome, is_placeholder, observe
from .recording import Recording, Verdict

_NOT_A_GRADE = "This is not a grade: grading calls your function with other inputs."

_LOOKS = {
    "passed": ("--ck-verdict-holds", VERDICTS["holds"], "✓"),
    "not passed": ("--ck-verdict-false", VERDICTS["false"], "✗"),
    "not attempted": ("--ck-muted", ROLES["muted"], "○"),
}


@dataclass(frozen=True)
class CheckResult:
    """What a self-check found. True if it passed; prints the same text on every machine."""

    exercise: str
    status: str  # "passed", "not passed", "not attempted"
    message: str
    hint: str | None = None

    def __bool__(self) -> bool:
        return self.status == "passed"

    def __repr__(self) -> str:
        lines = [f"self-check {self.status}: {self.exercise}"]
        if self.hint:
            lines.append(f"hint: {self.hint}")
        return "\n".join([*lines, self.message])

    def _repr_html_(self) -> str:
        variable, ink, mark = _LOOKS[self.status]
        colour = f"var({variable}, {ink.light})"  # of the border and the mark only: text keeps the page's colour
        summary, _, details = self.message.partition("\n")
        hint = f"<p style='margin:.3em 0'><strong>Hint.</strong> {escape(self.hint)}</p>" if self.hint else ""
        shown = f"<pre style='margin:.3em 0;white-space:pre-wrap'>{escape(details)}</pre>" if details else ""
        return (
            f"<div role='status' style='border-left:4px solid {colour};padding:.3em .9em;margin:.4em 0'>"
            f"<p style='margin:.2em 0'><span aria-hidden='true' style='color:{colour}'>{mark}</span> "
            f"<strong>self-check {self.status}</strong> <code>{escape(self.exercise)}</code></p>"
            f"{hint}<p style='margin:.3em 0;overflow-wrap:anywhere'>{escape(summary)}</p>{shown}</div>"
        )


def check(exercise: str, function: Callable[..., Any]) -> CheckResult:
    """Compares ``function`` with the recorded answers of ``exercise``, such as "smoothness.gd_step".

    They come with the package; a file ``<assignment>.check.json`` in the working directory goes before it.
    Raises ValueError for an exercise that does not exist and TypeError if ``function`` cannot be called.
    """
    name, _, item = exercise.partition(".")
    assignments = public.at_hand()
    items = assignments.get(name, {})
    if item not in items:
        allowed = [f"{name}.{item}" for item in items] or [
            *(f"{known}.<item>" for known in assignments),
            f"others with {name}{public.BESIDE} beside the notebook",
        ]
        raise ValueError(f"exercise is {exercise!r}; allowed: {', '.join(allowed)}")
    if not callable(function):
        raise TypeError(f"function is a {type(function).__name__}; pass the function itself, without calling it")
    recording = items[item]
    outcomes = tuple(observe(function, case.arguments) for case in recording.cases)
    if all(is_placeholder(outcome, item) for outcome in outcomes):
        return CheckResult(
            exercise, "not attempted", "Write your solution in the cell above, run it, then run this one."
        )
    verdict = recording.judge(outcomes)
    if verdict.right:
        return CheckResult(exercise, "passed", f"All {len(outcomes)} recorded cases agree. {_NOT_A_GRADE}")
    return CheckResult(exercise, "not passed", _first_fault(recording, verdict, outcomes), verdict.hint)


def _first_fault(recording: Recording, verdict: Verdict, outcomes: tuple[Outcome, ...]) -> str:
    total = len(recording.cases)
    for number, fault in enumerate(verdict.differences, start=1):
        if not fault:
            continue
        case, got, want = recording.cases[number - 1], outcomes[number - 1], recording.reference[number - 1]
        inputs = [f"  {name} = {show(x)}" for name, x in zip(recording.names, case.arguments, strict=True)]
        wrong = [case.part for case, fault in zip(recording.cases, verdict.differences, strict=True) if fault]
        right = dict.fromkeys(case.part for case in recording.cases if case.part not in wrong)
        parts = f": right for {', '.join(right)}, not for {', '.join(dict.fromkeys(wrong))}" if right else ""
        where = f"The first is case {number} ({case.part}):"
        lines = [f"{len(wrong)} of {total} recorded cases differ{parts}. {where}", *inputs]
        lines.append(f"  expected {show(want.value)}")
        if not got.failure and show(got.value) != show(want.value):
            lines.append(f"  got      {show(got.value)}")
        return "\n".join([*lines, f"  {fault}"])
    name = next(name for name in verdict.changed if name)
    return f"The values agree in all {total} cases, but the argument {name} was changed in place."
