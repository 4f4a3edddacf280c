import numpy as np
import pytest

from nntest.model.point import Sample
from nntest.statistics.series import Series


def test_without_launches_each_value_is_its_own_process() -> None:
    assert Series.of([3.0, 1.0, 2.0]).launch_count == 3


def test_samples_give_seconds_of_one_call_and_keys() -> None:
    samples = [
        Sample(launch=1, round=0, loops=10, seconds=2.0, at_s=0.0),
        Sample(launch=0, round=1, loops=1, seconds=3.0, at_s=1.0),
    ]
    series = Series.of_samples(samples, session="s")
    assert series.values.tolist() == [0.2, 3.0]
    assert series.keys == (("s", 1, 0), ("s", 0, 1))


def test_launches_of_two_sessions_are_different_launches() -> None:
    series = Series.of_rounds([1.0, 2.0, 3.0, 4.0], ["a", "a", "b", "b"], [0, 1, 0, 1], [0, 0, 0, 0])
    assert series.launch_count == 4


@pytest.mark.parametrize(
    ("values", "fault"),
    [
        ([], "no values"),
        ([1.0, np.nan, -1.0, 0.0, np.inf], "4 of 5 values are not positive numbers"),
        ([1.0, 2.0], ""),
    ],
)
def test_fault_says_what_is_wrong(values: list[float], fault: str) -> None:
    assert Series.of(values).fault == fault
