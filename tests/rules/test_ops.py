"""The small namespace of functions agrees on tensors, floats and symbols."""

import math

import pytest
import sympy
import torch

from coursekit.rules import ops
from tests.elsewhere import ELSEWHERE, Slip, pretended

POINTS = [-2.5, -1.0, 0.0, 0.5, 2.0]
UNARY = {
    ops.absolute: math.fabs,
    ops.sin: math.sin,
    ops.sign: lambda x: math.copysign(1.0, x) if x else 0.0,
}


@pytest.mark.parametrize("op", UNARY, ids=lambda f: f.__name__)
@pytest.mark.parametrize("x", POINTS)
def test_unary(op, x: float) -> None:
    symbol = sympy.Symbol("x", real=True)
    expected = UNARY[op](x)
    assert op(x) == pytest.approx(expected)
    assert float(op(torch.tensor(x, dtype=torch.float64))) == pytest.approx(expected)
    assert float(op(symbol).subs(symbol, x)) == pytest.approx(expected)


@pytest.mark.parametrize("x", [0.0, 0.25, 2.0])
def test_sqrt(x: float) -> None:
    symbol = sympy.Symbol("x", positive=True)
    assert ops.sqrt(x) == pytest.approx(math.sqrt(x))
    assert float(ops.sqrt(torch.tensor(x))) == pytest.approx(math.sqrt(x))
    assert float(ops.sqrt(symbol).subs(symbol, x)) == pytest.approx(math.sqrt(x))


@pytest.mark.parametrize("x", POINTS)
def test_clip_and_where(x: float) -> None:
    symbol, expected = sympy.Symbol("x", real=True), min(max(x, -1.0), 1.0)
    tensor = torch.tensor(x, dtype=torch.float64)
    assert ops.clip(x, -1.0, 1.0) == expected
    assert float(ops.clip(tensor, -1.0, 1.0)) == expected
    assert float(ops.clip(symbol, -1.0, 1.0).subs(symbol, x)) == expected
    step = 2.0 if x > 0 else 3.0
    assert ops.where(x > 0, 2.0, 3.0) == step
    assert float(ops.where(tensor > 0, 2.0, 3.0)) == step
    assert float(ops.where(symbol > 0, 2.0, 3.0).subs(symbol, x)) == step


@pytest.mark.parametrize(("x", "y"), [(-1.0, 2.0), (2.0, -1.0), (0.5, 0.5)])
def test_maximum(x: float, y: float) -> None:
    a, b = (torch.tensor(v, dtype=torch.float64) for v in (x, y))
    for pair in ((x, y), (a, y), (x, b), (a, b)):
        assert float(ops.maximum(*pair)) == max(x, y)
    symbol = sympy.Symbol("x", real=True)
    assert float(ops.maximum(symbol, y).subs(symbol, x)) == max(x, y)


def test_maximum_of_a_tensor_and_a_number_stays_on_the_tensors_device() -> None:
    with pretended():
        away = torch.ones(3, device=ELSEWHERE)
        assert ops.maximum(away, 0.0).device == ops.maximum(0.0, away).device == ELSEWHERE
        with pytest.raises(Slip):  # two devices: what a number made into a tensor would have done
            ops.maximum(away, torch.zeros(3))
