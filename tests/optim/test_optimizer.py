"""What a torch optimizer owes its user: groups, saved state, closures, errors at the door, no waiting."""

import copy
import inspect
import io
import pickle

import pytest
import torch
from torch import nn
from torch.nn import functional

from coursekit import optim
from coursekit.rules import rule
from tests.habits import Waited, no_waiting
from tests.optim.side_by_side import CLASSES, Network, batch, f64, loss_at, one_group, train, two_groups

pytestmark = pytest.mark.usefixtures("device")

LAYERWISE = [optim.LAMB, optim.Muon, optim.Shampoo]
every_class = pytest.mark.parametrize("made", CLASSES + LAYERWISE, ids=lambda c: c.__name__)


@every_class
def test_a_saved_run_goes_on_as_if_never_stopped(made) -> None:
    whole = train(lambda n: made(two_groups(n), lr=0.01))
    net = Network()
    optimizer = made(two_groups(net), lr=0.01)
    first = train(lambda n: optimizer, range(50), net)
    file = io.BytesIO()
    torch.save({"net": net.state_dict(), "optimizer": optimizer.state_dict()}, file)
    file.seek(0)
    saved = torch.load(file, weights_only=True)

    def reloaded(net: nn.Module) -> torch.optim.Optimizer:
        net.load_state_dict(saved["net"])
        fresh = made(two_groups(net), lr=0.5)
        fresh.load_state_dict(saved["optimizer"])
        return fresh

    assert torch.equal(torch.cat([first, train(reloaded, range(50, 100))]), whole)
    if made.rule.state:  # without the state the path is another one

        def forgetful(net: nn.Module) -> torch.optim.Optimizer:
            net.load_state_dict(saved["net"])
            return made(two_groups(net), lr=0.01)

        assert not torch.equal(train(forgetful, range(50, 100)), whole[50:])


def test_copies_and_pickles_keep_their_options() -> None:
    p = nn.Parameter(torch.ones(3))
    optimizer = optim.AdamW([p], lr=0.1, wd=0.3, compile=True)
    for twin in (copy.deepcopy(optimizer), pickle.loads(pickle.dumps(optimizer))):
        assert (type(twin), twin.compile) == (optim.AdamW, True)
        assert twin.param_groups[0]["wd"] == 0.3


def test_a_closure_is_called_with_gradients_on_and_its_loss_returned() -> None:
    net = Network()
    optimizer = optim.HeavyBall(net.parameters(), lr=0.01)

    def closure() -> torch.Tensor:
        optimizer.zero_grad()
        loss = loss_at(net, 0)
        loss.backward()
        return loss

    expected = train(lambda n: optim.HeavyBall(one_group(n), lr=0.01), [0, 0])
    with torch.no_grad():
        before = loss_at(net, 0)
    assert torch.equal(optimizer.step(closure), before)
    optimizer.step(closure)
    assert torch.equal(torch.cat([p.detach().flatten() for p in net.parameters()]), expected[-1])
    assert optimizer.step() is None


def test_a_parameter_without_gradient_is_left_alone() -> None:
    net = Network()
    optimizer = optim.AdamW(net.parameters(), wd=0.5)
    loss_at(net, 1).backward()
    optimizer.step()
    for still in (net.frozen, net.rare):
        assert torch.equal(still, Network().get_parameter("frozen" if still is net.frozen else "rare"))
        assert still not in optimizer.state
    assert optimizer.state[net.crooked]["step"] == 1


def test_blocks_do_not_show(monkeypatch) -> None:
    whole = train(lambda n: optim.AMSGrad(one_group(n), lr=0.1), range(20))
    monkeypatch.setattr("coursekit.optim.engines.BLOCK", 5)
    assert torch.equal(train(lambda n: optim.AMSGrad(one_group(n), lr=0.1), range(20)), whole)


def test_a_rule_may_shift_a_window() -> None:
    @rule(state=("g1", "g2"), eta=0.5)
    def third_last_gradient(w, g, state, scalars, h):
        g1, g2 = state
        return g2, (g, g1)

    p = nn.Parameter(torch.zeros(1, dtype=f64))
    optimizer = optim.from_rule(third_last_gradient)([p])
    path = []
    for g in (1.0, 2.0, 4.0, 8.0, 16.0):
        p.grad = torch.tensor([g], dtype=f64)
        optimizer.step()
        path.append(p.item())
    assert path == [0, 0, 1, 3, 7]


def test_the_signature_says_what_can_be_set() -> None:
    assert (
        str(inspect.signature(optim.Lion))
        == "(params, lr=0.0001, *, beta1=0.9, beta2=0.99, wd=0.0, l2=0.0, maximize=False, compile=False)"
    )
    assert "Lion" in (optim.Lion.__doc__ or "")


nan = float("nan")


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"betas": (0.9, 0.99)}, "adam has no option 'betas'; it has lr, beta1, beta2, eps, l2, maximize"),
        ({"eta": 0.1}, "adam has no option 'eta'; it has lr"),
        ({"lr": -0.1}, r"lr must lie in \(0, inf\), got -0.1"),
        ({"lr": nan}, r"lr must lie in \(0, inf\), got nan"),
        ({"lr": torch.tensor(nan)}, r"lr must lie in"),
        ({"lr": torch.ones(2)}, r"lr must be one number, got shape \(2,\)"),
        ({"beta2": 1.0}, r"beta2 must lie in \[0, 1\), got 1.0"),
        ({"l2": -1.0}, r"l2 must lie in \[0, inf\), got -1.0"),
        ({"maximize": "yes"}, "maximize must be True or False, got 'yes'"),
    ],
)
def test_bad_options_are_refused_at_the_door(options: dict, told: str) -> None:
    p = nn.Parameter(torch.ones(2))
    with pytest.raises(ValueError, match=told):
        optim.Adam([p], **options)
    with pytest.raises(ValueError, match=told):
        optim.Adam([{"params": [p], **options}])
    optimizer = optim.Adam([p])
    with pytest.raises(ValueError, match=told):
        optimizer.add_param_group({"params": [nn.Parameter(torch.ones(1))], **options})
    assert len(optimizer.param_groups) == 1


def test_bad_parameters_are_refused_at_the_door() -> None:
    with pytest.raises(ValueError, match="empty parameter list"):
        optim.Adam([])
    with pytest.raises(TypeError, match="ordered"):
        optim.Adam([{"params": {nn.Parameter(torch.ones(1))}}])
    z = nn.Parameter(torch.ones(2, dtype=torch.complex64))
    with pytest.raises(ValueError, match=r"parameter number 0 of group 0 is torch.complex64; adam takes real"):
        optim.Adam([z])
    with pytest.raises(ValueError, match=r"parameter phase is torch.complex64"):
        optim.Adam([("phase", z)])
    with pytest.raises(ValueError, match=r"no state of Adam: it lacks beta1, beta2, l2"):
        optim.Adam([torch.ones(1)]).load_state_dict(torch.optim.Adam([torch.ones(1)]).state_dict())


@pytest.mark.parametrize("named", [False, True])
def test_a_bad_step_moves_nothing(named: bool) -> None:
    embedding = nn.Embedding(4, 2, sparse=True)
    dense = nn.Parameter(torch.ones(2))
    dense.grad = torch.ones(2)
    embedding(torch.tensor([1])).sum().backward()
    params = [("dense", dense), ("words", embedding.weight)] if named else [dense, embedding.weight]
    optimizer = optim.Adam(params)
    name = "words" if named else "number 1 of group 0"
    with pytest.raises(
        ValueError, match=f"the gradient of parameter {name} is torch.sparse_coo; adam takes dense"
    ):
        optimizer.step()
    embedding.weight.grad = None
    optimizer.param_groups[0]["lr"] = nan
    with pytest.raises(ValueError, match=r"lr of group 0 must lie in \[0, inf\), got nan"):
        optimizer.step()
    assert torch.equal(dense, torch.ones(2))
    assert not optimizer.state


@every_class
@pytest.mark.parametrize("tensor_lr", [False, True])
def test_an_eager_step_waits_for_no_device(made, tensor_lr: bool) -> None:
    net = Network()
    loss_at(net, 0).backward()
    optimizer = made(net.parameters(), lr=torch.tensor(0.1, dtype=f64) if tensor_lr else 0.1)
    with no_waiting():
        for _ in range(3):
            optimizer.step()


@pytest.mark.parametrize("peek", [lambda g: g[0].item(), lambda g: 1.0 if g[0] > 0 else 2.0])
def test_a_rule_that_reads_back_is_caught(peek) -> None:
    @rule(eta=0.5)
    def peeking(w, g, state, scalars, h):
        return -h.eta * peek(g) * g, ()

    p = nn.Parameter(torch.ones(2))
    p.grad = torch.ones(2)
    with pytest.raises(Waited), no_waiting():
        optim.from_rule(peeking)([p]).step()


@every_class
def test_accumulated_gradients_are_one_gradient(made) -> None:
    def run(parts: list[slice]) -> torch.Tensor:
        net = Network()
        optimizer = made(net.parameters(), lr=0.01)
        for step in range(3):
            optimizer.zero_grad()
            x, y = batch(step)
            for part in parts:
                functional.mse_loss(net(x[part], 1), y[part]).div(len(parts)).backward()
            optimizer.step()
        return torch.cat([p.detach().flatten() for p in net.parameters()])

    halves = run([slice(4), slice(4, 8)])
    assert float((halves - run([slice(8)])).abs().max()) < 1e-12
    assert float((halves - run([slice(4)])).abs().max()) > 1e-4


def test_a_gradient_scaler_unscales_and_leaves_out() -> None:
    def run(make, overflow: bool) -> torch.Tensor:
        net = Network()
        optimizer = make(net.parameters())
        scaler = torch.amp.GradScaler("cpu", init_scale=1024.0)
        for step in range(4):
            optimizer.zero_grad()
            scaler.scale(loss_at(net, step)).backward()
            if overflow and step == 2:
                net.crooked.grad[0, 0] = torch.inf
            scaler.step(optimizer)
            scaler.update()
        return torch.cat([p.detach().flatten() for p in net.parameters()])

    for overflow in (False, True):
        ours, theirs = (run(lambda p, m=m: m.Adam(p, lr=0.01), overflow) for m in (optim, torch.optim))
        assert float((ours - theirs).abs().max()) < 1e-12
    plain = train(lambda n: optim.Adam(one_group(n), lr=0.01), range(4))[-1]
    assert float((run(lambda p: optim.Adam(p, lr=0.01), False) - plain).abs().max()) < 1e-12
    assert float((ours - plain).abs().max()) > 1e-4  # a step was left out
