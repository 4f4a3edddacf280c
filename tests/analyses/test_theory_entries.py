"""The entries analysis/prediction, roofline and hardware, on small tables of the published forms."""

from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from nntest.analyses.contract import Frames
from nntest.analyses.entries import load_analysis
from nntest.analyses.options import parse_options
from nntest.analyses.run import Result, carry_out
from nntest.analyses.theory import hardware_rows, theory_names
from nntest.analyses.work import Work, machine_for, work_of
from nntest.errors import UsageError
from nntest.model.roof import HardwareRow
from tests.analyses.conftest import Carry
from tests.analyses.frames import network, repetitions, typed

HARDWARE = """Hardware Platforms,INT2,INT8,FP16,Memory Bandwidth,Memory Capacity,Power
,[TOP/sec],[TOP/sec],[TOP/sec],[GBps],[GB],[Watt]
ZCU104-FINN,30.7,na,na,19.2,4,na
TX2 - maxn,na,na,1.33,59.7,8,15
"""
NETWORKS = """ ,Total OPs,Total Model Size,OI (INT2),OI (FP16)
 ,GOPs,[ME],[Ops/Byte],[Ops/Byte]
CNV 100%,0.5,6.16,304.95,38.12
"""
OWN = """platform,datatype,peak_tops,level,bandwidth_gb_s,capacity_mb,threads
AMD EPYC 9005,FP32,0.1,,,,1
AMD EPYC 9005,,,L2,100,1,1
AMD EPYC 9005,,,memory,10,,1
"""


@pytest.fixture
def carry() -> Carry:
    """Carry out an entry; all keywords are options, ``hardware`` too."""

    def run(name: str, points: pd.DataFrame, **given: Any) -> Result:
        analysis = load_analysis(name)
        options = parse_options(analysis.declared, given, where=name)
        return carry_out(analysis, options, Frames(points=points, networks=network()))

    return run


@pytest.fixture
def files(tmp_path: Path) -> dict[str, str]:
    texts = {"hardware": HARDWARE, "networks": NETWORKS, "own": OWN}
    for name, text in texts.items():
        (tmp_path / f"{name}.csv").write_text(text)
    return {name: str(tmp_path / f"{name}.csv") for name in texts}


def test_prediction_is_the_roof_over_the_operations(carry: Carry, files: dict[str, str]) -> None:
    main = carry("prediction", typed([]), hardware=files["hardware"], networks=files["networks"]).tables["prediction"]
    cells = main.set_index(["platform", "datatype", "model"])["inputs_per_s"]
    assert cells["ZCU104-FINN", "INT2", "CNV_100%_INT2"] == pytest.approx(304.95 * 19.2 / 0.5)
    assert cells["TX2-maxn", "FP16", "CNV_100%_FP16"] == pytest.approx(1330 / 0.5)
    assert pd.isna(cells["TX2-maxn", "FP16", "CNV_100%_INT2"])
    bounds = main.dropna(subset=["inputs_per_s"])["bound"].tolist()
    assert bounds == ["memory", "compute"]


def test_a_curve_has_start_ridge_and_end(carry: Carry, files: dict[str, str]) -> None:
    main = carry("roofline", typed([]), hardware=files["hardware"], networks=files["networks"]).tables["roofline"]
    assert main.columns[:5].tolist() == ["name", "kind", "oi_ops_per_byte", "tops", "bound"]
    curve = main[main["name"] == "TX2-maxn FP16"]
    assert curve["oi_ops_per_byte"].tolist() == pytest.approx([0.1, 1.33 / 0.0597, 160_000])
    assert curve["tops"].tolist() == pytest.approx([0.00597, 1.33, 1.33])
    lines = main[main["kind"] == "network"]
    assert lines["oi_ops_per_byte"].tolist() == pytest.approx([304.95 / 4])


def test_groups_are_switched_and_unknown_ones_refused(carry: Carry, files: dict[str, str]) -> None:
    main = carry("roofline", typed([]), hardware=files["hardware"], groups="fpga").tables["roofline"]
    assert set(main["group"]) == {"FPGA"}
    with pytest.raises(UsageError, match=r"^roofline: there is no group 'FPGB'; did you mean FPGA\?$"):
        carry("roofline", typed([]), hardware=files["hardware"], groups="FPGB")


def test_a_point_stands_under_the_roof_of_its_own_traffic(carry: Carry, files: dict[str, str]) -> None:
    shape, times = "512-14-14-1-512-1-0", [2000.0, 2001.0, 1999.0]
    points = typed(repetitions(times, launches=3, shape=shape))
    main = carry("roofline", points, hardware=files["own"]).tables["roofline"]
    point = main[main["kind"] == "point"].iloc[0]
    work = work_of("conv", shape)
    assert work is not None
    assert point["oi_ops_per_byte"] == pytest.approx(work.flops / work.traffic)
    assert point["tops"] == pytest.approx(work.flops / 2e-3 * 1e-12)
    # 1 MB stays in the L2, the rest comes from memory; computing takes longer than both
    assert (point["bound"], point["roof_tops"], point["error"]) == ("compute", pytest.approx(0.1), "")


def test_a_point_above_its_roof_is_an_error(carry: Carry, files: dict[str, str]) -> None:
    points = typed(repetitions([1000.0, 1001.0, 999.0], launches=3, shape="512-14-14-1-512-1-0"))
    result = carry("roofline", points, hardware=files["own"])
    point = result.tables["roofline"].query("kind == 'point'").iloc[0]
    assert point["error"] == "above 1.02 of its roof"
    assert "1 case above 1.02 of the roof" in result.finding


def test_what_was_evicted_comes_from_memory() -> None:
    rows = [
        HardwareRow(platform="p", datatype="FP32", peak_tops=100.0, threads=1),
        HardwareRow(platform="p", level="L1", bandwidth_gb_s=100, capacity_mb=1, threads=1),
        HardwareRow(platform="p", level="memory", bandwidth_gb_s=10, threads=1),
    ]
    machine = machine_for(rows, platform="p", machine="", datatype="FP32", threads=1)
    assert machine is not None
    work = Work(macs=1, flops=2, study_flops=0, traffic=3_000_000, weights=1_000_000)
    times = {
        cache: machine.seconds(work, operations=2, traffic=3e6, cache=cache)[0]
        for cache in ("warm", "cold_weights", "cold_all")
    }
    assert times == pytest.approx({"warm": 1e-5 + 2e-4, "cold_weights": 1e-4 + 1e-5 + 1e-4, "cold_all": 3e-4})


def test_predicted_stands_beside_measured(carry: Carry, files: dict[str, str]) -> None:
    rows = []
    for shape, factor in (("512-14-14-1-512-1-0", 2.0), ("256-28-28-1-256-1-0", 3.0), ("64-56-56-1-128-1-0", 4.0)):
        work = work_of("conv", shape)
        assert work is not None
        roof_us = work.flops / 0.1e12 * 1e6
        rows += repetitions([roof_us * factor] * 3, launches=3, shape=shape)
    result = carry("prediction", typed(rows), hardware=files["own"])
    layers = result.tables["cases"]
    assert layers["ratio"].tolist() == pytest.approx([2.0, 3.0, 4.0])
    assert layers["error_pct"].tolist() == pytest.approx([100.0, 200.0, 300.0])
    assert result.tables["ranks"].iloc[0]["cases"] == 3


def test_own_tables_are_found_without_options() -> None:
    names = theory_names()
    assert {"ZCU104-FINN", "NCS"} <= {row.platform for row in hardware_rows((), names)}
