"""The variance of a mini-batch gradient, by enumeration of all mini-batches."""

from __future__ import annotations

import math
from collections.abc import Callable
from itertools import combinations, product

import torch

from ..oracles.oracle import finite_sum
from ..problems.problem import FiniteSum
from .theorem import Assumption, Constants, Points, Sides, Theorem

# More mini-batches than this are not enumerated.
MOST = 20_000


def _few(replacement: bool) -> Assumption:
    def met(points: Points, k: Constants) -> bool:
        f, b = points.problem, k["b"]
        if not isinstance(f, FiniteSum) or b != int(b) or not 1 <= b <= (math.inf if replacement else f.n):
            return False
        return (f.n**b if replacement else math.comb(f.n, int(b))) <= MOST

    upper = "" if replacement else r" \le n"
    return Assumption(
        "batch", rf"$f$ is a mean over $n$ examples, $1 \le b{upper}$; at most {MOST} mini-batches", met
    )


def _enumerated(replacement: bool) -> Callable[[Points, Constants], Sides]:
    def sides(points: Points, k: Constants) -> Sides:
        f, b = finite_sum(points.problem), int(k["b"])
        g = f.per_example_grads(points.w)
        mean = g.mean(-2)
        batches = product(range(f.n), repeat=b) if replacement else combinations(range(f.n), b)
        drawn = torch.stack([g[..., list(batch), :].mean(-2) for batch in batches])
        sigma2 = (g - mean[..., None, :]).square().sum(-1).mean(-1)
        factor = 1.0 if replacement else (f.n - b) / max(f.n - 1, 1)
        size = g.square().sum(-1).mean(-1)
        # Two equalities: the mean of all mini-batch gradients is the gradient, and they vary as the formula says.
        return Sides(
            left=torch.stack([(drawn.mean(0) - mean).norm(dim=-1), (drawn - mean).square().sum(-1).mean(0)], -1),
            right=torch.stack([torch.zeros_like(sigma2), factor * sigma2 / b], -1),
            scale=torch.stack([size.sqrt(), size], -1),
            equal=True,
        )

    return sides


minibatch_variance = Theorem(
    id="minibatch-variance",
    kind="lemma",
    title="Variance of a mini-batch gradient, with replacement",
    chapter=3,
    statement=r"""
Let $f = \frac1n\sum_i f_i$ and $\sigma^2 = \frac1n\sum_i \|\nabla f_i(w) - \nabla f(w)\|^2$. If $B$ holds $b$
indices drawn independently and uniformly, then $g_B = \frac1b\sum_{i\in B}\nabla f_i(w)$ has

$$
\mathbb E\,g_B = \nabla f(w), \qquad \mathbb E\,\|g_B - \nabla f(w)\|^2 = \frac{\sigma^2}{b} .
$$

Even $b = n$ leaves the variance $\sigma^2/n$.
""",
    source="GG-eq37, TDL-P4.6.3a, TDL-4.2-unbiased",
    assumptions=(_few(True),),
    constants=("b",),
    needs=("w",),
    sides=_enumerated(True),
)

minibatch_variance_without = Theorem(
    id="minibatch-variance-without",
    kind="lemma",
    title="Variance of a mini-batch gradient, without replacement",
    chapter=3,
    statement=r"""
Let $f = \frac1n\sum_i f_i$ with $n \ge 2$ and $\sigma^2 = \frac1n\sum_i \|\nabla f_i(w) - \nabla f(w)\|^2$. If
$B$ is a uniformly random set of $b \le n$ different indices, then
$g_B = \frac1b\sum_{i\in B}\nabla f_i(w)$ has

$$
\mathbb E\,g_B = \nabla f(w), \qquad
\mathbb E\,\|g_B - \nabla f(w)\|^2 = \frac{n-b}{n-1}\cdot\frac{\sigma^2}{b} .
$$

At $b = n$ nothing is left. With $s^2 = \frac{n}{n-1}\sigma^2$, the variance with the divisor $n-1$, it reads
$(1-\frac bn)\frac{s^2}{b}$.
""",
    source="GG-eq36, TDL-P4.6.3a, TDL-4.2-unbiased",
    assumptions=(_few(False),),
    constants=("b",),
    needs=("w",),
    sides=_enumerated(False),
)
