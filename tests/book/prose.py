"""What a reader reads on a page of MyST, found by the book's own parser, and what is wrong with it.

Code, mathematics, roles and addresses are left out. Words are Hunspell's American English, or stand in the
project's dictionary. Style is proselint's, with a few rules of this house.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

import yaml
from docutils.parsers.rst import Directive
from hunspell import Hunspell
from markdown_it import MarkdownIt
from markdown_it.renderer import RendererHTML
from markdown_it.token import Token
from myst_parser.config.main import MdParserConfig
from myst_parser.parsers.directives import parse_directive_text
from myst_parser.parsers.mdit import create_md_parser
from proselint.checks import __register__
from proselint.config import DEFAULT, Config
from proselint.registry import CheckRegistry
from proselint.registry.checks import Check, engine, types
from proselint.tools import LintFile

from coursekit.book.build import files

from .built import ROOT

SOURCES = [
    *(path for folder in ("book", "exercises") for path in files(ROOT / folder) if path.suffix == ".md"),
    ROOT / "README.md",
    ROOT / "CONTRIBUTING.md",
]
DICTIONARY = ROOT / "book" / "dictionary.txt"
SYMBOL = "□"  # stands for a formula, code or a reference: a word of the sentence, but none to be spelled
NOT_PROSE = ("code-cell", "literalinclude", "raw")
TITLED = re.compile(r"admonition|exercise|prf:\w+")  # directives whose argument is a title
WORD = re.compile(r"[^\W\d_]+(?:['’][^\W\d_]+)*")


class AnyDirective(Directive):
    """A directive with whatever options it has."""

    has_content = True
    option_spec = {"any": str}  # noqa: RUF012, docutils' own form


@dataclass(frozen=True)
class Block:
    """A paragraph, heading, list item, cell of a table, title or caption, on one line."""

    line: int
    text: str


def _parser() -> MarkdownIt:
    extensions = yaml.safe_load((ROOT / "_config.yml").read_text("utf-8"))["parse"]["myst_enable_extensions"]
    # A quote stays the one that was typed.
    return create_md_parser(MdParserConfig(enable_extensions={*extensions} - {"smartquotes"}), RendererHTML)


PARSER = _parser()


def blocks(text: str, line: int = 1) -> Iterator[Block]:
    """The prose of a page, in its order; `line` is the page's number of the text's first line."""
    for token in PARSER.parse(text):
        at = line + (token.map or [0])[0]
        if token.type == "inline":
            yield Block(at, "".join(map(_plain, token.children or ())))
        elif token.type == "front_matter":
            yield Block(at, yaml.safe_load(token.content).get("question", ""))
        elif found := re.match(r"\{([\w:-]+)\}\s*(.*)", token.info):
            name, title = found.groups()
            if TITLED.fullmatch(name):
                yield from blocks(title, at)
            yield from _body(name, token.content, at)


def _body(name: str, content: str, at: int) -> Iterator[Block]:
    parsed = parse_directive_text(AnyDirective, "", content, validate_options=False)
    yield from blocks(parsed.options.get("mystnb", {}).get("figure", {}).get("caption", ""), at)
    if name not in NOT_PROSE:
        yield from blocks("\n".join(parsed.body), at + 1 + parsed.body_offset)


def _plain(token: Token) -> str:
    if token.type in ("text", "image"):
        return token.content
    return " " if "break" in token.type else SYMBOL if token.content else ""


class Speller:
    """Hunspell's American English, which knows no word outside of ASCII."""

    def __init__(self) -> None:
        self.hunspell = Hunspell("en_US")

    def unknown(self, text: str) -> set[str]:
        """The words of a text that are no English, without a genitive's ending."""
        words = [word for word in WORD.findall(text) if not (word.isascii() and self.hunspell.spell(word))]
        return {word.removesuffix("'s") for word in words}


# The rules of this house, beside proselint's: few, and each for the reader's sake.
FILLERS = ("basically", "clearly", "it is easy to see", "obvious(?:ly)?", "of course", "simply", "trivially")
MOCKERY = ("absurd", "embarrassing", "nonsense", "ridiculous", "silly", "sloppy", "stupid", "wrong again")
LONGEST = 45  # words of a sentence
LONGER = rf"""(?<!\S)(?:(?!\S*[.!?]["')]*\s)\S+\s+){{{LONGEST}}}\S+"""  # no word but the last ends it
HOUSE = (
    Check(types.Existence(FILLERS), path="house.fillers", message="'{}' explains nothing."),
    Check(types.Existence(MOCKERY), path="house.mockery", message="'{}' mocks: say what is wrong."),
    Check(types.ExistenceSimple(LONGER), engine.Fancy(), "house.long_sentence", f"More than {LONGEST} words."),
)
# Curly quotes are made when the page is built; and a paragraph may begin with But.
LINT = Config(
    max_errors=1000,
    checks={"typography.symbols.curly_quotes": False, "misc.but": False, **DEFAULT["checks"], "house": True},
)
ACCEPTED = ("for free", "needle in a haystack")  # the second is the name of a function
CheckRegistry().register_many((*__register__, *HOUSE))


def lint(text: str) -> list[str]:
    """What proselint and the house find wrong with a block."""
    found = [error.check_result for error in LintFile("block", text).lint(LINT)] if text.strip() else []
    return [f"{r.check_path}: {r.message}" for r in found if f"\n{text}"[slice(*r.span)].strip() not in ACCEPTED]
