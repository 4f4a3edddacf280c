"""Does the same session give the same times again, minutes later?

The demo set is measured twice, 10 repetitions each, with a pause in between.

- ``median_abs_change``, ``p95_abs_change``: how far a case's median is from that of the first session, as a share of
  it; median and 95th percentile over all cases.
- ``changed``: cases that changed by more than 8 %; ``changed_without_flag`` those of them of which neither session said
  that something was wrong.
"""

import statistics
import time
from collections.abc import Mapping

import numpy as np
from demo_set import measure

from nntest.model.point import Point

PAUSE_S = 120
LARGE = 0.08


def run() -> dict[str, float]:
    """Return the figures."""
    measure(repetitions=1)  # builds, references
    first = _by_case(repetitions=10)
    time.sleep(PAUSE_S)
    second = _by_case(repetitions=10)
    pairs = [(first[case], second[case]) for case in first if case in second]
    changes = [abs(_median_s(again) / _median_s(point) - 1) for point, again in pairs]
    changed = [pair for pair, change in zip(pairs, changes, strict=True) if change > LARGE]
    return {
        "median_abs_change": round(statistics.median(changes), 4),
        "p95_abs_change": round(float(np.percentile(changes, 95)), 4),
        "changed": len(changed),
        "changed_without_flag": sum(not (point.flags or again.flags) for point, again in changed),
        "cases": len(pairs),
    }


def _by_case(*, repetitions: int) -> Mapping[str, Point]:
    return {point.case.id: point for point in measure(repetitions=repetitions).results if point.failure is None}


def _median_s(point: Point) -> float:
    return statistics.median(sample.value_s for sample in point.samples)
