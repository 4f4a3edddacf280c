"""The entry analysis/accuracy."""

from nntest.analyses.entries import load_analysis
from nntest.analyses.style import chart_style
from tests.analyses.conftest import Carry
from tests.analyses.frames import session

PUBLISHED = {
    "bvlc-alexnet": (0.568279, 0.799501),
    "deepscale-squeezenet-1.0": (0.576801, 0.803903),
    "deepscale-squeezenet-1.1": (0.583880, 0.810123),
    "bvlc-googlenet": (0.689299, 0.891441),
}


def test_the_published_accuracies_rising_by_top_1(carry: Carry) -> None:
    main = carry("accuracy", session()).tables["accuracy"]
    assert list(main.columns) == ["model", "top1", "top5"]
    rows = {row.model: (row.top1, row.top5) for row in main.itertuples()}
    assert {name: rows[name] for name in PUBLISHED} == PUBLISHED
    assert main["top1"].is_monotonic_increasing


def test_two_bars_for_each_model(carry: Carry) -> None:
    result = carry("accuracy", session())
    with chart_style():
        axes = load_analysis("accuracy").chart(result.tables, result.options).axes[0]
    assert len(axes.patches) == 2 * len(result.tables["accuracy"])
    assert "GoogleNet is the most accurate" in result.finding
