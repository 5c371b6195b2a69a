"""Records what pytorch_optimizer does on one tiny problem: ``python -m tests.optim.recorded.record`` rewrites
``pytorch_optimizer.json``, in an environment that has the package; the tests need only the file.

The problem is separable, so its Hessian is diagonal and a probe with random signs is exact: nothing is random.
"""

import json
from collections.abc import Callable
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

FILE = Path(__file__).with_name("pytorch_optimizer.json")
SHAPES = [(2,), (3, 2), (2, 2, 2)]
STEPS = 12
RUNS: dict[str, list[dict[str, Any]]] = {
    "Lamb": [{"lr": 0.02, "eps": 1e-15, "adam_debias": True, "betas": b} for b in ((0.9, 0.999), (0.5, 0.9))],
    "Shampoo": [{"lr": 0.1, "matrix_eps": 1e-3}, {"lr": 0.3, "matrix_eps": 0.1}],
    "AdaHessian": [{"lr": 0.1}, {"lr": 0.2, "hessian_power": 0.5, "weight_decay": 0.1, "betas": (0.8, 0.9)}],
}


def path(make: Callable[[list[Tensor]], torch.optim.Optimizer]) -> Tensor:
    """The parameters of :math:`f(w) = Σ_i cosh(w_i - sin i) + (w_i - cos i)²/2` after each step, one row per step.

    i counts through all parameters; they start at 1/(1 + i).
    """
    sizes = [torch.Size(shape).numel() for shape in SHAPES]
    i = torch.arange(sum(sizes), dtype=torch.float64)
    params = [p.reshape(s).requires_grad_() for p, s in zip((1 / (1 + i)).split(sizes), SHAPES, strict=True)]
    optimizer = make(params)
    rows = []
    for _ in range(STEPS):
        w = torch.cat([p.flatten() for p in params])
        f = (torch.cosh(w - i.sin()) + (w - i.cos()) ** 2 / 2).sum()
        for p, g in zip(params, torch.autograd.grad(f, params, create_graph=True), strict=True):
            p.grad = g
        optimizer.step()
        rows.append(torch.cat([p.detach().flatten() for p in params]))
    return torch.stack(rows)


def recorded(name: str) -> list[Tensor]:
    """The recorded paths of one optimizer, in the order of its RUNS."""
    runs = json.loads(FILE.read_text())["runs"]
    return [torch.tensor(run["path"], dtype=torch.float64) for run in runs if run["optimizer"] == name]


def main() -> None:
    import pytorch_optimizer

    runs = [
        {
            "optimizer": name,
            "options": options,
            "path": path(partial(getattr(pytorch_optimizer, name), **options)).tolist(),
        }
        for name, variants in RUNS.items()
        for options in variants
    ]
    head = {"package": "pytorch_optimizer", "version": version("pytorch_optimizer"), "torch": torch.__version__}
    FILE.write_text(json.dumps({**head, "problem": path.__doc__, "shapes": SHAPES, "runs": runs}) + "\n")


if __name__ == "__main__":
    main()
