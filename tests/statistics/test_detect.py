import numpy as np
import pytest

from nntest.statistics.detect import drift, launch_spread_pct, modified_z_scores, outliers
from nntest.statistics.series import Series


def test_modified_z_score_of_a_worked_example() -> None:
    # median 3, MAD 1
    assert modified_z_scores([1.0, 2.0, 3.0, 4.0, 5.0]) == pytest.approx(0.6745 * np.array([-2, -1, 0, 1, 2]))


def test_one_disturbed_value_is_an_outlier() -> None:
    assert outliers([10.0, 10.1, 9.9, 10.05, 14.0]).tolist() == [False, False, False, False, True]


def test_mostly_equal_values_still_show_the_odd_one() -> None:
    assert outliers([1.0] * 9 + [2.0]).tolist() == [False] * 9 + [True]


@pytest.mark.parametrize("values", [[], [1.0], [2.0, 2.0]])
def test_nothing_stands_out_of_nothing(values: list[float]) -> None:
    assert not outliers(values).any()


def test_a_steady_slow_down_is_a_drift() -> None:
    found = drift(np.exp(np.linspace(0, np.log(1.10), 10)), np.arange(10.0))
    assert found.change_pct == pytest.approx(10.0)
    assert found.found()


def test_noise_is_no_drift() -> None:
    generator = np.random.default_rng(4)
    found = [drift(np.exp(0.02 * generator.standard_normal(10)), np.arange(10.0)).found() for _ in range(200)]
    assert np.mean(found) <= 0.02


def test_a_small_drift_does_not_matter() -> None:
    assert not drift(np.linspace(1.0, 1.01, 10), np.arange(10.0)).found()


def test_drift_of_too_few_or_equal_values() -> None:
    assert np.isnan(drift([1.0, 2.0, 3.0], [0.0, 1.0, 2.0]).p_value)
    assert not drift([1.0] * 5, np.arange(5.0)).found()


def test_launch_spread() -> None:
    assert launch_spread_pct(Series.of([1.0, 1.2, 2.2, 2.2], [0, 0, 1, 1])) == pytest.approx(100.0)
    assert np.isnan(launch_spread_pct(Series.of([1.0, 2.0], [0, 0])))
