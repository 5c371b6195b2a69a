"""Broken variants of the rates of gradient descent."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import torch
from torch import Tensor

from coursekit import data, descend
from coursekit.descend import Trajectory
from coursekit.oracles import MiniBatch
from coursekit.problems import DoubleWell, HeavyBallTrap, Huber, LeastSquares, PLSine, Problem, Quadratic, Softplus
from coursekit.rules import Rule, gradient_descent, heavy_ball, rule
from coursekit.theory import (
    Zigzag,
    descent_lemma,
    gd_by_mode,
    gd_convex,
    gd_convex_exact,
    gd_nonconvex,
    gd_nonconvex_sharp,
    gd_pl,
    gd_strongly_convex,
    gd_strongly_convex_values,
    gg_proposition_1,
    optimal_fixed_step,
    pl_ball,
    pl_theorem_1,
    tdl_theorem_461,
)

from .broken import f64, point, row, smaller


@rule(eta=0.1)
def biased(w: Any, g: Any, state: Any, scalars: Any, h: Any) -> Any:
    """Gradient descent that sees the gradient with a constant added."""
    return -h.eta * (g - 0.5), ()


class Shifted(Quadratic):
    """3w²/2 - 3: the function on which TDL's 4ML/T is attained, from 2√(M/L) = 2."""

    @staticmethod
    def formula(w: Any, p: Any) -> Any:
        return Quadratic.formula(w, p) - 3


class Unbounded(Problem):
    """f(w) = |w|^1.5: convex with minimizer 0, and its gradient is not Lipschitz there."""

    dim = 1

    def value(self, w: Tensor) -> Tensor:
        return w[..., 0].abs() ** 1.5


def gd(
    problem: Problem, start: Tensor, T: int, eta_L: float = 1.0, method: Rule = gradient_descent, L: float = 0.0
) -> Callable[[], Trajectory]:
    """A run whose step is eta_L/L."""
    eta = eta_L / (L or float(problem.L or 1))
    return partial(descend, problem, method, start, T, record=("w", "f", "grad_norm"), eta=eta)


one, bowl = Quadratic(point(3.0)), Quadratic(point(1.0, 10.0))
parabola = gd(one, point(2.0), 3, 0.5)
two_modes = gd(bowl, point(1.0, 1.0), 30, 0.7)
sine = gd(PLSine(), torch.linspace(-9, 9, 91, dtype=f64)[:, None], 60)
patients = LeastSquares(*data.diabetes())


def huber(T: int, eta_L: float = 1.0) -> Callable[[], Trajectory]:
    """The worst case of T steps from distance 1."""
    return gd(Huber(1 / (2 * T * eta_L + 1)), point(1.0), T, eta_L)


# fmt: off
for theorem in (descent_lemma, gd_nonconvex, gd_pl):
    row(theorem, "constant", "10 % better, on a parabola", parabola,
        change=smaller(0.9) if theorem is not descent_lemma else lambda right, t: right - 0.05 * t)
    row(theorem, "biased gradient", "the method's rule is not gradient descent", two_modes,
        instead=gd(bowl, point(1.0, 1.0), 30, 0.7, biased), refused=True)
    row(theorem, "biased gradient", "the same, not asked", two_modes,
        instead=gd(bowl, point(1.0, 1.0), 300, 0.7, biased), waive=("gradient descent",))
    row(theorem, "step", "exactly 2/L", two_modes, instead=gd(bowl, point(1.0, 1.0), 30, 2.0), refused=True)

row(descent_lemma, "constant", "L 10 % smaller", two_modes, wrong={"L": 9.0})
row(descent_lemma, "exponent", "‖∇f‖ for its square", gd(one, point(0.1), 1, 1.0),
    change=lambda right, t: right - 0.015)
row(descent_lemma, "assumption", "no Lipschitz gradient", gd(one, point(1.0), 20), L=3.0,
    instead=gd(Unbounded(), point(0.1), 20, 0.5, L=1.0), wrong={"L": 1.0})
row(descent_lemma, "biased gradient", "mini-batches of 10", gd(patients, torch.zeros(10, dtype=f64), 50),
    instead=lambda: descend(MiniBatch(patients, 10), gradient_descent, torch.zeros(10, dtype=f64), 50,
                            eta=1 / float(patients.L)),
    refused=True)
row(gd_nonconvex, "exponent", "1/T²", two_modes, change=lambda right, t: right / t)
row(gd_nonconvex, "method", "heavy ball", two_modes, refused=True,
    instead=gd(bowl, point(1.0, 1.0), 30, 0.7, heavy_ball))
for T, eta_L in ((1, 1.0), (7, 1.0), (7, 0.3)):
    worst = gd(Zigzag(T, eta_L), point(0.0), T, eta_L)
    row(gd_nonconvex_sharp, "constant", f"10 % smaller, zigzag, T = {T}, eta = {eta_L}/L", worst,
        change=smaller(0.9))
row(gd_nonconvex_sharp, "exponent", "1/T²", gd(Zigzag(7), point(0.0), 7), change=lambda right, t: right / t)
row(gd_nonconvex_sharp, "step", "just above 1/L", sine, refused=True,
    instead=gd(PLSine(), point(3.0), 60, 1.001))
row(gd_nonconvex_sharp, "constant", "f* too high", sine, wrong={"f_star": 1.0}, refused=True)
row(tdl_theorem_461, "constant", "10 % smaller, shifted parabola", gd(Shifted(point(3.0)), point(2.0), 1),
    change=smaller(0.9))
row(tdl_theorem_461, "constant", "ML/T, beyond the slack", sine,
    change=smaller(0.25))
row(tdl_theorem_461, "step", "0.1/L", sine, instead=gd(PLSine(), point(3.0), 60, 0.1), refused=True)
row(tdl_theorem_461, "step", "0.01/L, not asked", sine, instead=gd(one, point(2.0), 60, 0.01), waive=("step",))

for theorem in (gd_convex, gd_convex_exact, gg_proposition_1):
    row(theorem, "assumption", "not convex", huber(5), instead=sine, refused=True)
    row(theorem, "biased gradient", "minimizes a tilted function", huber(5), refused=True,
        instead=gd(Huber(1.0), point(1.0), 5, 1.0, biased))
    row(theorem, "biased gradient", "the same, not asked", huber(5), waive=("gradient descent",),
        instead=gd(Huber(1.0), point(1.0), 300, 1.0, biased))
row(gd_convex, "constant", "10 % below the exact", huber(5),
    change=lambda right, t: 0.9 * right * 2 * t / (4 * t + 2))
row(gd_convex, "exponent", "1/T²", huber(5), change=lambda right, t: right / t)
row(gd_convex, "step", "1.5/L", huber(5), instead=huber(5, 1.5), refused=True)
for T, eta_L in ((1, 1.0), (5, 1.0), (20, 1.0), (100, 1.0), (5, 0.2)):
    row(gd_convex_exact, "constant", f"10 % smaller, Huber, T = {T}, eta = {eta_L}/L", huber(T, eta_L),
        change=smaller(0.9))
row(gd_convex_exact, "exponent", "1/T²", huber(5), change=lambda right, t: right / t)
row(gd_convex_exact, "step", "1.95/L, not asked", huber(5), instead=gd(one, point(1.0), 5, 1.95),
    waive=("step",))
row(gd_convex_exact, "assumption", "w* is not a minimizer", huber(5), wrong={"w_star": point(0.9)}, refused=True)
row(gd_convex_exact, "constant", "f* too high, but below the run", huber(5), wrong={"f_star": 1e-3}, refused=True)
row(gg_proposition_1, "constant", "10 % below the exact", huber(20),
    change=lambda right, t: 0.9 * right / (8 + 4 / t))
row(gg_proposition_1, "step", "0.001/L", huber(10), instead=huber(10, 0.001), refused=True)
row(gg_proposition_1, "step", "0.001/L, not asked", huber(10), instead=huber(10, 0.001), waive=("step",))

for theorem in (gd_strongly_convex, gd_strongly_convex_values):
    for eta_L in (0.5, 1.0, 2 / 1.1):
        slow = gd(bowl, point(1.0, 0.0), 10, eta_L)
        row(theorem, "constant", f"10 % smaller, parabola, eta = {eta_L:.3g}/L", slow, change=smaller(0.9))
        row(theorem, "exponent", f"the rate squared, eta = {eta_L:.3g}/L", slow,
            change=lambda right, t: right**2)
    row(theorem, "assumption", "convex only", two_modes, instead=gd(Huber(0.1), point(1.0), 10), refused=True,
        mu=1.0, wrong={"mu": 0.5})
    row(theorem, "assumption", "convex only, not asked", two_modes, instead=gd(Huber(0.1), point(1.0), 10),
        mu=1.0, wrong={"mu": 0.5}, waive=("strong convexity",))
    row(theorem, "step", "exactly 2/L", two_modes, instead=gd(bowl, point(1.0, 1.0), 10, 2.0), refused=True)
    row(theorem, "biased gradient", "not asked", two_modes, instead=gd(bowl, point(1.0, 1.0), 99, 0.7, biased),
        waive=("gradient descent",))

row(gd_pl, "exponent", "the rate squared", parabola, change=lambda right, t: right * 0.25**t)
row(gd_pl, "constant", "μ 10 % larger", sine, wrong={"pl": 0.193}, refused=True)
row(gd_pl, "constant", "f* too high", sine, wrong={"f_star": 1.0}, refused=True)
row(gd_pl, "assumption", "no PL", sine, instead=gd(Softplus(), point(0.0), 60), wrong={"pl": 0.1}, refused=True)
row(gd_pl, "assumption", "no PL, not asked", sine, instead=gd(Softplus(), point(0.0), 60), wrong={"pl": 0.1},
    waive=("PL",))
row(gd_pl, "assumption", "a local minimum", sine, refused=True, wrong={"pl": 0.1, "L": 3.0, "f_star": -0.45},
    instead=gd(DoubleWell(), point(1.0, 0.0), 60, 0.5, L=3.0))
row(pl_theorem_1, "constant", "3 % smaller, beyond the slack at T = 1", sine, change=smaller(0.97))
row(pl_theorem_1, "exponent", "the rate cubed", sine,
    change=lambda right, t: right * (1 - 0.1755 / 8) ** (2 * t))
row(pl_theorem_1, "step", "just above 1/L", sine, instead=gd(PLSine(), point(3.0), 60, 1.001), refused=True)
row(pl_theorem_1, "step", "1.9/L, not asked, μ = L", parabola, instead=gd(one, point(1.0), 3, 1.9),
    waive=("step",))
row(pl_theorem_1, "biased gradient", "not asked", parabola, instead=gd(one, point(2.0), 90, 0.5, biased),
    waive=("gradient descent",))

crawl = gd(one, point(2.0), 30, 0.01)  # in small steps on a parabola the bound is the distance, but for ηL/2
row(pl_ball, "constant", "1 % smaller, small steps on a parabola", crawl, change=smaller(0.99))
row(pl_ball, "constant", "the flow's length at a step of 1.9/L", gd(one, point(2.0), 3, 1.9),
    change=smaller(1 - 1.9 / 2))
row(pl_ball, "constant", "μ 10 % larger", sine, wrong={"pl": 0.193}, refused=True)
row(pl_ball, "step", "exactly 2/L", parabola, instead=gd(one, point(2.0), 3, 2.0), refused=True)
row(pl_ball, "assumption", "no PL", sine, instead=gd(Softplus(), point(0.0), 60), wrong={"pl": 0.1}, refused=True)
row(pl_ball, "assumption", "no PL, not asked", sine, instead=gd(Softplus(), point(0.0), 60), wrong={"pl": 0.25},
    waive=("PL",))
row(pl_ball, "biased gradient", "not asked", parabola, instead=gd(one, point(2.0), 90, 0.5, biased),
    waive=("gradient descent",))

row(gd_by_mode, "constant", "1 % smaller", two_modes, change=smaller(0.99))
row(gd_by_mode, "exponent", "t + 1", two_modes, change=lambda right, t: right.roll(-1, 0))
row(gd_by_mode, "biased gradient", "not asked", two_modes, instead=gd(bowl, point(1.0, 1.0), 9, 0.7, biased),
    waive=("gradient descent",))
row(gd_by_mode, "assumption", "not a quadratic", two_modes, instead=gd(HeavyBallTrap(), point(3.3), 30),
    refused=True)
row(gd_by_mode, "assumption", "not a quadratic, not asked", two_modes,
    instead=gd(HeavyBallTrap(), point(3.3), 30), waive=("quadratic",))
best = gd(bowl, point(1.0, 1.0), 10, 20 / 11)
row(optimal_fixed_step, "constant", "10 % smaller, at the best step", best, change=smaller(0.9))
row(optimal_fixed_step, "assumption", "singular", best, refused=True,
    instead=gd(Quadratic(point(0.0, 10.0)), point(1.0, 1.0), 10))
row(optimal_fixed_step, "method", "heavy ball, which is faster", best, waive=("gradient descent",),
    instead=partial(descend, bowl, heavy_ball, point(1.0, 1.0), 30, record=("w",), eta=0.2309, beta=0.2699))
