import numpy as np
import pytest

from nntest.statistics.spread import (
    deviation,
    median_error,
    minimum_error,
    ratio_error,
    resampled_medians,
    resamples,
    smallest_deviation,
)


@pytest.mark.parametrize("launches", [1, 2, 5, 6])
def test_few_launches_are_enumerated_with_their_probabilities(launches: int) -> None:
    counts, probabilities = resamples(launches)
    assert (counts.sum(axis=1) == launches).all()
    assert len(np.unique(counts, axis=0)) == len(counts)
    assert probabilities.sum() == pytest.approx(1.0)
    # drawing launches leaves each its fair share
    assert probabilities @ counts == pytest.approx(np.ones(launches))


def test_many_launches_are_drawn_from_a_fixed_seed() -> None:
    assert (resamples(12)[0] == resamples.__wrapped__(12)[0]).all()
    assert not (resamples(12)[0] == resamples(12, seed=1)[0]).all()


def test_resampled_medians_equal_numpy_on_the_repeated_values() -> None:
    generator = np.random.default_rng(0)
    logs, launches = generator.random((3, 7)), np.array([[0, 0, 1, 1, 2, 2, 2]] * 3)
    counts = resamples(3)[0]
    expected = [
        [np.median(np.repeat(row, count[labels])) for count in counts]
        for row, labels in zip(logs, launches, strict=True)
    ]
    assert resampled_medians(logs, launches, counts) == pytest.approx(np.array(expected))


def test_the_error_of_a_mean_would_be_the_textbook_one() -> None:
    values = np.random.default_rng(1).random(5)
    counts, probabilities = resamples(5)
    means = counts @ values / 5
    assert deviation(means[None], probabilities, 5)[0] == pytest.approx(values.std(ddof=1) / np.sqrt(5))


def test_equal_values_are_not_certainty() -> None:
    logs, launches = np.zeros((1, 4)), np.array([[0, 0, 1, 1]])
    assert median_error(logs, launches, 2)[0] == minimum_error(logs, launches, 2)[0] == 1e-4


def test_what_both_sides_share_cancels() -> None:
    generator = np.random.default_rng(2)
    shared, launches = generator.random((1, 10)), np.repeat(np.arange(5), 2)[None]
    assert ratio_error(shared + 0.3, shared, launches, 5)[0] == 1e-4
    assert median_error(shared, launches, 5)[0] > 0.05


@pytest.mark.parametrize(("count", "expected"), [(1, 1.0), (2, 0.8256), (5, 0.6690), (10, 0.5868)])
def test_deviation_of_the_smallest_normal_value(count: int, expected: float) -> None:
    # variances of normal order statistics: Teichroew 1956, Annals of Mathematical Statistics 27:410
    assert smallest_deviation(count) == pytest.approx(expected, abs=1e-4)
