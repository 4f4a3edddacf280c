import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nntest.analyses.grouping import codes_of, floats, group_rows

ROWS = st.lists(
    st.tuples(st.sampled_from("abc"), st.floats(0, 1e6) | st.none()),
    min_size=1,
    max_size=40,
)


@given(ROWS)
def test_statistics_are_those_of_pandas(rows: list[tuple[str, float | None]]) -> None:
    frame = pd.DataFrame(rows, columns=["key", "value"]).astype({"key": "category", "value": "float64"})
    groups = group_rows(frame, ["key"])
    values = floats(frame["value"])
    wanted = frame.groupby("key", sort=False, observed=True)["value"]
    for name, found in {
        "count": groups.count(values),
        "mean": groups.mean(values),
        "std": groups.deviation(values),
        "min": groups.minimum(values),
        "median": groups.median(values),
    }.items():
        assert found.tolist() == pytest.approx(getattr(wanted, name)().tolist(), nan_ok=True, abs=1e-6), name
    assert groups.quantile(values, 0.95).tolist() == pytest.approx(wanted.quantile(0.95).tolist(), nan_ok=True)


def test_groups_are_numbered_as_they_occur() -> None:
    frame = pd.DataFrame({"a": ["y", "x", "y", None], "b": [1, 1, 2, None]})
    groups = group_rows(frame, ["a", "b", "absent"])
    assert groups.codes.tolist() == [0, 1, 2, 3]
    assert group_rows(frame, ["a"]).codes.tolist() == [0, 1, 0, 2]
    assert group_rows(frame, ["a"]).first.tolist() == [0, 1, 3]


def test_no_column_is_one_group_and_no_row_is_none() -> None:
    frame = pd.DataFrame({"a": [1, 2]})
    assert len(group_rows(frame, [])) == 1
    assert len(group_rows(frame.head(0), ["a"])) == 0


def test_many_columns_do_not_overflow() -> None:
    frame = pd.DataFrame({f"c{number}": np.arange(1000) for number in range(12)})
    assert len(group_rows(frame, list(frame.columns))) == 1000


def test_unknown_is_a_value_of_its_own() -> None:
    codes, size = codes_of(pd.Series(["a", None, "a"], dtype="category"))
    assert (codes.tolist(), size) == ([1, 0, 1], 2)
    assert np.isnan(floats(pd.Series([1, None], dtype="Int64"))).tolist() == [False, True]
