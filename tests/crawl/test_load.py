import json
import zipfile
from dataclasses import replace

import numpy as np
import orjson
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import nntest
from nntest.crawl.columns import COLUMNS
from nntest.errors import DataError, UsageError
from nntest.model.case import Platform
from nntest.model.point import Failure
from nntest.model.point_json import to_json
from nntest.store.publish import open_experiment, save_point
from nntest.store.repository import Repository
from tests.crawl.conftest import SHARED
from tests.points import make_platform, make_point, make_subject, with_profile, with_seed

TAGS = ["nntest", "conv-onednn-cpu", "onednn-cpu-3.2.0", "conv"]


@pytest.fixture
def repository(tmp_path):
    (tmp_path / "repo").mkdir()
    (tmp_path / "repo" / ".ckr.json").write_bytes(b'{"data_alias": "mine"}')
    return Repository("mine", tmp_path / "repo")


@pytest.fixture
def experiment(repository):
    return open_experiment(repository, "nntest-conv", {"tags": TAGS})


def as_zip(folder, path):
    with zipfile.ZipFile(path, "w") as archive:
        for file in sorted(folder.rglob("*")):
            if file.is_file():
                archive.write(file, file.relative_to(folder))
    return path


def test_columns_and_types(repository, experiment):
    save_point(experiment, make_point())
    frame = nntest.load(repository.path)
    assert list(frame.columns) == [column.name for column in COLUMNS]
    kinds = {"text": "category", "integer": "Int64", "number": "float64", "flag": "boolean"}
    assert {name: str(dtype) for name, dtype in frame.dtypes.items()} == {
        column.name: kinds[column.kind] for column in COLUMNS
    }
    assert frame.attrs["skipped"] == []


def test_one_row_per_repetition(repository, experiment):
    save_point(experiment, make_point(repetitions=4, launches=2))
    frame = nntest.load(repository.path)
    assert frame["repetition"].tolist() == [0, 1, 2, 3]
    assert frame["launch"].tolist() == [0, 1, 0, 1]
    assert frame["round"].tolist() == [0, 0, 1, 1]
    assert frame["time_us"].tolist() == pytest.approx([100, 200, 300, 400])
    assert frame["setup_time_us"].tolist() == pytest.approx([1234.5, 2234.5, 1234.5, 2234.5])
    assert frame["reorder_in_us"].tolist() == pytest.approx([12.5, 13.5, 12.5, 13.5])
    assert frame["gflops"].tolist() == pytest.approx(
        [2 * 512 * 512 * 14 * 14 / time / 1e3 for time in (100, 200, 300, 400)]
    )
    assert frame["memory_mb"].tolist() == [3.0] * 4
    first = frame.iloc[0]
    point = make_point()
    assert first["point"] == make_point(repetitions=4, launches=2).uid
    expected = {
        "repo": "mine",
        "experiment": "nntest-conv",
        "session": "20261121-ab12",
        "timestamp": "2026-11-21T08:00:00",
        "case_id": point.case.id,
        "subject_id": point.subject.id,
        "platform_id": point.platform.id,
        "platform": "KVM 1.0",
        "cpu": "AMD EPYC 9B45 128-Core Processor",
        "target": "native",
        "emulated": False,
        "program": "conv-onednn-cpu",
        "operator": "conv",
        "species": "conv",
        "library": "onednn-cpu-3.2.0",
        "library_version": "3.2.0",
        "dataset": "tensor-conv-mobilenets-v1-1.0-224",
        "shape": "512-14-14-1-512-1-0",
        "batch_size": 1,
        "dtype": "float32",
        "layout": "NCHW",
        "threads": 1,
        "cache": "warm",
        "success": True,
        "verified": True,
        "trust": "stable",
        "core_ghz": 3.25,
        "first_run_us": pytest.approx(345.0),
    }
    assert {name: first[name] for name in expected} == expected
    assert pd.isna(first[["gpu", "model", "tuner", "isa", "post_ops", "flags", "fail_reason", "energy_mj"]]).all()


def test_a_failed_point_is_one_row_without_times(repository, experiment):
    save_point(experiment, make_point(failure=Failure(kind="crash", reason="SIGSEGV"), trust="failed"))
    frame = nntest.load(repository.path)
    assert len(frame) == 1
    assert frame[["success", "fail_reason", "trust"]].iloc[0].tolist() == [False, "SIGSEGV", "failed"]
    assert frame[["time_us", "gflops", "memory_mb", "setup_time_us"]].isna().all(axis=None)


def test_a_time_too_small_to_divide_by_gives_no_speed(repository, experiment):
    point = make_point(repetitions=1, launches=1)
    save_point(experiment, replace(point, samples=(replace(point.samples[0], seconds=5e-324),)))
    assert nntest.load(repository.path)["gflops"].isna().all()


def test_whole_numbers_have_a_time_and_no_floating_point_operations(repository, experiment):
    point = make_point(repetitions=1, launches=1)
    save_point(experiment, point)
    save_point(experiment, replace(point, case=replace(point.case, dtype="uint8")))
    frame = nntest.load(repository.path).set_index("dtype")
    assert frame["time_us"].notna().all()
    assert frame["gflops"].notna().to_dict() == {"float32": True, "uint8": False}


def test_a_wrong_output_is_not_verified(repository, experiment):
    save_point(
        experiment, make_point(failure=Failure(kind="wrong", reason="index 7: got 1, expected 2"), trust="wrong")
    )
    save_point(experiment, with_seed(make_point(repetitions=2, launches=2), 1))
    frame = nntest.load(repository.path)
    assert sorted(frame["success"].tolist()) == [False, True, True]
    assert frame.loc[~frame["success"], "time_us"].isna().all()
    assert frame.loc[frame["success"], "time_us"].tolist() == pytest.approx([100.0, 200.0])


def test_an_energy_is_per_call_and_unknown_where_a_block_has_none(repository, experiment):
    point = make_point(repetitions=2, launches=2)
    first, second = point.samples
    measured = replace(first, watch=replace(first.watch, package_j=0.5))
    save_point(experiment, replace(point, samples=(measured, second)))
    energies = nntest.load(repository.path)["energy_mj"]
    assert energies[0] == pytest.approx(50.0)
    assert np.isnan(energies[1])


def test_a_count_is_per_call_and_unknown_where_nothing_counted(repository, experiment):
    point = make_point(repetitions=2, launches=2)
    first, second = point.samples
    counted = replace(first, watch=replace(first.watch, instructions=686_457 * first.loops))
    save_point(experiment, replace(point, samples=(counted, second), extra={"counter": "nntest-count 1"}))
    counts = nntest.load(repository.path)["instructions"]
    assert counts[0] == 686_457
    assert np.isnan(counts[1])


def test_an_emulated_platform_says_so(repository, experiment):
    platform: Platform = make_platform(target="linux-arm64-qemu", emulator="qemu-aarch64 8.2")
    save_point(experiment, make_point(platform=platform, flags=("emulated", "busy")))
    frame = nntest.load(repository.path)
    assert frame["emulated"].all()
    assert frame["flags"].iloc[0] == "busy+emulated"


def test_flops_of_the_study(repository, experiment):
    save_point(experiment, make_point(repetitions=1, launches=1))
    true, study = (nntest.load(repository.path, flops=flops)["gflops"].iloc[0] for flops in ("true", "study"))
    assert true == pytest.approx(study)


def test_the_same_from_a_repository_an_experiment_a_folder_above_and_a_zip(repository, experiment, tmp_path):
    for seed in range(3):
        save_point(experiment, with_seed(make_point(), seed))
    whole = nntest.load(repository.path)
    for source in (
        experiment,
        repository.path / "experiment",
        tmp_path,
        str(experiment),
        as_zip(repository.path, tmp_path / "points.zip"),
    ):
        pd.testing.assert_frame_equal(nntest.load(source), whole)


def test_a_list_of_sources_counts_each_folder_once(repository, experiment):
    save_point(experiment, make_point())
    assert len(nntest.load([repository.path, experiment, str(repository.path)])) == 10


def test_tags_are_joined_by_and(repository, experiment):
    save_point(experiment, make_point())
    other = open_experiment(repository, "nntest-softmax", {"tags": ["nntest", "softmax"]})
    save_point(other, with_seed(make_point(), 5))
    assert len(nntest.load(repository.path)) == 20
    assert len(nntest.load(repository.path, tags="nntest,conv")) == 10
    assert len(nntest.load(repository.path, tags=["softmax", "conv"])) == 0
    assert len(nntest.load(repository.path, tags="softmax")["experiment"].cat.categories) == 1


def test_predicates_and_columns(repository, experiment):
    save_point(experiment, make_point())
    save_point(experiment, make_point(subject=make_subject(version="3.3.0")))
    frame = nntest.load(
        repository.path, where={"library_version": "3.3.0", "launch": [0, 1]}, columns=["time_us", "shape"]
    )
    assert list(frame.columns) == ["shape", "time_us"]
    assert len(frame) == 4
    assert len(nntest.load(repository.path, where={"model": "x"})) == 0
    assert len(nntest.load(repository.path, where={"threads": 1})) == 20


def test_an_unknown_column_is_refused_with_the_nearest(repository):
    with pytest.raises(UsageError) as caught:
        nntest.load(repository.path, where={"libary": "x"})
    assert str(caught.value) == "libary: no such column; did you mean `library`?"


def test_nothing_is_an_empty_frame_of_the_same_types(repository):
    frame = nntest.load(repository.path)
    assert len(frame) == 0
    assert list(frame.columns) == [column.name for column in COLUMNS]
    assert str(frame["success"].dtype) == "boolean"


DAMAGE = {
    "truncated": (lambda data: data[:100], "is no valid JSON ("),
    "empty": (lambda data: b"", "is empty; expected a point; remove the file or restore it from its source"),
    "a list": (lambda data: b"[1]", "holds no JSON object; expected a point; "),
    "foreign": (lambda data: b'{"a": 1}', "no view (nntest, imported, caffe, original) knows such a point; "),
    "newer": (
        lambda data: data.replace(b'"format":"1.3.0"', b'"format":"2.0.0"'),
        "format 2.0.0 is newer than 1.x, which this nntest reads; update nntest to read it",
    ),
    "no version": (
        lambda data: data.replace(b'"format":"1.3.0"', b'"format":7'),
        "nntest.format is '7'; expected a version such as 1.0.0; remove the file or restore it from its source",
    ),
    "no samples": (
        lambda data: data.replace(b'"samples"', b'"examples"'),
        "nntest.samples.seconds is missing; expected one item per repetition; "
        "remove the file or run `nntest check --repair`",
    ),
    "uneven": (
        lambda data: data.replace(b'"loops":[10,', b'"loops":['),
        "nntest.samples.loops does not have 10 values; expected one per repetition; "
        "remove the file or run `nntest check --repair`",
    ),
}


@pytest.mark.parametrize("damage", DAMAGE)
def test_damaged_files_are_named_and_the_others_load(repository, experiment, damage):
    change, reason = DAMAGE[damage]
    save_point(experiment, make_point())
    path = save_point(experiment, with_seed(make_point(), 1))
    path.write_bytes(change(path.read_bytes()))
    frame = nntest.load(repository.path)
    assert len(frame) == 10
    ((where, why),) = frame.attrs["skipped"]
    assert where == str(path)
    assert why.startswith(reason)
    with pytest.raises(DataError) as caught:
        nntest.load(repository.path, strict=True)
    assert str(caught.value) == f"{path}: {why}"


def test_a_point_of_the_original_without_items_is_named(tmp_path):
    folder = tmp_path / "points"
    folder.mkdir()
    (folder / "ckp-0123456789abcdef.0001.json").write_bytes(b'{"choices": {"env": {"CK_IN_SHAPE_C": 3}}}')
    frame = nntest.load(folder)
    ((_, why),) = frame.attrs["skipped"]
    assert why == (
        "characteristics_list is missing; expected one item per repetition; "
        "remove the file or run `nntest check --repair`"
    )


def test_a_damaged_meta_is_named(repository, experiment):
    save_point(experiment, make_point())
    (experiment / ".cm" / "meta.json").write_text("{")
    frame = nntest.load(repository.path)
    assert len(frame) == 10
    assert frame.attrs["skipped"] == [
        (f"{experiment}/.cm/meta.json", "is no JSON object; expected the entry's meta; restore the file")
    ]


def test_links_to_nowhere_and_folders_with_a_point_s_name_are_no_points(repository, experiment):
    save_point(experiment, make_point())
    (experiment / "ckp-0123456789abcdef.0001.json").symlink_to("nowhere")
    (experiment / "ckp-0123456789abcdee.0001.json").mkdir()
    frame = nntest.load(repository.path)
    assert len(frame) == 10
    assert frame.attrs["skipped"] == []


def python_2_point():
    run = {"execution_time_kernel_1": "0.00025", "execution_time_kernel_0": float("nan"), "run_success": "yes"}
    return {
        "characteristics_list": [{"run": run}, {"run": {**run, "execution_time_kernel_1": float("inf")}}],
        "choices": {
            "data_uoa": "conv-armcl-opencl",
            "dataset_uoa": "tensor-conv",
            "dataset_file": "shape-512-14-14-1-512-1-0",
            "env": {
                "CK_IN_SHAPE_N": "1",
                "CK_IN_SHAPE_C": "512",
                "CK_IN_SHAPE_H": "14",
                "CK_IN_SHAPE_W": "14",
                "CK_OUT_SHAPE_C": "512",
                "CK_CONV_KERNEL": "1",
                "CK_CONV_STRIDE": "1",
                "CK_CONV_PAD": "0",
            },
        },
        "features": {"platform": {"platform": {"model": "Rockchip RK3399 Firefly Board (Linux Opensource)\0"}}},
    }


def test_archives_of_python_2_times(tmp_path):
    folder = tmp_path / "repo" / "experiment" / "nntest-old"
    (folder / ".cm").mkdir(parents=True)
    (folder / ".cm" / "meta.json").write_text(json.dumps({"tags": ["nntest", "x", "armcl-18.05-b3a371b", "conv"]}))
    (folder / "ckp-0123456789abcdef.0001.json").write_text(json.dumps(python_2_point()))
    frame = nntest.load(tmp_path / "repo")
    assert frame["platform"].iloc[0] == "Rockchip RK3399 Firefly Board (Linux Opensource)"
    assert frame["time_us"].iloc[0] == pytest.approx(250.0)
    assert np.isnan(frame["time_us"].iloc[1])
    assert frame["setup_time_us"].isna().all()
    assert frame[["library", "library_version", "shape", "batch_size"]].iloc[0].tolist() == [
        "armcl-18.05-b3a371b",
        "18.05-b3a371b",
        "512-14-14-1-512-1-0",
        1,
    ]
    assert frame["gflops"].iloc[0] == pytest.approx(2 * 512 * 512 * 14 * 14 / 250e3)
    assert frame["trust"].iloc[0] == "imported"


def test_families_that_lie_together_each_count_once(tmp_path):
    folder = tmp_path / "points"
    folder.mkdir()
    for number, words in enumerate([ORIGINAL, OURS, CAFFE, ORIGINAL]):
        (folder / f"ckp-000000000000000{number}.0001.json").write_text(json.dumps(words))
    frame = nntest.load(folder)
    assert frame["point"].astype(str).str[-1].tolist() == ["0", "0", "1", "1", "2", "3", "3"]
    assert frame["repetition"].tolist() == [0, 1, 0, 1, 0, 0, 1]
    assert frame["program"].astype(str).tolist()[1:3] == ["conv-armcl-opencl", "conv-onednn-cpu"]


def test_points_of_the_original(sample):
    frame = nntest.load(sample)
    assert frame.attrs["skipped"] == []
    assert frame.groupby(["experiment", "point"], observed=True).ngroups == 32
    assert not (frame["time_us"] == 0).any()
    kinds = frame.assign(kind=frame["experiment"].astype(str).str.rsplit("-", n=1).str[-1])
    nonsense = frame[frame["shape"] == "fail-2-3-3-7-2-1-0"]
    assert not nonsense["success"].any()
    assert nonsense["fail_reason"].astype(str).str.contains("the kernel is 7x7, the padded input 3x3").all()
    wrong = kinds[kinds["kind"] == "wrong"].iloc[0]
    assert (wrong["success"], wrong["verified"], wrong["trust"]) == (False, False, "wrong")
    assert wrong["fail_reason"].startswith("output is not matching with the reference one")
    full = kinds[kinds["kind"] == "full"]
    assert len(full) == 66
    assert full["success"].all()
    assert full["time_us"].notna().all()


def test_the_tx1_points_give_the_published_numbers(tx1):
    expected = json.loads((SHARED / "expected" / "tx1.json").read_text())
    frame = nntest.load(tx1)
    assert len(frame) == 384
    assert frame.attrs["skipped"] == []
    assert (frame["platform"] == "jetson_tx1").all()
    per_image = (frame["time_us"] / frame["batch_size"] / 1e3).groupby(
        [frame["model"], frame["library"], frame["batch_size"]], observed=True
    )
    means = per_image.mean()
    memory = frame.groupby(["model", "library", "batch_size"], observed=True)["memory_mb"].first()
    compared = 0
    for model, libraries in expected["mean_time_ms_per_image"].items():
        for library, by_batch in libraries.items():
            for batch, value in by_batch.items():
                assert means[model, library, int(batch)] == pytest.approx(value, rel=1e-12)
                megabytes = expected["memory_mb"][model][library][batch]
                seen = memory[model, library, int(batch)]
                assert np.isnan(seen) if megabytes == 0.0 else seen == pytest.approx(megabytes)
                compared += 1
    assert compared == 128
    tensorrt = frame[frame["library"].astype(str).str.startswith("tensorrt")]
    assert tensorrt[["time_backward_us", "time_forward_backward_us"]].isna().all(axis=None)
    assert set(tensorrt["dtype"]) == {"float16", "float32"}


@pytest.mark.parametrize(
    ("tags", "model", "library"),
    [
        (
            ["explore-batch-size-libs-models", "time_gpu", "bvlc-alexnet", "nvidia-cudnn"],
            "bvlc-alexnet",
            "nvidia-cudnn",
        ),
        (["nvidia-cudnn", "deepscale-squeezenet-1.1", "time_gpu"], "deepscale-squeezenet-1.1", "nvidia-cudnn"),
        (["viennacl-opencl", "densenet_121", "explore-batch-size-libs-models"], "densenet_121", "viennacl-opencl"),
        (["explore-batch-size-libs-models", "time_gpu", "densenet_121", "newlib"], "densenet_121", "newlib"),
        (["tensorrt-1.0.0", "time_gpu", "densenet_121"], "densenet_121", "tensorrt-1.0.0"),
    ],
)
def test_a_network_and_its_library_are_told_by_their_tags_whatever_their_order(repository, tags, model, library):
    folder = open_experiment(repository, "networks", {"tags": tags})
    point = {
        "choices": {"data_uoa": "caffe", "env": {"CK_CAFFE_BATCH_SIZE": 2}},
        "characteristics_list": [{"run": {"run_success": "yes", "time_fw_ms": 3.0}}],
    }
    (folder / "ckp-0123456789abcdef.0001.json").write_text(json.dumps(point))
    row = nntest.load(repository.path).iloc[0]
    assert (row["model"], row["library"], row["time_us"]) == (model, library, 3000.0)


def test_the_tx1_layers_without_their_numbers(tx1):
    expected = json.loads((SHARED / "expected" / "tx1.json").read_text())["per_layer_forward"]
    frame = nntest.layers(tx1)
    forward = frame[frame["direction"] == "forward"]
    per_image = (forward["time_us"] / forward["batch_size"] / 1e3).groupby(
        [forward["model"], forward["library"], forward["batch_size"], forward["index"], forward["label"]], observed=True
    )
    means = per_image.mean()
    for case, by_label in expected.items():
        model, library, batch = case.split("|")
        for label, values in by_label.items():
            index, name = label.split(": ", 1)
            seen = means[model, library, int(batch), int(index), name]
            assert seen == pytest.approx(values["mean_ms_per_image"], rel=1e-12)
    assert not frame["label"].astype(str).str.match(r"\d+: ").any()


def test_kernels_of_the_original(tmp_path):
    words = python_2_point()
    words["characteristics_list"][0]["run"]["execution_time_opencl_us"] = {"gemm": 12.5, "im2col": "3"}
    folder = tmp_path / "points"
    folder.mkdir()
    (folder / "ckp-0123456789abcdef.0001.json").write_text(json.dumps(words))
    frame = nntest.kernels(folder)
    assert frame[["repetition", "kernel", "time_us"]].values.tolist() == [[0, "gemm", 12.5], [0, "im2col", 3.0]]


def test_kernels_of_our_points(repository, experiment):
    save_point(experiment, with_profile(make_point(repetitions=2, launches=1)))
    save_point(experiment, with_seed(make_point(repetitions=2, launches=1), 7))
    frame = nntest.kernels(repository.path)
    assert frame[["repetition", "kernel", "time_us"]].values.tolist() == [
        [0, "gemm", 50.0],
        [0, "im2col", 10.5],
        [1, "gemm", 50.0],
        [1, "im2col", 10.5],
    ]
    assert set(frame["library_version"]) == {"3.2.0"}


def test_a_view_of_ones_own(tmp_path):
    view = {
        "name": "mine",
        "matches": [{"path": "mine"}],
        "point": {"model": [{"path": "mine.net"}], "library": [{"constant": "mylib-1.0"}]},
        "repetitions": {"items": "runs"},
        "repetition": {"success": [{"constant": True}], "time_us": [{"path": "ms", "scale": 1000, "na_values": [-1]}]},
    }
    (tmp_path / "mine.json").write_text(json.dumps(view))
    folder = tmp_path / "points"
    folder.mkdir()
    words = {"mine": {"net": "lenet"}, "runs": [{"ms": 2.5}, {"ms": -1}]}
    (folder / "ckp-0123456789abcdef.0001.json").write_text(json.dumps(words))
    frame = nntest.load(folder, views=[tmp_path / "mine.json"])
    assert frame[["model", "library"]].iloc[0].tolist() == ["lenet", "mylib-1.0"]
    assert frame["time_us"].iloc[0] == 2500.0
    assert np.isnan(frame["time_us"].iloc[1])


def test_several_processes_give_the_same_frame(repository, experiment):
    for seed in range(20):
        save_point(experiment, with_seed(make_point(repetitions=2, launches=2), seed))
    pd.testing.assert_frame_equal(
        nntest.load(repository.path, workers=2, index=False), nntest.load(repository.path, workers=1, index=False)
    )


def test_a_zip_that_is_none_is_refused(tmp_path):
    path = tmp_path / "points.zip"
    path.write_bytes(b"PK not really")
    with pytest.raises(UsageError) as caught:
        nntest.load(path)
    assert str(caught.value) == (
        f"{path}: not a readable zip (File is not a zip file); expected a repository, a folder or a zip"
    )


def test_a_damaged_member_of_a_zip_is_named(repository, experiment, tmp_path):
    save_point(experiment, make_point())
    path = save_point(experiment, with_seed(make_point(), 1))
    archive = as_zip(repository.path, tmp_path / "points.zip")
    data = bytearray(archive.read_bytes())
    data[data.index(path.read_bytes()) + 30] ^= 0xFF
    archive.write_bytes(bytes(data))
    frame = nntest.load(archive)
    assert len(frame) == 10
    ((where, why),) = frame.attrs["skipped"]
    assert where == f"{archive}/experiment/nntest-conv/{path.name}"
    assert why.startswith("cannot be read (Bad CRC-32")


json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**70), 2**70) | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)


def places(value, path=()):
    yield path
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, inner in items:
        yield from places(inner, (*path, key))


def put(words, path, value):
    if not path:
        return value
    copied = dict(words) if isinstance(words, dict) else list(words)
    copied[path[0]] = put(words[path[0]], path[1:], value)
    return copied


ORIGINAL = python_2_point()
OURS = orjson.loads(orjson.dumps(to_json(make_point(repetitions=2, launches=2))))
CAFFE = {
    "characteristics_list": [{"run": {"time_fw_ms": 1.0, "per_layer_info": [{"label": "00: a", "time_ms": 1.0}]}}],
    "choices": {"env": {"CK_CAFFE_BATCH_SIZE": 2}},
}


@settings(max_examples=80, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(st.data(), st.sampled_from([OURS, ORIGINAL, CAFFE]), json_values)
def test_no_hostile_json_makes_the_crawler_crash(tmp_path, data, words, value):
    path = data.draw(st.sampled_from(list(places(words))))
    folder = tmp_path / "points"
    folder.mkdir(exist_ok=True)
    good = folder / "ckp-0000000000000001.0001.json"
    good.write_text(json.dumps(OURS))
    (folder / "ckp-0000000000000000.0001.json").write_text(json.dumps(put(words, path, value)))
    frame = nntest.load(folder, index=False)
    assert (frame["point"] == "0000000000000001").sum() == 2
    assert frame.loc[frame["point"] == "0000000000000001", "time_us"].tolist() == pytest.approx([100.0, 200.0])
    assert not (frame["time_us"] <= 0).any()
    nntest.layers(folder)
    nntest.kernels(folder)


@settings(max_examples=80, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(st.integers(0, 6000), st.integers(0, 255))
def test_no_damaged_byte_makes_the_crawler_crash(tmp_path, place, byte):
    folder = tmp_path / "points"
    folder.mkdir(exist_ok=True)
    data = bytearray(orjson.dumps(OURS))
    data[place % len(data)] = byte
    (folder / "ckp-0000000000000000.0001.json").write_bytes(bytes(data))
    frame = nntest.load(folder, index=False)
    assert len(frame) + len(frame.attrs["skipped"]) >= 1


@pytest.mark.parametrize(
    ("key", "value", "column"),
    [("launch", 1e19, "launch"), ("round", -1e300, "round"), ("seconds", 1e308, "time_us")],
)
def test_numbers_beyond_every_measure_are_unknown(repository, experiment, key, value, column):
    words = to_json(make_point())
    samples = words["nntest"]["samples"]
    samples[key] = [value] * len(samples[key])
    if key == "seconds":
        for item in words["characteristics_list"]:
            item["run"]["execution_time_kernel_1"] = value
    (experiment / "ckp-0123456789abcdef.0001.json").write_bytes(orjson.dumps(words))
    frame = nntest.load(repository.path)
    assert len(frame) == len(samples[key])
    assert frame[column].isna().all()
