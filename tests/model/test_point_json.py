import math
from pathlib import Path

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from nntest.errors import DataError
from nntest.model import point_json
from nntest.model.case import Case, Library, Plan, Platform, Subject
from nntest.model.point import Energy, Failure, Launch, Origin, Point, Sample, Verification, WarmUp, Watch
from nntest.model.point_json import FORMAT, from_json, schema, to_bytes, to_json
from tests.points import make_point, with_profile

ROOT = Path(__file__).parents[2]

texts = st.text(st.characters(codec="utf-8"), max_size=20)
numbers = st.floats(0, 1e6, allow_nan=False)
counts = st.integers(0, 2**40)
optional_numbers = st.none() | numbers
libraries = st.builds(Library, tag=texts, name=texts, version=texts, build=texts, description=texts)
cases = st.builds(
    Case,
    program=texts,
    species=st.just("unheard-of"),
    parameters=st.dictionaries(texts, st.integers(-(2**53) + 1, 2**53 - 1), max_size=3),
    batch_size=st.integers(1, 64),
    dtype=texts,
    env=st.dictionaries(texts, texts, max_size=2),
)
subjects = st.builds(
    Subject, program=texts, program_sha=texts, driver_sha=texts, library=libraries, compiler=texts, flags=texts
)
platforms = st.builds(
    Platform,
    machine=texts,
    model=texts,
    cpu=texts,
    cores=st.integers(1, 512),
    memory_mb=counts,
    os=texts,
    kernel=texts,
    arch=texts,
    isa=st.lists(texts, max_size=3).map(tuple),
)
launches = st.builds(
    Launch,
    launch=st.integers(0, 99),
    setup_s=numbers,
    prepare_weights_s=numbers,
    reorder_in_s=numbers,
    reorder_out_s=numbers,
    first_run_s=numbers,
    warm_up=st.builds(WarmUp, values_s=st.lists(numbers, max_size=3).map(tuple), settled=st.booleans()),
    implementation=texts,
    native_layouts=st.dictionaries(texts, texts, max_size=2),
    cores=st.lists(st.integers(0, 511), max_size=3).map(tuple),
    load_1min=optional_numbers,
    governor=st.none() | texts,
    temperature_c=optional_numbers,
    idle_w=optional_numbers,
    resumed=st.booleans(),
)
watches = st.builds(
    Watch,
    involuntary_switches=st.none() | counts,
    minor_faults=st.none() | counts,
    major_faults=st.none() | counts,
    steal_s=optional_numbers,
    core_ghz=optional_numbers,
    package_j=optional_numbers,
    dram_j=optional_numbers,
    core_j=optional_numbers,
)
samples = st.builds(
    Sample,
    launch=st.integers(0, 99),
    round=st.integers(0, 99),
    loops=st.integers(1, 10**6),
    seconds=numbers,
    at_s=numbers,
    watch=watches,
)
points = st.builds(
    Point,
    case=cases,
    subject=subjects,
    platform=platforms,
    plan=st.builds(Plan, repetitions=st.integers(1, 99), order_seed=counts, loops=st.none() | st.integers(1, 99)),
    origin=st.builds(
        Origin, dataset=texts, dataset_file=texts, session=texts, timestamp=texts, group=st.integers(0, 99), label=texts
    ),
    launches=st.lists(launches, max_size=2).map(tuple),
    samples=st.lists(samples, max_size=3).map(tuple),
    verification=st.builds(
        Verification,
        verified=st.none() | st.booleans(),
        max_error=optional_numbers,
        limit=optional_numbers,
        reference=texts,
        reason=texts,
    ),
    failure=st.none() | st.builds(Failure, kind=st.sampled_from(["build", "crash", "wrong"]), reason=texts),
    trust=texts,
    flags=st.lists(texts, max_size=2).map(tuple),
    memory_bytes=st.none() | counts,
    energy=st.none()
    | st.builds(
        Energy,
        tier=texts,
        domains=st.lists(texts, max_size=2).map(tuple),
        resolution_s=optional_numbers,
        idle_s=optional_numbers,
        reason=texts,
    ),
    extra=st.dictionaries(texts, st.none() | st.booleans() | texts, max_size=2),
)


@given(points)
def test_a_point_survives_its_file(point):
    assert from_json(orjson.loads(to_bytes(point))) == point


@given(points)
def test_every_point_fits_the_schema(point):
    Draft202012Validator(schema()).validate(orjson.loads(to_bytes(point)))


def test_equal_points_have_equal_bytes():
    assert to_bytes(make_point()) == to_bytes(make_point())


def test_a_point_stays_under_6_kb_without_samples():
    assert len(to_bytes(make_point(repetitions=0))) < 6_000


def test_the_ck_part_of_a_point():
    words = to_json(make_point(repetitions=3, launches=3))
    run = words["characteristics_list"][1]["run"]
    assert len(words["characteristics_list"]) == 3
    assert run == {
        "execution_time": pytest.approx(0.0022345 + 2e-4),
        "execution_time_kernel_0": 0.0022345,
        "execution_time_kernel_1": 2e-4,
        "run_success": "yes",
        "run_success_bool": True,
        "output_check_failed": "no",
        "output_check_failed_bool": False,
    }
    choices = words["choices"]
    assert choices["data_uoa"] == "conv-onednn-cpu"
    assert choices["dataset_file"] == "shape-512-14-14-1-512-1-0"
    assert choices["dvdt_prof"] == choices["mali_hwc"] == "no"
    assert choices["env"]["CK_CONV_KERNEL"] == 1
    assert [choices["env"][f"CK_IN_SHAPE_{axis}"] for axis in "NCHW"] == [1, 512, 14, 14]
    assert words["features"]["platform"]["platform"]["model"] == "KVM 1.0"


def test_what_a_profiler_saw_stands_where_the_original_had_it_and_in_full():
    point = with_profile(make_point(repetitions=2, launches=1))
    words = orjson.loads(to_bytes(point))
    assert words["choices"]["dvdt_prof"] == "yes"
    assert words["characteristics_list"][1]["run"]["execution_time_opencl_us"] == {"im2col": 10.5, "gemm": 50.0}
    assert words["nntest"]["extra"]["profiler"] == "OpenCL layer"
    assert not list(Draft202012Validator(schema()).iter_errors(words))
    restored = from_json(words)
    assert restored == point
    assert restored.samples[0].profile.calls[0].global_size == (8, 8)


def test_kernels_of_a_processor_are_no_kernels_of_opencl():
    run = to_json(with_profile(make_point(repetitions=1, launches=1), "oneDNN verbose"))["characteristics_list"][0][
        "run"
    ]
    assert "execution_time_opencl_us" not in run


def test_a_failure_gives_one_item_with_its_reason():
    point = make_point(failure=Failure(kind="crash", reason="SIGSEGV in layer 3"))
    assert to_json(point)["characteristics_list"] == [
        {"run": {"run_success": "no", "run_success_bool": False, "fail_reason": "SIGSEGV in layer 3"}}
    ]


def test_a_wrong_output_says_so_where_ck_looks():
    run = to_json(make_point(failure=Failure(kind="wrong", reason="index 7: got 1, expected 2")))[
        "characteristics_list"
    ][0]["run"]
    assert run["output_check_failed"] == "yes"
    assert run["output_check_failures"] == {"tmp-ck-output.bin": {"fail_reason": "index 7: got 1, expected 2"}}


def test_a_time_that_is_no_number_is_not_recorded():
    bad = Sample(launch=0, round=0, loops=1, seconds=math.nan, at_s=0.0)
    with pytest.raises(DataError, match=r"^sample: nan seconds; expected a finite number; do not record this sample$"):
        to_bytes(make_point(samples=(bad,)))


def test_an_error_without_bound_becomes_unknown():
    point = make_point(verification=Verification(verified=False, max_error=math.inf, reason="NaN at 3"))
    assert to_json(point)["nntest"]["reference"]["max_error"] is None


def test_a_newer_major_version_is_refused():
    words = {**to_json(make_point()), "nntest": {**to_json(make_point())["nntest"], "format": "2.0.0"}}
    with pytest.raises(DataError) as caught:
        from_json(words, where="ckp-x.json")
    expected = f"ckp-x.json: format 2.0.0 is newer than {FORMAT}, which this nntest reads; update nntest to read it"
    assert str(caught.value) == expected


def test_keys_of_a_newer_minor_version_are_passed_over():
    words = orjson.loads(to_bytes(make_point()))
    words["nntest"]["format"] = "1.9.0"
    words["nntest"]["case"]["of_the_future"] = 1
    words["nntest"]["samples"]["of_the_future"] = [1]
    assert from_json(words) == make_point()


def test_an_older_version_is_migrated_step_by_step(monkeypatch):
    def rename(words):
        block = dict(words["nntest"])
        block["trust"] = block.pop("verdict")
        return {**words, "nntest": block}

    words = orjson.loads(to_bytes(make_point()))
    words["nntest"]["format"] = "0.3.0"
    words["nntest"]["verdict"] = words["nntest"].pop("trust")
    monkeypatch.setattr(point_json, "MIGRATIONS", {0: rename})
    assert from_json(words) == make_point()


def test_a_point_of_format_1_0_has_no_energy_and_loads():
    point = make_point()
    words = orjson.loads(to_bytes(point))
    words["nntest"]["format"] = "1.0.0"
    del words["nntest"]["launches"]["idle_w"]
    assert "energy" not in words["nntest"]
    assert from_json(words) == point
    assert from_json(words).samples[0].watch.package_j is None


@pytest.mark.parametrize(
    ("block", "message"),
    [
        (None, "p: no nntest block was found, so this is not a point of ours; `nntest.load` reads it"),
        (
            {"format": "new"},
            "p: nntest.format is 'new'; expected a version such as 1.3.0; "
            "remove the file or restore it from its source",
        ),
        (
            {"format": "1.0.0"},
            "p: the nntest block is damaged (KeyError: 'case'); expected format 1.3.0; "
            "remove the file or restore it from its source",
        ),
    ],
)
def test_damage_is_named(block, message):
    with pytest.raises(DataError) as caught:
        from_json({"nntest": block}, where="p")
    assert str(caught.value) == message


def test_the_schema_in_the_documents_is_the_packaged_one():
    packaged = ROOT / "src" / "nntest" / "model" / "point.schema.json"
    assert (ROOT / "docs" / "point.schema.json").read_bytes() == packaged.read_bytes()


def test_the_schema_refuses_a_point_without_its_case():
    words = orjson.loads(to_bytes(make_point()))
    del words["nntest"]["case"]
    assert not Draft202012Validator(schema()).is_valid(words)
