"""Broken variants of the theorems about line searches, Newton's method, BFGS and momentum."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import torch
from torch import Tensor

from coursekit import descend
from coursekit.methods import (
    Method,
    Run,
    armijo,
    bfgs,
    damped_newton,
    exact,
    full_step,
    gradient_descent_with,
    halving,
    minimize,
    newton,
)
from coursekit.methods.quasi_newton import BFGS
from coursekit.problems import DoubleWell, HalvingTrap, HeavyBallTrap, Huber, PLSine, Problem, Quadratic, Quartic
from coursekit.rules import accelerated, heavy_ball, nesterov, rule
from coursekit.theory import (
    CubicWell,
    affine_invariance,
    armijo_line_search,
    bfgs_secant,
    bfgs_terminates,
    exact_line_search,
    heavy_ball_optimal,
    heavy_ball_stability,
    nesterov_convex,
    nesterov_optimal,
    nesterov_stability,
    newton_quadratic_rate,
)

from .broken import f64, point, row, smaller


def run(problem: Problem, method: Method, start: Tensor, T: int) -> Callable[[], Run]:
    return partial(minimize, problem, method, start, T, stop=None)


bowl = Quadratic(point(1.0, 20.0))
zigzag = run(bowl, gradient_descent_with(exact), point(20.0, 1.0), 10)
# fmt: off
row(exact_line_search, "constant", "10 % smaller, from (κ, 1)", zigzag, change=smaller(0.9))
row(exact_line_search, "exponent", "fourth power", zigzag, change=lambda right, t: right * (19 / 21) ** 2)
row(exact_line_search, "method", "Armijo's steps", zigzag, refused=True,
    instead=run(bowl, gradient_descent_with(armijo), point(20.0, 1.0), 10))
row(exact_line_search, "method", "Armijo's steps, not asked", zigzag, waive=("exact line search",),
    instead=run(bowl, gradient_descent_with(partial(armijo, first=1e-3)), point(20.0, 1.0), 10))
row(exact_line_search, "assumption", "not a quadratic", zigzag, refused=True,
    wrong={"L": 2.0, "mu": 1.0, "f_star": -1.0},
    instead=run(DoubleWell(), gradient_descent_with(armijo), point(0.5, 1.0), 10))
row(exact_line_search, "constant", "μ 10 % larger", zigzag, wrong={"mu": 1.1})

# A step of 1/2 just fails the test, so 1/4 is taken: the shortest step that the theorem allows.
c = 0.1
steep = Quadratic(point(2 * (1 - c) / 0.5 * (1 + 1e-9)))
halved = run(steep, gradient_descent_with(partial(armijo, c1=c)), point(1.0), 5)
row(armijo_line_search, "constant", "steps 10 % longer", halved, change=smaller(0.9))
row(armijo_line_search, "exponent", "1/T²", halved, change=lambda right, t: right / torch.cat([t**0, t**3], -1))
row(armijo_line_search, "constant", "L 10 % smaller", halved, wrong={"L": 0.9 * float(steep.L)})
row(armijo_line_search, "method", "simple decrease", halved, refused=True,
    instead=run(HalvingTrap(), gradient_descent_with(halving), point(3.0), 40))
row(armijo_line_search, "assumption", "no Lipschitz gradient", halved, wrong={"L": 1.0},
    instead=run(Quartic(), gradient_descent_with(armijo), point(9.0), 10))

well = run(CubicWell(2, 3), newton(), point(1 / 3), 4)
row(newton_quadratic_rate, "constant", "10 % smaller, cubic well", well, mu=2.0, rho=3.0, change=smaller(0.9))
row(newton_quadratic_rate, "exponent", "cubic rate", well, mu=2.0, rho=3.0, change=lambda right, t: right**1.5)
row(newton_quadratic_rate, "constant", "ρ 10 % smaller", well, mu=2.0, rho=3.0, wrong={"rho": 2.7})
row(newton_quadratic_rate, "constant", "μ 10 % larger", well, mu=2.0, rho=3.0, wrong={"mu": 2.2}, refused=True)
row(newton_quadratic_rate, "step", "start too far", well, mu=2.0, rho=3.0, refused=True,
    instead=run(CubicWell(2, 3), newton(), point(0.4), 4))
row(newton_quadratic_rate, "method", "damped", well, mu=2.0, rho=3.0, refused=True,
    instead=run(CubicWell(2, 3), damped_newton(), point(1 / 3), 4))
row(newton_quadratic_rate, "assumption", "no curvature at the minimum", well, mu=2.0, rho=3.0, refused=True,
    wrong={"mu": 0.1}, instead=run(Quartic(), newton(), point(0.01), 9))
row(newton_quadratic_rate, "assumption", "the same, not asked", well, mu=2.0, rho=3.0, wrong={"mu": 0.1},
    waive=("curvature at the minimum",), instead=run(Quartic(), newton(), point(0.01), 9))
row(newton_quadratic_rate, "biased gradient", "half the gradient", well, mu=2.0, rho=3.0, waive=("method",),
    instead=run(CubicWell(2, 3), newton(partial(full_step, eta=0.5)), point(1 / 3), 4))

A, b = point(2.0, 1.0, 0.0, 3.0).reshape(2, 2), point(1.0, -1.0)
to_the_well = run(DoubleWell(), newton(), point(1.5, 1.0), 6)
row(affine_invariance, "method", "gradient descent", to_the_well, A=A, b=b, refused=True,
    instead=run(DoubleWell(), gradient_descent_with(armijo), point(1.5, 1.0), 6))
row(affine_invariance, "method", "gradient descent, not asked", to_the_well, A=A, b=b, waive=("method",),
    instead=run(DoubleWell(), gradient_descent_with(armijo), point(1.5, 1.0), 6))
row(affine_invariance, "assumption", "A singular", to_the_well, A=A, b=b, refused=True,
    wrong={"A": point(1.0, 2.0, 2.0, 4.0).reshape(2, 2)})
row(affine_invariance, "constant", "off by 1e-6", to_the_well, A=A, b=b,
    change=lambda right, t: right * (1 + 1e-6))


class Lagging(BFGS):
    """BFGS that learns each change of gradient one step late."""

    late: Tensor | None = None

    def update(self, s: Tensor, y: Tensor) -> None:
        late, self.late = self.late, y
        super().update(s, y if late is None else late)


learned = run(bowl, bfgs(exact), point(1.0, 1.0), 2)
many = Quadratic(torch.linspace(1, 20, 8, dtype=f64))
ones = torch.ones(8, dtype=f64)
done = run(many, bfgs(exact), ones, 8)
row(bfgs_secant, "constant", "1 % too long", learned, change=smaller(1.01))
row(bfgs_secant, "method", "learns a step late", run(many, bfgs(), ones, 8),
    instead=run(many, Method("lagging", partial(Lagging, 1e-8), armijo), ones, 8))
row(bfgs_secant, "method", "gradient descent", learned, refused=True,
    instead=run(bowl, gradient_descent_with(exact), point(1.0, 1.0), 2))
row(bfgs_secant, "assumption", "a pair without curvature", learned, refused=True,
    instead=run(DoubleWell(), bfgs(partial(armijo, first=0.1)), point(0.1, 0.0), 3))
row(bfgs_terminates, "exponent", "d - 1 steps", done, instead=run(many, bfgs(exact), ones, 7), waive=("length",))
row(bfgs_terminates, "assumption", "d - 1 steps", done, instead=run(many, bfgs(exact), ones, 7), refused=True)
row(bfgs_terminates, "method", "inexact search", done, instead=run(many, bfgs(), ones, 8), refused=True)
row(bfgs_terminates, "method", "inexact search, not asked", done, instead=run(many, bfgs(), ones, 8),
    waive=("exact line search",))
row(bfgs_terminates, "method", "steepest descent, not asked", done, waive=("method",),
    instead=run(many, gradient_descent_with(exact), ones, 8))


def momentum(method: Any, problem: Problem, start: Tensor, T: int, eta: Any, beta: Any) -> Callable[[], Any]:
    return partial(descend, problem, method, start, T, record=("w",), eta=eta, beta=beta)


@rule(state=("v",), eta=0.1, beta=0.9)
def biased(w: Any, g: Any, state: Any, scalars: Any, h: Any) -> Any:
    """Heavy ball that sees the gradient with a constant added."""
    (v,) = state
    v = h.beta * v + g + 0.5
    return -h.eta * v, (v,)


kappa = 100.0
hundred = Quadratic(point(1.0, 4.0, 30.0, kappa))
axes = torch.eye(4, dtype=f64)
polyak = momentum(heavy_ball, hundred, axes, 200, 4 / 121, (9 / 11) ** 2)
constant = momentum(nesterov, hundred, axes, 200, 1 / kappa, 9 / 11)
single = Quadratic(point(1.0))
for theorem, method in ((heavy_ball_stability, heavy_ball), (nesterov_stability, nesterov)):
    grid = torch.cartesian_prod(torch.linspace(0, 0.99, 12, dtype=f64), torch.linspace(0.01, 4.2, 60, dtype=f64))
    swept = momentum(method, single, point(1.0), 100, grid[:, 1], grid[:, 0])
    row(theorem, "constant", "10 % smaller", swept, change=smaller(0.9))
    row(theorem, "exponent", "r^(1.1 t)", swept, change=lambda right, t: right * right.clamp(max=1) ** 0.1)
    row(theorem, "method", "biased", swept, refused=True,
        instead=momentum(biased, single, point(1.0), 9, 0.1, 0.5))
    row(theorem, "biased gradient", "not asked", swept, waive=("method",),
        instead=momentum(biased, single, point(1.0), 99, 0.1, 0.5))
    row(theorem, "assumption", "not a quadratic", swept, refused=True,
        instead=momentum(method, HeavyBallTrap(), point(3.3), 9, 1 / 9, 4 / 9))
    row(theorem, "assumption", "a saddle", swept, refused=True, wrong={"w_star": point(0.0, 0.0)},
        instead=momentum(method, Quadratic(point(-1.0, 1.0)), point(1.0, 1.0), 9, 0.1, 0.5))
    row(theorem, "assumption", "a saddle, not asked", swept, waive=("no negative curvature",),
        wrong={"w_star": point(0.0, 0.0)},
        instead=momentum(method, Quadratic(point(-1.0, 1.0)), point(1.0, 1.0), 9, 0.1, 0.5))
row(heavy_ball_stability, "method", "Nesterov's, not asked",
    momentum(heavy_ball, single, point(1.0), 100, 3.0, 0.9), waive=("method",),
    instead=momentum(nesterov, single, point(1.0), 100, 3.0, 0.9))

row(heavy_ball_optimal, "constant", "10 % smaller, mode of curvature L", polyak, change=smaller(0.9))
row(heavy_ball_optimal, "exponent", "C ρ^t with C = 1", polyak,
    change=lambda right, t: right / (1 + t * 20 / 11))
row(heavy_ball_optimal, "exponent", "the rate squared", polyak, change=lambda right, t: right**2)
row(heavy_ball_optimal, "step", "η 10 % smaller", polyak, refused=True,
    instead=momentum(heavy_ball, hundred, axes, 200, 3.6 / 121, (9 / 11) ** 2))
row(heavy_ball_optimal, "step", "β = 0.9, not asked", polyak, waive=("parameters",),
    instead=momentum(heavy_ball, hundred, axes, 200, 4 / 121, 0.9))
row(heavy_ball_optimal, "assumption", "convex, not a quadratic", polyak, refused=True,
    instead=momentum(heavy_ball, HeavyBallTrap(), point(3.3), 60, 1 / 9, 4 / 9))
row(heavy_ball_optimal, "assumption", "the same, not asked", polyak, waive=("quadratic", "spectrum"),
    instead=momentum(heavy_ball, HeavyBallTrap(), point(3.3), 60, 1 / 9, 4 / 9))
row(heavy_ball_optimal, "constant", "μ 10 % larger", polyak, refused=True, wrong={"mu": 1.1})
row(nesterov_optimal, "exponent", "C ρ^t with C = 1", constant,
    change=lambda right, t: right / (1 + t * 10 / 11))
row(nesterov_optimal, "constant", "c half of 1/(√κ + 1), beyond the slack", constant,
    change=lambda right, t: right / (1 + t * 10 / 11) * (1 + t / 22))
row(nesterov_optimal, "step", "β = 0.9", constant, refused=True,
    instead=momentum(nesterov, hundred, axes, 200, 1 / kappa, 0.9))
row(nesterov_optimal, "step", "β = 0.9, not asked", constant, waive=("parameters",),
    instead=momentum(nesterov, hundred, axes, 200, 1 / kappa, 0.9))


def growing(problem: Problem, start: Tensor, T: int, eta: float) -> Callable[[], Any]:
    return partial(descend, problem, accelerated, start, T, record=("w",), eta=eta)


for T in (1, 2, 10):
    worst = growing(Huber(4 / ((T + 2) * (T + 3))), point(1.0), T, 1.0)
    row(nesterov_convex, "constant", f"10 % below the exact, Huber, T = {T}", worst,
        change=lambda right, t: 0.9 * right * (t + 1) ** 2 / ((t + 2) * (t + 3)))
row(nesterov_convex, "exponent", "1/(T+1)³", worst, change=lambda right, t: right * 2 / (t + 1))
row(nesterov_convex, "method", "constant momentum", worst, refused=True,
    instead=momentum(nesterov, Huber(), point(1.0), 20, 1.0, 0.9))
row(nesterov_convex, "method", "constant momentum, not asked", worst, waive=("method",),
    instead=momentum(nesterov, Huber(1 / 201), point(1.0), 100, 1.0, 0.5))
row(nesterov_convex, "assumption", "not convex", worst, refused=True,
    instead=growing(PLSine(), point(3.0), 20, 1 / 8))
row(nesterov_convex, "step", "1.3/L", worst, refused=True, instead=growing(Huber(), point(1.0), 20, 1.3))
row(nesterov_convex, "step", "1.5/L, not asked", worst, waive=("step",),
    instead=growing(single, point(1.0), 40, 1.5))
