"""Is one subject faster than another? Different, equivalent, or undecided."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from nntest.statistics.batch import Batch, pairing
from nntest.statistics.interval import CONFIDENCE, estimates, paired_forms, student_quantile, student_tail, welch
from nntest.statistics.pseudomedian import pseudomedian_with_error
from nntest.statistics.series import Floats, Ints, Series

Verdict = Literal["different", "equivalent", "undecided"]
Adjustment = Literal["none", "holm", "fdr"]

MARGIN = 0.01
POWER = 0.9
_STATSMODELS_NAMES = {"holm": "holm", "fdr": "fdr_bh"}
_NAN = float("nan")
_ONE_LAUNCH = "fewer than two launches; measure with --launches=5"


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """The time of one subject over another's.

    Attributes
    ----------
    ratio, low, high
        Typical time of the first over the second, with its interval; above 1 the first is slower.
    p_value
        Of the hypothesis that both are equally fast; ``p_equivalent`` of the one that they differ by more than
        ``margin`` (two one-sided tests). NaN where nothing can be said.
    mde_pct
        The smallest slow-down, in percent, that this comparison would have found with probability ``power``.
    verdict
        ``equivalent`` when the ratio is shown to lie within the margin, else ``different`` when 1 is excluded, else
        ``undecided``; ``reason`` says why nothing could be tested.
    """

    ratio: float
    low: float
    high: float
    p_value: float
    p_equivalent: float
    mde_pct: float
    margin: float
    alpha: float
    power: float
    paired: bool
    n: int
    launches: int
    verdict: Verdict
    reason: str = ""


def compare(
    first: Series, second: Series, *, margin: float = MARGIN, alpha: float = 1 - CONFIDENCE, power: float = POWER
) -> Comparison:
    """Compare two series of times.

    Where they share rounds of at least two launches, the ratio is the pseudomedian over paired rounds and its error
    comes from leaving out launches (`nntest.statistics.pseudomedian`); otherwise it is the ratio of medians, with the
    errors of both. Swapping the two gives the inverse ratio and the same verdict. Values that are no times never give
    a verdict, only a reason.

    Parameters
    ----------
    margin
        Relative difference that does not matter; 0.01 means 1 %.
    """
    return comparisons([first, second], np.array([0]), np.array([1]), margin=margin, alpha=alpha, power=power)[0]


def comparisons(
    many: Sequence[Series],
    first: Ints,
    second: Ints,
    *,
    margin: float = MARGIN,
    alpha: float = 1 - CONFIDENCE,
    power: float = POWER,
    adjustment: Adjustment = "none",
) -> list[Comparison]:
    """Return `compare` of series ``first[i]`` and ``second[i]`` for all i, worked on together.

    With an ``adjustment`` they are judged as one family, as by `decide`.
    """
    batch = Batch.of(many)
    faulty = (batch.faulty > 0) | (batch.sizes == 0)
    sound = np.flatnonzero(~(faulty[first] | faulty[second]))
    result = [_undecided(_ONE_LAUNCH, margin, alpha, power)] * first.size
    for position in np.flatnonzero(faulty[first] | faulty[second]):
        result[position] = _undecided(_fault(batch, first[position], second[position]), margin, alpha, power)
    tested = _measured(batch, first[sound], second[sound])
    half = student_quantile(1 - alpha / 2, tested.freedom) * tested.error
    found = student_quantile(1 - alpha / 2, tested.freedom) + student_quantile(power, tested.freedom)
    p_value = 2 * student_tail(np.abs(tested.estimate) / tested.error, tested.freedom)
    p_equivalent = student_tail((np.log1p(margin) - np.abs(tested.estimate)) / tested.error, tested.freedom)
    if adjustment != "none" and p_value.size:
        p_value, p_equivalent = _adjust(p_value, adjustment), _adjust(p_equivalent, adjustment)
    columns = (
        np.exp(tested.estimate), np.exp(tested.estimate - half), np.exp(tested.estimate + half), p_value, p_equivalent,
        100 * np.expm1(found * tested.error), tested.paired, tested.n, tested.launches,
    )  # fmt: skip
    for position, row in zip(
        sound[tested.positions].tolist(), zip(*(column.tolist() for column in columns), strict=True), strict=True
    ):
        ratio, low, high, p, equivalent, mde_pct, paired, n, launches = row
        result[position] = Comparison(
            ratio=ratio, low=low, high=high, p_value=p, p_equivalent=equivalent, mde_pct=mde_pct, margin=margin,
            alpha=alpha, power=power, paired=paired, n=n, launches=launches, verdict=_verdict(p, equivalent, alpha),
        )  # fmt: skip
    return result


@dataclass(frozen=True, eq=False)
class _Measured:
    """Differences of log times that can be tested: of which pair, how large, how uncertain."""

    positions: Ints
    estimate: Floats
    error: Floats
    freedom: Floats
    paired: NDArray[np.bool_]
    n: Ints
    launches: Ints


def _measured(batch: Batch, first: Ints, second: Ints) -> _Measured:
    """Take the pseudomedian over paired rounds where there are enough, else the two medians."""
    shared = pairing(batch, first, second)
    estimate, error, freedom = (np.full(first.size, np.nan) for _ in range(3))
    paired = np.zeros(first.size, dtype=bool)
    n, launches = np.zeros(first.size, dtype=np.int64), np.zeros(first.size, dtype=np.int64)
    for positions, rows, count in paired_forms(shared):
        logs = batch.logs[shared.first[rows]] - batch.logs[shared.second[rows]]
        estimate[positions], error[positions] = pseudomedian_with_error(logs, shared.launches[rows], count)
        freedom[positions], paired[positions] = count - 1.0, True
        n[positions], launches[positions] = rows.shape[1], count
    rest = np.flatnonzero(~paired)
    if rest.size:
        used, inverse = np.unique(np.concatenate([first[rest], second[rest]]), return_inverse=True)
        sides = estimates(batch.take(used))
        one, other = np.split(inverse.reshape(-1), 2)
        estimate[rest] = np.log(sides.estimate[one] / sides.estimate[other])
        error[rest], freedom[rest] = welch(sides, one, other)
        n[rest] = np.minimum(sides.n[one], sides.n[other])
        launches[rest] = np.minimum(sides.launches[one], sides.launches[other])
    kept = np.flatnonzero(launches >= 2)
    return _Measured(
        kept, estimate[kept], error[kept], freedom[kept], paired=paired[kept], n=n[kept], launches=launches[kept]
    )


def decide(comparisons: Sequence[Comparison], adjustment: Adjustment = "holm") -> list[Comparison]:
    """Judge a family of comparisons together; p-values become adjusted ones, verdicts follow.

    ``holm`` bounds the chance of even one false verdict (for gates; Holm 1979), ``fdr`` the expected share of false
    ones among those found (for exploration; Benjamini and Hochberg 1995). Comparisons that could not be tested stay
    undecided and do not count in the family.
    """
    tested = [position for position, item in enumerate(comparisons) if not np.isnan(item.p_value)]
    result = list(comparisons)
    if adjustment == "none" or not tested:
        return result
    differ = _adjust([comparisons[position].p_value for position in tested], adjustment).tolist()
    equal = _adjust([comparisons[position].p_equivalent for position in tested], adjustment).tolist()
    for position, p_value, p_equivalent in zip(tested, differ, equal, strict=True):
        item = comparisons[position]
        verdict = _verdict(p_value, p_equivalent, item.alpha)
        result[position] = replace(item, p_value=p_value, p_equivalent=p_equivalent, verdict=verdict)
    return result


def _adjust(p_values: ArrayLike, adjustment: Adjustment) -> Floats:
    from statsmodels.stats.multitest import multipletests

    return np.asarray(multipletests(p_values, method=_STATSMODELS_NAMES[adjustment])[1], dtype=np.float64)


def _verdict(p_value: float, p_equivalent: float, alpha: float) -> Verdict:
    # equivalence first: a difference shown to be smaller than what matters is none
    if p_equivalent < alpha:
        return "equivalent"
    return "different" if p_value < alpha else "undecided"


def _fault(batch: Batch, first: int, second: int) -> str:
    faults = ((name, batch.fault(number)) for name, number in (("first", first), ("second", second)))
    return "; ".join(f"{name}: {fault}" for name, fault in faults if fault)


def _undecided(reason: str, margin: float, alpha: float, power: float) -> Comparison:
    return Comparison(
        ratio=_NAN,
        low=_NAN,
        high=_NAN,
        p_value=_NAN,
        p_equivalent=_NAN,
        mde_pct=_NAN,
        margin=margin,
        alpha=alpha,
        power=power,
        paired=False,
        n=0,
        launches=0,
        verdict="undecided",
        reason=reason,
    )
