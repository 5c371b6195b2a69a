"""The explorable as a reader meets it: mouse, keyboard, words, both themes, a phone, and no JavaScript."""

import re

import pytest
import torch

from coursekit.descend import descend
from coursekit.problems import Quadratic
from coursekit.rules import gradient_descent
from coursekit.theory import descent_lemma as lemma
from tests.browser import axe

pytestmark = pytest.mark.browser
PHONE = {"viewport": {"width": 390, "height": 844}, "device_scale_factor": 2, "has_touch": True, "is_mobile": True}
START = '[aria-roledescription="draggable point"]'
STEP = '.ck-ray [role="slider"]'


def settle(page):
    page.evaluate("() => new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))")


def start_of(page):
    text = page.locator(START).get_attribute("aria-label").replace("−", "-")
    return [float(x) for x in re.search(r"\((\S+), (\S+)\)", text).groups()]


def eta_of(page):
    return float(page.locator(STEP).get_attribute("aria-valuenow"))


def regime_of(page):
    settle(page)
    return page.locator(".ck-regime span").inner_text()


def press(page, selector, *keys):
    page.locator(selector).focus()
    for key in keys:
        page.keyboard.press(key)
    settle(page)


def centre(page, selector):
    page.locator(selector).scroll_into_view_if_needed()
    box = page.locator(selector).bounding_box()
    return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2


def drag(page, selector, dx, dy):
    x, y = centre(page, selector)
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x + dx, y + dy, steps=6)
    page.mouse.up()
    settle(page)


def test_the_start_follows_the_mouse_and_the_arrow_keys(visit):
    page = visit()
    drag(page, START, 60, 40)
    x, y = start_of(page)
    assert -1.8 < x < -0.8
    assert -0.4 < y < 0.5
    press(page, START, "ArrowRight", "Shift+ArrowUp")
    assert start_of(page) == pytest.approx([x + 0.05, y + 0.25])
    page.get_by_role("button", name="reset the start").click()
    settle(page)
    assert start_of(page) == [-1.8, 0.5]


def test_the_start_cannot_leave_the_landscape(visit):
    page = visit()
    press(page, START, *["Shift+ArrowLeft"] * 4, *["Shift+ArrowUp"] * 8)
    assert start_of(page) == [-2, 1.5]


def test_the_step_marker_follows_the_mouse_and_holds_at_the_limits(visit):
    page = visit()
    width = page.locator(".ck-ray .ck-plot").bounding_box()["width"] - 20  # its margins; 3/L wide
    drag(page, STEP, 0.4 * width / 3, 10)
    assert eta_of(page) == pytest.approx(0.138, abs=0.004)
    drag(page, STEP, 0.63 * width / 3, 0)
    assert eta_of(page) == 0.2  # within a few pixels of 2/L: 2/L exactly


def test_both_sliders_work_by_keyboard_and_stop_exactly_at_the_limits(visit):
    page = visit()
    eta = page.get_by_label("Step size η", exact=True)
    eta.focus()
    page.keyboard.press("ArrowRight")
    settle(page)
    assert eta_of(page) == 0.1
    assert eta.get_attribute("aria-valuetext") == "0.1 = 1/L"
    for _ in range(40):
        page.keyboard.press("ArrowRight")
        settle(page)
        if eta_of(page) >= 0.2:
            break
    assert eta_of(page) == 0.2
    press(page, 'input[type="range"] >> nth=1', "End")
    assert page.get_by_label("Curvatures 1 and L").get_attribute("aria-valuetext") == "L = κ = 100"
    assert eta_of(page) == 0.2  # the step stays, the limits move past it
    assert eta.get_attribute("aria-valuetext") == "0.2 = 20/L"


def test_the_regime_in_words_on_each_side_of_both_limits(visit):
    page = visit()
    assert regime_of(page).startswith("Monotone")
    page.get_by_role("button", name="η = 1/L").click()
    assert regime_of(page).startswith("Monotone")
    press(page, STEP, "ArrowRight")  # 1.05/L
    assert regime_of(page).startswith("The steep coordinate changes sign")
    page.get_by_role("button", name="η = 2/L").click()
    press(page, STEP, "ArrowLeft")  # 1.95/L
    assert regime_of(page).startswith("The steep coordinate changes sign")
    press(page, STEP, "ArrowRight")
    assert regime_of(page).startswith("η = 2/L exactly")
    press(page, STEP, "ArrowRight")  # 2.05/L
    assert regime_of(page).startswith("Diverges")
    page.get_by_role("button", name="start on the flat axis").click()
    assert "no component along the steep direction: f falls all the same" in regime_of(page)
    press(page, START, "ArrowUp")
    assert regime_of(page).startswith("Diverges")
    status = page.get_by_role("status")
    page.wait_for_function("e => e.textContent.includes('Diverges')", arg=status.element_handle())


@pytest.mark.parametrize("keys", [[], ["ArrowRight"] * 9, ["ArrowRight"] * 22], ids=["0.98", "1.45", "2.1"])
def test_the_numbers_are_those_of_the_theorem(visit, keys):
    page = visit()
    press(page, STEP, *keys)
    problem = Quadratic(torch.tensor([1.0, 10.0], dtype=torch.float64))
    w0 = torch.tensor(start_of(page), dtype=torch.float64)
    run = descend(problem, gradient_descent, w0, 50, eta=eta_of(page))
    sides = lemma.sides(run, {"L": 10.0})
    shown = [page.locator(".ck-ray .ck-key b").nth(i).inner_text() for i in (0, 1)]
    for text, value in zip(shown, (float(sides.promised[0]), float(sides.achieved[0])), strict=True):
        assert float(re.search(r"[\d.]+$", text)[0]) == pytest.approx(abs(value), rel=5e-3)
        assert ("rise" in text) == (value < 0)
    assert ("promises nothing" in page.locator(".ck-time .ck-below").inner_text()) == (eta_of(page) > 0.2)


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("options", [{}, PHONE], ids=["desk", "phone"])
def test_axe_finds_nothing(visit, theme, options):
    page = visit(**options)
    before = page.locator(".ck-ui").evaluate("e => getComputedStyle(e).backgroundColor")
    page.evaluate("t => { document.documentElement.dataset.theme = t }", theme)
    settle(page)
    after = page.locator(".ck-ui").evaluate("e => getComputedStyle(e).backgroundColor")
    assert (before == after) == (theme == "light")  # the explorable followed the page
    assert axe(page) == []
    page.locator(STEP).evaluate("e => e.removeAttribute('aria-label')")
    assert [v["id"] for v in axe(page)] == ["aria-input-field-name"]  # and axe would have seen a nameless slider


def test_a_phone_sees_everything_without_scrolling_sideways(visit):
    page = visit(**PHONE)
    assert page.evaluate("document.documentElement.scrollWidth") == 390
    for control in page.locator(".ck-ui :is(button, input, [tabindex])").all():
        box = control.bounding_box()
        assert round(min(box["width"], box["height"]), 3) >= 44


def test_focus_is_visible(visit):
    page = visit()
    for _ in range(12):
        page.keyboard.press("Tab")
        name, style = page.evaluate(
            "[document.activeElement.tagName, getComputedStyle(document.activeElement).outlineStyle]"
        )
        if name == "BODY":
            break
        assert style == "solid"
    assert name == "BODY"  # every control was reached and left again: no keyboard trap


def test_without_javascript_the_figure_stands(visit):
    page = visit(drawn=False, java_script_enabled=False)
    image = page.locator(".ck-fallback img")
    assert image.is_visible()
    assert "parabola" in image.get_attribute("alt")
    assert image.bounding_box()["width"] > 300


def test_with_javascript_the_figure_steps_aside_but_is_printed(visit):
    page = visit()
    assert not page.locator(".ck-fallback").is_visible()
    page.emulate_media(media="print")
    assert page.locator(".ck-fallback img").is_visible()
    assert not page.locator(".ck-ui").is_visible()
