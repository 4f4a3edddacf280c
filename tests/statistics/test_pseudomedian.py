import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nntest.statistics.pseudomedian import pseudomedian, pseudomedian_with_error


def test_a_worked_example() -> None:
    # means of pairs: 1, 1.5, 2, 2, 2.5, 3, 50.5, 51, 51.5, 100
    assert pseudomedian(np.array([[1.0, 2.0, 3.0, 100.0]])) == pytest.approx([2.75])


@given(st.lists(st.floats(-1, 1), min_size=1, max_size=12), st.floats(-1, 1))
def test_it_moves_with_the_values_and_turns_with_their_sign(values: list[float], shift: float) -> None:
    row = np.array([values])
    found = pseudomedian(row)
    assert pseudomedian(row + shift) == pytest.approx(found + shift, abs=1e-9)
    assert pseudomedian(-row) == pytest.approx(-found, abs=1e-9)
    assert row.min() - 1e-12 <= found[0] <= row.max() + 1e-12


def test_leaving_out_a_launch_is_computing_without_it() -> None:
    values = np.random.default_rng(3).standard_normal((4, 7))
    launches = np.array([[0, 0, 1, 1, 2, 2, 2], [0, 1, 2, 0, 1, 2, 2], [2, 2, 2, 1, 1, 0, 0], [0, 1, 1, 1, 1, 1, 2]])
    estimate, error = pseudomedian_with_error(values, launches, 3)
    for row, labels, one, its_error in zip(values, launches, estimate, error, strict=True):
        without = np.array([pseudomedian(row[labels != launch][None])[0] for launch in range(3)])
        assert one == pytest.approx(pseudomedian(row[None])[0])
        assert its_error == pytest.approx(1.1 * np.sqrt(2 / 3 * np.sum((without - without.mean()) ** 2)))


def test_equal_values_are_not_certainty() -> None:
    _, error = pseudomedian_with_error(np.zeros((1, 4)), np.array([[0, 0, 1, 1]]), 2)
    assert error == pytest.approx([1e-4])


def test_no_cases() -> None:
    estimate, error = pseudomedian_with_error(np.empty((0, 4)), np.empty((0, 4), dtype=np.int64), 2)
    assert estimate.size == error.size == 0


def test_one_disturbed_value_hardly_moves_it() -> None:
    calm = np.random.default_rng(4).normal(0.05, 0.01, (200, 10))
    wild = calm.copy()
    wild[:, 3] += 1.0
    launches = np.tile(np.repeat(np.arange(5), 2), (200, 1))
    found, error = pseudomedian_with_error(wild, launches, 5)
    assert np.median(np.abs(found - 0.05)) < 0.01
    assert np.median(error) < 0.012
    # a mean's error would be about 0.1


def test_many_values_need_not_all_meet() -> None:
    values = np.random.default_rng(5).standard_normal((300, 200))
    first, second = np.triu_indices(200)
    every = np.median((values[:, first] + values[:, second]) / 2, axis=1)
    found = pseudomedian(values)
    assert np.std(found - every) < 0.5 * np.std(every)
    assert pseudomedian(-values) == pytest.approx(-found)
