"""Mini-batches, epochs and noise: their laws, their seeds, and the same path as a loop of torch.optim."""

from collections import Counter
from itertools import combinations, product

import pytest
import torch
from scipy import stats
from torch import Tensor, nn

from coursekit import data, descend
from coursekit.oracles import AdditiveNoise, Epochs, MiniBatch, Oracle, Wrapper
from coursekit.problems import LeastSquares, Network, Quadratic, Rosenbrock
from coursekit.rules import gradient_descent, heavy_ball

pytestmark = pytest.mark.usefixtures("device")

f64 = torch.float64
X = torch.randn(5, 2, generator=torch.Generator().manual_seed(3), dtype=f64)
small = LeastSquares(X, X.sum(1) + torch.tensor([1.0, -1, 2, 0, -3], dtype=f64), ridge=0.1)
bowl = Quadratic(torch.tensor([1.0, 10.0, 3.0], dtype=f64))
DRAWS = 20_000
many = torch.zeros(DRAWS, 2, dtype=f64)


def p_value(outcomes: Tensor, possible: list[tuple[int, ...]]) -> float:
    """Of Pearson's chi-square test that all possible outcomes are equally likely; 0 if another one occurred."""
    counts = Counter(map(tuple, outcomes.tolist()))
    return 0.0 if set(counts) - set(possible) else stats.chisquare([counts[o] for o in possible]).pvalue


class Leaning(MiniBatch):
    """A sampler that takes the last examples a little more often."""

    def _shuffled(self, w, size):
        keys = torch.rand(len(w), self.n, generator=self.generator(w))
        return (keys + torch.linspace(0, 0.1, self.n)).topk(size).indices


@pytest.mark.parametrize("b", [1, 2, 3])
def test_every_batch_is_equally_likely(b: int) -> None:
    sets, tuples = list(combinations(range(5), b)), list(product(range(5), repeat=b))
    without = MiniBatch(small, b, seed=1).indices(many).sort().values
    with_ = MiniBatch(small, b, replacement=True, seed=1).indices(many)
    assert p_value(without, sets) > 1e-3
    assert p_value(with_, tuples) > 1e-3
    if b > 1:
        assert p_value(with_.sort().values, sets) == 0  # repeats: the other law
        assert p_value(without, [*sets, (9,) * b]) < 1e-9  # a batch that never comes
    assert p_value(Leaning(small, b, seed=1).indices(many).sort().values, sets) < 1e-9


@pytest.mark.parametrize("b", [1, 2, 5])
def test_an_epoch_uses_every_example_once_in_an_order_of_its_own(b: int) -> None:
    oracle = Epochs(small, b, seed=2)
    w = many[:300]
    epochs = [torch.cat([oracle.indices(w) for _ in range(-(-5 // b))], -1) for _ in range(3)]
    for order in epochs:
        assert torch.equal(order.sort().values, torch.arange(5).expand(300, 5))
    assert not torch.equal(epochs[0], epochs[1])
    assert len(set(map(tuple, epochs[0].tolist()))) > 80  # of 120 orders
    assert [oracle.indices(w).shape[-1] for _ in range(-(-5 // b))] == {1: [1] * 5, 2: [2, 2, 1], 5: [5]}[b]
    no_epoch = MiniBatch(small, b, seed=2)
    drawn = torch.cat([no_epoch.indices(w) for _ in range(-(-5 // b))], -1)[:, :5]
    assert b == 5 or not torch.equal(drawn.sort().values, torch.arange(5).expand(300, 5))


def test_all_orders_are_equally_likely() -> None:
    order = Epochs(small, 3, seed=4).indices(many)
    assert p_value(order, [(i, j, k) for i, j, k in product(range(5), repeat=3) if len({i, j, k}) == 3]) > 1e-3


def test_noise_has_the_stated_size() -> None:
    w = torch.ones(DRAWS, 3, dtype=f64)
    for oracle, each in (
        (AdditiveNoise(bowl, 0.6, seed=5), 0.6**2 / 3),
        (AdditiveNoise(bowl, 0.6, per_coordinate=True, seed=5), 0.6**2),
    ):
        xi = oracle.value_and_grad(w)[1] - bowl.grad(w)
        # ‖ξ‖²/each has the chi-square law with 3 degrees of freedom, the sum over the draws that with 3·DRAWS
        inside = stats.chi2(3 * DRAWS).interval(0.999)
        assert inside[0] < float((xi * xi).sum()) / each < inside[1]
        assert not inside[0] < float((xi * xi).sum()) / (each * 1.05) < inside[1]
        assert stats.kstest((xi / each**0.5).flatten().numpy(force=True), "norm").pvalue > 1e-3
        correlation = torch.corrcoef(xi.T)[[0, 0, 1], [1, 2, 2]]
        assert float(correlation.abs().max()) < 4 / DRAWS**0.5


def test_a_noisy_draw_is_one_tilted_function() -> None:
    w, u = torch.randn(2, 4, 2, generator=torch.Generator().manual_seed(0), dtype=f64)
    draw = AdditiveNoise(Rosenbrock(), 0.7).draw(w)
    f, g = draw.value_and_grad(w)
    torch.testing.assert_close(f, draw.value(w))
    slope = (draw.value(w + 1e-6 * u) - draw.value(w - 1e-6 * u)) / 2e-6
    torch.testing.assert_close((g * u).sum(-1), slope, rtol=1e-6, atol=1e-7)
    assert not torch.allclose((Rosenbrock().grad(w) * u).sum(-1), slope, rtol=1e-3)
    torch.testing.assert_close(draw.hvp(w, u), Rosenbrock().hvp(w, u))
    torch.testing.assert_close(draw.hessian(w), Rosenbrock().hessian(w))
    noisy = AdditiveNoise(MiniBatch(small, 2), 0.1).draw(w)
    torch.testing.assert_close(noisy.per_example_grads(w).mean(-2), noisy.value_and_grad(w)[1])


digits, one_hot = data.digits(60)
mlp = nn.Sequential(nn.Linear(64, 3, dtype=f64), nn.Tanh(), nn.Linear(3, 10, dtype=f64))
PROBLEMS = {
    "least squares": (LeastSquares(*data.diabetes()), torch.zeros(10, dtype=f64)),
    "network": (Network(mlp, digits, one_hot.argmax(1), nn.functional.cross_entropy), None),
}


def torch_loop(name: str, starts: Tensor, batches: list[Tensor], momentum: float) -> Tensor:
    """Ends of the loops that one writes with torch.optim, one run after the other."""
    ends = []
    for run, start in enumerate(starts):
        if name == "network":
            module = nn.Sequential(nn.Linear(64, 3, dtype=f64), nn.Tanh(), nn.Linear(3, 10, dtype=f64))
            nn.utils.vector_to_parameters(start, module.parameters())
            parameters, (inputs, targets) = list(module.parameters()), (digits, one_hot.argmax(1))
        else:
            parameters, (inputs, targets) = [start.clone().requires_grad_(True)], data.diabetes()
        optimizer = torch.optim.SGD(parameters, lr=0.1, momentum=momentum)
        for chosen in batches:
            optimizer.zero_grad()
            x, t = inputs[chosen[run]], targets[chosen[run]]
            if name == "network":
                loss = nn.functional.cross_entropy(module(x), t)
            else:
                loss = nn.functional.mse_loss(x @ parameters[0], t) / 2
            loss.backward()
            optimizer.step()
        ends.append(nn.utils.parameters_to_vector(parameters).detach())
    return torch.stack(ends)


@pytest.mark.parametrize("name", PROBLEMS)
@pytest.mark.parametrize("make", [Epochs, MiniBatch], ids=lambda m: m.__name__)
def test_same_path_as_a_loop_of_torch_optim_on_the_same_batches(name: str, make) -> None:
    problem, start = PROBLEMS[name]
    starts = (problem.start if start is None else start) * torch.tensor([[1.0], [0.5], [2.0]], dtype=f64)
    oracle, steps = make(problem, 20, seed=7), 30
    again = oracle.fresh()
    batches = [again.indices(starts) for _ in range(steps)]
    run = descend(oracle, heavy_ball, starts, steps, record=("w",), eta=0.1, beta=0.9)
    torch.testing.assert_close(run.w[-1], torch_loop(name, starts, batches, 0.9), rtol=1e-12, atol=1e-12)
    lagging = torch_loop(name, starts, [batches[-1], *batches[:-1]], 0.9)
    assert float((run.w[-1] - lagging).abs().max()) > 1e-4


def test_oracles_around_each_other_may_share_a_seed(device: torch.device) -> None:
    def dependence(inner_seed, outer_seed) -> float:
        """Correlation of what two noises of the same size add, one around the other."""
        inner = AdditiveNoise(bowl, 1.0, seed=inner_seed)
        outer = AdditiveNoise(inner, 1.0, seed=outer_seed)
        w = torch.zeros(DRAWS, 3, dtype=f64)
        first = inner.fresh().value_and_grad(w)[1].flatten()
        both = outer.fresh().value_and_grad(w)[1].flatten()
        return float(torch.corrcoef(torch.stack([first, both - first]))[0, 1])

    assert abs(dependence(5, 5)) < 4 / (3 * DRAWS) ** 0.5
    # the same stream twice, as with one plain generator for each, is one noise doubled
    inner = AdditiveNoise(bowl, 1.0, seed=torch.Generator(device).manual_seed(5))
    twice = AdditiveNoise(inner, 1.0, seed=torch.Generator(device).manual_seed(5))
    once = AdditiveNoise(bowl, 1.0, seed=5).value_and_grad(many.new_zeros(DRAWS, 3))[1]
    torch.testing.assert_close(twice.value_and_grad(many.new_zeros(DRAWS, 3))[1], 2 * once)


ORACLES = {
    "mini-batch": lambda seed: MiniBatch(small, 2, seed=seed),
    "with replacement": lambda seed: MiniBatch(small, 2, replacement=True, seed=seed),
    "epochs": lambda seed: Epochs(small, 2, seed=seed),
    "noise": lambda seed: AdditiveNoise(small, 0.3, seed=seed),
    "noise on mini-batches": lambda seed: AdditiveNoise(MiniBatch(small, 2, seed=seed), 0.3, seed=seed),
}
start = torch.ones(4, 2, dtype=f64)


@pytest.mark.parametrize("name", ORACLES)
def test_the_same_seed_gives_the_same_run(name: str, device: torch.device) -> None:
    oracle = ORACLES[name](1)
    first, second, other = (
        descend(o, gradient_descent, start, 9, eta=0.1) for o in (oracle, oracle, ORACLES[name](2))
    )
    assert torch.equal(first.f, second.f)
    assert not torch.equal(first.f, other.f)
    assert len({tuple(f) for f in first.f.T.tolist()}) == 4  # each run has its own randomness
    oracle.value_and_grad(start)
    assert torch.equal(first.f, descend(oracle, gradient_descent, start, 9, eta=0.1).f)
    goes_on = ORACLES[name](torch.Generator(device).manual_seed(1))
    runs = [descend(goes_on, gradient_descent, start, 9, eta=0.1) for _ in range(2)]
    assert not torch.equal(runs[0].f, runs[1].f)
    if "on" not in name:  # with one source of randomness the generator's first run is that of its seed
        assert torch.equal(runs[0].f, first.f)


@pytest.mark.parametrize("name", ORACLES)
def test_f_and_gradient_norm_are_the_problems_and_g_is_what_the_method_saw(name: str) -> None:
    run = descend(ORACLES[name](1), gradient_descent, start, 9, record=("w", "f", "g", "grad_norm"), eta=0.1)
    torch.testing.assert_close(run.f, small.value(run.w))
    torch.testing.assert_close(run.grad_norm, small.grad(run.w).norm(dim=-1))
    torch.testing.assert_close(run.w[1:], run.w[:-1] - 0.1 * run.g[:-1], rtol=1e-12, atol=1e-14)
    assert not torch.allclose(run.grad_norm, run.g.norm(dim=-1))


@pytest.mark.parametrize(
    ("name", "examples"), [("mini-batch", 20), ("with replacement", 20), ("epochs", 17), ("noise", 50)]
)
def test_calls_are_counted_in_gradients_and_in_examples(name: str, examples: int) -> None:
    oracle = ORACLES[name](1)
    for record in (("w",), ("f",), ("f", "grad_norm")):  # what is recorded is not counted
        run = descend(oracle, gradient_descent, start, 9, record=record, eta=0.1)
        assert (run.calls.gradients, run.calls.examples, run.calls.values) == (10, examples, 0)
    assert oracle.calls.gradients == 0  # each run has its own bill


def test_each_question_is_counted_once_whoever_passes_it_on() -> None:
    w = start[0]
    for oracle in (Oracle(small), MiniBatch(small, 5), AdditiveNoise(Epochs(small, 5), 0.1)):
        oracle.value(w), oracle.value_and_grad(w), oracle.hvp(w, w), oracle.hessian(w), oracle.per_example_grads(w)
        c = oracle.calls
        assert (c.values, c.gradients, c.hvps, c.examples) == (1, 2, 1 + 2, 10)
    exact = Oracle(Rosenbrock())
    exact.value_and_grad(w)
    assert exact.calls.examples == 1


def test_a_wrapper_that_asks_twice_asks_the_same_mini_batch() -> None:
    class Ahead(Wrapper):
        """The gradient at a point further down, as extragradient and sharpness-aware methods ask for it."""

        def value_and_grad(self, w):
            fixed = self.inner.draw(w)
            f, g = fixed.value_and_grad(w)
            return f, fixed.value_and_grad(w - 0.1 * g)[1]

    class Careless(Ahead):
        def value_and_grad(self, w):
            f, g = self.inner.value_and_grad(w)
            return f, self.inner.value_and_grad(w - 0.1 * g)[1]

    oracle = MiniBatch(small, 2, seed=3)
    batch = small.on(oracle.fresh().indices(start))
    seen = Ahead(oracle).fresh().value_and_grad(start)[1]
    expected = batch.grad(start - 0.1 * batch.grad(start))
    torch.testing.assert_close(seen, expected)
    assert not torch.allclose(Careless(oracle).fresh().value_and_grad(start)[1], expected)
    run = descend(AdditiveNoise(Ahead(oracle), 0.0), gradient_descent, start, 3, record=("g",), eta=0.1)
    torch.testing.assert_close(run.g[0], expected)
    assert (run.calls.gradients, run.calls.examples) == (8, 16)


@pytest.mark.parametrize("name", ["mini-batch", "with replacement", "epochs", "noise"])
def test_randomness_lives_where_the_problem_does(name: str, device: torch.device) -> None:
    oracle = ORACLES[name](0)
    run = descend(oracle, gradient_descent, start, 9)
    assert oracle.generator(start).device.type == run.f.device.type == device.type
    assert not bool(run.diverged.any())


@pytest.mark.parametrize(
    ("make", "told"),
    [
        (lambda: MiniBatch(small, 0), r"size must lie in \[1, 5\], got 0"),
        (lambda: Epochs(small, 6), r"size must lie in \[1, 5\], got 6"),
        (lambda: MiniBatch(Rosenbrock(), 1), "Rosenbrock is not a mean over examples"),
        (lambda: Oracle(Rosenbrock()).per_example_grads(start), "Rosenbrock is not a mean over examples"),
        (lambda: AdditiveNoise(small, -1), r"sigma must lie in \[0, inf\), got -1"),
        (lambda: AdditiveNoise(small, float("nan")), r"sigma must lie in \[0, inf\), got nan"),
    ],
)
def test_bad_input_is_refused_at_the_door(make, told: str) -> None:
    with pytest.raises(ValueError, match=told):
        make()
