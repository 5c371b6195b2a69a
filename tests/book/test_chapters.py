"""A written chapter meets all of its claims, states all of its theorems, and proves them."""

from __future__ import annotations

import re

import pytest

from coursekit.claims import load
from coursekit.theory import THEOREMS

from .built import ROOT, is_stub, toc


def sections(chapter: str) -> dict[str, str]:
    pages = [page for page in toc() if page.startswith(f"book/{chapter}/") and not page.endswith("/index")]
    return {page: (ROOT / f"{page}.md").read_text(encoding="utf-8") for page in pages}


WRITTEN = {2: sections("smoothness")}


def named(directive: str, text: str) -> list[str]:
    return re.findall(rf"^```\{{{directive}\}} (\S+)", text, re.MULTILINE)


@pytest.mark.parametrize("chapter", WRITTEN)
def test_every_claim_of_the_chapter_is_met_in_a_section_once(chapter: int) -> None:
    assert not [page for page in WRITTEN[chapter] if is_stub(page)]
    met = [id for text in WRITTEN[chapter].values() for id in named("claim", text)]
    assert sorted(met) == sorted(claim.id for claim in load().values() if claim.chapter == chapter)


@pytest.mark.parametrize("chapter", WRITTEN)
def test_every_theorem_of_the_chapter_is_stated_once(chapter: int) -> None:
    stated = [id for text in WRITTEN[chapter].values() for id in named("theorem", text)]
    assert sorted(stated) == sorted(theorem.id for theorem in THEOREMS if theorem.chapter == chapter)


@pytest.mark.parametrize("chapter", ["smoothness"])
def test_the_opening_page_is_written_like_a_section(chapter: str) -> None:
    text = (ROOT / "book" / chapter / "index.md").read_text(encoding="utf-8")
    assert len(re.findall(r"^    name: fig-", text, re.MULTILINE)) >= 3
    assert len(re.findall(r"^:::+\{exercise\}", text, re.MULTILINE)) >= 4
    assert "certify(" in text
    assert "ck-glance" in text
    assert "{chapter-sections}" in text
    assert not re.search(r"^##", text, re.MULTILINE), "a heading would be 2.1 and push the sections down"


@pytest.mark.parametrize("chapter", WRITTEN)
def test_each_page_proves_what_it_states_and_has_its_parts(chapter: int) -> None:
    for page, text in WRITTEN[chapter].items():
        proofs = len(re.findall(r"\{prf:proof\}", text))
        assert proofs >= 1, page
        assert "certify(" in text, page
        assert len(re.findall(r"^    name: fig-", text, re.MULTILINE)) >= 3, page
        exercises = len(named("exercise-item", text)) + len(re.findall(r"^:::+\{exercise\}", text, re.MULTILINE))
        assert exercises >= 4, page
        assert len(named("exercise-item", text)) >= 2, page
        assert "ck-glance" in text, page
        assert "## What the sources say" in text, page
        assert "## What comes next" in text, page
