"""AdaHessian: Adam with the curvature of each coordinate in place of its squared gradient."""

from collections.abc import Callable, Mapping
from typing import Any

import torch
from torch import Tensor

from ..rules.adam import bias_correction
from ..rules.ops import sqrt
from ..rules.rule import rule
from .engines import Leaf
from .optimizer import Bucket, RuleOptimizer, from_rule


@rule(
    state=("m", "v", "D"), eta=0.15, beta1=0.9, beta2=0.999, eps=1e-4, power=1.0, wd=0.0, scalars=bias_correction
)  # fmt: skip
def adahessian(w: Any, g: Any, state: Any, scalars: Any, h: Any) -> Any:
    """AdaHessian (Yao et al. 2021): m ← β₁ m + (1-β₁) g, v ← β₂ v + (1-β₂) D², w ← w - η (m̂/(v̂^(k/2) + ε) + λ w).

    D estimates the diagonal of the Hessian by one probe per step, z ⊙ Hz with random signs z (torch's global
    generator draws them), averaged over each kernel of a convolution; k is ``power``. It needs the graph of the
    gradients: ``loss.backward(create_graph=True)``; ``step`` frees that graph. A parameter group has a Hessian of
    its own, so curvature between groups adds no noise. ``l2`` counts in D, λ = ``wd`` does not.
    """
    m, v, D = state
    m = h.beta1 * m + (1 - h.beta1) * g
    v = h.beta2 * v + (1 - h.beta2) * D * D
    return -h.eta * (m * scalars.c1 / (sqrt(v * scalars.c2) ** h.power + h.eps) + h.wd * w), (m, v, D)


def curvature(w: Tensor, z: Tensor, Hz: Tensor) -> Tensor:
    """z ⊙ Hz; where w has more than two axes, its mean over all but the first two."""
    D = z * Hz
    return D.mean(tuple(range(2, w.ndim)), keepdim=True) if w.ndim > 2 else D


class _AdaHessian(RuleOptimizer):
    def step(self, closure: Callable[[], Any] | None = None) -> Any:
        loss = super().step(closure)
        for group in self.param_groups:
            for p in group["params"]:
                if p.grad is not None:
                    p.grad = p.grad.detach()  # it held the graph, and the graph held p
        return loss

    def _leaves(self, group: Mapping[str, Any]) -> Mapping[Bucket, list[Leaf]]:
        buckets = super()._leaves(group)
        leaves = [leaf for bucket in buckets.values() for leaf in bucket]
        curved = [leaf for leaf in leaves if leaf.g.requires_grad]  # the others have constant gradients
        z = [torch.randint_like(leaf.w, 2) * 2 - 1 for leaf in curved]
        w, g = [leaf.w for leaf in curved], [leaf.g for leaf in curved]
        Hz = torch.autograd.grad(g, w, z, retain_graph=True, materialize_grads=True) if curved else ()
        for leaf in leaves:
            leaf.state[2].fill_(group["l2"])
        for leaf, *probe in zip(curved, z, Hz, strict=True):
            leaf.state[2].add_(curvature(leaf.w, *probe), alpha=-1 if group["maximize"] else 1)
        return buckets

    def _check_gradients(self) -> None:
        super()._check_gradients()
        grads = [p.grad for group in self.param_groups for p in group["params"] if p.grad is not None]
        if grads and not any(g.requires_grad for g in grads):
            raise ValueError("adahessian needs the graph of the gradients: loss.backward(create_graph=True)")


AdaHessian = from_rule(adahessian, "AdaHessian", base=_AdaHessian)
