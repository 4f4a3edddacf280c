"""The entry analysis/layers."""

import pytest

from nntest.analyses.entries import load_analysis
from nntest.analyses.style import chart_style
from nntest.errors import DataError, UsageError
from tests.analyses.conftest import Carry
from tests.analyses.frames import caffe, layer_rows, session, typed
from tests.analyses.tx1 import expected, needs_tx1, table_tx1

NET = {"cpu__net_a__2": [20.0, 22.0, 24.0], "nvidia_cudnn__net_a__2": [10.0, 11.0, 12.0]}
LABELS = {"input": 10.0, "conv1": 700.0, "relu1": 90.0, "conv2": 200.0}


def test_layers_stand_in_the_network_s_order_with_their_share(carry: Carry) -> None:
    points = caffe(**NET)
    main = carry("layers", points, layers=layer_rows(points, **LABELS)).tables["layers"]
    assert list(main.columns) == [
        "model", "library", "batch_size", "layer", "time_ms_per_image", "std_ms_per_image", "share",
    ]  # fmt: skip
    cpu = main[main["library"] == "cpu"]
    assert cpu["layer"].tolist() == ["input", "conv1", "relu1", "conv2"]
    assert cpu["share"].tolist() == pytest.approx([0.01, 0.7, 0.09, 0.2])
    # 1.0, 1.1 and 1.2 times the time over the three repetitions, two images each
    assert cpu["time_ms_per_image"].tolist() == pytest.approx([0.0055, 0.385, 0.0495, 0.11])
    assert cpu["std_ms_per_image"].tolist() == pytest.approx([0.0005, 0.035, 0.0045, 0.01])


def test_training_adds_both_directions(carry: Carry) -> None:
    points = caffe(**NET)
    layers = layer_rows(points, conv1=100.0, conv1__backward=50.0, relu1=10.0, relu1__backward=20.0)
    for direction, wanted in (("forward", [0.055, 0.0055]), ("backward", [0.0275, 0.011]),
                              ("forward_backward", [0.0825, 0.0165])):  # fmt: skip
        main = carry("layers", points, layers=layers, direction=direction, libraries="cpu").tables["layers"]
        assert main["time_ms_per_image"].tolist() == pytest.approx(wanted)


def test_a_library_without_a_backward_pass_has_no_training_step(carry: Carry) -> None:
    points = caffe(**NET)
    layers = layer_rows(points, conv1=100.0, conv1__backward=50.0)
    layers = layers[~((layers["library"] == "cpu") & (layers["direction"] == "backward"))]
    main = carry("layers", points, layers=layers, direction="forward_backward").tables["layers"]
    assert main["library"].tolist() == ["nvidia-cudnn"]


@pytest.mark.parametrize(
    ("low", "high", "kept"),
    [
        ("0.1", "1", ["conv1", "conv2"]),
        ("10%", "50 %", ["conv2"]),
        ("0", "5", ["input"]),
        ("9", "20", ["relu1", "conv2"]),
    ],
)
def test_the_share_window(carry: Carry, low: str, high: str, kept: list[str]) -> None:
    points = caffe(**NET)
    given = {"layers": layer_rows(points, **LABELS), "libraries": "cpu", "share_min": low, "share_max": high}
    assert carry("layers", points, **given).tables["layers"]["layer"].tolist() == kept


def test_a_window_without_layers_and_a_share_that_is_none_are_refused(carry: Carry) -> None:
    points = caffe(**NET)
    layers = layer_rows(points, **LABELS)
    with pytest.raises(UsageError, match=r"^layers: no layer has such a share; choose another --share_min "):
        carry("layers", points, layers=layers, share_min="0.9")
    with pytest.raises(UsageError, match=r"^layers: share_min is 'much'; expected a share such as 0.1 or 10%$"):
        carry("layers", points, layers=layers, share_min="much")


def test_layers_of_failed_repetitions_do_not_count(carry: Carry) -> None:
    points = caffe(**NET)
    layers = layer_rows(points, **LABELS)
    points.loc[points["repetition"] == 2, "success"] = False
    main = carry("layers", points, layers=layers, libraries="cpu").tables["layers"]
    assert main["time_ms_per_image"].iloc[1] == pytest.approx(700 * 1.05 / 2e3)


def test_a_missing_first_layer_does_not_shift_the_others(carry: Carry) -> None:
    points = caffe(**NET)
    layers = layer_rows(points, **LABELS)
    fp16 = (layers["library"] == "cpu").to_numpy()
    layers = layers[~(fp16 & (layers["label"] == "input").to_numpy())]
    layers.loc[fp16[layers.index], "index"] -= 1
    main = carry("layers", points, layers=layers).tables["layers"]
    assert main["layer"].drop_duplicates().tolist() == ["input", "conv1", "relu1", "conv2"]
    assert main.groupby("layer")["library"].nunique().to_dict() == {"input": 1, "conv1": 2, "relu1": 2, "conv2": 2}


def test_shapes_stand_for_layers_where_there_are_none(carry: Carry) -> None:
    result = carry("layers", session(), where="species=conv")
    assert result.tables["layers"]["model"].unique().tolist() == ["all shapes"]
    assert result.tables["layers"]["layer"].iloc[0] == "3-224-224-3-32-2-0"
    with pytest.raises(DataError, match=r"^layers: the points lack the columns shape, batch_size; "):
        carry("layers", typed([]).drop(columns=["shape", "batch_size"]))


def test_the_chart_has_a_bar_per_layer_and_series(carry: Carry) -> None:
    points = caffe(**NET)
    result = carry("layers", points, layers=layer_rows(points, **LABELS))
    with chart_style():
        axes = load_analysis("layers").chart(result.tables, result.options).axes[0]
    assert [label.get_text() for label in axes.get_yticklabels()] == ["input", "conv1", "relu1", "conv2"]
    assert len(axes.patches) == 8
    assert result.finding.startswith("Largest shares, inference. net-a with OpenBLAS (Caffe): conv1 70 %, conv2 20 %")


@needs_tx1
def test_the_published_layers_come_out() -> None:
    main = table_tx1("layers", models="bvlc-alexnet").set_index(["library", "batch_size", "layer"]).sort_index()
    for key, layers in expected()["per_layer_forward"].items():
        _, library, batch = key.split("|")
        found = main.loc[(library, int(batch))]
        # the labels of fp16 branches are shifted by one, so the number in front does not count
        wanted = {label.partition(": ")[2]: item for label, item in layers.items()}
        for column, name in (("time_ms_per_image", "mean_ms_per_image"), ("std_ms_per_image", "std_ms_per_image")):
            assert found[column].to_dict() == pytest.approx({k: v[name] for k, v in wanted.items()}, abs=1e-9)


@needs_tx1
def test_the_window_of_ten_percent() -> None:
    given = {"models": "bvlc-alexnet", "libraries": "nvidia-cudnn", "batch_sizes": "8,16", "share_min": "0.1"}
    assert table_tx1("layers", **given)["layer"].drop_duplicates().tolist() == ["conv1", "conv2", "conv3", "fc6", "fc7"]
