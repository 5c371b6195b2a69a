"""ESAM: its mask, its choice of examples, and SAM where it makes neither."""

import pytest
import torch
from torch import Tensor, nn
from torch.amp import GradScaler
from torch.nn.functional import cross_entropy

from coursekit.optim import ESAM, SAM
from tests.optim.sam_by_hand import flat, norm
from tests.optim.side_by_side import batch, f64

pytestmark = pytest.mark.usefixtures("device")


class Classifier(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(1)
            self.layers = nn.Sequential(nn.Linear(4, 5), nn.Tanh(), nn.Linear(5, 3)).double()

    def losses(self, chosen: Tensor | None = None) -> Tensor:
        x, y = batch(0)
        x, y = (x, y.argmax(-1)) if chosen is None else (x[chosen], y.argmax(-1)[chosen])
        return cross_entropy(self.layers(x), y, reduction="none")


def test_esam_with_all_weights_and_examples_is_sam() -> None:
    one, two = Classifier(), Classifier()
    esam = ESAM(torch.optim.SGD(one.parameters(), lr=0.1), rho=0.2, beta=1, gamma=1)
    sam = SAM(torch.optim.SGD(two.parameters(), lr=0.1), rho=0.2)

    def closure() -> Tensor:
        loss = two.losses().mean()
        loss.backward()
        return loss

    for _ in range(5):
        assert torch.equal(esam.step(one.losses), sam.step(closure))
    assert torch.equal(flat(one), flat(two))


def test_esam_steps_with_the_examples_that_rise_most() -> None:
    net, hand = Classifier(), Classifier()
    optimizer = ESAM(torch.optim.SGD(net.parameters(), lr=1.0), rho=0.3, beta=1, gamma=0.25)
    optimizer.step(net.losses)
    w = list(hand.parameters())
    before = hand.losses()
    g = torch.autograd.grad(before.mean(), w)
    with torch.no_grad():
        for x, d in zip(w, g, strict=True):
            x += 0.3 * d / norm(g)
        rise = (hand.losses() - before).tolist()
    expected, others = sorted(range(8), key=rise.__getitem__)[6:], sorted(range(8), key=rise.__getitem__)[:2]

    def after(chosen: list[int]) -> Tensor:
        up = torch.autograd.grad(hand.losses(torch.tensor(chosen)).mean(), w)
        return flat(Classifier()) - torch.cat([x.flatten() for x in up])

    torch.testing.assert_close(flat(net), after(expected), rtol=1e-12, atol=1e-14)
    assert (flat(net) - after(others)).abs().max() > 1e-3


def test_esam_masks_coordinates_without_bias() -> None:
    w, seen = nn.Parameter(torch.tensor([3.0, -4.0], dtype=f64)), []
    optimizer = ESAM(torch.optim.SGD([w], lr=0), rho=5, beta=0.25, gamma=1, generator=torch.Generator(w.device))

    def losses(chosen: Tensor | None) -> Tensor:
        if optimizer.last_pass:
            seen.append(w.detach().clone())
        return (w**2).sum()[None] / 2

    for _ in range(4000):
        optimizer.step(losses)
    moves = (torch.stack(seen) - w.detach()) / torch.tensor([3.0, -4.0], dtype=f64)
    assert torch.allclose(moves.unique(), torch.tensor([0, 4.0], dtype=f64))  # ε = w, kept or not, over β
    assert ((moves.mean(0) - 1) / (3 / 4000) ** 0.5).abs().max() < 4


def test_esam_wants_one_loss_for_each_example() -> None:
    w = nn.Parameter(torch.ones(2))
    optimizer = ESAM(torch.optim.SGD([w], lr=0.1))
    with pytest.raises(ValueError, match="ESAM computes the losses up to three times"):
        optimizer.step()
    for bad in (w.sum(), w[:0], w[None]):
        with pytest.raises(ValueError, match="losses must be one number for each example, got shape"):
            optimizer.step(lambda chosen, bad=bad: bad)
    assert torch.equal(w, torch.ones(2))


def test_esam_takes_a_scaler(device: torch.device) -> None:
    plain, scaled, scaler = Classifier(), Classifier(), GradScaler("cpu", init_scale=2.0**8)
    for net, options in ((plain, ()), (scaled, (scaler,))):
        optimizer = ESAM(
            torch.optim.SGD(net.parameters(), lr=0.1), generator=torch.Generator(device).manual_seed(0)
        )
        for _ in range(3):
            optimizer.step(net.losses, *options)
            scaler.update() if options else None
    assert torch.equal(flat(plain), flat(scaled))
