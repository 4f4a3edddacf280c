"""A straight line through points, with what tells how well it fits."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

_FEWEST = 3


@dataclass(frozen=True, kw_only=True)
class Line:
    """Least-squares line y = slope x + intercept; ``p`` of the hypothesis that the slope is 0, ``stderr`` of it."""

    slope: float = float("nan")
    intercept: float = float("nan")
    r: float = float("nan")
    p: float = float("nan")
    stderr: float = float("nan")
    n: int = 0


def fit_line(x: Sequence[float], y: Sequence[float]) -> Line:
    """Fit a line through the points whose both values are known; NaN where fewer than 3 or all x are equal."""
    from scipy.stats import linregress

    known_x, known_y = np.asarray(x, dtype=np.float64), np.asarray(y, dtype=np.float64)
    known = np.isfinite(known_x) & np.isfinite(known_y)
    known_x, known_y = known_x[known], known_y[known]
    if len(known_x) < _FEWEST or np.ptp(known_x) == 0:
        return Line(n=len(known_x))
    fit = linregress(known_x, known_y)
    return Line(
        slope=float(fit.slope),
        intercept=float(fit.intercept),
        r=float(fit.rvalue),
        p=float(fit.pvalue),
        stderr=float(fit.stderr),
        n=len(known_x),
    )
