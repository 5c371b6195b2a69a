"""The compiled step takes torch's path, and a new learning rate or step number compiles nothing again."""

import pytest
import torch
from torch import nn

from coursekit import optim
from coursekit.optim import engines
from coursekit.rules import Rule, rule
from tests.optim.side_by_side import f64, gap, two_groups

pytestmark = [pytest.mark.usefixtures("compiler"), pytest.mark.filterwarnings("ignore::DeprecationWarning")]


@pytest.mark.parametrize(
    ("ours", "options", "peer", "peer_options"),
    [
        (optim.HeavyBall, {}, torch.optim.SGD, {"momentum": 0.9}),
        (optim.AdamW, {"wd": 0.1}, torch.optim.AdamW, {"weight_decay": 0.1}),
    ],
    ids=["heavy ball", "AdamW"],
)
def test_same_path_as_torch_and_one_compilation(ours, options, peer, peer_options, monkeypatch) -> None:
    made, graph = [], engines._graph
    monkeypatch.setattr(engines, "_graph", lambda *args: made.append(args) or graph(*args))
    difference = gap(
        lambda n: ours(two_groups(n), lr=0.01, compile=True, **options),
        lambda n: peer(two_groups(n), lr=0.01, **peer_options),
        after=lambda o: torch.optim.lr_scheduler.ExponentialLR(o, 0.95),
    )
    assert difference < 1e-12
    # One for each list of tensors that occurs, none for the 100 learning rates and step numbers.
    assert len(made) == 3


def test_other_layouts_are_compiled_anew() -> None:
    """Weights, gradients and buffers may come back with other strides or sizes: nothing is read out of place."""
    weights = []
    for made in (lambda p: optim.HeavyBall(p, compile=True), lambda p: torch.optim.SGD(p, 0.1, momentum=0.9)):
        p = nn.Parameter(torch.arange(6.0, dtype=f64).reshape(2, 3))
        optimizer = made([p])
        for step in range(4):
            if step == 1:
                p.data = p.data.t().contiguous().t()
            g = torch.arange(6.0, dtype=f64).reshape(3, 2).t() + step
            p.grad = g.contiguous() if step == 2 else g
            optimizer.step()
        q = nn.Parameter(torch.ones(40, dtype=f64))
        q.grad = q.detach() * torch.arange(40.0, dtype=f64)
        optimizer.add_param_group({"params": q, "lr": torch.tensor(0.5, dtype=f64)})
        optimizer.step()
        weights.append(torch.cat([p.detach().flatten(), q.detach()]))
    assert torch.allclose(*weights, rtol=0, atol=1e-12)


def test_a_gradient_that_two_parameters_share_is_not_taken_for_one() -> None:
    p, q = (nn.Parameter(torch.zeros(3, dtype=f64)) for _ in range(2))
    optimizer = optim.GradientDescent([p, q], lr=1.0, compile=True)
    p.grad = q.grad = torch.ones(3, dtype=f64)
    optimizer.step()
    p.grad, q.grad = torch.full((3,), 2.0, dtype=f64), torch.full((3,), 4.0, dtype=f64)
    optimizer.step()
    assert (p.tolist(), q.tolist()) == ([-3.0] * 3, [-5.0] * 3)


def test_a_tensor_learning_rate_may_change_in_place(monkeypatch) -> None:
    made, graph = [], engines._graph
    monkeypatch.setattr(engines, "_graph", lambda *args: made.append(args) or graph(*args))
    p, lr = nn.Parameter(torch.zeros(2, dtype=f64)), torch.tensor(1.0, dtype=f64)
    optimizer = optim.GradientDescent([p], lr=lr, compile=True)
    p.grad = torch.ones(2, dtype=f64)
    optimizer.step()
    lr.fill_(0.25)
    optimizer.step()
    assert p.tolist() == [-1.25, -1.25]
    assert len(made) == 1


@rule(state=("g1", "g2"), eta=0.5)
def third_last_gradient(w, g, state, scalars, h):
    g1, g2 = state
    return g2, (g, g1)


@rule(state=("w1",), eta=0.5)
def fibonacci(w, g, state, scalars, h):
    return state[0], (w,)


@pytest.mark.parametrize(
    ("made", "expected"), [(third_last_gradient, [1, 1, 2, 4, 8]), (fibonacci, [1, 2, 3, 5, 8])]
)
def test_what_a_rule_hands_on_is_copied_before_it_is_overwritten(made: Rule, expected: list[int]) -> None:
    p = nn.Parameter(torch.ones(1, dtype=f64))
    optimizer = optim.from_rule(made)([p], compile=True)
    path = []
    for g in (1.0, 2.0, 4.0, 8.0, 16.0):
        p.grad = torch.tensor([g], dtype=f64)
        optimizer.step()
        path.append(p.item())
    assert path == expected
