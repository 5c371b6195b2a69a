"""The forms of momentum that the sources print, written out in numpy, against the rules."""

import numpy as np
import pytest
import torch

from coursekit import descend
from coursekit.problems import Rosenbrock
from coursekit.rules import heavy_ball, heavy_ball_difference, nesterov

pytestmark = pytest.mark.usefixtures("device")

T, START = 60, [-1.2, 1.0]


def grad(w):
    x, y = w
    return np.array([-2 * (1 - x) - 400 * x * (y - x * x), 200 * (y - x * x)])


def tdl_difference(eta, beta):
    before, w = np.array(START), np.array(START)
    for t in range(1, T + 1):
        before, w = w, w - eta(t) * grad(w) + beta * (w - before)
        yield w


def velocity(eta, beta):
    """TDL's second form, KH 2.2.2 and, with the sign of v turned, GG (8)."""
    w, v = np.array(START), np.zeros(2)
    for t in range(1, T + 1):
        v = beta * v + eta(t) * grad(w)
        w = w - v
        yield w


def step_outside(eta, beta):
    """The form that the libraries use."""
    w, v = np.array(START), np.zeros(2)
    for t in range(1, T + 1):
        v = beta * v + grad(w)
        w = w - eta(t) * v
        yield w


def tdl_nag(eta, beta):
    """TDL's Nesterov: yields its look-ahead points w_t - β v_{t-1}, where the gradient is read."""
    w, v = np.array(START), np.zeros(2)
    for t in range(1, T + 1):
        v = beta * v + eta(t) * grad(w - beta * v)
        w = w - v
        yield w - beta * v


def path(rule, eta, beta):
    start = torch.tensor(START, dtype=torch.float64)
    return descend(Rosenbrock(), rule, start, T, record=("w",), eta=eta, beta=beta).w[1:].numpy(force=True)


FORMS = {
    tdl_difference: heavy_ball_difference,
    velocity: heavy_ball_difference,
    step_outside: heavy_ball,
    tdl_nag: nesterov,
}


def constant(t):
    return 1e-4


def falling(t):
    return 1e-4 / np.sqrt(t)


@pytest.mark.parametrize("form", FORMS, ids=lambda f: f.__name__)
def test_each_form_is_its_rule_for_a_constant_step(form) -> None:
    printed = np.array(list(form(constant, 0.9)))
    assert abs(path(FORMS[form], 1e-4, 0.9) - printed).max() < 1e-12


def test_a_changing_step_separates_the_forms_of_heavy_ball() -> None:
    for form, other in ((tdl_difference, step_outside), (velocity, step_outside), (step_outside, velocity)):
        own = path(FORMS[form], falling, 0.9)
        assert abs(own - np.array(list(form(falling, 0.9)))).max() < 1e-12
        assert abs(own - np.array(list(other(falling, 0.9)))).max() > 1e-2


def test_the_displacement_is_minus_eta_times_the_velocity() -> None:
    w, g = torch.randn(2, 5, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    v, d, h = torch.zeros_like(w), torch.zeros_like(w), heavy_ball.hyper(eta=0.3, beta=0.7)
    for _ in range(5):
        step, (v,) = heavy_ball(w, g, (v,), None, h)
        same, (d,) = heavy_ball_difference(w, g, (d,), None, h)
        torch.testing.assert_close(d, -0.3 * v, rtol=1e-15, atol=1e-15)
        torch.testing.assert_close(step, same, rtol=1e-15, atol=1e-15)
        w = w + step
