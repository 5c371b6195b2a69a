"""What a reader reads on a page of MyST, found by the book's own parser, and what is wrong with it.

The ledger, the labels of what its checks measure, theorems and graded items are read as well. Code,
mathematics, roles and addresses are left out. Words are Hunspell's American English, or stand in the project's
dictionary. Style is proselint's, with a few rules of this house.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator
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
from coursekit.claims import ledger

from .built import ROOT

SOURCES = [
    *(path for folder in ("book", "exercises") for path in files(ROOT / folder) if path.suffix == ".md"),
    ROOT / "README.md",
    ROOT / "CONTRIBUTING.md",
    *(ROOT / "book" / "claims" / f"{key}.yaml" for key in ledger.SOURCES),
    *sorted((ROOT / "exercises").glob("*/items*.py")),
    *sorted((ROOT / "coursekit" / "claims" / "checks").glob("[!_]*.py")),
    *sorted((ROOT / "coursekit" / "theory").glob("[!_]*.py")),
]
DICTIONARY = ROOT / "book" / "dictionary.txt"
SYMBOL = "□"  # stands for a formula, code or a reference: a word of the sentence, but none to be spelled
NOT_PROSE = ("code-cell", "literalinclude", "raw")
TITLED = re.compile(r"admonition|exercise|prf:\w+")  # directives whose argument is a title
WORD = re.compile(r"[^\W\d_\u0370-\u03ff]+(?:['’][^\W\d_]+)*")  # Greek letters are symbols
CLAIM = re.compile(rf"\b(?:{'|'.join(ledger.SOURCES)})-[\w.-]*\w")
QUOTED = re.compile(r'"[^"]*"')
# The fields of a claim that are shown, with what they quote from its document: that is not ours to spell.
FIELDS = {
    "where": None,
    "statement": QUOTED,
    "assumptions": None,
    "note": None,
    "erratum": re.compile(rf"(?<=\bfor ){QUOTED.pattern}"),
    "passage": QUOTED,
}
PLAIN = {"Item": slice(0), "Case": slice(1), "Mutant": slice(2, 3)}  # the arguments that are plain text
MYST = {"Theorem": slice(0), "Assumption": slice(2), "Sharp": slice(1)}  # and those that are MyST
KEYWORDS = {("Item", "title"), ("Theorem", "title"), ("Theorem", "statement"), ("Measured", "numbers")}
SYMBOLS = re.compile(r"""\S*(?:[^\w\s.,:;!?'"()-]|_|\.{3})\S*?(?=[.,:;!?)]*(?!\S))""")  # in plain text


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


def claims(text: str) -> Iterator[Block]:
    """The prose of one document's ledger: the shown fields, without the ids of claims and without quotations."""
    entries = yaml.compose(text)
    assert isinstance(entries, yaml.SequenceNode)
    for field, value in (pair for entry in entries.value for pair in entry.value):
        if field.value in FIELDS:
            quoted = FIELDS[field.value]
            own = quoted.sub(SYMBOL, value.value) if quoted else value.value
            yield from blocks(CLAIM.sub(SYMBOL, own), value.start_mark.line + 1)


def strings(text: str) -> Iterator[Block]:
    """What people read of a Python file: items (title, cases, hints), theorems, labels of measured numbers.

    An item's texts are plain, the rest is MyST. In plain text, what holds a symbol is no word, nor is a name of
    the code that the hints are about.
    """
    calls = [(n, getattr(n.func, "id", "")) for n in ast.walk(ast.parse(text)) if isinstance(n, ast.Call)]
    answers = _texts(a for call, name in calls if name == "Mutant" for a in call.args[:2])
    code = {word for answer in answers for word in re.findall(r"\w+", answer.text)}
    for call, name in calls:
        named = [k.value for k in call.keywords if (name, k.arg) in KEYWORDS]
        if name == "Measured":
            tables = (n for numbers in named for n in ast.walk(numbers) if isinstance(n, ast.Dict))
            named = [key for table in tables for key in table.keys if key]
        if name == "Measured" or name in MYST:
            for found in _texts([*call.args[MYST.get(name, slice(0))], *named]):
                yield from blocks(found.text, found.line)
        elif name in PLAIN:
            for plain in _texts([*call.args[PLAIN[name]], *named]):
                words = SYMBOLS.sub(SYMBOL, plain.text)
                yield Block(plain.line, re.sub(r"\w+", lambda m: SYMBOL if m[0] in code else m[0], words))


def _texts(nodes: Iterable[ast.expr | None]) -> Iterator[Block]:
    for node in nodes:
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield Block(node.lineno, node.value)


READERS = {".md": blocks, ".yaml": claims, ".py": strings}


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
        words = {word.removesuffix("'s") for word in WORD.findall(text) if not self._knows(word)}
        return {word for word in words if not self._knows(word)}

    def _knows(self, word: str) -> bool:
        return word.isascii() and self.hunspell.spell(word)


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
ACCEPTED = ("for free", "discriminant", "needle in a haystack")  # the last is the name of a function
CheckRegistry().register_many((*__register__, *HOUSE))


def lint(text: str) -> list[str]:
    """What proselint and the house find wrong with a block."""
    found = [error.check_result for error in LintFile("block", text).lint(LINT)] if text.strip() else []
    return [f"{r.check_path}: {r.message}" for r in found if f"\n{text}"[slice(*r.span)].strip() not in ACCEPTED]
