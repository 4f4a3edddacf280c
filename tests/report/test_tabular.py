import base64

import pandas as pd
import pytest

from nntest.report.tabular import MAX_ROWS, format_value, sheet


def test_what_is_equal_everywhere_is_said_once() -> None:
    found = sheet(pd.DataFrame({"cpu": ["x", "x"], "time_us": [1.0, 2.0]}), name="a", title="A", file="a.csv")
    assert found.constants == (("cpu", "x"),)
    assert found.columns == ("time us",)
    assert [[cell.text for cell in row] for row in found.rows] == [["1"], ["2"]]


def test_the_file_travels_inside() -> None:
    found = sheet(pd.DataFrame({"a": [1]}), name="a", title="A", file="a.csv")
    assert base64.b64decode(found.href.partition("base64,")[2]) == b"a\n1\n"


def test_long_tables_say_what_only_the_file_has() -> None:
    found = sheet(pd.DataFrame({"a": range(MAX_ROWS + 7)}), name="a", title="A", file="a.csv")
    assert (len(found.rows), found.left_out) == (MAX_ROWS, 7)


def test_large_files_stay_outside() -> None:
    assert sheet(pd.DataFrame({"a": ["x" * 1000] * 1000}), name="a", title="A", file="a.csv").href == ""


def test_numbers_sort_by_value() -> None:
    found = sheet(pd.DataFrame({"a": [12345.678, 0.000123456]}), name="a", title="A", file="a.csv")
    assert [(row[0].text, row[0].key) for row in found.rows] == [("12,346", "12345.678"), ("0.0001235", "0.000123456")]


@pytest.mark.parametrize(
    ("value", "column", "text"),
    [(None, "", ""), (float("nan"), "", ""), (pd.NA, "", ""), (True, "", "yes"), (3, "", "3"), (1234.5, "", "1,234"),
     ("onednn-cpu", "library", "oneDNN"), ("onednn-cpu", "program", "onednn-cpu")],
)  # fmt: skip
def test_format_value(value: object, column: str, text: str) -> None:
    assert format_value(value, column) == text
