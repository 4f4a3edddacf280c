import pandas as pd
import pytest

from nntest.analyses.names import (
    count_noun,
    drawable_names,
    equals,
    listed,
    natural_key,
    pretty,
    setting_labels,
    sort_naturally,
    split_version,
    subject_labels,
)
from tests.analyses.frames import row, typed


def test_numbers_sort_as_numbers() -> None:
    assert sorted(["512-7", "64-7", "64-14", "a"], key=natural_key) == ["64-7", "64-14", "512-7", "a"]


def test_rows_sort_by_several_columns() -> None:
    frame = pd.DataFrame({"shape": ["64-7", "512-7", "64-7"], "program": ["b", "a", "a"]})
    assert sort_naturally(frame).values.tolist() == [["64-7", "a"], ["64-7", "b"], ["512-7", "a"]]


def test_a_legend_tells_apart_only_what_differs() -> None:
    frame = typed([row(), row(library_version="2.6.3"), row(program="conv-plain-cpu", library_version="1.0.0")])
    assert subject_labels(frame).tolist() == ["conv-onednn-cpu v3.2.0", "conv-onednn-cpu v2.6.3", "conv-plain-cpu"]


def test_settings_are_said_only_where_they_differ() -> None:
    frame = typed([row(threads=1, batch_size=1), row(threads=2, batch_size=1)])
    assert setting_labels(frame, ["batch_size", "threads"]).tolist() == ["threads 1", "threads 2"]
    assert setting_labels(frame, ["batch_size"]).tolist() == ["", ""]


def test_words() -> None:
    assert (count_noun(1, "class"), count_noun(2, "class"), count_noun(1200, "shape")) == (
        "1 class",
        "2 classes",
        "1,200 shapes",
    )
    assert listed([]) == ""
    assert listed(["a"]) == "a"
    assert listed(["a", "b", "c"]) == "a, b and c"
    assert listed("abcdef") == "a, b, c, d and 2 more"


@pytest.mark.parametrize(
    ("tag", "base", "version"),
    [
        ("onednn-cpu-3.2.0", "onednn-cpu", "3.2.0"),
        ("arm-compute-library-opencl-18.05-b3a371b", "arm-compute-library-opencl", "18.05-b3a371b"),
        ("nvidia-fp16-cuda", "nvidia-fp16-cuda", ""),
        ("<script>", "<script>", ""),
    ],
)
def test_a_tag_is_name_and_version(tag: str, base: str, version: str) -> None:
    assert split_version(tag) == (base, version)


def test_a_library_may_be_named_without_its_version() -> None:
    libraries = pd.Series(["onednn-cpu-3.2.0", "onednn-cpu-2.6.3", "x-1.0"], name="library")
    assert equals(libraries, "onednn-cpu-2.6.3").tolist() == [False, True, False]
    assert equals(libraries, "onednn-cpu").tolist() == [True, True, False]
    assert equals(libraries.rename("program"), "x").tolist() == [False, False, False]


def test_networks_of_a_family_are_named_alike() -> None:
    assert pretty("network-mobilenets-v1-1.0-224") == pretty("mobilenets-v1-1.0-224") == "MobileNet v1 1.0 224"
    assert pretty("mobilenets-v1-0.25-128") == "MobileNet v1 0.25 128"
    assert [pretty(name) for name in ("resnet-50", "vgg-16", "lenet-5")] == ["ResNet-50", "VGG-16", "LeNet-5"]
    # two sources' models of one kind stay two
    assert (
        len({pretty(name) for name in ("squeezenet-1.1", "deepscale-squeezenet-1.1", "alexnet", "bvlc-alexnet")}) == 4
    )


def test_unknown_names_stay_as_they_are() -> None:
    assert (pretty("onednn-cpu"), pretty("onednn-cpu-3.2.0")) == ("oneDNN", "oneDNN 3.2.0")
    assert (pretty("my-lib"), pretty("my-lib-1.0")) == ("my-lib", "my-lib-1.0")


def test_charts_get_names_that_fit_and_stay_different() -> None:
    hostile = ["x" * 500, "x" * 60 + "y" + "x" * 439, "a\x00\x1b\nb", "a\\x00\\x1b b", "\u202edlo", "plain"]
    frame = pd.DataFrame({"program": hostile, "time_us": 1.0, "tuner": pd.NA})
    drawn = drawable_names({"points": frame})["points"]
    assert drawn["program"].str.len().max() <= 66
    assert drawn["program"].tolist()[2:] == ["a\\x00\\x1b b (2)", "a\\x00\\x1b b", "\\u202edlo", "plain"]
    assert drawn["program"].is_unique
    assert frame["program"].tolist() == hostile
    plain = frame.iloc[5:].astype({"program": "category"})
    assert drawable_names({"points": plain})["points"] is plain
