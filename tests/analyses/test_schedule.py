"""The entry analysis/schedule."""

import pytest

from nntest.analyses.entries import load_analysis
from nntest.analyses.style import chart_style
from nntest.errors import UsageError
from tests.analyses.conftest import Carry
from tests.analyses.frames import caffe, repetitions, session, typed
from tests.analyses.tx1 import ORIGINAL, carry_tx1, needs_original

NETWORK = "mobilenets-v1-1.0-224"
HEAVY, LIGHT = "512-14-14-1-512-1-0", "1024-7-7-1-1024-1-0"


def rows(program: str, shape: str, times: list[float], **values: object) -> list[dict]:
    return repetitions(times, program=program, library=f"l-{program}", shape=shape, **values)  # type: ignore[arg-type]


def tuned() -> list[dict]:
    """Direct convolution is best with its tuner on the heavy shape, without on the light one."""
    return [
        *rows("direct", HEAVY, [100.0, 90.0], tuner="NONE"),
        *rows("direct", HEAVY, [60.0, 70.0], tuner="DEFAULT"),
        *rows("direct", LIGHT, [40.0, 50.0], tuner="NONE"),
        *rows("direct", LIGHT, [45.0, 55.0], tuner="DEFAULT"),
        *rows("gemm", HEAVY, [80.0, 85.0]),
        *rows("gemm", LIGHT, [30.0, 35.0]),
    ]


def test_the_best_tuner_then_the_best_program(carry: Carry) -> None:
    tables = carry("schedule", typed(tuned()), network=NETWORK).tables
    main = tables["schedule"].set_index("shape")
    assert list(tables["schedule"].columns[:7]) == [
        "network", "layer", "shape", "multiplicity", "program", "tuner", "time_us",
    ]  # fmt: skip
    assert main.loc[HEAVY, ["program", "tuner", "multiplicity", "time_us"]].tolist() == ["direct", "DEFAULT", 5, 60.0]
    assert main.loc[LIGHT, "program"] == "gemm"
    best = tables["best-tuner"].set_index(["program", "shape"])["time_us"].to_dict()
    assert best == {("direct", HEAVY): 60.0, ("direct", LIGHT): 40.0, ("gemm", HEAVY): 80.0, ("gemm", LIGHT): 30.0}
    assert len(tables["configurations"]) == 6


def test_the_network_s_time_counts_how_often_a_shape_occurs(carry: Carry) -> None:
    total = carry("schedule", typed(tuned()), network=NETWORK).tables["total"].iloc[0]
    assert (total["time_us"], total["layers"], total["layers_missing"]) == (5 * 60.0 + 30.0, 6, 14)
    assert carry("schedule", typed(tuned())).tables["total"]["time_us"].tolist() == [90.0]


def test_is_the_tuner_always_better(carry: Carry) -> None:
    result = carry("schedule", typed(tuned()))
    tuner = result.tables["tuner"].set_index("shape")
    assert tuner["better"].to_dict() == {HEAVY: True, LIGHT: False}
    assert tuner["speedup"].to_dict() == pytest.approx({HEAVY: 1.5, LIGHT: 40 / 45})
    # two repetitions are too few to tell
    assert tuner["verdict"].to_dict() == {HEAVY: "undecided", LIGHT: "undecided"}
    assert "Tuner DEFAULT against NONE, 2 cases: not told apart in 2." in result.finding
    assert "Of 2 distinct shapes, the lead of the one picked is: 2 not told apart." in result.finding


def repeated(time: float) -> list[float]:
    """Ten repetitions in five launches, of a percent of noise."""
    return [time * (1 + 0.01 * (number % 3)) for number in range(10)]


def test_only_what_a_test_bears_out_is_called_faster(carry: Carry) -> None:
    points = typed(
        [
            *rows("direct", HEAVY, repeated(100.0), tuner="NONE"),
            *rows("direct", HEAVY, repeated(60.0), tuner="DEFAULT"),
            *rows("direct", LIGHT, repeated(40.0), tuner="NONE"),
            *rows("direct", LIGHT, repeated(40.0), tuner="DEFAULT"),
            *rows("gemm", LIGHT, repeated(30.0)),
        ]
    )
    result = carry("schedule", points)
    tuner = result.tables["tuner"].set_index("shape")
    assert tuner["verdict"].to_dict() == {HEAVY: "faster", LIGHT: "equivalent"}
    assert "Tuner DEFAULT against NONE, 2 cases: faster in 1 and a tie within 1 % in 1." in result.finding
    main = result.tables["schedule"].set_index("shape")
    assert main.loc[HEAVY, ["runner_up", "verdict"]].tolist() == ["", "alone"]
    assert main.loc[LIGHT, ["runner_up", "verdict"]].tolist() == ["direct", "different"]
    assert "Of 2 distinct shapes, the lead of the one picked is: 1 sure and 1 without a competitor." in result.finding


def test_a_tuner_that_always_helps_and_one_without_a_partner(carry: Carry) -> None:
    tuned_only = rows("direct", LIGHT, repeated(40.0), tuner="DEFAULT")
    points = typed([*rows("direct", HEAVY, repeated(99.0)), *rows("direct", HEAVY, repeated(60.0), tuner="DEFAULT")])
    assert carry("schedule", points).finding.endswith("Tuner DEFAULT is always faster than NONE (1 case).")
    assert carry("schedule", typed(tuned_only)).finding.endswith("No program was measured with and without a tuner.")


@pytest.mark.parametrize("order", [("NONE", None), (None, "NONE")])
@pytest.mark.parametrize("faster", ["NONE", None])
def test_a_tuner_has_to_beat_the_faster_of_two_untuned(
    faster: str | None, order: tuple[str | None, ...], carry: Carry
) -> None:
    untuned = [
        item for none in order for item in rows("direct", HEAVY, repeated(50.0 if none == faster else 99.0), tuner=none)
    ]
    points = typed([*untuned, *rows("direct", HEAVY, repeated(60.0), tuner="DEFAULT")])
    (row,) = carry("schedule", points).tables["tuner"].to_dict("records")
    assert (row["tuner"], row["time_us"], row["untuned_us"], row["verdict"]) == ("DEFAULT", 60.0, 50.0, "slower")


def test_without_tuners_it_says_so(carry: Carry) -> None:
    result = carry("schedule", session())
    assert result.tables["tuner"].empty
    assert result.finding.endswith("No program was measured with and without a tuner.")


def test_settings_have_schedules_of_their_own(carry: Carry) -> None:
    points = typed([*rows("a", HEAVY, [10.0], batch_size=1), *rows("b", HEAVY, [15.0], batch_size=2)])
    main = carry("schedule", points).tables["schedule"]
    assert dict(zip(main["batch_size"], main["program"], strict=True)) == {1: "a", 2: "b"}


def test_a_shape_equal_but_for_its_padding_stands_in_and_is_named(carry: Carry) -> None:
    points = typed(rows("a", "512-14-14-1-512-1-0.0.1.1", [10.0]))
    main = carry("schedule", points, network=NETWORK).tables["schedule"]
    assert main[["shape", "measured_shape"]].to_numpy().tolist() == [[HEAVY, "512-14-14-1-512-1-0.0.1.1"]]


def test_whole_networks_are_refused_with_a_word(carry: Carry) -> None:
    with pytest.raises(UsageError, match=r"^schedule: no row tells its species and shape; expected points of single "):
        carry("schedule", caffe(cpu__net_a__2=[1.0]))
    with pytest.raises(UsageError, match=r"^schedule: none of the network's layers was measured; "):
        carry("schedule", typed(rows("a", "1-1-1-1-1-1-0", [1.0])), network=NETWORK)


def test_the_chart_has_a_bar_per_layer(carry: Carry) -> None:
    result = carry("schedule", typed(tuned()), network=NETWORK)
    with chart_style():
        axes = load_analysis("schedule").chart(result.tables, result.options).axes[0]
    assert [label.get_text() for label in axes.get_yticklabels()] == [f"{HEAVY}  × 5", LIGHT]


def test_a_bar_that_is_not_drawn_does_not_press_the_others(carry: Carry) -> None:
    points = [item for number in range(70) for item in rows("a", f"{number + 1}-7-7-1-8-1-0", [10.0 + number])]
    result = carry("schedule", typed([*points, *rows("a", "999-7-7-1-8-1-0", [1e6])]))
    with chart_style():
        axes = load_analysis("schedule").chart(result.tables, result.options).axes[0]
    assert axes.get_xlim()[1] < 0.2


@needs_original
def test_the_original_s_points_give_the_published_sum() -> None:
    tables = carry_tx1("schedule", ORIGINAL, network=NETWORK, where="batch_size=1").tables
    times = tables["schedule"].set_index("measured_shape")["time_us"]
    assert len(times) == 11
    # once each, and 4 further occurrences of the one shape
    assert tables["total"]["time_us"].tolist() == pytest.approx([times.sum() + 4 * times[HEAVY]])
