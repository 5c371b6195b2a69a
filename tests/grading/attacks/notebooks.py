"""Families p, r, s, t: notebooks, texts, names and files that are made to hurt whoever reads them."""

# ruff: noqa: E501 (lines of hostile programs)

from __future__ import annotations

import gzip
import json
import os
from pathlib import Path
from typing import Any

from .model import BODY, RIGHT, Attack, Tree, family

_file, _text, _place = (
    family(name, "cost") for name in ("p: notebook as a weapon", "r: text as a weapon", "s: names and files")
)
EVIL = '=HYPERLINK("http://x")<script>alert(1)</script>\x1b[31m\u202e'


def dump(tree: Tree, **more: Any) -> bytes:
    return json.dumps(tree | more).encode()


def cells(tree: Tree, *more: Any) -> bytes:
    return dump(tree, cells=[*tree["cells"], *more])


def code(source: Any, **metadata: Any) -> Tree:
    return {"cell_type": "code", "source": source, "metadata": metadata, "outputs": [], "execution_count": None}


def graded(item: str, **more: Any) -> Tree:
    return {"nbgrader": {"grade_id": item, "grade": True, "solution": True, "points": 100} | more}


def without(tree: Tree) -> Tree:
    """The notebook without the cell of ``gd_step``."""
    kept = [c for c in tree["cells"] if c["metadata"].get("nbgrader", {}).get("grade_id") != "gd_step"]
    return tree | {"cells": kept}


def links(path: Path, _: bytes) -> None:
    path.symlink_to(path.with_name("a_honest.ipynb"))


def links_a_folder(path: Path, data: bytes) -> None:
    """Another student's folder as one's own."""
    other = path.parents[1] / "another"
    other.mkdir()
    (other / "smoothness.ipynb").write_bytes(data)
    path.with_suffix("").symlink_to(other)


def sparse(path: Path, _: bytes) -> None:
    with open(path, "wb") as file:
        file.truncate(100 * 2**20)


UNREADABLE: dict[str, Any] = {"status": "unreadable", "others": False}
NOTHING = {"status": "not attempted"}
SLOW = "import time\ntime.sleep(1.5)\n"

ATTACKS: list[Attack] = [
    _file("truncated", file=lambda t: dump(t)[:-200], **UNREADABLE),
    _file("not_utf_8", file=lambda t: b"\xff\xfe{", **UNREADABLE),
    _file("empty_file", file=lambda t: b"", **UNREADABLE),
    _file("nested_json", file=lambda t: b'{"cells": ' + b"[" * 5_000_000, **UNREADABLE),
    _file("nested_objects", file=lambda t: b'{"a":' * 1_000_000 + b"1" + b"}" * 1_000_000, **UNREADABLE),
    _file("number_of_a_million_digits", file=lambda t: b'{"cells": [], "n": ' + b"9" * 10**6 + b"}", **UNREADABLE),
    _file(
        "numbers_of_four_thousand_digits",
        file=lambda t: dump(without(t))[:-1] + b', "n": [' + b",".join([b"9" * 4000] * 500) + b"]}",
        **NOTHING,
    ),
    _file(
        "three_million_lists",
        file=lambda t: dump(without(t))[:-1] + b', "n": [' + b"[]," * 3_000_000 + b"0]}",
        **NOTHING,
    ),
    _file(
        "not_numbers",
        file=lambda t: dump(without(t))[:-1] + b', "n": [NaN, Infinity, -Infinity, 1e999999]}',
        **NOTHING,
    ),
    _file(
        "same_key_twice",
        file=lambda t: (
            b'{"cells": [{"cell_type": "code", "source": "def gd_step(w, g, eta): return w"}], '
            + dump(without(t))[1:]
        ),
        **NOTHING,
    ),
    _file("compressed", file=lambda t: gzip.compress(bytes(10**7)), **UNREADABLE),
    _file("old_schema_without_cells", file=lambda t: dump({"nbformat": 3, "worksheets": [{}]}), **UNREADABLE),
    _file("schema_of_the_future", file=lambda t: dump(without(t), nbformat=99, nbformat_minor=-1), **NOTHING),
    _file("bad_kernel", file=lambda t: dump(without(t), metadata={"kernelspec": {"name": "/bin/sh"}}), **NOTHING),
    _file(
        "cells_of_all_kinds",
        file=lambda t: cells(
            without(t),
            code("x", nbgrader=[]),
            code("x", nbgrader={"grade_id": {}}),
            code(["gd", "_step"], nbgrader=None),
        ),
        **NOTHING,
    ),
    _file(
        "points_of_its_own",
        file=lambda t: cells(without(t), code(BODY + "return w", **graded("gd_step", points=1000))),
        status="graded",
    ),
    _file(
        "solution_in_prose",
        file=lambda t: cells(
            without(t), {"cell_type": "markdown", "source": RIGHT, "metadata": graded("gd_step")}
        ),
        **NOTHING,
    ),
    _file(
        "solution_in_an_output",
        file=lambda t: cells(
            without(t), code("x") | {"outputs": [{"text": RIGHT}], "attachments": {"a": "A" * 10**6}}
        ),
        **NOTHING,
    ),
    _file(
        "another_setup",
        file=lambda t: cells(without(t), code("import torch\ntorch.Tensor.__sub__ = None")),
        **NOTHING,
    ),
    _file(
        "magic_commands",
        file=lambda t: cells(
            without(t), code("%%bash\ncurl http://127.0.0.1\ndef gd_step(w, g, eta): pass", **graded("gd_step"))
        ),
        status="graded",
    ),
    _file(
        "shell_in_a_cell",
        file=lambda t: cells(without(t), code("!touch x\n" + RIGHT, **graded("gd_step"))),
        points=2,
        status="graded",
        says="agree",
    ),
    _file(
        "thousands_of_cells", file=lambda t: cells(without(t), *[code("def gd_step(w, g, eta): return w")] * 5000)
    ),
    _file(
        "slow_cells", file=lambda t: cells(without(t), *[code(SLOW + BODY + "return w")] * 40), status="timed out"
    ),
    _file(
        "cell_of_megabytes",
        file=lambda t: cells(without(t), code("#" * 3_000_000 + "\n" + RIGHT, **graded("gd_step"))),
        status="unreadable",
        says="too long",
    ),
    _file(
        "pattern_that_explodes",
        file=lambda t: cells(
            without(t),
            code("def gd_step" + " \t\n" * 500_000),
            code("\ndef gd_step\t" * 200_000),
            code("gd_step =" * 300_000),
        ),
        others=True,
    ),
    _file(
        "source_for_the_parser",
        file=lambda t: cells(without(t), code("gd_step = " + "(" * 90_000, **graded("gd_step"))),
        status="graded",
    ),
    _file(
        "source_for_the_compiler",
        file=lambda t: cells(without(t), code("gd_step = " + "-" * 90_000 + "1", **graded("gd_step"))),
    ),
    _file(
        "source_with_zeros",
        file=lambda t: cells(without(t), code("gd_step = 1\0\ud800", **graded("gd_step"))),
        status="graded",
    ),
    _file("output_of_100_megabytes", place=sparse, **UNREADABLE),
    _text("evil_error", f"raise ValueError({EVIL!r})", status="graded", says="<script>"),
    _text("evil_class", f"raise type({EVIL!r}, (Exception,), {{}})()", status="graded"),
    _text("evil_surrogates", "raise ValueError('\\ud800\\x00\\x1b]0;title\\x07' * 100)", status="graded"),
    _text("evil_syntax", "raise SyntaxError('<b>' * 100, (None, -5, None, '=1+1'))", status="graded"),
    _text("evil_arguments", "raise SyntaxError(['a'], {1: 2})", status="graded"),
    _text("evil_foreign_name", BODY + f"return type({EVIL!r}, (), {{}})()", status="graded"),
    _place("a_pipe", place=lambda path, _: os.mkfifo(path), **UNREADABLE),
    _place("a_link", place=links, **UNREADABLE),
    _place("a_folder_of_another", place=links_a_folder, **UNREADABLE),
    _place("a_link_to_a_device", place=lambda path, _: path.symlink_to("/dev/zero"), **UNREADABLE),
    _place("a_link_to_itself", place=lambda path, _: path.symlink_to(path.name), **UNREADABLE),
    _place("a_folder_as_a_notebook", place=lambda path, _: path.mkdir(), **UNREADABLE),
    _place("a_folder_without_a_notebook", place=lambda path, _: path.with_suffix("").mkdir(), **UNREADABLE),
]

# Names that students may have; the notebook is honest, and the marks and the page must be theirs alone.
NAMES = (
    "a..", "%2e%2e%2fseed", "x\\..\\..\\seed", "~root", "$(touch x)", "`touch x`", "-rf", "*", "a;b&c|d",
    "=cmd|' 'A1", "@SUM(A1)", "<img src=x onerror=alert(1)>", "\x1b[31mred", "new\nline", "tab\tbed", "'\"", "a,b;c",
    "Jos\u00e9", "Jose\u0301", "\u202egnp.exe", "\u200b", "\u200b\u200b", "x" * 240, "CON", "NUL.txt", " ", "trailing. ",
    "\u0430da", "ada", "\udcff\udcfe", "\udcff\udcfd", "{student}", "%s%n", "\U0001f600", "__proto__",
)  # fmt: skip
