"""Claims about curvature along a run: sharpness, the power method, and losses whose scale does not matter."""

from __future__ import annotations

import torch
from torch import Generator, Tensor

from ...curvature import Operator, hessian_of, largest_curvature
from ...descend import descend
from ...oracles import MiniBatch
from ...problems import LeastSquares, Problem, Quadratic, Quartic, tanh_network
from ...rules import gradient_descent
from ..check import Measured, check
from .adaptive import vector
from .counterexamples import eigenvalues, f64
from .quadratics import random_spd


def power_method(H: Operator, shift: float = 0.0, products: int = 300) -> float:
    """The Rayleigh quotient of H after this many products with H - shift I, from a random direction."""
    v = torch.randn(H.dim, generator=H.generator(1), dtype=f64)
    for _ in range(products):
        v = v / v.norm()
        Hv = H.hvp(v)
        quotient, v = float(v @ Hv), Hv - shift * v
    return quotient


@check("TDL-HVP")
def the_top_eigenvalue_by_the_power_method() -> Measured:
    draw = Generator().manual_seed(0)
    X = torch.randn(40, 4, generator=draw, dtype=f64)
    net = tanh_network(X, torch.randn(40, 1, generator=draw, dtype=f64), hidden=(5,))  # 31 weights
    at = net.start + torch.randn(net.dim, generator=draw, dtype=f64)
    basis = torch.linalg.eigh(random_spd(30, seed=1)).eigenvectors
    negative = Quadratic(torch.linspace(-7, 3, 30, dtype=f64), basis=basis)
    cases: list[tuple[Problem, Tensor]] = [(net, at), (negative, torch.zeros(30, dtype=f64))]
    errors = []
    for f, w in cases:
        exact = eigenvalues(f, w)
        H = hessian_of(f, w)
        first = power_method(H)
        top = first if first > 0 else power_method(H, shift=first)
        modulus = exact[exact.abs().argmax()]
        errors += [abs(first / float(modulus) - 1), abs(top / float(exact[-1]) - 1)]
    return Measured(
        as_printed=max(errors) < 1e-3,
        numbers={
            r"relative error of $\lambda_{\max}$ of a network of 31 weights, 300 products": errors[1],
            r"a matrix whose lowest eigenvalue has the largest modulus: error for that one": errors[2],
            r"then for $\lambda_{\max}$, shifted by it": errors[3],
        },
    )


@check("TDL-EoS-quadratic")
def a_quadratic_has_no_edge_to_live_on() -> Measured:
    f, start = Quadratic(vector(0.1, 1.0)), vector(1.0, 1.0)
    ends = {}
    for eta in (1.9, 2.2):
        run = descend(f, gradient_descent, start, 300, record=("w", "f"), eta=eta)
        ends[eta] = float(run.w[-1].norm())
        assert bool((eigenvalues(f, run.w) == eigenvalues(f, start)).all())
    return Measured(
        as_printed=ends[2.2] > 1e20 and ends[1.9] < 1,
        numbers={
            r"$\|w\|$ after 300 steps of $2.2/L$": ends[2.2],
            "of $1.9/L$": ends[1.9],
        },
    )


@check("TDL-FIG-4.3-sharp")
def sharpness_and_smoothness() -> Measured:
    f, saddle = Quartic(), Quadratic(vector(-5.0, 1.0))
    path = descend(f, gradient_descent, vector(10.0), 50, record=("w",), eta=0.005).w
    along = eigenvalues(f, path)[:, -1]
    L = float((f.grad(path).diff(dim=0) / path.diff(dim=0)).abs().max())  # the steepest chord of f'
    sharp = float(eigenvalues(saddle, vector(0.0, 0.0))[-1])
    assert saddle.L is not None
    return Measured(
        as_printed=float(along.max() / along.min()) < 1.01 and abs(sharp / float(saddle.L) - 1) < 0.01,
        # L is the largest |λ| on the set: no chord is steeper, and short ones come close.
        as_repaired=0.5 < L / float(along.max()) <= 1,
        numbers={
            "sharpness of $w^4/4$ along a run from 10: at the start": float(along[0]),
            "after 50 steps": float(along[-1]),
            r"sharpness of $\frac12(y^2-5x^2)$": sharp,
            "its $L$": float(saddle.L),
        },
    )


class ScaleInvariant(LeastSquares):
    """Least squares in w/‖w‖, so the length of w does not matter, plus the weight decay ½ ridge ‖w‖²."""

    def __init__(self, X: Tensor, y: Tensor, decay: float) -> None:
        super().__init__(X, y, decay)
        self.L = self.mu = self.pl = self.f_star = self.w_star = None

    def value(self, w: Tensor) -> Tensor:
        square = (w * w).sum(-1)
        return super().value(w / square.sqrt()[..., None]) + self.p.ridge / 2 * (square - 1)


@check("AMGT-bn")
def regularization_and_bounded_gradients() -> Measured:
    draw = Generator().manual_seed(0)
    X, y = torch.randn(100, 10, generator=draw, dtype=f64), torch.randn(100, generator=draw, dtype=f64)
    start, eta, decay = torch.randn(10, generator=draw, dtype=f64), 0.05, 0.1
    bare, decayed = ScaleInvariant(X, y, 0.0), ScaleInvariant(X, y, decay)
    free = descend(MiniBatch(bare, 10), gradient_descent, start, 1500, record=("w", "g"), eta=eta)
    norm = free.w.norm(dim=-1)
    bound = float((free.g.norm(dim=-1) * norm).max())
    grown = float(bare.grad(start / 1000).norm() / bare.grad(start).norm())
    far = [float(decayed.grad(c * start).norm()) for c in (1.0, 1e6)]
    run = descend(MiniBatch(decayed, 10), gradient_descent, start, 3000, record=("w", "g"), eta=eta)
    r2 = run.w[1500:].square().sum(-1)
    noise = ((run.g[1500:].square().sum(-1) - decay**2 * r2) * r2).mean()
    # Steady state: decay takes 2ηλ‖w‖² per step, noise adds η²‖g‖².
    balance = float((eta * noise / (2 * decay)) ** 0.25)
    return Measured(
        as_printed=grown < 2 and far[1] < 2 * far[0],
        as_repaired=float(norm.diff().min()) > -1e-12 and bound / float(norm[0]) < 100,
        numbers={
            r"batch norm: growth of the gradient when $\|w\|$ is divided by 1000": grown,
            r"without decay: smallest $\|w\|$ of 1500 steps of SGD, over that of the start": float(
                norm.min() / norm[0]
            ),
            r"with decay: mean $\|w\|$ in the end": float(r2.sqrt().mean()),
            "predicted by the balance of noise and decay": balance,
        },
    )


def training(n: int, eta: float, T: int) -> tuple[Tensor, Tensor]:
    """Gradient descent on a tanh network 5-30-30-1 and n points from three starts: the losses (T+1, 3), and the
    sharpness at every 50th step in units of 2/η."""
    X = torch.randn(n, 5, generator=Generator().manual_seed(2), dtype=f64)
    y = torch.sin(2 * X[:, :1]) + X[:, 1:2] * X[:, 2:3]
    f = tanh_network(X, y, hidden=(30, 30))
    starts = torch.stack([tanh_network(X, y, hidden=(30, 30), seed=seed).start for seed in range(3)])
    run = descend(f, gradient_descent, starts, T, record=("w", "f"), eta=eta)
    return run.f, largest_curvature(f, run.w[::50])[0] * eta / 2


@check("TDL-EoS")
def sharpness_rises_to_the_edge() -> Measured:
    f, sharp = training(150, 0.2, 1000)
    crossing = 50 * int((sharp <= 1).cummin(0).values.sum(0).min())  # the first of the three, to 50 steps
    rises = (f.diff(dim=0) > 0).to(f64)
    late = sharp[len(sharp) // 2 :].median(0).values
    few, stays = training(10, 0.1, 500)
    return Measured(
        as_printed=float(stays.amax(0).min()) > 0.97,  # whatever the network and the data
        as_repaired=float(rises[: crossing - 50].max()) == 0
        and float(rises[500:].mean(0).min()) > 0.1
        and float((late - 1).abs().max()) < 0.05
        and bool((f[800:].mean(0) < f[crossing : crossing + 200].mean(0) / 2).all()),
        numbers={
            r"150 points, $\eta=0.2$: median sharpness of steps 500 to 1000 in units of $2/\eta$": float(late[0]),
            "share of these steps that increase the loss (before the crossing: none)": float(
                rises[500:, 0].mean()
            ),
            r"10 points, $\eta=0.1$: largest sharpness in these units": float(stays.amax(0).min()),
            "loss by then": float(few[-1].max()),
        },
    )
