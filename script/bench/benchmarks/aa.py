"""Does the measurement find differences, and only those that are there?

Every program of the demo set is built three times: as it is, under another flag that changes nothing, and with an
injected slow-down of 5 %. All are measured side by side in one session, 10 repetitions.

- ``false_alarm_rate``: share of cases in which the first two are called different (each at 5 %).
- ``mde_pct``: the smallest slow-down that such a comparison would have found with 90 % probability; median over cases.
- ``injected_found``: share of cases of 100 us and more in which the slowed build is called different, and slower.
"""

import statistics
from collections.abc import Mapping

from demo_set import measure

from nntest.model.point import Point
from nntest.statistics.comparison import Comparison, compare
from nntest.statistics.series import Series

SAME = "-DNNTEST_SAME"
SLOWED = "-DNNTEST_SLOWDOWN_PERCENT=5"
LONG_S = 100e-6


def run() -> dict[str, float]:
    """Return the figures."""
    by_case: dict[str, dict[str, Point]] = {}
    for point in measure(repetitions=10, flags=("", SAME, SLOWED)).results:
        if point.failure is None:
            by_case.setdefault(point.case.id, {})[point.subject.flags] = point
    cases = [subjects for subjects in by_case.values() if len(subjects) == 3]
    twins = [_compared(subjects, SAME) for subjects in cases]
    slowed = [_compared(subjects, SLOWED) for subjects in cases if _median_s(subjects[""]) >= LONG_S]
    found = [one.verdict == "different" and one.ratio > 1 for one in slowed]
    return {
        "false_alarm_rate": round(statistics.mean(one.verdict == "different" for one in twins), 3),
        "mde_pct": round(statistics.median(one.mde_pct for one in twins), 2),
        "injected_found": round(statistics.mean(found), 3),
        "cases": len(twins),
        "cases_injected": len(found),
        "injected_pct": round(100 * (statistics.median(one.ratio for one in slowed) - 1), 2),
    }


def _compared(subjects: Mapping[str, Point], flags: str) -> Comparison:
    """Compare the time of the subject built with these flags to the plain one's."""
    return compare(Series.of_samples(subjects[flags].samples), Series.of_samples(subjects[""].samples))


def _median_s(point: Point) -> float:
    return statistics.median(sample.value_s for sample in point.samples)
