"""SAM in a training loop: accumulation, scaled gradients, batch norm, saved state, schedulers."""

import copy
import io
import pickle
from contextlib import nullcontext

import pytest
import torch
from torch import Tensor, nn
from torch.amp import GradScaler
from torch.nn.functional import mse_loss

from coursekit.optim import ASAM, SAM
from tests.optim.sam_by_hand import Normed, closure_of, every_wrapper, flat, sgd, train
from tests.optim.side_by_side import Network, batch, loss_at, two_groups

pytestmark = pytest.mark.usefixtures("device")


def test_without_a_radius_it_is_the_base_at_its_price() -> None:
    net, calls = Network(), []
    optimizer = SAM(sgd(net), rho=0)

    def closure() -> Tensor:
        calls.append(optimizer.last_pass)
        return closure_of(net, 1)()

    with torch.no_grad():
        before = loss_at(net, 1)
    assert torch.equal(optimizer.step(closure), before)
    assert calls == [True]
    reference = Network()
    base = sgd(reference)
    loss_at(reference, 1).backward()
    base.step()
    assert torch.equal(flat(net), flat(reference))
    optimizer.param_groups[1]["rho"] = 0.1
    optimizer.step(closure)
    assert calls == [True, False, True]


@every_wrapper
def test_accumulated_gradients_are_those_of_the_big_batch(wrap) -> None:
    def accumulating(net: Network, step: int):
        def closure() -> None:
            x, y = batch(step)
            for i in range(0, 8, 2):
                (mse_loss(net(x[i : i + 2], step), y[i : i + 2]) / 4).backward()

        return closure

    parts, whole = Network(), Network()
    ours, big = wrap(sgd(parts), rho=0.1), wrap(sgd(whole), rho=0.1)
    for step in range(20):
        ours.step(accumulating(parts, step))
        big.step(closure_of(whole, step))
    torch.testing.assert_close(flat(parts), flat(whole), rtol=1e-12, atol=1e-14)


@every_wrapper
def test_a_scaler_changes_nothing(wrap) -> None:
    def scaled(net: Network) -> Tensor:
        optimizer, scaler = wrap(sgd(net), rho=0.1), GradScaler("cpu", init_scale=2.0**10, growth_interval=3)
        for step in range(20):

            def closure(step: int = step) -> None:
                scaler.scale(loss_at(net, step)).backward()
                if optimizer.last_pass and step % 2:  # to clip by hand
                    scaler.unscale_(optimizer.base)

            optimizer.step(closure, scaler)
            scaler.update()
        assert scaler.get_scale() == 2.0**16
        return flat(net)

    assert torch.equal(scaled(Network()), train(lambda net: wrap(sgd(net), rho=0.1))[-1])


def test_a_step_that_overflows_is_skipped_and_leaves_no_nan() -> None:
    net = Normed()
    optimizer, scaler = SAM(torch.optim.SGD(net.parameters(), lr=0.1)), GradScaler("cpu", init_scale=2.0**126)
    before = flat(net)

    def closure() -> None:
        scaler.scale(net.loss(0) * 100).backward()

    optimizer.step(closure, scaler)
    scaler.update()
    assert torch.equal(flat(net), before)
    assert scaler.get_scale() == 2.0**125
    assert all(x.isfinite().all() for x in net.state_dict().values())


def test_statistics_come_from_the_first_pass_if_asked() -> None:
    def statistics(**options) -> dict[str, Tensor]:
        net = Normed()
        optimizer = SAM(torch.optim.SGD(net.parameters(), lr=0.0), rho=1.0, **({"model": net} if options else {}))
        for step in range(4):
            optimizer.step(lambda step=step: net.loss(step).backward())
        assert net.layers[1].track_running_stats
        return dict(net.named_buffers())

    plain = Normed()
    for step in range(4):
        plain.loss(step)
    still, moved = statistics(model=True), statistics()
    for name, expected in plain.named_buffers():
        assert torch.equal(still[name], expected)
        assert not torch.equal(moved[name], expected)


def test_autocast_around_the_whole_step_sees_the_moved_weights() -> None:
    def trained(around: bool) -> Tensor:
        net = nn.Linear(4, 3)
        nn.init.eye_(net.weight)
        nn.init.zeros_(net.bias)
        optimizer = SAM(torch.optim.SGD(net.parameters(), lr=0.1), rho=0.5)
        for step in range(3):

            def closure(step: int = step) -> None:
                x, y = batch(step)
                with torch.autocast("cpu", torch.bfloat16):
                    loss = mse_loss(net(x.float()), y.float())
                loss.backward()

            with torch.autocast("cpu", torch.bfloat16) if around else nullcontext():
                optimizer.step(closure)
        return flat(net)

    assert torch.equal(trained(around=True), trained(around=False))


def test_the_weights_come_back_when_the_second_call_fails() -> None:
    net = Normed()
    optimizer = SAM(torch.optim.SGD(net.parameters(), lr=0.1, momentum=0.9), rho=0.5, model=net)
    before, inside = flat(net), []

    def closure() -> None:
        net.loss(0).backward()
        if optimizer.last_pass:
            inside.append(flat(net))
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        optimizer.step(closure)
    assert torch.equal(flat(net), before)
    assert abs(float((inside[0] - before).norm()) - 0.5) < 1e-6
    assert net.layers[1].track_running_stats
    assert not optimizer.state


@every_wrapper
def test_a_saved_run_goes_on_as_if_never_stopped(wrap) -> None:
    def make(net: Network) -> SAM:
        wrapped = wrap(torch.optim.Adam(two_groups(net), lr=0.01), rho=0.1)
        wrapped.param_groups[0]["rho"] = 0.2
        return wrapped

    whole, net = train(make), Network()
    optimizer = make(net)
    train(lambda net: optimizer, range(10), net)
    file = io.BytesIO()
    torch.save({"net": net.state_dict(), "optimizer": optimizer.state_dict()}, file)
    file.seek(0)
    saved = torch.load(file, weights_only=True)
    net = Network()
    net.load_state_dict(saved["net"])
    fresh = wrap(torch.optim.Adam(two_groups(net), lr=0.5), rho=0.9)
    fresh.load_state_dict(saved["optimizer"])
    assert torch.equal(train(lambda net: fresh, range(10, 20), net), whole[10:])


def test_copies_and_pickles_are_whole() -> None:
    p = nn.Parameter(torch.ones(3))
    optimizer = ASAM(torch.optim.SGD([p], lr=0.1), rho=0.3, p=3)
    for twin in (copy.deepcopy(optimizer), pickle.loads(pickle.dumps(optimizer))):
        (q,) = twin.param_groups[0]["params"]
        assert twin.base.param_groups is twin.param_groups
        assert (twin.p, twin.param_groups[0]["rho"]) == (3, 0.3)
        twin.step(lambda q=q: (q**4).sum().backward())
        assert (q < 1).all()
    assert torch.equal(p, torch.ones(3))


@pytest.mark.parametrize("on_base", [False, True])
def test_schedulers_work_on_the_wrapper_and_on_its_base(on_base: bool) -> None:
    net = Network()
    optimizer = SAM(sgd(net))
    scheduler = torch.optim.lr_scheduler.ExponentialLR(optimizer.base if on_base else optimizer, 0.5)
    for step in range(3):
        optimizer.step(closure_of(net, step))
        scheduler.step()
    assert [g["lr"] for g in optimizer.base.param_groups] == pytest.approx([0.003 / 8, 0.05 / 8])


def test_a_new_group_reaches_the_base() -> None:
    p, q = nn.Parameter(torch.ones(2)), nn.Parameter(torch.ones(2))
    optimizer = SAM(torch.optim.SGD([p], lr=0.1), rho=0.0)
    optimizer.add_param_group({"params": [q], "rho": 0.5})
    optimizer.step(lambda: (p + q).square().sum().backward())
    assert optimizer.base.param_groups[1]["lr"] == 0.1
    step = 0.5 / 2  # g = (4, 4, 4, 4)
    torch.testing.assert_close(q.detach(), torch.full((2,), 1 - 0.1 * 2 * (2 + step)))
