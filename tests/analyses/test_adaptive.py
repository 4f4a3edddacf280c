"""The entry analysis/adaptive."""

import numpy as np
import pytest

from nntest.analyses.style import chart_style
from nntest.errors import UsageError
from tests.analyses.conftest import Carry
from tests.analyses.frames import PROGRAMS, SHAPES, repetitions, row, session, typed

NETWORK = "mobilenets-v1-1.0-224"
HEAVY, LIGHT = "512-14-14-1-512-1-0", "1024-7-7-1-1024-1-0"


def steady(program: str, shape: str, time: float, **values: object) -> list[dict]:
    library = values.pop("library", PROGRAMS[program][2] if program in PROGRAMS else "x")
    return repetitions([time] * 10, program=program, library=library, shape=shape, **values)  # type: ignore[arg-type]


def two_programs() -> list[dict]:
    """a is best on the shape that occurs five times, b on the other."""
    return [
        *steady("a", HEAVY, 100.0, library="la"),
        *steady("b", HEAVY, 150.0, library="lb"),
        *steady("a", LIGHT, 400.0, library="la"),
        *steady("b", LIGHT, 200.0, library="lb"),
    ]


def native(frame):
    return frame[frame["ranking"] == "native"]


def test_totals_weigh_shapes_by_how_often_the_network_has_them(carry: Carry) -> None:
    tables = carry("adaptive", typed(two_programs()), network=NETWORK).tables
    total = native(tables["total"]).iloc[0]
    assert total["ideal_ms_per_image"] == pytest.approx((5 * 100 + 200) / 1e3)
    assert (total["best_single_library"], total["best_single_ms_per_image"]) == ("la", pytest.approx(0.9))
    assert total["ratio"] == total["ratio_same_rule"] == pytest.approx(0.7 / 0.9)
    main = native(tables["adaptive"]).set_index("library")
    assert main["time_ms_per_image"].to_dict() == pytest.approx({"la": 0.5, "lb": 0.2})
    assert main["share"].to_dict() == pytest.approx({"la": 5 / 7, "lb": 2 / 7})
    layers = native(tables["layers"]).set_index("shape")
    assert layers.loc[HEAVY, ["program", "multiplicity", "runner_up", "verdict"]].tolist() == ["a", 5, "b", "different"]


def test_without_a_network_every_shape_counts_once(carry: Carry) -> None:
    total = native(carry("adaptive", typed(two_programs())).tables["total"]).iloc[0]
    assert total["ideal_ms_per_image"] == pytest.approx(0.3)
    assert total["layers_missing"] == 0


def test_layers_that_nobody_measured_are_named_and_the_totals_say_so(carry: Carry) -> None:
    result = carry("adaptive", session(), network=f"network-{NETWORK}")
    assert result.tables["missing"]["species"].unique().tolist() == ["softmax"]
    assert native(result.tables["total"])["layers_missing"].tolist() == [1]
    assert result.finding.endswith("Nobody measured softmax 1001-1-1: the totals lack 1 layer.")


def test_a_single_that_lacks_layers_is_compared_on_those_it_has(carry: Carry) -> None:
    rows = [*two_programs(), *steady("c", LIGHT, 300.0, library="lc")]
    singles = native(carry("adaptive", typed(rows), network=NETWORK).tables["single"]).set_index(["kind", "name"])
    single = singles.loc[("program", "c")]
    assert (single["layers"], single["layers_of"]) == (1, 6)
    assert single["ideal_ms_same_layers"] == pytest.approx(0.2)
    assert single["ratio"] == pytest.approx(2 / 3)
    # c is faster than a on its one layer, and yet no candidate for the whole network
    assert native(carry("adaptive", typed(rows), network=NETWORK).tables["total"])["best_single_library"].tolist() == [
        "la"
    ]


def test_picked_on_odd_repetitions_and_estimated_on_even_ones(carry: Carry) -> None:
    lucky = repetitions([100.0, 50.0] * 5, program="lucky", library="l1", shape=HEAVY)
    solid = repetitions([80.0, 80.0] * 5, program="solid", library="l2", shape=HEAVY)
    layers = native(carry("adaptive", typed(lucky + solid)).tables["layers"]).iloc[0]
    assert (layers["program"], layers["picked_us"], layers["time_us"]) == (
        "lucky",
        pytest.approx(50.0),
        pytest.approx(100.0),
    )
    unsplit = native(carry("adaptive", typed(lucky + solid), split="no").tables["layers"]).iloc[0]
    assert (unsplit["program"], unsplit["time_us"]) == ("lucky", pytest.approx(75.0))


def test_equal_programs_promise_no_gain(carry: Carry) -> None:
    """With picking and estimating on the same samples the best of five equal programs looks 1 % faster."""
    generator = np.random.default_rng(3)
    rows = [
        item
        for program in "abcde"
        for shape in SHAPES["conv"]
        for item in repetitions(
            (100 * np.exp(0.02 * generator.standard_normal(10))).tolist(), program=program, library=program, shape=shape
        )
    ]
    honest = native(carry("adaptive", typed(rows)).tables["total"]).iloc[0]
    flattered = native(carry("adaptive", typed(rows), split="no").tables["total"]).iloc[0]
    assert honest["ideal_ms_per_image"] == pytest.approx(1.0, abs=0.006)
    assert flattered["ideal_ms_per_image"] < 0.993


def test_one_repetition_is_used_for_both(carry: Carry) -> None:
    total = native(
        carry("adaptive", typed([row(shape=HEAVY), row(shape=HEAVY, program="b", time_us=50.0)])).tables["total"]
    )
    assert total["ideal_ms_per_image"].tolist() == pytest.approx([0.05])
    assert np.isnan(total["ideal_ci_low"].iloc[0])


def test_end_to_end_may_choose_another(carry: Carry) -> None:
    rows = [
        *steady("a", HEAVY, 100.0, library="la", reorder_in_us=60.0, reorder_out_us=10.0),
        *steady("b", HEAVY, 150.0, library="lb"),
    ]
    layers = carry("adaptive", typed(rows)).tables["layers"].set_index("ranking")
    assert layers["program"].to_dict() == {"native": "a", "end_to_end": "b"}
    assert layers["time_us"].to_dict() == pytest.approx({"native": 100.0, "end_to_end": 150.0})


def test_unknown_reorders_leave_the_native_ranking_alone(carry: Carry) -> None:
    points = typed(two_programs())
    points["reorder_in_us"] = np.nan
    assert carry("adaptive", points).tables["total"]["ranking"].tolist() == ["native"]


def test_per_image_divides_by_the_batch(carry: Carry) -> None:
    points = typed([*steady("a", HEAVY, 400.0, batch_size=4), *steady("a", HEAVY, 120.0, batch_size=1)])
    totals = native(carry("adaptive", points).tables["total"]).set_index("batch_size")
    assert totals["ideal_ms_per_image"].to_dict() == pytest.approx({1: 0.12, 4: 0.1})


def test_minimum_on_both_sides(carry: Carry) -> None:
    rows = repetitions([100.0, 100.0, 60.0, 100.0, 100.0, 100.0], launches=3, shape=HEAVY, program="a", library="la")
    total = native(carry("adaptive", typed(rows), statistic="minimum").tables["total"]).iloc[0]
    assert total["ideal_ms_per_image"] == total["best_single_ms_per_image"] == pytest.approx(0.06)


def test_only_some_libraries(carry: Carry) -> None:
    tables = carry("adaptive", typed(two_programs()), libraries="lb").tables
    assert native(tables["total"])["libraries"].tolist() == ["lb"]
    with pytest.raises(UsageError, match=r"^adaptive: no row is of the libraries zz$"):
        carry("adaptive", typed(two_programs()), libraries="zz")


def test_an_unknown_network_names_the_nearest(carry: Carry) -> None:
    with pytest.raises(UsageError) as caught:
        carry("adaptive", session(), network="mobilenet-v1-1.0-224")
    assert str(caught.value) == (
        "adaptive: there is no network 'mobilenet-v1-1.0-224'; did you mean mobilenets-v1-1.0-224?"
    )


def test_a_network_of_which_nothing_was_measured(carry: Carry) -> None:
    with pytest.raises(
        UsageError, match=r"^adaptive: none of the network's layers was measured; run its datasets first$"
    ):
        carry("adaptive", typed(steady("a", "1-1-1-1-1-1-0", 1.0)), network=NETWORK)


def test_a_gain_has_an_interval_that_holds_it(carry: Carry) -> None:
    total = native(carry("adaptive", session(), network=NETWORK).tables["total"]).iloc[0]
    assert total["ratio_ci_low"] < total["ratio"] < total["ratio_ci_high"] < 1.0
    assert total["ideal_ci_low"] < total["ideal_ms_per_image"] < total["ideal_ci_high"]


def test_a_gain_within_its_interval_is_none(carry: Carry) -> None:
    noise = np.random.default_rng(3).lognormal(0, 0.3, size=(4, 10))
    points = [
        *repetitions((100 * noise[0]).tolist(), program="a", library="la", shape=HEAVY),
        *repetitions((105 * noise[1]).tolist(), program="b", library="lb", shape=HEAVY),
        *repetitions((105 * noise[2]).tolist(), program="a", library="la", shape=LIGHT),
        *repetitions((100 * noise[3]).tolist(), program="b", library="lb", shape=LIGHT),
    ]
    result = carry("adaptive", typed(points))
    total = native(result.tables["total"]).iloc[0]
    assert total["ratio_ci_low"] < 1 < total["ratio_ci_high"]
    assert f", not told apart from {total['best_single_library']} alone (" in result.finding
    assert "Of 2 distinct shapes, the lead of the one picked is: 2 not told apart." in result.finding


def test_a_pick_that_the_other_half_shows_to_be_slower_does_not_lead(carry: Carry) -> None:
    """Odd repetitions pick b, even ones show that it is slower."""
    points = [
        *repetitions([100.0] * 10, program="a", library="la", shape=HEAVY),
        *repetitions([200.0, 50.0] * 5, program="b", library="lb", shape=HEAVY),
    ]
    layers = native(carry("adaptive", typed(points)).tables["layers"])
    assert layers[["library", "verdict"]].to_numpy().tolist() == [["lb", "undecided"]]


def test_the_chart_shows_totals_and_picks(carry: Carry) -> None:
    result = carry("adaptive", session(), network=NETWORK)
    with chart_style():
        figure = result.analysis.chart(result.tables, result.options)
    upper, lower = figure.axes
    assert [label.get_text() for label in upper.get_yticklabels()][:2] == [
        "best per layer, native",
        "oneDNN 3.2.0 alone, native",
    ]
    assert f"{HEAVY}  × 5" in [label.get_text() for label in lower.get_yticklabels()]
    assert len(lower.patches) == len(native(result.tables["layers"]))
