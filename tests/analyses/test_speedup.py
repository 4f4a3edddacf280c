"""The entry analysis/speedup."""

import numpy as np
import pandas as pd
import pytest

from nntest.analyses.columns import CASE
from nntest.analyses.style import chart_style
from nntest.errors import DataError, UsageError
from tests.analyses.conftest import Carry
from tests.analyses.frames import repetitions, row, session, typed

TEN = [100.0, 101.0, 99.0, 100.0, 102.0, 98.0, 100.0, 101.0, 99.0, 100.0]
BASELINE = {"program": "base", "library": "plain-cpu"}


def pair(**values: object) -> pd.DataFrame:
    """A case that is twice as fast as its baseline in every round."""
    return typed(
        repetitions([time / 2 for time in TEN], **values) + repetitions(TEN, **{**values, **BASELINE})  # type: ignore[arg-type]
    )


def test_columns_are_the_case_and_the_comparison(carry: Carry) -> None:
    main = carry("speedup", session(), baseline="program:directconv-onednn-cpu").tables["speedup"]
    measures = ["statistic", "time_us", "baseline_us", "speedup", "ci_low", "ci_high"]
    assert main.columns.tolist() == [*CASE, *measures]


def test_every_row_is_the_quotient_of_its_two_times(carry: Carry) -> None:
    main = carry("speedup", session(), baseline="program:directconv-onednn-cpu").tables["speedup"]
    assert np.allclose(main["speedup"], main["baseline_us"] / main["time_us"])
    others = main[main["program"] != "directconv-onednn-cpu"]
    assert ((others["ci_low"] < others["speedup"]) & (others["speedup"] < others["ci_high"])).all()
    direct = main[main["program"] == "directconv-onednn-cpu"]
    assert (direct[["speedup", "ci_low", "ci_high"]] == 1.0).all(axis=None)


def test_median_and_minimum_of_known_series(carry: Carry) -> None:
    points = typed(
        repetitions([40.0, 50.0, 60.0], launches=3) + repetitions([70.0, 150.0, 200.0], launches=3, **BASELINE)
    )
    for statistic, expected in (("median", (50.0, 150.0, 3.0)), ("minimum", (40.0, 70.0, 1.75))):
        main = carry("speedup", points, baseline="program:base", statistic=statistic).tables["speedup"]
        first = main[main["program"] == "conv-onednn-cpu"].iloc[0]
        assert tuple(first[["time_us", "baseline_us", "speedup"]]) == pytest.approx(expected)
        assert first["statistic"] == statistic


def test_a_ratio_that_holds_in_every_round_is_certain_however_the_machine_drifts(carry: Carry) -> None:
    drift = [time * 1.5**number for number, time in enumerate(TEN)]
    points = typed(repetitions([time / 2 for time in drift]) + repetitions(drift, **BASELINE))
    first = carry("speedup", points, baseline="program:base").tables["speedup"].iloc[1]
    assert (first["ci_low"], first["ci_high"]) == pytest.approx((2.0, 2.0), rel=1e-3)


@pytest.mark.parametrize(
    "column",
    [{"batch_size": 2}, {"shape": "1-1-1-1-1-1-0"}, {"threads": 2}, {"cache": "cold_all"}, {"platform": "other"}],
    ids=str,
)
def test_only_equal_questions_are_compared(carry: Carry, column: dict[str, object]) -> None:
    points = typed(repetitions(TEN, **column) + repetitions(TEN, **BASELINE))
    result = carry("speedup", points, baseline="program:base")
    assert result.tables["speedup"]["program"].tolist() == ["base"]
    assert result.tables["unmatched"]["reason"].tolist() == ["no baseline here"]
    assert result.finding == "There is nothing to compare with the baseline."


def test_a_baseline_in_what_is_asked_compares_a_program_with_itself(carry: Carry) -> None:
    points = typed(
        repetitions(TEN, threads=1)
        + repetitions([time / 2 for time in TEN], threads=2)
        + repetitions(TEN, threads=1, program="other")
    )
    main = carry("speedup", points, baseline="threads:1").tables["speedup"]
    assert main.set_index(["program", "threads"])["speedup"].round(6).to_dict() == {
        ("conv-onednn-cpu", 1): 1.0,
        ("conv-onednn-cpu", 2): 2.0,
        ("other", 1): 1.0,
    }


def test_of_several_baselines_the_most_alike_is_taken(carry: Carry) -> None:
    points = typed(
        repetitions(TEN)
        + repetitions([3 * time for time in TEN], program="conv-base", library="base", operator="conv")
        + repetitions([9 * time for time in TEN], program="directconv-base", library="base", operator="directconv")
    )
    main = carry("speedup", points, baseline="library:base").tables["speedup"]
    assert main.set_index("program")["speedup"]["conv-onednn-cpu"] == pytest.approx(3.0)


def test_equally_alike_baselines_are_ambiguous(carry: Carry) -> None:
    points = typed(
        repetitions(TEN)
        + repetitions(TEN, program="a", library="base", operator="x")
        + repetitions(TEN, program="b", library="base", operator="y")
    )
    unmatched = carry("speedup", points, baseline="library:base").tables["unmatched"]
    assert unmatched["reason"].tolist() == ["several baselines fit equally well"]


def test_several_pairs_choose_the_baseline(carry: Carry) -> None:
    points = typed(
        repetitions(TEN, tuner="default")
        + repetitions([2 * time for time in TEN], tuner="none")
        + repetitions([7 * time for time in TEN], tuner="none", program="other")
    )
    main = carry("speedup", points, baseline="program:conv-onednn-cpu,tuner:none").tables["speedup"]
    assert main.set_index(["program", "tuner"])["speedup"].round(6).to_dict() == {
        ("conv-onednn-cpu", "default"): 2.0,
        ("conv-onednn-cpu", "none"): 1.0,
        ("other", "none"): pytest.approx(2 / 7, abs=1e-6),
    }


def test_fp16_is_compared_with_fp32_where_there_is_nothing_else(carry: Carry) -> None:
    points = typed(repetitions([time / 4 for time in TEN], dtype="float16") + repetitions(TEN, **BASELINE))
    main = carry("speedup", points, baseline="program:base").tables["speedup"]
    assert main["speedup"].max() == pytest.approx(4.0)


def test_end_to_end_counts_the_reorders(carry: Carry) -> None:
    points = typed(
        repetitions([50.0] * 10, reorder_in_us=40.0, reorder_out_us=10.0) + repetitions([100.0] * 10, **BASELINE)
    )
    for time, expected in (("native", 2.0), ("end_to_end", 1.0)):
        main = carry("speedup", points, baseline="program:base", time=time).tables["speedup"]
        assert main[main["program"] != "base"]["speedup"].tolist() == pytest.approx([expected])


@pytest.mark.parametrize(
    ("baseline", "message"),
    [
        ("progam:base", "speedup: baseline names the column 'progam'; did you mean program?"),
        ("program:bas", "speedup: no case has program=bas; did you mean base?"),
        ("program:base,library:onednn-cpu", "speedup: no case has all of program=base, library=onednn-cpu at once"),
    ],
)
def test_a_baseline_that_does_not_exist(carry: Carry, baseline: str, message: str) -> None:
    with pytest.raises(UsageError) as caught:
        carry("speedup", pair(), baseline=baseline)
    assert str(caught.value) == message


def test_without_a_baseline_the_plain_library_that_covers_all_is_taken(carry: Carry) -> None:
    result = carry("speedup", pair())
    assert result.finding.startswith("conv-onednn-cpu is 2.0x as fast as plain C++.")


def test_rows_that_do_not_rank_are_listed_apart(carry: Carry) -> None:
    result = carry("speedup", session(), baseline="program:directconv-onednn-cpu")
    assert "conv-wrong-cpu" not in set(result.tables["speedup"]["program"])
    assert set(result.tables["excluded"]["reason"]) == {"failed", "wrong", "unverified", "emulated", "simulated"}
    assert "left out: 3 emulated, 1 failed, 2 simulated, 3 unverified, 1 wrong (rows" in result.evidence.caption()


def test_missing_columns_are_named(carry: Carry) -> None:
    with pytest.raises(DataError, match=r"^speedup: the points lack the column library; "):
        carry("speedup", pair().drop(columns="library"))


def test_the_chart_draws_every_comparison_with_its_label(carry: Carry) -> None:
    result = carry("speedup", session(), baseline="program:directconv-onednn-cpu")
    with chart_style():
        figure = result.analysis.chart(result.tables, result.options)
    axes = figure.axes[0]
    drawn = result.tables["speedup"].query("program != 'directconv-onednn-cpu'")
    assert len(axes.patches) == len(drawn) == 30
    assert [label.get_text() for label in axes.get_yticklabels()] == drawn["shape"].unique().tolist()
    assert len({text.get_text() for text in axes.texts} & {"1.0x", "1.3x", "0.85x"}) >= 1


def test_one_launch_has_a_speedup_but_no_interval_and_no_verdict(carry: Carry) -> None:
    points = typed([row(time_us=50.0), row(time_us=100.0, **BASELINE)])
    result = carry("speedup", points, baseline="program:base")
    first = result.tables["speedup"].query("program != 'base'").iloc[0]
    assert first["speedup"] == pytest.approx(2.0)
    assert np.isnan(first["ci_low"])
    assert result.tables["comparison"]["verdict"].tolist() == ["undecided"]
    assert result.tables["comparison"]["reason"].tolist() == ["fewer than two launches; measure with --launches=5"]
    with chart_style():
        result.analysis.chart(result.tables, result.options)


def test_a_lead_that_no_verdict_bears_out_is_none(carry: Carry) -> None:
    noisy = [70.0, 80.0, 130.0, 120.0, 75.0, 90.0, 140.0, 110.0, 100.0, 78.0]
    points = typed(repetitions(noisy) + repetitions([110.0] * 10, **BASELINE))
    result = carry("speedup", points, baseline="program:base")
    assert result.tables["comparison"]["verdict"].tolist() == ["undecided"]
    words = "conv-onednn-cpu is not told apart from base, at 1.2x. Of 1 comparison, 1 undecided"
    assert result.finding.startswith(words)


def test_a_speed_far_below_the_baseline_keeps_two_digits(carry: Carry) -> None:
    slow = repetitions([1000.0] * 5, program="slow", library="plain-cpu", operator="slow")
    fast = repetitions([30.0] * 5, program="base", library="onednn-cpu")
    result = carry("speedup", typed([*fast, *slow]), baseline="program:base")
    with chart_style():
        figure = result.analysis.chart(result.tables, result.options)
    assert [text.get_text() for text in figure.axes[0].texts] == ["0.030x"]


@pytest.mark.parametrize("name", ["x" * 79, "tur\u202eed"])
def test_a_baseline_whose_name_is_written_otherwise_is_still_the_baseline(carry: Carry, name: str) -> None:
    points = typed(
        repetitions([time * 2 for time in TEN], program="slow", library="plain-cpu")
        + repetitions(TEN, program=name, library="plain-cpu")
    )
    result = carry("speedup", points, baseline=f"program:{name}")
    assert result.finding.startswith("slow is 0.50x as fast as ")
    assert "\u202e" not in result.finding
