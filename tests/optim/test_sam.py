"""SAM and ASAM as torch optimizers: autograd by hand, a published implementation, what is refused."""

import math

import pytest
import torch
from torch import Tensor, nn

from coursekit import optim
from coursekit.optim import ASAM, ESAM, SAM
from tests.habits import Waited, no_waiting
from tests.optim.sam_by_hand import by_hand, every_wrapper, norm, sgd, train
from tests.optim.side_by_side import Network, f64, two_groups

pytestmark = pytest.mark.usefixtures("device")


def test_sam_is_foret_et_al_eq_2() -> None:
    ours = train(lambda net: SAM(sgd(net), rho=0.1))
    hand = by_hand(sgd, lambda net, w, g: [0.1 * x / norm(g) for x in g])
    torch.testing.assert_close(ours, hand, rtol=1e-12, atol=1e-14)
    for wrong in (
        lambda net, w, g: [-0.1 * x / norm(g) for x in g],  # downhill
        lambda net, w, g: [0.1 * x / x.norm() for x in g],  # one ball for each tensor
    ):
        assert (by_hand(sgd, wrong) - hand).abs().max() > 1e-3


def test_the_other_norms() -> None:
    q = 3.0  # p = 3/2
    torch.testing.assert_close(
        train(lambda net: SAM(sgd(net), rho=0.1, p=1.5)),
        by_hand(
            sgd, lambda net, w, g: [0.1 * x.sign() * x.abs() ** 2 / (norm(g, q) ** q) ** (1 / 1.5) for x in g]
        ),
        rtol=1e-10,
        atol=1e-12,
    )
    torch.testing.assert_close(
        train(lambda net: SAM(sgd(net), rho=0.1, p=math.inf)),
        by_hand(sgd, lambda net, w, g: [0.1 * x.sign() for x in g]),
        rtol=1e-12,
        atol=1e-14,
    )
    torch.testing.assert_close(
        train(lambda net: SAM(sgd(net), rho=0.1, p=1)),
        by_hand(sgd, lambda net, w, g: [0.1 * x.sign() * (x.abs() == norm(g, math.inf)) for x in g]),
        rtol=1e-12,
        atol=1e-14,
    )


def test_asam_is_kwon_et_al_eq_8() -> None:
    def epsilon(net, w, g):
        T = [x.abs() + 0.02 for x in w]
        size = norm([t * x for t, x in zip(T, g, strict=True)])
        return [0.4 * t**2 * x / size for t, x in zip(T, g, strict=True)]

    ours = train(lambda net: ASAM(sgd(net), rho=0.4, floor=0.02))
    torch.testing.assert_close(ours, by_hand(sgd, epsilon), rtol=1e-12, atol=1e-14)
    assert (train(lambda net: ASAM(sgd(net), rho=0.4)) - ours).abs().max() > 1e-4


# davda54/sam at commit 3c3afdbd: parameters after 10 steps on the loss below, SGD(lr=0.05, momentum=0.9), rho=0.1,
# float64, torch 2.13. It adds 1e-12 to the norm; its adaptive form has no floor.
RECORDED = {
    False: [0.5822337639148075, -1.2060621118632118, 1.163188530470451, 1.634577297244882, 2.4308107352548753],
    True: [0.502357360676427, -1.0743352097179462, 1.171060607171434, 1.680669166604819, 2.5782749468709776],
}


@pytest.mark.parametrize("adaptive", RECORDED)
def test_a_published_implementation_takes_the_same_steps(adaptive: bool) -> None:
    a = nn.Parameter(torch.tensor([0.5, -1.0, 2.0], dtype=f64))
    b = nn.Parameter(torch.tensor([[1.5, -0.5]], dtype=f64))
    base = torch.optim.SGD([a, b], lr=0.05, momentum=0.9)
    optimizer = ASAM(base, rho=0.1, floor=0.0) if adaptive else SAM(base, rho=0.1)

    def closure() -> None:
        ((torch.tanh(a).sum() * b - 1.5).square().sum() + 0.1 * (a * a).sum()).backward()

    for _ in range(10):
        optimizer.step(closure)
    expected = torch.tensor(RECORDED[adaptive], dtype=f64)
    torch.testing.assert_close(torch.cat([a.detach(), b.detach()[0]]), expected, rtol=1e-10, atol=0)


def test_groups_have_radii_of_their_own_within_one_norm() -> None:
    def two(net: Network) -> SAM:
        sam = SAM(sgd(net), rho=0.1)
        sam.param_groups[0]["rho"] = 0.3
        return sam

    def by_key(net: Network) -> SAM:
        biases, rest = two_groups(net)
        return SAM(torch.optim.SGD([biases | {"rho": 0.3}, rest], lr=0.05, momentum=0.9), rho=0.1)

    def epsilon(net, w, g):
        small = {id(p) for p in two_groups(net)[0]["params"]}
        return [(0.3 if id(p) in small else 0.1) * x / norm(g) for p, x in zip(w, g, strict=True)]

    hand = by_hand(sgd, epsilon)
    torch.testing.assert_close(train(two), hand, rtol=1e-12, atol=1e-14)
    torch.testing.assert_close(train(by_key), hand, rtol=1e-12, atol=1e-14)


@every_wrapper
def test_our_optimizers_and_torchs_are_wrapped_alike(wrap) -> None:
    ours = train(lambda net: wrap(optim.AdamW(two_groups(net), lr=0.01, wd=0.1), rho=0.1))
    theirs = train(lambda net: wrap(torch.optim.AdamW(two_groups(net), lr=0.01, weight_decay=0.1), rho=0.1))
    torch.testing.assert_close(ours, theirs, rtol=1e-12, atol=1e-14)


@pytest.mark.parametrize(
    ("make", "told"),
    [
        (lambda base: SAM(base, rho=-1.0), r"rho must lie in \[0, inf\), got -1.0"),
        (lambda base: SAM(base, p=0.5), r"p must lie in \[1, inf\], got 0.5"),
        (lambda base: ASAM(base, floor=math.nan), r"floor must lie in \[0, inf\), got nan"),
        (lambda base: ESAM(base, beta=0.0), r"beta must lie in \(0, 1\], got 0.0"),
        (lambda base: ESAM(base, gamma=1.5), r"gamma must lie in \(0, 1\], got 1.5"),
        (lambda base: SAM([nn.Parameter(torch.ones(1))]), "base must be an optimizer, as SGD"),
        (lambda base: SAM(SAM(base)), "SAM has an option rho of its own"),
        (lambda base: SAM(torch.optim.Adadelta(base.param_groups)), "Adadelta has an option rho of its own"),
        (lambda base: SAM(torch.optim.SGD([{"params": [torch.ones(1)], "rho": -2}])), "rho must lie in"),
    ],
)
def test_bad_options_are_refused_at_the_door(make, told: str) -> None:
    base = torch.optim.SGD([nn.Parameter(torch.ones(1))])
    with pytest.raises(ValueError, match=told):
        make(base)


def test_a_bad_step_moves_nothing() -> None:
    words, p = nn.Embedding(4, 2, sparse=True), nn.Parameter(torch.ones(2))
    optimizer = SAM(torch.optim.SGD([p, words.weight], lr=0.1))
    before = words.weight.detach().clone()
    with pytest.raises(ValueError, match="SAM computes the gradient twice"):
        optimizer.step()
    with pytest.raises(ValueError, match=r"SAM takes dense real gradients on one device, got torch.sparse_coo"):
        optimizer.step(lambda: (words(torch.tensor([1])) * p).sum().backward())
    optimizer.param_groups[0]["rho"] = math.nan
    with pytest.raises(ValueError, match=r"rho must lie in \[0, inf\), got nan"):
        optimizer.step(lambda: p.sum().backward())
    assert torch.equal(p, torch.ones(2))
    assert torch.equal(words.weight, before)


@pytest.mark.parametrize("wrap", [SAM, ASAM, ESAM])
def test_where_nothing_can_move_nothing_does(wrap) -> None:
    level, frozen = nn.Parameter(torch.zeros(3)), nn.Parameter(torch.ones(3), requires_grad=False)
    optimizer = wrap(torch.optim.SGD([frozen, level], lr=0.1), rho=0.5)

    def losses(chosen: Tensor | None = None) -> Tensor:
        each = frozen + level**2
        return each if chosen is None else each[chosen]

    def closure() -> None:
        if (loss := losses().sum()).requires_grad:
            loss.backward()

    for _ in range(2):
        optimizer.step(losses if wrap is ESAM else closure)
        assert torch.equal(level, torch.zeros(3))  # at a gradient of zero there is no NaN
        level.requires_grad_(False)  # and then all is frozen
    assert torch.equal(frozen, torch.ones(3))


@pytest.mark.parametrize("p", [1, 2, 3, math.inf])
@pytest.mark.parametrize("wrap", [SAM, ASAM, ESAM])
def test_a_step_reads_nothing_back(wrap, p: float, device: torch.device) -> None:
    w = nn.Parameter(torch.linspace(-1, 1, 6, device=device))
    optimizer = wrap(optim.HeavyBall([w], lr=0.1), p=p)

    def losses(chosen: Tensor | None = None) -> Tensor:
        return (w**4) if chosen is None else (w**4)[chosen]

    with no_waiting():
        for _ in range(2):
            optimizer.step(losses if wrap is ESAM else lambda: losses().sum().backward())
    with no_waiting(), pytest.raises(Waited):
        optimizer.step(lambda *_: losses() / float(w.norm()))
