"""OpenCL devices: which one a session measures on, its tuners, and what is said where there is none."""

from pathlib import Path

import pytest

from nntest.errors import MissingPartError, UsageError
from nntest.measure.devices import device_environment, platform_with_device
from nntest.measure.request import RunRequest
from nntest.measure.session import Summary, plan_session, run_session
from tests.measure.fake_world import PLATFORM, FakeWorld, LoggingReporter, make_repository

DEVICE = {"device": "Some GPU", "driver": "Some platform, driver 1.2"}


@pytest.fixture
def fake(tmp_path: Path) -> FakeWorld:
    programs = {"softmax-any-opencl": ("softmax", "any-opencl"), "softmax-one": ("softmax", "one-cpu")}
    make_repository(tmp_path / "repository", programs, {"tensor-softmax-net": ("softmax", ["4-1-1"])})
    return FakeWorld(tmp_path, described=dict(DEVICE))


def measure(fake: FakeWorld, reporter: LoggingReporter | None = None, **options: object) -> Summary:
    world = fake.world()
    request = RunRequest(repetitions=2, launches=1, timestamp="t", **options)  # type: ignore[arg-type]
    return run_session(plan_session(request, world), reporter, world)


def test_points_name_the_device_and_its_driver_and_those_of_processors_do_not(fake: FakeWorld) -> None:
    points = {point.case.program: point for point in measure(fake).results}
    platform = points["softmax-any-opencl"].platform
    assert (platform.gpu, platform.driver) == ("Some GPU", "Some platform, driver 1.2")
    assert points["softmax-one"].platform == PLATFORM
    stored = {point["nntest"]["case"]["program"]: point["features"]["platform"] for point in fake.points().values()}
    assert stored["softmax-any-opencl"]["gpu"]["name"] == "Some GPU"


def test_a_missing_device_leaves_its_programs_out_with_a_word(fake: FakeWorld) -> None:
    fake.described = {"device_missing": "no OpenCL platform was found"}
    reporter = LoggingReporter()
    assert [point.case.program for point in measure(fake, reporter).results] == ["softmax-one"]
    words = (
        "softmax-any-opencl: no OpenCL platform was found; install one with `apt install pocl-opencl-icd`, "
        "or choose another program from `nntest list programs`"
    )
    assert f"left out: {words}" in reporter.notes
    with pytest.raises(MissingPartError) as caught:
        measure(fake, programs="softmax-any-opencl")
    assert str(caught.value) == words


def test_a_number_without_a_device_is_to_be_corrected() -> None:
    reason = "there is no OpenCL device 3; this machine has 1, numbered from 0"
    with pytest.raises(MissingPartError) as caught:
        platform_with_device(PLATFORM, {"device_missing": reason}, program="conv-x-opencl")
    assert str(caught.value) == (
        f"conv-x-opencl: {reason}; correct the number, or choose another program from `nntest list programs`"
    )


def test_what_a_target_says_of_its_device_stays() -> None:
    from dataclasses import replace

    known = replace(PLATFORM, gpu="Mali", driver="r30")
    assert platform_with_device(known, DEVICE, program="p") == known


def test_the_device_is_chosen_in_the_names_of_ck(tmp_path: Path) -> None:
    plain = device_environment(RunRequest(), tmp_path)
    assert plain == {"POCL_CACHE_DIR": str(tmp_path / "kernels"), "NNTEST_TUNED": str(tmp_path / "tuned")}
    assert (tmp_path / "tuned").is_dir()
    chosen = device_environment(RunRequest(compute_platform_id=1, compute_device_id=0), tmp_path)
    assert chosen == {**plain, "CK_COMPUTE_PLATFORM_ID": "1", "CK_COMPUTE_DEVICE_ID": "0"}
    with pytest.raises(UsageError) as caught:
        RunRequest(compute_device_id=-1)
    assert str(caught.value) == ("compute_device_id: -1 was given; expected a number from 0, as `clinfo -l` shows them")


def test_tuners_are_a_dimension_of_opencl_programs_alone(fake: FakeWorld) -> None:
    plan = plan_session(RunRequest(tuner=("NONE", "DEFAULT")), fake.world())
    assert [trial.name for trial in plan.trials] == [
        "softmax-any-opencl any-opencl-1.0.0 4-1-1 tuner NONE",
        "softmax-any-opencl any-opencl-1.0.0 4-1-1 tuner DEFAULT",
        "softmax-one one-cpu-1.0.0 4-1-1",
    ]
    assert [trial.case.env.get("CK_LWS_TUNER_TYPE") for trial in plan.trials] == ["NONE", "DEFAULT", None]


def test_tuners_have_processes_of_their_own(fake: FakeWorld) -> None:
    measure(fake, programs="softmax-any-opencl", tuner=("NONE", "DEFAULT"))
    assert [entry[4]["CK_LWS_TUNER_TYPE"] for entry in fake.logged("start")] in (
        ["NONE", "DEFAULT"],
        ["DEFAULT", "NONE"],
    )


def test_a_tuner_that_nobody_has_is_refused(fake: FakeWorld) -> None:
    with pytest.raises(UsageError) as caught:
        plan_session(RunRequest(programs="softmax-one", tuner=("DEFAULT",)), fake.world())
    assert str(caught.value) == (
        "tuner: DEFAULT was given; expected a program on an OpenCL device, such as conv-clblast-opencl; leave it out"
    )
    with pytest.raises(UsageError) as caught:
        RunRequest(tuner=("FAST",))
    assert str(caught.value) == "tuner: 'FAST' was given; expected one of NONE, DEFAULT"
