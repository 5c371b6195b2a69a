"""Any module as a problem: its modes, buffers, frozen and tied parameters, against the module itself."""

import copy

import pytest
import torch
from torch import Tensor, nn

from coursekit.problems import Network

pytestmark = pytest.mark.usefixtures("device")

f64 = torch.float64
generator = torch.Generator().manual_seed(5)
X = torch.randn(12, 4, generator=generator, dtype=f64)
Y = torch.randn(12, 2, generator=generator, dtype=f64)
mse = nn.functional.mse_loss


def mlp(*middle: nn.Module, width: int = 3) -> nn.Sequential:
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(4, width), *middle, nn.Tanh(), nn.Linear(width, 2)).to(f64)


def by_autograd(module: nn.Module, inputs: Tensor = X, targets: Tensor = Y) -> tuple[Tensor, Tensor]:
    """The module's own loss and gradient over its trained parameters, in one vector."""
    f = mse(module(inputs), targets)
    trained = [p for p in module.parameters() if p.requires_grad]
    return f.detach(), torch.cat([g.reshape(-1) for g in torch.autograd.grad(f, trained)])


def agrees(problem: Network, module: nn.Module) -> bool:
    """Are value and gradient those of the module, at its parameters and, as a batch, at two others?"""
    module, ok = copy.deepcopy(module), True
    w = problem.start * torch.tensor([[1.0], [0.5], [-2.0]], dtype=f64)
    f, g = problem.value_and_grad(w)
    for i in range(3):
        nn.utils.vector_to_parameters(w[i], [p for p in module.parameters() if p.requires_grad])
        f_module, g_module = by_autograd(module)
        ok = (
            ok
            and torch.allclose(f[i], f_module, rtol=1e-12)
            and torch.allclose(g[i], g_module, rtol=1e-9, atol=1e-13)
        )
    return ok


def warmed(training: bool) -> nn.Module:
    """A network with BatchNorm whose running statistics have seen data."""
    module = mlp(nn.BatchNorm1d(3))
    for k in range(3):
        module(X + k)
    return module.train(training)


@pytest.mark.parametrize("training", [False, True])
def test_batch_norm_in_either_mode_and_its_statistics_stay(training: bool) -> None:
    module, other = warmed(training), warmed(not training)
    before = copy.deepcopy(module.state_dict())
    problem = Network(module, X, Y, mse)
    assert agrees(problem, module)
    assert not agrees(problem, other)
    problem.value_and_grad(problem.start.expand(5, -1))
    assert all(torch.equal(value, before[name]) for name, value in module.state_dict().items())
    module(X)  # in training mode this one does move its statistics
    assert torch.equal(module[1].running_mean, before["1.running_mean"]) != training


def test_each_layer_keeps_its_own_mode() -> None:
    module = warmed(training=True)
    module[1].eval()  # fine-tuning with frozen statistics
    problem = Network(module, X, Y, mse)
    assert agrees(problem, module)
    assert not agrees(problem, warmed(training=True))


def test_batch_norm_on_mini_batches_is_a_mean_over_examples_in_evaluation_mode_only() -> None:
    halves = torch.arange(12).reshape(2, 6)
    for training in (False, True):
        problem = Network(warmed(training), X, Y, mse)
        w = problem.start.expand(2, -1)
        f = problem.on(halves).value(w)
        torch.testing.assert_close(f[1], mse(warmed(training)(X[6:]), Y[6:]).detach())
        assert torch.allclose(f.mean(), problem.value(problem.start)) != training


def test_a_frozen_parameter_is_no_coordinate() -> None:
    module = mlp()
    module[0].weight.requires_grad_(False)
    problem = Network(module, X, Y, mse)
    assert problem.dim == 3 + 6 + 2
    assert agrees(problem, module)
    before = module[0].weight.clone()
    module[0].weight.zero_()
    assert not agrees(problem, module)  # the problem keeps the value that it was given
    module[0].weight.copy_(before)
    assert agrees(problem, module)
    assert Network(mlp(), X, Y, mse).dim == 11 + 12


class Tied(nn.Module):
    def __init__(self, tie: bool) -> None:
        super().__init__()
        torch.manual_seed(1)
        self.encode, self.decode = (nn.Linear(4, 4, bias=False, dtype=f64) for _ in range(2))
        if tie:
            self.decode.weight = self.encode.weight
        else:
            self.decode.weight = nn.Parameter(self.encode.weight.detach().clone())

    def forward(self, x: Tensor) -> Tensor:
        return self.decode(self.encode(x).tanh())[:, :2]


def test_tied_parameters_are_one_block() -> None:
    problem, apart = (Network(Tied(tie), X, Y, mse) for tie in (True, False))
    assert (problem.dim, apart.dim) == (16, 32)
    assert agrees(problem, Tied(True))
    # the chain rule: a tied gradient is the sum of those of its two places
    gradient = apart.grad(torch.cat([problem.start, problem.start]))
    torch.testing.assert_close(problem.grad(problem.start), gradient[:16] + gradient[16:])
    assert not torch.allclose(problem.grad(problem.start), gradient[:16])


DROPOUTS = {
    "one": lambda: mlp(nn.Dropout(0.5), width=6),
    "two, one inside": lambda: mlp(
        nn.Sequential(nn.Dropout(0.3), nn.ReLU(), nn.Dropout(0.2, inplace=True)), width=6
    ),
    "on the inputs": lambda: nn.Sequential(nn.Dropout(0.5), *mlp()),
    "whole channels": lambda: mlp(nn.Unflatten(1, (3, 2)), nn.Dropout1d(0.4), nn.Flatten(), width=6),
}


@pytest.mark.parametrize("name", DROPOUTS)
def test_dropout_with_fixed_masks_is_a_function(name: str) -> None:
    make = DROPOUTS[name]
    module = make()
    state = torch.get_rng_state()
    problem, again, other = (Network(module, X, Y, mse, masks=seed) for seed in (3, 3, 4))
    start = problem.start
    assert torch.equal(problem.value(start), problem.value(start))
    assert torch.equal(problem.value(start), again.value(start))
    assert torch.equal(state, torch.get_rng_state())
    assert not torch.allclose(problem.value(start), other.value(start))
    e, v = 1e-6, torch.randn(problem.dim, generator=torch.Generator().manual_seed(0), dtype=f64)
    slope = (problem.value(start + e * v) - problem.value(start - e * v)) / (2 * e)
    torch.testing.assert_close(problem.grad(start) @ v, slope, rtol=1e-6, atol=1e-8)
    # a mask belongs to its example: f is a mean over examples, in whatever order they come
    chosen = torch.tensor([[3, 0, 7], [11, 2, 5]])
    single = problem.on(torch.arange(12)[:, None]).value(start)
    torch.testing.assert_close(problem.on(chosen).value(start), single[chosen].mean(1))
    torch.testing.assert_close(problem.per_example_grads(start).mean(0), problem.grad(start))


def test_masks_are_those_of_dropout() -> None:
    p, x = 0.3, torch.ones(400, 50, dtype=f64)
    problem = Network(nn.Sequential(nn.Dropout(p), nn.Linear(50, 1, dtype=f64)), x, x[:, :1], mse, masks=0)
    (mask,) = (value for name, value in vars(problem.p).items() if "mask" in name)
    assert set(mask.unique().tolist()) == {0.0, 1 / (1 - p)}
    kept = float((mask > 0).to(f64).mean())
    assert abs(kept - (1 - p)) < 4 * (p * (1 - p) / mask.numel()) ** 0.5
    assert abs(kept - p) > 0.3


def test_dropout_in_evaluation_mode_is_nothing() -> None:
    module = DROPOUTS["one"]().eval()
    assert agrees(Network(module, X, Y, mse), module)
    assert agrees(Network(module, X, Y, mse, masks=0), module)
    assert not agrees(Network(DROPOUTS["one"](), X, Y, mse, masks=0), module)


def test_later_changes_of_the_module_do_not_matter() -> None:
    module = warmed(training=False)
    problem = Network(module, X, Y, mse)
    f = problem.value(problem.start)
    module.train()
    module(X)
    nn.init.zeros_(module[0].weight)
    assert torch.equal(problem.value(problem.start), f)


def test_dtype_is_the_modules() -> None:
    problem = Network(mlp().to(torch.float32), X.to(torch.float32), Y.to(torch.float32), mse)
    assert problem.start.dtype == torch.float32
    assert {x.dtype for x in problem.value_and_grad(problem.start)} == {torch.float32}


def test_device_is_the_modules(device: torch.device) -> None:
    problem = Network(DROPOUTS["one"]().to(device), X, Y, mse, masks=0)
    f, g = problem.value_and_grad(problem.start.expand(3, -1))
    assert {f.device.type, g.device.type} == {device.type}


class Counting(nn.Linear):
    """A layer that counts how often it is used."""

    def __init__(self) -> None:
        super().__init__(4, 2, dtype=f64)
        self.register_buffer("used", torch.zeros(()))

    def forward(self, x: Tensor) -> Tensor:
        self.used += 1
        return super().forward(x)


class Noisy(nn.Linear):
    def forward(self, x: Tensor) -> Tensor:
        return super().forward(x + torch.randn_like(x))


def frozen(module: nn.Module) -> nn.Module:
    return module.requires_grad_(False)


@pytest.mark.parametrize(
    ("make", "told"),
    [
        (lambda: Network(frozen(mlp()), X, Y, mse), "module has no parameters to train"),
        (lambda: Network(mlp(nn.Dropout()), X, Y, mse), r"draws random numbers.*module.eval\(\).*masks=0"),
        (lambda: Network(Noisy(4, 2, dtype=f64).eval(), X, Y, mse), "module draws random numbers"),
        (lambda: Network(Noisy(4, 2, dtype=f64), X, Y, mse, masks=0), "module draws random numbers"),
        (lambda: Network(mlp(nn.AlphaDropout()), X, Y, mse, masks=0), "module draws random numbers"),
        (lambda: Network(Counting(), X, Y, mse), r"changes its buffers \['used'\] when it is evaluated"),
        (
            lambda: Network(nn.Sequential(nn.Linear(4, 2), nn.Linear(2, 2, dtype=f64)), X, Y, mse),
            "parameters of module must share one dtype and device",
        ),
        (
            lambda: Network(mlp(), X, Y, nn.MSELoss(reduction="none")),
            r"loss must give one number, got the shape \(12, 2\)",
        ),
        (lambda: Network(mlp(), X[:, :3], Y, mse), "module cannot be evaluated on inputs and targets: .*size"),
        (
            lambda: Network(mlp(), X.to(torch.float32), Y, mse),
            "module cannot be evaluated on inputs and targets: expected scalar type Float",
        ),
        (
            lambda: Network(
                nn.Sequential(nn.Flatten(0), nn.Dropout(), nn.Linear(48, 2, dtype=f64)), X, Y, mse, masks=0
            ),
            "dropout acts on another axis than that of the 12 examples",
        ),
    ],
)
def test_bad_input_is_refused_at_the_door(make, told: str) -> None:
    with pytest.raises(ValueError, match=told):
        make()
