"""Muon against torch's own, whose Newton-Schulz runs in bfloat16: without that cast both agree to 1e-12."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from coursekit import optim
from coursekit.optim import muon
from tests.optim.side_by_side import f64

pytestmark = pytest.mark.usefixtures("device")

DRAW = torch.Generator().manual_seed(5)
START = [torch.randn(*shape, generator=DRAW, dtype=f64) for shape in [(4, 6), (6, 2), (3, 3)]]
STEP = 0.01


def path(make, start=START) -> torch.Tensor:
    """All matrices after every step on a loss that changes from step to step."""
    params = [w.clone().requires_grad_() for w in start]
    optimizer = make(params)
    rows = []
    for t in range(100):
        optimizer.zero_grad()
        loss = sum(((w - 1) ** 4).sum() * (1 + t % 3) + (w.sum(0) ** 2).sum() for w in params)
        loss.backward()
        optimizer.step()
        rows.append(torch.cat([w.detach().flatten() for w in params]))
    return torch.stack(rows).cpu()


def ours(**options) -> torch.Tensor:
    return path(lambda p: optim.Muon(p, lr=STEP, **options))


def torchs(start=START, **options) -> torch.Tensor:
    return path(lambda p: torch.optim.Muon(p, lr=STEP, adjust_lr_fn="match_rms_adamw", **options), start)


@pytest.fixture
def in_full_precision(monkeypatch) -> None:
    monkeypatch.setattr(torch.Tensor, "bfloat16", torch.Tensor.clone)


@pytest.mark.usefixtures("in_full_precision")
def test_same_path_as_torch() -> None:
    assert (ours() - torchs()).abs().max() < 1e-12
    assert (ours(wd=0.0, beta=0.5) - torchs(weight_decay=0.0, momentum=0.5)).abs().max() < 1e-12


@pytest.mark.usefixtures("in_full_precision")
def test_what_differs_is_seen(monkeypatch) -> None:
    right = torchs()
    for wrong in (torchs(nesterov=False), torchs(ns_steps=4), ours(wd=0.0), ours(beta=0.9)):
        assert (wrong - right).abs().max() > 1e-3
    monkeypatch.setattr(muon, "orthogonalized", lambda G: G / G.norm())
    assert (ours() - right).abs().max() > 1e-1


def test_torch_as_it_is_differs_by_its_rounding_only() -> None:
    start = torch.cat([w.flatten() for w in START])
    step, peer = ours()[0] - start, torchs()[0] - start  # the first: later ones start at different points
    assert (step - peer).norm() < 0.02 * peer.norm()


def test_vectors_and_scalars_go_by_adamw() -> None:
    start = [torch.randn(5, generator=DRAW, dtype=f64), torch.ones((), dtype=f64)]

    def run(make) -> torch.Tensor:
        return path(make, [start[0], start[1].reshape(1)])

    peer = run(lambda p: torch.optim.AdamW(p, lr=STEP, weight_decay=0.1))
    assert (run(lambda p: optim.Muon(p, lr=STEP)) - peer).abs().max() < 1e-12
    optimizer = optim.Muon([start[1], START[0]])
    start[1].grad, START[0].grad = torch.ones_like(start[1]), torch.ones_like(START[0])
    optimizer.step()
    assert [list(optimizer.state[p]) for p in (start[1], START[0])] == [["step", "m", "v"], ["step", "m"]]


def test_a_convolution_is_the_matrix_of_its_flattened_kernels() -> None:
    matrix = torch.randn(3, 8, generator=DRAW, dtype=f64)
    assert torch.equal(muon.orthogonalized(matrix.reshape(3, 2, 2, 2)).flatten(1), muon.orthogonalized(matrix))


@settings(deadline=None, derandomize=True)
@given(st.integers(0, 10**6), st.integers(1, 6), st.integers(1, 6), st.floats(1e-12, 1e12))
def test_orthogonalized(seed: int, rows: int, columns: int, scale: float) -> None:
    """Singular vectors stay, singular values become about one, and the size of G does not matter."""
    draw = torch.Generator().manual_seed(seed)
    G = torch.randn(rows, columns, generator=draw, dtype=f64)
    U, S, Vh = torch.linalg.svd(G, full_matrices=False)
    O = muon.orthogonalized(scale * G)
    middle = U.mT @ O @ Vh.mT
    torch.testing.assert_close(middle, middle.diagonal().diag(), rtol=0, atol=1e-9)
    large = S / S.norm() > 0.01
    assert bool(((middle.diagonal() > 0.68) & (middle.diagonal() < 1.21))[large].all())
    torch.testing.assert_close(muon.orthogonalized(-G.mT), -muon.orthogonalized(G).mT)


def test_zero_stays_zero() -> None:
    assert torch.equal(muon.orthogonalized(torch.zeros(2, 3)), torch.zeros(2, 3))
