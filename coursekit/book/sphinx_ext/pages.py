"""Pages that know what is written: the note on a stub, a chapter's list of sections, the cover's cards.

A page is a stub when its front matter says ``status: stub``; ``question:`` is the question that it answers.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.builders import Builder
from sphinx.environment import BuildEnvironment
from sphinx.transforms.post_transforms import SphinxPostTransform
from sphinx.util.docutils import SphinxDirective

NOT_WRITTEN = "Not written yet"

Maker = Callable[[Builder, str], list[nodes.Node]]
MAKERS: dict[str, Maker] = {}  # a placeholder names its maker, so that pages can be pickled


class Generated(nodes.General, nodes.Element):
    """Stands where a table or list of other pages goes; filled once every page has been read."""


class GeneratedDirective(SphinxDirective):
    """A directive without arguments whose content is made from all pages: it leaves a placeholder."""

    def run(self) -> list[nodes.Node]:
        self.env.metadata[self.env.docname]["generated"] = True
        return [Generated(maker=self.name)]


class FillGenerated(SphinxPostTransform):
    """Replace each placeholder by what its maker makes."""

    default_priority = 8  # before references are resolved, so that makers may leave pending ones

    def run(self, **kwargs: Any) -> None:
        for node in list(self.document.findall(Generated)):
            node.replace_self(MAKERS[node["maker"]](self.app.builder, self.env.docname))


class Stub(SphinxDirective):
    """``{stub}``: a box that says that the page is not written yet, and what it will hold."""

    has_content = True

    def run(self) -> list[nodes.Node]:
        box = nodes.admonition(classes=["ck-stub"])
        box += nodes.title(text=NOT_WRITTEN)
        self.state.nested_parse(self.content, self.content_offset, box)
        return [Generated(maker="question"), box]


def question(builder: Builder, here: str) -> list[nodes.Node]:
    """The question that the page ``here`` answers."""
    return note(builder.env, here, "ck-question")


def is_stub(env: BuildEnvironment, docname: str) -> bool:
    return env.metadata[docname].get("status") == "stub"


def link(builder: Builder, here: str, docname: str, *, numbered: bool = True) -> nodes.paragraph:
    """A paragraph that links from page ``here`` to a page, with its number and title."""
    env = builder.env
    number = env.toc_secnumbers.get(docname, {}).get("") if numbered else None
    label = (
        [nodes.inline("", ".".join(map(str, number)), classes=["ck-secnum"]), nodes.Text(" ")] if number else []
    )
    title = [child.deepcopy() for child in env.titles[docname].children]
    reference = nodes.reference(
        "", "", *label, *title, internal=True, refuri=builder.get_relative_uri(here, docname)
    )
    return nodes.paragraph("", "", reference)


def note(env: BuildEnvironment, docname: str, css: str, text: str | None = None) -> list[nodes.Node]:
    """A page's question, or another text, as a paragraph of class ``css``; nothing where there is none."""
    text = env.metadata[docname].get("question") if text is None else text
    return [nodes.paragraph(text=text, classes=[css])] if text else []


def cards(css: str, items: Iterable[list[nodes.Node]]) -> list[nodes.Node]:
    return [nodes.bullet_list("", *(nodes.list_item("", *item) for item in items), classes=[css])]


def chapter_sections(builder: Builder, here: str) -> list[nodes.Node]:
    """The sections of the chapter whose index page is ``here``, each with its question."""
    env = builder.env
    return cards(
        "ck-sections",
        (
            [
                link(builder, here, page),
                *note(env, page, "ck-question"),
                *note(env, page, "ck-mark", NOT_WRITTEN if is_stub(env, page) else ""),
            ]
            for page in env.toctree_includes.get(here, [])
        ),
    )


def chapter_cards(builder: Builder, here: str) -> list[nodes.Node]:
    """Every chapter with the question it answers and how much of it is written."""
    env = builder.env

    def progress(chapter: str) -> str:
        sections = env.toctree_includes[chapter]
        written = sum(not is_stub(env, page) for page in sections)
        return f"{written} of {len(sections)} sections written" if written else NOT_WRITTEN

    chapters = [page for page in env.toctree_includes[env.config.root_doc] if page in env.toctree_includes]
    return cards(
        "ck-cards",
        (
            [
                link(builder, here, page),
                *note(env, page, "ck-question"),
                *note(env, page, "ck-mark", progress(page)),
            ]
            for page in chapters
        ),
    )


def refresh(app: Sphinx, env: BuildEnvironment) -> list[str]:
    """On env-updated: pages made from all pages are always written anew."""
    return [docname for docname, metadata in env.metadata.items() if metadata.get("generated")]


def add_maker(app: Sphinx, name: str, maker: Maker) -> None:
    """Register a directive ``name`` whose content ``maker`` makes once all pages are read."""
    MAKERS[name] = maker
    app.add_directive(name, GeneratedDirective)


def setup(app: Sphinx) -> dict[str, Any]:
    app.add_node(Generated)
    app.add_post_transform(FillGenerated)
    app.add_directive("stub", Stub)
    MAKERS["question"] = question
    add_maker(app, "chapter-sections", chapter_sections)
    add_maker(app, "chapter-cards", chapter_cards)
    app.connect("env-updated", refresh)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
