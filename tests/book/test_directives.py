"""The directives, in a small book of their own: what they print, and that a wrong name is an error."""

import dataclasses
import io
from pathlib import Path

import pytest
from bs4 import BeautifulSoup
from sphinx.application import Sphinx

from coursekit import rules
from coursekit.claims import load
from coursekit.theory import THEOREMS

CONF = """
extensions = ["myst_parser", "sphinx_proof", "sphinx_exercise", "sphinxcontrib.bibtex",
              "coursekit.book.sphinx_ext.directives"]
myst_enable_extensions = ["dollarmath", "attrs_inline", "colon_fence"]
bibtex_bibfiles = ["references.bib"]
"""
ROOT = Path(__file__).parents[2]


@pytest.fixture
def build(tmp_path: Path):
    """Build a book of one page with the given text; return its HTML and the warnings."""

    def one(text: str) -> tuple[str, str]:
        source, out, said = tmp_path / "source", tmp_path / "out", io.StringIO()
        source.mkdir()
        (source / "conf.py").write_text(CONF)
        (source / "references.bib").write_text((ROOT / "book" / "references.bib").read_text())
        (source / "exercises").symlink_to(ROOT / "exercises")
        (source / "index.md").write_text(f"# Page\n\n{text}\n")
        app = Sphinx(source, source, out, tmp_path / "trees", "html", status=None, warning=said, freshenv=True)
        app.build()
        return (out / "index.html").read_text(), said.getvalue()

    return one


def test_claim(build) -> None:
    html, _ = build("```{claim} TDL-fn5\n```")
    assert 'id="claim-tdl-fn5"' in html
    assert "ck-verdict--holds" in html
    assert "#ledger-tdl-fn5" in html
    assert "Sharp: equality of" in html


def test_theorem(build) -> None:
    html, _ = build("```{theorem} descent-lemma\n```\n\nSee {prf:ref}`descent-lemma`.")
    assert "Descent lemma" in html
    assert html.count('href="#descent-lemma"') >= 1
    assert "with the exact gradient" in html


def test_exercise_item_shows_the_stub_and_not_the_solution(build) -> None:
    html, _ = build("```{exercise-item} smoothness.gd_step\n```")
    text = BeautifulSoup(html, "html.parser").get_text()
    assert "def gd_step(w, g, eta):" in text
    assert "is not written yet" in text
    assert "return w - eta * g" not in text


def test_ledger_links_to_the_pages_that_meet_a_claim(build) -> None:
    html, _ = build(
        "```{claim} PL-def\n```\n\n```{ledger} PL\n```\n\n{ledger-count}`all` and {ledger-count}`false`."
    )
    assert html.count('id="ledger-pl-') == 17
    assert 'href="#claim-pl-def"' in html
    assert "met in “Page”" in html
    assert f"{len(load())} and 26." in html


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("```{claim} TDL-nothing\n```", "the ledger has no claim 'TDL-nothing'"),
        ("```{ledger} XYZ\n```", "'XYZ' is not one of KH, PL, TDL, AMGT, GG"),
        ("```{theorem} nothing\n```", "id must be one of "),
        ("```{exercise-item} smoothness.nothing\n```", "smoothness has no item 'nothing'"),
        ("{ledger-count}`true`", "'true' is no verdict"),
    ],
)
def test_a_wrong_name_is_an_error(build, text: str, told: str) -> None:
    _, said = build(text)
    assert "ERROR" in said
    assert told in said


def test_errata_has_a_line_for_each_correction_that_says_one(build, monkeypatch) -> None:
    claim = dataclasses.replace(load()["PL-thm1"], erratum="Add $\\eta \\le 1/L$.")
    monkeypatch.setitem(load(), "PL-thm1", claim)
    html, _ = build("```{errata} PL\n```")
    (line,) = [
        item.get_text() for item in BeautifulSoup(html, "html.parser").find_all("li") if "PL-thm1" in item.text
    ]
    assert claim.where in line
    assert "Add" in line


def test_rates_link_to_the_theorems_that_a_section_states(build) -> None:
    html, _ = build("```{theorem} gd-convex\n```\n\n```{rates}\n```")
    links = {link.text: link["href"] for link in BeautifulSoup(html, "html.parser").select("table a")}
    assert links == {"Gradient descent on a convex function": "#gd-convex"}


def test_tables_have_a_row_for_every_rule_method_and_rate(build) -> None:
    html, _ = build("```{rules}\n```\n\n```{methods}\n```\n\n```{rates}\n```")
    every = BeautifulSoup(html, "html.parser").find_all("table")
    rules_, methods_, rates_ = ([row.get_text(" ") for row in table.find_all("tr")[1:]] for table in every)
    names = {row.split()[0] for row in rules_}
    assert {n for n in rules.__all__ if isinstance(getattr(rules, n), rules.Rule)} | {"muon", "lamb"} <= names
    assert len(names) == len(rules_)
    assert any("adam" in row and "√" in row and "optim.Adam" in row for row in rules_)
    assert {"newton", "bfgs", "lbfgs"} <= {row.split()[0] for row in methods_}
    assert len(rates_) == sum(theorem.rate is not None for theorem in THEOREMS) > 10
