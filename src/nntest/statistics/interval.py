"""Intervals of a case's typical (median) or best (minimum) time, and of the ratio of two cases."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from nntest.statistics.series import Floats, Ints, Series, pair
from nntest.statistics.spread import median_error, minimum_error, ratio_error

Statistic = Literal["median", "minimum"]
STATISTICS: tuple[Statistic, ...] = ("median", "minimum")
CONFIDENCE = 0.95


@dataclass(frozen=True, kw_only=True)
class Interval:
    """An estimate with its interval, in the unit of the values (or a ratio).

    ``low`` and ``high`` are NaN where no honest interval exists: fewer than two launches. ``log_error`` is the
    standard error of the estimate's logarithm, ``freedom`` its degrees of freedom.
    """

    estimate: float
    low: float
    high: float
    n: int
    launches: int
    confidence: float = CONFIDENCE
    log_error: float = float("nan")
    freedom: float = float("nan")

    @property
    def half_width_pct(self) -> float:
        """Half the interval's width in percent of the estimate; NaN without an interval."""
        return 50.0 * (self.high - self.low) / self.estimate


def interval(series: Series, statistic: Statistic = "median", *, confidence: float = CONFIDENCE) -> Interval:
    """Return the interval of one case's statistic.

    The estimate's logarithm plus and minus Student's t (launches - 1 degrees of freedom) times its standard error by
    a bootstrap over launches; see `nntest.statistics.spread` for the method and its sources.

    Raises
    ------
    ValueError
        When a value is not a positive number, or there is none.
    """
    return intervals([series], statistic, confidence=confidence)[0]


def intervals(
    many: Sequence[Series], statistic: Statistic = "median", *, confidence: float = CONFIDENCE
) -> list[Interval]:
    """Return `interval` of each series; series of one form are worked on together (a million values in seconds)."""
    _refuse_faults(many)
    result: list[Interval | None] = [None] * len(many)
    for (n, launches), positions in _by_form(many).items():
        logs = np.stack([many[position].logs for position in positions])
        labels = np.stack([_labels(many[position].launches) for position in positions])
        estimates = _estimate(logs, statistic)
        errors = _errors(logs, labels, launches, statistic)
        for position, estimate, error in zip(positions, estimates, errors, strict=True):
            result[position] = _around(
                float(estimate), float(error), launches - 1.0, n=n, launches=launches, confidence=confidence
            )
    return [item for item in result if item is not None]


def ratio(
    series: Series, baseline: Series, statistic: Statistic = "median", *, confidence: float = CONFIDENCE
) -> Interval:
    """Return the speedup: the baseline's statistic over the series', with its interval.

    The estimate is the ratio of the two statistics over all values. Where the two share rounds of at least two
    launches, the interval comes from those: both sides draw the same launches, so that drift cancels. Otherwise the
    two errors add in squares, with Welch and Satterthwaite's degrees of freedom. ``n`` counts the pairs, or the
    values of the smaller side.

    Raises
    ------
    ValueError
        When a value is not a positive number, or there is none.
    """
    _refuse_faults([series, baseline])
    estimate = float(_estimate(baseline.logs[None], statistic)[0] - _estimate(series.logs[None], statistic)[0])
    mine, theirs = pair(series, baseline)
    launches = int(np.unique(series.launches[mine]).size)
    if launches >= 2 and statistic == "median":
        labels = _labels(series.launches[mine])[None]
        error = float(ratio_error(series.logs[mine][None], baseline.logs[theirs][None], labels, launches)[0])
        return _around(estimate, error, launches - 1.0, n=mine.size, launches=launches, confidence=confidence)
    sides = intervals([series, baseline], statistic, confidence=confidence)
    error, freedom = welch(sides[0], sides[1])
    return _around(
        estimate,
        error,
        freedom,
        n=min(side.n for side in sides),
        launches=min(side.launches for side in sides),
        confidence=confidence,
    )


def welch(first: Interval, second: Interval) -> tuple[float, float]:
    """Return the standard error of the difference of two log estimates and its degrees of freedom.

    Welch 1947, Biometrika 34:28; Satterthwaite 1946, Biometrics Bulletin 2:110. NaN when either side has none.
    """
    variances = (first.log_error**2, second.log_error**2)
    total = variances[0] + variances[1]
    freedom = total**2 / (variances[0] ** 2 / first.freedom + variances[1] ** 2 / second.freedom)
    return float(np.sqrt(total)), float(freedom)


def student_quantile(probability: float, freedom: float) -> float:
    """Return the quantile of Student's t distribution."""
    from scipy.special import stdtrit  # scipy.stats takes a second to import

    return float(stdtrit(freedom, probability))


def student_tail(value: float, freedom: float) -> float:
    """Return the probability that Student's t exceeds ``value``."""
    from scipy.special import stdtr

    return float(stdtr(freedom, -value))


def _around(estimate: float, error: float, freedom: float, *, n: int, launches: int, confidence: float) -> Interval:
    known = not np.isnan(error)
    half = student_quantile((1 + confidence) / 2, freedom) * error if known else float("nan")
    return Interval(
        estimate=float(np.exp(estimate)),
        low=float(np.exp(estimate - half)),
        high=float(np.exp(estimate + half)),
        n=n,
        launches=launches,
        confidence=confidence,
        log_error=error,
        freedom=freedom if known else float("nan"),
    )


def _estimate(logs: Floats, statistic: Statistic) -> Floats:
    # median of values, not of logs: the two differ for an even count, and readers recompute the former
    if statistic == "median":
        return np.asarray(np.log(np.median(np.exp(logs), axis=1)))
    return np.asarray(np.min(logs, axis=1))


def _errors(logs: Floats, labels: Ints, launches: int, statistic: Statistic) -> Floats:
    if launches < 2:
        return np.full(len(logs), np.nan)
    return median_error(logs, labels, launches) if statistic == "median" else minimum_error(logs, labels, launches)


def _labels(launches: Ints) -> Ints:
    return np.unique(launches, return_inverse=True)[1].astype(np.int64).reshape(-1)


def _by_form(many: Sequence[Series]) -> dict[tuple[int, int], list[int]]:
    forms: dict[tuple[int, int], list[int]] = {}
    for position, series in enumerate(many):
        forms.setdefault((series.values.size, series.launch_count), []).append(position)
    return forms


def _refuse_faults(many: Sequence[Series]) -> None:
    for series in many:
        if series.fault:
            raise ValueError(series.fault)
