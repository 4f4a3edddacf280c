"""The entry analysis/batch."""

import pandas as pd
import pytest

from nntest.analyses.entries import load_analysis
from nntest.analyses.style import chart_style, library_colour
from nntest.errors import DataError, UsageError
from tests.analyses.conftest import Carry
from tests.analyses.frames import caffe, repetitions, session, typed
from tests.analyses.tx1 import carry_tx1, expected, needs_tx1, table_tx1

NETS = {
    "cpu__net_a__2": [200.0, 220.0, 240.0],
    "cpu__net_a__4": [400.0, 400.0, 400.0],
    "nvidia_cudnn__net_a__2": [20.0, 22.0, 24.0],
    "nvidia_cudnn__net_a__4": [60.0, 62.0, 64.0],
}


def test_means_per_image_and_the_best_batch_size(carry: Carry) -> None:
    tables = carry("batch", caffe(**NETS)).tables
    assert list(tables["batch"].columns) == [
        "model", "library", "batch_size", "time_ms_per_image", "std_ms_per_image", "repetitions",
    ]  # fmt: skip
    assert tables["batch"]["time_ms_per_image"].tolist() == pytest.approx([110.0, 100.0, 11.0, 15.5])
    assert tables["batch"]["std_ms_per_image"].tolist() == pytest.approx([10.0, 0.0, 1.0, 0.5])
    best = tables["best"].set_index("library")
    assert best["batch_size"].to_dict() == {"cpu": 4, "nvidia-cudnn": 2}
    assert best["images_per_s"].to_dict() == pytest.approx({"cpu": 10.0, "nvidia-cudnn": 1e3 / 11})


def test_models_libraries_and_batch_sizes_are_chosen(carry: Carry) -> None:
    points = caffe(**NETS)
    assert carry("batch", points, libraries="cpu", batch_sizes="2").tables["batch"]["batch_size"].tolist() == [2]
    with pytest.raises(UsageError, match=r"^batch: no row has model=net-b; did you mean net-a\?$"):
        carry("batch", points, models="net-b")


def test_rows_of_two_settings_are_never_averaged(carry: Carry) -> None:
    points = typed([*repetitions([100.0] * 3, threads=1), *repetitions([50.0] * 3, threads=2)])
    main = carry("batch", points).tables["batch"]
    assert main[["model", "threads", "time_ms_per_image"]].to_numpy().tolist() == [
        ["512-14-14-1-512-1-0", 1, 0.1],
        ["512-14-14-1-512-1-0", 2, 0.05],
    ]


def test_operators_are_workloads_too(carry: Carry) -> None:
    result = carry("batch", session())
    assert result.tables["best"]["model"].nunique() == 15
    assert set(result.tables["excluded"]["reason"]) == {"failed", "wrong", "unverified", "emulated", "simulated"}


@pytest.mark.parametrize("group_by", ["model", "library", "batch_size"])
def test_libraries_keep_their_colours(carry: Carry, group_by: str) -> None:
    result = carry("batch", caffe(**NETS), group_by=group_by)
    with chart_style():
        figure = load_analysis("batch").chart(result.tables, result.options)
    drawn = {patch.get_facecolor() for axes in figure.axes for patch in axes.patches}
    assert figure.get_suptitle()
    if group_by == "batch_size":
        assert {line.get_color() for line in figure.axes[0].lines} >= {library_colour("cpu")}
    else:
        assert len(drawn) == (2 if group_by == "model" else 1)


def test_a_missing_column_is_named(carry: Carry) -> None:
    with pytest.raises(DataError, match=r"^batch: the points lack the column batch_size; "):
        carry("batch", caffe(**NETS).drop(columns="batch_size"))


def cells(frame: pd.DataFrame, column: str) -> dict[tuple[str, str], float]:
    return frame.set_index(["model", "library"])[column].to_dict()


def flat(words: dict) -> dict[tuple[str, str], float]:
    return {(model, library): value for model, row in words.items() for library, value in row.items()}


@needs_tx1
def test_every_published_mean_comes_out() -> None:
    main = table_tx1("batch").set_index(["model", "library", "batch_size"])["time_ms_per_image"]
    wanted = expected()["mean_time_ms_per_image"]
    triples = {(m, lib, int(b)): v for m, row in wanted.items() for lib, by in row.items() for b, v in by.items()}
    assert main.to_dict() == pytest.approx(triples, abs=1e-9)


@needs_tx1
@pytest.mark.parametrize(
    ("key", "column"),
    [
        ("best_mean_time_ms_per_image", "time_ms_per_image"),
        ("argmin_batch_size", "batch_size"),
        ("std_ms_per_image_at_best_batch", "std_ms_per_image"),
        ("max_images_per_s", "images_per_s"),
    ],
)
def test_the_best_batch_size_is_the_published_one(key: str, column: str) -> None:
    best = carry_tx1("batch").tables["best"]
    assert cells(best, column) == pytest.approx(flat(expected()[key]), abs=1e-9)


@needs_tx1
def test_the_printed_numbers_come_out_to_six_decimals() -> None:
    best = cells(carry_tx1("batch").tables["best"], "time_ms_per_image")
    printed = {
        "bvlc-alexnet": (124.327292, 14.621250, 10.079646, 7.413354, 8.583306, 5.064858),
        "bvlc-googlenet": (358.322708, 32.677375, 24.059604, 17.109729, 21.820375, 11.130854),
    }
    libraries = ("cpu", "libdnn-cuda", "nvidia-cuda", "nvidia-cudnn", "nvidia-fp16-cuda", "nvidia-fp16-cudnn")
    for model, values in printed.items():
        assert [round(best[model, library], 6) for library in libraries] == list(values)


@needs_tx1
def test_fp16_has_no_training_step() -> None:
    main = table_tx1("batch", direction="forward_backward")
    assert set(main["library"]) == {"cpu", "libdnn-cuda", "nvidia-cuda", "nvidia-cudnn"}
