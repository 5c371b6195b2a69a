"""The browser's numbers against torch's: generated JavaScript run in Chromium, `descend` run here."""

import numpy as np
import pytest
import torch

from coursekit.descend import descend
from coursekit.problems import Quadratic, Rosenbrock
from coursekit.rules import adagrad, adagrad_norm, amgt_reading, heavy_ball, lion, rule, sign_descent
from coursekit.rules.ops import absolute
from coursekit.rules.rule import Rule
from coursekit.widgets.bundle import RULES, assemble

pytestmark = pytest.mark.browser
F64 = torch.float64
SIGNS = (sign_descent, lion)
SMOOTH = [r for r in RULES if r not in SIGNS]
STARTS = torch.tensor([[-1.8, 0.5], [1.3, -1.1], [0.7, 0.0], [0.01, 1.5]], dtype=F64)
RUN = """async ([url, problem, rule, p, etas, starts, steps]) => {
  const { run } = await import(url);
  return etas.map((eta) => starts.map((w) => Array.from(run(problem, rule, p, { eta }, w, steps))));
}"""


@pytest.fixture(scope="module")
def page(browser, site):
    """One page for all tests of this module: they only call functions in it."""
    context = browser.new_context()
    opened = context.new_page()
    opened.goto(site)
    yield opened
    context.close()


def gap(page, url, problem, rule, etas, steps, starts=STARTS):
    """The largest difference between the browser's points and torch's, relative where they exceed 1."""
    p = {k: v.tolist() if isinstance(v, torch.Tensor) else v for k, v in vars(problem.p).items()}
    js = page.evaluate(RUN, [url, problem.name, rule.name, p, etas, starts.tolist(), steps])
    eta = torch.tensor(etas, dtype=F64)[:, None]
    w = descend(problem, rule, starts[None], steps, record=("w",), eta=eta).w
    ours = w.movedim(0, 2).numpy()  # (eta, start, step, coordinate)
    theirs = np.array(js).reshape(ours.shape)
    assert np.isfinite(ours).all()
    return float((np.abs(theirs - ours) / np.maximum(1, np.abs(ours))).max())


def module_of(page, rules, problem):
    """The address, inside the page, of a module with other rules than the bundle's."""
    text = assemble(rules, [problem])
    return page.evaluate("text => URL.createObjectURL(new Blob([text], {type: 'text/javascript'}))", text)


@pytest.mark.parametrize("rule", SMOOTH, ids=lambda r: r.name)
def test_quadratics_agree_for_200_steps(page, site, rule):
    for kappa in (1.0, 3.7, 10.0, 100.0):
        problem = Quadratic(torch.tensor([1.0, kappa], dtype=F64))
        # Below, at and beyond 1/L and 2/L: runs that diverge must agree as well.
        etas = [factor / kappa for factor in (0.03, 0.5, 1.0, 1.7, 2.0, 2.3)]
        assert gap(page, f"{site}/coursekit.js", problem, rule, etas, 200) < 1e-12


@pytest.mark.parametrize("rule", SMOOTH, ids=lambda r: r.name)
def test_rosenbrock_agrees_for_50_steps(page, site, rule):
    # Longer runs amplify rounding on this landscape: torch against torch, started one ulp apart, parts too.
    etas = [1e-2, 5e-2] if "eps" in rule.defaults else [1e-5, 1e-4]
    assert gap(page, f"{site}/coursekit.js", Rosenbrock(), rule, etas, 50) < 1e-12


# Where the argument of a sign is within rounding of 0, a difference in the last bit is a full step. So these
# starts are on no grid of the steps, and the smallest argument met is asserted to be far above rounding.
OFF_GRID = torch.tensor([[-1.81273, 0.48719], [1.29174, -1.10313]], dtype=F64)
SIGN_CASES = {
    "quadratic": (Quadratic(torch.tensor([1.0, 3.7], dtype=F64)), 200),
    "rosenbrock": (Rosenbrock(), 50),
}


@pytest.mark.parametrize("case", SIGN_CASES)
@pytest.mark.parametrize("rule", SIGNS, ids=lambda r: r.name)
def test_sign_rules_agree_away_from_sign_changes(page, site, rule, case):
    problem, steps = SIGN_CASES[case]
    etas = [1e-3, 1e-2]
    for eta in etas:
        g = descend(problem, rule, OFF_GRID, steps, record=("g",), eta=eta).g
        m, nearest = torch.zeros_like(g[0]), torch.inf
        for now in g[:-1]:
            c = rule.defaults["beta1"] * m + (1 - rule.defaults["beta1"]) * now if rule is lion else now
            m = rule.defaults.get("beta2", 0.0) * m + (1 - rule.defaults.get("beta2", 0.0)) * now
            nearest = min(nearest, float(c.abs().min()))
        assert nearest > 1e-7
    assert gap(page, f"{site}/coursekit.js", problem, rule, etas, steps, OFF_GRID) < 1e-12


def test_peaks_sums_and_windows_agree(page):
    @rule(
        eta=0.1,
        peaks={"top": lambda w, g, state, h: absolute(g)},
        sums={"s": lambda w, g, state, h: (g / h.top) ** 2},  # a sum finds the peaks in its h
    )
    def cautious_norm(w, g, state, scalars, h):
        return -h.eta * g / (scalars.top * scalars.s**0.5), ()

    problem = Quadratic(torch.tensor([1.0, 10.0], dtype=F64))
    windowed = amgt_reading("windowed", window=3, threshold="norm")
    url = module_of(page, [cautious_norm, windowed], problem)
    for made in (cautious_norm, windowed):
        assert gap(page, url, problem, made, [0.01, 0.1], 100, OFF_GRID) < 1e-12


def test_a_rule_with_a_wrong_sign_is_caught(page):
    def heavy_ball_wrong(w, g, state, scalars, h):
        (v,) = state
        v = h.beta * v - g
        return -h.eta * v, (v,)

    heavy_ball_wrong.__name__ = heavy_ball.name
    wrong = Rule(heavy_ball_wrong, heavy_ball.state, heavy_ball.defaults)
    problem = Quadratic(torch.tensor([1.0, 10.0], dtype=F64))
    assert gap(page, module_of(page, [wrong], problem), problem, heavy_ball, [1e-3], 20) > 1e-3


def test_a_sum_that_stops_at_one_coordinate_is_caught(page):
    def adagrad_alone(w, g, state, scalars, h):
        return adagrad(w, g, state, scalars, h)

    adagrad_alone.__name__ = adagrad_norm.name
    wrong = Rule(adagrad_alone, adagrad.state, adagrad_norm.defaults)
    problem = Quadratic(torch.tensor([1.0, 10.0], dtype=F64))
    assert gap(page, module_of(page, [wrong], problem), problem, adagrad_norm, [0.1], 20) > 1e-3
