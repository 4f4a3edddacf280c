"""The entry analysis/memory."""

import pytest

from nntest.analyses.entries import load_analysis
from nntest.analyses.style import chart_style
from nntest.errors import DataError
from tests.analyses.conftest import Carry
from tests.analyses.frames import caffe, session
from tests.analyses.tx1 import expected, needs_tx1, table_tx1

NETS = {f"{library}__net_a__{batch}": [10.0 * batch] * 3 for library in ("cpu", "tensorrt_fp32") for batch in (2, 4)}


def test_memory_stands_beside_the_time_and_unknown_stays_unknown(carry: Carry) -> None:
    main = carry("memory", caffe(**NETS)).tables["memory"]
    assert list(main.columns) == [
        "model", "library", "batch_size", "memory_mb", "memory_mb_per_image", "time_ms_per_image",
    ]  # fmt: skip
    cpu = main[main["library"] == "cpu"]
    assert cpu["memory_mb"].tolist() == [20.0, 40.0]
    assert cpu["memory_mb_per_image"].tolist() == [10.0, 10.0]
    assert main.loc[main["library"] == "tensorrt-fp32", "memory_mb"].isna().all()


def draw(carry: Carry, points, **given):
    result = carry("memory", points, **given)
    with chart_style():
        return load_analysis("memory").chart(result.tables, result.options)


def test_curves_over_the_batch_size_or_bars_at_one(carry: Carry) -> None:
    figure = draw(carry, caffe(**NETS))
    assert [axes.get_ylabel() for axes in figure.axes] == ["ms per image", "memory, MB", "memory, MB per image"]
    assert figure.get_suptitle().endswith("memory unknown: TensorRT fp32")
    figure = draw(carry, caffe(**NETS), batch_sizes="4")
    assert [text.get_text() for text in figure.axes[0].texts] == ["40.0", "unknown"]


def test_points_that_tell_no_memory_say_so(carry: Carry) -> None:
    result = carry("memory", session())
    assert result.finding == "These points do not tell memory."
    assert draw(carry, session()).texts[0].get_text() == "These points do not tell memory."
    with pytest.raises(DataError, match=r"^memory: the points lack the column memory_mb; "):
        carry("memory", session().drop(columns="memory_mb"))


@needs_tx1
def test_the_published_memory_comes_out() -> None:
    main = table_tx1("memory").set_index(["model", "library", "batch_size"])
    for column in ("memory_mb", "memory_mb_per_image"):
        for model, by_library in expected()[column].items():
            for library, by_batch in by_library.items():
                for batch, value in by_batch.items():
                    found = main.loc[(model, library, int(batch)), column]
                    # TensorRT writes 0.0 for what it does not know
                    assert found != found if value == 0 else found == pytest.approx(value)
