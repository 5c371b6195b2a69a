"""Kept-graph products against dense Hessians, on problems and on modules as users have them."""

from types import SimpleNamespace

import pytest
import torch
from torch import Tensor, nn
from torch.func import jacrev

from coursekit import data
from coursekit.curvature import Operator, diagonal, eigenpairs, hessian_of, rademacher, sharpness, trace
from coursekit.problems import tanh_network
from coursekit.problems.problem import Problem

pytestmark = pytest.mark.usefixtures("device")

f64 = torch.float64


class Frozen(nn.Module):
    """A frozen layer, an unused one, one that the loss is linear in, and two that share their weight."""

    def __init__(self) -> None:
        super().__init__()
        self.first, self.unused, self.last = nn.Linear(3, 4), nn.Linear(2, 2), nn.Linear(4, 1)
        self.one, self.two = nn.Linear(4, 4), nn.Linear(4, 4)
        self.two.weight = self.one.weight
        self.first.bias.requires_grad_(False)

    def forward(self, x: Tensor) -> Tensor:
        return self.last(torch.tanh(self.two(torch.tanh(self.one(torch.tanh(self.first(x)))))))


class Sum(Problem):
    dim = 3

    @staticmethod
    def formula(w: Tensor, p: object) -> Tensor:
        return 2 * w.sum(-1)

    def __init__(self) -> None:
        self.p = SimpleNamespace()


def module_and_loss(device: torch.device) -> tuple[nn.Module, torch.Tensor]:
    torch.manual_seed(0)
    return Frozen().to(device, f64), torch.randn(5, 3, dtype=f64, device=device)


def dense(module: nn.Module, x: Tensor) -> Tensor:
    """The Hessian of module(x).mean() by torch.func, over the flat trainable parameters."""
    names = {name: p for name, p in module.named_parameters() if p.requires_grad}
    sizes = [p.numel() for p in names.values()]

    def f(w: Tensor) -> Tensor:
        pieces = {n: s.view_as(p) for (n, p), s in zip(names.items(), w.split(sizes), strict=True)}
        return torch.func.functional_call(module, pieces, (x,)).mean()

    return jacrev(jacrev(f))(torch.cat([p.detach().reshape(-1) for p in names.values()]))


def test_a_module_against_the_dense_hessian(device: torch.device) -> None:
    module, x = module_and_loss(device)
    exact = dense(module, x)
    H = hessian_of(module, lambda: module(x).mean())
    assert H.dim == len(exact) == sum(p.numel() for p in module.parameters() if p.requires_grad)
    columns = torch.stack([H.hvp(e) for e in torch.eye(H.dim, dtype=f64, device=device)])
    torch.testing.assert_close(columns, exact, rtol=1e-12, atol=1e-12)
    assert float(exact.abs().max()) > 1e-3
    assert H.calls.hvps == H.dim
    assert H.calls.gradients == 1


def test_the_module_is_left_as_it_was() -> None:
    torch.manual_seed(0)
    module = nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4), nn.Tanh(), nn.Dropout(0.5), nn.Linear(4, 1)).to(f64)
    x = torch.randn(8, 3, dtype=f64)
    before = {name: t.clone() for name, t in module.state_dict().items()}
    H = hessian_of(module, lambda: module(x).square().mean())
    found = eigenpairs(H, tol=1e-8)  # refuses what is not symmetric: a mask drawn anew would be
    assert found.converged
    assert all(torch.equal(t, before[name]) for name, t in module.state_dict().items())
    assert all(p.grad is None for p in module.parameters())


def test_a_batch_of_points_is_a_batch_of_operators(device: torch.device) -> None:
    net = tanh_network(*(t.to(device) for t in data.digits(20)), hidden=[2])
    w = torch.stack([net.start, 0.5 * net.start])
    v = torch.randn(2, net.dim, dtype=f64, device=device)
    H = hessian_of(net, w)
    exact = torch.stack([jacrev(jacrev(net.value))(one) @ u for one, u in zip(w, v, strict=True)])
    for _ in range(2):  # the graph is kept
        torch.testing.assert_close(H.hvp(v), exact, rtol=1e-10, atol=1e-12)
    assert H.calls.hvps == 2


def test_later_changes_of_the_point_do_not_reach_the_operator() -> None:
    net = tanh_network(*data.digits(20), hidden=[2])
    w, v = net.start.clone(), torch.ones(net.dim, dtype=f64)
    H = hessian_of(net, w)
    before = H.hvp(v)
    w.zero_()
    torch.testing.assert_close(H.hvp(v), before, rtol=0, atol=0)


def test_a_linear_function_has_no_curvature() -> None:
    H = hessian_of(Sum(), torch.zeros(3, dtype=f64))
    assert H.hvp(torch.ones(3, dtype=f64)).tolist() == [0, 0, 0]
    found = eigenpairs(H)
    assert float(found.values[0]) == 0
    assert found.converged
    assert float(trace(H, 3).value) == 0


@pytest.mark.parametrize(
    ("f", "at", "message"),
    [
        (Sum(), torch.zeros(2), "3 coordinates"),
        (Sum(), torch.full((3,), torch.nan), "finite"),
        (Sum(), lambda: torch.zeros(()), "a problem and a point"),
        (nn.Linear(2, 1), torch.zeros(3), "a module|a torch.nn.Module and its loss"),
        ("f", torch.zeros(3), "got str"),
        (nn.Linear(2, 1).requires_grad_(False), lambda: torch.zeros(()), "no parameters"),
        (nn.Linear(2, 1), lambda: torch.zeros(()), "depends on no parameter"),
        (nn.Linear(2, 1), lambda: 1.0, "got float"),
        (nn.Sequential(nn.Linear(2, 1), nn.Linear(1, 1).double()), lambda: torch.zeros(()), "share one dtype"),
    ],
)
def test_what_is_refused(f: object, at: object, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        hessian_of(f, at)  # type: ignore[call-overload]


def test_a_loss_must_be_one_finite_number() -> None:
    module = nn.Linear(2, 1)
    with pytest.raises(ValueError, match=r"shape \(\), got shape \(4, 1\)"):
        hessian_of(module, lambda: module(torch.ones(4, 2)))
    with pytest.raises(ValueError, match="finite, got inf"):
        hessian_of(module, lambda: module(torch.ones(4, 2)).square().sum() * torch.inf)
    other = nn.Linear(2, 1)
    with pytest.raises(ValueError, match="does not depend on the module's"):
        hessian_of(module, lambda: other(torch.ones(4, 2)).sum())
    with pytest.raises(ValueError, match="one point at a time"):
        sharpness(module, lambda: module(torch.ones(4, 2)).sum(), torch.ones(3))


def test_products_are_checked() -> None:
    H = Operator(lambda v: v, torch.zeros(3))
    with pytest.raises(ValueError, match=r"shape \(3,\), got \(2,\)"):
        H.hvp(torch.zeros(2))
    with pytest.raises(ValueError, match="at least 1"):
        list(rademacher(H, 0))
    with pytest.raises(ValueError, match="at least one vector"):
        diagonal(H.hvp, [])
