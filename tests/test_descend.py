"""The one loop: batching, records, stopping, divergence, counting, bad input."""

from contextlib import ExitStack

import pytest
import torch
from scipy import optimize
from torch import nn

from coursekit import data, descend, schedules, stopping
from coursekit.oracles import AdditiveNoise, Epochs, MiniBatch, Oracle, Wrapper
from coursekit.problems import LeastSquares, Network, Quadratic, Rosenbrock
from coursekit.rules import adam, gradient_descent, heavy_ball, rule

from .habits import Waited, no_waiting

f64 = torch.float64
bowl = Quadratic(torch.tensor([1.0, 10.0], dtype=f64))
start = torch.tensor([1.0, 1.0], dtype=f64)


def test_closed_form_on_a_quadratic() -> None:
    run = descend(bowl, gradient_descent, start, 30, eta=0.15, record=("w", "f", "g", "grad_norm"))
    t = torch.arange(31, dtype=f64)[:, None]
    w = (1 - 0.15 * bowl.p.lam) ** t
    torch.testing.assert_close(run.w, w, rtol=1e-12, atol=1e-15)
    torch.testing.assert_close(run.f, (bowl.p.lam * w * w).sum(-1) / 2, rtol=1e-12, atol=1e-15)
    torch.testing.assert_close(run.g, bowl.p.lam * w, rtol=1e-12, atol=1e-15)
    torch.testing.assert_close(run.grad_norm, (bowl.p.lam * w).norm(dim=-1), rtol=1e-12, atol=1e-15)


@pytest.mark.parametrize("rule", [heavy_ball, adam], ids=lambda r: r.name)
def test_a_batch_of_starts_and_steps_is_its_single_runs(rule) -> None:
    starts = torch.tensor([[-1.2, 1.0], [0.5, 0.5], [1.5, -0.5]], dtype=f64)
    etas = torch.tensor([1e-5, 3e-5, 1e-4, 3e-4], dtype=f64)[:, None]
    beta = {"beta": 0.8} if rule is heavy_ball else {"beta1": torch.tensor([0.5, 0.8, 0.9], dtype=f64)}
    batch = descend(Rosenbrock(), rule, starts, 50, record=("w",), eta=etas, **beta)
    assert batch.w.shape == (51, 4, 3, 2)
    for i in range(4):
        for j in range(3):
            one = {k: (v if isinstance(v, float) else float(v[j])) for k, v in beta.items()}
            single = descend(Rosenbrock(), rule, starts[j], 50, record=("w",), eta=float(etas[i]), **one)
            torch.testing.assert_close(batch.w[:, i, j], single.w, rtol=1e-12, atol=1e-13)


def test_a_diverged_run_is_reported_and_spoils_no_other() -> None:
    run = descend(bowl, gradient_descent, start, 600, eta=torch.tensor([0.1, 1.0], dtype=f64))
    assert run.diverged.tolist() == [False, True]
    assert descend(bowl, gradient_descent, start, 600, eta=1.0, record=("w",)).diverged.item()
    etas = torch.tensor([0.1, 1e200], dtype=f64)
    noisy = descend(MiniBatch(net, 8), gradient_descent, net.start.expand(2, -1), 30, eta=etas)
    assert noisy.diverged.tolist() == [False, True]
    assert float(run.f[-1, 0]) < 1e-20


def test_gradient_criterion_stops_each_run_by_itself() -> None:
    etas = torch.tensor([0.05, 0.1], dtype=f64)
    run = descend(
        bowl,
        gradient_descent,
        start,
        1000,
        eta=etas,
        record=("w", "grad_norm"),
        stop=stopping.gradient_below(1e-6),
    )
    for i, t in enumerate(run.stopped.tolist()):
        assert run.grad_norm[t, i] <= 1e-6 < run.grad_norm[t - 1, i]
        assert bool((run.w[t:, i] == run.w[t, i]).all())
    assert run.T < 1000


def test_change_criteria_stop_at_the_first_small_change() -> None:
    def changes(record: str) -> torch.Tensor:
        run = descend(bowl, gradient_descent, start, 300, eta=0.1, record=(record,))
        difference = run.records[record].diff(dim=0)
        return difference.abs() if record == "f" else difference.norm(dim=-1)

    for criterion, record in ((stopping.value_change_below, "f"), (stopping.gradient_change_below, "g")):
        run = descend(bowl, gradient_descent, start, 300, eta=0.1, stop=criterion(1e-5))
        first = int((changes(record) <= 1e-5).nonzero()[0]) + 1
        assert int(run.stopped) == first
    never = descend(bowl, gradient_descent, start, 3, eta=0.1, stop=stopping.gradient_below(1e-30))
    assert int(never.stopped) == 3


def test_records_may_be_sparse() -> None:
    names = ("w", "f", "g", "grad_norm")
    for oracle in (bowl, AdditiveNoise(bowl, 0.1)):
        full, sparse = (
            descend(oracle, adam, start.expand(3, -1), 20, record=names, record_every=k, eta=0.1) for k in (1, 6)
        )
        for name in names:
            assert torch.equal(sparse.records[name], full.records[name][::6])
        assert (sparse.T, sparse.every, full.every, len(sparse.f)) == (20, 6, 1, 4)
        assert sparse.calls == full.calls
    early = descend(
        bowl, gradient_descent, start, 900, eta=0.1, record_every=7, stop=stopping.gradient_below(1e-3)
    )
    assert len(early.f) == early.T // 7 + 1 < 100


def test_whether_all_have_stopped_is_asked_every_so_often() -> None:
    criterion = stopping.gradient_below(1e-3)
    runs = [
        descend(bowl, gradient_descent, start, 500, eta=0.1, stop=criterion, check_every=k) for k in (1, 7, 900)
    ]
    stopped = {int(run.stopped) for run in runs}
    assert len(stopped) == 1  # the same iterate ends the run
    first = stopped.pop()
    assert [run.T for run in runs] == [first, -(-first // 7) * 7, 500]


def test_eta_of_every_step_and_run_is_on_record() -> None:
    etas = torch.tensor([[0.1], [0.2]], dtype=f64)
    starts = start.expand(3, -1)
    assert torch.equal(descend(bowl, adam, starts, 4, eta=etas).eta, etas.expand(4, 2, 3))
    assert torch.equal(descend(bowl, adam, starts, 4, eta=0.1).eta, torch.full((4, 3), 0.1, dtype=f64))
    scheduled = descend(bowl, gradient_descent, start, 5, record=("w", "g"), eta=lambda t: 0.1 / t)
    torch.testing.assert_close(scheduled.w.diff(dim=0), -scheduled.eta[:, None] * scheduled.g[:-1])
    assert scheduled.eta.tolist() == pytest.approx([0.1, 0.05, 0.1 / 3, 0.025, 0.02])
    assert descend(bowl, gradient_descent, start, 0, eta=lambda t: 0.1 / t).eta.shape == (0,)


def test_projected_descent_finds_the_minimum_over_a_box() -> None:
    problem = LeastSquares(*data.diabetes())
    inside = descend(
        problem,
        gradient_descent,
        torch.zeros(3, 10, dtype=f64) + torch.tensor([[0.0], [0.05], [-0.05]], dtype=f64),
        3000,
        record=("w",),
        eta=1 / float(problem.L),
        project=lambda w: w.clamp(-0.1, 0.1),
    )
    assert inside.w.abs().max() <= 0.1
    fit = optimize.lsq_linear(problem.p.X.numpy(), problem.p.y.numpy(), (-0.1, 0.1), tol=1e-14).x
    torch.testing.assert_close(inside.w[-1], torch.tensor(fit).expand(3, -1), rtol=1e-7, atol=1e-9)
    clamped_at_the_end = problem.w_star.clamp(-0.1, 0.1)
    assert float((clamped_at_the_end - torch.tensor(fit)).abs().max()) > 1e-3
    assert not inside.follows(gradient_descent)


def test_which_runs_follow_a_rule() -> None:
    assert descend(bowl, gradient_descent, start, 1).follows(gradient_descent)
    assert not descend(bowl, heavy_ball, start, 1).follows(gradient_descent)
    assert not descend(AdditiveNoise(bowl, 0.1), gradient_descent, start, 1).follows(gradient_descent)


class Watched(Wrapper):
    """The inner oracle; from its first call on nothing may wait for a device."""

    def __init__(self, inner, stack: ExitStack) -> None:
        super().__init__(inner)
        self.exact, self.stack, self.watching = self.inner.exact, stack, False

    def value_and_grad(self, w):
        if not self.watching:
            self.watching = True
            self.stack.enter_context(no_waiting())
        return self.inner.value_and_grad(w)


def watched(problem, *args, **options):
    with ExitStack() as stack:
        return descend(Watched(problem, stack), *args, **options)


digits, one_hot = data.digits(40)
torch.manual_seed(0)
module = nn.Sequential(nn.Linear(64, 3), nn.BatchNorm1d(3), nn.Dropout(0.2), nn.Linear(3, 10)).to(f64)
net = Network(module, digits, one_hot.argmax(1), nn.functional.cross_entropy, masks=0)
SEEN = {
    "quadratic": bowl,
    "least squares": LeastSquares(*data.diabetes(), ridge=0.1),
    "network": net,
    "mini-batches": MiniBatch(net, 8),
    "epochs": Epochs(LeastSquares(*data.diabetes()), 200),
    "noise": AdditiveNoise(MiniBatch(net, 8, replacement=True), 0.1),
}


@pytest.mark.parametrize("name", SEEN)
@pytest.mark.parametrize("eta", ["number", "batch", "schedule", "schedule of tensors"])
def test_a_step_never_waits_for_its_device(name: str, eta: str) -> None:
    problem = SEEN[name].problem if isinstance(SEEN[name], Oracle) else SEEN[name]
    batch = torch.tensor([0.01, 0.02], dtype=f64)
    given = {
        "number": 0.01,
        "batch": batch,
        "schedule": lambda t: 0.1 * schedules.cosine(t, T=20),
        "schedule of tensors": lambda t: batch / t,
    }[eta]
    options = {
        "record": ("w", "f", "g", "grad_norm"),
        "stop": stopping.gradient_below(1e-9),
        "project": lambda w: w.clamp(-9, 9),
        "eta": given,
    }
    run = watched(SEEN[name], adam, torch.zeros(2, problem.dim, dtype=f64) + 0.1, 15, **options)
    assert run.T == 15
    if name == "quadratic":
        with pytest.raises(Waited):  # the stopping test does wait, when it is asked
            watched(SEEN[name], adam, torch.zeros(2, problem.dim, dtype=f64) + 0.1, 15, **options, check_every=5)


def test_a_rule_that_reads_back_is_caught() -> None:
    @rule(eta=0.1)
    def clipped(w, g, state, scalars, h):
        return -h.eta * g / max(1.0, float(g.norm())), ()

    with pytest.raises(Waited, match="_local_scalar_dense"):
        watched(bowl, clipped, start, 1)


def test_seeds_of_sgd_on_a_network_are_its_single_runs() -> None:
    starts = net.start * torch.linspace(0.5, 1.5, 16, dtype=f64)[:, None]
    oracle = MiniBatch(net, 8, seed=3)
    run = descend(oracle, heavy_ball, starts, 6, record=("w",), eta=0.05)
    again = oracle.fresh()
    batches = [again.indices(starts) for _ in range(6)]
    for i in (0, 15):
        w, v = starts[i], torch.zeros(net.dim, dtype=f64)
        for chosen in batches:
            v = 0.9 * v + net.on(chosen[i]).grad(w)
            w = w - 0.05 * v
        torch.testing.assert_close(run.w[-1, i], w, rtol=1e-10, atol=1e-12)


def test_calls_are_counted() -> None:
    run = descend(bowl, gradient_descent, start, 20, eta=0.1)
    assert (run.calls.gradients, run.calls.values, run.calls.hvps) == (21, 0, 0)


def test_dtype_is_the_callers() -> None:
    bowl32 = Quadratic(torch.tensor([1.0, 10.0]))
    run = descend(bowl32, adam, torch.ones(2), 5, eta=torch.tensor([0.1, 0.2], dtype=f64))
    assert run.f.dtype == torch.float32


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")
def test_runs_on_the_gpu_as_on_the_cpu() -> None:
    on_gpu = Quadratic(torch.tensor([1.0, 10.0], dtype=f64, device="cuda"))
    run = descend(on_gpu, heavy_ball, start.cuda(), 50, eta=0.05)
    assert run.f.device.type == "cuda"
    torch.testing.assert_close(run.f.cpu(), descend(bowl, heavy_ball, start, 50, eta=0.05).f)


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"start": torch.ones(3, dtype=f64)}, r"start must have 2 coordinates on its last axis, got shape \(3,\)"),
        ({"start": torch.tensor([1, 2])}, "start must be a floating-point tensor"),
        ({"start": torch.tensor([1.0, torch.nan])}, "start must be finite"),
        ({"steps": -1}, "steps must be at least 0, got -1"),
        ({"record_every": 0}, "record_every must be at least 1, got 0"),
        ({"check_every": 0}, "check_every must be at least 1, got 0"),
        ({"eta": lambda t: -1.0}, r"eta must lie in \[0, inf\), its schedule gave -1.0 at t = 1"),
        ({"eta": lambda t: torch.tensor([0.1, -1])}, r"eta must lie in \[0, inf\), its schedule gave tensor"),
        ({"record": ("loss",)}, "record must name some of w, f, g, grad_norm"),
        ({"record": ()}, "record must name some of"),
        (
            {"start": torch.ones(3, 2, dtype=f64), "eta": torch.ones(4)},
            r"batch of start \(3,\) does not broadcast",
        ),
    ],
)
def test_bad_input_is_refused_at_the_door(options: dict, told: str) -> None:
    given = {"start": start, "steps": 1, **options}
    with pytest.raises(ValueError, match=told):
        descend(bowl, gradient_descent, **given)
    with pytest.raises(ValueError, match="epsilon must be positive, got 0"):
        stopping.gradient_below(0)


def test_asking_for_what_was_not_recorded() -> None:
    run = descend(bowl, gradient_descent, start, 1)
    with pytest.raises(AttributeError, match="'w' was not recorded: pass record="):
        _ = run.w
