"""Every point that can be dragged follows a finger, in all explorables; beside it a finger scrolls the page."""

import pytest

from coursekit import widgets
from coursekit.widgets.bundle import bundle
from tests.browser import serve

from .conftest import PAGE

pytestmark = pytest.mark.browser
PHONE = {"viewport": {"width": 390, "height": 844}, "device_scale_factor": 2, "has_touch": True, "is_mobile": True}
GRIPS = {"descent_lemma": 2, "condition_number": 2, "amgt_table": 1, "momentum": 1, "pl_inequality": 2}
GRIP = ".ck-handle"


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    where = tmp_path_factory.mktemp("touch")
    (where / "coursekit.js").write_text(bundle(), encoding="utf-8")
    for kind in GRIPS:
        body = getattr(widgets, kind)().html() + '<div style="height: 3000px"></div>'  # there is room to scroll
        (where / f"{kind}.html").write_text(PAGE.format(title=kind, body=body), encoding="utf-8")
    with serve(where) as address:
        yield address


@pytest.fixture
def visit(browser, folder):
    context = browser.new_context(**PHONE)
    page = context.new_page()
    page.on("pageerror", lambda error: pytest.fail(f"the page raised: {error}"))

    def open_page(kind):
        page.goto(f"{folder}/{kind}.html")
        page.wait_for_selector(f"{GRIP}[aria-label]")
        return page

    yield open_page
    context.close()


def swipe(page, x, y, dx, dy):
    """A finger put down at (x, y), moved in six steps and lifted."""
    touch = page.context.new_cdp_session(page)
    for step in range(7):
        points = [{"x": x + dx * step / 6, "y": y + dy * step / 6}]
        kind = "touchMove" if step else "touchStart"
        touch.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})
    touch.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})
    page.evaluate("() => new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))")


def state(page, grip):
    """Where the page stands, where the point lies on it, and what a screen reader says of the point."""
    said = [grip.get_attribute(name) for name in ("aria-label", "aria-valuetext", "aria-valuenow")]
    box = grip.bounding_box()
    return page.evaluate("scrollY"), (box["x"] + box["width"] / 2, box["y"] + box["height"] / 2), said


@pytest.mark.parametrize("kind", GRIPS)
def test_every_point_follows_a_finger(visit, kind):
    page = visit(kind)
    grips = page.locator(GRIP)
    assert grips.count() == GRIPS[kind]
    for grip in grips.all():
        grip.scroll_into_view_if_needed()
        before, (x, y), said = state(page, grip)
        # Towards the middle, so that there is room; a curve held by one point may be lifted only.
        swipe(page, x, y, 40 if x < 195 else -40, -30)
        after, moved, says = state(page, grip)
        assert after == before
        assert abs(moved[0] - x) + abs(moved[1] - y) > 15
        assert says != said


@pytest.mark.parametrize("kind", GRIPS)
def test_a_finger_beside_the_point_scrolls_the_page(visit, kind):
    page = visit(kind)
    grip = page.locator(GRIP).first
    grip.scroll_into_view_if_needed()
    plot = page.locator(".ck-plot").first.bounding_box()
    before, (x, y), said = state(page, grip)
    side = plot["x"] + (0.9 if x < plot["x"] + plot["width"] / 2 else 0.1) * plot["width"]
    swipe(page, side, y, 0, -200)
    after, _, says = state(page, grip)
    assert after > before
    assert says == said
