"""Honest notebooks: what happened to them between release and hand-in, and the points they deserve.

All items but ``gd_step`` (2 points) and ``estimate_L`` (4 points) are answered by the reference.
"""

# ruff: noqa: E501 (lines of students' programs)

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

Tree = dict[str, Any]


@dataclass(frozen=True)
class Honest:
    """``alter`` turns the notebook with right answers, or with these two, into what was handed in."""

    name: str
    step: float = 2.0
    constant: float = 4.0
    gd_step: str | None = None
    estimate_L: str | None = None
    status: str = "graded"  # of gd_step
    alter: Callable[[Tree], Tree | bytes] = lambda tree: tree
    folder: bool = False  # <student>/<assignment>.ipynb


STEP = "def gd_step(w, g, eta):\n    return w - eta * g\n"
TWO = """
def unit(v):
    return v / v.norm()

def estimate_L(H, v, steps):
    v = unit(v)
    for _ in range(steps):
        v = unit(H @ v)
    L = abs(v @ H @ v)
    return L, 1 / L
"""


def item(cell: Tree) -> str | None:
    found: str | None = cell["metadata"].get("nbgrader", {}).get("grade_id")
    return found


def without_checks(tree: Tree) -> Tree:
    return tree | {"cells": [c for c in tree["cells"] if "coursekit.check" not in "".join(c["source"])]}


def backwards(tree: Tree) -> Tree:
    return tree | {"cells": tree["cells"][::-1]}


def without(name: str) -> Callable[[Tree], Tree]:
    return lambda tree: tree | {"cells": [c for c in tree["cells"] if item(c) != name]}


def twice(first: str, second: str) -> Callable[[Tree], Tree]:
    """The cell of ``gd_step`` was copied, with its metadata, and one of the two changed."""

    def alter(tree: Tree) -> Tree:
        cells = []
        for cell in tree["cells"]:
            same = [cell | {"source": first}, cell | {"source": second}]
            cells += same if item(cell) == "gd_step" else [cell]
        return tree | {"cells": cells}

    return alter


def merged(tree: Tree) -> Tree:
    """The two cells were merged into one; Jupyter keeps the metadata of the first."""
    sources = ["".join(c["source"]) for c in tree["cells"] if item(c) in ("gd_step", "estimate_L")]
    cells = [c for c in tree["cells"] if item(c) != "estimate_L"]
    return tree | {"cells": [c | {"source": "\n\n".join(sources)} if item(c) == "gd_step" else c for c in cells]}


def bare(tree: Tree) -> Tree:
    """Without any metadata, as after a conversion to a script and back."""
    return tree | {"metadata": {}, "cells": [c | {"metadata": {}} for c in tree["cells"]]}


def format_4_0(tree: Tree) -> Tree:
    cells = [{k: v for k, v in c.items() if k != "id"} for c in bare(tree)["cells"]]
    return tree | {"nbformat_minor": 0, "cells": cells}


def format_3(tree: Tree) -> Tree:
    cells = []
    for cell in tree["cells"]:
        code = cell["cell_type"] == "code"
        text = (
            {"input": cell["source"], "language": "python", "collapsed": False}
            if code
            else {"source": cell["source"]}
        )
        cells.append({"cell_type": cell["cell_type"], "metadata": {}} | text)
    return {"nbformat": 3, "nbformat_minor": 0, "metadata": {"name": ""}, "worksheets": [{"cells": cells}]}


def vs_code(tree: Tree) -> Tree:
    cells = [c | {"metadata": c["metadata"] | {"vscode": {"languageId": "python"}}} for c in tree["cells"]]
    return tree | {"cells": cells, "metadata": {"language_info": {"name": "python"}, "orig_nbformat": 4}}


def colab(tree: Tree) -> Tree:
    """Colab drops metadata that it does not know, splits lines and adds ids of its own."""
    cells = []
    for number, cell in enumerate(tree["cells"]):
        metadata = {"id": f"x{number}", "outputId": f"o{number}", "colab": {"base_uri": "https://localhost:8080/"}}
        lines = "".join(cell["source"]).splitlines(keepends=True)
        cells.append({k: v for k, v in cell.items() if k != "id"} | {"metadata": metadata, "source": lines})
    return {"nbformat": 4, "nbformat_minor": 0, "metadata": {"colab": {"provenance": []}}, "cells": cells}


def large_outputs(tree: Tree) -> Tree:
    picture = base64.b64encode(bytes(5 * 2**20 // 4 * 3)).decode()
    output = {"output_type": "display_data", "metadata": {}, "data": {"image/png": picture}}
    cells = [c | ({"outputs": [output]} if item(c) == "gd_step" else {}) for c in tree["cells"]]
    return tree | {"cells": cells}


def carriage_returns(tree: Tree) -> bytes:
    cells = [c | {"source": "".join(c["source"]).replace("\n", "\r\n")} for c in tree["cells"]]
    return json.dumps(tree | {"cells": cells}, indent=1).replace("\n", "\r\n").encode()


def text(tree: Tree) -> str:
    return json.dumps(tree, ensure_ascii=False)


CORPUS = (
    Honest("reference"),
    Honest("helper_in_the_cell", estimate_L=TWO),
    Honest("lambda", gd_step="gd_step = lambda w, g, eta: w - eta * g"),
    Honest("annotated_lambda", gd_step="from typing import Callable\ngd_step: Callable = lambda w, g, eta: w - eta * g"),
    Honest("partial", gd_step="import functools\n\ndef step(eta, w, g, eta_):\n    return w - eta_ * g\n\ngd_step = functools.partial(step, None)"),
    Honest("object", gd_step="class Step:\n    def __call__(self, w, g, eta):\n        return w - eta * g\n\ngd_step = Step()"),
    Honest("decorated", gd_step="@torch.no_grad()\ndef gd_step(\n    w: torch.Tensor,\n    g: torch.Tensor,\n    eta: float,\n) -> torch.Tensor:\n    return w.sub(g, alpha=eta)"),
    Honest("through_numpy", gd_step="def gd_step(w, g, eta):\n    return torch.as_tensor(w.numpy() - eta * g.numpy())"),
    Honest("imports_and_prints", gd_step="import math, random\nimport numpy as np\nimport scipy.linalg\nimport matplotlib.pyplot as plt\n" + STEP + "print('tried', gd_step(torch.ones(2), torch.ones(2), 0.1))"),
    Honest("magic_lines", gd_step="%matplotlib inline\n!pip install nothing\n" + STEP + "%timeit gd_step(1, 2, 3)\ngd_step?"),
    Honest("display_below", gd_step=STEP + "display(gd_step(torch.ones(2), torch.ones(2), 0.1))"),
    Honest("a_failing_test_below", gd_step=STEP + "assert gd_step(1.0, 1.0, 1.0) == 1"),
    Honest("without_checks", alter=without_checks),
    Honest("backwards", alter=backwards),
    Honest("without_metadata", alter=bare),
    Honest("merged_cells", alter=merged),
    Honest("copied_and_corrected", alter=twice(STEP.replace("-", "+"), STEP)),
    Honest("copied_and_spoilt", alter=twice(STEP, STEP.replace("-", "+")), step=0),
    Honest("stub_left_above", alter=lambda t: t | {"cells": [*t["cells"], {"cell_type": "code", "metadata": {}, "source": STEP}]}, gd_step="STUB"),
    Honest("carriage_returns", alter=carriage_returns),
    Honest("byte_order_mark", alter=lambda t: b"\xef\xbb\xbf" + text(t).encode()),
    Honest("utf_16", alter=lambda t: text(t).encode("utf-16")),
    Honest("format_4_0", alter=format_4_0),
    Honest("format_3", alter=format_3),
    Honest("vs_code", alter=vs_code),
    Honest("colab", alter=colab),
    Honest("large_outputs", alter=large_outputs),
    Honest("no_metadata_at_all", alter=lambda t: t | {"cells": [c | {"metadata": None} for c in t["cells"]]}),
    Honest("folder", folder=True),
    Honest("renamed", gd_step=STEP.replace("gd_step", "my_step"), step=0),
    Honest("deleted", alter=without("gd_step"), step=0, status="not attempted"),
    Honest("only_the_first", estimate_L="STUB", constant=0),
    Honest("untouched", gd_step="STUB", estimate_L="STUB", step=0, constant=0, status="not attempted"),
    Honest("wrong_type", gd_step="def gd_step(w, g, eta):\n    return (w - eta * g).tolist()", step=0),
    Honest("float32", gd_step="def gd_step(w, g, eta):\n    return (w - eta * g).float()", step=0),
    Honest("exception", gd_step="def gd_step(w, g, eta):\n    return w - eta * gradient", step=0),
    Honest("syntax_error", gd_step="def gd_step(w, g, eta)\n    return w - eta * g", step=0),
    Honest("infinite_loop", gd_step="def gd_step(w, g, eta):\n    while True:\n        w = w - eta * g", step=0, status="timed out"),
    Honest("in_place", gd_step="def gd_step(w, g, eta):\n    w -= eta * g\n    return w", step=1, status="partly"),
    Honest("vectors_only", gd_step="def gd_step(w, g, eta):\n    return w.reshape(-1) - eta * g.reshape(-1)", step=1, status="partly"),
    Honest("helper_elsewhere", gd_step="def gd_step(w, g, eta):\n    return w - helper(g, eta)", alter=lambda t: t | {"cells": [{"cell_type": "code", "metadata": {}, "source": "def helper(g, eta): return eta * g"}, *t["cells"]]}, step=0),
)  # fmt: skip
