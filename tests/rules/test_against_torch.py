"""Every rule that torch.optim has too, against it: same problem, same hyper-parameters, 100 steps, float64."""

import math
import re

import pytest
import torch

from coursekit import descend
from coursekit.problems import LeastSquares, Quadratic, Rosenbrock
from coursekit.rules import (
    Rule,
    adagrad,
    adam,
    adam_variant,
    adamw,
    amsgrad,
    gradient_descent,
    heavy_ball,
    heavy_ball_difference,
    lion,
    nesterov,
    rmsprop,
    rule,
    sign_descent,
)
from coursekit.rules.rule import RANGES, check_range

pytestmark = pytest.mark.usefixtures("device")

generator = torch.Generator().manual_seed(0)
X = torch.randn(20, 5, generator=generator, dtype=torch.float64)
PROBLEMS = {
    "rosenbrock": (Rosenbrock(), torch.tensor([-1.2, 1.0], dtype=torch.float64), 1e-4),
    "least squares": (LeastSquares(X, X.sum(1) + 1), torch.zeros(5, dtype=torch.float64), 0.1),
}
PEERS = {
    gradient_descent: (torch.optim.SGD, {}, {}),
    heavy_ball: (torch.optim.SGD, {"beta": 0.9}, {"momentum": 0.9}),
    heavy_ball_difference: (torch.optim.SGD, {"beta": 0.9}, {"momentum": 0.9}),
    nesterov: (torch.optim.SGD, {"beta": 0.9}, {"momentum": 0.9, "nesterov": True}),
    adagrad: (torch.optim.Adagrad, {}, {}),
    rmsprop: (torch.optim.RMSprop, {"beta": 0.9}, {"alpha": 0.9}),
    adam: (torch.optim.Adam, {"beta1": 0.8, "beta2": 0.99}, {"betas": (0.8, 0.99)}),
    adam_variant("adam_again"): (torch.optim.Adam, {"beta2": 0.9}, {"betas": (0.9, 0.9)}),
    adamw: (torch.optim.AdamW, {"beta2": 0.99, "wd": 0.1}, {"betas": (0.9, 0.99), "weight_decay": 0.1}),
    amsgrad: (torch.optim.Adam, {"beta2": 0.9}, {"betas": (0.9, 0.9), "amsgrad": True}),
}


def torch_path(problem, start, peer, eta, options, steps=100):
    w = start.clone().requires_grad_(True)
    optimizer = peer([w], lr=eta, **options)
    path = [start]
    for _ in range(steps):
        optimizer.zero_grad()
        problem.value(w).backward()
        optimizer.step()
        path.append(w.detach().clone())
    return torch.stack(path)


@pytest.mark.parametrize("name", PROBLEMS)
@pytest.mark.parametrize("ours", PEERS, ids=lambda r: r.name)
def test_same_path_as_torch(ours: Rule, name: str) -> None:
    problem, start, eta = PROBLEMS[name]
    peer, hyper, options = PEERS[ours]
    run = descend(problem, ours, start, 100, record=("w",), eta=eta, **hyper)
    torch.testing.assert_close(run.w, torch_path(problem, start, peer, eta, options), rtol=1e-12, atol=1e-12)


def test_a_missing_bias_correction_is_caught() -> None:
    wrong = rule(
        state=("m", "v"), eta=1e-3, beta1=0.9, beta2=0.999, eps=1e-8, scalars=lambda t, h: {"c1": 1, "c2": 1}
    )(adam.update)
    problem, start, eta = PROBLEMS["least squares"]
    peer, hyper, options = PEERS[adam]
    run = descend(problem, wrong, start, 100, record=("w",), eta=eta, **hyper)
    gap = (run.w - torch_path(problem, start, peer, eta, options)).abs().max()
    assert gap > 1e-3


@pytest.mark.parametrize(
    ("hyper", "told"),
    [
        ({"eta": 0.0}, r"eta must lie in \(0, inf\), got 0.0"),
        ({"eta": torch.tensor([0.1, -1.0])}, r"eta must lie in"),
        ({"eta": float("nan")}, r"eta must lie in"),
        ({"beta": 1.0}, r"beta must lie in \[0, 1\), got 1.0"),
        ({"lr": 0.1}, r"heavy_ball has no 'lr'; it has eta, beta"),
    ],
)
def test_bad_hyper_parameters_are_refused_at_the_door(hyper: dict, told: str) -> None:
    with pytest.raises(ValueError, match=told):
        descend(Rosenbrock(), heavy_ball, torch.zeros(2), 1, **hyper)


@pytest.mark.parametrize(
    ("allowed", "inside", "outside"),
    [
        ("[0, 1)", (0, 0.5), (-1e-9, 1, math.inf)),
        ("(0, inf)", (1e-9,), (0, math.inf)),
        ("[1, inf]", (1, math.inf), (0.5,)),
    ],
)
def test_a_range_includes_what_its_brackets_say(monkeypatch, allowed: str, inside: tuple, outside: tuple) -> None:
    monkeypatch.setitem(RANGES, "p", allowed)
    for value in inside:
        check_range("p", value)
        check_range("p", torch.tensor([inside[0], value]))
    for value in (*outside, math.nan):
        with pytest.raises(ValueError, match=f"p must lie in {re.escape(allowed)}, got"):
            check_range("p", torch.tensor([inside[0], value]))


def test_a_rule_states_the_range_of_what_it_takes() -> None:
    with pytest.raises(ValueError, match="no range is stated for"):
        rule(no_such=1.0)


def test_lion_and_sign_descent_by_hand() -> None:
    # On f = w²/2 with eta = 1/4, started at 1: signs only, so every number is exact in binary.
    f, start = Quadratic(torch.ones(1, dtype=torch.float64)), torch.ones(1, dtype=torch.float64)
    run = descend(f, sign_descent, start, 6, record=("w",), eta=0.25)
    assert run.w[:, 0].tolist() == [1, 0.75, 0.5, 0.25, 0, 0, 0]
    run = descend(f, lion, start, 4, record=("w",), eta=0.25, beta1=0.5, beta2=0.5, wd=0.5)
    w, m, path = 1.0, 0.0, [1.0]
    for _ in range(4):
        c = (m + w) / 2
        m = (m + w) / 2
        w = w - 0.25 * ((c > 0) - (c < 0) + 0.5 * w)
        path.append(w)
    assert run.w[:, 0].tolist() == path
