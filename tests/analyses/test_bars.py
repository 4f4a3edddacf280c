import pytest

from nntest.analyses.bars import MAX_BARS, MAX_GROUPS, Bar, Group, drawable, log_ticks, ratio_bars
from nntest.analyses.style import chart_style


def group(label: str, *values: float) -> Group:
    return Group(
        label, tuple(Bar(subject=f"p{n}", library="x", value=v, label=f"{v:g}x") for n, v in enumerate(values))
    )


@pytest.mark.parametrize(("low", "high"), [(1, 10), (0.05, 2), (300, 20_000), (1, 1e9)])
def test_ticks_of_a_logarithmic_axis_are_few_and_inside(low: float, high: float) -> None:
    ticks = log_ticks(low, high)
    assert 2 <= len(ticks) <= 12
    assert all(low <= tick <= high for tick in ticks)


def test_bars_start_at_zero_or_on_a_logarithmic_axis_at_one() -> None:
    with chart_style():
        linear = ratio_bars([group("a", 0.5, 2.0)], title="t", xlabel="x")
        wide = ratio_bars([group("a", 0.05, 2.0)], title="t", xlabel="x")
    assert [(bar.get_x(), bar.get_width()) for bar in linear.axes[0].patches] == [(0.0, 0.5), (0.0, 2.0)]
    assert [bar.get_x() for bar in wide.axes[0].patches] == [1.0, 1.0]
    assert [round(bar.get_width(), 3) for bar in wide.axes[0].patches] == [-0.95, 1.0]
    assert wide.axes[0].get_xscale() == "log"


def test_more_groups_than_a_picture_holds_are_said() -> None:
    with chart_style():
        figure = ratio_bars([group(str(n), 1.0) for n in range(MAX_GROUPS + 5)], title="t", xlabel="x")
    assert len(figure.axes[0].patches) == MAX_GROUPS
    assert figure._suptitle.get_text() == "t\n(the first 60 of 65 groups; the table has all)"


@pytest.mark.parametrize(
    ("sizes", "count"), [([], 0), ([3], 1), ([1] * 70, MAX_GROUPS), ([MAX_BARS + 1, 1], 1), ([100] * 5, 2)], ids=str
)
def test_one_picture_holds_so_many_bars(sizes: list[int], count: int) -> None:
    assert drawable(sizes) == count
