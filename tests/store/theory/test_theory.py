"""Tables of devices and networks: forms, names, contradictions."""

import math
from pathlib import Path

import pytest

from nntest.errors import DataError
from nntest.model.roof import HardwareRow, Workload, attainable_tops
from nntest.store.repository import Repository
from nntest.store.theory import (
    Names,
    find_hardware,
    find_names,
    find_workloads,
    merge_workloads,
    parse_hardware,
    parse_workloads,
    read_hardware,
    save_hardware,
)
from nntest.store.theory.contradictions import hardware_contradictions, workload_contradictions
from nntest.store.theory.csv_table import parse_table

NAMES = find_names()
WIDE = """Hardware Platforms,INT2,INT8,FP16,Memory Bandwidth,Memory Capacity,Power
,[TOP/sec],[TOP/sec],[TOP/sec],[GBps],[GB],[Watt]
TX2 - maxn,na,na,1.33,59.7,8,15
EdgeTPU-fast,na,4,na,25.6,1,na
"""
NARROW = "Name,Peak_Performance,Bandwidth\nTX2 maxn FP16,1.33,0.0597\nNobody INT8,0.2,\n"


def test_both_published_forms_give_the_same_rows() -> None:
    wide = parse_hardware(parse_table(WIDE, where="wide"), NAMES)
    narrow = parse_hardware(parse_table(NARROW, where="narrow"), NAMES)
    assert [(row.platform, row.datatype, row.peak_tops, row.bandwidth_gb_s) for row in wide] == [
        ("TX2-maxn", "FP16", 1.33, 59.7),
        ("TPU-fast", "INT8", 4.0, 25.6),
    ]
    assert narrow[0].platform == "TX2-maxn"
    assert narrow[0].bandwidth_gb_s == pytest.approx(59.7)
    assert (wide[0].power_w, wide[1].power_w, narrow[1].bandwidth_gb_s) == (15.0, None, None)


@pytest.mark.parametrize(
    ("name", "parts"),
    [
        ("CNV 12.5%-INT2", ("CNV", 12.5, "INT2")),
        ("CNV_100%_INT2", ("CNV", 100.0, "INT2")),
        ("ResNet-50 30%", ("ResNet-50", 30.0, "")),
        ("ResNet-50", ("ResNet-50", 100.0, "")),
        ("ResNet-50 100", ("ResNet-50", 100.0, "")),
        ("CNV-50%", ("CNV", 50.0, "")),
        ("EfficientNet Edge L", ("EfficientNet-L", 100.0, "")),
        ("EfficientNet small", ("EfficientNet-S", 100.0, "")),
        ("GoogLeNet V1", ("GoogLeNetv1", 100.0, "")),
        ("ResNet-50_", ("ResNet-50_", 100.0, "")),
        ("Nobody's Net", ("Nobody's Net", 100.0, "")),
    ],
)
def test_names_of_networks_come_apart(name: str, parts: tuple[str, float, str]) -> None:
    assert NAMES.split_network(name) == parts


def test_a_network_exists_in_the_datatypes_that_a_table_knows() -> None:
    sizes = [Workload(network="A", gops=2.0, parameters_m=4.0), Workload(network="B", gops=1.0, parameters_m=1.0)]
    operations = [Workload(network="A", datatype="INT2", gops=2.1), Workload(network="A", datatype="FP32")]
    merged = {row.model: row for row in merge_workloads(sizes, operations)}
    assert {name for name in merged if name.startswith("A")} == {"A_100%_INT2", "A_100%_FP32"}
    assert {name for name in merged if name.startswith("B")} == {
        f"B_100%_{datatype}" for datatype in ("INT2", "INT4", "INT8", "FP16", "FP32")
    }
    assert (merged["A_100%_INT2"].gops, merged["A_100%_FP32"].gops) == (2.1, 2.0)
    assert merged["B_100%_FP16"].intensity() == pytest.approx(500.0)


def test_accuracies_lose_their_top5_and_what_was_not_measured() -> None:
    text = " ,INT8,FP16,FP32\n ,top1 (top5) [%],x,x\nResNet-50 30,68.83 ( 90.16),nm,\n"
    (row,) = parse_workloads(parse_table(text, where="a.csv"), NAMES)
    assert (row.datatype, row.pruning_pct, row.top1_pct, row.top5_pct) == ("INT8", 30.0, 68.83, 90.16)


def test_the_roof_bends_where_memory_feeds_the_peak() -> None:
    assert attainable_tops(30.7, 19.2, 304.96) == (pytest.approx(5.855232), "memory")
    assert attainable_tops(1.0, 10.0, 100.0) == (1.0, "compute")


def test_contradictions_name_both_sources() -> None:
    rows = [
        HardwareRow(platform="BISMO", datatype="INT2", peak_tops=30.7, source="one.csv"),
        HardwareRow(platform="BISMO", datatype="INT2", peak_tops=2.45, source="two.csv"),
        HardwareRow(platform="BISMO", datatype="INT4", peak_tops=2.45, source="two.csv"),
    ]
    (found,) = hardware_contradictions(rows)
    assert str(found) == (
        "BISMO: peak_tops of INT2 is 30.7 in one.csv and 2.45 in two.csv; expected equal; correct one, or rename what "
        "is another device or network"
    )
    loads = [Workload(network="E", gops=4.7, source="a"), Workload(network="E", gops=19.4, source="b")]
    assert [item.quantity for item in workload_contradictions(loads)] == ["gops"]


def test_shipped_tables_do_not_contradict_each_other() -> None:
    assert hardware_contradictions(row for row in find_hardware(NAMES) if not row.machine) == []
    assert workload_contradictions(find_workloads(NAMES)) == []


def test_a_measured_machine_replaces_its_own_rows_only(tmp_path: Path) -> None:
    repository = Repository("mine", tmp_path)
    for peak in (1.0, 2.0):
        path = save_hardware(repository, [_measured("a", peak)], machine="a")
    save_hardware(repository, [_measured("b", 3.0)], machine="b")
    assert [(row.machine, row.peak_tops, row.threads) for row in read_hardware(path, Names())] == [
        ("a", 2.0, 2),
        ("b", 3.0, 2),
    ]
    assert len(find_hardware(Names(), repositories=[repository])) == 2


def _measured(machine: str, peak: float) -> HardwareRow:
    return HardwareRow(platform="cpu", datatype="FP32", peak_tops=peak, threads=2, machine=machine)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "t.csv: is empty; expected a CSV file with a heading; check the file"),
        ("Name,Peak_Performance,Bandwidth\nA INT8,much,1\n", "t.csv: Peak_Performance is 'much'; expected a number, "),
        ("a,b\n1,2\n", "t.csv: the columns a, b are those of no hardware table; expected "),
    ],
)
def test_what_is_no_hardware_table_is_refused(text: str, message: str) -> None:
    with pytest.raises(DataError) as caught:
        parse_hardware(parse_table(text, where="t.csv"), NAMES)
    assert str(caught.value).startswith(message)


def test_intensity_is_unknown_without_parameters() -> None:
    assert Workload(network="A", gops=1.0, datatype="INT8").intensity() is None
    assert not math.isnan(attainable_tops(1, 1, 1)[0])
