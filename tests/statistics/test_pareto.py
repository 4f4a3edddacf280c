import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nntest.statistics.pareto import on_front

FEW = st.integers(min_value=0, max_value=4).map(float)


@given(st.lists(st.tuples(FEW, FEW), max_size=12), st.booleans(), st.booleans())
def test_the_front_is_what_nothing_dominates(points: list[tuple[float, float]], higher_x: bool, higher_y: bool) -> None:
    x, y = [p[0] for p in points], [p[1] for p in points]
    sign = (1 if higher_x else -1), (1 if higher_y else -1)
    gains = [(sign[0] * a, sign[1] * b) for a, b in points]
    dominated = [any(c >= a and d >= b and (c, d) != (a, b) for c, d in gains) for a, b in gains]
    assert on_front(x, y, higher_x=higher_x, higher_y=higher_y).tolist() == [not flag for flag in dominated]


def test_of_equal_points_the_first_may_stand_for_all() -> None:
    x, y = [1.0, 2.0, 2.0, 3.0], [3.0, 2.0, 2.0, 1.0]
    assert on_front(x, y, higher_x=True, higher_y=True).tolist() == [True] * 4
    assert on_front(x, y, higher_x=True, higher_y=True, ties=False).tolist() == [True, True, False, True]


@pytest.mark.parametrize("missing", [np.nan, np.inf])
def test_what_is_unknown_is_on_no_front(missing: float) -> None:
    assert on_front([1.0, missing], [1.0, 9.0], higher_x=True, higher_y=True).tolist() == [True, False]
