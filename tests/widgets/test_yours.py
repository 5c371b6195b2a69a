"""The reader's own run over an explorable: computed in the kernel, drawn as rings, never an error."""

import re

import pytest
import torch

from coursekit.descend import descend
from coursekit.problems import Quadratic
from coursekit.rules import gradient_descent
from coursekit.widgets import condition_number, descent_lemma
from coursekit.widgets.bundle import bundle
from coursekit.widgets.explorable import STATIC
from tests.browser import browser, serve

__all__ = ["browser"]
F64 = torch.float64


def right(f, w, eta, steps):
    yield w
    for _ in range(steps):
        w = w - eta * f.grad(w)
        yield w


def unwritten(f, w, eta, steps):
    yield w
    raise NotImplementedError("gd_step is not written yet")


def uphill(f, w, eta, steps):
    while True:
        yield w
        w = w + 100 * f.grad(w)


def arrives(f, w, eta, steps):
    yield w
    yield 0 * w


def broken(f, w, eta, steps):
    yield f(w)


def test_the_points_are_those_of_torchs_run():
    shown = descent_lemma(kappa=10.0, eta=0.15, start=(-1.0, 0.5), yours=right)
    problem = Quadratic(torch.tensor([1.0, 10.0], dtype=F64))
    run = descend(problem, gradient_descent, torch.tensor([-1.0, 0.5], dtype=F64), 50, record=("w",), eta=0.15)
    torch.testing.assert_close(torch.tensor(shown.spec["yours"]["path"], dtype=F64), run.w)
    tilted = condition_number(reach=1.2, yours=right)
    path = torch.tensor(tilted.spec["yours"]["path"], dtype=F64)
    assert path.shape == (61, 2)
    assert path[-1].norm() < 1e-2 * path[0].norm()
    assert (path[1] - path[0]).norm() > 0.1


@pytest.mark.parametrize("explorable", [descent_lemma, condition_number])
@pytest.mark.parametrize(
    ("run", "said"),
    [
        (right, r"Your run: \d+ points, \d+ gradients, f ends at [\de.-]+\.$"),
        (unwritten, r"Your run: gd_step is not written yet\.$"),
        (arrives, r"2 points, 0 gradients, f ends at 0\.$"),
        (uphill, r"then it leaves the picture\.$"),
        (broken, r"Your run: it stops with ValueError: a point must be a tensor of shape \(2,\)\.$"),
        (lambda f, w, eta, steps: 1 / 0, r"it stops with ZeroDivisionError: division by zero\.$"),
        (lambda f, w, eta, steps: [], r"0 points"),
    ],
)
def test_whatever_the_function_does_becomes_words_and_a_figure(monkeypatch, explorable, run, said):
    shown = explorable(yours=run)
    monkeypatch.delenv(STATIC, raising=False)
    text = shown._repr_mimebundle_()["text/plain"]
    assert text == repr(explorable(yours=run))  # fixed, for a comparison of notebooks
    assert re.search(said, text)
    assert shown.png() != explorable().png() if run is right else shown.png()


def test_the_kernel_answers_what_the_reader_chooses(monkeypatch):
    from coursekit.widgets.live import LiveView

    shown = descent_lemma(yours=right)
    view = LiveView(shown.spec, shown.yours)
    assert view.yours == {}
    chosen = {"kappa": 4.0, "eta": 0.25, "start": [1.0, 1.0]}
    view.chosen = chosen
    assert view.yours["of"] == chosen
    assert view.yours["path"][1] == [0.75, 0.0]


MODEL = """async ([url, spec]) => {
  const { default: widget } = await import(url);
  const told = {}, asked = [], state = { spec };
  const model = {
    get: (name) => state[name], set: (name, value) => { state[name] = value; },
    save_changes: () => asked.push(JSON.parse(JSON.stringify(state.chosen))),
    on: (event, call) => { told[event] = call; }, off: (event) => { delete told[event]; },
  };
  const el = document.querySelector("main").appendChild(document.createElement("div"));
  const remove = widget.render({ model, el });
  const pause = (ms) => new Promise((done) => setTimeout(done, ms));
  await pause(60);
  const says = () => el.querySelector(".ck-yours").textContent;
  const out = { first: says(), quiet: asked.length };
  for (const key of ["ArrowRight", "ArrowRight", "ArrowUp"]) {
    el.querySelector('[role="button"]').dispatchEvent(new KeyboardEvent("keydown", { key, bubbles: true }));
    await pause(20);
  }
  out.waiting = says();
  await pause(400);
  out.asked = asked;
  state.yours = { of: asked.at(-1), path: [[0, 0]], says: "Your run: one point." };
  told["change:yours"]();
  await pause(60);
  out.answered = says();
  remove();
  out.left = [Object.keys(told).length, el.childElementCount];
  return out;
}"""


@pytest.mark.browser
@pytest.mark.parametrize("explorable", [descent_lemma, condition_number])
def test_the_browser_asks_once_when_the_reader_lets_go(browser, tmp_path, explorable):
    (tmp_path / "coursekit.js").write_text(bundle(), encoding="utf-8")
    (tmp_path / "index.html").write_text("<!doctype html><title>t</title><main></main>", encoding="utf-8")
    shown = explorable(yours=right)
    with serve(tmp_path) as address:
        page = browser.new_page()
        page.on("pageerror", lambda error: pytest.fail(f"the page raised: {error}"))
        page.goto(address)
        out = page.evaluate(MODEL, [f"{address}/coursekit.js", dict(shown.spec)])
        page.close()
    assert out["first"] == shown.spec["yours"]["says"]
    assert out["quiet"] == 0
    assert out["waiting"] == "Your run: …"
    assert len(out["asked"]) == 1
    assert out["asked"][0]["start"] != list(shown.spec["start"])
    assert set(out["asked"][0]) == set(shown.spec["yours"]["of"])
    assert out["answered"] == "Your run: one point."
    assert out["left"] == [0, 0]
