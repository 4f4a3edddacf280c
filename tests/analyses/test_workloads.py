import pandas as pd
import pytest

from nntest.analyses.workloads import choose, name_workloads, needed_keys, per_image, series_labels, workload_noun
from nntest.errors import DataError, UsageError
from tests.analyses.frames import repetitions, row, typed


def test_an_operator_is_named_by_its_shape_and_a_network_by_its_model() -> None:
    points = typed([row(model="alexnet", shape=None), row()])
    assert name_workloads(points, where="x")["model"].tolist() == ["alexnet", "512-14-14-1-512-1-0"]
    with pytest.raises(DataError, match=r"^x: the points lack the column shape; "):
        name_workloads(points.drop(columns=["model", "shape"]), where="x")


def test_a_workload_is_called_what_it_is() -> None:
    assert workload_noun(pd.Series(["512-14-14-1-512-1-0", "64-112-112-2-0.0.1.1"])) == "shape"
    assert workload_noun(pd.Series(["512-14-14-1-512-1-0", "bvlc-alexnet"])) == "model"


def test_choose_takes_names_patterns_and_libraries_without_a_version() -> None:
    points = typed([row(library="onednn-cpu-3.2.0"), row(library="openblas-cpu-0.3.34")])
    assert len(choose(points, "library", [], where="x")) == 2
    for name in ("onednn-cpu", "onednn-cpu-3.2.0", "one*"):
        assert choose(points, "library", [name], where="x")["library"].tolist() == ["onednn-cpu-3.2.0"]
    with pytest.raises(UsageError) as caught:
        choose(points, "library", ["onednn-cp-3.2.0"], where="x")
    assert str(caught.value) == "x: no row has library=onednn-cp-3.2.0; did you mean onednn-cpu-3.2.0?"


def test_batch_sizes_are_chosen_by_their_value() -> None:
    points = typed([row(batch_size=2), row(batch_size=16)])
    assert choose(points, "batch_size", ["16"], where="x")["batch_size"].tolist() == [16]


def test_only_what_tells_rows_apart_becomes_a_key() -> None:
    cases = typed([row(library="a"), row(library="b", dtype="float16")])
    assert needed_keys(cases) == ["model", "library", "batch_size"]
    cases = typed([row(threads=1), row(threads=2)])
    assert needed_keys(cases) == ["model", "library", "batch_size", "threads"]


def test_times_are_per_image_and_scatter_over_repetitions() -> None:
    means = per_image(typed(repetitions([4e3, 6e3], batch_size=4)), "forward", where="x")
    assert means["time_ms_per_image"].tolist() == [1.25]
    assert means["std_ms_per_image"].tolist() == pytest.approx([2**0.5 / 4])
    assert means["repetitions"].tolist() == [2]
    with pytest.raises(UsageError, match=r"^x: no row has a forward and backward time; choose another --direction$"):
        per_image(typed([row()]), "forward_backward", where="x")


def test_a_legend_names_the_library_or_the_program_where_those_are_several() -> None:
    frame = pd.DataFrame({"library": ["nvidia-cudnn", "cpu"], "batch_size": [1, 1]})
    assert series_labels(frame).tolist() == ["cuDNN fp32", "OpenBLAS (Caffe)"]
    frame = frame.assign(program=["conv-x", "directconv-x"], threads=[1, 2])
    assert series_labels(frame).tolist() == ["conv-x (threads 1)", "directconv-x (threads 2)"]
    frame = frame.assign(program="caffe")
    assert series_labels(frame, without=["threads"]).tolist() == ["caffe cuDNN fp32", "caffe OpenBLAS (Caffe)"]
