"""Detectors for what makes a series of samples untrustworthy; they flag, nothing is ever dropped."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from nntest.statistics.series import Series

OUTLIER_SCORE = 3.5
DRIFT_P_VALUE = 0.01


def modified_z_scores(values: ArrayLike) -> NDArray[np.float64]:
    """Return 0.6745 (x - median) / MAD of each value.

    Iglewicz and Hoaglin 1993, How to Detect and Handle Outliers, section 3.3; above 3.5 in size they call a value an
    outlier. Where more than half of the values are equal the MAD is 0, and 1.2533 times the mean absolute deviation
    stands in for MAD / 0.6745, as there.
    """
    array = np.asarray(values, dtype=np.float64)
    if array.size == 0:
        return array
    deviations = array - np.median(array)
    mad = float(np.median(np.abs(deviations)))
    scale = mad / 0.6745 if mad > 0 else 1.253314 * float(np.mean(np.abs(deviations)))
    return np.zeros_like(array) if scale == 0 else deviations / scale


def outliers(values: ArrayLike, *, score: float = OUTLIER_SCORE) -> NDArray[np.bool_]:
    """Tell which values are outliers by `modified_z_scores`."""
    return np.asarray(np.abs(modified_z_scores(values)) > score)


@dataclass(frozen=True, kw_only=True)
class Drift:
    """A monotonic change over time: ``change_pct`` from the first to the last value, and its p-value."""

    change_pct: float
    p_value: float

    def found(self, least_pct: float = 2.0) -> bool:
        """Tell whether the drift is both real and large enough to matter."""
        return self.p_value < DRIFT_P_VALUE and abs(self.change_pct) >= least_pct


def drift(values: ArrayLike, at_s: ArrayLike) -> Drift:
    """Return the drift of ``values`` over the times ``at_s`` at which they were taken.

    Mann 1945 (Econometrica 13:245) and Kendall's test of trend; the size is the slope of Theil and Sen (Sen 1968,
    JASA 63:1379) of the logarithms, over the whole span. NaN with fewer than 4 values.
    """
    from scipy.stats import kendalltau, theilslopes

    array, times = np.asarray(values, dtype=np.float64), np.asarray(at_s, dtype=np.float64)
    if array.size < 4 or np.ptp(times) == 0 or np.any(array <= 0):
        return Drift(change_pct=float("nan"), p_value=float("nan"))
    if np.ptp(array) == 0:
        return Drift(change_pct=0.0, p_value=1.0)
    slope = float(theilslopes(np.log(array), times)[0])
    change = 100 * float(np.expm1(slope * np.ptp(times)))
    return Drift(change_pct=change, p_value=float(kendalltau(times, array).pvalue))


def launch_spread_pct(series: Series) -> float:
    """Return how far the launches' medians lie apart, in percent of the smallest; NaN with one launch."""
    if series.launch_count < 2:
        return float("nan")
    medians = [np.median(series.values[series.launches == launch]) for launch in np.unique(series.launches)]
    return 100 * float(max(medians) / min(medians) - 1)
