"""What an explorable is in Python: its data, its static figure, and how it shows itself where it is displayed."""

from __future__ import annotations

import base64
import hashlib
import html
import io
import json
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ..palette import ROLES

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from .yours import Yours

STATIC = "COURSEKIT_STATIC"  # set while the book is built: pages have no kernel


@dataclass(frozen=True)
class Explorable:
    """A figure to take hold of: in a book page HTML that works without a kernel, in JupyterLab a live widget.

    ``spec`` is what the browser module gets (JSON; ``kind`` and ``title`` always); ``figure()`` draws the same
    with matplotlib for print and for pages without JavaScript, and ``alt`` says what is to be seen on it.
    ``yours`` runs the reader's function for what the reader chooses; its first answer is ``spec["yours"]``.
    """

    spec: Mapping[str, Any]
    alt: str
    figure: Callable[[], Figure]
    yours: Yours | None = None

    def __repr__(self) -> str:
        says = f" {self.spec['yours']['says']}" if "yours" in self.spec else ""
        return f"Explorable: {self.spec['title']}{says}"

    def png(self) -> bytes:
        """The static figure as a PNG image."""
        import matplotlib as mpl

        from ..plots import STYLE

        out = io.BytesIO()
        with mpl.rc_context(STYLE):
            self.figure().savefig(out, dpi=150, facecolor=ROLES["ground"].light, metadata={"Software": None})
        return out.getvalue()

    def html(self) -> str:
        """An element for a page that loads the module: data, and the static figure until it is drawn."""
        return self._html(self.png())

    def _html(self, png: bytes) -> str:
        # "<" is escaped so that no text inside can close the script element.
        data = json.dumps(dict(self.spec), separators=(",", ":")).replace("<", "\\u003c")
        name = hashlib.sha256(data.encode()).hexdigest()[:12]
        return (
            f'<div data-ck id="ck-{name}"><figure class="ck-fallback">'
            f'<img alt="{html.escape(self.alt)}" src="data:image/png;base64,{_base64(png)}"></figure>'
            f'<script type="application/json">{data}</script></div>'
        )

    def _repr_mimebundle_(self, **_: Any) -> dict[str, Any]:
        if os.environ.get(STATIC):
            png = self.png()
            return {"text/html": self._html(png), "image/png": _base64(png), "text/plain": repr(self)}
        from .live import LiveView

        shown = LiveView(self.spec, self.yours)._repr_mimebundle_()
        data = shown[0] if isinstance(shown, tuple) else shown
        # The widget's own text holds its address in memory; ours is the same in every run.
        return {**(data or {}), "text/plain": repr(self)}


def within(name: str, value: float, allowed: tuple[float, float]) -> None:
    """Raise ValueError unless the value lies in the allowed interval, ends included."""
    low, high = allowed
    if not low <= value <= high:  # a NaN is outside too
        raise ValueError(f"{name} must lie in [{low:g}, {high:g}], got {value!r}")


def _base64(raw: bytes) -> str:
    return base64.b64encode(raw).decode("ascii")
