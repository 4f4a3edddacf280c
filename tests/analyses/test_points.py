"""The entry analysis/points."""

import pytest

from nntest.analyses.entries import load_analysis
from nntest.analyses.style import chart_style
from nntest.errors import DataError, UsageError
from tests.analyses.conftest import Carry
from tests.analyses.frames import repetitions, row, session, typed
from tests.analyses.tx1 import ORIGINAL, carry_tx1, needs_original, needs_tx1


def test_a_case_has_its_typical_time_scatter_and_rate(carry: Carry) -> None:
    rows = [{**item, "gflops": 1e5 / item["time_us"]} for item in repetitions([100.0, 120.0, 110.0, 150.0, 100.0])]
    case = carry("points", typed(rows)).tables["points"].iloc[0]
    assert case[["count", "median_us", "min_us", "mad_us", "trust"]].tolist() == [5, 110.0, 100.0, 10.0, "stable"]
    assert case["p95_us"] == pytest.approx(144.0)
    assert case["gflops"] == pytest.approx(1e5 / 110)


def test_failed_and_wrong_cases_stand_apart_with_the_reason(carry: Carry) -> None:
    result = carry("points", session())
    failed = result.tables["failed"].set_index("program")["reason"].to_dict()
    assert failed == {"conv-broken-cpu": "crash: SIGSEGV", "conv-wrong-cpu": "output[3] is 7, expected 1"}
    assert not set(result.tables["points"]["program"]) & set(failed)
    assert "2 failed" in result.finding


def test_unverified_and_emulated_cases_are_listed_and_marked(carry: Carry) -> None:
    result = carry("points", session())
    trust = result.tables["points"].set_index("program")["trust"]
    assert (trust["conv-unchecked-cpu"], trust["conv-armcl-cpu"]) == ("unverified", "emulated")
    with chart_style():
        axes = load_analysis("points").chart(result.tables, result.options).axes[0]
    assert "conv: conv-armcl-cpu" in [label.get_text() for label in axes.get_yticklabels()]


def test_a_time_that_was_not_taken_is_no_time(carry: Carry) -> None:
    points = typed([row(), row(shape="1-1-1-1-1-1-0", time_us=None)])
    tables = carry("points", points).tables
    assert tables["failed"]["reason"].tolist() == ["no time"]
    assert len(tables["points"]) == 1


def test_missing_columns_and_rows_are_named(carry: Carry) -> None:
    with pytest.raises(DataError, match=r"^points: the points lack the column time_us; "):
        carry("points", typed([row()]).drop(columns="time_us"))
    with pytest.raises(UsageError, match=r"^points: no rows were found; "):
        carry("points", typed([row()]), where="threads=7")


@needs_tx1
def test_all_published_cases_are_there() -> None:
    result = carry_tx1("points")
    assert (len(result.tables["points"]), result.tables["points"]["count"].unique().tolist()) == (128, [3])
    assert result.tables["failed"].empty


@needs_original
def test_the_original_s_failures_are_found() -> None:
    failed = carry_tx1("points", ORIGINAL).tables["failed"]
    reasons = " ".join(failed["reason"])
    assert "the kernel is 7x7, the padded input 3x3" in reasons
    assert "output is not matching with the reference one" in reasons
