"""The references of chapter 6 against numpy, scipy, autograd and plain loops; other correct programs pass."""

from __future__ import annotations

import itertools
import math
from typing import Any

import numpy as np
import pytest
import scipy.integrate
import scipy.optimize
import scipy.special
import scipy.stats
import torch
from torch import Tensor

from coursekit.grading.exercise import Assignment, load

from .conftest import EXERCISES, SEED
from .oracle import Function, item_of, misjudged, rejected, stated


@pytest.fixture(scope="module")
def landscape() -> Assignment:
    return load(EXERCISES / "overparameterization")


def escape(H: Tensor, g: Tensor) -> tuple[Tensor, Tensor]:
    """numpy's solver for matrices without symmetry."""
    lam, V = np.linalg.eig(H.numpy())
    u = torch.tensor(V[:, lam.argmin()]) * (lam.min() < 0)
    return torch.tensor(lam.min()), -u * torch.sign(g @ u)


def near(k: int) -> Function:
    """From the weight of every step's noise in the last point."""

    def probability(T: int, eta: float, gamma: float, sigma: float, r: float) -> float:
        weights = eta * sigma * (1 + eta * gamma) ** np.arange(T)
        one = np.diff(scipy.stats.norm.cdf([-r, r], scale=np.linalg.norm(weights)))[0] if T else 1.0
        return float(one**k)

    return probability


def reachable(M: Tensor, v: Tensor) -> Tensor:
    """The nearest of all matrices that keep some eigenvalues of M, no more of a sign than v has units of it."""
    lam, Q = np.linalg.eigh(M.numpy())
    best = min(
        (
            np.array(keep)
            for keep in itertools.product((0, 1), repeat=len(lam))
            if (lam * keep > 0).sum() <= (v > 0).sum() and (lam * keep < 0).sum() <= (v < 0).sum()
        ),
        key=lambda keep: np.linalg.norm(lam * (1 - keep)),
    )
    return torch.tensor(Q @ np.diag(lam * best) @ Q.T)


def autograd_gram(X: Tensor, W: Tensor, v: Tensor) -> Tensor:
    J = torch.func.jacrev(lambda W: torch.relu(X @ W.T) @ v)(W).flatten(1)
    return J @ J.T


def joint(z: float, slope: float) -> float:
    return math.exp(-z * z / 2) / math.sqrt(2 * math.pi) * scipy.special.ndtr(slope * z)


def integrated_gram(X: Tensor) -> Tensor:
    """The probability that both units are on, by integration over the component along one input."""
    x = X.numpy()
    unit = x / np.linalg.norm(x, axis=1)[:, None]
    cosines = np.clip(unit @ unit.T, -1, 1)
    both = np.empty_like(cosines)
    for place, c in np.ndenumerate(cosines):
        slope = c / max(math.sqrt(1 - c * c), 1e-12)
        both[place] = scipy.integrate.quad(joint, 0, 12, args=(slope,), points=[1e-6])[0]
    return torch.tensor(x @ x.T * both)


def squared(H: Tensor, r: Tensor, eta: float, t: int) -> Tensor:
    """By repeated squaring of the matrix of one step."""
    n = len(r)
    step = np.eye(n) - eta / n * H.numpy()
    return torch.tensor(np.square(np.linalg.matrix_power(step, t) @ r.numpy()).mean() / 2)


def edge(sharpness: Tensor, f: Tensor, eta: float, beta: float) -> tuple[int, float]:
    for t, lam in enumerate(sharpness.tolist()):
        if lam * eta >= 2 * (1 + beta):
            rises = [b > a for a, b in itertools.pairwise(f.tolist()[t:])]
            return t, sum(rises) / max(len(rises), 1)
    return -1, 0.0


def certificate(measured: Tensor, bound: Tensor, assumptions: list[tuple[str, bool]]) -> tuple[str, Any]:
    unmet = [name for name, met in assumptions if not met]
    if unmet:
        return "refused", unmet[0]
    largest = 0.0
    for t, (x, b) in enumerate(zip(measured.tolist(), bound.tolist(), strict=True)):
        if math.isnan(x) or x > b:
            return "violated", t
        largest = max(largest, x / b)
    return "holds", largest


ORACLES = {
    "escape_direction": escape,
    "best_reachable": reachable,
    "empirical_gram": autograd_gram,
    "limit_gram": integrated_gram,
    "predicted_loss": squared,
    "edge_reached": edge,
    "read_certificate": certificate,
}


@pytest.mark.parametrize("name", ORACLES)
def test_an_oracle_confirms_the_reference_and_rejects_every_mutant(landscape: Assignment, name: str) -> None:
    assert misjudged(landscape, name, ORACLES[name]) == []


def test_every_item_has_its_oracle(landscape: Assignment) -> None:
    assert {item.id for item in landscape.items} == {*ORACLES, "still_near"}


@pytest.mark.parametrize("cohort", [b"book", b"2027", b"2028"])
def test_the_number_of_directions_is_that_of_the_cohort(cohort: bytes) -> None:
    assignment = load(EXERCISES / "overparameterization", cohort)
    k = stated(assignment, "A saddle has")
    assert misjudged(assignment, "still_near", near(k)) == []
    assert rejected(assignment, "still_near", near(k + 1))


def test_no_hidden_weights_come_nearer_than_the_reachable_matrix(landscape: Assignment) -> None:
    item = item_of(landscape, "best_reachable")
    for case in item.hidden_cases(SEED):
        M, v = (x.numpy() for x in case.arguments)
        least = float((landscape.reference(item)(*case.arguments) - case.arguments[0]).norm())

        def distance2(w: np.ndarray, M: np.ndarray = M, v: np.ndarray = v) -> tuple[float, np.ndarray]:
            W = w.reshape(len(v), -1)
            gap = W.T * v @ W - M
            return (gap * gap).sum(), (4 * v[:, None] * W @ gap).ravel()

        starts = np.random.default_rng(0).normal(size=(4, v.size * len(M)))
        ends = [scipy.optimize.minimize(distance2, w, jac=True, method="L-BFGS-B").fun ** 0.5 for w in starts]
        assert min(ends) == pytest.approx(least, abs=2e-3)
        assert min(ends) > least - 1e-9


@pytest.mark.parametrize("beta", [0.0, 0.5, 0.9])
def test_the_edge_is_where_torchs_sgd_with_momentum_stops_to_decay(landscape: Assignment, beta: float) -> None:
    reference, eta = landscape.reference(item_of(landscape, "edge_reached")), 0.1
    for factor, first in ((0.99, -1), (1.01, 0)):
        curvature = factor * (2 + 2 * beta) / eta
        w = torch.nn.Parameter(torch.ones((), dtype=torch.float64))
        optimizer = torch.optim.SGD([w], lr=eta, momentum=beta)
        for _ in range(3000):
            w.grad = curvature * w.detach()
            optimizer.step()
        assert (w.abs().item() > 1) == (first == 0)
        sharpness = torch.full((3,), curvature, dtype=torch.float64)
        assert reference(sharpness, sharpness, eta, beta) == (first, 0.0)


def escape_upside_down(H: Tensor, g: Tensor) -> tuple[Tensor, Tensor]:
    lam, Q = torch.linalg.eigh(-H)
    u = Q[:, -1]
    return -lam[-1], torch.where(lam[-1] > 0, -torch.sign(u @ g), 0.0) * u


def near_in_closed_form(T: int, eta: float, gamma: float, sigma: float, r: float) -> float:
    a = (1 + eta * gamma) ** 2
    s2 = (eta * sigma) ** 2 * (T if gamma == 0 else (a**T - 1) / (a - 1))
    return (1 - 2 * float(scipy.stats.norm.sf(r / s2**0.5))) ** 2 if T else 1.0


def reachable_by_outer_products(M: Tensor, v: Tensor) -> Tensor:
    lam, Q = torch.linalg.eigh(M)
    left = {1: int((v.sign() == 1).sum()), -1: int((v.sign() == -1).sum())}
    total = torch.zeros_like(M)
    for i in lam.abs().argsort(descending=True).tolist():
        sign = 1 if lam[i] > 0 else -1
        if left[sign] > 0:
            left[sign] -= 1
            total += lam[i] * torch.outer(Q[:, i], Q[:, i])
    return total


def gram_by_pairs(X: Tensor, W: Tensor, v: Tensor) -> Tensor:
    on = X @ W.T > 0
    rows = [
        [(v[a & b] ** 2).sum() * (x @ y) for y, b in zip(X, on, strict=True)] for x, a in zip(X, on, strict=True)
    ]
    return torch.stack([torch.stack(row) for row in rows])


def gram_by_kahans_angle(X: Tensor) -> Tensor:
    unit = torch.nn.functional.normalize(X)
    apart = (unit[:, None] - unit).norm(dim=-1)
    along = (unit[:, None] + unit).norm(dim=-1)
    return (X @ X.T) * (0.5 - torch.atan2(apart, along) / math.pi)


def loss_by_modes(H: Tensor, r: Tensor, eta: float, t: int) -> Tensor:
    lam, Q = torch.linalg.eigh(H / len(r))
    return ((r @ Q) ** 2 * (1 - eta * lam) ** (2 * t)).mean() / 2


def edge_with_tensors(sharpness: Tensor, f: Tensor, eta: float, beta: float) -> tuple[int, float]:
    above = sharpness >= 2 * (1 + beta) / eta
    if not above.any():
        return -1, 0.0
    first = int(above.int().argmax())
    later = f[first + 1 :] > f[first:-1]
    return first, (later.float().mean().item() if later.numel() else 0.0)


def certificate_by_quotients(
    measured: Tensor, bound: Tensor, assumptions: list[tuple[str, bool]]
) -> tuple[str, Any]:
    if not all(met for _, met in assumptions):
        return "refused", next(name for name, met in assumptions if not met)
    share = torch.nan_to_num(measured / bound, nan=math.inf)
    if share.max() > 1:
        return "violated", int((share > 1).nonzero()[0, 0])
    return "holds", share.max().item()


OTHERS = [
    ("escape_direction", escape_upside_down),
    ("still_near", near_in_closed_form),
    ("best_reachable", reachable_by_outer_products),
    ("empirical_gram", gram_by_pairs),
    ("limit_gram", gram_by_kahans_angle),
    ("predicted_loss", loss_by_modes),
    ("edge_reached", edge_with_tensors),
    ("read_certificate", certificate_by_quotients),
]


@pytest.mark.parametrize(("name", "program"), [*OTHERS, *ORACLES.items()], ids=lambda x: getattr(x, "__name__", x))
def test_other_correct_programs_pass(landscape: Assignment, name: str, program: Function) -> None:
    assert rejected(landscape, name, program) == []


def a_point(sharpness: Tensor, f: Tensor, eta: float, beta: float) -> Any:
    first, share = edge(sharpness, f, eta, beta)
    return torch.tensor(first), torch.tensor(share)


def a_list(sharpness: Tensor, f: Tensor, eta: float, beta: float) -> Any:
    return list(edge(sharpness, f, eta, beta))


@pytest.mark.parametrize(("program", "reason"), [(a_point, "a tensor"), (a_list, "a list")])
def test_what_is_no_pair_of_numbers_is_refused(landscape: Assignment, program: Function, reason: str) -> None:
    reasons = rejected(landscape, "edge_reached", program)
    assert reasons
    assert all(reason in text for text in reasons)
