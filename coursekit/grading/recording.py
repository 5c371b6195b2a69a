"""What the reference and the mutants answer on given cases: all that a check needs, and no code."""

from __future__ import annotations

from dataclasses import dataclass

from .compare import Tolerance, difference
from .exercise import Assignment, Case, Item
from .observe import Outcome, observe
from .values import to_file


@dataclass(frozen=True)
class Verdict:
    """How outcomes compare: per case a difference or None, arguments changed or not, and the mistake's name."""

    differences: tuple[str | None, ...]
    changed: tuple[str | None, ...]
    hint: str | None

    @property
    def right(self) -> bool:
        """Every value agrees and every argument was left alone."""
        return not any(self.differences) and not any(self.changed)


@dataclass(frozen=True)
class Recording:
    """Cases of one item with the answers of the reference and, by hint, of every mutant."""

    item: str
    names: tuple[str, ...]
    tolerance: Tolerance
    cases: tuple[Case, ...]
    reference: tuple[Outcome, ...]
    mutants: tuple[tuple[str, tuple[Outcome, ...]], ...]

    def judge(self, outcomes: tuple[Outcome, ...]) -> Verdict:
        """Compares a student's outcomes with the reference's and, if they differ, with every mutant's."""
        differences = tuple(
            _value_difference(got, want, self.tolerance)
            for got, want in zip(outcomes, self.reference, strict=True)
        )
        changed = tuple(
            self._changed(got, case) if got.failure is None else None
            for got, case in zip(outcomes, self.cases, strict=True)
        )
        verdict = Verdict(differences, changed, None)
        return verdict if verdict.right else Verdict(differences, changed, self._mistake(outcomes))

    def _changed(self, outcome: Outcome, case: Case) -> str | None:
        exact = Tolerance(0.0)
        if len(outcome.arguments) != len(case.arguments):
            return "arguments"
        for name, after, before in zip(self.names, outcome.arguments, case.arguments, strict=True):
            if difference(after, before, exact):
                return name
        return None

    def _mistake(self, outcomes: tuple[Outcome, ...]) -> str | None:
        for hint, recorded in self.mutants:
            if self.agree(outcomes, recorded):
                return hint
        return None

    def matches(self, other: Recording) -> bool:
        """Whether ``other`` records the same: cases, hints and tolerance exactly, answers within the tolerance."""

        def written(r: Recording) -> tuple[object, ...]:
            cases = [to_file((case.part, case.arguments)) for case in r.cases]
            return r.item, r.names, r.tolerance, cases, [hint for hint, _ in r.mutants]

        return (
            written(self) == written(other)
            and self.agree(self.reference, other.reference)
            and all(self.agree(a, b) for (_, a), (_, b) in zip(self.mutants, other.mutants, strict=True))
        )

    def agree(self, mine: tuple[Outcome, ...], theirs: tuple[Outcome, ...]) -> bool:
        """Whether two functions did the same in every case: values, changes of arguments, kinds of errors."""
        return all(_same(a, b, self.tolerance) for a, b in zip(mine, theirs, strict=True))


def _value_difference(got: Outcome, want: Outcome, tolerance: Tolerance) -> str | None:
    if got.failure:
        return f"the function stops with {got.failure}"
    return difference(got.value, want.value, tolerance)


def _same(got: Outcome, want: Outcome, tolerance: Tolerance) -> bool:
    if got.failure or want.failure:
        return (
            got.failure is not None
            and want.failure is not None
            and got.failure.type_name == want.failure.type_name
        )
    return not (
        difference(got.value, want.value, tolerance) or difference(got.arguments, want.arguments, tolerance)
    )


def record(assignment: Assignment, item: Item, cases: tuple[Case, ...]) -> Recording:
    """Runs the reference and the mutants on ``cases``. For trusted code only: it runs in this process."""
    reference = assignment.reference(item)

    def answers(function: object) -> tuple[Outcome, ...]:
        assert callable(function)
        return tuple(observe(function, case.arguments) for case in cases)

    return Recording(
        item.id,
        reference.__code__.co_varnames[: reference.__code__.co_argcount],
        item.tolerance,
        cases,
        answers(reference),
        tuple((mutant.hint, answers(assignment.reference(item, mutant))) for mutant in item.mutants),
    )
