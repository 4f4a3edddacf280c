"""Is one subject faster than another? Different, equivalent, or undecided."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from nntest.statistics.interval import CONFIDENCE, interval, student_quantile, student_tail, welch
from nntest.statistics.series import Series, pair
from nntest.statistics.spread import median_error

Verdict = Literal["different", "equivalent", "undecided"]
Adjustment = Literal["none", "holm", "fdr"]

MARGIN = 0.01
POWER = 0.9
_STATSMODELS_NAMES = {"holm": "holm", "fdr": "fdr_bh"}
_NAN = float("nan")


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

    Where they share rounds of at least two launches, the ratio is the median over paired rounds and its error comes
    from a bootstrap over launches; otherwise it is the ratio of medians, with the errors of both. Swapping the two
    gives the inverse ratio and the same verdict. Values that are no times never give a verdict, only a reason.

    Parameters
    ----------
    margin
        Relative difference that does not matter; 0.01 means 1 %.
    """
    fault = _fault(first, second)
    if fault:
        return _undecided(fault, margin, alpha, power)
    mine, theirs = pair(first, second)
    launches = int(np.unique(first.launches[mine]).size)
    if launches >= 2:
        logs = first.logs[mine] - second.logs[theirs]
        labels = np.unique(first.launches[mine], return_inverse=True)[1].astype(np.int64).reshape(1, -1)
        error = float(median_error(logs[None], labels, launches)[0])
        estimate, freedom, n, paired = float(np.median(logs)), launches - 1.0, mine.size, True
    else:
        sides = interval(first), interval(second)
        launches = min(side.launches for side in sides)
        if launches < 2:
            return _undecided("fewer than two launches; measure with --launches=5", margin, alpha, power)
        error, freedom = welch(*sides)
        estimate = float(np.log(sides[0].estimate / sides[1].estimate))
        n, paired = min(side.n for side in sides), False
    half = student_quantile(1 - alpha / 2, freedom) * error
    found = student_quantile(1 - alpha / 2, freedom) + student_quantile(power, freedom)
    p_value = 2 * student_tail(abs(estimate) / error, freedom)
    p_equivalent = student_tail((np.log1p(margin) - abs(estimate)) / error, freedom)
    return Comparison(
        ratio=float(np.exp(estimate)),
        low=float(np.exp(estimate - half)),
        high=float(np.exp(estimate + half)),
        p_value=p_value,
        p_equivalent=p_equivalent,
        mde_pct=100 * float(np.expm1(found * error)),
        margin=margin,
        alpha=alpha,
        power=power,
        paired=paired,
        n=n,
        launches=launches,
        verdict=_verdict(p_value, p_equivalent, alpha),
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
    differ = _adjust([comparisons[position].p_value for position in tested], adjustment)
    equal = _adjust([comparisons[position].p_equivalent for position in tested], adjustment)
    for position, p_value, p_equivalent in zip(tested, differ, equal, strict=True):
        item = comparisons[position]
        verdict = _verdict(p_value, p_equivalent, item.alpha)
        result[position] = replace(item, p_value=p_value, p_equivalent=p_equivalent, verdict=verdict)
    return result


def _adjust(p_values: Sequence[float], adjustment: Adjustment) -> list[float]:
    from statsmodels.stats.multitest import multipletests

    return [float(p) for p in multipletests(p_values, method=_STATSMODELS_NAMES[adjustment])[1]]


def _verdict(p_value: float, p_equivalent: float, alpha: float) -> Verdict:
    # equivalence first: a difference shown to be smaller than what matters is none
    if p_equivalent < alpha:
        return "equivalent"
    return "different" if p_value < alpha else "undecided"


def _fault(first: Series, second: Series) -> str:
    faults = [f"{name}: {series.fault}" for name, series in (("first", first), ("second", second)) if series.fault]
    return "; ".join(faults)


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
