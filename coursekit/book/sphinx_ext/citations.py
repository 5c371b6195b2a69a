"""Citations: the five source documents by the keys that the book uses for them, other works as [Nes18]."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from pybtex.backends import plaintext
from pybtex.database import Entry
from pybtex.plugin import register_plugin
from pybtex.style.formatting.unsrt import Style
from pybtex.style.labels.alpha import LabelStyle
from sphinx.application import Sphinx


class KeyLabels(LabelStyle):
    """An entry with the keyword ``source`` is labelled by its key, any other by authors and year, or by its
    ``shorthand`` where pybtex stumbles over a letter of a name."""

    def format_labels(self, sorted_entries: list[Entry]) -> Iterator[str]:
        for entry, label in zip(sorted_entries, super().format_labels(sorted_entries), strict=True):
            source = entry.fields.get("keywords") == "source"
            yield entry.key if source else entry.fields.get("shorthand", label)


class BookStyle(Style):
    """pybtex's plain entries under the labels of :class:`KeyLabels`, sorted by author and year."""

    default_sorting_style = "author_year_title"
    default_label_style = KeyLabels


def setup(app: Sphinx) -> dict[str, Any]:
    register_plugin("pybtex.style.formatting", "coursekit", BookStyle)
    # the same as it would find, without a look through all installed packages at every single citation
    register_plugin("pybtex.backends", "plaintext", plaintext.Backend, force=True)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
