"""``{claim}``: one entry of the ledger where the text meets it; ``{ledger}``: all entries of one document.

What a check measured comes from ``_build/claims.json``, which the build writes before the pages are read.
"""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

from docutils import nodes
from docutils.statemachine import StringList
from sphinx.application import Sphinx
from sphinx.environment import BuildEnvironment
from sphinx.transforms.post_transforms import SphinxPostTransform
from sphinx.util.docutils import SphinxDirective, SphinxRole
from sphinx.util.nodes import make_refnode

from coursekit.claims.ledger import EXEMPT, SOURCES, VERDICTS, Claim, folder, load

from ..checks import anchor, page_of

LEDGER = "book/ledger"
FILTERS = ("source", "chapter", "kind", "verdict")  # what static/ledger.js chooses entries by
# Typesets a formula when it comes near the window: two thousand at once take ten seconds.
LAZY = 'MathJax.loader = {load: ["ui/lazy"]};'


class MetIn(nodes.Inline, nodes.Element):
    """Stands in the ledger where the links to the pages that meet a claim go."""


def measured(env: BuildEnvironment) -> dict[str, dict[str, Any]]:
    """What the checks measured, by claim id; nothing where Sphinx runs by itself, without the build."""
    file = Path(env.srcdir, "_build", "claims.json")
    env.note_dependency(str(file))
    return json.loads(file.read_text(encoding="utf-8")) if file.exists() else {}


def met_in(env: BuildEnvironment) -> dict[str, dict[str, bool]]:
    """The pages that meet each claim, by claim id, in reading order."""
    found: dict[str, dict[str, bool]] = env.__dict__.setdefault("ck_met", {})
    return found


def lines(claim: Claim, numbers: dict[str, str]) -> list[str]:
    """A claim as MyST text: head line, statement, what was measured, correction."""
    text = [
        f"[{claim.id}]{{.ck-claim-id}} {{cite:t}}`{claim.source}`, {claim.where}"
        f" [{claim.verdict}]{{.ck-verdict .ck-verdict--{claim.verdict}}}",
        "",
        claim.statement,
        "",
    ]
    if numbers:
        found = "; ".join(f"{what}: [{value}]{{.ck-number}}" for what, value in numbers.items())
        text += [f"[Measured]{{.ck-label}} {found}.", ""]
    if claim.exempt:
        text += [f"[Not run]{{.ck-label}} {EXEMPT[claim.exempt]}: {claim.passage}", ""]
    if claim.assumptions not in ("-", "none", "none stated"):
        text += [f"[Needs]{{.ck-label}} {claim.assumptions}", ""]
    return [*text, f"[Audit]{{.ck-label}} {claim.note}", ""]


class ClaimDirective(SphinxDirective):
    """``{claim} ID``: statement, source, verdict and the measured numbers of one claim."""

    required_arguments = 1

    def run(self) -> list[nodes.Node]:
        id = self.arguments[0]
        if id not in load():
            raise self.error(f"the ledger has no claim {id!r}")
        claim = load()[id]
        self.env.note_dependency(str(folder() / f"{claim.source}.yaml"))
        met_in(self.env).setdefault(id, {})[self.env.docname] = True
        box = self._box(claim)
        box["ids"].append(f"claim-{nodes.make_id(id)}")
        box[0] += small_link(self.env, "in the ledger", LEDGER, ledger_id(id))
        return [box]

    def _box(self, claim: Claim) -> nodes.container:
        box = nodes.container(classes=["ck-claim"])
        found = measured(self.env).get(claim.id)
        text = lines(claim, found["numbers"] if found else {})
        self.state.nested_parse(StringList(text, source="ledger"), self.content_offset, box)
        if found:
            box[0] += small_link(self.env, "its check", page_of(found["module"]), anchor(claim.id))
        return box


class LedgerDirective(ClaimDirective):
    """``{ledger} KEY``: every claim of one document, each with a link to the section that meets it."""

    def run(self) -> list[nodes.Node]:
        key = self.arguments[0]
        if key not in SOURCES:
            raise self.error(f"{key!r} is not one of {', '.join(SOURCES)}")
        self.env.note_dependency(str(folder() / f"{key}.yaml"))
        self.env.metadata[self.env.docname]["generated"] = True
        boxes: list[nodes.Node] = []
        for claim in load().values():
            if claim.source == key:
                box = self._box(claim)
                box["ids"].append(ledger_id(claim.id))
                box["classes"] += [f"ck-{field}-{getattr(claim, field)}" for field in FILTERS]
                box[0] += MetIn(claim=claim.id)
                boxes.append(box)
        return boxes


class LinkSections(SphinxPostTransform):
    """Fill each :class:`MetIn` with links to the pages that meet the claim, or with nothing."""

    default_priority = 8

    def run(self, **kwargs: Any) -> None:
        for node in list(self.document.findall(MetIn)):
            links: list[nodes.Node] = []
            for page in met_in(self.env).get(node["claim"], {}):
                text = f"met in “{self.env.titles[page].astext()}”"
                links += small_link(self.env, text, page, f"claim-{nodes.make_id(node['claim'])}")
            node.replace_self(links)


class LedgerCount(SphinxRole):
    """``{ledger-count}`verdict```: how many claims have a verdict; ``all`` for the whole ledger."""

    def run(self) -> tuple[list[nodes.Node], list[nodes.system_message]]:
        counts = Counter(claim.verdict for claim in load().values())
        counts["all"] = len(load())
        if self.text not in {*VERDICTS, "all"}:
            message = self.inliner.reporter.error(f"{self.text!r} is no verdict", line=self.lineno)
            return [], [message]
        return [nodes.Text(str(counts[self.text]))], []


def small_link(env: BuildEnvironment, text: str, page: str, id: str) -> list[nodes.Node]:
    """A space, and a small link from the page at hand to a place on another."""
    link = make_refnode(env.app.builder, env.docname, page, id, nodes.Text(text))
    link["classes"].append("ck-small")
    return [nodes.Text(" "), link]


def ledger_id(id: str) -> str:
    return f"ledger-{nodes.make_id(id)}"


def forget(app: Sphinx, env: BuildEnvironment, docname: str) -> None:
    """On env-purge-doc: a page that is read again meets its claims anew."""
    for pages in met_in(env).values():
        pages.pop(docname, None)


def add_scripts(app: Sphinx, pagename: str, *_: Any) -> None:
    """On html-page-context: what only the ledger needs."""
    if pagename == LEDGER:
        app.add_js_file("ledger.js", loading_method="defer")
        app.add_js_file(None, body=LAZY, priority=501)  # right after the book's own setting


def setup(app: Sphinx) -> dict[str, Any]:
    app.add_node(MetIn)
    app.connect("html-page-context", add_scripts)
    app.add_directive("claim", ClaimDirective)
    app.add_directive("ledger", LedgerDirective)
    app.add_role("ledger-count", LedgerCount())
    app.add_post_transform(LinkSections)
    app.connect("env-purge-doc", forget)
    return {"parallel_read_safe": False, "parallel_write_safe": True}
