"""The rules without a peer in torch, against the formulas of the sources written out on whole vectors in numpy."""

import re

import numpy as np
import pytest
import torch

from coursekit import descend
from coursekit.problems import Quadratic
from coursekit.rules import (
    Rule,
    adagrad,
    adagrad_norm,
    adagrad_predictable,
    adagrad_printed,
    adam,
    adam_eps_inside,
    adam_printed,
    adam_scalar,
    adam_uncorrected,
    adam_variant,
    rmsprop,
    rmsprop_printed,
    sign_descent,
)

pytestmark = pytest.mark.usefixtures("device")

T, ETA, EPS, SIGMA, B1, B2 = 30, 0.1, 0.01, 0.7, 0.8, 0.95
H = np.array([[4.0, 1.0, 0.5], [1.0, 2.0, -0.3], [0.5, -0.3, 0.4]])
W0 = np.array([1.0, -2.0, 0.5])
lam, Q = torch.linalg.eigh(torch.tensor(H))
PROBLEM = Quadratic(lam, basis=Q)


def tdl_theorem_4_6_4(w):
    past = []
    for _ in range(T):
        past.append(H @ w)
        w = w - ETA * past[-1] / (np.sqrt(sum(np.linalg.norm(g) ** 2 for g in past)) + EPS)
        yield w


def tdl_theorem_4_6_5(w):
    outer = np.zeros((3, 3))
    for _ in range(T):
        g = H @ w
        w = w - ETA * np.diag(np.diag(outer + SIGMA**2 * np.eye(3)) ** -0.5) @ g
        outer += np.outer(g, g)
        yield w


def gg_38_39(w):
    past = []
    for _ in range(T):
        past.append(H @ w)
        G = np.diag([np.sqrt(EPS + sum(g[j] ** 2 for g in past)) for j in range(3)])
        w = w - ETA * np.linalg.inv(G) @ past[-1]
        yield w


def gg_41_42(w):
    v = 0.0
    for _ in range(T):
        g = H @ w
        v = B1 * v + (1 - B1) * np.linalg.norm(g) ** 2
        w = w - ETA / np.sqrt(EPS + v) * g
        yield w


def gg_43_47(w, shift=1):
    m, v = np.zeros(3), 0.0
    for k in range(T):
        g = H @ w
        m = B1 * m + (1 - B1) * g
        v = B2 * v + (1 - B2) * np.linalg.norm(g) ** 2
        m_hat, v_hat = m / (1 - B1 ** (k + shift)), v / (1 - B2 ** (k + shift))
        w = w - ETA / np.sqrt(EPS + v_hat) * m_hat
        yield w


def kh_2_2_3(w):
    m, v = np.zeros(3), np.zeros(3)
    for t in range(1, T + 1):
        g = H @ w
        m, v = B1 * m + (1 - B1) * g, B2 * v + (1 - B2) * g**2
        w = w - ETA / np.sqrt(v / (1 - B2**t) + EPS) * (m / (1 - B1**t))
        yield w


def tdl_4_5_adam(w):
    m, v = np.zeros(3), np.zeros(3)
    for _ in range(T):
        g = H @ w
        m, v = B1 * m + (1 - B1) * g, B2 * v + (1 - B2) * g * g
        w = w - ETA / (np.sqrt(v) + EPS) * m
        yield w


ADAM = {"beta1": B1, "beta2": B2, "eps": EPS}
SOURCES = {
    tdl_theorem_4_6_4: (adagrad_norm, {"eps": EPS}),
    tdl_theorem_4_6_5: (adagrad_predictable, {"sigma": SIGMA}),
    gg_38_39: (adagrad_printed, {"eps": EPS}),
    gg_41_42: (rmsprop_printed, {"eps": EPS, "beta": B1}),
    gg_43_47: (adam_scalar, ADAM),
    kh_2_2_3: (adam_eps_inside, ADAM),
    tdl_4_5_adam: (adam_uncorrected, ADAM),
}
PUBLISHED = [(adagrad, {"eps": EPS}), (rmsprop, {"eps": EPS, "beta": B1}), (adam, ADAM)]


def path(rule: Rule, **hyper) -> np.ndarray:
    return descend(PROBLEM, rule, torch.tensor(W0), T, record=("w",), eta=ETA, **hyper).w[1:].numpy(force=True)


@pytest.mark.parametrize("source", SOURCES, ids=lambda f: f.__name__)
def test_a_printed_rule_is_what_its_source_prints_and_no_other_is(source) -> None:
    printed = np.array(list(source(W0)))
    gaps = {rule.name: abs(path(rule, **hyper) - printed).max() for rule, hyper in [*SOURCES.values(), *PUBLISHED]}
    assert gaps.pop(SOURCES[source][0].name) < 1e-12
    assert min(gaps.values()) > 1e-4, gaps


def test_the_printed_exponent_divides_by_zero_in_the_first_step() -> None:
    with np.errstate(divide="ignore", invalid="ignore"):
        first = next(iter(gg_43_47(W0, shift=0)))
    assert not np.isfinite(first).any()
    assert descend(PROBLEM, adam_printed, torch.tensor(W0), 1, record=("w",)).diverged.all()
    # From the second step on it is defined, and too large: 1/(1 - β) where 1/(1 - β²) is right.
    late = adam_printed.scalars_at(2, adam_printed.hyper(beta1=0.9))
    assert late.c1 * (1 - 0.9**2) == pytest.approx(1.9)  # GG-eq45: a constant gradient then gives 1.9 g


def test_adams_choices_are_independent_of_each_other() -> None:
    paths = {
        (square, eps, exponent): path(adam_variant("a", square=square, eps=eps, exponent=exponent), **ADAM)
        for square in ("coordinate", "norm")
        for eps in ("outside", "inside")
        for exponent in ("t", "none")
    }
    assert abs(paths["coordinate", "outside", "t"] - path(adam, **ADAM)).max() < 1e-14
    names = list(paths)
    for i, a in enumerate(names):
        assert all(abs(paths[a] - paths[b]).max() > 1e-4 for b in names[:i]), a


def test_rmsprop_without_memory_is_a_sign_step() -> None:  # GG-6.2-rprop
    assert abs(path(rmsprop, beta=0.0, eps=0.0) - path(sign_descent)).max() < 1e-12
    assert abs(path(rmsprop_printed, beta=0.0, eps=0.0) - path(sign_descent)).max() > 0.1


def test_the_first_step_of_adagrad_norm_has_length_one_whatever_the_scale() -> None:
    for scale in (1e-3, 1.0, 1e3):
        run = descend(Quadratic(scale * lam, basis=Q), adagrad_norm, torch.tensor(W0), 1, record=("w",), eps=0.0)
        assert float((run.w[1] - run.w[0]).norm()) == pytest.approx(1.0)


@pytest.mark.parametrize("choice", [{"square": "trace"}, {"eps": "both"}, {"exponent": "t + 1"}], ids=str)
def test_unknown_choices_are_refused(choice) -> None:
    (name,) = choice
    with pytest.raises(ValueError, match=f"{name} must be one of .*, got '{re.escape(choice[name])}'"):
        adam_variant("a", **choice)
