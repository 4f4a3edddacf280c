"""The entry analysis/ratio."""

import numpy as np
import pytest

from nntest.analyses.entries import load_analysis
from nntest.analyses.run import Result
from nntest.analyses.style import chart_style
from nntest.errors import UsageError
from tests.analyses.conftest import Carry
from tests.analyses.frames import caffe, repetitions, session, typed
from tests.analyses.tx1 import expected, needs_tx1, table_tx1

NETS = {
    "nvidia_cuda__net_a__2": [20.0, 22.0, 24.0],
    "nvidia_cuda__net_a__4": [40.0, 42.0, 44.0],
    "nvidia_fp16_cuda__net_a__2": [10.0, 11.0, 12.0],
    "nvidia_fp16_cuda__net_a__4": [30.0, 31.0, 32.0],
    "nvidia_cuda__net_b__2": [50.0, 50.0, 50.0],
}
FP16 = {"numerator": "nvidia-fp16-cuda", "denominator": "nvidia-cuda"}


def test_each_side_stands_at_its_best_batch_size(carry: Carry) -> None:
    tables = carry("ratio", caffe(**NETS), **FP16).tables
    row = tables["ratio"].iloc[0]
    assert row["ratio"] == pytest.approx(5.5 / 10.5)
    assert (row["numerator_batch_size"], row["denominator_batch_size"]) == (2, 4)
    assert row["ci_low"] < row["ratio"] < row["ci_high"]
    assert tables["unmatched"]["model"].tolist() == ["net-b"]
    assert tables["unmatched"]["reason"].tolist() == ["the other side lacks it"]


def test_or_batch_size_by_batch_size(carry: Carry) -> None:
    main = carry("ratio", caffe(**NETS), batch="each", **FP16).tables["ratio"]
    assert dict(zip(main["batch_size"], main["ratio"], strict=True)) == pytest.approx({2: 0.5, 4: 31 / 42})


def test_rates_are_inverse_times(carry: Carry) -> None:
    points = caffe(**NETS)
    time = carry("ratio", points, **FP16).tables["ratio"].iloc[0]
    rate = carry("ratio", points, metric="images_per_s", **FP16).tables["ratio"].iloc[0]
    assert rate["ratio"] == pytest.approx(1 / time["ratio"])
    assert (rate["ci_low"], rate["ci_high"]) == pytest.approx((1 / time["ci_high"], 1 / time["ci_low"]))


def test_any_column_and_any_metric(carry: Carry) -> None:
    main = carry("ratio", caffe(**NETS), column="model", numerator="net-b", denominator="net-a",
                 metric="memory_mb", libraries="nvidia-cuda").tables["ratio"]  # fmt: skip
    assert main[["library", "batch_size", "ratio"]].to_numpy().tolist() == [["nvidia-cuda", 2, 1.0]]


def test_swapping_the_levels_gives_the_inverse(carry: Carry) -> None:
    points = session(disturbed=False)
    levels = ("onednn-cpu", "openblas-cpu")
    one, other = (
        carry("ratio", points, numerator=a, denominator=b).tables["ratio"].set_index("model")
        for a, b in (levels, levels[::-1])
    )
    assert (one["ratio"] * other["ratio"]).tolist() == pytest.approx([1.0] * len(one))
    assert (one["ci_low"] * other["ci_high"]).tolist() == pytest.approx([1.0] * len(one))


@pytest.mark.parametrize("statistic", ["median", "minimum"])
def test_other_statistics_have_intervals_too(carry: Carry, statistic: str) -> None:
    points = typed([*repetitions([100.0, 101.0] * 5, library="a"), *repetitions([200.0, 202.0] * 5, library="b")])
    row = carry("ratio", points, numerator="b", denominator="a", statistic=statistic).tables["ratio"].iloc[0]
    assert row["ratio"] == pytest.approx(2.0)
    assert row["ci_low"] < 2.0 < row["ci_high"]


def test_one_launch_gives_no_interval(carry: Carry) -> None:
    points = typed([*repetitions([1.0, 2.0], launches=1, library="a"), *repetitions([2.0], launches=1, library="b")])
    row = carry("ratio", points, numerator="b", denominator="a").tables["ratio"].iloc[0]
    assert row["ratio"] == pytest.approx(2 / 1.5)
    assert np.isnan(row["ci_low"])


def test_several_cases_that_fit_are_not_mixed(carry: Carry) -> None:
    points = typed([
        *repetitions([1.0], library="a", program="conv-a"), *repetitions([2.0], library="a", program="winograd-a"),
        *repetitions([3.0], library="b", program="conv-b"),
    ])  # fmt: skip
    tables = carry("ratio", points, numerator="a", denominator="b").tables
    assert tables["ratio"].empty
    assert set(tables["unmatched"]["reason"]) == {"several cases fit"}
    with chart_style():
        figure = load_analysis("ratio").chart(tables, None)
    assert figure.texts[0].get_text() == "No question was answered by both levels."


def test_unknown_columns_levels_and_metrics_are_named(carry: Carry) -> None:
    points = caffe(**NETS)
    for given, message in (
        ({"column": "librari"}, "ratio: 'librari' is no column of the case; did you mean library?"),
        ({"numerator": "nvidia-cud"}, "ratio: no row has library=nvidia-cud; did you mean nvidia-cuda?"),
        ({"metric": "memory"}, "ratio: there is no metric 'memory'; did you mean memory_mb?"),
    ):
        with pytest.raises(UsageError) as caught:
            carry("ratio", points, **given)
        assert str(caught.value) == message


@needs_tx1
@pytest.mark.parametrize(
    ("key", "library", "printed"),
    [
        ("ratio_cublas_fp16_over_fp32", "cuda", (0.851548, 0.906930)),
        ("ratio_cudnn_fp16_over_fp32", "cudnn", (0.683207, 0.650557)),
    ],
)
def test_the_published_fp16_ratios_come_out(key: str, library: str, printed: tuple[float, ...]) -> None:
    main = table_tx1("ratio", numerator=f"nvidia-fp16-{library}", denominator=f"nvidia-{library}")
    found = main.set_index("model")["ratio"].to_dict()
    assert found == pytest.approx(expected()[key], abs=1e-9)
    assert tuple(round(found[model], 6) for model in ("bvlc-alexnet", "bvlc-googlenet")) == printed
    assert main["ci_low"].notna().all()


def test_a_single_level_is_not_compared_with_itself(carry: Carry) -> None:
    points = typed(repetitions([1.0, 2.0], library="a"))
    with pytest.raises(UsageError, match=r"^ratio: library has no two values to compare \(a\); choose another"):
        carry("ratio", points)


def test_the_caption_counts_the_two_levels_only(carry: Carry) -> None:
    evidence = carry("ratio", caffe(**NETS, cpu__net_a__2=[9.0, 9.0]), **FP16).evidence
    assert (evidence.rows, evidence.cases) == (15, 5)
    assert [item["library"] for item in evidence.libraries] == ["nvidia-cuda", "nvidia-fp16-cuda"]


def test_no_ratio_stands_over_two_networks(carry: Carry) -> None:
    points = caffe(cpu__net_a__2=[20.0, 20.0], libdnn_cuda__net_b__2=[5.0, 5.0])
    result = carry("ratio", points, numerator="libdnn-cuda", denominator="cpu")
    assert result.tables["ratio"].empty
    assert result.tables["unmatched"]["model"].tolist() == ["net-b", "net-a"]
    assert result.finding == "No question was answered by both levels."
    with chart_style():
        assert result.analysis.chart(result.tables, result.options).texts


def test_levels_that_nobody_named_answer_the_same_questions(carry: Carry) -> None:
    points = caffe(
        aaa__net_c__2=[1.0], cpu__net_a__2=[20.0], cpu__net_b__2=[20.0], libdnn__net_a__2=[5.0], zzz__net_d__2=[1.0]
    )
    assert levels(carry("ratio", points)) == ("libdnn", "cpu")
    assert levels(carry("ratio", points, numerator="cpu")) == ("cpu", "libdnn")
    assert levels(carry("ratio", points, denominator="cpu")) == ("libdnn", "cpu")


def levels(result: Result) -> tuple[str, str]:
    row = result.tables["ratio"].iloc[0]
    return row["numerator"], row["denominator"]
