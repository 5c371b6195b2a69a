"""The tracer: what it prints, read back as Python, against torch."""

import itertools
import math
import re
from types import SimpleNamespace

import numpy as np
import pytest
import sympy as sp
import torch

from coursekit.problems import DoubleWell, PLSine, Quadratic, Rosenbrock
from coursekit.rules import Rule, adagrad_norm, amgt, heavy_ball, rule
from coursekit.rules.ops import absolute, sign, sqrt
from coursekit.widgets.bundle import RULES
from coursekit.widgets.trace import _Printer, problem_js, rule_js

F64 = torch.float64
MATH = SimpleNamespace(sqrt=math.sqrt, pow=math.pow, sin=math.sin, cos=math.cos, abs=abs, sign=np.sign, max=max)


def read_back(js, key):
    """The function under ``key`` as a Python function: these printed bodies are Python but for their frame."""
    arguments, body = re.search(rf"\b{key}: \(([\w, ]+)\) => (.*)", js).groups()
    depths = list(itertools.accumulate((c in "([{") - (c in ")]}") for c in body))
    # The value ends at the first comma or closing brace outside all of its brackets.
    body = body[: next(i for i, d in enumerate(depths) if d < 0 or (d == 0 and body[i] == ","))]
    shared, result = re.fullmatch(r"\{ (.*)return (.*); \}", body).groups() if body[0] == "{" else ("", body)
    lines = [*re.findall(r"const (\w+ = [^;]+);", shared), f"return {result}"]
    scope = {"Math": MATH}
    exec(f"def traced({arguments}):\n" + "\n".join("    " + line for line in lines), scope)
    return scope["traced"]


def same(a, b):
    return float(np.max(np.abs(np.asarray(a, float) - np.asarray(b, float)) / np.maximum(1, np.abs(b))))


def gap_of_rule(traced, reference):
    """The largest difference between a traced rule's update and the reference rule on tensors of 3 coordinates."""
    js = rule_js(traced)
    update = read_back(js, "update")
    torch.manual_seed(0)
    worst = 0.0
    for t in range(1, 6):
        h = reference.hyper()
        w, g, *state = torch.randn(2 + len(reference.state), 3, dtype=F64).abs()
        delta, new = reference(w, g, tuple(state), reference.scalars_along(t, w, g, tuple(state), h), h)
        places = [(float(w[i]), float(g[i]), [float(s[i]) for s in state]) for i in range(3)]
        top = {name: max(read_back(js, name)(*place, h) for place in places) for name in traced.peaks}
        seen = SimpleNamespace(**vars(h), **top)
        sums = {name: sum(read_back(js, name)(*place, seen) for place in places) for name in traced.sums}
        c = SimpleNamespace(**vars(reference.scalars_at(t, h)), **top, **sums)
        got = [[x, *rest] for x, rest in (update(*place, c, h) for place in places)]
        worst = max(worst, same(got, torch.stack([delta, *new], -1).numpy()))
    return worst


@rule(
    eta=0.1,
    peaks={"top": lambda w, g, state, h: absolute(g)},
    sums={"s": lambda w, g, state, h: (g / h.top) ** 2},  # a sum finds the peaks in its h
)
def cautious_norm(w, g, state, scalars, h):
    return -h.eta * g / (scalars.top * sqrt(scalars.s)), ()


@pytest.mark.parametrize("the_rule", [*RULES, amgt, cautious_norm], ids=lambda r: r.name)
def test_a_traced_rule_is_the_rule(the_rule):
    assert gap_of_rule(the_rule, the_rule) < 2e-15


def test_a_sum_over_other_terms_would_be_seen():
    wrong = Rule(
        adagrad_norm.update, ("s",), adagrad_norm.defaults, sums={"g2": lambda w, g, state, h: absolute(g)}
    )
    assert gap_of_rule(wrong, adagrad_norm) > 0.01


def test_a_wrong_sign_would_be_seen():
    @rule(state=("v",), eta=0.1, beta=0.9)
    def wrong(w, g, state, scalars, h):
        return h.eta * (h.beta * state[0] + g), (h.beta * state[0] + g,)

    assert gap_of_rule(wrong, heavy_ball) > 0.01


PROBLEMS = {
    "diagonal": Quadratic(torch.tensor([1.0, 30.0], dtype=F64), w_star=torch.tensor([0.3, -1.0], dtype=F64)),
    "rotated": Quadratic(
        torch.tensor([1.0, 30.0], dtype=F64), basis=torch.tensor([[0.6, -0.8], [0.8, 0.6]], dtype=F64)
    ),
    "Rosenbrock": Rosenbrock(),
    "double well": DoubleWell(),
    "PL sine": PLSine(),
}


@pytest.mark.parametrize("name", PROBLEMS)
def test_a_traced_problem_has_torchs_value_and_gradient(name):
    problem = PROBLEMS[name]
    js = problem_js(problem)
    value, grad = read_back(js, "value"), read_back(js, "grad")
    p = SimpleNamespace(
        **{k: v.tolist() if isinstance(v, torch.Tensor) else v for k, v in vars(problem.p).items()}
    )
    torch.manual_seed(1)
    for w in 2 * torch.randn(20, problem.dim, dtype=F64):
        f, g = problem.value_and_grad(w)
        assert same(value(w.tolist(), p), float(f)) < 1e-14
        assert same(grad(w.tolist(), p), g.numpy()) < 1e-14


def test_powers_keep_their_brackets_and_floats_their_last_bit():
    a, x = sp.symbols("a x", real=True)
    js = _Printer().doprint
    assert js(a / x**2) == "a/(x*x)"
    assert js(sp.Float(1 / 3)) == repr(1 / 3)
    assert js(sp.Float(1 / 3)) != str(sp.Float(1 / 3))  # sympy's own printing would lose a digit


def test_operations_beyond_arithmetic_become_javascripts():
    @rule(eta=0.1)
    def signed(w, g, state, scalars, h):
        return -h.eta * sign(g) * absolute(w), ()

    update = read_back(rule_js(signed), "update")
    assert "Math.sign(g)" in rule_js(signed)
    assert update(-2.0, -3.0, [], None, SimpleNamespace(eta=0.1))[0] == pytest.approx(0.2)
