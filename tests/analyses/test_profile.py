"""The entry analysis/profile."""

import pandas as pd
import pytest

from nntest.analyses.entries import load_analysis
from nntest.analyses.style import chart_style
from nntest.errors import UsageError
from tests.analyses.conftest import Carry
from tests.analyses.frames import row, session, typed

NOTHING = "No kernel times in these points: run with a profiler (--dvdt_prof), or choose other points."


def kernels(*seen: tuple[int, str, float], **values: object) -> pd.DataFrame:
    points = typed([row(point="p", repetition=repetition, time_us=time, **values) for repetition, _, time in seen])
    return points.assign(kernel=[kernel for _, kernel, _ in seen])


SEEN = [(0, "gemm", 60.0), (0, "gemm", 20.0), (0, "im2col", 20.0), (1, "gemm", 80.0), (1, "im2col", 20.0)]


def test_time_calls_and_share_per_repetition(carry: Carry) -> None:
    main = carry("profile", session(), kernels=kernels(*SEEN)).tables["profile"]
    assert main[["kernel", "count", "time_us", "share"]].to_numpy().tolist() == [
        ["gemm", 1.5, 80.0, 0.8],
        ["im2col", 1.0, 20.0, 0.2],
    ]
    assert main["program"].unique().tolist() == ["conv-onednn-cpu"]


def test_cases_are_apart(carry: Carry) -> None:
    both = pd.concat([kernels(*SEEN), kernels((0, "gemm", 5.0), batch_size=2)], ignore_index=True)
    main = carry("profile", session(), kernels=both).tables["profile"]
    assert main.groupby("batch_size")["share"].sum().to_dict() == pytest.approx({1: 1.0, 2: 1.0})


def test_without_kernels_it_says_so(carry: Carry) -> None:
    for given in ({}, {"kernels": kernels()}, {"kernels": kernels(*SEEN, trust="failed")}):
        result = carry("profile", session(), **given)
        assert result.tables["profile"].empty
        assert result.finding == NOTHING
    with chart_style():
        assert load_analysis("profile").chart(result.tables, None).texts[0].get_text() == NOTHING


def test_the_chart_has_a_bar_per_kernel(carry: Carry) -> None:
    result = carry("profile", session(), kernels=kernels(*SEEN))
    with chart_style():
        axes = load_analysis("profile").chart(result.tables, result.options).axes[0]
    assert [text.get_text() for text in axes.texts] == ["gemm  80.0 (80.0 %)", "im2col  20.0 (20.0 %)"]


def test_an_empty_source_is_told_from_one_without_kernels(carry: Carry) -> None:
    with pytest.raises(UsageError, match=r"^profile: no rows were found; check the source, --tags and --where$"):
        carry("profile", session().iloc[:0])
