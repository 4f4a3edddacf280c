import pandas as pd

from nntest.analyses.names import (
    count_noun,
    listed,
    natural_key,
    pretty,
    setting_labels,
    sort_naturally,
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


def test_unknown_names_stay_as_they_are() -> None:
    assert (pretty("onednn-cpu"), pretty("my-lib")) == ("oneDNN", "my-lib")
