import numpy as np
import pytest

from nntest.model.point import Sample
from nntest.statistics.series import Series, pair


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


def test_pairing_joins_by_meaning_not_by_position() -> None:
    first = Series.of_rounds([1.0, 2.0, 3.0], ["s"] * 3, [0, 0, 1], [0, 1, 0])
    second = Series.of_rounds([30.0, 10.0, 99.0], ["s"] * 3, [1, 0, 7], [0, 0, 0])
    mine, theirs = pair(first, second)
    assert first.values[mine].tolist() == [1.0, 3.0]
    assert second.values[theirs].tolist() == [10.0, 30.0]


def test_other_sessions_do_not_pair() -> None:
    first = Series.of_rounds([1.0], ["a"], [0], [0])
    assert pair(first, Series.of_rounds([1.0], ["b"], [0], [0]))[0].size == 0


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
