"""The one loop: batching, records, stopping, divergence, counting, bad input."""

import pytest
import torch

from coursekit import descend, stopping
from coursekit.problems import Quadratic, Rosenbrock
from coursekit.rules import adam, gradient_descent, heavy_ball

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
