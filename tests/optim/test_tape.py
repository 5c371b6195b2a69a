"""A rule played from its tape does what the rule does when it is called."""

import random
from types import SimpleNamespace

import pytest
import torch

from coursekit import optim
from coursekit.optim.tape import tape_of
from coursekit.rules import Rule, amgt, rule
from coursekit.rules.ops import absolute, maximum, sign, sqrt
from tests.habits import no_waiting
from tests.optim.side_by_side import CLASSES

f64 = torch.float64
RULES = [made.rule for made in CLASSES]
H = {"eta": 0.3, "beta1": 0.7, "beta2": 0.4, "eps": 1e-3}


def distance(made: Rule, h: dict, played: dict | None = None, tensors: bool = False) -> float | None:
    """How far three steps from the tape end from three direct calls; None if the rule has no tape.

    With ``tensors`` all numbers are 0-d tensors; totals always are.
    """
    totals = {name: torch.tensor(0.7, dtype=f64) for name in (*made.sums, *made.peaks)}
    names = made.scalars(1, SimpleNamespace(**h)) if made.scalars else ()
    tape = tape_of(made, frozenset([*totals, *h, *names] if tensors else totals))
    if tape is None:
        return None
    draw = torch.Generator().manual_seed(1)
    start = [torch.randn(6, generator=draw, dtype=f64) for _ in made.state]
    w, g = torch.randn(2, 6, generator=draw, dtype=f64)
    direct, leaf = (w, tuple(s.abs() for s in start)), [w.clone(), g.clone(), *(s.abs() for s in start)]
    scratch = [torch.full((6,), torch.nan, dtype=f64) for _ in range(tape.scratch)]
    for t in range(1, 4):
        ns = SimpleNamespace(**h)
        scalars = totals | (dict(made.scalars(t, ns)) if made.scalars else {})
        delta, state = made.update(direct[0], g, direct[1], SimpleNamespace(**scalars), ns)
        direct = (direct[0] + delta, state)
        numbers = {**h, **(played or {}), **scalars}
        if tensors:
            numbers = {k: torch.as_tensor(v, dtype=f64) for k, v in numbers.items()}
        with no_waiting():
            tape.play(tape.prepare(numbers), leaf, scratch)
    assert torch.equal(leaf[1], g)  # the gradient belongs to the user
    return max(
        float((a - b).abs().max()) for a, b in zip([direct[0], *direct[1]], [leaf[0], *leaf[2:]], strict=True)
    )


@pytest.mark.parametrize("tensors", [False, True])
@pytest.mark.parametrize("made", RULES, ids=lambda r: r.name)
def test_every_rule_of_the_book_has_a_tape(made: Rule, tensors: bool) -> None:
    h = dict(made.defaults)
    if made is amgt:
        assert distance(made, h, tensors=tensors) is None  # it chooses and clips, and is called instead
        return
    assert distance(made, h, tensors=tensors) == pytest.approx(0, abs=1e-14)
    assert distance(made, h, {"eta": 2 * made.defaults["eta"]}, tensors) > 1e-6


def random_rule(seed: int) -> Rule:
    """A rule of eight random operations with two buffers."""
    choose = random.Random(seed)
    steps = [(choose.randrange(9), choose.random(), choose.random()) for _ in range(8)]
    ends = [choose.random() for _ in range(3)]

    def update(w, g, state, scalars, h):
        values = [w, g, *state]
        for kind, i, j in steps:
            a, b = values[int(i * len(values))], values[int(j * len(values))]
            values.append(
                [
                    lambda a, b: a + b,
                    lambda a, b: a - b,
                    lambda a, b: a * b,
                    lambda a, b: a + (1 - h.beta1) * b,
                    lambda a, b: a - b * h.beta2,
                    lambda a, b: h.eta * -a,
                    lambda a, b: sqrt(absolute(a)) / (absolute(b) + h.eps),
                    lambda a, b: maximum(a, sign(b)),
                    lambda a, b: h.beta1 * a,
                ][kind](a, b)
            )
        new = values[4:]
        delta, s1, s2 = (new[int(e * len(new))] for e in ends)
        return sign(delta) * h.eta, (s1, s2)

    return rule(state=("s1", "s2"), **H)(update)


def test_random_rules() -> None:
    for tensors in (False, True):
        distances = [distance(random_rule(seed), H, tensors=tensors) for seed in range(400)]
        known = [d for d in distances if d is not None]
        assert len(known) > 200
        assert all(d < 1e-9 for d in known)


def test_what_a_tape_has_no_word_for_is_called_directly() -> None:
    @rule(eta=0.5)
    def exponential(w, g, state, scalars, h):
        return -h.eta * torch.exp(g), ()

    @rule(eta=0.5)
    def bounded(w, g, state, scalars, h):
        return -h.eta * maximum(g, h.eta), ()

    @rule(eta=0.5)
    def reversed_difference(w, g, state, scalars, h):
        return -h.eta * (1.0 - g), ()

    p = torch.nn.Parameter(torch.zeros(2))
    p.grad = torch.zeros(2)
    for made in (exponential, bounded, reversed_difference):
        assert tape_of(made) is None
        optim.from_rule(made)([p]).step()
    assert p.tolist() == [-1.25, -1.25]
