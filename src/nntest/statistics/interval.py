"""Intervals of a case's typical (median, mean) or best (minimum) time, and of the ratio of two cases."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike

from nntest.statistics.batch import Batch, Pairing, forms, pairing
from nntest.statistics.series import Floats, Ints, Series
from nntest.statistics.spread import mean_error, median_error, minimum_error, ratio_error

Statistic = Literal["median", "minimum", "mean"]
STATISTICS: tuple[Statistic, ...] = ("median", "minimum", "mean")
CONFIDENCE = 0.95
_SPREADS = {"median": median_error, "minimum": minimum_error, "mean": mean_error}


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


@dataclass(frozen=True, kw_only=True, eq=False)
class Estimates:
    """Many intervals as arrays, one value per series or pair of series; fields as those of `Interval`."""

    estimate: Floats
    low: Floats
    high: Floats
    n: Ints
    launches: Ints
    log_error: Floats
    freedom: Floats
    confidence: float = CONFIDENCE

    def __getitem__(self, position: int) -> Interval:
        """Return one of them."""
        return Interval(
            estimate=float(self.estimate[position]),
            low=float(self.low[position]),
            high=float(self.high[position]),
            n=int(self.n[position]),
            launches=int(self.launches[position]),
            confidence=self.confidence,
            log_error=float(self.log_error[position]),
            freedom=float(self.freedom[position]),
        )


def interval(series: Series, statistic: Statistic = "median", *, confidence: float = CONFIDENCE) -> Interval:
    """Return the interval of one case's statistic.

    The estimate's logarithm plus and minus Student's t (launches - 1 degrees of freedom) times its standard error by
    a bootstrap over launches; see `nntest.statistics.spread` for the method and its sources.

    Raises
    ------
    ValueError
        When a value is not a positive number, or there is none.
    """
    return estimates([series], statistic, confidence=confidence)[0]


def intervals(
    many: Sequence[Series], statistic: Statistic = "median", *, confidence: float = CONFIDENCE
) -> list[Interval]:
    """Return `interval` of each series."""
    found = estimates(many, statistic, confidence=confidence)
    return [found[position] for position in range(len(many))]


def estimates(many: Sequence[Series], statistic: Statistic = "median", *, confidence: float = CONFIDENCE) -> Estimates:
    """Return `interval` of each series, as arrays; a million values take about a second.

    Raises
    ------
    ValueError
        When a value is not a positive number, or a series has none.
    """
    batch = Batch.of(many)
    refuse_faults(batch)
    estimate, error = np.empty(len(batch)), np.full(len(batch), np.nan)
    for positions, rows, launches in forms(batch.starts[:-1], batch.sizes, batch.launch_counts):
        logs = batch.logs[rows]
        estimate[positions] = _estimate(logs, statistic)
        if launches > 1:
            error[positions] = _SPREADS[statistic](logs, batch.launches[rows], launches)
    freedom = np.where(np.isnan(error), np.nan, batch.launch_counts - 1.0)
    return _around(estimate, error, freedom, n=batch.sizes, launches=batch.launch_counts, confidence=confidence)


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
    return ratios([series, baseline], np.array([0]), np.array([1]), statistic, confidence=confidence)[0]


def ratios(
    many: Sequence[Series],
    first: Ints,
    baseline: Ints,
    statistic: Statistic = "median",
    *,
    confidence: float = CONFIDENCE,
) -> Estimates:
    """Return `ratio` of series ``first[i]`` and ``baseline[i]`` for all i, as arrays.

    Raises
    ------
    ValueError
        When a value is not a positive number, or a series has none.
    """
    batch = Batch.of(many)
    sides = estimates(batch, statistic, confidence=confidence)
    estimate = np.log(sides.estimate[baseline]) - np.log(sides.estimate[first])
    error, freedom = welch(sides, first, baseline)
    n = np.minimum(sides.n[first], sides.n[baseline])
    launches = np.minimum(sides.launches[first], sides.launches[baseline])
    if statistic == "median":
        shared = pairing(batch, first, baseline)
        for positions, rows, count in paired_forms(shared):
            mine, theirs = batch.logs[shared.first[rows]], batch.logs[shared.second[rows]]
            error[positions] = ratio_error(mine, theirs, shared.launches[rows], count)
            freedom[positions] = count - 1.0
            n[positions], launches[positions] = rows.shape[1], count
    return _around(estimate, error, freedom, n=n, launches=launches, confidence=confidence)


def paired_forms(shared: Pairing) -> Iterator[tuple[Ints, Ints, int]]:
    """Return `forms` of those pairs whose shared rounds come from at least two launches."""
    for positions, rows, launches in forms(shared.starts[:-1], shared.sizes, shared.launch_counts):
        if launches > 1:
            yield positions, rows, launches


def welch(sides: Estimates, first: Ints, second: Ints) -> tuple[Floats, Floats]:
    """Return the standard errors of differences of two log estimates and their degrees of freedom.

    Welch 1947, Biometrika 34:28; Satterthwaite 1946, Biometrics Bulletin 2:110. NaN when either side has none.
    """
    one, other = sides.log_error[first] ** 2, sides.log_error[second] ** 2
    total = one + other
    freedom = total**2 / (one**2 / sides.freedom[first] + other**2 / sides.freedom[second])
    return np.sqrt(total), freedom


def refuse_faults(batch: Batch) -> None:
    """Raise an error for the first series whose values are no times."""
    wrong = np.flatnonzero((batch.faulty > 0) | (batch.sizes == 0))
    if wrong.size:
        raise ValueError(batch.fault(int(wrong[0])))


def student_quantile(probability: float, freedom: ArrayLike) -> Floats:
    """Return the quantile of Student's t distribution, NaN where the degrees of freedom are."""
    from scipy.special import stdtrit  # scipy.stats takes a second to import

    # few distinct values: the inversion is slow
    values, inverse = np.unique(np.asarray(freedom, dtype=np.float64), return_inverse=True)
    return np.asarray(stdtrit(values, probability)[inverse].reshape(np.shape(freedom)), dtype=np.float64)


def student_tail(value: ArrayLike, freedom: ArrayLike) -> Floats:
    """Return the probability that Student's t exceeds ``value``."""
    from scipy.special import stdtr

    return np.asarray(stdtr(freedom, -np.asarray(value)), dtype=np.float64)


def _around(
    estimate: Floats, error: Floats, freedom: Floats, *, n: Ints, launches: Ints, confidence: float
) -> Estimates:
    half = student_quantile((1 + confidence) / 2, freedom) * error
    return Estimates(
        estimate=np.exp(estimate),
        low=np.exp(estimate - half),
        high=np.exp(estimate + half),
        n=n,
        launches=launches,
        log_error=error,
        freedom=freedom,
        confidence=confidence,
    )


def _estimate(logs: Floats, statistic: Statistic) -> Floats:
    # median of values, not of logs: the two differ for an even count, and readers recompute the former
    if statistic == "median":
        return np.asarray(np.log(np.median(np.exp(logs), axis=1)))
    if statistic == "mean":
        return np.asarray(np.log(np.mean(np.exp(logs), axis=1)))
    return np.asarray(np.min(logs, axis=1))
