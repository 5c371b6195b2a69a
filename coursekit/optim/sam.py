"""SAM, ASAM and ESAM around any torch optimizer: the gradient is taken where the loss nearby is largest."""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import SimpleNamespace
from typing import Any

import torch
from torch import Generator, Tensor, nn
from torch.amp import GradScaler
from torch.nn.modules.batchnorm import _NormBase

from ..rules import ascent, normalizer, sharpest, thinned
from ..rules.rule import check_range
from .foreach import Tensors

Groups = list[tuple[dict[str, Any], list[Tensor]]]


class SAM(torch.optim.Optimizer):
    """Sharpness-aware minimization (Foret et al. 2021): ``base`` steps from w with the gradient at w + ε.

    ε is that of :func:`coursekit.rules.ascent`, with the norm over all parameters of all groups; ``rho`` may
    differ between groups: a key of the base's groups, or ``sam.param_groups[1]["rho"] = 0.1``. ::

        sam = SAM(torch.optim.SGD(net.parameters(), lr=0.1), rho=0.05)

        def closure():  # the loss at the present weights, and its gradients
            loss = loss_fn(net(x), y)
            loss.backward()
            return loss

        sam.step(closure)

    The gradients are cleared before each of the two calls. A closure may call ``backward`` several times, to
    accumulate the gradients of parts of a mini-batch; ``sam.last_pass`` tells it whether the base will step with
    the gradients of this call (to clip them, say). Schedulers work on the wrapper or on its base. With a
    GradScaler the closure calls ``scaler.scale(loss).backward()``, and ``sam.step(closure, scaler)`` is followed
    by ``scaler.update()``: ε does not depend on the scale. Under DistributedDataParallel both passes average
    their gradients, so that all replicas share one ε; ``net.no_sync()`` in the first pass gives each its own.
    ``model``: its batch-norm statistics learn from the first pass only, the one at w.

    ValueError for options that are not allowed, a base that has such an option already, a missing closure, and
    gradients that are sparse, complex or on several devices; no weight has moved by then. If the second call
    raises, the weights are back at w, bit by bit.
    """

    def __init__(
        self, base: torch.optim.Optimizer, rho: float = 0.05, p: float = 2.0, *, model: nn.Module | None = None
    ) -> None:
        self._wrap(base, p, model, {"rho": rho})

    def _wrap(
        self, base: torch.optim.Optimizer, p: float, model: nn.Module | None, options: dict[str, float]
    ) -> None:
        if not isinstance(base, torch.optim.Optimizer):
            raise ValueError(f"base must be an optimizer, as SGD(net.parameters(), lr=0.1), got {base!r}")
        if taken := options.keys() & base.defaults.keys():
            raise ValueError(f"{type(base).__name__} has an option {min(taken)} of its own")
        ascent(p)  # refuses what is no p
        for group in (options, *base.param_groups):
            for name in options.keys() & group.keys():
                check_range(name, group[name])
        super().__init__(base.param_groups, options)  # the base's groups get our options too
        self.base, self.p, self.options, self.model, self.last_pass = base, p, options, model, False
        self.defaults = base.defaults | options
        self._link()

    def _link(self) -> None:
        self.param_groups, self.state = self.base.param_groups, self.base.state

    def __getstate__(self) -> dict[str, Any]:
        return dict(self.__dict__)

    def state_dict(self) -> dict[str, Any]:
        """That of the base, whose groups hold our options too."""
        return self.base.state_dict()

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Go on where :meth:`state_dict` was taken."""
        self.base.load_state_dict(state_dict)
        self._link()

    @torch.no_grad()
    def step(self, closure: Callable[[], Any] | None = None, scaler: GradScaler | None = None) -> Any:
        """One step of the base with the gradient at w + ε; returns the closure's loss at w."""
        if closure is None:
            raise ValueError(f"{type(self).__name__} computes the gradient twice: step(closure) needs a closure")
        return self._two_passes(closure, closure, scaler)

    def _two_passes(self, first: Callable[[], Any], second: Callable[[], Any], scaler: GradScaler | None) -> Any:
        radii = [group["rho"] for group in self.param_groups]
        for rho in radii:
            if not 0 <= rho < math.inf:
                raise ValueError(f"rho must lie in [0, inf), got {rho!r}")
        loss = self._pass(first, last=not any(radii))
        if any(radii) and (groups := self._with_gradient()):
            with self._perturbed(groups, scaled=scaler is not None):
                self._pass(second, last=True)
        if scaler is None or not self._with_gradient():  # a scaler insists on gradients
            self.base.step()
        else:
            scaler.step(self.base)
        return loss

    def _pass(self, closure: Callable[[], Any], last: bool) -> Any:
        for group in self.param_groups:
            for w in group["params"]:
                w.grad = None
        self.last_pass = last
        with torch.enable_grad():
            return closure()

    def _with_gradient(self) -> Groups:
        """The groups with their parameters that have a gradient, where there are any."""
        groups, device = [], None
        for group in self.param_groups:
            weights = [w for w in group["params"] if w.grad is not None and w.numel()]
            for w in weights:
                g, device = w.grad, device or w.device
                if g.layout != torch.strided or g.is_complex() or g.device != device:
                    what = f"{g.layout} {g.dtype} on {g.device}"
                    raise ValueError(f"{type(self).__name__} takes dense real gradients on one device, got {what}")
            if weights:
                groups.append((group, weights))
        return groups

    def _epsilon(self, groups: Groups) -> list[list[Tensor]]:
        """ε for the parameters of each group; the norm goes over all of them."""
        rule, leaves, T = ascent(self.p), [], []
        for group, weights in groups:
            w, g = Tensors(weights), Tensors([x.grad for x in weights if x.grad is not None])
            if "floor" in group:
                T.append(normalizer(w, group["floor"]))
                g = T[-1] * g
            leaves.append((w, g, (), SimpleNamespace(rho=group["rho"])))
        totals = SimpleNamespace(**rule.totals(leaves, _peak, _total))
        u = [rule(w, g, (), totals, h)[0] for w, g, _, h in leaves]
        return [x.items for x in (map(operator.mul, T, u) if T else u)]

    @contextmanager
    def _perturbed(self, groups: Groups, scaled: bool) -> Iterator[None]:
        """The weights are at w + ε inside, and back at w after, whatever happens."""
        epsilon = self._epsilon(groups)
        before = [[w.clone() for w in weights] for _, weights in groups]
        learning = [m for m in (self.model.modules() if self.model else ()) if isinstance(m, _NormBase)]
        learning = [m for m in learning if m.training and m.track_running_stats]
        try:
            for (_, weights), step in zip(groups, epsilon, strict=True):
                if scaled:  # gradients that overflowed must not reach the batch-norm statistics
                    step = [x.nan_to_num_(0.0, 0.0, 0.0) for x in step]
                torch._foreach_add_(weights, step)
            torch.clear_autocast_cache()  # it may hold the weights in another precision
            for m in learning:
                m.track_running_stats = False
            yield
        finally:
            for m in learning:
                m.track_running_stats = True
            for (_, weights), old in zip(groups, before, strict=True):
                torch._foreach_copy_(weights, old)
            torch.clear_autocast_cache()


class ASAM(SAM):
    """Adaptive SAM (Kwon et al. 2021): the ball is ‖ε/T‖_p ≤ ρ with T = |w| + ``floor``; else as :class:`SAM`.

    With ``floor=0`` the perturbed loss of a ReLU network does not change when one layer's weights are multiplied,
    and the next one's divided, by a positive number.
    """

    def __init__(
        self,
        base: torch.optim.Optimizer,
        rho: float = 0.5,
        p: float = 2.0,
        *,
        floor: float = 0.01,
        model: nn.Module | None = None,
    ) -> None:
        self._wrap(base, p, model, {"rho": rho, "floor": floor})


class ESAM(SAM):
    """Efficient SAM (Du et al. 2022): a perturbation with holes, and a second gradient of fewer examples.

    Each coordinate of ε is kept with probability ``beta`` and divided by it (``generator`` draws the masks), and
    the second gradient is that of the fraction ``gamma`` of the mini-batch whose losses rise most, found by one
    more forward pass. All else is as in :class:`SAM`, but for the closure: ``losses(chosen)`` gives the losses of
    the examples with the indices ``chosen``, of all if it is None, and does not call backward. ::

        def losses(chosen):
            at, to = (x, y) if chosen is None else (x[chosen], y[chosen])
            return torch.nn.functional.cross_entropy(net(at), to, reduction="none")

        esam.step(losses)
    """

    def __init__(
        self,
        base: torch.optim.Optimizer,
        rho: float = 0.05,
        p: float = 2.0,
        *,
        beta: float = 0.6,
        gamma: float = 0.5,
        model: nn.Module | None = None,
        generator: Generator | None = None,
    ) -> None:
        for name, value in (("beta", beta), ("gamma", gamma)):
            if not 0 < value <= 1:
                raise ValueError(f"{name} must lie in (0, 1], got {value!r}")
        self._wrap(base, p, model, {"rho": rho})
        self.beta, self.gamma, self.generator = beta, gamma, generator

    @torch.no_grad()
    def step(  # type: ignore[override]
        self, losses: Callable[[Tensor | None], Tensor] | None = None, scaler: GradScaler | None = None
    ) -> Tensor:
        """One step of the base with the gradient of the chosen examples at w + ε; returns the mean loss at w."""
        if losses is None:
            raise ValueError("ESAM computes the losses up to three times: step(losses) needs a function")

        def backward(chosen: Tensor | None = None) -> Tensor:
            each = losses(chosen)
            if each.ndim != 1 or not len(each):
                raise ValueError(f"losses must be one number for each example, got shape {tuple(each.shape)}")
            if each.requires_grad:  # not if all is frozen
                loss = each.mean()
                (loss if scaler is None else scaler.scale(loss)).backward()
            return each.detach()

        before = torch.empty(0)

        def first() -> Tensor:
            nonlocal before
            before = backward()
            return before.mean()

        def second() -> Tensor:
            if self.gamma == 1:
                return backward()
            with torch.no_grad():
                rise = losses(None) - before
            return backward(sharpest(rise, self.gamma))

        return self._two_passes(first, second, scaler)

    def _epsilon(self, groups: Groups) -> list[list[Tensor]]:
        return [[thinned(x, self.beta, self.generator) for x in group] for group in super()._epsilon(groups)]


def _peak(parts: Iterator[Tensors]) -> Tensor:
    return torch.stack([x for part in parts for x in torch._foreach_max(part.items)]).amax()


def _total(parts: Iterator[Tensors]) -> Tensor:
    return torch.stack([x.sum() for part in parts for x in part.items]).sum()
