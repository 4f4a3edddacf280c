import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nntest.statistics.batch import Batch, pairing
from nntest.statistics.comparison import compare, comparisons
from nntest.statistics.interval import estimates, interval, ratio, ratios
from nntest.statistics.series import Ints, Series
from tests.statistics.simulation import Machine

rounds = st.tuples(st.sampled_from("st"), st.integers(0, 2), st.integers(0, 2))
serieses = st.lists(
    st.lists(st.tuples(st.floats(1.0, 2.0), rounds), min_size=1, max_size=8).map(
        lambda rows: Series.of_rounds([row[0] for row in rows], *map(list, zip(*(row[1] for row in rows), strict=True)))
    ),
    min_size=2,
    max_size=4,
)


def pair(first: Series, second: Series) -> tuple[Ints, Ints]:
    """Plainly: the positions in ``first`` and ``second`` of the rounds that both have, in the order of ``first``."""
    where = {key: position for position, key in enumerate(second.keys)}
    pairs = [(position, where[key]) for position, key in enumerate(first.keys) if key in where]
    array = np.array(pairs, dtype=np.int64).reshape(-1, 2)
    return array[:, 0], array[:, 1]


def test_pairing_joins_by_meaning_not_by_position() -> None:
    first = Series.of_rounds([1.0, 2.0, 3.0], ["s"] * 3, [0, 0, 1], [0, 1, 0])
    second = Series.of_rounds([30.0, 10.0, 99.0], ["s"] * 3, [1, 0, 7], [0, 0, 0])
    batch = Batch.of([first, second])
    found = pairing(batch, np.array([0]), np.array([1]))
    assert batch.values[found.first].tolist() == [1.0, 3.0]
    assert batch.values[found.second].tolist() == [10.0, 30.0]


def test_other_sessions_do_not_pair() -> None:
    first = Series.of_rounds([1.0], ["a"], [0], [0])
    batch = Batch.of([first, Series.of_rounds([1.0], ["b"], [0], [0])])
    assert pairing(batch, np.array([0]), np.array([1])).sizes.tolist() == [0]


@given(serieses)
def test_a_batch_is_the_sequence_of_its_series(many: list[Series]) -> None:
    batch = Batch.of(many)
    assert len(batch) == len(many)
    for mine, theirs in zip(batch, many, strict=True):
        assert mine.values.tolist() == theirs.values.tolist()
        assert mine.launches.tolist() == theirs.launches.tolist()
        assert mine.keys == theirs.keys
        assert mine.launch_count == theirs.launch_count
    assert batch.medians().tolist() == [np.median(series.values) for series in many]
    assert batch.minima().tolist() == [series.values.min() for series in many]


def test_a_round_that_the_second_has_twice_counts_once() -> None:
    first, second = Series.of_rounds([1.0], ["s"], [0], [0]), Series.of_rounds([2.0, 3.0], ["s", "s"], [0, 0], [0, 0])
    assert [side.tolist() for side in pair(first, second)] == [[0], [1]]
    assert pairing(Batch.of([first, second]), np.array([0]), np.array([1])).second.tolist() == [2]


@given(serieses)
def test_rounds_pair_as_those_of_two_series_do(many: list[Series]) -> None:
    batch = Batch.of(many)
    first, second = (side.ravel() for side in np.meshgrid(np.arange(len(many)), np.arange(len(many))))
    found = pairing(batch, first, second)
    for number, (one, other) in enumerate(zip(first, second, strict=True)):
        rows = slice(found.starts[number], found.starts[number + 1])
        mine, theirs = pair(many[one], many[other])
        assert (found.first[rows] - batch.starts[one]).tolist() == mine.tolist()
        assert (found.second[rows] - batch.starts[other]).tolist() == theirs.tolist()
        labels = np.unique(many[one].launches[mine], return_inverse=True)[1].reshape(-1)
        assert found.launches[rows].tolist() == labels.tolist()


@given(serieses)
def test_many_at_once_are_what_each_is_alone(many: list[Series]) -> None:
    first, second = np.arange(len(many)), np.arange(len(many))[::-1]
    together = ratios(many, first, second), comparisons(many, first, second), estimates(many)
    for number, (one, other) in enumerate(zip(first, second, strict=True)):
        alone = ratio(many[one], many[other])
        assert together[0][number].high == pytest.approx(alone.high, nan_ok=True)
        assert together[1][number].p_value == pytest.approx(compare(many[one], many[other]).p_value, nan_ok=True)
        assert together[2][number].low == pytest.approx(interval(many[one]).low, nan_ok=True)


def test_series_without_rounds_pair_with_nothing() -> None:
    batch = Batch.of([Series.of([1.0, 2.0]), Series.of([3.0, 4.0])])
    assert pairing(batch, np.array([0]), np.array([1])).sizes.tolist() == [0]
    assert batch[0].keys == ()


def test_some_of_a_batch() -> None:
    many = Machine().series(4, np.random.default_rng(1))
    assert [series.values.tolist() for series in Batch.of(many).take(np.array([2, 0]))] == [
        many[2].values.tolist(),
        many[0].values.tolist(),
    ]


def test_an_empty_batch() -> None:
    batch = Batch.of([])
    assert (len(batch), list(batch), estimates(batch).estimate.tolist()) == (0, [], [])
    none = np.empty(0, dtype=np.int64)
    assert comparisons(batch, none, none) == []


def test_positions_beyond_the_end_are_refused() -> None:
    with pytest.raises(IndexError):
        Batch.of([Series.of([1.0])])[1]
