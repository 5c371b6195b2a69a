"""The explorable on PL: the browser's numbers against torch's and the theorem's, its words, and hands on it."""

import json
import re

import numpy as np
import pytest
import torch

from coursekit.descend import descend
from coursekit.problems import PLSine
from coursekit.rules import gradient_descent
from coursekit.theory import gd_pl
from coursekit.widgets import pl_inequality
from coursekit.widgets.bundle import bundle
from coursekit.widgets.polyak_lojasiewicz import LARGEST, L, X
from tests.browser import axe, serve

from .conftest import PAGE

F64 = torch.float64
START, GRIP = '.ck-land [role="slider"]', '.ck-ray [role="slider"]'
PHONE = {"viewport": {"width": 390, "height": 844}, "device_scale_factor": 2, "has_touch": True, "is_mobile": True}


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"mu": 0.0}, r"mu must lie in \[0.02, 8\], got 0.0"),
        ({"mu": float("nan")}, "mu"),
        ({"eta": 0.5}, r"eta must lie in \[0.004, 0.32\], got 0.5"),
        ({"start": -7.0}, r"start must lie in \[-6, 6\], got -7.0"),
    ],
)
def test_bad_arguments_are_refused_at_the_door(given, message):
    with pytest.raises(ValueError, match=message):
        pl_inequality(**given)


def test_the_static_figure_and_its_words_follow_the_choice():
    one, other = pl_inequality(), pl_inequality(mu=1.0, start=-3.0)
    assert one.png() != other.png()
    assert "mu is 1." in other.alt
    assert json.loads(re.search(r"json\">(.*)</script>", other.html())[1])["start"] == -3.0


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    where = tmp_path_factory.mktemp("pl")
    (where / "coursekit.js").write_text(bundle(), encoding="utf-8")
    # The model is a part of the module and not exported from it: this copy hands it out.
    (where / "model.js").write_text(
        bundle() + "\nexport const { study, violated, half } = pl_model_js;\n", "utf-8"
    )
    (where / "index.html").write_text(PAGE.format(title="PL", body=pl_inequality().html()), encoding="utf-8")
    with serve(where) as address:
        yield address


@pytest.fixture
def visit(browser, folder):
    contexts = []

    def open_page(**options):
        contexts.append(browser.new_context(**options))
        page = contexts[-1].new_page()
        page.on("pageerror", lambda error: pytest.fail(f"the page raised: {error}"))
        page.goto(folder)
        page.wait_for_selector('[role="slider"][aria-valuetext]', state="attached")
        return page

    yield open_page
    for context in contexts:
        context.close()


def ask(page, call):
    return page.evaluate(f"async () => {{ const m = await import('./model.js'); return {call}; }}")


def press(page, selector, *keys):
    page.locator(selector).focus()
    for key in keys:
        page.keyboard.press(key)
    page.evaluate("() => new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))")


def words(page):
    return page.locator(".ck-regime span").inner_text()


@pytest.mark.browser
def test_run_and_bound_are_those_of_descend_and_of_the_theorem(visit):
    page = visit()
    for eta_L in (0.05, 0.5, 1.0, 1.9):
        for start in (-5.5, 0.3, 2.2, 6.0):
            chosen = {"mu": LARGEST, "eta": eta_L / L, "start": start, "steps": 40}
            seen = ask(
                page,
                f"(({json.dumps(chosen)}), ((s) => [s.path, s.loss, s.bound].map((a) => Array.from(a)))"
                f"(m.study({json.dumps(chosen)}, {L}, {json.dumps(X)})))",
            )
            run = descend(
                PLSine(), gradient_descent, torch.tensor([start], dtype=F64), 40, eta=eta_L / L,
                record=("w", "f", "grad_norm"),
            )  # fmt: skip
            right = gd_pl.sides(run, {"L": L, "pl": LARGEST, "f_star": 0.0}).right
            ours = (run.w[:, 0], run.f, torch.cat([run.f[:1], right]))
            for got, expected in zip(seen, ours, strict=True):
                e = expected.numpy()
                assert (np.abs(np.array(got) - e) / np.maximum(1, np.abs(e))).max() < 1e-12


@pytest.mark.browser
def test_where_pl_is_violated_is_where_the_ratio_is_below_mu(visit):
    page = visit()
    w = torch.linspace(*X, 2401, dtype=F64)[:, None]
    f, g = PLSine().value_and_grad(w)
    for mu in (0.03, LARGEST, 0.18, 0.5, 2.0):
        below = g[:, 0] ** 2 / 2 < mu * f
        gaps = ask(page, f"m.violated({mu}, ...{json.dumps(X)})")
        marked = sum((w[:, 0] >= a - 1e-12) & (w[:, 0] <= b + 1e-12) for a, b in gaps)
        assert torch.equal(torch.as_tensor(marked, dtype=torch.bool).expand_as(below), below)
        assert bool(gaps) == (mu > LARGEST)


@pytest.mark.browser
def test_the_regime_in_words(visit):
    page = visit()
    assert words(page) == "PL holds everywhere with this μ. The loss stays below the bound, as the theorem says."
    press(page, GRIP, *["ArrowUp"] * 4)
    assert re.search(r"violated for \|w\| between [\d.]+ and [\d.]+, and step \d+ is there\.", words(page))
    press(page, START, *["Shift+ArrowLeft"] * 7)  # from 5 to 1.5, below the flat stretch
    assert "this run does not step there. PL at the points of the run is enough" in words(page)
    press(page, GRIP, *["Shift+ArrowUp"] * 20)
    assert "bound is broken at step 1. No theorem promised it" in words(page)
    page.get_by_role("button", name="reset").click()
    page.get_by_label("Step size η", exact=True).focus()
    press(page, 'input[type="range"] >> nth=0', "End")
    assert "η ≥ 2/L" in words(page)
    assert "ck-warning" in page.locator(".ck-regime").get_attribute("class")


@pytest.mark.browser
def test_start_and_curve_follow_the_mouse_and_the_largest_mu_is_reached_exactly(visit):
    page = visit()
    for selector, dx, dy in ((START, -80, 0), (GRIP, 0, -40)):
        before = float(page.locator(selector).get_attribute("aria-valuenow"))
        box = page.locator(selector).bounding_box()
        x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
        page.mouse.move(x, y)
        page.mouse.down()
        page.mouse.move(x + dx, y + dy, steps=4)
        page.mouse.up()
        press(page, selector)
        after = float(page.locator(selector).get_attribute("aria-valuenow"))
        assert (after < before) if dx else (after > before)
    page.get_by_role("button", name="largest μ").click()
    press(page, GRIP)
    assert float(page.locator(GRIP).get_attribute("aria-valuenow")) == LARGEST


@pytest.mark.browser
@pytest.mark.parametrize("theme", ["light", "dark"])
def test_a_phone_sees_everything_and_axe_finds_nothing(visit, theme):
    page = visit(**PHONE)
    page.evaluate("t => { document.documentElement.dataset.theme = t }", theme)
    press(page, GRIP, "ArrowUp")
    assert axe(page) == []
    assert page.evaluate("document.documentElement.scrollWidth") == 390
    for control in page.locator(".ck-ui :is(button, input, [tabindex])").all():
        box = control.bounding_box()
        assert round(min(box["width"], box["height"]), 3) >= 44
