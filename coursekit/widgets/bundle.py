"""One ES module of everything the explorables need: generated rules and problems, the palette, and ``static/``.

JupyterLab's anywidget takes a single module and a static page is served a single file, so the parts are joined
here: each becomes a function that returns its exports, and an import reads them. ``python -m
coursekit.widgets.bundle OUT.js`` writes the module.
"""

from __future__ import annotations

import functools
import json
import re
import sys
from collections.abc import Sequence
from dataclasses import asdict
from importlib.resources import files
from pathlib import Path

import torch

from .. import palette
from ..problems import Application, PLSine, Problem, Quadratic, Rosenbrock
from ..rules import (
    Rule,
    adagrad,
    adagrad_norm,
    adam,
    adamw,
    amsgrad,
    gradient_descent,
    heavy_ball,
    lion,
    nesterov,
    rmsprop,
    sign_descent,
)
from .trace import problem_js, rule_js

RULES: tuple[Rule, ...] = (
    gradient_descent, heavy_ball, nesterov,
    adagrad, adagrad_norm, rmsprop, adam, adamw, amsgrad,
    sign_descent, lion,
)  # fmt: skip
PROBLEMS: tuple[Problem, ...] = (
    Quadratic(torch.ones(2, dtype=torch.float64)), Rosenbrock(), PLSine(), Application(1),
)  # fmt: skip
# In an order in which each part comes after those it imports; the last one's exports are the module's.
PARTS = (
    "engine.js",
    "theme.js",
    "stage.js",
    "plot.js",
    "contours.js",
    "controls.js",
    "yours.js",
    "descent_model.js",
    "descent_lemma.js",
    "quadratic_model.js",
    "quadratic_views.js",
    "condition_number.js",
    "amgt_table.js",
    "momentum_model.js",
    "momentum.js",
    "pl_model.js",
    "pl_inequality.js",
    "main.js",
)
_IMPORT = re.compile(r'^import \{ ([\w, ]+) \} from "\./(\w+)\.js";$', re.MULTILINE)
_EXPORT = re.compile(r"^export (?=(?:const|function|class) (\w+))", re.MULTILINE)


@functools.cache
def bundle() -> str:
    """The text of the module; it changes only when a rule, a problem, the palette or a part changes."""
    return assemble(RULES, PROBLEMS)


def assemble(rules: Sequence[Rule], problems: Sequence[Problem]) -> str:
    """The module with these rules and problems. Raises ValueError for an import that no earlier part exports."""
    static = files(__package__) / "static"
    texts = {"generated": _generated(rules, problems, (static / "style.css").read_text(encoding="utf-8"))}
    texts |= {name.removesuffix(".js"): (static / name).read_text(encoding="utf-8") for name in PARTS}
    exports: dict[str, list[str]] = {}
    joined = []
    for name, text in texts.items():
        for names, source in _IMPORT.findall(text):
            missing = set(names.split(", ")) - set(exports.get(source, ()))
            if missing:
                raise ValueError(f"{name}.js imports {sorted(missing)}, not exported by an earlier {source}.js")
        text = _IMPORT.sub(r"const { \1 } = \2_js;", text)
        if name != "main":
            exports[name] = _EXPORT.findall(text)
            text = _EXPORT.sub("", text)
            text = f"const {name}_js = (() => {{\n{text}return {{ {', '.join(exports[name])} }};\n}})();\n"
        joined.append(text)
    return "\n".join(joined)


def _generated(rules: Sequence[Rule], problems: Sequence[Problem], style: str) -> str:
    inks = {**palette.METHODS, **palette.ROLES}
    return "\n".join(
        [
            "// Generated from coursekit.rules, coursekit.problems and coursekit.palette: change them there.",
            _table("RULES", {rule.name: rule_js(rule) for rule in rules}),
            _table("PROBLEMS", {problem.name: problem_js(problem) for problem in problems}),
            _table("PALETTE", {name: json.dumps(asdict(ink)) for name, ink in inks.items()}),
            f"export const STYLE = {json.dumps(style)};\n",
        ]
    )


def _table(name: str, rows: dict[str, str]) -> str:
    return "\n".join([f"export const {name} = {{", *(f"  {key}: {row}," for key, row in rows.items()), "};"])


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("usage: python -m coursekit.widgets.bundle OUT.js")
    Path(sys.argv[1]).write_text(bundle(), encoding="utf-8")
