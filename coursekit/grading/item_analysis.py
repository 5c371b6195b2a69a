"""How hard each item was, and how well it tells strong from weak submissions."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

UPPER_LOWER = 0.27  # Kelley's fraction


@dataclass(frozen=True)
class ItemFigures:
    """Difficulty and discrimination of one item; NaN where it is not defined."""

    difficulty: float
    correlation: float
    upper_lower: float


def item_figures(shares: np.ndarray, weights: np.ndarray) -> list[ItemFigures]:
    """Figures of every item.

    With s_ij the share of item j's points w_j that student i earned and T_i = sum_j w_j s_ij:

    difficulty    p_j = mean_i s_ij  (so 1 is easy)
    correlation   r_j = corr_i(s_ij, T_i - w_j s_ij), the point-biserial correlation with the rest of the
                  assignment where s is 0 or 1; NaN if either side does not vary
    upper_lower   D_j = mean of s_ij over the best 27 % by T minus that over the last 27 %; ties at the edge count

    ``shares`` has shape (students, items), ``weights`` (items,). Raises ValueError if they do not fit.
    Source: Kelley, The selection of upper and lower groups for the validation of test items (1939).
    """
    shares = np.asarray(shares, dtype=float)
    if shares.ndim != 2 or shares.shape[1:] != np.shape(weights) or not len(shares):
        raise ValueError(
            f"shares has shape {shares.shape}; allowed: (students, {len(weights)}), 1 student or more"
        )
    totals = shares @ weights
    group = max(1, math.floor(UPPER_LOWER * len(totals) + 0.5))
    ranked = np.sort(totals)
    best, last = totals >= ranked[-group], totals <= ranked[group - 1]
    return [
        ItemFigures(float(s.mean()), _correlation(s, totals - w * s), float(s[best].mean() - s[last].mean()))
        for s, w in zip(shares.T, weights, strict=True)
    ]


def _correlation(x: np.ndarray, y: np.ndarray) -> float:
    if min(np.ptp(x), np.ptp(y)) < 1e-9:  # equal but for rounding
        return math.nan
    return float(np.corrcoef(x, y)[0, 1])
