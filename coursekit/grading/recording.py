"""What the reference and the mutants answer on given cases: all that a check needs, and no code."""

from __future__ import annotations

from dataclasses import dataclass

from coursekit.oracles import Calls

from .compare import Tolerance, difference
from .exercise import Assignment, Case, Item
from .objective import Objective, split
from .observe import Outcome, observe
from .values import to_file

KINDS = {"values": "values", "gradients": "gradients", "hvps": "Hessian products"}  # of a bill, and in words


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
    budget: Calls | None = None

    def judge(self, outcomes: tuple[Outcome, ...]) -> Verdict:
        """Compares a student's outcomes with the reference's and, if they differ, with every mutant's."""
        differences = tuple(
            _value_difference(got, want, self.tolerance) or self._overspent(got, want)
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
            if not isinstance(before, Objective) and difference(after, before, exact):
                return name
        return None

    def _overspent(self, got: Outcome, want: Outcome) -> str | None:
        """What was asked too often, in words: more than the reference and the budget together."""
        if self.budget is None:
            return None
        for mine, theirs in zip(got.calls, want.calls, strict=True):
            for kind, words in KINDS.items():
                enough = getattr(theirs, kind) + getattr(self.budget, kind)
                if (asked := getattr(mine, kind)) > enough:
                    return f"f was asked for {asked} {words}, and {enough} are enough"
        return None

    def _mistake(self, outcomes: tuple[Outcome, ...]) -> str | None:
        """The hint of the first mutant that did the same; where only calls are wrong, those must agree as well."""
        for hint, recorded in self.mutants:
            if self.agree(outcomes, recorded) and (
                not self.agree(recorded, self.reference) or _bills(outcomes) == _bills(recorded)
            ):
                return hint
        return None

    def matches(self, other: Recording) -> bool:
        """Whether ``other`` records the same: cases, hints and tolerance exactly, answers within the tolerance."""

        def written(r: Recording) -> tuple[object, ...]:
            cases = [(case.part, arguments_to_file(case.arguments)) for case in r.cases]
            bills = [_bills(outcomes) for outcomes in (r.reference, *(outcomes for _, outcomes in r.mutants))]
            return r.item, r.names, r.tolerance, r.budget, cases, bills, [hint for hint, _ in r.mutants]

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
        difference(got.value, want.value, tolerance)
        or difference(split(got.arguments)[0], split(want.arguments)[0], tolerance)
    )


def _bills(outcomes: tuple[Outcome, ...]) -> list[list[list[int]]]:
    return [bill(outcome) for outcome in outcomes]


def bill(outcome: Outcome) -> list[list[int]]:
    """The calls of an outcome as numbers: values, gradients and Hessian products of every objective."""
    return [[getattr(calls, kind) for kind in KINDS] for calls in outcome.calls]


def arguments_to_file(arguments: tuple[object, ...]) -> dict[str, object]:
    """The arguments as JSON. Raises ValueError for an objective that is a plain function: no code is recorded."""
    plain, objectives = split(arguments)
    tree: dict[str, object] = {"arguments": to_file(plain)}
    if any(not isinstance(x.kind, str) for x in objectives.values()):
        raise ValueError("an objective of a public case must be named in coursekit.problems: no code is shipped")
    if objectives:
        tree["objectives"] = {
            place: [x.kind, to_file(dict(x.parameters)), x.local] for place, x in objectives.items()
        }
    return tree


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
        item.budget,
    )
