"""A small assignment written to a folder: one item that counts calls, and constants that belong to a cohort."""

from __future__ import annotations

from pathlib import Path

MASTER = '''---
jupytext:
  text_representation:
    extension: .md
    format_name: myst
kernelspec:
  display_name: Python 3
  language: python
  name: python3
---

# A toy

```{code-cell} ipython3
import torch

import coursekit
```

## Halve

From the step 1, halve until $f(w - \\eta g) \\le f(w) - {{c}}\\,\\eta\\,g^\\top g$. Return the step.

```{code-cell} ipython3
# ITEM halve
def halve(f, w):
    """The step."""
    ### BEGIN SOLUTION
    f_w, g, eta = f(w), f.grad(w), 1.0
    while f(w - eta * g) > f_w - {{c}} * eta * g @ g:
        eta /= 2
    return eta
    ### END SOLUTION
```

```{code-cell} ipython3
coursekit.check("toy.halve", halve)
```
'''

ITEMS = '''"""The toy's one item."""

import torch

from coursekit.grading.exercise import Calls, Case, Item, Mutant, Objective, Tolerance


def constants(generator):
    return {"c": ("0.125", "0.25", "0.375")[int(torch.randint(3, (), generator=generator))]}


def draw(generator):
    # A step is accepted if lambda * eta <= 2 (1 - c): every c of a cohort refuses 1.8, and 0.01 does not.
    for halvings in (0, 3, 5):
        lam = 1.8 * 2.0 ** (halvings - 1) * (1 + 0.05 * torch.rand((), generator=generator, dtype=torch.float64))
        w = torch.randn(3, generator=generator, dtype=torch.float64)
        yield Case("quadratics", (Objective("Quadratic", {"eigenvalues": lam.repeat(3)}), w))


def steep(w, a):
    return (a * w**4).sum()


def hidden(generator):
    yield from draw(generator)
    a = float(1 + torch.rand((), generator=generator))
    yield Case("another function", (Objective(steep, {"a": a}, dim=2), torch.ones(2, dtype=torch.float64)))


HALVE = Item(
    id="halve",
    title="Halve",
    points=4,
    difficulty=1,
    minutes=5,
    public=draw,
    hidden=hidden,
    tolerance=Tolerance(0.0),
    budget=Calls(values=1),
    mutants=(
        Mutant("eta /= 2", "eta /= 3", "Halve the step."),
        Mutant("{{c}} * eta", "0.01 * eta", "The constant is {{c}}."),
        Mutant("> f_w", "> f(w)", "f(w) does not change: ask for it once."),
        Mutant("f.grad(w), 1.0", "f.grad(w), 0.5", "Start from 1."),
        Mutant("eta * g @ g:", "eta * f.grad(w) @ g:", "The gradient does not change: ask for it once."),
    ),
)

ITEMS = (HALVE,)
'''


def write_toy(folder: Path) -> Path:
    """The folder of the assignment ``toy``."""
    folder.mkdir(parents=True)
    (folder / "master.md").write_text(MASTER)
    (folder / "items.py").write_text(ITEMS)
    return folder
