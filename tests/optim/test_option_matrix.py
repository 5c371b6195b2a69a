"""The options that torch tests its own optimizers with, on ours: the same path, or a reason why there is none.

torch's lists live in a private module of the pinned torch: a configuration that appears or goes fails here.
"""

from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.optim.lr_scheduler import ReduceLROnPlateau
from torch.testing._internal.common_optimizers import OptimizerErrorEnum, optim_db

from coursekit import optim

pytestmark = pytest.mark.usefixtures("device")

f64 = torch.float64
Options = dict[str, Any]
RENAMED = {"weight_decay": "l2", "momentum": "beta", "alpha": "beta"}
INFOS = {info.name: info for info in optim_db if info.name in ("SGD", "Adam", "AdamW", "RMSprop", "Adagrad")}
STEPS = 100


def of_ours(name: str, given: Options) -> tuple[type[optim.RuleOptimizer], Options]:
    """Our optimizer and its options for a configuration of torch's; KeyError names an option that ours lack."""
    given = {k: v for k, v in given.items() if k != "capturable"}  # ours never read a tensor back
    made = {"Adam": optim.Adam, "AdamW": optim.AdamW, "RMSprop": optim.RMSprop, "Adagrad": optim.Adagrad}.get(name)
    if name == "SGD":
        made = optim.HeavyBall if "momentum" in given else optim.GradientDescent
        given = {"lr": 1e-3, **given}  # torch's default
    if given.pop("nesterov", False):
        made = optim.Nesterov
    if given.pop("amsgrad", False):
        if name != "Adam":
            raise KeyError("amsgrad")
        made = optim.AMSGrad
    if name == "AdamW" and "weight_decay" in given:
        given["wd"] = given.pop("weight_decay")
    given |= dict(zip(("beta1", "beta2"), given.pop("betas", ()), strict=False))
    options = {RENAMED.get(k, k): v for k, v in given.items()}
    if unknown := set(options) - set(made.rule.defaults) - {"lr", "l2", "maximize"}:
        raise KeyError(*unknown)
    return made, {k: v.to(f64, copy=True) if isinstance(v, Tensor) else v for k, v in options.items()}


def of_torch(given: Options) -> Options:
    """The configuration in plain numbers: torch reads tensors on a CPU only with options that are not ours."""
    plain = {k: v for k, v in given.items() if k != "capturable"}
    number = lambda x: float(x) if isinstance(x, Tensor) else x  # noqa: E731
    return {k: tuple(map(number, v)) if k == "betas" else number(v) for k, v in plain.items()}


def configurations(name: str) -> dict[str, Options]:
    """Those for CPU, and those that torch has for CUDA alone because they are capturable."""
    return {x.desc: x.kwargs for x in INFOS[name].optim_inputs_func(device="cuda")}


def expressed(name: str) -> list[str]:
    found = []
    for desc, given in configurations(name).items():
        try:
            made, options = of_ours(name, given)
            made([nn.Parameter(torch.ones(1, dtype=f64))], **options)
        except (KeyError, ValueError):
            continue
        found.append(desc)
    return found


class Problem:
    """A weight that is not contiguous, a bias, and a loss that stays finite, also where it is maximized."""

    def __init__(self) -> None:
        draw = torch.Generator().manual_seed(1)
        self.x = torch.randn(5, generator=draw, dtype=f64)
        self.weight = nn.Parameter(torch.randn(10, 5, 2, generator=draw, dtype=f64)[..., 0])
        self.bias = nn.Parameter(torch.randn(10, generator=draw, dtype=f64))
        assert not self.weight.is_contiguous()

    def loss(self) -> Tensor:
        return (self.weight.mv(self.x) + self.bias).square().add(1).log().sum()


def path(make: Callable[[list[nn.Parameter]], Any], schedulers: Any, reload: bool) -> Tensor:
    """The weights after every step; with ``reload`` a new optimizer with the saved state takes the second half."""
    problem = Problem()
    params = [problem.weight, problem.bias]
    optimizer = make(params)
    running = [s(optimizer) for s in schedulers]
    points = []
    for step in range(STEPS):
        if reload and step == STEPS // 2:
            saved = [x.state_dict() for x in (optimizer, *running)]
            optimizer = make(params)
            running = [s(optimizer) for s in schedulers]
            for new, old in zip((optimizer, *running), saved, strict=True):
                new.load_state_dict(old)
        optimizer.zero_grad()
        loss = problem.loss()
        loss.backward()
        optimizer.step()
        for s in running:
            s.step(loss.detach()) if isinstance(s, ReduceLROnPlateau) else s.step()
        points.append(torch.cat([p.detach().flatten() for p in params]))
    return torch.stack(points)


@pytest.mark.parametrize(("name", "desc"), [(n, d) for n in INFOS for d in expressed(n)])
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_same_path_as_torch(name: str, desc: str) -> None:
    info, given = INFOS[name], configurations(name)[desc]

    def make(params: list[nn.Parameter]) -> optim.RuleOptimizer:
        made, options = of_ours(name, given)
        return made(params, **options)

    for schedulers in ([], *info.scheduler_inputs):
        ours = path(make, schedulers, reload=True)
        theirs = path(lambda p: info.optim_cls(p, **of_torch(given)), schedulers, reload=False)
        assert float((ours - theirs).abs().max()) < 1e-12
        assert float((ours[-1] - ours[0]).abs().max()) > 1e-6  # something moved


def test_the_comparison_sees_a_lost_state_and_a_lost_option() -> None:
    reference = path(lambda p: torch.optim.Adam(p, lr=0.01, weight_decay=0.1), [], False)

    def far(make: Callable[..., Any]) -> float:
        return float((path(make, [], reload=True) - reference).abs().max())

    assert far(lambda p: optim.Adam(p, lr=0.01, l2=0.1)) < 1e-12
    assert far(lambda p: optim.Adam(p, lr=0.01)) > 1e-6
    assert far(lambda p: optim.AdamW(p, lr=0.01, wd=0.1)) > 1e-6

    class Forgetful(optim.Adam):  # type: ignore[misc, valid-type]
        def load_state_dict(self, state_dict: Any) -> None:
            super().load_state_dict({**state_dict, "state": {}})

    assert far(lambda p: Forgetful(p, lr=0.01, l2=0.1)) > 1e-6


# What torch's lists have and our optimizers do not express, with the reason.
NOT_EXPRESSED = {
    ("SGD", "dampening"): "the rule has no dampening: it rescales η and the first step",
    ("Adam", "Tensor lr, Tensor betas, with capturable and amsgrad"): "betas are 0-d, not of shape (1, 1, 1)",
    ("AdamW", "amsgrad"): "no rule joins the two",
    ("AdamW", "capturable, amsgrad"): "no rule joins the two",
    ("AdamW", "Tensor lr with capturable and amsgrad"): "no rule joins the two",
    ("AdamW", "Tensor lr, Tensor betas, with capturable and amsgrad"): "no rule joins the two",
    ("RMSprop", "centered"): "no variance in the rule",
    ("RMSprop", "momentum"): "no variance or momentum in the rule",
    ("RMSprop", "maximize, centered, weight_decay, w/ momentum"): "no variance or momentum in the rule",
    ("Adagrad", "initial_accumulator_value"): "s starts at zero",
    ("Adagrad", "lr_decay"): "a scheduler does it",
}
# Optimizers of torch that are no rule of the book, and how many configurations each has.
OTHER_OPTIMIZERS = {
    "Adadelta": 9, "Adafactor": 5, "Adamax": 10, "ASGD": 12, "LBFGS": 5, "Muon": 7,
    "NAdam": 11, "RAdam": 10, "Rprop": 7, "SparseAdam": 4,
}  # fmt: skip


def test_what_is_not_expressed_is_listed() -> None:
    missing = {(n, d) for n in INFOS for d in configurations(n) if d not in expressed(n)}
    assert missing == set(NOT_EXPRESSED)
    others = {i.name: len(i.optim_inputs_func(device="cuda")) for i in optim_db if i.name not in INFOS}
    assert others == OTHER_OPTIMIZERS
    assert {n: len(expressed(n)) for n in INFOS} == {"SGD": 8, "Adam": 9, "AdamW": 6, "RMSprop": 8, "Adagrad": 5}


# torch refuses these, ours take them.
TAKEN = {"betas must be either both floats or both Tensors": "either may be a tensor"}


@pytest.mark.parametrize("name", INFOS)
def test_what_torch_refuses_ours_refuse(name: str) -> None:
    made = {"SGD": optim.HeavyBall}.get(name) or getattr(optim, name)
    refused: Counter[str] = Counter()
    for wrong in INFOS[name].optim_error_inputs_func(device="cpu", dtype=f64):
        given = wrong.optimizer_error_input
        assert wrong.error_on == OptimizerErrorEnum.CONSTRUCTION_ERROR
        if given.desc in TAKEN:
            continue
        try:
            _, options = of_ours(name, given.kwargs)
        except KeyError:
            options = given.kwargs
        params = given.params if given.params is not None else [nn.Parameter(torch.ones(1))]
        with pytest.raises(wrong.error_type):
            made(params, **options)
        refused[wrong.error_type.__name__] += 1
    assert refused["ValueError"] >= 5
    assert refused["TypeError"] == refused["UserWarning"] == 1
    made([nn.Parameter(torch.ones(1))])  # the refusals are not for everything
