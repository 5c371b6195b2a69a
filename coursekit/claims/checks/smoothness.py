"""Claims about what a Lipschitz gradient is, and what it says about the function."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import torch
from torch import Tensor

from ...problems import Huber, LeastSquares, PLSine, Problem, Quadratic, Softplus
from ...problems.problem import Constant
from ...theory import Points, certify, quadratic_upper_bound, smoothness_equivalences
from ..check import Measured, check
from .descent_lemma import gd, point


class SignedSquare(Problem):
    """f(w) = ½ w|w|: 1-smooth, its curvature is 1 on the right, -1 on the left, and there is none at 0."""

    dim = 1
    L = Constant(1.0)
    p = SimpleNamespace()

    @staticmethod
    def formula(w: Tensor, p: SimpleNamespace) -> Tensor:
        return w[..., 0] * w[..., 0].abs() / 2


class _MinusQuartic(Problem):
    """f(w) = -w⁴: below all its tangents, and not smooth."""

    dim = 1
    p = SimpleNamespace()

    @staticmethod
    def formula(w: Tensor, p: SimpleNamespace) -> Tensor:
        return -(w[..., 0] ** 4)


def pairs(f: Problem, n: int = 1000, size: float = 3.0, seed: int = 0) -> Points:
    """n pairs of random points."""
    draw = torch.Generator().manual_seed(seed)
    w, v = size * torch.randn(2, n, f.dim, generator=draw, dtype=torch.float64)
    return Points(f, w, v)


def quotients(at: Points) -> Tensor:
    """‖∇f(v) - ∇f(w)‖ / ‖v - w‖ for every pair."""
    return (at.problem.grad(at.v) - at.problem.grad(at.w)).norm(dim=-1) / (at.v - at.w).norm(dim=-1)


def remainder(at: Points) -> Tensor:
    """f(v) - f(w) - ∇f(w)ᵀ(v - w) for every pair."""
    f, g = at.problem.value_and_grad(at.w)
    return at.problem.value(at.v) - f - (g * (at.v - at.w)).sum(-1)


def indefinite(d: int, low: float, high: float, seed: int) -> Quadratic:
    """A quadratic with eigenvalues from ``low`` to ``high`` in a random basis."""
    draw = torch.Generator().manual_seed(seed)
    basis, _ = torch.linalg.qr(torch.randn(d, d, generator=draw, dtype=torch.float64))
    return Quadratic(torch.linspace(low, high, d, dtype=torch.float64), basis=basis)


@check("KH-2.0-erm")
def the_gradient_of_a_mean() -> Measured:
    draw = torch.Generator().manual_seed(0)
    X = torch.randn(20, 3, generator=draw, dtype=torch.float64)
    f = LeastSquares(X, X.sum(1) + 1)
    w = torch.randn(50, 3, generator=draw, dtype=torch.float64)
    error = float((f.per_example_grads(w).mean(-2) - f.grad(w)).abs().max())
    # A sum in place of the mean is n times as curved: the step 1/L of the mean is n/L of the sum.
    total = Quadratic(torch.linalg.eigvalsh(X.T @ X))
    rise = gd(total, torch.ones(3, dtype=torch.float64), 5, 20.0).f
    return Measured(
        error < 1e-12,
        numbers={
            r"largest difference between the mean of the $\nabla f_i$ and $\nabla L$": error,
            r"$f$ after 5 steps of the mean's $1/L$ on the sum of $n=20$ losses, over $f$ at the start": float(
                rise[-1] / rise[0]
            ),
        },
    )


@check("KH-2.1-smooth")
def a_lipschitz_gradient_and_its_parabola() -> Measured:
    quadratics = [indefinite(6, -3.0, high, seed) for seed, high in enumerate([0.5, 1.0, 2.0, 4.0, 8.0])]
    share = max(float(quotients(pairs(f)).max()) / float(f.L or 1) for f in quadratics)
    problems = [*quadratics, PLSine(), Softplus(), Huber()]
    below = [bool(certify(quadratic_upper_bound, pairs(f))) for f in problems]
    return Measured(
        share <= 1 + 1e-12
        and all(below)
        and all(bool(certify(smoothness_equivalences, pairs(f))) for f in problems),
        numbers={
            r"largest $\|\nabla f(x)-\nabla f(y)\|/\|x-y\|$ on 5 quadratics, in units of $\max|\lambda_i|$": share,
            "of 8 functions, how many stay below their parabolas": sum(below),
        },
    )


@check("TDL-D4.1.2")
def the_spectrum_lies_on_both_sides() -> Measured:
    f = indefinite(5, -7.0, 3.0, seed=0)
    steepest = f.p.basis[:, :1].T  # the eigenvector of -7
    at = pairs(f)
    at = Points(f, torch.cat([at.w, 0 * steepest]), torch.cat([at.v, steepest]))
    x = torch.linspace(-6, 6, 100_001, dtype=torch.float64)[:, None]
    curved = float(PLSine().hessian(x).abs().max())
    return Measured(
        # Lipschitz with L = 7 and with nothing less: the least L is the largest |eigenvalue|.
        as_printed=bool(certify(smoothness_equivalences, at, L=7.0))
        and not certify(smoothness_equivalences, at, L=6.99)
        and abs(float(quotients(Points(PLSine(), x[:-1], x[1:])).max()) / curved - 1) < 1e-6,
        numbers={
            r"largest quotient, eigenvalues from $-7$ to $3$": float(quotients(at).max()),
            "pairs above the parabola of curvature 3": int(
                (remainder(at) > 1.5 * (at.v - at.w).square().sum(-1) + 1e-9).sum()
            ),
            r"$\max|f''|$ of $w^2+3\sin^2w$": curved,
        },
    )


@check("TDL-eq4.9")
def below_the_parabola() -> Measured:
    problems = (Huber(), SignedSquare(), PLSine())
    certificates = [certify(quadratic_upper_bound, pairs(f, 200_000)) for f in problems]
    smaller = certify(quadratic_upper_bound, pairs(Huber(), 200_000), L=0.99)
    concave = certify(quadratic_upper_bound, pairs(_MinusQuartic(), 200_000), L=0.0, waive=("smoothness",))
    return Measured(
        all(certificates) and not smaller,
        numbers={
            r"largest share of $L\|w-w_t\|^2/2$ that Huber's function uses": certificates[0].tightness[2],
            r"that $w^2+3\sin^2w$ uses": certificates[2].tightness[2],
            r"$-w^4$ satisfies (4.9) with $L=0$ (1: yes)": float(concave.holds),
            r"its $|f''|$ at 10": float(_MinusQuartic().hessian(point(10.0)).abs()),
        },
    )


@check("TDL-P4.1.3")
def the_proof_by_an_integral() -> Measured:
    nodes, weights = (torch.from_numpy(a) for a in np.polynomial.legendre.leggauss(60))
    s, weights = (1 + nodes) / 2, weights / 2
    errors, shares = [], []
    for f, size in ((PLSine(), 2.0), (Softplus(), 3.0), (SignedSquare(), 3.0)):
        at = pairs(f, 2000, size)
        step = at.v - at.w
        change = f.grad(at.w + s[:, None, None] * step) - f.grad(at.w)
        integrand = (change * step).sum(-1)
        shares.append(float((integrand / (float(f.L or 1) * s[:, None] * step.square().sum(-1))).max()))
        if not isinstance(f, SignedSquare):  # the rule is exact for analytic integrands, not at a kink
            errors.append(float(((weights[:, None] * integrand).sum(0) - remainder(at)).abs().max()))
    return Measured(
        max(errors) < 1e-10 and max(shares) <= 1 + 1e-9,
        numbers={
            "largest difference of remainder and integral": max(errors),
            r"largest integrand, in units of $Ls\|w-v\|^2$": max(shares),
        },
    )


@check("TDL-fn4")
def an_intermediate_point() -> Measured:
    across = Points(SignedSquare(), point(-1.0)[None], point(1.0)[None])
    needed = 2 * float(remainder(across)) / 4  # R = ½ f''(ξ) (w - v)², and w - v = 2
    there = SignedSquare().hessian(torch.linspace(-1, 1, 1000, dtype=torch.float64)[:, None]).flatten()
    # Twice differentiable: 2 R/(v - w)² is a value of f'' on the segment.
    at = pairs(PLSine(), 300, size=1.0)
    along = at.w + torch.linspace(0, 1, 201, dtype=torch.float64)[:, None, None] * (at.v - at.w)
    curvature = PLSine().hessian(along)[..., 0, 0]
    wanted = 2 * remainder(at) / (at.v - at.w)[:, 0] ** 2
    # 200 steps on a segment of length 6 miss the extremes of f'', whose own f'' is at most 24, by at most 0.003.
    inside = (wanted >= curvature.amin(0) - 5e-3) & (wanted <= curvature.amax(0) + 5e-3)
    return Measured(
        as_printed=float((there - needed).abs().min()) < 0.1,
        as_repaired=bool(inside.all()),
        numbers={
            r"$f''(\xi)$ that $w|w|/2$ needs between $-1$ and 1": needed,
            r"the value of its $f''$ closest to that": float(there[(there - needed).abs().argmin()]),
            r"of 300 pairs on $w^2+3\sin^2w$, how many have such a $\xi$": int(inside.sum()),
        },
    )


@check("GG-fn1")
def bars_without_a_norm() -> Measured:
    d = 16
    f = Quadratic(*_eigen(torch.ones(d, d, dtype=torch.float64)))
    entrywise = float(f.hessian(torch.zeros(d, dtype=torch.float64)).norm(dim=-1).max())
    start = torch.randn(d, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    by_entries, by_norm = (gd(f, start, 5, float(f.L or 1) / L).f for L in (entrywise, float(f.L or 1)))
    # Bounded slope is not Lipschitz on a domain that is not convex: the angle on the plane without its slit.
    angle = torch.tensor([3.1, -3.1], dtype=torch.float64)
    ends = torch.stack([angle.cos(), angle.sin()], -1)
    jump = float((angle[0] - angle[1]) / (ends[0] - ends[1]).norm())
    return Measured(
        # Each entry of the difference of gradients is below 4 times the distance, and a step of 1/4 diverges.
        as_printed=float(by_entries[-1]) < float(by_entries[0]),
        as_repaired=float(by_norm[-1]) < float(by_norm[0]),
        numbers={
            "$L$ if the bars are taken entry by entry": entrywise,
            "with the norm": float(f.L or 0),
            r"$f$ after 5 steps of $1/L$ over $f$ at the start, entry by entry": float(
                by_entries[-1] / by_entries[0]
            ),
            "quotient of the angle, whose slope is 1, across a slit": jump,
        },
    )


def _eigen(A: Tensor) -> tuple[Tensor, None, Tensor]:
    lam, Q = torch.linalg.eigh(A)
    return lam, None, Q
