"""Lanczos with full reorthogonalization: a few products turn H into a small tridiagonal matrix T = Q H Qᵀ."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from .operator import Operator


class Lanczos:
    """H Qᵀ = Qᵀ T + β_m q_{m+1} e_mᵀ; the rows q_1, ..., q_m of ``Q`` (..., m, dim) are orthonormal, q_1 ∝ start.

    :meth:`extend` adds a row for one product and reads nothing back. Where the space is exhausted (β = 0 to
    rounding) the rows that follow are zero. A multiple eigenvalue has one eigenvector in this space, so it is seen
    once.
    """

    def __init__(self, H: Operator, start: Tensor) -> None:
        self.H = H
        q = start / start.norm(dim=-1, keepdim=True)
        self._rows = q.expand_as(H.point).unsqueeze(-2).contiguous()
        self._alpha: list[Tensor] = []
        self._beta: list[Tensor] = []
        self._scale = q.new_zeros(())  # ‖H‖ as far as seen, for each H of the batch
        self._skew = q.new_zeros(())  # and how far it is from symmetric

    def __len__(self) -> int:
        return len(self._alpha)

    @property
    def Q(self) -> Tensor:
        return self._rows[..., : len(self), :]

    def extend(self) -> None:
        """One more row, for one Hessian-vector product."""
        m = len(self) + 1
        if m == self._rows.shape[-2]:
            more = self._rows.new_empty(*self._rows.shape[:-2], max(8, m), self.H.dim)
            self._rows = torch.cat([self._rows, more], -2)
        Q = self._rows[..., :m, :]
        u = self.H.hvp(Q[..., -1, :]).unsqueeze(-1)
        self._scale = torch.maximum(self._scale, u.norm(dim=(-2, -1)))
        c = Q @ u
        self._alpha.append(c[..., -1, 0])
        u = u - Q.mT @ c
        u = u - Q.mT @ (Q @ u)  # twice is enough to keep the rows orthogonal to rounding
        if m > 1:  # of a symmetric H, c is (0, ..., 0, β, α)
            seen = torch.cat([c[..., :-2, 0], c[..., -2:-1, 0] - self._beta[-1].unsqueeze(-1)], -1)
            self._skew = torch.maximum(self._skew, seen.norm(dim=-1))
        beta = u.norm(dim=(-2, -1))
        self._beta.append(beta)
        floor = torch.finfo(u.dtype).eps * self.H.dim**0.5 * self._scale
        going = (beta > floor)[..., None]
        self._rows[..., m, :] = torch.where(going, u.squeeze(-1) / beta[..., None], 0)

    @property
    def rank(self) -> Tensor:
        """How many rows there are, q_{m+1} included, shape (...): up to m means that the space is exhausted."""
        return self._rows[..., : len(self) + 1, :].any(-1).sum(-1)

    def ritz(self, m: int | None = None) -> tuple[Tensor, Tensor, Tensor]:
        """Eigenvalues (..., m) and eigenvectors S (..., m, m) of T, and the residuals ‖H y - λ y‖ = |β_m s_m|.

        y = Qᵀ s; within its residual of each value lies an eigenvalue of H. By default m counts all rows; to the
        zero ones belongs q_1ᵀ H q_1, which is no eigenvalue but lies between them. ValueError if H turned out not
        to be finite, or not symmetric.
        """
        self._check()
        m = m or len(self)
        there = self._rows[..., :m, :].any(-1)
        alpha = torch.stack(self._alpha[:m], -1)
        T = torch.diag_embed(torch.where(there, alpha, alpha[..., :1]))
        if m > 1:
            off = torch.where(there[..., 1:], torch.stack(self._beta[: m - 1], -1), 0)
            T = T + torch.diag_embed(off, 1) + torch.diag_embed(off, -1)
        values, S = torch.linalg.eigh(T)
        return values, S, (self._beta[m - 1].unsqueeze(-1) * S[..., -1, :]).abs()

    def _check(self) -> None:
        info = torch.finfo(self._scale.dtype)
        skew, scale = torch.stack(
            [(self._skew / self._scale.clamp_min(info.tiny)).max(), self._scale.max()]
        ).tolist()
        if not math.isfinite(skew + scale):
            raise ValueError("a product H v has left the finite numbers: f has no second derivative there")
        if skew > info.eps**0.25:
            raise ValueError(
                f"the operator is not symmetric, to {skew:.1e} of its size; does every product see the same loss?"
            )
