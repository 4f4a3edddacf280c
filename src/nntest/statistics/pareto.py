"""Choices that no other choice beats in both of two metrics."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt


def on_front(
    x: Sequence[float], y: Sequence[float], *, higher_x: bool, higher_y: bool, ties: bool = True
) -> npt.NDArray[np.bool_]:
    """Tell which points are dominated by none: no other is at least as good in both metrics and better in one.

    Parameters
    ----------
    higher_x, higher_y
        Whether more is better.
    ties
        Keep all of several equal points on the front, or only the first.

    Returns
    -------
    numpy.ndarray
        True where on the front; never where a metric is unknown (NaN).
    """
    gain_x = np.asarray(x, dtype=np.float64) * (1 if higher_x else -1)
    gain_y = np.asarray(y, dtype=np.float64) * (1 if higher_y else -1)
    front = np.zeros(len(gain_x), dtype=np.bool_)
    known = np.flatnonzero(np.isfinite(gain_x) & np.isfinite(gain_y))
    # from the best x downwards, of equal x the best y first; stable, so that the first of equal points leads
    order = known[np.lexsort((-gain_y[known], -gain_x[known]))]
    best_y = -np.inf
    last = (np.nan, np.nan)
    for position in order:
        point = (gain_x[position], gain_y[position])
        if gain_y[position] > best_y or (ties and point == last):
            front[position] = True
            best_y, last = float(gain_y[position]), point
    return front
