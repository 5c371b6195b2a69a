"""A rule that sums over all parameters sees one vector, however the parameters are cut, grouped and typed."""

from contextlib import nullcontext

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from coursekit import optim
from coursekit.rules import Rule, adagrad_norm, rule
from coursekit.rules.ops import absolute
from tests.habits import Waited, no_waiting

pytestmark = pytest.mark.usefixtures("device")

f64 = torch.float64
CUTS = [(3, 2), (4,), (0,), (2, 2, 2)]  # 18 numbers


@rule(eta=0.1, peaks={"top": lambda w, g, state, h: absolute(g)})
def by_largest(w, g, state, scalars, h):
    """w ← w - η g / max |g|."""
    return -h.eta * g / scalars.top, ()


@rule(eta=0.1, sums={"g2": lambda w, g, state, h: g * g, "wg": lambda w, g, state, h: w * g})
def two_sums(w, g, state, scalars, h):
    """w ← w - η (g/‖g‖ + ⟨w, g⟩)."""
    return -h.eta * (g / scalars.g2**0.5 + scalars.wg), ()


@rule(state=("s",), eta=0.1, eps=1e-10)
def per_tensor(w, g, state, scalars, h):
    """AdaGrad-Norm as a careless engine would have it: the norm of one tensor."""
    (s,) = state
    s = s + (g * g).sum()
    return -h.eta * g / (s.sqrt() + h.eps), (s,)


def in_numpy(name: str, w: np.ndarray, gradients: np.ndarray) -> np.ndarray:
    """The three rules on the whole vector, from their formulas, with η = 0.1."""
    s = 0.0
    for g in gradients:
        s += g @ g
        step = {
            "adagrad_norm": g / (np.sqrt(s) + 1e-10),
            "by_largest": g / abs(g).max(),
            "two_sums": g / np.sqrt(g @ g) + w @ g,
        }[name]
        w = w - 0.1 * step
    return w


draw = torch.Generator().manual_seed(4)
START = torch.randn(18, generator=draw, dtype=f64)
GRADIENTS = torch.randn(20, 18, generator=draw, dtype=f64)


def cut(x: Tensor) -> list[Tensor]:
    pieces = x.split([int(np.prod(shape)) for shape in CUTS])
    return [piece.reshape(shape).clone() for piece, shape in zip(pieces, CUTS, strict=True)]


def run(made: Rule, groups: bool = False, **options) -> np.ndarray:
    params = [nn.Parameter(x) for x in cut(START)]
    arranged = [{"params": params[:1]}, {"params": params[1:]}] if groups else params
    optimizer = optim.from_rule(made)(arranged, lr=0.1, **options)
    for g in GRADIENTS:
        for p, piece in zip(params, cut(g), strict=True):
            p.grad = piece
        optimizer.step()
    return torch.cat([p.detach().flatten() for p in params]).numpy(force=True)


@pytest.mark.parametrize("groups", [False, True])
@pytest.mark.parametrize("made", [adagrad_norm, by_largest, two_sums], ids=lambda r: r.name)
def test_one_vector(made: Rule, groups: bool) -> None:
    expected = in_numpy(made.name, START.numpy(force=True), GRADIENTS.numpy(force=True))
    assert abs(run(made, groups) - expected).max() < 1e-13


def test_the_comparison_catches_a_norm_per_tensor() -> None:
    expected = in_numpy("adagrad_norm", START.numpy(force=True), GRADIENTS.numpy(force=True))
    assert abs(run(per_tensor) - expected).max() > 0.01


@pytest.mark.usefixtures("compiler")
@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # of torch's own modules
@pytest.mark.parametrize("made", [adagrad_norm, by_largest], ids=lambda r: r.name)
def test_one_vector_compiled(made: Rule) -> None:
    expected = in_numpy(made.name, START.numpy(force=True), GRADIENTS.numpy(force=True))
    assert abs(run(made, groups=True, compile=True) - expected).max() < 1e-12


def test_a_parameter_without_gradient_does_not_count() -> None:
    w, idle = nn.Parameter(torch.zeros(2, dtype=f64)), nn.Parameter(torch.full((2,), 100.0, dtype=f64))
    w.grad = torch.tensor([3.0, 4.0], dtype=f64)
    optim.AdagradNorm([w, idle], lr=1.0, eps=0.0).step()
    assert w.tolist() == [-0.6, -0.8]
    assert idle.tolist() == [100, 100]
    optim.AdagradNorm([idle]).step()  # no gradient at all is no error


def test_dtypes_mix_in_the_widest() -> None:
    half, double = nn.Parameter(torch.zeros(1, dtype=torch.float16)), nn.Parameter(torch.zeros(1, dtype=f64))
    half.grad, double.grad = torch.full((1,), 300.0, dtype=torch.float16), torch.full((1,), 1e-3, dtype=f64)
    optim.AdagradNorm([half, double], lr=1.0, eps=0.0).step()  # 300² is no float16, 1e-6 is lost in a float32
    assert double.item() == pytest.approx(-1e-3 / np.sqrt(300.0**2 + 1e-6), rel=1e-12)
    assert half.item() == 0.0  # its own s is a float16, and overflowed


def test_mixed_devices_are_refused_by_what_needs_one() -> None:
    params = [nn.Parameter(torch.ones(1, device="cpu")), nn.Parameter(torch.ones(1, device="meta"))]
    for make in (lambda p: optim.AdagradNorm(p), lambda p: optim.Adam(p, compile=True)):
        with pytest.raises(ValueError, match="needs all parameters on one device, got cpu, meta"):
            make(params)
        optimizer = make(params[:1])
        with pytest.raises(ValueError, match="one device"):
            optimizer.add_param_group({"params": params[1:]})
        assert len(optimizer.param_groups) == 1
    for p in params:
        p.grad = torch.ones_like(p)
    optim.Adam(params, lr=0.5).step()  # a rule that looks at each number alone takes any devices
    assert params[0].item() == pytest.approx(0.5)


@rule(eta=0.1, sums={"g2": lambda w, g, state, h: g * g})
def peeking(w, g, state, scalars, h):
    return -h.eta * g / float(scalars.g2), ()


def test_a_sum_is_never_read_back() -> None:
    for made, waits in ((adagrad_norm, False), (two_sums, False), (by_largest, False), (peeking, True)):
        params = [nn.Parameter(x) for x in cut(START)]
        optimizer = optim.from_rule(made)(params)
        for p in params:
            p.grad = torch.ones_like(p)
        with pytest.raises(Waited) if waits else nullcontext(), no_waiting():
            optimizer.step()
