"""Figures: an SVG in the palette's variables, the same text every time, with alt text."""

import re

import pytest
import torch

from coursekit import palette, plots, rules
from coursekit.problems import Quadratic
from coursekit.rules import printed


def draw() -> plots.Panels:
    fig = plots.panels(2, alt='a line & a "bowl"')
    left, right = fig.axes
    left.plot([0, 1], [0, 1], **plots.line("adam", label="Adam"))
    left.legend()
    plots.contours(right, Quadratic(torch.tensor([1.0, 5.0], dtype=torch.float64)), (-1, 1), (-1, 1))
    return fig


def test_colours_follow_the_theme() -> None:
    html = draw()._repr_html_()
    assert f"var(--ck-adam, {palette.METHODS['adam'].light})" in html
    outside = re.sub(r"var\(--ck-[a-z-]+, #[0-9a-f]{6}\)", "", html)
    assert not re.findall(r"(?:fill|stroke): #(?!f{6})[0-9a-f]{6}", outside)


def test_the_same_figure_is_the_same_text() -> None:
    assert draw()._repr_html_() == draw()._repr_html_()


def test_alt_text_is_demanded_and_escaped() -> None:
    assert 'aria-label="a line &amp; a &quot;bowl&quot;"' in draw()._repr_html_()
    assert repr(draw()) == 'Figure: a line & a "bowl"'
    with pytest.raises(ValueError, match="alt must say what the figure shows"):
        plots.panels(alt=" ")
    with pytest.raises(ValueError, match=r"name must be one of .*adam"):
        plots.line("newton")


def contrast(a: str, b: str) -> float:
    def luminance(colour: str) -> float:
        parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
        linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in parts]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    high, low = sorted((luminance(a), luminance(b)), reverse=True)
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_every_ink_that_carries_meaning_is_readable(theme: str) -> None:
    ground = getattr(palette.ROLES["ground"], theme)
    inks = {**palette.METHODS, **palette.ROLES, **palette.VERDICTS}
    for name in set(inks) - {"ground", "grid"}:
        assert contrast(getattr(inks[name], theme), ground) >= 4.5, name
    assert contrast("#ffffff", "#000000") == pytest.approx(21)


def test_every_method_has_an_ink() -> None:
    named = {name: getattr(rules, name) for name in rules.__all__}
    # What a document prints in place of a method is drawn in the method's ink.
    methods = {
        name for name, found in named.items() if isinstance(found, rules.Rule) and not hasattr(printed, name)
    }
    assert methods - set(palette.METHODS) == set()
    assert {"amgt", "adagrad_norm"} <= methods


def test_methods_differ_without_colour_and_css_has_both_themes() -> None:
    for read in (lambda ink: ink.dash, lambda ink: ink.light, lambda ink: ink.dark):
        values = [read(ink) for ink in palette.METHODS.values()]
        assert len(set(values)) == len(values)
    css = palette.css()
    assert css.count("--ck-adam:") == 2
    assert 'html[data-theme="dark"]' in css
