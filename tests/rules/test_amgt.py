"""AMGT's readings against the paper's equations, written out on whole vectors in numpy with a list as window."""

import itertools

import numpy as np
import pytest
import torch

from coursekit import descend
from coursekit.problems import Quadratic
from coursekit.rules import adam, amgt, amgt_reading
from coursekit.rules.amgt import CHOICES

pytestmark = pytest.mark.usefixtures("device")

T = 25  # longer than the window, so that it fills and then forgets
H = np.array([[4.0, 1.0, 0.5], [1.0, 2.0, -0.3], [0.5, -0.3, 0.4]])
W0 = np.array([1.0, -2.0, 0.5])
lam, Q = torch.linalg.eigh(torch.tensor(H))
PROBLEM = Quadratic(lam, basis=Q)
HYPER = {"eta": 0.1, "beta1": 0.8, "beta2": 0.95, "eps": 0.01, "gamma": 2.0, "alpha": 0.05}
TAU = {"none": {}, "norm": {"tau": 3.5}, "hard": {"tau": 0.5}}  # each active in some steps and not in others
READINGS = [
    dict(zip(CHOICES, chosen, strict=True))
    for chosen in itertools.product(*CHOICES.values())
    if not (chosen[1] == "coordinate" and chosen[3] == "norm")
]


def paper(factor, variance, correction, threshold, scaling, window=10, eta=0.1, beta1=0.8, beta2=0.95, eps=0.01,
          gamma=2.0, alpha=0.05):  # fmt: skip
    tau = TAU[threshold].get("tau")
    w, m, v, seen, kept = W0, np.zeros(3), np.zeros(3), [], np.ones(3)
    for t in range(1, T + 1):
        g = H @ w
        seen.append(g)
        var = np.var(seen[-window:], axis=0)
        lam_t = 1 / (1 + gamma * (var.mean() if variance == "mean" else var))  # (9)
        if factor == "memory":
            m = beta1 * lam_t * m + (1 - beta1 * lam_t) * g
        else:
            m = beta1 * m + (1 - beta1) * lam_t * g
        kept = kept * beta1 * (lam_t if factor == "memory" and correction == "collected" else 1.0)
        m_hat = m / (1 - kept)
        if threshold == "norm":
            m_hat = m_hat * min(1, tau / np.linalg.norm(m_hat))
        if threshold == "hard":
            m_hat = np.where(abs(m_hat) > tau, m_hat, 0)
        v = beta2 * v + (1 - beta2) * g**2
        below = np.sqrt(v / (1 - beta2**t)) + eps if scaling == "adam" else 1.0
        w = w - eta / (1 + alpha * t) * m_hat / below  # (10)
        yield w


def path(reading, **hyper):
    tau = TAU[reading.get("threshold", "none")]
    rule = amgt_reading("reading", **reading)
    return (
        descend(PROBLEM, rule, torch.tensor(W0), T, record=("w",), **{**HYPER, **tau, **hyper})
        .w[1:]
        .numpy(force=True)
    )


@pytest.mark.parametrize("reading", READINGS, ids=lambda r: "-".join(r.values()))
def test_a_reading_is_its_equations_and_no_other(reading) -> None:
    own = path(reading)
    assert abs(own - np.array(list(paper(**reading)))).max() < 1e-12
    for choice, allowed in CHOICES.items():
        for value in set(allowed) - {reading[choice]}:
            other = np.array(list(paper(**{**reading, choice: value})))
            same = choice == "correction" and reading["factor"] == "gradient"  # there both are 1 - β₁ᵗ
            assert (abs(own - other).max() > 1e-4) != same, (choice, value)


def test_the_window_is_as_long_as_it_says() -> None:
    reading = READINGS[0]
    for window in (2, 5):
        own = path({**reading, "window": window})
        assert abs(own - np.array(list(paper(**reading, window=window)))).max() < 1e-12
        assert abs(own - np.array(list(paper(**reading, window=window + 1)))).max() > 1e-4


def test_without_variance_and_decay_it_is_adam() -> None:
    betas = {k: HYPER[k] for k in ("eta", "beta1", "beta2", "eps")}
    plain = descend(PROBLEM, adam, torch.tensor(W0), T, record=("w",), **betas).w[1:].numpy(force=True)
    own = (
        descend(PROBLEM, amgt, torch.tensor(W0), T, record=("w",), **betas, gamma=0.0, alpha=0.0)
        .w[1:]
        .numpy(force=True)
    )
    assert abs(own - plain).max() < 1e-12
    assert abs(path({}, alpha=0.0) - plain).max() > 1e-2


def test_a_constant_gradient_is_its_own_average_in_the_default_reading() -> None:
    g = torch.tensor([3.0, -1e4], dtype=torch.float64)  # 1e4: rounding leaves a variance near -1e-8 here and there
    for made, unchanged in ((amgt, True), (amgt_reading("clipped", threshold="norm"), False)):
        h = made.hyper(alpha=0.0, eps=0.0, gamma=1.0)
        w, state = torch.zeros_like(g), tuple(torch.zeros_like(g) for _ in made.state)
        for t in range(1, 15):
            delta, state = made(w, g, state, made.scalars_along(t, w, g, state, h), h)
            assert torch.allclose(delta, -h.eta * g.sign(), rtol=1e-6, atol=0) == unchanged


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"factor": "step"}, "factor must be one of memory, gradient, got 'step'"),
        ({"threshold": None}, "threshold must be one of none, norm, hard, got None"),
        ({"window": 1}, "window must be an integer of at least 2, got 1"),
        ({"window": 2.5}, "window must be an integer of at least 2, got 2.5"),
        ({"threshold": "norm", "variance": "coordinate"}, "needs variance 'mean', got 'coordinate'"),
    ],
)
def test_other_readings_are_refused(options, told) -> None:
    with pytest.raises(ValueError, match=told):
        amgt_reading("reading", **options)
