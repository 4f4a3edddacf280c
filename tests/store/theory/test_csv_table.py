"""CSV files as people publish them, in whatever order and dress."""

from pathlib import Path

import pytest

from nntest.errors import DataError
from nntest.store.theory.csv_table import name_column, number, parse_table, read_table
from nntest.store.theory.hardware import parse_hardware
from nntest.store.theory.names import Names
from nntest.store.theory.workloads import parse_workloads

WIDE = (
    ",INT8,FP16,Memory Bandwidth,Memory Capacity,Power\n"
    ",[TOP/sec],[TOP/sec],[GBps],[GB],[Watt]\n"
    "A,0.96,na,4.26,2,na\n"
    "B,na,1.33,59.7,8,15\n"
)
PERMUTED = (
    "Memory Capacity,FP16,Power,,INT8,Memory Bandwidth\n"
    "[GB],[TOP/sec],[Watt],,[TOP/sec],[GBps]\n"
    "8,1.33,15,B,na,59.7\n"
    "2,na,na,A,0.96,4.26\n"
)


def test_columns_and_rows_may_come_in_any_order() -> None:
    straight, turned = (parse_hardware(parse_table(text, where="t"), Names()) for text in (WIDE, PERMUTED))
    assert straight == list(reversed(turned))
    assert [(row.platform, row.datatype, row.peak_tops) for row in straight] == [
        ("A", "INT8", 0.96),
        ("B", "FP16", 1.33),
    ]


def test_a_device_without_a_peak_keeps_its_memory() -> None:
    (row,) = parse_hardware(parse_table("Platform,INT8,Memory Bandwidth\nA,na,4.26\n", where="t"), Names())
    assert (row.platform, row.datatype, row.peak_tops, row.bandwidth_gb_s) == ("A", "", None, 4.26)


def test_accuracies_are_found_beside_a_column_of_numbers() -> None:
    rows = parse_workloads(parse_table("_index,FP32,INT8,FP16,Net\n0,67 (88),nm,nm,X 50\n", where="t"), Names())
    assert [(row.network, row.pruning_pct, row.datatype, row.top1_pct) for row in rows] == [("X", 50.0, "FP32", 67.0)]


@pytest.mark.parametrize("end", ["\n", "\r\n"])
@pytest.mark.parametrize("extra", ["", ","])
def test_dress_says_nothing(tmp_path: Path, end: str, extra: str) -> None:
    lines = ["a , b", " x,1 ", "", "a,b", "y,"]
    (tmp_path / "t.csv").write_bytes(b"\xef\xbb\xbf" + "".join(f"{line}{extra}{end}" for line in lines).encode())
    table = read_table(tmp_path / "t.csv")
    assert table.columns == ("a", "b")
    assert table.rows == ({"a": "x", "b": "1"}, {"a": "y", "b": ""})


def test_a_short_line_lacks_its_last_cells() -> None:
    assert parse_table("a,b,c\n1\n", where="t").rows == ({"a": "1", "b": "", "c": ""},)


def test_a_cell_may_hold_a_listing_over_lines() -> None:
    listing = "x" * 200_000
    assert parse_table(f'a,b\n"[1\n 2]",{listing}\n', where="t").rows == ({"a": "[1\n 2]", "b": listing},)


def test_an_alias_without_group_is_no_line_of_units() -> None:
    assert len(parse_table("kind,name,group\nnetwork,A,\n", where="t").rows) == 1


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "t: is empty; expected a CSV file with a heading; check the file"),
        ("a,b\n1,2,3\n", "t: line 2: 3 cells; expected 2; correct the line"),
        ("a,b\n\n[x],[y]\n1,2,3\n", "t: line 4: 3 cells; expected 2; correct the line"),
        ("a,a\n1,2\n", "t: several columns are named 'a'; expected one; rename or remove the others"),
    ],
)
def test_what_is_no_table_is_told_by_line(text: str, message: str) -> None:
    with pytest.raises(DataError) as caught:
        parse_table(text, where="t")
    assert str(caught.value) == message


@pytest.mark.parametrize(
    ("text", "value"),
    [("0.96", 0.96), ("1.83E+11", 1.83e11), ("12,457.94", 12457.94), ("1,234,567", 1234567.0), (".5", 0.5),
     ("NA", None), ("nm", None), ("N/A", None), ("NaN", None), ("--", None), ("<NA>", None)],
)  # fmt: skip
def test_numbers_as_they_are_published(text: str, value: float | None) -> None:
    assert number({"c": text}, "c", where="t") == value


@pytest.mark.parametrize("text", ["1,234", "0,96", "1_000", "inf", "fast", "1.2.3", "12,34.5", "5 W"])
def test_what_may_mean_two_things_is_no_number(text: str) -> None:
    with pytest.raises(DataError) as caught:
        number({"c": text}, "c", where="t")
    assert str(caught.value) == f"t: c is {text!r}; expected a number, na or nothing; correct the cell"


def test_the_column_of_names_holds_words() -> None:
    table = parse_table("n,FP32,who\n1,2,A\n3,na,B\n", where="t")
    assert name_column(table, ("FP32",)) == "who"
