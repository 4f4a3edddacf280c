import pandas as pd
import pytest
from matplotlib.axes import Axes

from nntest.analyses.amounts import (
    Curve,
    amount_bars,
    curve_grid,
    cut_at,
    format_amount,
    format_scattered,
    largest_groups,
    plain_styles,
)
from nntest.analyses.bars import Bar, Group
from nntest.analyses.style import chart_style, library_colour

NAN = float("nan")


def bars(*values: float) -> Group:
    return Group("g", tuple(Bar(subject=f"s{v}", library="onednn-cpu", value=v, label=str(v)) for v in values))


def test_numbers_have_three_digits() -> None:
    assert [format_amount(v) for v in (1234.5, 358.32, 14.62, 7.413, 0.85, 0.0017, 0.00002, 0.0, NAN)] == [
        "1,234", "358", "14.6", "7.41", "0.850", "0.0017", "2e-05", "0.0000", "unknown",
    ]  # fmt: skip


def test_a_scatter_is_given_to_its_first_digit() -> None:
    assert format_scattered(358.32, 0.2545) == "358.3 ± 0.3"
    assert format_scattered(32.677, 0.018) == "32.68 ± 0.02"
    assert format_scattered(0.0112, 0.00041) == "0.0112 ± 0.0004"
    assert format_scattered(7.41, NAN) == "7.41"
    assert format_scattered(7.41, 0.0) == "7.41 ± 0.00"


def test_a_few_bars_far_out_are_cut() -> None:
    assert cut_at([1.0, 2.0, 3.0]) == 3.0
    assert cut_at([358.0, 124.0, *[30.0] * 10]) == pytest.approx(42.0)
    assert cut_at([358.0, 124.0, 30.0]) == 358.0
    assert cut_at([NAN]) == cut_at([]) == 1.0


def test_cut_bars_say_so_and_unknown_ones_too() -> None:
    with chart_style():
        axes = amount_bars([bars(1.0, 2.0, 2.5, 30.0, NAN)], title="t", xlabel="x").axes[0]
    words = [text.get_text() for text in axes.texts]
    assert words == ["1.0", "2.0", "2.5", "30.0 (bar cut)", "nan"]
    assert max(patch.get_width() for patch in axes.patches) == pytest.approx(3.5)
    assert max(axes.get_xticks()) <= 3.5


def test_a_scatter_is_seen_whole_or_has_a_point_where_it_goes_on() -> None:
    def axes_of(high: float) -> Axes:
        bar = Bar(subject="s", library="onednn-cpu", value=10.0, low=9.0, high=high, label="10")
        with chart_style():
            return amount_bars([Group("g", (bar,))], title="t", xlabel="x").axes[0]

    whole, pointed = axes_of(15.0), axes_of(1000.0)
    assert [line.get_marker() for line in whole.lines] == ["None"]
    assert whole.lines[0].get_xdata()[1] == 15.0 < whole.get_xlim()[1]
    assert [line.get_marker() for line in pointed.lines] == ["None", ">"]
    assert pointed.lines[0].get_xdata()[1] == pointed.lines[1].get_xdata()[0] == 20.0


def test_too_many_groups_are_announced() -> None:
    with chart_style():
        figure = amount_bars([bars(1.0, 2.0)] * 70, title="t", xlabel="x")
    assert figure.get_suptitle().endswith("(the first 60 of 70 groups; the table has all)")


def test_where_not_all_groups_fit_the_largest_are_kept_in_order() -> None:
    frame = pd.DataFrame({"layer": [f"l{n // 2}" for n in range(400)], "share": [n % 7 for n in range(400)]})
    kept, total = largest_groups(frame, ["layer"], "share")
    assert (kept["layer"].nunique(), total) == (60, 200)
    assert kept.index.is_monotonic_increasing
    assert kept.groupby("layer")["share"].max().min() >= frame.groupby("layer")["share"].max().nlargest(60).min()
    one, total = largest_groups(frame.assign(layer="l"), ["layer"], "share")
    assert (len(one), total) == (400, 1)


def test_plain_styles_are_no_library_s() -> None:
    styles = plain_styles(["a", "b", "a"])
    assert list(styles) == ["a", "b"]
    colours = {library_colour(name) for name in ("onednn-cpu", "openblas-cpu", "cpu", "nvidia-cudnn", "x", "y", "z")}
    assert not colours & {style["color"] for style in plain_styles(list("abcdef")).values()}


def curve(subject: str, *y: float) -> Curve:
    return Curve(subject=subject, library=subject, x=[1, 2], y=y)


def test_coinciding_curves_share_a_line_in_turns() -> None:
    with chart_style():
        axes = curve_grid({("r", "c"): [curve("a", 1, 2), curve("b", 1, 2)]}, title="t", xlabel="x").axes[0]
    assert [line.get_linestyle() for line in axes.lines] == ["--", "--"]
    assert axes.lines[0].get_xydata().tolist() == axes.lines[1].get_xydata().tolist()


def test_wide_ranges_are_logarithmic_unless_told_otherwise() -> None:
    panels = {("r", "c"): [curve("a", 1, 200)], ("s", "c"): [curve("a", 1, 200)], ("t", "c"): [curve("a", NAN, NAN)]}
    with chart_style():
        figure = curve_grid(panels, title="t", xlabel="x", linear=["s"])
    assert [axes.get_yscale() for axes in figure.axes] == ["log", "linear", "linear"]
    assert [text.get_text() for text in figure.axes[2].texts] == ["unknown"]
