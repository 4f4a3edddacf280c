"""The entry analysis/pareto on tables of its own, and measured tables in prediction."""

from pathlib import Path

import pytest

from nntest.errors import DataError, UsageError
from tests.analyses.conftest import Carry
from tests.analyses.frames import typed

CHOICES = "name,fps,top1\na,10,80\nb,20,70\nc,15,70\nd,20,70\ne,na,99\n"
MEASURED = "NN_Topology,HWType,Datatype,Op mode,fps-comp,fps-system,PruningFactor\n"


def test_ties_are_kept_and_unknown_metrics_left_out(carry: Carry, tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text(CHOICES)
    options = {"table": str(tmp_path / "t.csv"), "x": "fps", "y": "top1", "label": "name"}
    main = carry("pareto", typed([]), **options).tables["pareto"]
    assert main.columns[:5].tolist() == ["group", "label", "x", "y", "on_front"]
    assert main["label"].tolist() == ["a", "b", "c", "d"]
    assert main.loc[main["on_front"], "label"].tolist() == ["a", "b", "d"]
    main = carry("pareto", typed([]), **options, ties="first").tables["pareto"]
    assert main.loc[main["on_front"], "label"].tolist() == ["a", "b"]


def test_a_cell_that_is_no_number_is_told_not_dropped(carry: Carry, tmp_path: Path) -> None:
    file = tmp_path / "t.csv"
    file.write_text(CHOICES.replace("15", '"1,500"'))
    with pytest.raises(DataError) as caught:
        carry("pareto", typed([]), table=str(file), x="fps", y="top1")
    assert str(caught.value) == f"{file}: fps is '1,500'; expected a number, na or nothing; correct the cell"


def test_a_prediction_that_is_no_number_is_told_with_its_place(carry: Carry, tmp_path: Path) -> None:
    file = tmp_path / "p.csv"
    file.write_text(
        "y,x,values\nNCS-FP16,CNV_100%_FP16,1\ny,x,values\nNCS-FP16,CNV_50%_FP16,\nNCS-FP16,CNV_25%_FP16,?\n"
    )
    with pytest.raises(DataError) as caught:
        carry("pareto", typed([]), performance=str(file))
    expected = (
        f"{file}: NCS-FP16, CNV_25%_FP16: inputs_per_s is '?'; expected a number, na or nothing; correct the cell"
    )
    assert str(caught.value) == expected


def test_an_unknown_metric_names_the_nearest(carry: Carry, tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text(CHOICES)
    with pytest.raises(UsageError, match=r"^pareto: there is no column 'fsp'; did you mean fps\?$"):
        carry("pareto", typed([]), table=str(tmp_path / "t.csv"), x="fsp", y="top1")


@pytest.mark.parametrize("device", ["GPU", "TX2-maxp"])
@pytest.mark.parametrize(("rate", "best"), [("compute", 1939.6), ("system", 1302.8)])
def test_a_device_is_known_in_both_spellings(carry: Carry, tmp_path: Path, device: str, rate: str, best: float) -> None:
    (tmp_path / "m.csv").write_text(
        f"{MEASURED}CNV,{device},FP16,maxp,785.6,567.9,100.0\nCNV,{device},FP16,maxp,1939.6,1302.8,100.0\n"
        "CNV,NCS2,FP16,,200.8,151.6,50.0\n"
    )
    tables = carry("prediction", typed([]), measured=str(tmp_path / "m.csv"), rate=rate, platforms="published").tables
    main = tables["prediction"].set_index(["platform", "datatype", "model"])
    assert main.columns.tolist() == ["inputs_per_s", "bound", "measured_inputs_per_s", "ratio", "group"]
    cell = main.loc[("TX2-maxp", "FP16", "CNV_100%_FP16")]
    assert cell["measured_inputs_per_s"] == best
    assert cell["ratio"] == pytest.approx(best / cell["inputs_per_s"])
    assert main.loc[("NCS", "FP16", "CNV_50%_FP16"), "measured_inputs_per_s"] in (200.8, 151.6)


def test_a_measured_table_lacks_what_is_named(carry: Carry, tmp_path: Path) -> None:
    file = tmp_path / "m.csv"
    file.write_text("NN_Topology,Datatype\nCNV,FP16\n")
    with pytest.raises(DataError) as caught:
        carry("prediction", typed([]), measured=str(file), platforms="published")
    assert str(caught.value) == f"{file}: HWType, fps-comp is missing; expected measured results; check the file"


def test_rows_are_chosen_by_columns_of_any_name(carry: Carry, tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text(CHOICES.replace("fps", "fps-comp [1/s]"))
    options = {"table": str(tmp_path / "t.csv"), "x": "fps-comp [1/s]", "y": "top1", "label": "name"}
    main = carry("pareto", typed([]), **options, rows="fps-comp [1/s]>=15,name!=d").tables["pareto"]
    assert main["label"].tolist() == ["b", "c"]
