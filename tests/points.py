"""Points for tests: as the recorder makes them, from a few parameters."""

from dataclasses import replace
from typing import Any

from nntest.model.case import Case, Library, Plan, Platform, Subject
from nntest.model.point import KernelCall, Launch, Origin, Point, Profile, Sample, Verification, WarmUp, Watch
from nntest.model.species import SPECIES

CONV = {
    "CK_IN_SHAPE_C": 512,
    "CK_IN_SHAPE_H": 14,
    "CK_IN_SHAPE_W": 14,
    "CK_OUT_SHAPE_C": 512,
    "CK_CONV_KERNEL": 1,
    "CK_CONV_STRIDE": 1,
    "CK_CONV_PAD": 0,
}


def make_case(*, program: str = "conv-onednn-cpu", seed: int = 42, **other: Any) -> Case:
    parameters, batch_size = SPECIES["conv"].normalise(CONV)
    words: dict[str, Any] = {"layout": "NCHW", "seed": seed, **other}
    return Case(program=program, species="conv", parameters=parameters, batch_size=batch_size, **words)


def make_subject(*, program: str = "conv-onednn-cpu", version: str = "3.2.0") -> Subject:
    return Subject(
        program=program,
        program_sha="a" * 16,
        driver_sha="b" * 16,
        library=Library(
            tag=f"onednn-cpu-{version}",
            name="onednn-cpu",
            version=version,
            build="c" * 16,
            description="oneDNN v3.2.0 (commit 1f7daf47db5dc1bf6ee4b2ec1f0ad0d8ca94c2ab)",
        ),
        compiler="g++ (Debian 12.2.0-14) 12.2.0",
        flags="-O3 -march=native",
    )


def make_platform(**other: Any) -> Platform:
    words: dict[str, Any] = {
        "machine": "d" * 16,
        "model": "KVM 1.0",
        "cpu": "AMD EPYC 9B45 128-Core Processor",
        "cores": 2,
        "memory_mb": 24_000,
        "os": "Debian GNU/Linux 12 (bookworm)",
        "kernel": "6.18.44",
        "arch": "x86_64",
        "isa": ("sse4_2", "avx", "avx2", "fma", "avx512f", "avx512_vnni", "avx512_bf16"),
    }
    return Platform(**{**words, **other})


def make_launch(launch: int) -> Launch:
    return Launch(
        launch=launch,
        setup_s=0.0012345 + launch * 1e-3,
        prepare_weights_s=0.0001234,
        reorder_in_s=1.25e-5 + launch * 1e-6,
        reorder_out_s=1.5e-5,
        first_run_s=0.000345,
        warm_up=WarmUp(values_s=(0.00012, 0.00011, 0.0001), settled=True),
        implementation="brgemm:avx512_core",
        native_layouts={"input": "acdb", "weights": "ABcd16b16a", "output": "acdb"},
        cores=(1,),
        load_1min=0.5,
    )


def make_point(*, repetitions: int = 10, launches: int = 5, session: str = "20261121-ab12", **other: Any) -> Point:
    """Return a point whose sample ``i`` took ``(i + 1) * 100`` us per call."""
    samples = tuple(
        Sample(
            launch=index % launches,
            round=index // launches,
            loops=10,
            seconds=(index + 1) * 1e-3,
            at_s=12.5 + index,
            watch=Watch(involuntary_switches=0, minor_faults=0, major_faults=0, steal_s=0.0, core_ghz=3.25),
        )
        for index in range(repetitions)
    )
    words: dict[str, Any] = {
        "case": make_case(),
        "subject": make_subject(),
        "platform": make_platform(),
        "plan": Plan(repetitions=repetitions, launches=launches),
        "origin": Origin(
            dataset="tensor-conv-mobilenets-v1-1.0-224",
            dataset_file="shape-512-14-14-1-512-1-0",
            session=session,
            timestamp="2026-11-21T08:00:00",
        ),
        "launches": tuple(make_launch(launch) for launch in range(launches)),
        "samples": samples,
        "verification": Verification(verified=True, max_error=0.125, limit=4.0, reference="float64 0123456789abcdef"),
        "trust": "stable",
        "memory_bytes": 3_000_000,
    }
    return Point(**{**words, **other})


def with_seed(point: Point, seed: int) -> Point:
    """Return the point of another case."""
    return replace(point, case=replace(point.case, seed=seed))


def with_profile(point: Point, profiler: str = "OpenCL layer") -> Point:
    """Return the point as a profiler would have seen it: two kernels a call, the second left to the driver's size."""
    calls = (
        KernelCall(
            kernel="im2col",
            queued_us=0.0,
            submit_us=1.0,
            start_us=2.0,
            end_us=12.5,
            global_size=(8, 8),
            local_size=(8, 1),
        ),
        KernelCall(kernel="gemm", queued_us=1.0, submit_us=2.0, start_us=13.0, end_us=63.0, global_size=(64,)),
    )
    profile = Profile(kernels_us={"im2col": 10.5, "gemm": 50.0}, calls=calls)
    samples = tuple(replace(sample, profile=profile) for sample in point.samples)
    return replace(point, samples=samples, extra={**point.extra, "profiler": profiler})
