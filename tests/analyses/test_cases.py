import pandas as pd
import pytest

from nntest.analyses.cases import collect, joined_cells, time_of
from tests.analyses.frames import repetitions, row, typed


def test_a_case_in_two_datasets_is_one_case() -> None:
    points = typed([row(dataset="b"), row(dataset="a", launch=1)])
    cases = collect(points, time_of(points))
    assert cases.table["dataset"].tolist() == ["a+b"]
    assert cases.series[0].launch_count == 2


def test_sessions_do_not_share_launches() -> None:
    points = typed([row(session="s1"), row(session="s2")])
    assert collect(points, time_of(points)).series[0].launch_count == 2


def test_rows_without_a_launch_were_a_process_each_and_pair_with_nothing() -> None:
    rows = [row(launch=None, round=None, repetition=n, session=None, point=p) for p in ("p", "q") for n in range(3)]
    points = typed([{**item, "program": item["point"]} for item in rows])
    first, second = collect(points, time_of(points)).series
    assert first.launch_count == 3
    assert not set(first.keys) & set(second.keys)


def test_programs_of_one_session_pair() -> None:
    points = typed(repetitions([1.0] * 10) + repetitions([2.0] * 10, program="other"))
    first, second = collect(points, time_of(points)).series
    assert first.keys == second.keys


def test_rows_without_a_time_make_no_case() -> None:
    points = typed([row(time_us=None)])
    assert collect(points, time_of(points)).series == []


def test_end_to_end_adds_the_reorders_and_is_unknown_without_them() -> None:
    points = typed([row(reorder_in_us=5.0, reorder_out_us=2.0), row(reorder_in_us=None)])
    times = time_of(points, "end_to_end")
    assert times[0] == 107.0
    assert pd.isna(times[1])
    assert time_of(points.drop(columns="reorder_in_us"), "end_to_end").isna().all()


def test_joined_cells() -> None:
    values = pd.Series(["b", None, "a", "b", "c", None])
    assert joined_cells(values, [0, 0, 0, 0, 1, 2]).to_dict() == {0: "a+b", 1: "c"}


def test_every_case_keeps_its_own_samples_whatever_the_order_of_rows() -> None:
    points = typed(repetitions([1.0, 2.0]) + repetitions([10.0, 20.0], program="other"))
    points = points.iloc[[3, 0, 2, 1]]
    cases = collect(points, time_of(points))
    values = dict(zip(cases.table["program"], (sorted(series.values) for series in cases.series), strict=True))
    assert values == {"other": pytest.approx([10.0, 20.0]), "conv-onednn-cpu": pytest.approx([1.0, 2.0])}
