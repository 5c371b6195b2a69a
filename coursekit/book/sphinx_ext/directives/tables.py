"""``{rules}``, ``{methods}``, ``{rates}``: each in one table, made from the package's own objects."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Iterator
from typing import Any

from docutils import nodes
from docutils.statemachine import StringList
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective

Row = tuple[str, ...]


class _Table(SphinxDirective):
    """A table made from the package's objects; cells are MyST Markdown."""

    head: Row

    def rows(self) -> Iterator[Row]:
        raise NotImplementedError

    def summary(self, function: Callable[..., Any]) -> str:
        """The first paragraph of a function's docstring."""
        self.env.note_dependency(inspect.getfile(function))
        text = re.sub(r":\w+:(?=`)", "", (inspect.getdoc(function) or "").split("\n\n")[0])
        return " ".join(text.split()).replace("|", "\\|")

    def run(self) -> list[nodes.Node]:
        text = [_line(self.head), _line(("---",) * len(self.head)), *map(_line, self.rows())]
        box = nodes.container(classes=["ck-table"])
        self.state.nested_parse(StringList(text, source=self.name), self.content_offset, box)
        return [box]


class Rules(_Table):
    """One row for each rule: what its docstring says, its memory, its hyper-parameters, its optimizer class."""

    head = ("rule", "what it does", "buffers", "defaults")

    def rows(self) -> Iterator[Row]:
        from coursekit import optim, rules  # brings torch: only when this page is read

        made = {getattr(c, "rule", None): name for name in optim.__all__ for c in [getattr(optim, name)]}
        known = [rule for name in rules.__all__ if isinstance(rule := getattr(rules, name), rules.Rule)]
        for rule in dict.fromkeys([*known, *filter(None, made)]):  # those of optim alone see a whole layer
            defaults = ", ".join(f"{name} {value:g}" for name, value in rule.defaults.items())
            name = f"`{rule.name}`" + (f" `optim.{made[rule]}`" if rule in made else "")
            yield name, self.summary(rule.update), str(len(rule.state)), defaults


class Methods(_Table):
    """One row for each method that asks for more than one gradient a step."""

    head = ("method", "what it does")

    def rows(self) -> Iterator[Row]:
        from coursekit import methods

        for name in methods.__all__:
            method = getattr(methods, name)
            made = inspect.isfunction(method) and inspect.signature(method, eval_str=True).return_annotation
            if made is methods.Method:
                yield f"`{name}`", self.summary(method)


class Rates(_Table):
    """One row for each theorem that states a rate."""

    head = ("method", "rate", "on", "theorem")  # what a phone shows without scrolling comes first

    def rows(self) -> Iterator[Row]:
        from coursekit import theory

        self.env.metadata[self.env.docname]["generated"] = True
        for theorem in theory.THEOREMS:
            if rate := theorem.rate:
                self.env.note_dependency(inspect.getfile(theorem.sides))
                yield rate.method, rate.formula, rate.setting, f"{{theorem-title}}`{theorem.id}`"


def _line(cells: Row) -> str:
    return "| " + " | ".join(cells) + " |"


def setup(app: Sphinx) -> dict[str, Any]:
    app.add_directive("rules", Rules)
    app.add_directive("methods", Methods)
    app.add_directive("rates", Rates)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
