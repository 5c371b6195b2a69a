"""Every rule that torch has too, as an optimizer, against torch's: 100 steps in float64, equal to 1e-12."""

import pytest
import torch
from torch import nn

from coursekit import optim
from coursekit.rules import Rule, adam, adamw, heavy_ball, rule
from coursekit.rules.ops import sqrt
from tests.optim.side_by_side import gap, one_group, two_groups

pytestmark = pytest.mark.usefixtures("device")

SGD, Adam = torch.optim.SGD, torch.optim.Adam
BETAS = {"beta1": 0.8, "beta2": 0.99}
# ours, its options, torch's, its options
MATRIX = [
    (optim.GradientDescent, {"lr": 0.1}, SGD, {"lr": 0.1}),
    (optim.GradientDescent, {"lr": 0.02, "l2": 0.1}, SGD, {"lr": 0.02, "weight_decay": 0.1}),
    (optim.GradientDescent, {"lr": 1e-3, "maximize": True}, SGD, {"lr": 1e-3, "maximize": True}),
    (optim.HeavyBall, {"lr": 0.05}, SGD, {"lr": 0.05, "momentum": 0.9}),
    (optim.HeavyBall, {"beta": 0.5, "l2": 0.2}, SGD, {"lr": 0.1, "momentum": 0.5, "weight_decay": 0.2}),
    (optim.Nesterov, {"lr": 0.05}, SGD, {"lr": 0.05, "momentum": 0.9, "nesterov": True}),
    (
        optim.Nesterov,
        {"lr": 0.01, "beta": 0.7, "l2": 0.1},
        SGD,
        {"lr": 0.01, "momentum": 0.7, "nesterov": True, "weight_decay": 0.1},
    ),
    (optim.Adagrad, {"lr": 0.1}, torch.optim.Adagrad, {"lr": 0.1}),
    (
        optim.Adagrad,
        {"lr": 0.03, "eps": 1e-3, "l2": 0.1},
        torch.optim.Adagrad,
        {"lr": 0.03, "eps": 1e-3, "weight_decay": 0.1},
    ),
    (optim.RMSprop, {"lr": 0.01}, torch.optim.RMSprop, {"lr": 0.01}),
    (optim.RMSprop, {"beta": 0.9, "eps": 1e-2}, torch.optim.RMSprop, {"alpha": 0.9, "eps": 1e-2}),
    (optim.Adam, {}, Adam, {}),
    (optim.Adam, {"lr": 0.1, "eps": 1e-3, **BETAS}, Adam, {"lr": 0.1, "eps": 1e-3, "betas": (0.8, 0.99)}),
    (optim.Adam, {"l2": 0.1}, Adam, {"weight_decay": 0.1}),
    (
        optim.Adam,
        {"lr": torch.tensor(0.01, dtype=torch.float64), "maximize": True},
        Adam,
        {"lr": 0.01, "maximize": True},
    ),
    (optim.AdamW, {}, torch.optim.AdamW, {}),
    (optim.AdamW, {"wd": 0.5, "eps": 1e-4}, torch.optim.AdamW, {"weight_decay": 0.5, "eps": 1e-4}),
    (optim.AMSGrad, {"lr": 0.05}, Adam, {"lr": 0.05, "amsgrad": True}),
    (optim.AMSGrad, {"l2": 0.1, **BETAS}, Adam, {"weight_decay": 0.1, "betas": (0.8, 0.99), "amsgrad": True}),
]  # fmt: skip


def name_of(value) -> str | None:
    return value.__name__ if isinstance(value, type) else None


@pytest.mark.parametrize("groups", [one_group, two_groups], ids=lambda f: f.__name__)
@pytest.mark.parametrize(("ours", "options", "peer", "peer_options"), MATRIX, ids=name_of)
def test_same_path_as_torch(ours, options, peer, peer_options, groups) -> None:
    assert gap(lambda n: ours(groups(n), **options), lambda n: peer(groups(n), **peer_options)) < 1e-12


@pytest.mark.parametrize(
    "scheduler",
    [
        lambda o: torch.optim.lr_scheduler.CosineAnnealingLR(o, T_max=30, eta_min=1e-4),
        lambda o: torch.optim.lr_scheduler.StepLR(o, step_size=20),
        lambda o: torch.optim.lr_scheduler.LambdaLR(o, lambda k: k / 10 if k < 10 else 1.0),
    ],
    ids=["cosine", "step", "warm-up from zero"],
)
def test_schedulers_drive_both_alike(scheduler) -> None:
    difference = gap(
        lambda n: optim.Adam(two_groups(n), lr=0.05),
        lambda n: torch.optim.Adam(two_groups(n), lr=0.05),
        after=scheduler,
    )
    assert difference < 1e-12


def bias_correction(t, h):
    return {"c1": 1 / (1 - h.beta1**t), "c2": 1 / (1 - h.beta2**t)}


def adam_like(update, scalars=bias_correction) -> Rule:
    return rule(state=("m", "v"), scalars=scalars, **adamw.defaults)(update)


def lagging_momentum(w, g, state, scalars, h):
    (v,) = state
    return -h.eta * v, (h.beta * v + g,)


def undamped_gradient(w, g, state, scalars, h):
    delta, state = heavy_ball(w, g, state, scalars, h)
    return -delta, state


def eps_inside(w, g, state, scalars, h):
    _, (m, v) = adam(w, g, state, scalars, h)
    return -h.eta * (m * scalars.c1) / sqrt(v * scalars.c2 + h.eps) - h.eta * h.wd * w, (m, v)


def coupled(w, g, state, scalars, h):
    return adam(w, g + h.wd * w, state, scalars, h)


def decay_without_eta(w, g, state, scalars, h):
    delta, state = adam(w, g, state, scalars, h)
    return delta - h.wd * w, state


def swapped_averages(w, g, state, scalars, h):
    delta, (m, v) = adamw(w, g, state, scalars, h)
    return delta, (v, m)


MOMENTUM = torch.optim.SGD, {"lr": 0.05, "momentum": 0.9}
ADAMW = torch.optim.AdamW, {"lr": 0.05, "weight_decay": 0.1}
MUTANTS = {
    "no bias correction": (adam_like(adamw.update, lambda t, h: {"c1": 1.0, "c2": 1.0}), ADAMW),
    "bias correction of the step before": (
        adam_like(adamw.update, lambda t, h: bias_correction(max(t - 1, 1), h)),
        ADAMW,
    ),
    "momentum lags one step": (rule(state=("v",), **heavy_ball.defaults)(lagging_momentum), MOMENTUM),
    "wrong sign": (rule(state=("v",), **heavy_ball.defaults)(undamped_gradient), MOMENTUM),
    "eps inside the root": (adam_like(eps_inside), ADAMW),
    "decay coupled": (adam_like(coupled), ADAMW),
    "decay without eta": (adam_like(decay_without_eta), ADAMW),
    "averages swapped": (adam_like(swapped_averages), ADAMW),
}


def mutant_gap(mutant: Rule, peer: type, options: dict) -> float:
    ours = {"lr": options["lr"]} | ({"wd": 0.1} if "wd" in mutant.defaults else {"beta": 0.9})
    make = optim.from_rule(mutant)
    return gap(lambda n: make(one_group(n), **ours), lambda n: peer(one_group(n), **options))


def test_the_comparison_catches_every_mutant() -> None:
    gaps = {name: mutant_gap(mutant, *peer) for name, (mutant, peer) in MUTANTS.items()}
    killed = [name for name, far in gaps.items() if far > 1e-12]
    print(f"{len(killed)} of {len(gaps)} mutants killed; the nearest was {min(gaps.values()):.1e} away")
    assert killed == list(MUTANTS)
    # The originals pass through the same helper, so it does not merely reject everything.
    assert mutant_gap(adamw, *ADAMW) < 1e-12
    assert mutant_gap(heavy_ball, *MOMENTUM) < 1e-12


def test_lion_and_sign_descent_are_their_formulas() -> None:
    draw = torch.Generator().manual_seed(5)
    gradients = torch.randn(100, 7, generator=draw, dtype=torch.float64)
    start = torch.randn(7, generator=draw, dtype=torch.float64)
    for made, hyper in ((optim.Lion, {"beta1": 0.9, "beta2": 0.99, "wd": 0.1}), (optim.SignDescent, {})):
        p, w, m = nn.Parameter(start.clone()), start.numpy(force=True).copy(), 0.0
        optimizer = made([p], lr=0.01, **hyper)
        for g in gradients:
            p.grad = g.clone()
            optimizer.step()
            c = hyper.get("beta1", 0.0) * m + (1 - hyper.get("beta1", 0.0)) * g.numpy(force=True)
            w = w * (1 - 0.01 * hyper.get("wd", 0.0)) - 0.01 * ((c > 0).astype(float) - (c < 0))
            m = hyper.get("beta2", 0.0) * m + (1 - hyper.get("beta2", 0.0)) * g.numpy(force=True)
        assert abs(p.detach().numpy(force=True) - w).max() < 1e-12
