"""The mutants: by file and by the tests that must notice, what is wrong, the text, and what it becomes.

To add one, add an entry; ``python -m tests.mutants WORD`` runs those whose description or file contains WORD.
"""

from .run import Mutant

MISTAKES: dict[tuple[str, str], list[tuple[str, str, str]]] = {
    ("rules/adam.py", "tests/rules/test_against_torch.py"): [
        ("Adam without the correction of m", "return -h.eta * (m * scalars.c1)", "return -h.eta * m"),
        ("Adam without the correction of v", "sqrt(v * scalars.c2)", "sqrt(v)"),
        ("Adam's m lags one step", "return -h.eta * (m * scalars.c1)", "return -h.eta * (state[0] * scalars.c1)"),
        ("Adam's v lags one step", "sqrt(v * scalars.c2)", "sqrt(state[1] * scalars.c2)"),
        ("Adam with ε inside the root",
         "(sqrt(v * scalars.c2) + h.eps), (m, v)", "sqrt(v * scalars.c2 + h.eps), (m, v)"),
        ("Adam with β₁ and β₂ swapped",
         "m = h.beta1 * m + (1 - h.beta1) * g\n    v = h.beta2 * v + (1 - h.beta2) * g * g",
         "m = h.beta2 * m + (1 - h.beta2) * g\n    v = h.beta1 * v + (1 - h.beta1) * g * g"),
        ("bias correction one step late", "1 / (1 - h.beta2**t)", "1 / (1 - h.beta2 ** (t + 1))"),
        ("AdamW's decay coupled to the gradient",
         "delta, state = adam(w, g, state, scalars, h)\n    return delta - h.eta * h.wd * w, state",
         "return adam(w, g + h.wd * w, state, scalars, h)"),
        ("AdamW's decay without η", "delta - h.eta * h.wd * w", "delta - h.wd * w"),
        ("AMSGrad forgets the largest v", "v_max = maximum(v_max, v)", "v_max = v"),
    ],
    ("rules/gradient_descent.py", "tests/rules/test_against_torch.py"): [
        ("gradient descent goes uphill", "return -h.eta", "return h.eta"),
    ],
    ("rules/momentum.py", "tests/rules/test_against_torch.py"): [
        ("heavy ball's velocity lags one step", "return -h.eta * v, (v,)", "return -h.eta * state[0], (v,)"),
        ("heavy ball averages instead of sums", "v = h.beta * v + g", "v = h.beta * v + (1 - h.beta) * g"),
        ("Nesterov without the look-ahead", "(g + h.beta * v)", "v"),
        ("Nesterov looks ahead twice", "(g + h.beta * v)", "(g + h.beta**2 * v)"),
    ],
    ("rules/momentum.py", "tests/rules/test_momentum.py"): [
        ("difference form of heavy ball without η", "d = h.beta * d - h.eta * g", "d = h.beta * d - g"),
    ],
    ("rules/adagrad.py", "tests/rules/test_against_torch.py"): [
        ("AdaGrad's sum lags one step",
         "s = s + g * g\n    return -h.eta * g / (sqrt(s) + h.eps), (s,)",
         "return -h.eta * g / (sqrt(s) + h.eps), (s + g * g,)"),
        ("RMSProp without (1 - β)", "(1 - h.beta) * g * g", "g * g"),
    ],
    ("rules/adagrad.py", "tests/rules/test_printed.py"): [
        ("AdaGrad-Norm by coordinate", "s = s + scalars.g2", "s = s + g * g"),
    ],
    ("rules/signs.py", "tests/optim/test_against_torch.py"): [
        ("Lion's memory with β₁", "h.beta2 * m + (1 - h.beta2) * g", "h.beta1 * m + (1 - h.beta1) * g"),
    ],
    ("rules/signs.py", "tests/rules/test_against_torch.py"): [
        ("Lion steps along its memory only", "sign(c) + h.wd * w", "sign(m) + h.wd * w"),
    ],
    ("rules/rule.py", "tests/rules/test_printed.py"): [
        ("sums over one coordinate only", "lambda x: next(x).sum(-1, keepdim=True)", "next"),
    ],
    ("rules/amgt.py", "tests/rules/test_amgt.py"): [
        ("AMGT's λ grows with the variance",
         "lam = 1 / (1 + h.gamma * maximum(var, 0))", "lam = 1 + h.gamma * maximum(var, 0)"),
        ("AMGT's window is one too short", "(g, *state[3:]))", "(g, *state[3:-1]))"),
    ],
    ("rules/ops.py", "tests/rules/test_ops.py"): [
        ("clip swaps its ends", "-maximum(-maximum(x, low), -high)", "-maximum(-maximum(x, high), -low)"),
    ],
    ("schedules.py", "tests/test_schedules.py"): [
        ("the cosine starts one step late", "math.cos((t - 1) * math.pi / T)", "math.cos(t * math.pi / T)"),
        ("step decay drops one step early", "factor ** ((t - 1) // every)", "factor ** (t // every)"),
        ("warm-up starts at zero", "min(t / T, 1.0)", "min((t - 1) / T, 1.0)"),
        ("1/(μ(t + κ)) forgets κ", "1 / (mu * (t + kappa))", "1 / (mu * t)"),
    ],
    ("descend.py", "tests/test_descend.py tests/test_schedules.py"): [
        ("scalars of the next step", "rule.scalars_at(t, ", "rule.scalars_at(t + 1, "),
    ],
    ("descend.py", "tests/test_descend.py"): [
        ("records the next iterate", "known = {\"w\": w,", "known = {\"w\": w - g,"),
        ("a stopped run moves on", "moved = torch.where(moving, moved, w)", "pass"),
        ("stops one step late", "stopped.where(~met, t)", "stopped.where(~met, t + 1)"),
        ("the state is not carried on", "w, state, f, g = step(", "w, _, f, g = step("),
    ],
    ("descend.py", "tests/methods/test_projections.py"): [
        ("the projection is forgotten", "w + delta if project is None else project(w + delta)", "w + delta"),
    ],
    ("compiled.py", "tests/test_compiled.py"): [
        ("the first mini-batch is compiled in", "for x in (scalars, h, p)]\n", "for x in (scalars, h)] + [p]\n"),
        ("two inputs become one", "[x.detach() for x in inputs]", "inputs"),
        ("one layout for all", ", *layouts)", ")"),
        ("the scalars of a step are compiled in", "name: as_tensor(x, w) for name", "name: x for name"),
    ],
    ("stopping.py", "tests/test_descend.py"): [
        ("stopping by the change of w, not of f",
         "(look.f - look.f_before).abs() <= limit", "look.f.abs() <= limit"),
    ],
    ("problems/quadratic.py", "tests/problems/test_problems.py tests/test_descend.py"): [
        ("a quadratic without its half", "(u * p.lam * u).sum(-1) / 2", "(u * p.lam * u).sum(-1)"),
    ],
    ("problems/logistic.py", "tests/problems/test_problems.py"): [
        ("L of logistic regression twice too large", "/ 4 + ridge", "/ 2 + ridge"),
    ],
    ("problems/quadratic.py", "tests/problems/test_problems.py"): [
        ("the PL constant of least squares is λ_min, zero or not", "lam[lam > 0].min()", "lam.max()"),
    ],
    ("problems/problem.py", "tests/problems/test_problems.py"): [
        ("Hessian transposed into the batch", "columns.movedim(0, -1)", "columns.movedim(0, -1) * 1.001"),
    ],
    ("methods/line_search.py", "tests/methods/test_line_search.py"): [
        ("Armijo without η", "self.c1 * eta * self.slope", "self.c1 * self.slope"),
        ("halving accepts no decrease", "float(oracle.value(new)) < start", "float(oracle.value(new)) <= start"),
        ("Wolfe without its second condition", "elif trial.slope < c2 * slope:", "elif False:"),
        ("exact search takes half its step", "eta = -slope / curvature", "eta = -slope / curvature / 2"),
    ],
    ("methods/newton.py", "tests/methods/test_newton.py"): [
        ("Newton goes up", "oracle.hessian(w), -g)", "oracle.hessian(w), g)"),
        ("Levenberg shifts the wrong way",
         "(largest or 1.0) - self.curvature", "(largest or 1.0) + self.curvature"),
        ("conjugate gradients with β upside down",
         "(residual @ residual) / before * d", "before / (residual @ residual) * d"),
        ("negative curvature is not noticed", "if not self.curvature > 0:", "if False:"),
    ],
    ("methods/quasi_newton.py", "tests/methods/test_quasi_newton.py"): [
        ("BFGS misses a factor 1/sᵀy", "(1 + y @ By / sy) / sy", "(1 + y @ By) / sy"),
        ("L-BFGS loops twice in the same order", "in reversed(self.pairs):", "in self.pairs:"),
        ("BFGS learns pairs of negative curvature",
         "if bool(s @ y > self.least_cosine * s.norm() * y.norm()):", "if True:"),
    ],
    ("backprop.py", "tests/test_backprop.py"): [
        ("the derivative of tanh without its square", "1 - torch.tanh(a).square()", "1 - torch.tanh(a)"),
        ("δ of the layer above without σ'",
         "delta = (delta @ w_read) * sigmas[r - 1].derivative(a[r - 1])", "delta = delta @ w_read"),
    ],
    ("rules/ascent.py", "tests/curvature/test_sharpness.py"): [
        ("the ascent of SAM goes down", "return power(g) * where", "return -power(g) * where"),
        ("the ascent with the norm of p, not of its dual", "h.rho * s ** (-1 / p)", "h.rho / s"),
    ],
    ("rules/ascent.py", "tests/optim/test_sam.py"): [
        ("ASAM measures with |w|, not |w| + floor", "return absolute(w) + floor", "return absolute(w)"),
    ],
    ("curvature/ball.py", "tests/curvature/test_sharpness.py"): [
        ("sharpness without its value at w", "torch.maximum(best, value - here)", "torch.maximum(best, value)"),
    ],
    ("curvature/lanczos.py", "tests/curvature/test_eigenvalues.py"): [
        ("Lanczos orthogonalizes to no row",
         "u = u - Q.mT @ c\n        u = u - Q.mT @ (Q @ u)", "u = u - Q.mT[..., -1:] @ c[..., -1:, :]"),
        ("residuals without β", "(self._beta[m - 1].unsqueeze(-1) * S[..., -1, :]).abs()", "S[..., -1, :].abs()"),
    ],
    ("curvature/eigenvalues.py", "tests/curvature/test_eigenvalues.py"): [
        ("the largest of the signed eigenvalues", "\"magnitude\": -values.abs()", "\"magnitude\": -values"),
    ],
    ("curvature/stochastic.py", "tests/curvature/test_stochastic.py"): [
        ("Hutchinson's probes are 0 and 1",
         "2 * torch.randint(0, 2, w.shape, generator=generator, dtype=w.dtype, device=w.device) - 1",
         "torch.randint(0, 2, w.shape, generator=generator, dtype=w.dtype, device=w.device)"),
    ],
    ("curvature/quadrature.py", "tests/curvature/test_quadrature.py"): [
        ("quadrature weights not squared", "S[..., 0, :] ** 2", "S[..., 0, :].abs()"),
    ],
    ("oracles/stochastic.py", "tests/oracles/test_stochastic.py"): [
        ("mini-batches with replacement where without was asked",
         "if not self.replacement:", "if self.replacement:"),
        ("noise as strong in each coordinate as in all", "sigma / self.problem.dim**0.5", "sigma"),
        ("an epoch skips examples",
         "self._order[..., self._at - self.size : self._at]",
         "self._order[..., self._at - self.size : self._at - 1]"),
        ("a fresh oracle goes on with its old randomness", "again._generator = None", "pass"),
    ],
    ("optim/engines.py", "tests/optim/test_against_torch.py"): [
        ("decay taken from the gradient", "g + self.l2 * w", "g - self.l2 * w"),
        ("maximize is forgotten", "g = -g if self.maximize else g", "g = g"),
    ],
    ("optim/engines.py", "tests/optim/test_against_torch.py tests/optim/test_optimizer.py"): [
        ("the weights do not move", "w.add_(delta)\n", "pass\n"),
    ],
    ("optim/engines.py", "tests/optim/test_optimizer.py"): [
        ("a shifting window is overwritten",
         "if any(x is old for old in state for x in (delta, *new)):", "if False:"),
    ],
    ("optim/engines.py", "tests/optim/test_reductions.py"): [
        ("totals of one group only",
         "for leaf in task.leaves if leaf.w.numel()]", "for leaf in task.leaves if leaf.w.numel()][:1]"),
    ],
    ("optim/optimizer.py", "tests/optim/test_against_torch.py"): [
        ("the step number is shared", "state[\"step\"] += 1", "state[\"step\"] = max(1, state[\"step\"])"),
    ],
    ("optim/optimizer.py", "tests/optim/test_optimizer.py"): [
        ("a bad gradient is found after the step", "self._check_gradients()\n        tasks = []", "tasks = []"),
    ],
    ("optim/tape.py", "tests/optim/test_tape.py"): [
        ("a tape fuses a product that is read twice", "uses.get(out) == 1 and out not in kept", "out not in kept"),
        ("a tape drops the sign of a fused difference",
         "fused.append((name, args, alpha, out))", "fused.append((\"add\" if alpha else name, args, alpha, out))"),
    ],
    ("optim/muon.py", "tests/optim/test_muon.py"): [
        ("Muon without its last round", "range(ROUNDS)", "range(ROUNDS - 1)"),
    ],
    ("optim/lamb.py", "tests/optim/test_lamb.py"): [
        ("LAMB scales by the wrong length", "long / short", "short / long"),
    ],
    ("optim/shampoo.py", "tests/optim/test_shampoo.py"): [
        ("Shampoo's root of a vector for a matrix", "inverse_root(M, 2 * k, h.eps)", "inverse_root(M, 2, h.eps)"),
    ],
    ("optim/adahessian.py", "tests/optim/test_adahessian.py"): [
        ("AdaHessian squares the gradient", "(1 - h.beta2) * D * D", "(1 - h.beta2) * g * g"),
    ],
    ("rules/ascent.py", "tests/methods/test_sam.py"): [
        ("SAM's exponent is q", "1 / (p - 1)  # q - 1", "p / (p - 1)  # q - 1"),
        ("SAM's powers underflow", "g / where(totals.top > 0, totals.top, 1.0)", "g"),
        ("SAM divides by a norm of zero", "where(s > 0, h.rho * s ** (-1 / p), 0.0)", "h.rho * s ** (-1 / p)"),
        ("ESAM's mask is not divided by β", "generator=generator) / beta", "generator=generator)"),
        ("ESAM chooses the losses that fall", "rise.topk", "(-rise).topk"),
    ],
    ("methods/sam.py", "tests/methods/test_sam.py"): [
        ("SAM draws two mini-batches", "_Drawn(self.inner.draw(w)", "_Drawn(self.inner"),
        ("ASAM multiplies by T once", "T * self._step(w, T * g)", "self._step(w, T * g)"),
        ("through ε without the Hessian", "up + by_w + self.inner.hvp(w, by_g)", "up + by_w"),
    ],
    ("optim/sam.py", "tests/optim/test_sam.py"): [
        ("SAM's norm of the first group only", "rule.totals(leaves, ", "rule.totals(leaves[:1], "),
        ("ASAM forgets T at the end", "(map(operator.mul, T, u) if T else u)", "u"),
        ("SAM's weights stay up", "torch._foreach_copy_(weights, old)", "pass"),
        ("SAM does not clear the gradients", "w.grad = None", "pass"),
    ],
    ("optim/sam.py", "tests/optim/test_sam_training.py"): [
        ("an overflow reaches the batch-norm statistics", "x.nan_to_num_(0.0, 0.0, 0.0)", "x"),
        ("autocast keeps old weights", "            torch.clear_autocast_cache()  # it", "            pass  # it"),
        ("batch norm learns in both passes", "m.track_running_stats = False", "pass"),
        ("the scaler steps without unscaling", "scaler.step(self.base)", "self.base.step()"),
    ],
    ("optim/sam.py", "tests/optim/test_esam.py"): [
        ("ESAM compares with the wrong losses", "losses(None) - before", "losses(None)"),
    ],
}  # fmt: skip
BANK = [Mutant(what, file, old, new, tests) for (file, tests), made in MISTAKES.items() for what, old, new in made]
