"""The published tables of TFLM-Evaluation, redone by docs/studies-theory-energy.md, where they are here."""

import csv
import json
from pathlib import Path

import pytest

from nntest.analyses.run import run_analysis
from nntest.store.exchange.board_file import import_boards
from nntest.store.repository import Repository

SHARED = Path(__file__).parents[3] / "shared" / "data"
TABLES = SHARED / "mcu"
BOARDS = {"NUCLEO_L496ZG": "L4", "DISCO_F469NI": "F4", "NUCLEO_F767ZI": "F7"}
pytestmark = pytest.mark.skipif(not TABLES.is_dir(), reason="the published tables are not here (../shared/data)")


@pytest.fixture(scope="module")
def boards(tmp_path_factory: pytest.TempPathFactory) -> Path:
    repository = Repository("boards", tmp_path_factory.mktemp("boards"))
    for path in sorted(TABLES.glob("*.csv")):
        import_boards(path, repository)
    return repository.path


def expected() -> dict:
    return json.loads((SHARED / "expected" / "mcu.json").read_text(encoding="utf-8"))


def rows_of(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def close(value: str, wanted: float) -> bool:
    return float(value) == pytest.approx(wanted, rel=1e-6)


def test_figure_2_by_meaning(boards: Path, tmp_path: Path) -> None:
    run_analysis("latency", boards, {"where": "dataset=*benchmarking*"}, tmp_path)
    ours = {(BOARDS[r["platform"]], r["dtype"], r["library"], r["isa"]): r for r in rows_of(tmp_path / "latency.csv")}
    count = 0
    for key, rows in expected()["fig2_by_meaning"].items():
        for row in rows:
            dtype = row["model_type"].removeprefix("W-").split("_")[0]
            library = "cmsis-nn" if row["cmsis-nn"] == "cmsis-nn" else "tflite-micro"
            mine = ours[key.split("|")[1], dtype, library, "fpu" if row["FPU_status"] else "no-fpu"]
            assert close(mine["latency_ms"], row["tflu_mcu_benchmark_mean"])
            count += 1
    assert count == len(ours) == 24


def test_figure_2_as_published_has_the_labels_of_its_positions(boards: Path, tmp_path: Path) -> None:
    run_analysis("latency", boards, {"where": "dataset=*benchmarking*", "labels": "study"}, tmp_path)
    ours = rows_of(tmp_path / "latency.csv")
    for key, panel in expected()["fig2_latency_ms"].items():
        mine = [row["latency_ms"] for row in ours if BOARDS[row["platform"]] == key.split("|")[1]]
        assert [float(value) for value in mine] == pytest.approx([row["latency_ms"] for row in panel["rows"]], rel=1e-6)


def test_figure_3_and_its_front(boards: Path, tmp_path: Path) -> None:
    options = {"where": "dataset=A_Aggregated_energy_inference_table*", "x": "time_us", "y": "energy_mj"}
    run_analysis("pareto", boards, options, tmp_path)
    wanted = expected()["fig3"]["LeNet-MNIST"]
    ours = sorted((float(row["x"]) / 1e3, float(row["y"])) for row in rows_of(tmp_path / "pareto.csv"))
    theirs = sorted((row["latency_ms"], row["energy_mJ"]) for row in wanted["rows"])
    assert ours == [pytest.approx(pair, rel=1e-6) for pair in theirs]
    front = [row for row in rows_of(tmp_path / "pareto.csv") if row["on_front"] == "True"]
    best = [row for row in wanted["rows"] if row["row"] in wanted["nondominated_rows"]]
    assert sorted(float(row["x"]) for row in front) == pytest.approx(sorted(1e3 * row["latency_ms"] for row in best))


@pytest.mark.parametrize(("library", "key"), [("cmsis-nn", "regression"), ("tflite-micro", "regression_no_cmsis")])
def test_figure_5_regression(boards: Path, tmp_path: Path, library: str, key: str) -> None:
    options = {"where": "dataset=F-combined*", "ops": "study", "library": library, "kernel": "3", "layer": "2_CONV_2D"}
    run_analysis("linearity", boards, options, tmp_path)
    (line,) = rows_of(tmp_path / "linearity.csv")
    wanted = expected()["fig5"][key]
    for ours, theirs in (("slope", "slope"), ("intercept", "intercept"), ("r", "rvalue"), ("stderr", "stderr")):
        assert close(line[ours], wanted[theirs])
    assert int(line["n"]) == wanted["n"]
    assert len(rows_of(tmp_path / "linearity-points.csv")) == expected()["fig5"]["rows_after_dropping_errors"]


def test_figure_5_points_and_classes(boards: Path, tmp_path: Path) -> None:
    options = {"where": "dataset=F-combined*", "ops": "study", "library": "cmsis-nn", "kernel": "3"}
    run_analysis("linearity", boards, options, tmp_path)
    ours = {row["length"]: row for row in rows_of(tmp_path / "linearity-points.csv") if row["fitted"] == "True"}
    for point in expected()["fig5"]["points"]:
        mine = ours[f"{point['filters']}.0"]
        assert (float(mine["macs"]), float(mine["flops"])) == (point["MACCs"], point["FLOPs"])
        assert close(mine["latency_s"], point["latency_s"])
        assert mine["class"] == point["parity"].replace("modulo", "multiple of")
    means = {row["class"].replace("multiple of", "modulo"): row for row in rows_of(tmp_path / "linearity-classes.csv")}
    for parity, mean in expected()["fig5"]["mean_latency_by_parity"].items():
        assert close(means[parity]["mean_latency_s"], mean)


@pytest.mark.parametrize("level", ["whole", "layer"])
@pytest.mark.parametrize("scale", ["absolute", "relative"])
def test_figures_6_and_7_fit_every_board(boards: Path, tmp_path: Path, level: str, scale: str) -> None:
    table = "table" if level == "whole" else "layer_table"
    options = {"where": f"dataset=A_Aggregated_energy_inference_{table}*", "level": level, "scale": scale}
    run_analysis("energy", boards, options, tmp_path)
    lines = {row["group"]: row for row in rows_of(tmp_path / "energy.csv")}
    assert set(lines) == {*BOARDS, "all"}
    assert {int(lines[board]["n"]) for board in BOARDS} == {4 if level == "whole" else 40}
    if scale == "absolute":
        powers = [float(lines[board]["mean_power_w"]) for board in BOARDS]
        assert powers == sorted(powers)  # L4, F4, F7
