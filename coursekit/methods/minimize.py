"""Run a method: a direction, and a search that says how far to go along it."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from types import SimpleNamespace

import torch
from torch import Tensor

from ..oracles import Calls, Oracle
from ..problems.problem import Problem
from ..record import Record
from ..rules.gradient_descent import gradient_descent
from ..rules.rule import Rule
from ..stopping import Criterion, Look, gradient_below
from .line_search import NoStep, Search, Step

SMALL_GRADIENT = gradient_below(1e-8)


class Direction:
    """Where to go next from w, given the gradient g there. One object serves one run and may remember.

    ``curvature`` is the lowest curvature dᵀHd/dᵀd met in making the latest direction, NaN if none was looked at.
    """

    curvature: float = math.nan

    def __call__(self, oracle: Oracle, w: Tensor, g: Tensor) -> Tensor:
        """The direction p, shape (dim,); NoStep where there is none."""
        raise NotImplementedError("a direction says where to go")

    def learn(self, s: Tensor, y: Tensor) -> None:
        """Take note of the step s = w_{t+1} - w_t and of the change of gradient y = g_{t+1} - g_t."""


@dataclass(frozen=True)
class Method:
    """A name, what makes a fresh :class:`Direction` for each run, and the line search that goes with it.

    ``rule`` is the first-order rule that each step is, if it is one.
    """

    name: str
    direction: Callable[[], Direction]
    search: Search
    rule: Rule | None = None


@dataclass(frozen=True, kw_only=True)
class Run(Record):
    """What :func:`minimize` leaves: the records w (T+1, dim), f (T+1,), grad_norm (T+1,); per step also the
    curvature (T,).

    ``spent`` holds the oracle calls up to each iterate (T+1 entries), those of a last search that found nothing
    included; ``why`` says in words why the run ended, and ``converged`` whether that was its stopping criterion.
    """

    method: Method
    curvature: Tensor
    spent: tuple[Calls, ...]
    why: str
    converged: bool

    def __repr__(self) -> str:
        c = self.calls
        cost = f"{c.gradients} gradients, {c.values} values, {c.hvps} Hessian products"
        return f"{self.method.name} on {self.problem.name}: {self.T} steps, {cost}; ended because {self.why}"


def minimize(
    problem: Problem, method: Method, start: Tensor, steps: int = 100, *, stop: Criterion | None = SMALL_GRADIENT
) -> Run:
    """Iterate w_{t+1} = w_t + η_t p_t, where the method's direction gives p_t and its search η_t.

    ``start`` is one point of shape (dim,): a search decides trial by trial, so runs cannot share a batch. A run
    that finds no step, or leaves the finite numbers, ends there and says so in ``why``. The whole path is kept,
    (T+1)·dim numbers. Raises ValueError for a bad start or number of steps.
    """
    problem.check_point(start, "start")
    if start.ndim != 1:
        raise ValueError(f"start must be one point of shape ({problem.dim},), got {tuple(start.shape)}")
    if steps < 0:
        raise ValueError(f"steps must be at least 0, got {steps}")
    oracle, direction = Oracle(problem), method.direction()
    here = Step(math.nan, start.detach().clone(), *oracle.value_and_grad(start))
    look = Look(here.f, here.g, torch.full_like(here.f, math.inf), torch.full_like(here.g, math.inf))
    path, curvatures, spent = [here], [math.nan], [replace(oracle.calls)]
    converged = False
    while True:
        if not bool(here.f.isfinite() and here.g.isfinite().all()):
            why = "f or its gradient is no longer finite"
            break
        if stop is not None and bool(stop(look)):
            why, converged = "the stopping criterion is met", True
            break
        if len(path) > steps:
            why = f"all {steps} steps are used"
            break
        try:
            step = method.search(oracle, here.w, here.f, here.g, direction(oracle, here.w, here.g))
        except NoStep as reason:
            why = str(reason)
            spent[-1] = replace(oracle.calls)
            break
        direction.learn(step.w - here.w, step.g - here.g)
        here, look = step, Look(step.f, step.g, here.f, here.g)
        path.append(step)
        curvatures.append(direction.curvature)
        spent.append(replace(oracle.calls))
    f = torch.stack([step.f for step in path])
    eta = f.new_tensor([step.eta for step in path[1:]])
    grad_norm = torch.stack([step.g.norm() for step in path])
    return Run(
        oracle=oracle,
        method=method,
        rule=method.rule,
        h=SimpleNamespace(eta=eta),
        records={"w": torch.stack([step.w for step in path]), "f": f, "grad_norm": grad_norm},
        eta=eta,
        stopped=torch.tensor(len(eta), device=f.device),
        curvature=f.new_tensor(curvatures[1:]),
        spent=tuple(spent),
        why=why,
        converged=converged,
    )


class _Downhill(Direction):
    def __call__(self, oracle: Oracle, w: Tensor, g: Tensor) -> Tensor:
        return -g


def gradient_descent_with(search: Search) -> Method:
    """Gradient descent whose step size a line search chooses: p = -g. With :func:`exact`, steepest descent."""
    name = getattr(search, "func", search).__name__  # of a functools.partial, the search's own name
    return Method(f"gradient descent with {name}", _Downhill, search, gradient_descent)
