"""The references of chapter 4 against torch.optim, numpy and scipy; other correct programs pass, others do not."""

from __future__ import annotations

import math
from functools import partial
from typing import Any

import numpy as np
import pytest
import scipy.linalg
import torch
from torch import Tensor

from coursekit.grading.exercise import Assignment, load

from .conftest import EXERCISES
from .oracle import Function, misjudged, rejected, stated


@pytest.fixture(scope="module")
def adaptive() -> Assignment:
    return load(EXERCISES / "adaptive")


def stepped(kind: type[torch.optim.Optimizer], w: Tensor, g: Tensor, state: dict[str, Any], **h: Any) -> Any:
    """The point after one step of an optimizer of torch that was left in ``state``, and the state afterwards."""
    p = torch.nn.Parameter(w.clone())
    p.grad = g.clone()
    optimizer = kind([p], **h)
    optimizer.state[p] = {name: x.clone() if isinstance(x, Tensor) else x for name, x in state.items()}
    optimizer.step()
    return p.detach(), optimizer.state[p]


def adagrad(w: Tensor, s: Tensor, g: Tensor, eta: float, eps: float) -> Any:
    state = {"step": torch.tensor(3.0), "sum": s}
    point, after = stepped(torch.optim.Adagrad, w, g, state, lr=eta, eps=eps)
    return point, after["sum"]


def adam(
    w: Tensor, m: Tensor, v: Tensor, g: Tensor, t: int, eta: float, beta1: float, beta2: float, eps: float
) -> Any:
    state = {"step": torch.tensor(t - 1.0), "exp_avg": m, "exp_avg_sq": v}
    point, after = stepped(torch.optim.Adam, w, g, state, lr=eta, betas=(beta1, beta2), eps=eps)
    return point, after["exp_avg"], after["exp_avg_sq"]


def first_steps(w: Tensor, g: Tensor, eta: float, eps: float, wd: float) -> Any:
    both = (torch.optim.Adam, torch.optim.AdamW)
    return tuple(stepped(kind, w, g, {}, lr=eta, eps=eps, weight_decay=wd)[0] for kind in both)


def scaled_kappa(A: Tensor, p: Tensor) -> Tensor:
    lam = np.sort(np.linalg.eigvals((p[:, None] * A).numpy()).real)
    return torch.tensor(lam[-1] / lam[0])


def online(slopes: list[float], w: float, eta: float, beta2: float, amsgrad: bool) -> list[float]:
    """torch's Adam with its bias correction undone by the learning rate."""
    p = torch.nn.Parameter(torch.tensor(w, dtype=torch.float64))
    optimizer = torch.optim.Adam([p], betas=(0.0, beta2), eps=0.0, amsgrad=amsgrad)
    points = [w]
    for t, c in enumerate(slopes, start=1):
        optimizer.param_groups[0]["lr"] = eta / math.sqrt(t * (1 - beta2**t))
        p.grad = torch.tensor(c, dtype=torch.float64)
        optimizer.step()
        p.data.clamp_(-1, 1)
        points.append(p.item())
    return points


def lion(w: Tensor, m: Tensor, g: Tensor, eta: float, beta1: float, beta2: float, wd: float) -> Any:
    """Both averages by torch's SGD with dampening; the step by its SGD with decay on the sign."""

    def average(beta: float) -> Tensor:
        state = {"momentum_buffer": m}
        return stepped(torch.optim.SGD, w, g, state, lr=0.0, momentum=beta, dampening=beta)[1]["momentum_buffer"]

    return stepped(torch.optim.SGD, w, average(beta1).sign(), {}, lr=eta, weight_decay=wd)[0], average(beta2)


def amgt(assignment: Assignment) -> Function:
    """Every average from its explicit weights, with the window that the notebook names."""
    window = stated(assignment, "From the last")

    def averages(g: Tensor, beta: float, gamma: float) -> Tensor:
        G = g.numpy()
        spread = [G[max(0, t + 1 - window) : t + 1].var(axis=0).mean() for t in range(len(G))]
        keep = beta / (1 + gamma * np.array(spread))
        weights = [[(1 - keep[s]) * keep[s + 1 : t + 1].prod() for s in range(t + 1)] for t in range(len(G))]
        return torch.tensor(np.array([np.average(G[: len(a)], axis=0, weights=a) for a in weights]))

    return averages


def newton_schulz(G: Tensor, rounds: int) -> Tensor:
    """The polynomial on the singular values of scipy's SVD."""
    U, x, Vh = scipy.linalg.svd(G.numpy(), full_matrices=False)
    x = x / np.sqrt((x * x).sum())
    for _ in range(rounds):
        x = 1.5 * x - 0.5 * x**3
    return torch.tensor(U * x @ Vh)


ORACLES = {
    "adagrad_step": adagrad,
    "adam_step": adam,
    "first_steps": first_steps,
    "scaled_kappa": scaled_kappa,
    "online": online,
    "lion_step": lion,
    "orthogonalize": newton_schulz,
}


def oracle_of(assignment: Assignment, name: str) -> Function:
    return amgt(assignment) if name == "amgt_averages" else ORACLES[name]


@pytest.mark.parametrize("name", [*ORACLES, "amgt_averages"])
def test_an_oracle_confirms_the_reference_and_rejects_every_mutant(adaptive: Assignment, name: str) -> None:
    assert misjudged(adaptive, name, oracle_of(adaptive, name)) == []


def test_every_item_has_its_oracle(adaptive: Assignment) -> None:
    assert {item.id for item in adaptive.items} == {*ORACLES, "amgt_averages"}


def adam_in_place(
    w: Tensor, m: Tensor, v: Tensor, g: Tensor, t: int, eta: float, b1: float, b2: float, eps: float
) -> Any:
    w, m, v = w.clone(), m.clone(), v.clone()
    m.lerp_(g, 1 - b1)
    v.mul_(b2).addcmul_(g, g, value=1 - b2)
    w.addcdiv_(m, (v / (1 - b2**t)).sqrt_().add_(eps), value=-eta / (1 - b1**t))
    return w, m, v


def adagrad_by_coordinate(w: Tensor, s: Tensor, g: Tensor, eta: float, eps: float) -> Any:
    rows = zip(w.flatten().tolist(), s.flatten().tolist(), g.flatten().tolist(), strict=True)
    new = [(a - eta * c / (math.sqrt(b + c**2) + eps), b + c**2) for a, b, c in rows]
    return tuple(torch.tensor(x, dtype=torch.float64).reshape(w.shape) for x in zip(*new, strict=True))


def decays_from_full_adam(w: Tensor, g: Tensor, eta: float, eps: float, wd: float) -> Any:
    zero = torch.zeros_like(w)
    coupled, _, _ = adam(w, zero, zero, g + wd * w, 1, eta, 0.9, 0.999, eps)
    plain, _, _ = adam(w, zero, zero, g, 1, eta, 0.5, 0.75, eps)
    return coupled, plain - eta * wd * w


def kappa_by_generalized_eigenvalues(A: Tensor, p: Tensor) -> Tensor:
    lam = scipy.linalg.eigh(A.numpy(), np.diag(1 / p.numpy()), eigvals_only=True)
    return torch.tensor(lam.max() / lam.min())


def online_with_tensors(slopes: list[float], w: float, eta: float, beta2: float, amsgrad: bool) -> list[float]:
    c = torch.tensor(slopes, dtype=torch.float64)
    t = torch.arange(1, len(c) + 1)
    decay = torch.tril(beta2 ** (t[:, None] - t).clamp_min(0).double())
    v = (1 - beta2) * decay @ c**2
    v = v.cummax(0).values if amsgrad else v
    points = [w]
    for step in (eta * c / (t * v).sqrt()).tolist():
        points.append(float(np.clip(points[-1] - step, -1, 1)))
    return points


def lion_by_cases(w: Tensor, m: Tensor, g: Tensor, eta: float, beta1: float, beta2: float, wd: float) -> Any:
    c = torch.lerp(g, m, beta1)
    up, down = (c > 0).to(w.dtype), (c < 0).to(w.dtype)
    return (1 - eta * wd) * w - eta * up + eta * down, torch.lerp(g, m, beta2)


def schulz_from_the_other_side(G: Tensor, rounds: int) -> Tensor:
    X = G / G.square().sum() ** 0.5
    one = torch.eye(G.shape[1], dtype=G.dtype)
    for _ in range(rounds):
        X = X @ (3 * one - X.T @ X) / 2
    return X


OTHERS = [
    ("adagrad_step", adagrad_by_coordinate),
    ("adam_step", adam_in_place),
    ("first_steps", decays_from_full_adam),
    ("scaled_kappa", kappa_by_generalized_eigenvalues),
    ("online", online_with_tensors),
    ("lion_step", lion_by_cases),
    ("orthogonalize", schulz_from_the_other_side),
]


@pytest.mark.parametrize(("name", "program"), [*OTHERS, *ORACLES.items()], ids=lambda x: getattr(x, "__name__", x))
def test_other_correct_programs_pass(adaptive: Assignment, name: str, program: Function) -> None:
    assert rejected(adaptive, name, program) == []


def amgt_with_one_pass(g: Tensor, beta: float, gamma: float, W: int) -> Tensor:
    """Variance as mean of squares less square of mean; collected weight as one minus a product."""
    averages, m, left = [], 0 * g[0], 1.0
    for t in range(len(g)):
        past = g[: t + 1][-W:]
        spread = float((past.pow(2).mean(0) - past.mean(0) ** 2).clamp_min(0).mean())
        b = beta / (1 + gamma * spread)
        m, left = torch.lerp(g[t], m, b), left * b
        averages.append((m / (1 - left)).tolist())
    return torch.tensor(averages, dtype=torch.float64)


@pytest.mark.parametrize("cohort", [b"book", b"2027", b"2028"])
def test_the_window_is_that_of_the_cohort(cohort: bytes) -> None:
    assignment = load(EXERCISES / "adaptive", cohort)
    for W in range(3, 7):
        reasons = rejected(assignment, "amgt_averages", partial(amgt_with_one_pass, W=W))
        assert bool(reasons) == (stated(assignment, "From the last") != W)


def as_numpy(w: Tensor, s: Tensor, g: Tensor, eta: float, eps: float) -> Any:
    return tuple(x.numpy() for x in adagrad(w, s, g, eta, eps))


def in_single_precision(w: Tensor, s: Tensor, g: Tensor, eta: float, eps: float) -> Any:
    return adagrad(w.float(), s.float(), g.float(), eta, eps)


@pytest.mark.parametrize(("program", "reason"), [(as_numpy, "ndarray"), (in_single_precision, "dtype")])
def test_what_is_no_double_precision_tensor_is_refused(
    adaptive: Assignment, program: Function, reason: str
) -> None:
    assert all(reason in text for text in rejected(adaptive, "adagrad_step", program))
    assert rejected(adaptive, "adagrad_step", program)
