"""Momentum's map: the browser's recursion against numpy's roots and the theorems, and the explorable in hand."""

import json
import re

import numpy as np
import pytest
import torch

from coursekit.descend import descend
from coursekit.problems import Quadratic
from coursekit.rules import heavy_ball, nesterov
from coursekit.theory.momentum import largest_root, nesterov_parameters, polyak_parameters
from coursekit.widgets import momentum
from coursekit.widgets.bundle import bundle
from coursekit.widgets.modes import recursion
from tests.browser import axe, serve

from .conftest import PAGE

F64 = torch.float64
RULES = {rule.name: rule for rule in (heavy_ball, nesterov)}
GRIP = '[aria-roledescription="draggable point"]'
EXACT = {  # s and p as the theorems state them
    "heavy_ball": lambda x, b: (1 + b - x, b + 0 * x),
    "nesterov": lambda x, b: ((1 + b) * (1 - x), b * (1 - x)),
}
GRID = torch.cartesian_prod(torch.linspace(0.02, 4.2, 23, dtype=F64), torch.linspace(0, 0.99, 12, dtype=F64))


@pytest.mark.parametrize("method", RULES)
def test_the_recursion_is_that_of_the_theorem(method):
    x, beta = GRID.T
    for read, exact in zip(recursion(RULES[method], x, beta), EXACT[method](x, beta), strict=True):
        torch.testing.assert_close(read, exact, rtol=0, atol=1e-13)
    wrong = EXACT["nesterov" if method == "heavy_ball" else "heavy_ball"](x, beta)
    assert float((recursion(RULES[method], x, beta)[0] - wrong[0]).abs().max()) > 0.1


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"kappa": 0.5}, r"kappa must lie in \[1, 100\], got 0.5"),
        ({"reach": float("nan")}, "reach"),
        ({"beta": 1.0}, r"beta must lie in \[0, 0.99\], got 1.0"),
        ({"method": "adam"}, "method must be one of heavy_ball, nesterov, got 'adam'"),
    ],
)
def test_bad_arguments_are_refused_at_the_door(given, message):
    with pytest.raises(ValueError, match=message):
        momentum(**given)


def test_the_static_figure_and_its_words_follow_the_choice():
    one, other = momentum(), momentum(beta=0.9, method="nesterov")
    assert one.png() != other.png()
    assert "Nesterov" in other.alt
    assert json.loads(re.search(r"json\">(.*)</script>", other.html())[1])["beta"] == 0.9


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    where = tmp_path_factory.mktemp("momentum")
    (where / "coursekit.js").write_text(bundle(), encoding="utf-8")
    # The model is a part of the module and not exported from it: this copy hands it out.
    (where / "model.js").write_text(
        bundle() + "\nexport const { study, mode, best } = momentum_model_js;\n", "utf-8"
    )
    (where / "index.html").write_text(PAGE.format(title="Momentum", body=momentum().html()), encoding="utf-8")
    with serve(where) as address:
        yield address


@pytest.fixture
def page(browser, folder):
    context = browser.new_context()
    opened = context.new_page()
    opened.on("pageerror", lambda error: pytest.fail(f"the page raised: {error}"))
    opened.goto(folder)
    opened.wait_for_selector(f"{GRIP}[aria-label]")
    yield opened
    context.close()


def ask(page, call):
    return page.evaluate(f"async () => {{ const m = await import('./model.js'); return {call}; }}")


@pytest.mark.browser
@pytest.mark.parametrize("method", RULES)
def test_roots_agree_with_numpy_and_the_largest_with_the_theorem(page, method):
    x, beta = GRID.T
    theirs = ask(page, f"{GRID.tolist()}.map(([x, b]) => m.mode('{method}', x, b))")
    s, p = EXACT[method](x, beta)
    largest = largest_root(s, p)
    for i, got in enumerate(theirs):
        if got["equal"]:
            continue  # at a double root half of the digits are lost, in any formula
        roots = np.sort_complex(np.roots([1, float(s[i]), float(p[i])]) * -1)
        ours = np.sort_complex([complex(*z) for z in got["roots"]])
        if abs(got["D"]) > 1e-3:
            assert np.abs(ours - roots).max() < 1e-12
        assert got["r"] == pytest.approx(float(largest[i]), abs=1e-11)


@pytest.mark.browser
@pytest.mark.parametrize("method", RULES)
def test_the_trajectories_are_those_of_descend(page, method):
    for kappa, reach, beta in ((10, 1.0, 0.6), (100, 2.5, 0.9), (3.7, 3.9, 0.2), (1, 0.02, 0.99)):
        chosen = json.dumps({"method": method, "kappa": kappa, "reach": reach, "beta": beta, "steps": 60})
        u = np.array(ask(page, f"m.study({chosen}).u.map((x) => Array.from(x))")).T
        problem, start = Quadratic(torch.tensor([1.0, kappa], dtype=F64)), torch.ones(2, dtype=F64)
        w = descend(problem, RULES[method], start, 60, record=("w",), eta=reach / kappa, beta=beta).w.numpy()
        assert (np.abs(u - w) / np.maximum(1, np.abs(w))).max() < 1e-12


@pytest.mark.browser
def test_the_best_parameters_are_those_of_the_theorems(page):
    for method, parameters in (("heavy_ball", polyak_parameters), ("nesterov", nesterov_parameters)):
        for kappa in (2.0, 10.0, 100.0):
            eta, rho, _ = parameters({"L": kappa, "mu": 1.0})
            beta = polyak_parameters({"L": kappa, "mu": 1.0})[1] ** (2 if method == "heavy_ball" else 1)
            got = ask(page, f"m.best('{method}', {kappa})")
            assert got["reach"] == pytest.approx(float(eta) * kappa, abs=1e-12)
            assert got["beta"] == pytest.approx(float(beta), abs=1e-12)
            slowest = ask(page, f"m.mode('{method}', {got['reach'] / kappa}, {got['beta']}).r")
            assert slowest == pytest.approx(float(rho), abs=1e-7)  # a double root


def regime(page):
    page.evaluate("() => new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))")
    return page.locator(".ck-regime span").inner_text()


@pytest.mark.browser
def test_the_regime_in_words_by_button_key_and_mouse(page):
    assert regime(page) == "Each mode swings (complex roots)."
    page.get_by_role("button", name="best for this κ").click()
    assert regime(page).startswith("The best there is")
    page.get_by_role("button", name="Nesterov").click()
    assert regime(page).startswith("No convergence")  # 2.31 lies past Nesterov's wall
    page.get_by_role("button", name="no memory").click()
    page.get_by_role("button", name="heavy ball").click()
    assert "a root outside" in regime(page)
    page.locator(GRIP).focus()
    for _ in range(3):
        page.keyboard.press("Shift+ArrowUp")
    assert not regime(page).startswith("No convergence")  # momentum moved the wall out
    page.locator(GRIP).scroll_into_view_if_needed()
    box = page.locator(GRIP).bounding_box()
    page.mouse.move(box["x"] + 22, box["y"] + 22)
    page.mouse.down()
    page.mouse.move(box["x"] + 222, box["y"] + 22, steps=4)
    page.mouse.up()
    assert regime(page).startswith("No convergence")
    status = page.get_by_role("status").element_handle()
    page.wait_for_function("e => e.textContent.includes('No convergence')", arg=status)


@pytest.mark.browser
@pytest.mark.parametrize("theme", ["light", "dark"])
def test_axe_finds_nothing_on_a_phone(page, theme):
    page.set_viewport_size({"width": 390, "height": 844})
    page.evaluate("t => { document.documentElement.dataset.theme = t }", theme)
    regime(page)
    assert page.evaluate("document.documentElement.scrollWidth") == 390
    assert axe(page) == []
    page.locator(GRIP).evaluate("e => e.removeAttribute('aria-label')")
    assert [v["id"] for v in axe(page)] == ["aria-command-name"]
