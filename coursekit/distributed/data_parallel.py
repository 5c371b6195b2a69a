"""Data-parallel training: every process has a copy of the model and a part of the mini-batch."""

from __future__ import annotations

from collections.abc import Iterable

import torch
from torch import Tensor, distributed


@torch.no_grad()
def average_gradients(params: Iterable[Tensor], examples: int) -> None:
    """g ← Σ_r n_r g_r / Σ_r n_r over all processes r, where g_r is the gradient of a mean loss over n_r examples.

    Call it in every process of the ``torch.distributed`` group (gloo on CPU, nccl on GPU) between
    ``loss.backward()`` and the step of any optimizer: copies that start equal then stay equal, and go where one
    process goes on the whole mini-batch. ``examples`` is n_r of this process, 0 if it has none. A gradient that is
    None here counts as zero if another process has one. Buffers are not averaged. Raises ValueError for a negative
    number of examples, for none in all processes, or no parameters.
    """
    params = [p for p in params if p.requires_grad]
    if not params:
        raise ValueError("params must hold tensors that require gradients, got none")
    if examples < 0:
        raise ValueError(f"examples must be at least 0, got {examples!r}")
    here = [examples, *(p.grad is not None for p in params)]
    everywhere = torch.tensor(here, device=params[0].device)
    distributed.all_reduce(everywhere)
    total, *used = everywhere.tolist()
    if not total:
        raise ValueError("examples must not be 0 in all processes")
    sent = []
    for p, owners in zip(params, used, strict=True):
        if owners:
            p.grad = (torch.zeros_like(p) if p.grad is None else p.grad * (examples / total)).contiguous()
            sent.append(distributed.all_reduce(p.grad, async_op=True))
    for message in sent:
        message.wait()
