"""Tables of inferences on boards become points."""

import pickle
from pathlib import Path

import pytest

import nntest
from nntest.errors import DataError, UsageError
from nntest.store.exchange.board_file import import_boards
from nntest.store.repository import Repository

HEAD = "_index,time,MCU,model,mbed-dir,cmsis-nn,compiler_optimization,FPU_status,weights,activations"
ROW = "{n},2020-07-18,NUCLEO_L496ZG,LeNet-MNIST_none_tflite-builtins_none_none,./m,{cmsis},-Ofast,{fpu},int8,{a}"
BENCHMARK = "\n".join(
    [
        f"{HEAD},tflu_mcu_benchmark_mean,tflu_mcu_benchmark_mean_50,model_size",
        ROW.format(n=0, cmsis="none", fpu=1, a="int8") + ",120669.5,,85",
        ROW.format(n=1, cmsis="cmsis-nn", fpu=0, a="float32") + ",,5000.0,85",
    ]
)
LAYERS = "\n".join(
    [
        f"{HEAD},layer,layer_latency_mean,layer_energy_mean",
        ROW.format(n=0, cmsis="none", fpu=1, a="int8") + ",0,0.022,0.0043",
        ROW.format(n=1, cmsis="none", fpu=1, a="int8") + ",1,0.001,0.0001",
    ]
)
SWEEP = "\n".join(
    [
        f"{HEAD},layer,layer_latency_mean,latency_mean,energy_mean,error",
        ROW.format(n=0, cmsis="none", fpu=1, a="int8") + ",1_CONV_2D,203.5,2.5,0.09,",
        ROW.format(n=1, cmsis="none", fpu=1, a="int8") + ",2_CONV_2D,1000.0,2.5,0.09,",
        ROW.format(n=2, cmsis="none", fpu=0, a="int8") + ",,,,,error during compilation",
    ]
)


def convert(tmp_path: Path, text: str, name: str = "table.csv") -> Path:
    (tmp_path / name).write_text(text + "\n", encoding="utf-8")
    return import_boards(tmp_path / name, Repository("mine", tmp_path / "repo")).experiment


def test_benchmarks_hold_microseconds_and_a_mean_of_50_stands_in(tmp_path: Path) -> None:
    frame = nntest.load(convert(tmp_path, BENCHMARK)).sort_values("time_us")
    assert frame["time_us"].tolist() == pytest.approx([5000.0, 120669.5])
    assert frame["library"].tolist() == ["cmsis-nn", "tflite-micro"]
    assert frame["dtype"].tolist() == ["int8/float32", "int8"]
    assert frame["isa"].tolist() == ["no-fpu", "fpu"]
    assert set(frame["model"]) == {"LeNet-MNIST"}
    assert set(frame["trust"]) == {"imported"}
    assert frame["verified"].isna().all()


def test_layers_keep_latency_and_energy_and_the_whole_stays_unknown(tmp_path: Path) -> None:
    experiment = convert(tmp_path, LAYERS)
    layers = nntest.layers(experiment)
    assert layers["index"].tolist() == [0, 1]
    assert layers["time_us"].tolist() == pytest.approx([22000.0, 1000.0])
    assert layers["energy_mj"].tolist() == pytest.approx([4.3, 0.1])
    assert nntest.load(experiment)["time_us"].isna().all()


def test_a_sweep_has_layers_a_whole_and_failures(tmp_path: Path) -> None:
    experiment = convert(tmp_path, SWEEP)
    frame = nntest.load(experiment)
    good, bad = frame[frame["success"]], frame[~frame["success"]]
    assert good["time_us"].tolist() == pytest.approx([2.5e6])
    assert good["energy_mj"].tolist() == pytest.approx([90.0])
    assert (bad["fail_reason"].tolist(), bad["trust"].tolist()) == (["error during compilation"], ["failed"])
    assert nntest.layers(experiment)["time_us"].tolist() == pytest.approx([203.5, 1000.0])


def test_a_row_that_stands_twice_was_measured_once(tmp_path: Path) -> None:
    twice = "\n".join(line for line in SWEEP.split("\n") for _ in range(1 if line == HEAD else 2))
    layers = nntest.layers(convert(tmp_path, twice))
    assert layers["time_us"].tolist() == pytest.approx([203.5, 1000.0])


def test_errors_that_are_unknown_are_none(tmp_path: Path) -> None:
    frame = nntest.load(convert(tmp_path, SWEEP.replace("2.5,0.09,", "2.5,0.09,nan")))
    assert frame["success"].sum() == 1


def test_the_same_table_again_adds_nothing(tmp_path: Path) -> None:
    experiment = convert(tmp_path, SWEEP)
    before = sorted(experiment.glob("ckp-*"))
    again = import_boards(tmp_path / "table.csv", Repository("mine", tmp_path / "repo"))
    assert (again.points, again.added, again.failed, again.rows) == (2, 0, 1, 3)
    assert sorted(experiment.glob("ckp-*")) == before


def test_a_pickle_is_never_loaded(tmp_path: Path) -> None:
    path = tmp_path / "table.csv"
    path.write_bytes(pickle.dumps({"a": 1}))
    with pytest.raises(
        UsageError, match=r"table\.csv: is a pickle, and loading one may run any code; turn it into CSV"
    ):
        import_boards(path, Repository("mine", tmp_path / "repo"))


def test_another_table_is_refused_by_its_columns(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"table\.csv: MCU, model, .* is missing; expected a table of TFLM-Evaluation "):
        convert(tmp_path, "a,b\n1,2")
    with pytest.raises(DataError, match=r"table\.csv: no column holds a latency; expected "):
        convert(tmp_path, HEAD + "\n" + ROW.format(n=0, cmsis="none", fpu=1, a="int8"))
