"""The entry analysis/adaptive on whole networks that tell the time of each layer."""

from pathlib import Path

import orjson
import pandas as pd
import pytest

from nntest.analyses.contract import Frames
from nntest.analyses.entries import load_analysis
from nntest.analyses.options import parse_options
from nntest.analyses.run import Result, carry_out
from nntest.analyses.style import chart_style
from nntest.crawl.tables import Tables
from nntest.errors import UsageError
from tests.analyses.frames import row, typed

DATA = Path(__file__).parents[3] / "shared" / "data"
ZIP = DATA / "ck-caffe-nvidia-tx1-bvlc.zip"
tx1 = pytest.mark.skipif(not ZIP.is_file(), reason="the points of the published study are not here")
FOUR = ("cpu", "libdnn-cuda", "nvidia-cuda", "nvidia-cudnn")
SETS = {
    "all_four": FOUR,
    "cuda_level": FOUR[1:],
    "cudnn_cublas": ("nvidia-cuda", "nvidia-cudnn"),
    "cudnn_libdnn": ("libdnn-cuda", "nvidia-cudnn"),
}


def adaptive(source, **given: str) -> Result:
    analysis = load_analysis("adaptive")
    return carry_out(analysis, parse_options(analysis.declared, given, where="adaptive"), source)


@pytest.fixture(scope="module")
def study() -> Tables:
    return Tables(ZIP)


@pytest.fixture(scope="module")
def published() -> dict:
    return orjson.loads((DATA / "expected" / "tx1.json").read_bytes())["ideal_adaptive"]


@tx1
def test_the_published_ideal_to_six_decimals(study: Tables) -> None:
    total = adaptive(study, libraries=",".join(FOUR)).tables["total"].set_index("model")
    assert total["libraries"].unique().tolist() == ["+".join(FOUR)]
    assert total["ideal_ms_per_image"].round(6).to_dict() == {"bvlc-alexnet": 7.077961, "bvlc-googlenet": 15.939877}
    assert total["ratio"].round(6).to_dict() == {"bvlc-alexnet": 0.954758, "bvlc-googlenet": 0.931626}
    assert total["best_single_library"].unique().tolist() == ["nvidia-cudnn"]
    assert total["best_single_ms_per_image"].round(6).to_dict() == {
        "bvlc-alexnet": 7.413354,
        "bvlc-googlenet": 17.109729,
    }


@tx1
def test_one_rule_on_both_sides_flatters_nobody(study: Tables) -> None:
    total = adaptive(study, libraries=",".join(FOUR)).tables["total"].set_index("model")
    assert total["ratio_same_rule"].round(2).to_dict() == {"bvlc-alexnet": 0.99, "bvlc-googlenet": 0.98}
    assert total["batch_size_same_rule"].tolist() == [16, 16]


@tx1
def test_every_set_of_libraries_and_every_layer_as_computed_independently(study: Tables, published: dict) -> None:
    tables = adaptive(study, libraries=",".join("+".join(names) for names in SETS.values())).tables
    for name, libraries in SETS.items():
        for model, wanted in published[name].items():
            found = {
                part: frame[(frame["model"] == model) & (frame["libraries"] == "+".join(sorted(libraries)))]
                for part, frame in tables.items()
                if part in ("adaptive", "total", "layers")
            }
            by_library = found["adaptive"].set_index("library")
            assert by_library["time_ms_per_image"].to_dict() == pytest.approx(wanted["ms_per_image_by_lib"])
            assert by_library["layers"].to_dict() == wanted["layers_won"]
            (total,) = found["total"].to_dict("records")
            assert total["ideal_ms_per_image"] == pytest.approx(wanted["total_ms_per_image"], abs=1e-9)
            assert total["ratio"] == pytest.approx(wanted["ratio_to_best_cuda_level_lib"], abs=1e-9)
            assert total["layers"] == wanted["n_layers"]
            columns = ["layer", "library", "batch_size", "time_ms_per_image"]
            picks = [tuple(values) for values in found["layers"][columns].itertuples(index=False)]
            choice = sorted(wanted["choice"], key=lambda pick: int(pick["label"].partition(":")[0]))
            assert [pick[:3] for pick in picks] == [
                (pick["label"].partition(": ")[2], pick["lib"], pick["batch_size"]) for pick in choice
            ]
            assert [pick[3] for pick in picks] == pytest.approx([pick["time_ms_per_image"] for pick in choice])


@tx1
def test_sets_of_libraries_against_the_first(study: Tables, published: dict) -> None:
    sets = adaptive(study, libraries="+".join(FOUR) + ",nvidia-cuda+nvidia-cudnn").tables["sets"]
    wanted = [
        published[name][model]["total_ms_per_image"] / published["all_four"][model]["total_ms_per_image"]
        for model in ("bvlc-alexnet", "bvlc-googlenet")
        for name in ("all_four", "cudnn_cublas")
    ]
    assert sets["ratio"].tolist() == pytest.approx(wanted)


@tx1
def test_fused_and_missing_layers_are_compared_where_they_can_be_and_named_where_not(study: Tables) -> None:
    result = adaptive(study, libraries="nvidia-cudnn,nvidia-fp16-cudnn,tensorrt-fp32", network="bvlc-alexnet")
    assert "conv1 + relu1" in set(result.tables["layers"]["layer"])
    assert result.tables["left_out"][["layer", "reason"]].to_numpy().tolist() == [
        ["input", "nvidia-fp16-cudnn, tensorrt-fp32 lack it"],
        ["drop6", "tensorrt-fp32 lacks it"],
        ["drop7", "tensorrt-fp32 lacks it"],
    ]
    assert "input (cuDNN fp16, TensorRT fp32 lack it)" in result.finding


@tx1
def test_libraries_that_are_not_named_mix_no_number_formats(study: Tables) -> None:
    total = adaptive(study).tables["total"]
    assert sorted(total["libraries"].unique()) == [
        "cpu+libdnn-cuda+nvidia-cuda+nvidia-cudnn+tensorrt-fp32",
        "nvidia-fp16-cuda+nvidia-fp16-cudnn+tensorrt-fp16",
    ]


@tx1
def test_training_leaves_out_libraries_without_a_backward_pass(study: Tables) -> None:
    result = adaptive(study, direction="forward_backward", libraries="nvidia-cuda,nvidia-cudnn,nvidia-fp16-cuda")
    assert result.tables["total"]["libraries"].unique().tolist() == ["nvidia-cuda+nvidia-cudnn"]
    assert result.tables["left_out"]["reason"].unique().tolist() == ["nvidia-fp16-cuda has no backward times"]


@tx1
def test_a_chart_of_one_panel_per_model(study: Tables) -> None:
    result = adaptive(study, libraries=",".join(FOUR))
    with chart_style():
        figure = result.analysis.chart(result.tables, result.options)
    assert [axes.get_title(loc="left").split(",")[0] for axes in figure.axes] == ["AlexNet", "GoogleNet"]
    for axes in figure.axes:
        assert [label.get_text() for label in axes.get_yticklabels()] == [
            "best per layer", "cuDNN fp32", "cuBLAS fp32", "libDNN", "OpenBLAS (Caffe)",
        ]  # fmt: skip
        assert len(axes.patches) == 4 + 4


def network(times: dict[str, dict[str, float]], *, repetitions: int = 1, batch_size: int = 2) -> Frames:
    """Whole networks of library: label: ms; the whole takes the sum."""
    points, layers = [], []
    for library, labels in times.items():
        for number in range(repetitions):
            about = {"model": "net", "library": library, "program": library, "batch_size": batch_size,
                     "point": library, "repetition": number, "species": None, "shape": None}  # fmt: skip
            points.append(row(**about, time_us=1e3 * batch_size * sum(labels.values())))
            layers += [
                {**about, "platform": "p", "index": index, "label": label, "direction": "forward",
                 "time_us": 1e3 * batch_size * time}
                for index, (label, time) in enumerate(labels.items())
            ]  # fmt: skip
    return Frames(points=typed([{**point, "platform": "p"} for point in points]), layers=pd.DataFrame(layers))


def test_what_one_fuses_the_others_add_up() -> None:
    source = network({"a": {"conv": 2.0, "relu": 1.0, "fc": 5.0}, "b": {"conv + relu": 2.5, "fc": 6.0}})
    result = adaptive(source)
    assert result.tables["layers"][["layer", "library", "time_ms_per_image"]].to_numpy().tolist() == [
        ["conv + relu", "b", 2.5],
        ["fc", "a", 5.0],
    ]
    (total,) = result.tables["total"].to_dict("records")
    assert (total["ideal_ms_per_image"], total["best_single_library"], total["ratio"]) == (7.5, "a", 7.5 / 8.0)


def test_the_second_layer_of_a_name_is_another_layer() -> None:
    frames = network({"a": {"relu": 1.0}, "b": {"relu": 3.0}})
    again = frames.layers.assign(index=1, time_us=frames.layers["time_us"] * 2)
    result = adaptive(Frames(points=frames.points, layers=pd.concat([frames.layers, again])))
    assert result.tables["layers"]["layer"].tolist() == ["relu", "relu (2)"]
    assert result.tables["total"]["ideal_ms_per_image"].tolist() == [3.0]


def test_libraries_without_a_common_layer_cannot_be_composed() -> None:
    with pytest.raises(UsageError) as caught:
        adaptive(network({"a": {"x": 1.0}, "b": {"y": 1.0}}))
    assert str(caught.value) == (
        "adaptive: the libraries have no layer in common (x (b lacks it) and y (a lacks it)); "
        "choose others by --libraries"
    )


def test_failed_repetitions_take_their_layers_along() -> None:
    frames = network({"a": {"x": 1.0}, "b": {"x": 3.0}})
    points = frames.points.assign(success=frames.points["library"] != "a")
    total = adaptive(Frames(points=points, layers=frames.layers)).tables["total"]
    assert total["libraries"].tolist() == ["b"]


def test_an_explicit_statistic_holds_on_both_sides() -> None:
    source = network({"a": {"x": 1.0, "y": 4.0}, "b": {"x": 2.0, "y": 2.0}}, repetitions=3)
    (total,) = adaptive(source, statistic="median").tables["total"].to_dict("records")
    assert total["ratio"] == total["ratio_same_rule"] == 3.0 / 4.0


def test_single_layers_know_no_mean() -> None:
    with pytest.raises(UsageError, match=r"^adaptive: the mean is for whole networks; expected median or minimum"):
        adaptive(Frames(points=typed([row()])), statistic="mean")


@tx1
@pytest.mark.parametrize("baseline", ["cpu", "nvidia-cuda", "nvidia-fp16-cudnn"])
def test_speedups_of_best_times_over_any_library(study: Tables, baseline: str) -> None:
    """S3-32, beside the ideal because both read the same points."""
    wanted = orjson.loads((DATA / "expected" / "tx1.json").read_bytes())["best_mean_time_ms_per_image"]
    analysis = load_analysis("speedup")
    options = parse_options(
        analysis.declared, {"baseline": f"library:{baseline}", "statistic": "mean"}, where="speedup"
    )
    tables = carry_out(analysis, options, study).tables
    found = tables["speedup"].set_index(["model", "library"])["speedup"].to_dict()
    assert found == {
        (model, library): pytest.approx(times[baseline] / time, abs=1e-9)
        for model, times in wanted.items()
        for library, time in times.items()
    }
    with chart_style():
        figure = analysis.chart(tables, options)
    assert all(len(text.get_text().rpartition(".")[2]) == 3 for text in figure.axes[0].texts)
