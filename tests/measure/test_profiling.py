"""The account of kernels: which cases are marked, how it is switched on, and what is read out of what is printed."""

from pathlib import Path

import pytest

from nntest.errors import UsageError
from nntest.measure.build import BuiltProgram
from nntest.measure.plan import plan_session
from nntest.measure.profiling import (
    ONEDNN_VERBOSE,
    ONNXRUNTIME_TRACE,
    OPENCL_LAYER,
    OPENVINO_COUNTERS,
    PrintedAccount,
    profiled,
    profiler_of,
)
from nntest.measure.request import RunRequest
from nntest.measure.selection import select_programs
from nntest.measure.session import run_session
from nntest.model.case import Library, Subject
from tests.measure.fake_world import FakeWorld, LoggingReporter, make_repository
from tests.programs.build import case_of, start

LINE = "onednn_verbose,primitive,exec,cpu,convolution,{kernel},forward_inference,src_f32,,alg:auto,mb1,{ms}\n"


def built(version: str = "3.2.0", **env: str) -> BuiltProgram:
    library = Library(tag=f"onednn-cpu-{version}", name="onednn-cpu", version=version)
    subject = Subject(program="p", program_sha="1", driver_sha="2", library=library, compiler="c++", flags="")
    return BuiltProgram(driver=Path("d"), operator=Path("o"), subject=subject, env=env, built=False)


@pytest.fixture
def fake(tmp_path: Path) -> FakeWorld:
    programs = {"softmax-any-opencl": ("softmax", "any-opencl"), "softmax-one": ("softmax", "one-cpu")}
    make_repository(tmp_path / "repository", programs, {"tensor-softmax-net": ("softmax", ["4-1-1"])})
    return FakeWorld(tmp_path)


def test_profiled_cases_are_cases_of_their_own_and_others_are_told(fake: FakeWorld) -> None:
    plan = plan_session(RunRequest(profile=True), fake.world())
    marks = {trial.case.program: trial.case.env.get("CK_DVDT_PROF") for trial in plan.trials}
    assert marks == {"softmax-any-opencl": "yes", "softmax-one": None}
    assert plan.notes == ("softmax-one: measured without a profile, its library keeps no account of its kernels",)
    with pytest.raises(UsageError) as caught:
        plan_session(RunRequest(profile=True, programs="softmax-one"), fake.world())
    assert str(caught.value) == (
        "profile: softmax-one keep no account of their kernels; expected programs on an OpenCL device, "
        "or of oneDNN, ONNX Runtime or OpenVINO; leave it out"
    )


def test_only_marked_programs_run_under_a_profiler(fake: FakeWorld) -> None:
    from dataclasses import replace

    asked = []

    def note(candidate: object, program: BuiltProgram) -> BuiltProgram:
        asked.append(program.subject.program)
        return program

    world = replace(fake.world(), profiled=note)
    run_session(plan_session(RunRequest(profile=True, repetitions=1), world), LoggingReporter(), world)
    assert asked == ["softmax-any-opencl"]


def test_the_layer_stands_behind_those_of_a_target() -> None:
    env = profiled(built(OPENCL_LAYERS="/alter.so"), OPENCL_LAYER, lambda: Path("/layer.so")).env
    assert env == {"OPENCL_LAYERS": "/alter.so:/layer.so", "NNTEST_PROFILE_LAYER": "/layer.so"}


@pytest.mark.parametrize("profiler", [ONNXRUNTIME_TRACE, OPENVINO_COUNTERS])
def test_a_program_that_keeps_account_itself_is_its_own_layer(profiler: str) -> None:
    program = profiled(built(), profiler, lambda: Path("/unused"))
    assert (program.profiler, program.env) == (profiler, {"NNTEST_PROFILE_LAYER": "o"})


@pytest.mark.parametrize(
    ("program", "profiler"),
    [
        ("conv-clblast-opencl", OPENCL_LAYER),
        ("conv-onednn-cpu", ONEDNN_VERBOSE),
        ("softmax-onnxruntime-cpu", ONNXRUNTIME_TRACE),
        ("conv-openvino-cpu", OPENVINO_COUNTERS),
        ("conv-openblas-cpu", ""),
    ],
)
def test_who_keeps_account_of_which_library(program: str, profiler: str) -> None:
    [entry] = select_programs(RunRequest(programs=program), None)
    assert profiler_of(entry) == profiler


@pytest.mark.parametrize(("version", "value"), [("3.2.0", "profile_exec"), ("2.6.3", "1")])
def test_onednn_is_asked_in_its_versions_words(version: str, value: str) -> None:
    program = profiled(built(version), ONEDNN_VERBOSE, lambda: Path("/unused"))
    assert program.env == {"ONEDNN_VERBOSE": value, "NNTEST_PROFILE_PRINTED": "1"}
    assert program.profiler == ONEDNN_VERBOSE


def test_timed_calls_are_cut_out_of_what_is_printed_also_in_parts() -> None:
    before = LINE.format(kernel="warm", ms=9)
    block = "".join(LINE.format(kernel="jit:avx2", ms=ms) for ms in (100, 1, 2, 3))
    text = f"{before}hello\nnntest-profile begin\n{block}nntest-profile end 1 3\n{before}".encode()
    account = PrintedAccount()
    account.add(text[:100])
    assert account.next_block() is None
    account.add(text[100:])
    assert account.next_block() == {"kernels_us": {"convolution jit:avx2": 2000.0}, "calls": []}
    assert account.next_block() is None


def test_older_lines_and_what_else_is_printed() -> None:
    account = PrintedAccount()
    lines = (
        "dnnl_verbose,exec,cpu,reorder,simple:any,undef,0.5\nonednn_verbose,info,cpu,isa:x\nonednn_verbose,exec,cpu\n"
    )
    account.add(f"nntest-profile begin\n{lines}nntest-profile end 0 1\n".encode())
    assert account.next_block() == {"kernels_us": {"reorder simple:any": 500.0}, "calls": []}


def test_what_a_block_printed_that_failed_is_nobody_s() -> None:
    account = PrintedAccount()
    failed, whole = (LINE.format(kernel=kernel, ms=1.0) for kernel in ("ref", "jit"))
    account.add(f"nntest-profile begin\n{failed}nntest-profile begin\n{whole}nntest-profile end 0 1\n".encode())
    assert account.next_block() == {"kernels_us": {"convolution jit": 1000.0}, "calls": []}


@pytest.mark.native
def test_onednn_tells_the_kernels_of_a_block() -> None:
    from nntest.measure.driver import DriverProcess
    from tests.programs.build import built as built_program

    program = profiled(built_program("conv-onednn-cpu"), ONEDNN_VERBOSE, lambda: Path("/unused"))
    with DriverProcess.start(program, cores=(), threads=1, env={}, heap_offset=64, timeout_s=60) as driver:
        driver.setup(1, case_of("conv-onednn-cpu"))
        answer = driver.block(1, loops=5)
        assert answer.profile is not None
        [(kernel, time_us)] = answer.profile["kernels_us"].items()
        assert kernel.startswith("convolution ")
        assert 0 < time_us <= 1e6 * answer.seconds
    with start("conv-onednn-cpu") as driver:
        driver.setup(1, case_of("conv-onednn-cpu"))
        assert driver.block(1, loops=5).profile is None
