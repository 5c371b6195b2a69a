"""The browser's numbers against torch's: generated JavaScript run in Chromium, `descend` run here."""

import numpy as np
import pytest
import torch

from coursekit.descend import descend
from coursekit.problems import Quadratic, Rosenbrock
from coursekit.rules import adam, gradient_descent, heavy_ball, nesterov
from coursekit.rules.rule import Rule
from coursekit.widgets.bundle import assemble

pytestmark = pytest.mark.browser
F64 = torch.float64
RULES = (gradient_descent, heavy_ball, nesterov, adam)
STARTS = torch.tensor([[-1.8, 0.5], [1.3, -1.1], [0.7, 0.0], [0.01, 1.5]], dtype=F64)
RUN = """async ([url, problem, rule, p, etas, starts, steps]) => {
  const { run } = await import(url);
  return etas.map((eta) => starts.map((w) => Array.from(run(problem, rule, p, { eta }, w, steps))));
}"""


def gap(page, url, problem, rule, etas, steps):
    """The largest difference between the browser's points and torch's, relative where they exceed 1."""
    p = {k: v.tolist() if isinstance(v, torch.Tensor) else v for k, v in vars(problem.p).items()}
    js = page.evaluate(RUN, [url, problem.name, rule.name, p, etas, STARTS.tolist(), steps])
    eta = torch.tensor(etas, dtype=F64)[:, None]
    w = descend(problem, rule, STARTS[None], steps, record=("w",), eta=eta).w
    ours = w.movedim(0, 2).numpy()  # (eta, start, step, coordinate)
    theirs = np.array(js).reshape(ours.shape)
    assert np.isfinite(ours).all()
    return float((np.abs(theirs - ours) / np.maximum(1, np.abs(ours))).max())


@pytest.mark.parametrize("rule", RULES, ids=lambda r: r.name)
def test_quadratics_agree_for_200_steps(visit, site, rule):
    page = visit()
    for kappa in (1.0, 3.7, 10.0, 100.0):
        problem = Quadratic(torch.tensor([1.0, kappa], dtype=F64))
        # Below, at and beyond 1/L and 2/L: runs that diverge must agree as well.
        etas = [factor / kappa for factor in (0.03, 0.5, 1.0, 1.7, 2.0, 2.3)]
        assert gap(page, f"{site}/coursekit.js", problem, rule, etas, 200) < 1e-12


@pytest.mark.parametrize("rule", RULES, ids=lambda r: r.name)
def test_rosenbrock_agrees_for_50_steps(visit, site, rule):
    # Longer runs amplify rounding on this landscape: torch against torch, started one ulp apart, parts too.
    etas = [1e-2, 5e-2] if rule is adam else [1e-5, 1e-4]
    assert gap(visit(), f"{site}/coursekit.js", Rosenbrock(), rule, etas, 50) < 1e-12


def test_a_rule_with_a_wrong_sign_is_caught(visit, site, browser):
    def heavy_ball_wrong(w, g, state, scalars, h):
        (v,) = state
        v = h.beta * v - g
        return -h.eta * v, (v,)

    heavy_ball_wrong.__name__ = heavy_ball.name
    wrong = Rule(heavy_ball_wrong, heavy_ball.state, heavy_ball.defaults)
    problem = Quadratic(torch.tensor([1.0, 10.0], dtype=F64))
    module = assemble([wrong], [problem])
    page = visit()
    url = page.evaluate("text => URL.createObjectURL(new Blob([text], {type: 'text/javascript'}))", module)
    assert gap(page, url, problem, heavy_ball, [1e-3], 20) > 1e-3
