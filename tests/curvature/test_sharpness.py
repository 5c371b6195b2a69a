"""Sharpness against closed forms, dense grids and the ledger's numbers; what rescaling does to each measure."""

import math
from types import SimpleNamespace

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn

from coursekit.curvature import hessian_of, sharpness
from coursekit.problems import Quadratic, Rosenbrock
from coursekit.problems.problem import Problem

pytestmark = pytest.mark.usefixtures("device")

f64 = torch.float64


class Product(Problem):
    """(w_1 w_2 - 2)², the toy of GG-7-flat: w -> (a w_1, w_2 / a) does not change it."""

    dim = 2

    def __init__(self) -> None:
        self.p = SimpleNamespace()

    @staticmethod
    def formula(w: Tensor, p: object) -> Tensor:
        return (w[..., 0] * w[..., 1] - 2) ** 2


def vector(*values: float) -> Tensor:
    return torch.tensor(values, dtype=f64)


def best(f: Problem, w: Tensor, rho: float, **options: bool) -> float:
    """The best of four starts of 200 steps."""
    return max(float(sharpness(f, w, rho, steps=200, seed=seed, **options)) for seed in range(4))


@pytest.mark.parametrize(
    ("w", "plain", "adaptive"),
    [
        ((2, 1), 0.052, 0.08576),
        ((20, 0.1), 4.000, 0.08576),
        ((2, 0.5), 0.450, 0.29145),
        ((20, 0.05), 8.000, 0.29145),
    ],
)
def test_the_numbers_of_the_ledger(w: tuple[float, float], plain: float, adaptive: float) -> None:
    """GG-7-flat, GG-ASAM-ineq and GG-eq58, found there on a dense grid."""
    assert best(Product(), vector(*w), 0.1) == pytest.approx(plain, abs=2e-3)
    assert best(Product(), vector(*w), 0.1, adaptive=True) == pytest.approx(adaptive, abs=6e-5)


def test_one_step_is_where_sam_goes(device: torch.device) -> None:
    f, w, rho = Rosenbrock(), torch.randn(5, 2, generator=torch.manual_seed(0), dtype=f64).to(device), 0.1
    g = f.grad(w)
    size = w.abs()
    for p, adaptive, eps in [
        (2, False, g / g.norm(dim=-1, keepdim=True)),
        (math.inf, False, g.sign()),
        (2, True, size**2 * g / (size * g).norm(dim=-1, keepdim=True)),
    ]:
        expected = f.value(w + rho * eps) - f.value(w)
        found = sharpness(f, w, rho, p=p, adaptive=adaptive)
        torch.testing.assert_close(found, expected.clamp_min(0), rtol=1e-9, atol=0)
        assert bool((expected > 0).any())
        downhill = f.value(w - rho * eps) - f.value(w)  # a wrong sign would be seen
        assert not torch.allclose(found, downhill, rtol=0.1)


def test_more_steps_reach_the_top_of_a_convex_ball() -> None:
    f = Quadratic(vector(1, 3, 10))
    assert float(sharpness(f, vector(0, 0, 0), 0.5)) == 0  # no gradient, no step
    assert float(sharpness(f, vector(0, 0, 0), 0.5, steps=60, seed=0)) == pytest.approx(0.25 * 10 / 2)
    z = vector(1, 3, 10) * torch.randn(3, generator=torch.manual_seed(0), dtype=f64)  # the gradient at the start
    step = 0.5 * z / z.norm()
    assert float(sharpness(f, vector(0, 0, 0), 0.5, seed=0)) == pytest.approx(float(f.value(step)))
    w = vector(1, 0.1, 0.01)
    found = [float(sharpness(f, w, 0.5, steps=k)) for k in range(1, 30)]
    assert found == sorted(found)
    assert found[-1] > 1.3 * found[0]
    angle = torch.linspace(0, 2 * math.pi, 400, dtype=f64)
    height = torch.linspace(-1, 1, 401, dtype=f64)[:, None]
    flat = (1 - height**2).sqrt()
    ball = torch.stack([(flat * angle.cos()), (flat * angle.sin()), height.expand(401, 400)], -1)
    grid = float((f.value(w + 0.5 * ball) - f.value(w)).max())
    assert found[-1] == pytest.approx(grid, rel=1e-4)


def test_a_grid_of_radii_is_one_call_and_sharpness_grows() -> None:
    radii = torch.linspace(0, 1, 11, dtype=f64)
    found = sharpness(Quadratic(vector(1, 4)), vector(1, 1), radii, p=math.inf)
    torch.testing.assert_close(found, ((1 + radii) ** 2 - 1) * 5 / 2)
    with pytest.raises(ValueError, match="rho must lie in"):
        sharpness(Product(), vector(1, 1), -0.1)
    with pytest.raises(ValueError, match="p must lie in"):
        sharpness(Product(), vector(1, 1), p=0.5)
    with pytest.raises(ValueError, match="floor must lie in"):
        sharpness(Product(), vector(1, 1), adaptive=True, floor=-1.0)
    with pytest.raises(ValueError, match="steps must be at least 1"):
        sharpness(Product(), vector(1, 1), steps=0)


@settings(deadline=None, max_examples=20)
@given(st.floats(1.5, 10), st.booleans(), st.integers(0, 5), st.sampled_from([1.0, 1.5, 2.0, math.inf]))
def test_what_positive_rescaling_of_a_relu_network_changes(a: float, up: bool, seed: int, p: float) -> None:
    """Layer one times a, layer two by a: the same function, adaptive sharpness included, but other curvature."""
    torch.manual_seed(seed)
    module = nn.Sequential(nn.Linear(3, 5, bias=False), nn.ReLU(), nn.Linear(5, 2, bias=False)).to(f64)
    x, y = torch.randn(20, 3, dtype=f64), torch.randn(20, 2, dtype=f64)

    def loss() -> Tensor:
        return (module(x) - y).square().mean()

    def measures() -> tuple[float, ...]:
        H = hessian_of(module, loss)
        dense = torch.stack([H.hvp(e) for e in torch.eye(H.dim, dtype=f64)])
        return (
            float(loss().detach()),
            float(sharpness(module, loss, 0.05, p=p, adaptive=True, steps=3)),
            float(torch.linalg.eigvalsh(dense)[-1]),
            float(dense.trace()),
            float(sharpness(module, loss, 0.05, p=p)),
        )

    f, adaptive, top, tr, plain = measures()
    factor = a if up else 1 / a
    with torch.no_grad():
        module[0].weight.mul_(factor)
        module[2].weight.div_(factor)
    after = measures()
    assert after[0] == pytest.approx(f, rel=1e-10)
    assert after[1] == pytest.approx(adaptive, rel=1e-8)
    for before, changed in zip((top, tr, plain), after[2:], strict=True):
        assert abs(changed / before - 1) > 1e-2
