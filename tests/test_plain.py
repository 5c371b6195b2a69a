"""Mathematics in a terminal."""

import pytest

from coursekit.claims.check import registered
from coursekit.plain import plain


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("no mathematics, $0 < \\eta < 2/L$", "no mathematics, 0 < η < 2/L"),
        (r"$\frac12\|\nabla f\|^2$", "1/2‖∇f‖²"),
        (r"$\frac{2L\Delta_0}{T} \le \sqrt{v+\epsilon}$", "(2LΔ_0)/T ≤ √(v+ε)"),
        (r"$\hat m$, $\mathbb E\lambda_{\max}$, $10^{-3}$, $w^*$", "m̂, Eλ_max, 1e-3, w*"),
        (r"$\eta\lambda$ but \$5", r"ηλ but \$5"),
    ],
)
def test_plain(text: str, shown: str) -> None:
    assert plain(text) == shown


def test_no_check_prints_a_backslash() -> None:
    """The names of measured numbers, as they stand in the sources of the checks."""
    import ast
    import inspect

    names = [
        node.value
        for check in registered().values()
        for node in ast.walk(ast.parse(inspect.getsource(check)))
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and node.value.count("$") >= 2
    ]
    assert len(names) > 100
    assert [name for name in names if "\\" in plain(name)] == []
