"""Schedules against torch's schedulers and closed forms, in a torch scheduler and in descend."""

import math

import pytest
import torch
from torch.optim import lr_scheduler

from coursekit import descend, optim, schedules
from coursekit.problems import Quadratic
from coursekit.rules import adam, gradient_descent

f64 = torch.float64


def torch_rates(make, steps: int) -> list[float]:
    """The learning rates that a scheduler of torch gives steps 1, 2, ..., from a base of 1."""
    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.ones(1))], lr=1.0)
    scheduler, rates = make(optimizer), []
    for _ in range(steps):
        rates.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        scheduler.step()
    return rates


PEERS = {
    "cosine": (lambda t: schedules.cosine(t, T=40), lambda o: lr_scheduler.CosineAnnealingLR(o, 40), 41),
    "cosine, printed": (
        lambda t: schedules.cosine_printed(t, T=40),
        lambda o: lr_scheduler.CosineAnnealingLR(o, 40),
        41,
    ),
    "cosine, floor": (
        lambda t: schedules.cosine(t, T=40, floor=0.1),
        lambda o: lr_scheduler.CosineAnnealingLR(o, 40, eta_min=0.1),
        41,
    ),
    "cosine, warm": (
        lambda t: schedules.cosine(t, T=40, warm=10),
        lambda o: lr_scheduler.SequentialLR(
            o,
            [lr_scheduler.LinearLR(o, 0.1, total_iters=9), lr_scheduler.CosineAnnealingLR(o, 30)],
            milestones=[10],
        ),
        40,
    ),
    "restarts": (
        lambda t: schedules.cosine_restarts(t, T=7),
        lambda o: lr_scheduler.CosineAnnealingWarmRestarts(o, 7),
        60,
    ),
    "restarts, growing": (
        lambda t: schedules.cosine_restarts(t, T=5, growth=2, floor=0.2),
        lambda o: lr_scheduler.CosineAnnealingWarmRestarts(o, 5, T_mult=2, eta_min=0.2),
        100,
    ),
    "step decay": (lambda t: schedules.step_decay(t, every=8), lambda o: lr_scheduler.StepLR(o, 8), 40),
    "warm-up": (
        lambda t: schedules.warmup(t, T=10),
        lambda o: lr_scheduler.LinearLR(o, 0.1, total_iters=9),
        30,
    ),
    "constant": (schedules.constant, lambda o: lr_scheduler.ConstantLR(o, 1.0), 5),
}


@pytest.mark.filterwarnings("ignore:The epoch parameter")  # SequentialLR's own
@pytest.mark.parametrize("name", PEERS)
def test_as_torch_has_it(name: str) -> None:
    ours, peer, steps = PEERS[name]
    theirs = torch_rates(peer, steps)
    assert [ours(t) for t in range(1, steps + 1)] == pytest.approx(theirs, rel=1e-12, abs=1e-12)
    if name != "constant":  # a schedule that is one step late is not the same
        assert [ours(max(t - 1, 1)) for t in range(1, steps + 1)] != pytest.approx(theirs, rel=1e-12, abs=1e-12)


def test_closed_forms() -> None:
    assert [schedules.inverse(t) for t in (1, 2, 4)] == [1, 0.5, 0.25]
    assert [schedules.inverse_sqrt(t) for t in (1, 4, 16)] == [1, 0.5, 0.25]
    cosine = [schedules.cosine_printed(t, T=100) for t in range(1, 102)]
    assert cosine[-1] == 0
    assert cosine[-2] == pytest.approx(math.sin(math.pi / 200) ** 2)
    assert math.fsum(cosine[:-1]) == pytest.approx((100 + 1) / 2)
    assert schedules.cosine(500, T=100, floor=0.25) == 0.25


def test_the_repaired_step_never_exceeds_one_over_L_and_the_printed_one_does() -> None:
    mu, kappa = 0.5, 19.0
    repaired = [schedules.strongly_convex(t, mu, kappa) for t in range(1, 200)]
    assert max(repaired) <= 1 / (mu * kappa)
    assert schedules.strongly_convex(1, mu) > 2 / (mu * kappa)
    lam = torch.tensor([mu, mu * kappa], dtype=f64)
    start = torch.ones(2, dtype=f64)
    good, bad = (
        descend(
            Quadratic(lam),
            gradient_descent,
            start,
            100,
            record=("w",),
            eta=lambda t, k=k: schedules.strongly_convex(t, mu, k),
        )
        for k in (kappa, 0.0)
    )
    # Slow mode: the product of 1 - 1/(t + κ) telescopes to κ'/(t + κ'), with κ' = κ from t = 1.
    t = torch.arange(101, dtype=f64)
    torch.testing.assert_close(good.w[:, 0], kappa / (t + kappa), rtol=1e-12, atol=0)
    assert float(good.w[:, 1].abs().max()) == 1
    growth = float(bad.w[:, 1].abs().max())
    assert growth == pytest.approx(math.prod(abs(1 - kappa / k) for k in range(1, 10)), rel=1e-10)
    assert growth > 1e4


def test_in_descend_as_in_a_torch_loop() -> None:
    lam, start = torch.tensor([1.0, 10.0], dtype=f64), torch.ones(2, dtype=f64)
    run = descend(
        Quadratic(lam), adam, start, 60, record=("w",), eta=lambda t: 0.1 * schedules.cosine(t, T=60, warm=5)
    )
    for make in (torch.optim.Adam, optim.Adam):
        w = torch.nn.Parameter(start.clone())
        optimizer = make([w], lr=0.1)
        scheduler = lr_scheduler.LambdaLR(optimizer, lambda k: schedules.cosine(k + 1, T=60, warm=5))
        path = [start]
        for _ in range(60):
            optimizer.zero_grad()
            (lam * w * w).sum().div(2).backward()
            optimizer.step()
            scheduler.step()
            path.append(w.detach().clone())
        torch.testing.assert_close(run.w, torch.stack(path), rtol=1e-12, atol=1e-12)
    constant = descend(Quadratic(lam), adam, start, 60, record=("w",), eta=0.1)
    assert not torch.allclose(run.w, constant.w)


def test_a_schedule_may_give_a_batch_of_steps() -> None:
    lam, start = torch.tensor([1.0, 10.0], dtype=f64), torch.ones(2, dtype=f64)
    base = torch.tensor([0.01, 0.05, 0.1], dtype=f64)
    runs = descend(Quadratic(lam), gradient_descent, start, 30, eta=lambda t: base * schedules.inverse_sqrt(t))
    assert runs.f.shape == (31, 3)
    for i, eta in enumerate(base.tolist()):
        one = descend(Quadratic(lam), gradient_descent, start, 30, eta=lambda t, e=eta: e / math.sqrt(t))
        torch.testing.assert_close(runs.f[:, i], one.f, rtol=1e-12, atol=1e-15)


@pytest.mark.parametrize(
    ("call", "told"),
    [
        (lambda: schedules.inverse(0), "t counts steps from 1, got 0"),
        (lambda: schedules.constant(math.nan), "t counts steps from 1, got nan"),
        (lambda: schedules.warmup(1, T=0), "T must be positive and finite, got 0"),
        (lambda: schedules.cosine_printed(12, T=10), "defined for t up to T \\+ 1 = 11, got t = 12"),
        (lambda: schedules.cosine(1, T=10, warm=10), r"warm must lie in \[0, T\)"),
        (lambda: schedules.cosine(1, T=10, floor=2), r"floor must lie in \[0, 1\], got 2"),
        (lambda: schedules.cosine_restarts(1, T=10, growth=0.5), "growth must lie in"),
        (lambda: schedules.step_decay(1, every=-1), "every must be positive"),
        (lambda: schedules.step_decay(1, every=1, factor=1.5), "factor must lie in"),
        (lambda: schedules.strongly_convex(1, mu=-1), "mu must be positive"),
        (lambda: schedules.strongly_convex(1, mu=1, kappa=-1), "kappa must lie in"),
    ],
)
def test_bad_input_is_refused(call, told: str) -> None:
    with pytest.raises(ValueError, match=told):
        call()


@pytest.mark.parametrize(
    ("schedule", "told"),
    [
        (lambda t: math.nan, "its schedule gave nan at t = 1"),
        (lambda t: torch.tensor([0.1, -1.0]), "at t = 1"),
        (lambda t: 0.125 - 0.0625 * t, "gave -0.0625 at t = 3"),
    ],
)
def test_a_schedule_that_gives_no_step_size_is_refused(schedule, told: str) -> None:
    with pytest.raises(ValueError, match=rf"eta must lie in \[0, inf\).*{told}"):
        descend(Quadratic(torch.ones(2)), gradient_descent, torch.ones(2), 10, eta=schedule)
    with pytest.raises(ValueError, match="beta1 must be a number or a tensor, got <function"):
        descend(Quadratic(torch.ones(2)), adam, torch.ones(2), 10, beta1=schedule)
