"""descend(..., compile=True): the same runs as eager, compiled once, and what is refused."""

import gc
import weakref

import pytest
import torch
from torch import nn

from coursekit import compiled, data, descend, stopping
from coursekit.methods import sam
from coursekit.oracles import AdditiveNoise, Epochs
from coursekit.problems import Network, Rosenbrock
from coursekit.problems.network import half_squared_error
from coursekit.rules import adam, gradient_descent, heavy_ball, rule

pytestmark = [pytest.mark.usefixtures("compiler"), pytest.mark.filterwarnings("ignore::DeprecationWarning")]
f64 = torch.float64
start = torch.tensor([-1.2, 1.0], dtype=f64)
etas = torch.logspace(-3, -1, 5, dtype=f64)
NAMES = ("w", "f", "g", "grad_norm")


@pytest.fixture
def made(monkeypatch):
    """For each function that was compiled in this test, how many inputs it has."""
    numbers, inductor = [], compiled.inductor
    monkeypatch.setattr(compiled, "inductor", lambda f, inputs: numbers.append(len(inputs)) or inductor(f, inputs))
    return numbers


def gap(problem, rule, start, steps, **options) -> float:
    """The largest relative difference of the compiled run from the eager one."""
    ours, eager = (
        descend(problem, rule, start, steps, record=NAMES, compile=compile, **options) for compile in (True, False)
    )
    assert (ours.calls, ours.stopped.tolist()) == (eager.calls, eager.stopped.tolist())
    pairs = [(ours.records[name], eager.records[name]) for name in NAMES]
    return max(float((a - b).abs().max() / b.abs().max()) for a, b in pairs)


def test_a_sweep_is_the_eager_one_and_compiled_once(made) -> None:
    problem = Rosenbrock()
    stop = stopping.gradient_below(2.0)
    assert gap(problem, adam, start, 60, eta=etas, stop=stop) < 1e-12
    assert gap(problem, adam, start, 90, eta=etas / 2, stop=stop) < 1e-12  # other step sizes, more steps
    assert gap(problem, adam, start, 20, eta=lambda t: etas / t, stop=stop) < 1e-12
    assert len(made) == 1
    assert gap(Rosenbrock(100.0), adam, start, 0, eta=etas) == 0  # nothing to compile

    ended = descend(problem, adam, start, 60, record=("w",), eta=etas, stop=stop, compile=True)
    assert ended.stopped.min() < 60  # so the freezing of a run that has stopped was compared, too
    w = start.clone().requires_grad_(True)
    optimizer = torch.optim.Adam([w], lr=float(etas[1]))
    for t in range(1, 61):
        optimizer.zero_grad()
        problem.value(w).backward()
        optimizer.step()
        torch.testing.assert_close(ended.w[t, 1], w.detach(), rtol=1e-12, atol=1e-12)
    assert (ended.w[-1, 2] - w.detach()).abs().max() > 1e-3  # another step size is noticed

    alive = weakref.ref(problem)
    del problem, ended, optimizer
    gc.collect()
    assert alive() is None  # what was compiled for a problem does not outlive it


def test_mini_batches_of_a_network_are_the_eager_ones(made) -> None:
    X, Y = data.digits(20)
    torch.manual_seed(0)
    module = nn.Sequential(nn.Linear(64, 10), nn.BatchNorm1d(10).eval(), nn.Dropout(0.2)).to(f64)
    module[0].bias.requires_grad_(False)
    net = Network(module, X, Y, half_squared_error, masks=0)
    starts = net.start * torch.tensor([[0.5], [1.0]], dtype=f64)
    oracle = Epochs(net, 12)  # of 12 and of 8 examples in turn
    same, other = torch.tensor(0.1, dtype=f64), torch.tensor(0.9, dtype=f64)
    assert gap(oracle, heavy_ball, starts, 7, eta=same, beta=same) < 1e-12
    assert gap(oracle, heavy_ball, starts, 7, eta=same, beta=other) < 1e-12  # no longer one tensor
    assert len(made) == 2
    end = descend(oracle, heavy_ball, starts, 7, record=("w",), eta=same, beta=other, compile=True).w[-1]
    for seed, least in ((0, 0.0), (1, 1e-3)):  # other mini-batches lead elsewhere
        eager = descend(Epochs(net, 12, seed=seed), heavy_ball, starts, 7, record=("w",), eta=same, beta=other)
        assert (least == 0) == torch.allclose(eager.w[-1], end, rtol=0, atol=max(least, 1e-12))


@rule(eta=0.1)
def clipped(w, g, state, scalars, h):
    return -h.eta * g / max(1.0, float(g.norm())), ()


@pytest.mark.parametrize(
    ("oracle", "options", "told"),
    [
        (AdditiveNoise(Rosenbrock(), 0.1), {}, "takes a problem, MiniBatch or Epochs, got AdditiveNoise"),
        (sam(Rosenbrock(), 0.1), {}, "takes a problem, MiniBatch or Epochs, got Ascended"),
        (Rosenbrock(), {"project": lambda w: w.clamp(-1, 1)}, "takes no project, got <function"),
        (Rosenbrock(), {"rule": clipped}, "clipped on Rosenbrock cannot be compiled: .*data-dependent"),
    ],
)
def test_what_cannot_be_compiled_is_refused(oracle, options, told) -> None:
    with pytest.raises(ValueError, match=told):
        descend(oracle, **{"rule": gradient_descent, "start": start, "steps": 1, "compile": True, **options})
