"""Backpropagation against autograd, differences, and counters that are not ours."""

from itertools import pairwise

import pytest
import torch
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode

from coursekit import backprop as bp
from coursekit.backprop import ACTIVATIONS, LOSSES, Activation, backprop, multiply_adds
from coursekit.problems import Network
from coursekit.problems.network import half_squared_error

pytestmark = pytest.mark.usefixtures("device")

MODULES = {
    "identity": nn.Identity, "tanh": nn.Tanh, "sigmoid": nn.Sigmoid, "relu": nn.ReLU, "softplus": nn.Softplus,
}  # fmt: skip
TORCH_LOSSES = {
    "half_squared_error": lambda z, y: nn.functional.mse_loss(z, y, reduction="sum") / (2 * len(y)),
    "softmax_cross_entropy": nn.functional.cross_entropy,
}
WIDTHS = {1: (3, 4), 2: (3, 5, 4), 3: (3, 8, 6, 4), 5: (3, 5, 7, 6, 5, 4)}


def network(names: list[str], widths: tuple[int, ...], seed: int = 0) -> nn.Sequential:
    """Random, with non-zero biases: one name of an activation per layer."""
    torch.manual_seed(seed)
    layers: list[nn.Module] = []
    for (i, o), name in zip(pairwise(widths), names, strict=True):
        layers += [nn.Linear(i, o, dtype=torch.float64), MODULES[name]()]
    return nn.Sequential(*layers)


def batch(widths: tuple[int, ...], n: int = 7) -> tuple[Tensor, Tensor]:
    gen = torch.Generator().manual_seed(1)
    inputs = torch.randn(n, widths[0], generator=gen, dtype=torch.float64)
    return inputs, torch.rand(n, widths[-1], generator=gen, dtype=torch.float64)


def weights(net: nn.Module) -> list[Tensor]:
    return [p.detach() for p in net.parameters()]


def autograd_of(net: nn.Module, inputs: Tensor, targets: Tensor, loss: str) -> tuple[Tensor, tuple[Tensor, ...]]:
    e = TORCH_LOSSES[loss](net(inputs), targets)
    return e.detach(), torch.autograd.grad(e, list(net.parameters()))


def same(ours: tuple[Tensor, ...], theirs: tuple[Tensor, ...], tolerance: float = 1e-12) -> None:
    for u, v in zip(ours, theirs, strict=True):
        torch.testing.assert_close(u, v, rtol=tolerance, atol=tolerance)


def test_the_matrix_is_complete() -> None:
    assert set(MODULES) == set(ACTIVATIONS)
    assert set(TORCH_LOSSES) == set(LOSSES)


@pytest.mark.parametrize("depth", WIDTHS)
@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("name", ACTIVATIONS)
def test_against_autograd(name: str, loss: str, depth: int) -> None:
    net = network([name] * (depth - 1) + ["identity"], WIDTHS[depth])
    inputs, targets = batch(WIDTHS[depth])
    e, gradients = autograd_of(net, inputs, targets, loss)
    ours = backprop(weights(net), inputs, targets, name, loss)
    same((ours.e, *ours.gradients), (e, *gradients))


@pytest.mark.parametrize("loss", LOSSES)
def test_a_name_for_every_layer_also_the_last(loss: str) -> None:
    names = ["relu", "softplus", "tanh", "sigmoid"]
    widths = (3, 5, 6, 5, 4)
    net = network(names, widths)
    inputs, targets = batch(widths)
    e, gradients = autograd_of(net, inputs, targets, loss)
    ours = backprop(net.parameters(), inputs, targets, names, loss)
    same((ours.e, *ours.gradients), (e, *gradients))
    # With the identity on top, as one name means, the numbers are others.
    with pytest.raises(AssertionError):
        same(backprop(net.parameters(), inputs, targets, [*names[:3], "identity"], loss).gradients, gradients)


@pytest.mark.parametrize("loss", LOSSES)
def test_against_central_differences(loss: str) -> None:
    net = network(["tanh", "softplus", "identity"], WIDTHS[3])
    inputs, targets = batch(WIDTHS[3])
    problem = Network(net, inputs, targets, TORCH_LOSSES[loss])
    steps = 1e-5 * torch.eye(problem.dim, dtype=torch.float64)
    differences = (problem.value(problem.start + steps) - problem.value(problem.start - steps)) / 2e-5
    ours = backprop(weights(net), inputs, targets, ["tanh", "softplus", "identity"], loss)
    same((torch.cat([g.flatten() for g in ours.gradients]),), (differences,), 1e-9)


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_a_batch_is_the_mean_of_its_examples(name: str) -> None:
    net = network([name, name, "identity"], WIDTHS[3])
    inputs, targets = batch(WIDTHS[3])
    singles = [backprop(weights(net), x[None], y[None], name) for x, y in zip(inputs, targets, strict=True)]
    means = [torch.stack(pieces).mean(0) for pieces in zip(*(s.gradients for s in singles), strict=True)]
    whole = backprop(weights(net), inputs, targets, name)
    same((whole.e, *whole.gradients), (torch.stack([s.e for s in singles]).mean(), *means))


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_far_out_no_digit_is_lost(name: str) -> None:
    a = torch.tensor([-800.0, -21.0, 0.0, 21.0, 800.0], dtype=torch.float64, requires_grad=True)
    module = nn.Softplus(threshold=700) if name == "softplus" else MODULES[name]()
    z = module(a)
    (derivative,) = torch.autograd.grad(z.sum(), a)
    sigma = ACTIVATIONS[name]
    same((sigma.sigma(a.detach()), sigma.derivative(a.detach())), (z.detach(), derivative))


def test_differentiated_once_more_it_is_a_hessian_vector_product() -> None:
    net = network(["tanh", "tanh", "identity"], WIDTHS[3])
    inputs, targets = batch(WIDTHS[3])
    problem = Network(net, inputs, targets, half_squared_error)
    v = torch.randn(problem.dim, generator=torch.Generator().manual_seed(2), dtype=torch.float64)

    w = problem.start.clone().requires_grad_()
    gradients = backprop(problem.parameters_at(w).values(), inputs, targets).gradients
    (hv,) = torch.autograd.grad(torch.cat([g.flatten() for g in gradients]) @ v, w)
    torch.testing.assert_close(hv, problem.hessian(problem.start) @ v, rtol=1e-11, atol=1e-12)


def in_place_by_autograd(net: nn.Sequential, inputs: Tensor, targets: Tensor, eta: float) -> tuple[Tensor, ...]:
    """GG's Algorithm 2 in place on a copy of the weights: vector-Jacobian products of one layer at a time."""
    layers = [net[i : i + 2] for i in range(0, len(net), 2)]
    z = [inputs]
    for layer in layers:
        z.append(layer(z[-1]).detach())
    z_last = z[-1].clone().requires_grad_()
    (upstream,) = torch.autograd.grad(half_squared_error(z_last, targets), z_last)
    gradients: list[Tensor] = []
    for layer, z_in in zip(reversed(layers), reversed(z[:-1]), strict=True):
        a = layer[0](z_in).detach().requires_grad_()
        (delta,) = torch.autograd.grad(layer[1](a), a, upstream)
        found = torch.autograd.grad(layer[0](z_in), (layer[0].weight, layer[0].bias), delta)
        gradients = [*found, *gradients]
        z_free = z_in.clone().requires_grad_()
        overwritten = layer[0].weight.detach() - eta * found[0]
        (upstream,) = torch.autograd.grad(nn.functional.linear(z_free, overwritten), z_free, delta)
    return tuple(gradients)


def test_in_place_is_another_gradient() -> None:
    widths = (3, 8, 8, 1)
    net = network(["tanh", "tanh", "identity"], widths)
    inputs, targets = batch(widths)
    w, before = weights(net), [p.clone() for p in weights(net)]
    exact = backprop(w, inputs, targets).gradients
    same(in_place_by_autograd(net, inputs, targets, 0.0), exact)

    errors = []
    for eta in (0.1, 0.01, 0.001):
        wrong = backprop(w, inputs, targets, in_place_eta=eta).gradients
        same(wrong, in_place_by_autograd(net, inputs, targets, eta))
        same(wrong[4:], exact[4:])  # the last layer is updated first: its gradient is right
        for layer in (wrong[:4:2], exact[:4:2]), (wrong[1:4:2], exact[1:4:2]):
            with pytest.raises(AssertionError):
                same(*layer)
        errors.append(float((wrong[0] - exact[0]).norm() / exact[0].norm()))
    # The misreading costs O(η), as the ledger says of GG-Alg2.
    assert errors[0] / errors[1] == pytest.approx(10, rel=0.2)
    assert errors[1] / errors[2] == pytest.approx(10, rel=0.02)
    same(tuple(w), tuple(before), 0.0)  # "in place" overwrites a copy


def test_the_comparison_catches_a_dropped_derivative(monkeypatch: pytest.MonkeyPatch) -> None:
    net = network(["tanh", "tanh", "identity"], WIDTHS[3])
    inputs, targets = batch(WIDTHS[3])
    _, gradients = autograd_of(net, inputs, targets, "half_squared_error")
    without = dict(ACTIVATIONS) | {"tanh": Activation(torch.tanh, torch.ones_like)}
    monkeypatch.setattr(bp, "ACTIVATIONS", without)
    wrong = backprop(weights(net), inputs, targets).gradients
    same(wrong[4:], gradients[4:])  # no σ' above the last hidden layer
    with pytest.raises(AssertionError):
        same(wrong[:2], gradients[:2])


def test_multiply_adds_by_hand() -> None:
    # Forward 6 + 8; backward 6 + 8 for the weights and 8 for the one δ that is passed down.
    assert multiply_adds((3, 2, 4)) == (14, 22)
    assert multiply_adds((3, 2, 4), n=10) == (140, 220)
    assert multiply_adds((3, 4)) == (12, 12)
    five = multiply_adds([100] * 6)  # the ledger's example, 1.8 times a forward pass
    assert five == (50_000, 90_000)


@pytest.mark.parametrize("depth", WIDTHS)
def test_multiply_adds_are_what_torch_counts(depth: int) -> None:
    widths, n = WIDTHS[depth], 7
    net = network(["tanh"] * (depth - 1) + ["identity"], widths)
    inputs, targets = batch(widths, n)
    count = multiply_adds(widths, n)
    with FlopCounterMode(display=False) as passes:
        backprop(weights(net), inputs, targets)
    with FlopCounterMode(display=False) as reverse:
        autograd_of(net, inputs, targets, "half_squared_error")
    # torch counts a multiply-add as two operations.
    assert passes.get_total_flops() == reverse.get_total_flops() == 2 * sum(count)
    with FlopCounterMode(display=False) as one:
        bp.forward(weights(net), inputs)
    assert one.get_total_flops() == 2 * count.forward


def bad(**changes: object) -> object:
    net = network(["tanh", "identity"], WIDTHS[2])
    inputs, targets = batch(WIDTHS[2])
    return backprop(**({"parameters": weights(net), "inputs": inputs, "targets": targets} | changes))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"parameters": []}, "parameters must be w_1"),
        ({"parameters": weights(network(["tanh"], (3, 4)))[:1]}, "got 1 tensors"),
        ({"parameters": weights(network(["tanh"], (2, 4)))}, r"layer 1 must have shapes \(m_1, 3\)"),
        ({"parameters": weights(network(["tanh"], (3, 4)).float())}, "must be torch.float64"),
        ({"parameters": [torch.zeros(4, 3), torch.zeros(1)]}, r"and \(m_1,\), got \(4, 3\) and \(1,\)"),
        ({"inputs": torch.zeros(3, dtype=torch.float64)}, "inputs must be real"),
        ({"inputs": torch.zeros(0, 3, dtype=torch.float64)}, "n ≥ 1"),
        ({"inputs": torch.zeros(7, 3, dtype=torch.int64)}, "inputs must be real"),
        ({"targets": torch.zeros(7, 5, dtype=torch.float64)}, r"targets must have shape \(7, 4\)"),
        ({"targets": torch.zeros(7, 4)}, "dtype torch.float64"),
        ({"targets": torch.zeros(7, dtype=torch.int64), "loss": "softmax_cross_entropy"}, "one-hot"),
        ({"activation": "gelu"}, "activation must be one of identity, tanh"),
        ({"activation": ["tanh"]}, "each of the 2 layers, got 1"),
        ({"loss": "hinge"}, "loss must be one of half_squared_error"),
        ({"in_place_eta": -0.1}, "in_place_eta must lie in"),
        ({"in_place_eta": float("nan")}, "in_place_eta must lie in"),
    ],
)
def test_bad_input_raises_at_the_door(changes: dict[str, object], message: str) -> None:
    assert bad() is not None
    with pytest.raises(ValueError, match=message):
        bad(**changes)


@pytest.mark.parametrize(("widths", "n"), [((3,), 1), ((3, 0), 1), ((3, 2), 0)])
def test_bad_counts_raise(widths: tuple[int, ...], n: int) -> None:
    with pytest.raises(ValueError, match="must be at least"):
        multiply_adds(widths, n)
