"""Rules and problems as JavaScript: the one Python definition is run on symbols and what comes out is printed.

An array parameter ``lam`` of a problem arrives in its formula as an array of symbols that print as
``p.lam[0]``, ``p.lam[1]``; a hyper-parameter as ``h.eta``. Only this file needs sympy.
"""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from types import SimpleNamespace
from typing import Any

import numpy as np
import sympy as sp
from sympy.printing.jscode import JavascriptCodePrinter
from sympy.printing.precedence import PRECEDENCE

from ..problems import Problem
from ..rules import Rule

_PRODUCTS = (2, 3, 4)  # these powers are written as products: exact where Math.pow may not be, and faster


class _Printer(JavascriptCodePrinter):
    """sympy's printer, with every float kept to the last bit and small powers written as products."""

    def _print_Float(self, expr: sp.Float) -> str:
        return repr(float(expr))

    def _print_Pow(self, expr: sp.Pow) -> str:
        if expr.exp in _PRODUCTS:
            # In brackets, so that a division by the power divides by all of it.
            return "(" + "*".join([self.parenthesize(expr.base, PRECEDENCE["Mul"])] * int(expr.exp)) + ")"
        return super()._print_Pow(expr)


class _Symbols(np.ndarray):
    """An array of symbols; one entry of it, ``w[..., 0]``, is the symbol itself."""

    def __getitem__(self, key: Any) -> Any:
        item = super().__getitem__(key)
        return item.item() if isinstance(item, np.ndarray) and item.ndim == 0 else item

    def __array_wrap__(self, array: Any, *rest: Any) -> Any:
        """Sums and products over all coordinates are numbers too."""
        return super().__array_wrap__(array, *rest) if array.ndim else array.item()


def rule_js(rule: Rule) -> str:
    """A JavaScript object ``{state, defaults, scalars(t, h), peaks, sums, update(w, g, s, c, h)}``.

    ``update`` is for one coordinate and returns ``[delta, newState]``. ``scalars`` is evaluated once per step,
    t = 1, 2, ...; ``peaks`` and ``sums`` hold functions ``(w, g, s, h)``: their maximum and sum over the
    coordinates join the scalars in c, and a sum finds the peaks in its h.
    """
    h = _namespace("h", rule.defaults)
    scalars = rule.scalars(_symbol("t"), h) if rule.scalars else {}
    w, g, state = _symbol("w"), _symbol("g"), tuple(_symbol(f"s[{i}]") for i in range(len(rule.state)))

    def over(parts: Mapping[str, Callable[..., Any]], h: Any) -> str:
        return _object({k: _function("w, g, s, h", [f(w, g, state, h)], lambda v: v[0]) for k, f in parts.items()})

    delta, new = rule(w, g, state, _namespace("c", [*scalars, *rule.peaks, *rule.sums]), h)
    return _object(
        {
            "state": json.dumps(list(rule.state)),
            "defaults": json.dumps(dict(rule.defaults)),
            "scalars": _function(
                "t, h", list(scalars.values()), lambda v: f"({_object(dict(zip(scalars, v, strict=True)))})"
            ),
            "peaks": over(rule.peaks, h),
            "sums": over(rule.sums, _namespace("h", [*rule.defaults, *rule.peaks])),
            "update": _function("w, g, s, c, h", [delta, *new], lambda v: f"[{v[0]}, [{', '.join(v[1:])}]]"),
        }
    )


def problem_js(problem: Problem) -> str:
    """A JavaScript object ``{dim, value(w, p), grad(w, p)}``; the gradient is the formula's, by sympy."""
    w = np.array([_symbol(f"w[{i}]") for i in range(problem.dim)], dtype=object).view(_Symbols)
    p = SimpleNamespace(**{name: _parameter(f"p.{name}", given) for name, given in vars(problem.p).items()})
    value = np.asarray(problem.formula(w, p)).item()  # a reduction leaves an array without axes
    grad = [sp.factor_terms(sp.diff(value, x)) for x in w]
    return _object(
        {
            "dim": str(problem.dim),
            "value": _function("w, p", [value], lambda v: v[0]),
            "grad": _function("w, p", grad, lambda v: f"[{', '.join(v)}]"),
        }
    )


def _symbol(name: str) -> sp.Symbol:
    return sp.Symbol(name, real=True)


def _namespace(prefix: str, names: Iterable[str]) -> SimpleNamespace:
    return SimpleNamespace(**{name: _symbol(f"{prefix}.{name}") for name in names})


def _parameter(name: str, given: Any) -> Any:
    """The symbol, or the array of symbols, that stands for one parameter; None (not used) stays None."""
    if given is None:
        return None
    shape = np.shape(given)
    symbols = [_symbol(name + "".join(f"[{i}]" for i in index)) for index in np.ndindex(*shape)]
    return np.array(symbols, dtype=object).reshape(shape).view(_Symbols) if shape else symbols[0]


def _function(arguments: str, values: Sequence[Any], result: Callable[[list[str]], str]) -> str:
    """An arrow function of the printed values; what several of them share is computed once."""
    names = (_symbol(f"x{i}") for i in itertools.count())
    shared, exprs = sp.cse([sp.sympify(v) for v in values], symbols=names, order="none")
    js = _Printer().doprint
    body = "".join(f"const {name} = {js(e)}; " for name, e in shared)
    out = result([js(e) for e in exprs])
    return f"({arguments}) => {{ {body}return {out}; }}" if body else f"({arguments}) => {out}"


def _object(fields: Mapping[str, str]) -> str:
    return "{" + ", ".join(f"{key}: {text}" for key, text in fields.items()) + "}"
