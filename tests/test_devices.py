"""What takes a tensor works where the tensor is: the numbers of the CPU, where a CPU tensor is refused."""

from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn

from coursekit import backprop, curvature, data, descend, distributed, methods, optim, rules
from coursekit.methods import minimize
from coursekit.methods.projections import l1_ball
from coursekit.oracles import AdditiveNoise, Epochs, MiniBatch
from coursekit.problems import LeastSquares, Network, OnlineLinear, Quadratic, tanh_network
from coursekit.rules import Rule

from .devices import moved
from .elsewhere import ELSEWHERE, Slip, pretended
from .test_matrix import METHODS, PROBLEMS

f64 = torch.float64
X, Y = data.digits(30)
A, b = data.diabetes()
net, fit = tanh_network(X, Y, [3]), LeastSquares(A, b, ridge=0.1)
bowl, w = Quadratic(torch.tensor([1.0, 10], dtype=f64)), torch.tensor([1.0, -2], dtype=f64)
starts = torch.zeros(3, 10, dtype=f64)
Case = Callable[..., tuple[Tensor, ...]]


def run(problem, rule: Rule, start: Tensor, **options) -> tuple[Tensor, ...]:
    it = descend(problem, rule, start, 12, record=("w", "f", "g", "grad_norm"), **options)
    return it.w, it.f, it.grad_norm, it.eta, it.stopped, it.diverged


def searched(problem, method, start: Tensor) -> tuple[Tensor, ...]:
    it = minimize(problem, method, start, 4)
    return it.w, it.f, it.eta, it.curvature, it.stopped


def stepped(make: Callable[..., torch.optim.Optimizer], module: nn.Module, x: Tensor, y: Tensor):
    """The weights after three steps."""
    optimizer = make(module.parameters())

    def closure() -> Tensor:
        optimizer.zero_grad()
        loss = (module(x) - y).square().mean()
        loss.backward(create_graph="AdaHessian" in type(optimizer).__name__)
        return loss

    for _ in range(3):
        optimizer.step(closure)
    return tuple(p.detach() for p in module.parameters())


def spectral(f, w: Tensor) -> tuple[Tensor, ...]:
    H = curvature.hessian_of(f, w)
    pairs, trace, density = curvature.eigenpairs(H, 2), curvature.trace(H, 5), curvature.spectrum(H, 2, 5)
    return pairs.values, pairs.vectors, trace.value, trace.margin(), density.trace_of(torch.exp).samples


# What is run, and its arguments: tensors, modules and problems, which are moved.
small = nn.Sequential(nn.Linear(64, 3), nn.Tanh(), nn.Linear(3, 10)).double()
CASES: dict[str, tuple[Case, tuple]] = {
    **{
        f"rule {name}": (lambda f, w, r=r, **o: run(f, r, w, **o), (bowl, w))
        for name in rules.__all__
        if isinstance(r := getattr(rules, name), Rule)
    },
    **{
        f"problem {name}": (lambda f, w: (*f.value_and_grad(w), f.hessian(w), f.hvp(w, w), f.w_star - w), given)
        for name, given in PROBLEMS.items()
        if given[0].w_star is not None
    },
    **{
        f"method {m.name}": (lambda f, w, m=m: searched(f, m, w), (fit, starts[0]))
        for made in METHODS.values()
        for m, *_ in made
    },
    **{
        f"optim {name}": (lambda *given, name=name: stepped(getattr(optim, name), *given), (small, X, Y))
        for name in ("Adam", "Lion", "AMGT", "LAMB", "Muon", "Shampoo")
    },
    "optim SAM": (lambda *given: stepped(lambda p: optim.ASAM(optim.AdamW(p), p=1.5), *given), (small, X, Y)),
    "many steps at once": (lambda f, w, eta: run(f, rules.adam, w, eta=eta), (bowl, w, torch.tensor([0.1, 0.2]))),
    "steps on the CPU": (lambda f, w: run(f, rules.adam, w, eta=torch.tensor([0.1, 0.2])), (bowl, w)),
    "scheduled and stopped": (
        lambda f, w: run(f, rules.adam, w, eta=lambda t: 0.1 / t, stop=lambda look: look.f < 3), (bowl, w)
    ),
    "projected": (lambda f, w: run(f, rules.adam, w, eta=0.1, project=l1_ball(1.0)), (bowl, w)),
    "one loss after the other": (
        lambda f, w: run(Epochs(f, 1, shuffle=False), rules.adam, w), (OnlineLinear(), torch.zeros(1, dtype=f64))
    ),
    "backprop": (
        lambda x, y, *p: backprop.backprop(p, x, y, loss="softmax_cross_entropy").gradients,
        (X, Y, *(p.detach() for p in small.parameters())),
    ),
    "dropout with fixed masks": (
        lambda m, x, y: Network(m, x, y, nn.functional.mse_loss, masks=0).start[None],
        (nn.Sequential(nn.Linear(64, 3), nn.Dropout(), nn.Linear(3, 10)).double(), X, Y),
    ),
    "a network made there": (lambda x, y: tanh_network(x, y, [3]).value_and_grad(net.start.to(x.device)), (X, Y)),
    "chosen examples": (lambda f, w: (f.per_example_grads(w), f.on(torch.tensor([1, 2])).grad(w)), (fit, starts)),
    "spectrum": (spectral, (net, net.start)),
    "sharpness": (lambda f, w: curvature.sharpness(f, w, adaptive=True, steps=2, seed=0)[None], (net, net.start)),
    "smoothness": (lambda f, w: curvature.smoothness_along(f, torch.stack([w, 2 * w]))[None], (net, net.start)),
}  # fmt: skip
ORACLES = {
    "mini-batch": lambda f: MiniBatch(f, 20),
    "with replacement": lambda f: MiniBatch(f, 20, replacement=True),
    "epochs": lambda f: Epochs(f, 200),
    "noise": lambda f: AdditiveNoise(f, 0.1),
    "sam of a mini-batch": lambda f: methods.sam(MiniBatch(f, 20), 0.1, beta=0.5, through=True),
    "asam": lambda f: methods.asam(f, torch.tensor([0.1, 0.2, 0.3]), p=1),
    "perturbed": lambda f: methods.Perturbed(f, 0.1, below=9, wait=2),
    "compressed": lambda f: distributed.Compressed(f, lambda g, draw: distributed.random_k(g, draw, k=2)),
    "quantized": lambda f: distributed.Compressed(f, lambda g, draw: distributed.quantized(g, draw, levels=2)),
    "federated": lambda f: distributed.LocalSteps(f, torch.arange(442).split(200), steps=2, eta=0.1),
}
CASES |= {
    f"oracle {name}": (lambda f, w, make=make: run(make(f), rules.heavy_ball, w), (fit, starts))
    for name, make in ORACLES.items()
}


@pytest.mark.parametrize("name", CASES)
def test_elsewhere_as_on_the_cpu(name: str) -> None:
    case, given = CASES[name]
    expected = case(*moved(given, torch.device("cpu")))
    with pretended():
        seen = case(*moved(given, ELSEWHERE))
        assert {x.device for x in seen} == {ELSEWHERE}
        seen = [x.cpu() for x in seen]
    for x, y in zip(seen, expected, strict=True):
        torch.testing.assert_close(x, y, rtol=1e-9, atol=1e-12, equal_nan=True)


def bare(w, g, state, scalars, h):
    return -h.eta * g + torch.zeros(2, dtype=w.dtype), ()


class Hopping(AdditiveNoise):
    def generator(self, w: Tensor) -> torch.Generator:
        return torch.Generator().manual_seed(0)


PLANTED = {
    "a bare tensor in a rule": lambda f, w: descend(f, rules.rule(eta=0.1)(bare), w, 1),
    "a problem that was left behind": lambda f, w: descend(bowl, rules.adam, w, 1),
    "a start that was left behind": lambda f, w: descend(f, rules.adam, w.cpu(), 1),
    "a generator of the CPU": lambda f, w: descend(Hopping(f, 0.1), rules.adam, w, 1),
    "where": lambda f, w: torch.where(w > 0, w.cpu(), 0.0),
    "a matrix product": lambda f, w: torch.eye(2, dtype=f64) @ w,
}


@pytest.mark.parametrize("name", PLANTED)
def test_a_planted_slip_is_caught(name: str) -> None:
    with pretended():
        there = moved((bowl, w), ELSEWHERE)
        with pytest.raises(Slip):
            PLANTED[name](*there)


def test_what_a_gpu_refuses_is_refused() -> None:
    with pretended():
        away = w.to(ELSEWHERE)
        with pytest.raises(TypeError, match="must be copied to the CPU first"):
            away.numpy()
        with pytest.raises(RuntimeError, match="driver must be gels"):
            torch.linalg.lstsq(torch.eye(2, dtype=f64).to(ELSEWHERE), away, driver="gelsd")
        assert (away * torch.tensor(2.0)).tolist() == [2, -4]  # a number, wherever it lies
        assert away[torch.tensor([1])].tolist() == [-2]


def test_a_problem_moved_is_a_copy() -> None:
    labels = Y.argmax(1)
    problem = Network(small, X, labels, nn.functional.cross_entropy)
    other = problem.to(dtype=torch.float32)
    assert {x.dtype for x in (other.start, other.inputs, *other.value_and_grad(other.start))} == {torch.float32}
    assert other.targets.dtype == labels.dtype  # integers stay integers
    assert float(other.value(other.start)) == pytest.approx(float(problem.value(problem.start)), rel=1e-5)
    assert problem.start.dtype == problem.value(problem.start).dtype == f64
    single = fit.to("cpu", torch.float32)
    assert {single.p.X.dtype, single.w_star.dtype} == {torch.float32}
    assert (single.L, fit.w_star.dtype) == (fit.L, f64)
