"""The two explorables on quadratics: their numbers and words against torch's runs, and by hand in a browser."""

import numpy as np
import pytest
import torch

from coursekit.descend import descend
from coursekit.problems import Application, Quadratic
from coursekit.rules import gradient_descent
from coursekit.theory.quadratics import modes
from coursekit.widgets import amgt_table, condition_number
from coursekit.widgets.applications import PAPERS
from coursekit.widgets.bundle import bundle
from coursekit.widgets.condition import FLAT
from tests.browser import axe, browser, serve

from .conftest import PAGE, visit

__all__ = ["browser", "visit"]
pytestmark = pytest.mark.browser
F64 = torch.float64
PHONE = {"viewport": {"width": 390, "height": 844}, "device_scale_factor": 2, "has_touch": True, "is_mobile": True}
REACHES = (0.1, 0.8, 1.0, 1.5, 2.2)
STARTS = ((1.6, 0.6), (-0.7, 1.0), (0.3, 0.0), (0.0, -0.5))
ONE_ULP = 1 - 2.0**-53
Q = torch.tensor([FLAT, (-FLAT[1], FLAT[0])], dtype=F64).T
STUDY = """async ([url, maker, given, etas, starts, steps]) => {
  const { quadratic_model_js: model } = await import(url);
  const problem = model[maker](...given);
  const plain = (s) => ({ ...s, path: [...s.path], modes: s.modes.map((u) => [...u]), bound: [...s.bound] });
  const runs = etas.map((eta) => starts.map((start) => plain(model.study(problem, { eta, start, steps }))));
  return [problem.lam, runs];
}"""


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """A folder with a page of both explorables, and the module with its model laid open."""
    folder = tmp_path_factory.mktemp("site")
    (folder / "coursekit.js").write_text(bundle(), encoding="utf-8")
    (folder / "open.js").write_text(bundle() + "\nexport { quadratic_model_js };\n", encoding="utf-8")
    body = condition_number().html() + amgt_table().html()
    (folder / "index.html").write_text(PAGE.format(title="Quadratics", body=body), encoding="utf-8")
    with serve(folder) as address:
        yield address


@pytest.fixture(scope="module")
def study(browser, site):
    """``study(maker, given, etas, starts, steps)``: the browser's eigenvalues, and its runs by eta and start."""
    context = browser.new_context()
    page = context.new_page()
    page.goto(site)
    yield lambda *given: page.evaluate(STUDY, [f"{site}/open.js", *given])
    context.close()


def settle(page):
    page.evaluate("() => new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))")


def run(problem, start, eta, steps=60):
    return descend(problem, gradient_descent, torch.tensor(start, dtype=F64), steps, record=("w",), eta=eta)


def eigen_coordinates(run, basis):
    """|u_i(t)|, (2, T+1): from the theorem's own eigenvectors, or from given ones where it has a choice."""
    u = run.w @ basis if basis is not None else modes(run, {"w_star": run.problem.w_star})[1]
    return u.abs().T.numpy()


def gap(ours, theirs, scale):
    return float((np.abs(np.asarray(theirs).reshape(ours.shape) - ours) / np.maximum(1, scale)).max())


@pytest.mark.parametrize("kappa", [1.0, 1.5, 10.0, 100.0])
def test_the_tilted_quadratic_is_run_as_in_torch(study, kappa):
    problem = Quadratic(torch.tensor([1.0, kappa], dtype=F64), basis=Q)
    best = 2 * kappa / (kappa + 1)
    etas = [reach / kappa for reach in (*REACHES, best, 2.0)]
    lam, shown = study("tilted", [kappa, FLAT], etas, STARTS, 60)
    assert lam == [1, kappa]
    for eta, row in zip(etas, shown, strict=True):
        for u, js in zip(STARTS, row, strict=True):
            ours = run(problem, (Q @ torch.tensor(u, dtype=F64)).tolist(), eta)
            size = ours.w.norm(dim=-1).numpy()
            assert gap(ours.w.numpy(), js["path"], size[:, None]) < 1e-12
            assert gap(eigen_coordinates(ours, Q if kappa == 1 else None), np.abs(js["modes"]), size) < 1e-12
            assert (size <= np.array(js["bound"]) * (1 + 1e-12) + 1e-15).all()
    wrong = study("tilted", [kappa, FLAT], [1.01 * etas[0]], STARTS[:1], 60)[1][0][0]
    right = run(problem, (Q @ torch.tensor(STARTS[0], dtype=F64)).tolist(), etas[0])
    assert gap(right.w.numpy(), wrong["path"], np.ones((61, 1))) > 1e-4  # one percent of the step would be seen


@pytest.mark.parametrize("number", [1, 2])
def test_the_applications_are_run_as_in_torch(study, number):
    problem = Application(number)
    etas, starts = [eta for eta, _ in PAPERS[number]["rows"]], [PAPERS[number]["start"], (1.0, 0.0), (-0.4, 2.0)]
    lam, shown = study("application", [number], etas, starts, 60)
    assert np.allclose(lam, [float(problem.mu), float(problem.L)], rtol=1e-14, atol=0)
    for eta, row in zip(etas, shown, strict=True):
        for start, js in zip(starts, row, strict=True):
            ours = run(problem, start, eta)
            size = ours.w.norm(dim=-1).numpy()
            assert gap(ours.w.numpy(), js["path"], size[:, None]) < 1e-12
            assert gap(eigen_coordinates(ours, None), np.abs(js["modes"]), size) < 1e-12


def test_one_unit_in_the_last_place_is_not_lost_on_the_way(study):
    exact, beside = study("application", [1], [0.4], [(1.0, 1.0), (1.0, ONE_ULP)], 60)[1][0]
    assert all(x == 0 for x in exact["modes"][1])  # an eigenvector to the last bit
    # The law says 2^-53.5 · 1.4^60 = 4.6e-8; the rounding of the first steps is of the size of the trace itself.
    assert 1e-9 < abs(beside["modes"][1][-1]) < 1e-6
    assert 1e-9 < float(run(Application(1), (1.0, ONE_ULP), 0.4).w[-1].norm()) < 1e-6
    assert exact["falls"]
    assert not beside["falls"]
    assert beside["words"].startswith("Converges at first")


def test_the_words_say_what_torchs_run_does(study):
    for kappa in (1.0, 4.0, 30.0):
        problem = Quadratic(torch.tensor([1.0, kappa], dtype=F64))
        etas = [reach / kappa for reach in (*REACHES, 2 * kappa / (kappa + 1) * 1.001, 2.0)]
        runs = run(
            problem, STARTS, torch.tensor(etas, dtype=F64)[:, None], 2000
        ).w  # (step, eta, start, coordinate)
        shown = study("tilted", [kappa, FLAT], etas, STARTS, 60)[1]
        for eta, row, by_eta in zip(etas, shown, runs.unbind(1), strict=True):
            for start, js, w in zip(STARTS, row, by_eta.unbind(1), strict=True):
                assert js["falls"] == bool(w[-1].norm() < 1e-2 * w[0].norm())
                assert ("iverges" in js["words"]) == bool(w[-1].norm() > 10 * w[0].norm())
                flips = bool((w[1:40, 1] * w[:39, 1] < 0).all())
                if js["falls"] and all(start) and eta * kappa != 1:
                    assert js["words"].startswith("Zig-zag") == flips


def words(page, kind):
    settle(page)
    return page.locator(f"[data-ck]:has({kind}) .ck-regime").inner_text()


CONDITION, TABLE = '[aria-label="Step size on the V"]', ".ck-steps"


def test_the_condition_number_by_mouse_and_keyboard(visit):
    page = visit()
    ui = page.locator(".ck-ui").nth(0)
    assert "Zig-zag" in words(page, CONDITION)
    ui.get_by_role("button", name="η = 1/L").click()
    assert "then a crawl" in words(page, CONDITION).lower()
    ui.get_by_role("button", name="η = 2/(L + μ)").click()
    assert "best fixed step" in words(page, CONDITION)
    mark = page.locator(CONDITION)
    mark.focus()
    for _ in range(5):
        page.keyboard.press("ArrowRight")
    assert "Diverges" in words(page, CONDITION)
    ui.get_by_role("button", name="start on the flat axis").click()
    assert "only the flat mode" in words(page, CONDITION)
    start = ui.locator('[aria-roledescription="draggable point"]')
    start.focus()
    page.keyboard.press("ArrowUp")
    assert "Diverges" in words(page, CONDITION)
    ui.get_by_label("Condition number").focus()
    page.keyboard.press("Home")
    ui.get_by_role("button", name="η = 1/L").click()
    assert "One curvature" in words(page, CONDITION)
    ui.get_by_role("button", name="reset the start").click()
    settle(page)
    before = start.get_attribute("aria-label")
    start.scroll_into_view_if_needed()
    box = start.bounding_box()
    page.mouse.move(box["x"] + 22, box["y"] + 22)
    page.mouse.down()
    page.mouse.move(box["x"] - 38, box["y"] + 42, steps=4)
    page.mouse.up()
    settle(page)
    assert start.get_attribute("aria-label") != before


def test_the_table_says_what_the_run_does_and_what_the_paper_says(visit):
    page = visit()
    ui = page.locator(".ck-ui").nth(1)
    text = words(page, TABLE)
    assert "converges, ×0.2 a step" in text
    assert "The paper says: oscillates or diverges" in text
    assert ui.locator("tbody tr").count() == 6
    ui.get_by_role("button", name="one ulp beside it").click()
    assert "then diverges, ×1.4 a step" in words(page, TABLE)
    ui.get_by_role("button", name="start at (1, 0)").click()
    cells = [row.locator("td").nth(2).inner_text() for row in ui.locator("tbody tr").all()]
    assert cells[1] == cells[2] == "converges, ×0.8 a step"
    ui.get_by_role("button", name="Application 2").click()
    settle(page)
    ui.get_by_role("button", name="η = 0.4", exact=True).click()
    assert "diverges, ×1.094 a step" in words(page, TABLE)
    assert ui.get_by_role("button", name="Application 2").get_attribute("aria-pressed") == "true"


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("options", [{}, PHONE], ids=["desk", "phone"])
def test_axe_finds_nothing_and_a_phone_does_not_scroll_sideways(visit, theme, options):
    page = visit(**options)
    page.evaluate("t => { document.documentElement.dataset.theme = t }", theme)
    settle(page)
    assert axe(page) == []
    assert page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0
    for control in page.locator(".ck-ui :is(button, input, [tabindex])").all():
        box = control.bounding_box()
        assert round(min(box["width"], box["height"]), 3) >= 44
    page.locator(CONDITION).evaluate("e => e.removeAttribute('aria-label')")
    assert [v["id"] for v in axe(page)] == ["aria-input-field-name"]  # and axe would have seen a nameless slider


def test_without_javascript_the_figures_stand(visit):
    page = visit(drawn=False, java_script_enabled=False)
    images = page.locator(".ck-fallback img")
    assert [images.nth(i).is_visible() for i in (0, 1)] == [True, True]
    assert "Newton step" in images.nth(0).get_attribute("alt")


@pytest.mark.parametrize(
    ("made", "given", "message"),
    [
        (condition_number, {"kappa": 0.5}, r"kappa must lie in \[1, 100\], got 0.5"),
        (condition_number, {"reach": float("nan")}, "reach"),
        (condition_number, {"start": (1.0,)}, "start must be two numbers"),
        (condition_number, {"start": (0.0, 1.2)}, "the start's steep coordinate must lie in"),
        (amgt_table, {"application": 3}, "number must be 1 or 2"),
        (amgt_table, {"eta": 2.0}, "eta must lie in"),
        (amgt_table, {"start": (0.0, 3.0)}, "the start's second coordinate must lie in"),
        (amgt_table, {"start": (0.0,)}, "start must be two numbers"),
    ],
)
def test_bad_arguments_are_refused_at_the_door(made, given, message):
    with pytest.raises(ValueError, match=message):
        made(**given)
