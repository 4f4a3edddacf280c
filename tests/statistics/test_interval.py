import time

import numpy as np
import pytest

from nntest.statistics.interval import STATISTICS, Statistic, interval, intervals, ratio
from nntest.statistics.series import Series
from tests.statistics.simulation import Machine

MACHINES = [
    Machine(),
    Machine(between=0.0),
    Machine(between=0.03),
    Machine(between=0.005, disturbed=0.1),
    Machine(launches=3, rounds=1),
    Machine(launches=10, rounds=1),
    Machine(launches=5, rounds=6),
]


@pytest.mark.parametrize("machine", MACHINES, ids=str)
@pytest.mark.parametrize("statistic", STATISTICS)
def test_intervals_cover_what_they_say(machine: Machine, statistic: Statistic) -> None:
    if statistic == "mean" and machine.disturbed:
        pytest.skip("a mean moves with disturbances that a session of ten samples mostly does not see")
    truth = {"median": machine.median, "minimum": machine.typical_minimum, "mean": machine.mean}[statistic]()
    found = intervals(machine.series(1000, np.random.default_rng(5)), statistic)
    # 1000 cases of 95 % have a standard deviation of 0.7 %
    assert np.mean([item.low <= truth <= item.high for item in found]) >= 0.925


@pytest.mark.parametrize("machine", MACHINES, ids=str)
def test_ratios_cover_what_they_say(machine: Machine) -> None:
    found = [ratio(a, b) for a, b in machine.pairs(300, np.random.default_rng(6), 1.3)]
    assert np.mean([item.low <= 1 / 1.3 <= item.high for item in found]) >= 0.925


def test_intervals_are_not_needlessly_wide() -> None:
    found = intervals(Machine(between=0.0).series(300, np.random.default_rng(7)))
    # the ideal half width of 10 values with 1 % noise, known to be independent, is 0.9 %
    assert np.median([item.half_width_pct for item in found]) < 1.4


def test_drift_that_both_sides_share_does_not_widen_the_ratio() -> None:
    quiet = [ratio(a, b).log_error for a, b in Machine().pairs(50, np.random.default_rng(8), 1.0)]
    drifting = [ratio(a, b).log_error for a, b in Machine(drift=0.2).pairs(50, np.random.default_rng(8), 1.0)]
    assert np.median(drifting) < 3 * np.median(quiet)


def test_one_launch_gives_an_estimate_but_no_interval() -> None:
    item = interval(Series.of([1.0, 2.0, 6.0], [0, 0, 0]))
    assert item.estimate == pytest.approx(2.0)
    assert np.isnan([item.low, item.high, item.half_width_pct, item.freedom]).all()


def test_the_median_is_that_of_the_values() -> None:
    assert interval(Series.of([1.0, 3.0])).estimate == pytest.approx(2.0)


def test_minimum() -> None:
    item = interval(Series.of([5.0, 4.0, 7.0]), "minimum")
    assert item.estimate == pytest.approx(4.0)
    assert item.low < 4.0 < item.high


def test_ratio_is_the_quotient_of_the_statistics_shown() -> None:
    fast, slow = Series.of([1.0, 2.0, 4.0]), Series.of([3.0, 6.0, 6.5, 9.0])
    assert ratio(fast, slow).estimate == pytest.approx(6.25 / 2.0)
    assert ratio(fast, slow, "minimum").estimate == pytest.approx(3.0)


def test_swapping_the_sides_inverts_the_ratio() -> None:
    (a, b), *_ = Machine().pairs(1, np.random.default_rng(9), 1.5)
    forward, backward = ratio(a, b), ratio(b, a)
    assert forward.estimate == pytest.approx(1 / backward.estimate)
    assert forward.low == pytest.approx(1 / backward.high)


def test_many_cases_equal_one_by_one_whatever_their_form() -> None:
    many = [
        *Machine().series(2, np.random.default_rng(1)),
        Series.of([1.0, 2.0]),
        Series.of([3.0, 3.1, 3.2], [0, 0, 1]),
    ]
    assert [item.high for item in intervals(many)] == pytest.approx([interval(item).high for item in many])


def test_faulty_values_are_refused() -> None:
    with pytest.raises(ValueError, match=r"^1 of 2 values are not positive numbers$"):
        interval(Series.of([1.0, -1.0]))


def test_a_case_takes_less_than_two_milliseconds() -> None:
    many = Machine().series(200, np.random.default_rng(3))
    start = time.process_time()
    intervals(many)
    assert (time.process_time() - start) / 200 < 2e-3
