"""The entry analysis/violin."""

import numpy as np
import pandas as pd
import pytest
from matplotlib.text import Text

from nntest.analyses.style import chart_style
from nntest.errors import UsageError
from tests.analyses.conftest import Carry
from tests.analyses.frames import FEW, repetitions, session, typed

WIDE = [10.0, 11.0, 12.0, 13.0, 14.0, 1000.0]


def axes_of(carry: Carry, points: pd.DataFrame, **options: object) -> list:
    result = carry("violin", points, **options)
    with chart_style():
        return result.analysis.chart(result.tables, result.options).axes


def test_the_table_holds_exactly_the_samples_that_rank(carry: Carry) -> None:
    points = session()
    main = carry("violin", points).tables["violin"]
    stable = points[points["trust"] == "stable"]
    assert sorted(main["time_us"]) == sorted(stable["time_us"])
    assert {"launch", "round", "repetition", "trust", "shape", "program"} <= set(main.columns)


def test_a_panel_per_group_and_species_with_the_axis_legend(carry: Carry) -> None:
    titles = [axes.get_title(loc="left") for axes in axes_of(carry, session(shapes=FEW))]
    assert titles == [
        "AMD EPYC 9005: conv  (in_C-H-W-K-out_C-stride-pad)",
        "AMD EPYC 9005: depthwiseconv  (C-H-W-stride-pad)",
        "AMD EPYC 9005: fullyconnected  (in_C-in_H-in_W-out_C-out_H-out_W)",
    ]
    by_library = [axes.get_title(loc="left") for axes in axes_of(carry, session(shapes=FEW), group_by="library")]
    assert by_library[0].startswith("oneDNN 3.2.0: conv")
    assert len(by_library) == 7


def test_shapes_are_in_natural_order(carry: Carry) -> None:
    shapes = ["3-224-224-3-32-2-0", "32-112-112-1-64-1-0", "1024-7-7-1-1024-1-0"]
    axes = axes_of(carry, session(shapes=shapes))[0]
    assert [label.get_text() for label in axes.get_yticklabels()] == shapes


def test_a_density_never_reaches_beyond_its_samples(carry: Carry) -> None:
    times = [100.0, 101.0, 102.0, 103.0, 104.0, 105.0]
    axes = axes_of(carry, typed(repetitions(times)))[0]
    bodies = [part.get_paths()[0].get_extents() for part in axes.collections if len(part.get_offsets()) <= 1]
    assert bodies
    assert min(body.x0 for body in bodies) == pytest.approx(100.0)
    assert max(body.x1 for body in bodies) == pytest.approx(105.0)


def test_few_samples_are_points_alone(carry: Carry) -> None:
    axes = axes_of(carry, typed(repetitions([100.0, 101.0, 102.0])))[0]
    assert [len(part.get_offsets()) for part in axes.collections] == [3]


def test_equal_samples_have_no_density(carry: Carry) -> None:
    axes = axes_of(carry, typed(repetitions([100.0] * 10)))[0]
    assert [len(part.get_offsets()) for part in axes.collections] == [10]


def test_the_axis_is_logarithmic_where_the_range_is_wide(carry: Carry) -> None:
    points = typed(repetitions(WIDE))
    assert axes_of(carry, points)[0].get_xscale() == "log"
    assert axes_of(carry, points, scale="linear")[0].get_xscale() == "linear"
    assert axes_of(carry, typed(repetitions(WIDE[:5])))[0].get_xscale() == "linear"


def test_xmax_and_xstep(carry: Carry) -> None:
    axes = axes_of(carry, typed(repetitions(WIDE)), xmax="20", xstep="5", scale="linear")[0]
    assert axes.get_xticks().tolist() == [0, 5, 10, 15, 20]
    drawn = np.concatenate(
        [np.asarray(part.get_offsets())[:, 0] for part in axes.collections if len(part.get_offsets()) > 1]
    )
    assert drawn.max() == 14.0


def test_gflops(carry: Carry) -> None:
    result = carry("violin", session(), metric="gflops")
    assert "gflops" in result.tables["violin"]
    assert "time_us" not in result.tables["violin"]


def test_an_unknown_group_is_refused(carry: Carry) -> None:
    with pytest.raises(UsageError) as caught:
        carry("violin", session(), group_by="colour")
    assert str(caught.value) == "violin: group_by is 'colour'; expected one of platform, operator, library, kernel"


def test_whole_networks_are_named_by_their_model(carry: Carry) -> None:
    points = typed(
        repetitions([1.0, 2.0], program="caffe", library="cpu", shape=None, species=None, model="bvlc-alexnet")
    )
    labels = [label.get_text() for label in axes_of(carry, points)[0].get_yticklabels()]
    assert labels == ["AlexNet"]


def test_kernels_of_a_profiler_have_a_panel_each(carry: Carry) -> None:
    points = typed(repetitions([10.0, 11.0, 12.0, 13.0, 14.0, 15.0]))
    kernels = pd.concat([points.assign(kernel=name, time_us=points["time_us"] * part) for name, part in
                         (("gemm", 0.7), ("im2col", 0.2))], ignore_index=True)  # fmt: skip
    axes = axes_of(carry, points, group_by="kernel", kernels=kernels)
    assert [panel.get_title(loc="left").split(":")[0] for panel in axes] == ["gemm", "im2col"]
    result = carry("violin", points, group_by="kernel", kernels=kernels)
    assert len(result.tables["violin"]) == 12
    with pytest.raises(UsageError, match=r"^violin: no point tells its kernels; measure under a profiler, or group"):
        carry("violin", points, group_by="kernel")


def test_panels_of_one_species_share_their_scale(carry: Carry) -> None:
    slow = repetitions([900.0, 901.0], program="other", library="plain-cpu")
    axes = axes_of(carry, typed([*repetitions([10.0, 11.0]), *slow]), group_by="library")
    assert len({panel.get_xlim() for panel in axes}) == 1


def test_long_times_are_drawn_in_milliseconds(carry: Carry) -> None:
    axes = axes_of(carry, typed(repetitions([50_000.0, 60_000.0])))[0]
    assert axes.get_xlabel() == "time of one call, ms"
    assert axes.collections[0].get_offsets()[:, 0].tolist() == [50.0, 60.0]
    axes = axes_of(carry, typed(repetitions([50_000.0, 60_000.0])), xmax="70000")[0]
    assert axes.get_xlabel() == "time of one call, µs"


def test_the_title_stands_above_a_legend_of_long_names(carry: Carry) -> None:
    rows = [
        item
        for letter in "abcde"
        for item in repetitions([100.0, 101.0], program=letter * 35, library=f"{letter}-cpu", shape="1-1-1-1-1-1-0")
    ]
    axes = axes_of(carry, typed(rows))[0]
    axes.figure.draw_without_rendering()
    title = next(text for text in axes.findobj(Text) if text.get_text() == axes.get_title(loc="left"))
    assert title.get_window_extent().y0 >= axes.get_legend().get_window_extent().y1
