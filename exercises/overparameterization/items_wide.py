"""The items on wide networks: the Gram matrix of a network and of its limit, and the training it predicts."""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import Generator, Tensor

from coursekit.grading.draws import normal, numbers, uniform
from coursekit.grading.exercise import Case, Item, Mutant, Tolerance

INPUTS = numbers([1.0, 0.0], [0.6, 0.8], [-0.5, 1.0])
HARD = 1.6  # its square, divided by it twice, comes out above 1, as IEEE arithmetic rounds


def _networks_public() -> Iterator[Case]:
    W = numbers([1.0, 1.0], [-2.0, 1.0], [0.5, -1.0], [-1.0, -3.0])
    yield Case("signs only", (INPUTS, W, numbers(0.5, -0.5, 0.5, -0.5)))
    yield Case("any output weights", (INPUTS, W, numbers(2.0, -1.0, 0.25, 3.0)))
    yield Case("any output weights", (2 * INPUTS[:2], W, numbers(0.0, 3.0, -1.0, 0.5)))
    yield Case("a unit at rest", (INPUTS, numbers([0.0, 0.0], [1.0, -0.5]), numbers(1.0, 2.0)))


def _networks_hidden(generator: Generator) -> Iterator[Case]:
    def case(part: str, n: int, d: int, m: int) -> Case:
        return Case(part, (normal(generator, n, d), normal(generator, m, d), normal(generator, m)))

    X, W, v = case("", 6, 4, 50).arguments
    yield Case("signs only", (X, W, v.sign() / 50**0.5))
    for n, d, m in ((1, 3, 5), (8, 2, 30), (10, 6, 400)):
        yield case("any output weights", n, d, m)
    X, W, v = case("", 4, 3, 6).arguments
    W[2] = 0.0
    yield Case("a unit at rest", (X, W, v))


EMPIRICAL_GRAM = Item(
    id="empirical_gram",
    title="The Gram matrix of a network",
    points=3,
    difficulty=2,
    minutes=15,
    public=_networks_public,
    hidden=_networks_hidden,
    # Sums of at most 400 squares of order 1. The product J J^T with the Jacobian of autograd agrees to 1e-13.
    tolerance=Tolerance(rtol=1e-10, atol=1e-10),
    mutants=(
        Mutant(
            "(X @ W.T > 0).to(X.dtype)",
            "(X @ W.T).relu()",
            "These are the outputs of the hidden units. Their derivative is 1 where a unit is on, else 0.",
        ),
        Mutant("v**2", "v", "Each of the two gradients brings a factor v_r: together v_r^2."),
        Mutant("v**2", "v.abs()", "Each of the two gradients brings a factor v_r: together v_r^2, not |v_r|."),
        Mutant(
            "active * v**2 @ active.T",
            "active @ active.T",
            "The output weights v are missing: they stand in the gradient.",
        ),
        Mutant(
            "active * v**2 @ active.T",
            "active * v**2 @ active.T / len(W)",
            "It was divided by the width. A factor 1/sqrt(m) is part of v here, if it is wanted.",
        ),
        Mutant(
            "active * v**2 @ active.T",
            "active * v**2 @ active.T / len(X)",
            "It was divided by the number of examples. That factor belongs to the loss, not to the outputs.",
        ),
        Mutant(
            "X @ X.T * (active * v**2 @ active.T)",
            "active * v**2 @ active.T",
            "The inputs are missing: the gradient in w_r is v_r times x where the unit is on.",
        ),
        Mutant(
            "X @ X.T * (active * v**2 @ active.T)",
            "X @ X.T * v.square().sum()",
            "All units were counted as on. Unit r counts for a pair if it is on for both inputs.",
        ),
        Mutant(
            "(X @ W.T > 0).to(X.dtype)",
            "(X @ W.T >= 0).to(X.dtype)",
            "A unit at rest, w_r = 0, was counted as on. As in torch, the derivative of max(0, a) at 0 is 0.",
        ),
        Mutant(
            "X @ X.T * (active * v**2 @ active.T)",
            "X @ X.T @ (active * v**2 @ active.T)",
            "The two factors of a pair are numbers: multiply the matrices entry by entry.",
        ),
    ),
)


def _inputs_public() -> Iterator[Case]:
    yield Case("unit inputs", (numbers([1.0, 0.0], [0.0, 1.0], [0.6, 0.8]),))
    yield Case("inputs of any length", (numbers([2.0, 0.0], [1.0, 3.0], [-0.5, 1.0]),))
    # One coordinate, so that every machine rounds alike: the third row's cosine with itself exceeds 1.
    yield Case("parallel inputs", (numbers([4.0, 0.0], [-2.0, 0.0], [HARD, 0.0], [1.0, 1.0]),))


def _inputs_hidden(generator: Generator) -> Iterator[Case]:
    def inputs(n: int, d: int) -> Tensor:
        return normal(generator, n, d)

    X = inputs(6, 4)
    yield Case("unit inputs", (X / X.norm(dim=1, keepdim=True),))
    for n, d in ((2, 2), (12, 5)):
        yield Case("inputs of any length", (inputs(n, d),))
    X = inputs(3, 3)
    X[0] *= numbers(1.0, 0.0, 0.0)
    single = numbers(HARD, 0.0, 0.0) * 2.0 ** int(uniform(generator, -3, 4))
    yield Case("parallel inputs", (torch.cat([X, 3 * X, -0.7 * X, single[None]]),))


LIMIT_GRAM = Item(
    id="limit_gram",
    title="The Gram matrix of infinite width",
    points=3,
    difficulty=2,
    minutes=10,
    public=_inputs_public,
    hidden=_inputs_hidden,
    # The angle of parallel inputs is ill-conditioned: a cosine off by 1e-16 is an angle off by 2e-8, and that is
    # what correct programs differ by there. Elsewhere 1e-15; the nearest mutant is off by 1e-2.
    tolerance=Tolerance(rtol=1e-6, atol=1e-6),
    mutants=(
        Mutant(
            ".clamp(-1, 1)",
            "",
            "NaN: the cosine of an input with itself came out a rounding error above 1, and acos ends at 1.",
        ),
        Mutant(
            "(X @ X.T / norms[:, None] / norms)",
            "(X @ X.T)",
            "The cosine of the angle is x^T x'/(|x| |x'|): the inputs need not have length 1.",
        ),
        Mutant(
            "return X @ X.T * (math.pi",
            "return (math.pi",
            "This is the probability that a unit is on for both inputs. Multiply by x^T x'.",
        ),
        Mutant(
            "return X @ X.T * (math.pi",
            "return cos * (math.pi",
            "Multiply by x^T x' itself, not by the cosine: the gradient is as long as the input.",
        ),
        Mutant("(2 * math.pi)", "math.pi", "Twice too large: a unit is on for one input with probability 1/2."),
        Mutant(
            "(math.pi - cos.acos())", "cos.acos()", "This is one input on and the other off, roughly: pi - angle."
        ),
        Mutant(
            "(math.pi - cos.acos())",
            "(math.pi - cos.asin())",
            "The angle is the arc cosine of the cosine.",
        ),
        Mutant(
            "(math.pi - cos.acos())",
            "(math.pi - cos)",
            "The cosine was put in place of the angle: take its arc cosine.",
        ),
        Mutant(
            "(math.pi - cos.acos())",
            "(math.pi - cos.abs().acos())",
            "The sign of the cosine is lost: opposite inputs share no unit at all.",
        ),
    ),
)


def _residuals_public() -> Iterator[Case]:
    H = numbers([2.0, 0.5, 0.0], [0.5, 1.0, 0.25], [0.0, 0.25, 0.5])
    r = numbers(1.0, -2.0, 0.5)
    yield Case("the start", (H, r, 0.5, 0))
    yield Case("some steps", (H, r, 0.5, 1))
    yield Case("some steps", (H, r, 1.5, 7))
    yield Case("some steps", (H[:2, :2], r[:2], 2.5, 3))
    yield Case("a million steps", (H, r, 1e-6, 1_000_000))


def _residuals_hidden(generator: Generator) -> Iterator[Case]:
    def case(part: str, n: int, step: float, t: int) -> Case:
        """A Gram matrix of n vectors, and a step of ``step`` times n over its largest eigenvalue."""
        J = normal(generator, n, n + 2)
        H = J @ J.T
        H = (H + H.T) / 2
        eta = step * n / float(torch.linalg.eigvalsh(H)[-1])
        return Case(part, (H, normal(generator, n), eta, t))

    yield case("the start", 4, 1.0, 0)
    for n, step, t in ((1, 0.5, 3), (4, 1.7, 6), (10, 1.2, 20)):
        yield case("some steps", n, step, t)
    yield case("a million steps", 6, 3e-6, 1_000_000)


PREDICTED_LOSS = Item(
    id="predicted_loss",
    title="Training without training",
    points=3,
    difficulty=2,
    minutes=12,
    public=_residuals_public,
    hidden=_residuals_hidden,
    # A loop over some steps and the eigenvectors differ by 1e-14. A million steps raise the relative error of
    # 1 - eta lam/n, 1e-16, to 1e-10; mutants are off by 1e-3.
    tolerance=Tolerance(rtol=1e-7),
    mutants=(
        Mutant(
            "eta * lam / n",
            "eta * lam",
            "A factor is 1 - eta lambda_i/n: the loss is a mean over n examples, and so is its gradient.",
        ),
        Mutant(
            "(1 - eta * lam / n) ** t",
            "(1 - eta * lam[0] / n) ** t",
            "This is the bound of the slowest mode. The prediction gives every mode its own factor.",
        ),
        Mutant(
            "(1 - eta * lam / n) ** t",
            "(1 - eta * lam / n) ** (2 * t)",
            "The residual was taken 2t steps on. The square comes with the loss.",
        ),
        Mutant(
            "(1 - eta * lam / n) ** t",
            "torch.exp(-eta * lam * t / n)",
            "This is the gradient flow. A step multiplies by 1 - eta lambda_i/n exactly.",
        ),
        Mutant(
            "(1 - eta * lam / n) ** t",
            "(1 - eta * lam / n) * t",
            "Each step multiplies again: take the t-th power.",
        ),
        Mutant(
            "Q.T @ r",
            "Q @ r",
            "eigh returns eigenvectors as columns: the coordinates in them are Q^T r.",
        ),
        Mutant("Q.T @ r", "r", "The factors belong to the eigenvectors: turn r into their coordinates first."),
        Mutant("r_t @ r_t / (2 * n)", "r_t @ r_t / n", "Twice too large: the loss is half the mean square."),
        Mutant("r_t @ r_t / (2 * n)", "r_t @ r_t / 2", "The loss is a mean over the n examples: divide by n."),
        Mutant(
            "r_t @ r_t / (2 * n)", "r_t.norm() / (2 * n)", "The residual's length has to be squared for the loss."
        ),
    ),
)

ITEMS = (EMPIRICAL_GRAM, LIMIT_GRAM, PREDICTED_LOSS)
