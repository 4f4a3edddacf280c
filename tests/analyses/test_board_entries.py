"""The entries analysis/latency, linearity and energy, and the operations behind them."""

import numpy as np
import pandas as pd
import pytest

from nntest.analyses.boards import layer_work
from nntest.analyses.style import chart_style
from nntest.errors import UsageError
from nntest.statistics.line import fit_line
from tests.analyses.conftest import Carry
from tests.analyses.frames import repetitions, row, typed

SWEEP = "01dg_ConvBenchmark_SingleConv_F-{}_K-3_Q-full"


def inference(board: str, dtype: str, library: str, isa: str, time_us: float, energy: float) -> dict:
    return row(platform=board, model="LeNet-MNIST", shape=None, dtype=dtype, library=library, isa=isa, time_us=time_us,
               energy_mj=energy, tuner="-Ofast", trust="imported", program="tflite-micro-mcu", verified=None,
               species=None)  # fmt: skip


INFERENCES = typed(
    [
        inference("DISCO_F469NI", "float32", "tflite-micro", "no-fpu", 190_000.0, 39.0),
        inference("DISCO_F469NI", "float32", "tflite-micro", "fpu", 58_000.0, 12.6),
        inference("DISCO_F469NI", "int8", "cmsis-nn", "no-fpu", 16_000.0, 4.2),
        inference("DISCO_F469NI", "int8/float32", "cmsis-nn", "no-fpu", 99_000.0, 20.8),
    ]
)


def test_bars_are_named_by_what_they_are(carry: Carry) -> None:
    main = carry("latency", INFERENCES).tables["latency"]
    assert dict(zip(main["variant"], main["latency_ms"], strict=True)) == {
        "float32": 190.0,
        "float32 + FPU": 58.0,
        "int8 + CMSIS-NN": 16.0,
    }


def test_what_could_not_be_built_has_a_row_without_latency(carry: Carry) -> None:
    failed = inference("DISCO_F469NI", "float32", "cmsis-nn", "fpu", np.nan, np.nan) | {
        "success": False, "trust": "failed", "timestamp": "2020",
    }  # fmt: skip
    points = pd.concat([INFERENCES, typed([failed])], ignore_index=True)
    result = carry("latency", points)
    main = result.tables["latency"].set_index("variant")
    assert np.isnan(main.loc["float32 + CMSIS-NN + FPU", "latency_ms"])
    assert main["n"].to_dict() == {
        "float32": 1,
        "float32 + FPU": 1,
        "int8 + CMSIS-NN": 1,
        "float32 + CMSIS-NN + FPU": 0,
    }
    with chart_style():
        (axes, *_) = result.analysis.chart(result.tables, result.options).get_axes()
    assert "failed" in [text.get_text() for text in axes.texts]


def test_single_values_are_told_and_not_judged(carry: Carry) -> None:
    result = carry("latency", INFERENCES)
    assert result.finding == (
        "Least latency: int8 + CMSIS-NN on F4, 16.0 ms; the variants of a board lie up to 11.9x apart "
        "(3 bars, one value each: no test can tell more)."
    )
    assert result.tables["leads"]["verdict"].tolist() == ["undecided"]


def test_only_a_lead_that_a_test_bears_out_is_one(carry: Carry) -> None:
    def runs(program: str, time: float) -> list[dict]:
        times = [time * (1 + 0.01 * (number % 3)) for number in range(10)]
        return repetitions(times, program=program, library=f"lib-{program}", platform="Board")

    told = carry("latency", typed([*runs("a", 100.0), *runs("b", 150.0), *runs("c", 1000.0)]))
    assert told.finding == "a on Board is the fastest: 101 us; the variants of a board lie up to 10.0x apart (3 bars)."
    tied = carry("latency", typed([*runs("a", 100.0), *runs("b", 100.0), *runs("c", 1000.0)]))
    assert tied.finding == (
        "Least latency: a on Board, 101 us, a tie within 1 % with b on Board; "
        "the variants of a board lie up to 10.0x apart (3 bars)."
    )
    alone = carry("latency", typed(runs("a", 100.0)))
    assert alone.finding == "a on Board takes 101 us (1 bar)."
    assert alone.tables["leads"]["verdict"].tolist() == ["alone"]


def test_the_headline_is_of_bars_that_are_drawn_and_judged(carry: Carry) -> None:
    def runs(dtype: str, dataset: str, time: float) -> list[dict]:
        times = [time * (1 + 0.01 * (number % 3)) for number in range(10)]
        return repetitions(times, model="m", shape=None, species=None, dtype=dtype, dataset=dataset, platform="Board",
                           library="tflite-micro", isa="fpu", program="p")  # fmt: skip

    small, big = runs("float32", "small", 50.0), [*runs("float32", "big", 200.0), *runs("int8", "big", 100.0)]
    found = carry("latency", typed([*small, *big]))
    lead = found.tables["leads"].iloc[0]
    assert (lead["variant"], lead["latency_ms"], lead["against_ms"]) == ("int8 + FPU", 0.101, 0.202)
    assert found.finding == (
        "int8 + FPU on Board is the fastest: 101 us; the variants of a board lie up to 2.0x apart (2 bars)."
    )


def test_operators_of_one_shape_are_not_compared(carry: Carry) -> None:
    def runs(species: str, time: float, **other: int) -> list[dict]:
        times = [time * (1 + 0.01 * (number % 3)) for number in range(10)]
        return repetitions(times, program=f"{species}-a", library="lib", species=species, shape="17-1-1", **other)

    rows = [*runs("relu", 1.0), *runs("softmax", 100.0), *runs("softmax", 400.0, batch_size=4)]
    found = carry("latency", typed(rows))
    asked = ["17-1-1 (relu, batch size 1)", "17-1-1 (softmax, batch size 1)", "17-1-1 (softmax, batch size 4)"]
    assert sorted(found.tables["latency"]["model"]) == asked
    assert found.finding == "relu-a on AMD EPYC 9005 takes 1.01 us (3 bars)."


def test_boards_are_compared_on_one_question(carry: Carry) -> None:
    def runs(board: str, time: float) -> list[dict]:
        return repetitions([time * (1 + 0.01 * (number % 3)) for number in range(10)], platform=board)

    assert carry("latency", typed([*runs("A", 100.0), *runs("B", 400.0)])).tables["latency"]["model"].nunique() == 1


def test_energy_over_latency_is_power(carry: Carry) -> None:
    result = carry("energy", INFERENCES)
    line = result.tables["energy"].iloc[0]
    expected = fit_line([0.19, 0.058, 0.016, 0.099], [0.039, 0.0126, 0.0042, 0.0208])
    assert line["slope"] == line["mean_power_w"] == pytest.approx(expected.slope)
    assert (line["group"], line["n"]) == ("DISCO_F469NI", 4)
    assert "DISCO" not in result.finding


def test_relative_energy_is_relative_to_the_board(carry: Carry) -> None:
    points = carry("energy", INFERENCES, scale="relative").tables["points"]
    assert points["relative_latency"].max() == points["relative_energy"].max() == 1.0


def test_our_own_points_have_energies_above_idle_by_case(carry: Carry) -> None:
    rows = [
        one | {"energy_mj": 1e-3 * (time * 40.0 + 5.0)}
        for index, time in enumerate((10.0, 20.0, 40.0))
        for one in repetitions([time] * 5, shape=f"{index + 1}-7-7-1-8-1-0", case_id=f"case{index}")
    ]
    result = carry("energy", typed(rows))
    line = result.tables["energy"].iloc[0]
    assert (line["n"], line["slope"]) == (3, pytest.approx(40.0))
    assert list(result.tables["points"]["energy_j"]) == pytest.approx([0.405e-3, 0.805e-3, 1.605e-3])
    assert "3 cases of ours (energy of the package above the idle machine's)" in result.finding


def test_a_caption_of_layers_counts_layers(carry: Carry) -> None:
    whole = typed([inference("DISCO_F469NI", "int8", "cmsis-nn", "fpu", np.nan, np.nan)])
    parts = [
        inference("DISCO_F469NI", "int8", "cmsis-nn", "fpu", 100.0 * index, 0.02 * index)
        | {"repetition": 0, "index": index, "label": f"{index}_CONV_2D", "direction": "forward", "point": "p"}
        for index in range(1, 6)
    ]
    result = carry("energy", whole, layers=pd.DataFrame(parts), level="layer")
    assert result.tables["energy"]["n"].tolist() == [5]
    assert result.evidence.caption().startswith("n = 5 samples of 1 case; trust: 1 imported; on DISCO_F469NI;")


@pytest.mark.parametrize(
    ("model", "label", "study", "macs", "flops"),
    [
        (SWEEP.format(100), "2_CONV_2D", True, 61_440_000, 116_736_000),
        (SWEEP.format(100), "2_CONV_2D", False, 55_296_000, 110_592_000),
        (SWEEP.format(100), "1_CONV_2D", True, 1_024_000, 1_945_600),
        ("01dg_ConvBenchmark_SingleConv_F-100_K-1_Q-full", "1_CONV_2D", True, 204_800, 307_200),
        ("01dg_ConvBenchmark_SingleConv_F-100_K-1_Q-full", "4_FULLY_CONNECTED", True, 614_410, 1_228_800),
        ("01f_Depthwise-Conv_f-100_K-3_Q-full", "2_DEPTHWISE_CONV_2D", True, 576_000, 1_094_400),
        ("01ec_DenseBenchmark_varying-input_U-440_Q-full", "3_FULLY_CONNECTED", True, 198_450, 396_000),
        ("01ec_DenseBenchmark_varying-input_U-440_Q-full", "3_FULLY_CONNECTED", False, 198_000, 396_000),
    ],
)
def test_operations_of_the_published_benchmarks(model: str, label: str, study: bool, macs: int, flops: int) -> None:
    work = layer_work(model, label, study=study)
    assert work is not None
    assert (work.macs, work.flops) == (macs, flops)


def test_other_layers_and_models_have_no_operations() -> None:
    assert layer_work(SWEEP.format(100), "5_SOFTMAX", study=True) is None
    assert layer_work("LeNet-MNIST", "2_CONV_2D", study=True) is None
    assert layer_work("01de_ConvBenchmark_no-spatial-reduction_F-1_K-2", "2_CONV_2D", study=True) is None


def sweep_layers() -> pd.DataFrame:
    """Latency in us is a thousandth of the exact operations, but a fifth more for odd sizes."""
    rows = []
    for filters in range(100, 121):
        work = layer_work(SWEEP.format(filters), "2_CONV_2D", study=False)
        assert work is not None
        for label, factor in (("2_CONV_2D", 1.0), ("1_CONV_2D", 0.01)):
            rows.append({"platform": "NUCLEO_L496ZG", "library": "cmsis-nn", "program": "p", "label": label,
                         "model": SWEEP.format(filters), "repo": "r", "experiment": "e", "point": str(filters),
                         "time_us": work.flops * 1e-3 * factor * (1.2 if filters % 2 else 1.0)})  # fmt: skip
    return pd.DataFrame(rows)


def test_the_largest_layer_of_each_model_is_fitted_class_by_class(carry: Carry) -> None:
    tables = carry("linearity", typed([]), layers=sweep_layers()).tables
    line, points, classes = tables["linearity"].iloc[0], tables["points"], tables["classes"]
    fitted = points[points["fitted"]]
    expected = fit_line(fitted["flops"], fitted["latency_s"])
    assert (line["slope"], line["r"], line["n"]) == (expected.slope, expected.r, 21)
    assert line["group"] == "NUCLEO_L496ZG cmsis-nn 2_CONV_2D k3"
    assert len(points) == 42
    means = classes.set_index("class")
    assert means["n"].to_dict() == {"even": 5, "multiple of 4": 6, "odd": 10}
    assert means.loc["odd", "off_the_line_pct"] > 5 > 0 > means.loc["even", "off_the_line_pct"]


def test_our_own_sweep_is_found_by_what_varies(carry: Carry) -> None:
    rows = []
    for channels in range(96, 129):
        time = channels * 1.0 + (0 if channels % 16 == 0 else 8)
        rows += repetitions([time] * 3, launches=3, shape=f"{channels}-14-14-1-64-1-0")
    # a layer of a network that happens to differ in the channels only
    rows += repetitions([999.0] * 3, launches=3, shape="512-14-14-1-64-1-0")
    tables = carry("linearity", typed(rows)).tables
    assert tables["linearity"]["group"].tolist() == ["conv-onednn-cpu x 1 CK_IN_SHAPE_C"]
    classes = tables["classes"].set_index("class")
    assert classes.loc["multiple of 16", "off_the_line_pct"] < -3
    assert classes["n"].sum() == 33


def test_builds_of_a_benchmark_have_lines_of_their_own(carry: Carry) -> None:
    fast, slow = sweep_layers().assign(tuner="-Ofast"), sweep_layers().assign(tuner="-Os")
    slow["time_us"] *= 2
    lines = carry("linearity", typed([]), layers=pd.concat([fast, slow], ignore_index=True)).tables["linearity"]
    assert lines["group"].tolist() == [
        f"NUCLEO_L496ZG cmsis-nn 2_CONV_2D k3 tuner={flag}" for flag in ("-Ofast", "-Os")
    ]
    assert lines["n"].tolist() == [21, 21]
    assert lines["slope"][1] == pytest.approx(2 * lines["slope"][0])


def test_shares_are_of_the_models_operations(carry: Carry) -> None:
    points = carry("linearity", typed([]), layers=sweep_layers()).tables["points"]
    for _, rows in points.groupby("model"):
        assert rows["flops_share"].tolist() == pytest.approx((rows["flops"] / rows["flops"].sum()).tolist())


def test_only_the_wanted_sizes_are_fitted(carry: Carry) -> None:
    result = carry("linearity", typed([]), layers=sweep_layers(), sizes="104:113", chart="bars")
    assert result.tables["linearity"]["n"].tolist() == [9]
    with chart_style():
        (axes,) = result.analysis.chart(result.tables, result.options).get_axes()
    assert [text.get_text() for text in axes.get_yticklabels()] == [str(size) for size in range(104, 113)]
    with pytest.raises(UsageError) as caught:
        carry("linearity", typed([]), layers=sweep_layers(), sizes="9:9")
    expected = "linearity: sizes: '9:9' was given; expected FROM:TO, end excluded, such as 460:491"
    assert str(caught.value) == expected


def test_sweeps_of_several_shapes_have_lines_of_their_own(carry: Carry) -> None:
    rows = []
    for outputs, times in ((64, 1.0), (128, 3.0)):
        for channels in range(96, 112):
            rows += repetitions([times * channels] * 3, launches=3, shape=f"{channels}-14-14-1-{outputs}-1-0")
    lines = carry("linearity", typed(rows)).tables["linearity"]
    assert lines["group"].tolist() == [
        f"conv-onednn-cpu x 1 CK_IN_SHAPE_C CK_OUT_SHAPE_C={outputs}" for outputs in (128, 64)
    ]
    assert lines["r"].tolist() == pytest.approx([1.0, 1.0])


def own_sweep(*, odd: float) -> pd.DataFrame:
    """Time of 33 sizes of our own: a line, some noise of sizes without a pattern, and ``odd`` times as long if odd."""
    noise = np.random.default_rng(7).normal(1.0, 0.02, 33)
    rows = []
    for channels, factor in zip(range(96, 129), noise, strict=True):
        time = channels * factor * (odd if channels % 2 else 1.0)
        rows += repetitions(
            [time * share for share in (0.99, 1.0, 1.01, 0.98, 1.02)], shape=f"{channels}-7-7-1-192-1-0"
        )
    return typed(rows)


def test_a_liking_is_told_from_chance(carry: Carry) -> None:
    noise = carry("linearity", own_sweep(odd=1.0))
    assert (noise.tables["classes"]["p"] > 0.05).all()
    assert "no multiple is clearly liked better than others (p = " in noise.finding
    liked = carry("linearity", own_sweep(odd=1.3))
    assert (liked.tables["classes"]["p"] < 0.001).all()
    assert "% below the line, odd " in liked.finding


def test_our_own_cases_have_their_intervals(carry: Carry) -> None:
    points = carry("linearity", own_sweep(odd=1.0)).tables["points"]
    assert (points["low_s"] < points["latency_s"]).all()
    assert (points["latency_s"] < points["high_s"]).all()


def test_without_a_sweep_the_chart_says_what_is_missing(carry: Carry) -> None:
    result = carry("linearity", typed(repetitions([1.0, 2.0, 3.0], launches=3)))
    assert result.finding.startswith("No sweep was found")
    with chart_style():
        assert result.analysis.chart(result.tables, result.options).get_axes() == []


def test_a_line_through_nothing_is_unknown() -> None:
    assert np.isnan(fit_line([1.0, 1.0, 1.0], [1.0, 2.0, 3.0]).slope)
    assert fit_line([1.0, 2.0], [1.0, 2.0]).n == 2
