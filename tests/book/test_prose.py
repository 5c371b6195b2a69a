"""What the pages say is spelled as Americans spell it, and passes proselint and the rules of this house."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from functools import cache

import pytest

from .built import ROOT
from .prose import DICTIONARY, LONGEST, READERS, SOURCES, Block, Speller, blocks, claims, lint, strings

SPELLER = Speller()
PAGES = {path.relative_to(ROOT).as_posix(): path for path in SOURCES}
OWN = DICTIONARY.read_text("utf-8").split()
LONG = " ".join(f"w{i}" for i in range(LONGEST)) + " end."  # one word too many
PLANTED = """---
question: Why is %s?
---
# A %s in a title

````{admonition} Boxed %s
:class: ck-glance
:::{prf:proof}
:class: dropdown
Folded %s, and a **%s** in bold.
:::
````

| table | [%s](how_fast.md) |
|---|---|
| cell | %s |

```{code-cell} ipython3
---
mystnb:
  figure:
    name: fig-wall
    caption: |
      Of $x$ and %s
---
print("unseeen")
```

```{exercise-item} smoothness.unseeen
```

Of `unseeen`, $unseeen$, {eq}`unseeen`, [the code](unseeen.md) and

$$
unseeen
$$ (eq-unseeen)
"""

PLANTED_CLAIM = """
- id: GG-unseeen
  where: Sec. 2, %s
  statement: Has "unseeen", $unseeen$, and a %s.
  kind: unseeen
  assumptions: '%s'
  check: unseeen
  note: >-
    Of GG-unseeen and
    a **%s**.
  erratum: >-
    Write "%s" for "unseeen".
  passage: Clearly a %s; see "unseeen".
"""
PLANTED_PYTHON = """
ITEM = Item(
    id="unseeen",
    title="The %s",
    public=lambda: [
        Case(
            "%s",
            (1.0, "unseeen"),
        )
    ],
    mutants=(
        Mutant(
            "unseeen(w)", "lerp(w)",
            "A %s: unseeen, lerp and eps_unseeen differ.",
        ),
    ),
    value=Measured(True, numbers={"%s": unseeen}),
)
THEOREM = Theorem(
    id="unseeen",
    title="%s",
    statement=r"$unseeen$, a %s",
    assumptions=(Assumption("%s", "%s of of $unseeen$", unseeen),),
)
"""


@cache
def prose(page: str) -> list[Block]:
    return list(READERS[PAGES[page].suffix](PAGES[page].read_text("utf-8")))


def entry(word: str) -> str:
    """What a word needs in the dictionary: itself, or itself in small letters where that is listed."""
    return word.lower() if word.lower() in OWN else word


@pytest.mark.parametrize("page", PAGES)
def test_spelling(page: str) -> None:
    wrong = {(b.line, word) for b in prose(page) for word in SPELLER.unknown(b.text) if entry(word) not in OWN}
    assert wrong == set(), f"mend them in {page}, or add what is right to {DICTIONARY.name}"


@pytest.mark.parametrize("page", PAGES)
def test_style(page: str) -> None:
    assert [(b.line, found) for b in prose(page) for found in lint(b.text)] == []


def test_the_dictionary_is_sorted_and_every_word_is_needed() -> None:
    assert sorted(set(OWN), key=lambda word: (word.lower(), word)) == OWN
    needed = {entry(word) for page in PAGES for b in prose(page) for word in SPELLER.unknown(b.text)}
    assert set(OWN) - needed == set()


def test_a_misspelling_is_found_wherever_a_reader_would_and_only_there() -> None:
    page = list(blocks(PLANTED % (("convergance",) * PLANTED.count("%s"))))
    found = [(b.line, word) for b in page for word in SPELLER.unknown(b.text)]
    assert found == [(line, "convergance") for line in (1, 4, 6, 10, 14, 16, 18)]
    assert SPELLER.unknown("A naïve neighbour's colour, the Hessian's center") == {"naïve", "neighbour", "colour"}


@pytest.mark.parametrize(
    ("read", "planted", "lines"),
    [
        (claims, PLANTED_CLAIM, {3, 4, 6, 8, 11, 13}),
        (strings, PLANTED_PYTHON, {4, 7, 14, 17, 21, 22, 23}),
    ],
)
def test_a_misspelling_is_found_in_the_ledger_and_in_python(
    read: Callable[[str], Iterable[Block]], planted: str, lines: set[int]
) -> None:
    read_there = list(read(planted.replace("%s", "convergance")))
    assert {(b.line, word) for b in read_there for word in SPELLER.unknown(b.text)} == {
        (line, "convergance") for line in lines
    }
    assert [b.line for b in read_there if lint(b.text)] == [max(lines)]


def test_every_work_in_the_bibliography_is_cited() -> None:
    listed = set(re.findall(r"^@\w+\{(\w+),", (ROOT / "book" / "references.bib").read_text("utf-8"), re.MULTILINE))
    # Theorems and claims cite, too.
    texts = [path.read_text("utf-8") for path in (*PAGES.values(), *(ROOT / "coursekit").rglob("*.py"))]
    cited = {
        key for text in texts for keys in re.findall(r"\{cite[:\w]*\}`([^`]+)`", text) for key in keys.split(",")
    }
    assert listed - cited == set()
    assert {"Nesterov2004", "KarimiNutiniSchmidt2016"} <= listed & cited


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        ("The bound is very loose.", "weasel_words.very"),
        ("The bound holds at at every step.", "lexical_illusions"),
        ("Clearly the bound holds.", "house.fillers"),
        ("The authors are wrong again.", "house.mockery"),
        ("Short. " + LONG, "house.long_sentence"),
    ],
)
def test_a_blemish_is_found(text: str, rule: str) -> None:
    assert [found.split(":")[0] for found in lint(text)] == [rule]


def test_two_sentences_are_not_one_long_one() -> None:
    assert lint(f'A {LONG[6:-1]}." B {LONG[6:]}') == []
