"""Real data that ships inside scikit-learn's wheel: nothing is downloaded, ever."""

from __future__ import annotations

import torch
from sklearn import datasets
from torch import Tensor


def diabetes(dtype: torch.dtype = torch.float64) -> tuple[Tensor, Tensor]:
    """442 patients: 10 measurements X (442, 10) and disease progression y (442,), each column standardized."""
    bunch = datasets.load_diabetes(scaled=False)
    X, y = torch.tensor(bunch.data, dtype=dtype), torch.tensor(bunch.target, dtype=dtype)
    return (X - X.mean(0)) / X.std(0, correction=0), (y - y.mean()) / y.std(correction=0)


def breast_cancer(dtype: torch.dtype = torch.float64) -> tuple[Tensor, Tensor]:
    """569 tumours: 30 measurements X (569, 30), each standardized, and y (569,): 1 benign, -1 malignant."""
    bunch = datasets.load_breast_cancer()
    X, benign = torch.tensor(bunch.data, dtype=dtype), torch.tensor(bunch.target, dtype=dtype)
    return (X - X.mean(0)) / X.std(0, correction=0), 2 * benign - 1


def digits(n: int = 1797, seed: int = 0, dtype: torch.dtype = torch.float64) -> tuple[Tensor, Tensor]:
    """n scanned 8x8 digits in random order: pixels (n, 64) and one-hot labels (n, 10).

    Pixels are centred one by one and share one scale: without the centring the first curvature is large and
    the edge of stability never shows.
    """
    bunch = datasets.load_digits()
    if not 1 <= n <= len(bunch.target):
        raise ValueError(f"n must lie in [1, {len(bunch.target)}], got {n!r}")
    X, labels = torch.tensor(bunch.data, dtype=dtype), torch.tensor(bunch.target)
    X = X - X.mean(0)
    keep = torch.randperm(len(X), generator=torch.Generator().manual_seed(seed))[:n]
    return X[keep] / X.std(), torch.nn.functional.one_hot(labels[keep], 10).to(dtype)
