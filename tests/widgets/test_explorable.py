"""Python's side of an explorable: what it shows where, and what it refuses."""

import io
import json
import re
import subprocess
import sys

import pytest
from PIL import Image

from coursekit.widgets import descent_lemma
from coursekit.widgets.explorable import STATIC, Explorable


def test_a_book_page_gets_html_png_and_fixed_text(monkeypatch):
    monkeypatch.setenv(STATIC, "1")
    shown = descent_lemma(kappa=4, eta=0.3, start=(1, -1))._repr_mimebundle_()
    assert set(shown) == {"text/html", "image/png", "text/plain"}
    assert shown["text/plain"] == "Explorable: How large may the step be?"
    data = json.loads(re.search(r'<script type="application/json">(.*)</script>', shown["text/html"])[1])
    assert (data["kappa"], data["eta"], data["start"]) == (4.0, 0.3, [1.0, -1.0])
    assert "L = 4" in re.search(r'<img alt="([^"]+)"', shown["text/html"])[1]
    assert shown == descent_lemma(kappa=4, eta=0.3, start=(1, -1))._repr_mimebundle_()  # byte for byte


def test_the_static_figure_shows_what_was_chosen():
    one, other = (Image.open(io.BytesIO(descent_lemma(eta=eta).png())) for eta in (0.1, 0.19))
    assert one.size == other.size
    assert one.tobytes() != other.tobytes()


def test_a_notebook_gets_the_widget_and_no_address(monkeypatch):
    monkeypatch.delenv(STATIC, raising=False)
    shown = descent_lemma()._repr_mimebundle_()
    assert "application/vnd.jupyter.widget-view+json" in shown
    assert shown["text/plain"] == "Explorable: How large may the step be?"


def test_data_cannot_close_its_script_element():
    from matplotlib.figure import Figure

    hostile = Explorable({"kind": "x", "title": "</script><b>"}, alt='a "quoted" <tag>', figure=Figure)
    html = hostile.html()
    assert html.count("</script>") == 1
    assert 'alt="a &quot;quoted&quot; &lt;tag&gt;"' in html


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"kappa": 0.5}, r"kappa must lie in \[1, 100\], got 0.5"),
        ({"kappa": float("nan")}, "kappa"),
        ({"eta": 0.0}, r"eta must lie in \[0.002, 3\], got 0.0"),
        ({"eta": float("inf")}, "eta"),
        ({"start": (1.0,)}, "start must be two numbers"),
        ({"start": (1.0, float("nan"))}, "the start's second coordinate must lie in"),
        ({"start": (5.0, 0.0)}, "the start's first coordinate must lie in"),
    ],
)
def test_bad_arguments_are_refused_at_the_door(given, message):
    with pytest.raises(ValueError, match=message):
        descent_lemma(**given)


def test_importing_widgets_loads_nothing_heavy():
    check = (
        "import sys, coursekit.widgets;"
        "print(sorted({'sympy', 'anywidget', 'IPython', 'matplotlib', 'torch'} & set(sys.modules)))"
    )
    out = subprocess.run([sys.executable, "-c", check], capture_output=True, text=True, check=True)
    assert out.stdout.strip() == "[]"
