"""The published tables of QuTiBench, redone by the commands of docs/studies-theory-energy.md, where they are here."""

import csv
import json
from pathlib import Path

import pytest

from nntest.analyses.run import run_analysis

SHARED = Path(__file__).parents[3] / "shared" / "data"
TABLES = SHARED / "qutibench"
needs_data = pytest.mark.skipif(not TABLES.is_dir(), reason="the published tables are not here (../shared/data)")
STUDY = {
    "hardware": str(TABLES / "hardware_platforms.csv"),
    "networks": str(TABLES / "cnn_topologies_compute_memory_requirements.csv"),
    "gops": str(TABLES / "gops_per_input.csv"),
    "accuracy": str(TABLES / "cnn_topologies_accuracy.csv"),
}


def rows_of(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def expected() -> dict:
    return json.loads((SHARED / "expected" / "qutibench.json").read_text(encoding="utf-8"))


@needs_data
def test_predictions_are_those_that_were_published(tmp_path: Path) -> None:
    run_analysis("prediction", TABLES, {**STUDY, "cells": "study"}, tmp_path)
    ours = {(f"{row['platform']}-{row['datatype']}", row["model"]): row for row in rows_of(tmp_path / "prediction.csv")}
    differ, cells = [], 0
    for task in ("cifar10", "mnist"):
        for row in rows_of(TABLES / f"performance_prediction_{task}.csv"):
            if row["y"] == "y":
                continue
            mine = ours[row["y"], row["x"]]["inputs_per_s"]
            assert bool(mine) == bool(row["values"]), row
            cells += 1
            if mine and abs(float(mine) / float(row["values"]) - 1) > 1e-4:
                differ.append((row["y"], row["x"], float(mine) / float(row["values"])))
    # the published cell is half of what the formula and its twin give
    assert differ == [("ZCU104-FINN-INT2", "MLP_25%_INT2", 2.0)]
    assert cells == 576


@needs_data
def test_the_formula_fills_what_was_left_blank(tmp_path: Path) -> None:
    run_analysis("prediction", TABLES, STUDY, tmp_path / "formula")
    run_analysis("prediction", TABLES, {**STUDY, "cells": "study"}, tmp_path / "study")
    blank = {}
    for name in ("formula", "study"):
        rows = rows_of(tmp_path / name / "prediction.csv")
        blank[name] = {
            (row["platform"], row["datatype"], row["model"])
            for row in rows
            if row["group"] == "ImageNet" and row["inputs_per_s"]
        }
    assert len(blank["formula"] - blank["study"]) == 26


@needs_data
def test_roofs_and_network_lines(tmp_path: Path) -> None:
    options = {"networks": str(TABLES / "topology_details.csv"), "oi": "weights",
               "hardware": str(TABLES / "peakPerfBandHardPlatf.csv")}  # fmt: skip
    run_analysis("roofline", TABLES, options, tmp_path)
    rows = rows_of(tmp_path / "roofline.csv")
    lines = sorted(float(row["oi_ops_per_byte"]) for row in rows if row["kind"] == "network")
    networks = expected()["roofline"]["networks"]
    assert [int(oi) for oi in lines] == sorted(int(oi) for network in networks.values() for oi in network["stored"])
    ridges = {}
    for row in rows:
        if row["kind"] == "platform":
            ridges.setdefault(row["name"], []).append((float(row["oi_ops_per_byte"]), float(row["tops"])))
    published = expected()["roofline"]["platforms"]
    for name, theirs in (
        ("TX2-maxn FP16", "TX2 maxn FP16"),
        ("NCS INT8", "NCS INT8"),
        ("TPU-slow INT8", "TPU slow INT8"),
    ):
        _, ridge, _ = ridges[name]
        assert ridge == pytest.approx((published[theirs]["ridge_point_ops_per_byte"], published[theirs]["peak_TOPs"]))


@needs_data
@pytest.mark.parametrize(("task", "key"), [("cifar10", "cnv"), ("mnist", "mlp")])
def test_pareto_sets_of_the_design_spaces(task: str, key: str, tmp_path: Path) -> None:
    options = {"performance": str(TABLES / f"performance_prediction_{task}.csv"), "accuracy": STUDY["accuracy"]}
    run_analysis("pareto", TABLES, options, tmp_path)
    rows = rows_of(tmp_path / "pareto.csv")
    wanted = expected()[f"{key}_design_space_theoretical"]
    assert len(rows) == wanted["n"]
    assert {row["label"] for row in rows if row["on_front"] == "True"} == {
        p["id"] for p in wanted["pareto_nondominated"]
    }


@needs_data
def test_the_front_as_published_keeps_one_of_equal_choices(tmp_path: Path) -> None:
    options = {"performance": str(TABLES / "performance_prediction_cifar10.csv"), "accuracy": STUDY["accuracy"]}
    run_analysis("pareto", TABLES, {**options, "ties": "first"}, tmp_path)
    front = {
        (float(row["x"]), float(row["y"])) for row in rows_of(tmp_path / "pareto.csv") if row["on_front"] == "True"
    }
    wanted = expected()["cnv_design_space_theoretical"]["pareto_as_study_code_one_tie_order"]
    assert front == {(p["x_fps"], p["y_top1"]) for p in wanted}


@needs_data
def test_measured_front_agrees_where_its_rows_are_here(tmp_path: Path) -> None:
    file = TABLES / "experimental_data_cifar.csv"
    options = {"table": str(file), "x": "fps-comp", "y": "top1", "label": "hardw_datatype_net_prun,batch/thread/stream"}
    run_analysis("pareto", TABLES, options, tmp_path)
    front = {row["label"] for row in rows_of(tmp_path / "pareto.csv") if row["on_front"] == "True"}
    wanted = {
        f"{p['hw']}_{p['datatype']}_CNV_{p['pruning']} {p['batch']}"
        for p in expected()["cnv_measured"]["pareto_nondominated"]
    }
    here = {f"{row['hardw_datatype_net_prun']} {row['batch/thread/stream']}" for row in rows_of(file)}
    assert wanted & here <= front
    assert len(wanted & here) >= 5


@needs_data
def test_tables_have_units_in_the_header_and_contradictions_are_found(tmp_path: Path) -> None:
    both = f"{STUDY['hardware']},{TABLES / 'peakPerfBandHardPlatf.csv'}"
    run_analysis("hardware", TABLES, {**STUDY, "hardware": both}, tmp_path)
    platforms = rows_of(tmp_path / "hardware.csv")
    assert len(platforms) == 12
    assert {"int8_tops", "bandwidth_gb_s", "capacity_gb", "power_w"} <= set(platforms[0])
    top = next(row for row in rows_of(tmp_path / "hardware-accuracy.csv") if row["pruning_pct"] == "30.0")
    assert (top["int8_top1_pct"], top["int8_top5_pct"]) == ("68.83", "90.16")
    assert len(rows_of(tmp_path / "hardware-accuracy_long.csv")) == 45
