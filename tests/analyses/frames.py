"""Seeded points' tables with the columns of nntest.load, as a session on a small machine would give them."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

COLUMNS = [
    "repo",
    "experiment",
    "point",
    "session",
    "launch",
    "round",
    "repetition",
    "timestamp",
    "case_id",
    "subject_id",
    "platform_id",
    "platform",
    "cpu",
    "gpu",
    "os",
    "target",
    "emulated",
    "program",
    "operator",
    "species",
    "library",
    "library_version",
    "model",
    "dataset",
    "shape",
    "batch_size",
    "dtype",
    "layout",
    "threads",
    "tuner",
    "cache",
    "isa",
    "post_ops",
    "success",
    "verified",
    "fail_reason",
    "trust",
    "flags",
    "core_ghz",
    "time_us",
    "time_backward_us",
    "time_forward_backward_us",
    "setup_time_us",
    "reorder_in_us",
    "reorder_out_us",
    "first_run_us",
    "gflops",
    "memory_mb",
    "energy_mj",
    "instructions",
]
NUMBERS = [
    "core_ghz",
    "time_us",
    "time_backward_us",
    "time_forward_backward_us",
    "setup_time_us",
    "reorder_in_us",
    "reorder_out_us",
    "first_run_us",
    "gflops",
    "memory_mb",
    "energy_mj",
    "instructions",
]
WHOLE = ["launch", "round", "repetition", "batch_size", "threads"]
TRUTH = ["emulated", "success", "verified"]

CONV = {
    "3-224-224-3-32-2-0": 21.3,
    "32-112-112-1-64-1-0": 51.4,
    "64-56-56-1-128-1-0": 51.4,
    "128-56-56-1-128-1-0": 102.8,
    "128-28-28-1-256-1-0": 51.4,
    "256-28-28-1-256-1-0": 102.8,
    "256-14-14-1-512-1-0": 51.4,
    "512-14-14-1-512-1-0": 102.8,
    "512-7-7-1-1024-1-0": 51.4,
    "1024-7-7-1-1024-1-0": 102.8,
}
DEPTHWISE = {"32-112-112-1-1": 7.2, "64-112-112-2-1": 3.6, "128-56-56-1-1": 7.2, "512-14-14-1-1": 1.8}
CLASSIFIER = {"1024-1-1-1001-1-1": 2.05}

#: Program: operator, species, library, version, GFLOPS, penalty of reorders in us.
PROGRAMS: Mapping[str, tuple[str, str, str, str, float, float]] = {
    "conv-onednn-cpu": ("conv", "conv", "onednn-cpu-3.2.0", "3.2.0", 120.0, 4.0),
    "directconv-onednn-cpu": ("directconv", "conv", "onednn-cpu-3.2.0", "3.2.0", 104.0, 4.0),
    "conv-openblas-cpu": ("conv", "conv", "openblas-cpu-0.3.34", "0.3.34", 112.0, 0.0),
    "conv-plain-cpu": ("conv", "conv", "plain-cpu-1.0.0", "1.0.0", 9.0, 0.0),
    "depthwiseconv-onednn-cpu": ("depthwiseconv", "depthwiseconv", "onednn-cpu-3.2.0", "3.2.0", 30.0, 9.0),
    "depthwiseconv-plain-cpu": ("depthwiseconv", "depthwiseconv", "plain-cpu-1.0.0", "1.0.0", 6.0, 0.0),
    "fullyconnected-onednn-cpu": ("fullyconnected", "fullyconnected", "onednn-cpu-3.2.0", "3.2.0", 14.0, 1.0),
    "fullyconnected-openblas-cpu": ("fullyconnected", "fullyconnected", "openblas-cpu-0.3.34", "0.3.34", 13.0, 0.0),
}
#: One of each species.
FEW = ("512-14-14-1-512-1-0", "512-14-14-1-1", "1024-1-1-1001-1-1")
SHAPES = {"conv": CONV, "depthwiseconv": DEPTHWISE, "fullyconnected": CLASSIFIER}


def typed(rows: Sequence[Mapping[str, Any]]) -> pd.DataFrame:
    """Rows with any of the columns become a frame with all of them and the house's dtypes."""
    frame = pd.DataFrame(list(rows), columns=COLUMNS)
    for column in COLUMNS:
        if column in NUMBERS:
            frame[column] = frame[column].astype("float64")
        elif column in WHOLE:
            frame[column] = frame[column].astype("Int64")
        elif column in TRUTH:
            frame[column] = frame[column].astype("boolean")
        else:
            frame[column] = frame[column].astype("category")
    return frame


def row(**values: Any) -> dict[str, Any]:
    """One plain repetition that may be ranked; ``values`` override."""
    plain: dict[str, Any] = {
        "repo": "local",
        "experiment": "nntest-x",
        "session": "s1",
        "launch": 0,
        "round": 0,
        "repetition": 0,
        "timestamp": "2026-11-21T08:00:00",
        "platform": "AMD EPYC 9005",
        "cpu": "AMD EPYC 9005",
        "os": "Debian 12",
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
        "reorder_in_us": 0.0,
        "reorder_out_us": 0.0,
        "time_us": 100.0,
        "gflops": 100.0,
    }
    return {**plain, **values}


def repetitions(times: Sequence[float], *, launches: int = 5, **values: Any) -> list[dict[str, Any]]:
    """Rows of one case: ``times`` in order of launch, then round."""
    rounds = max(1, len(times) // launches)
    return [
        row(time_us=time, launch=number // rounds, round=number % rounds, repetition=number, **values)
        for number, time in enumerate(times)
    ]


def case_rows(
    program: str, shape: str, mflop: float, generator: np.random.Generator, **values: Any
) -> list[dict[str, Any]]:
    """Ten repetitions of a program on a shape, with noise of a launch and of a round."""
    operator, species, library, version, gflops, reorder = PROGRAMS[program]
    rate = gflops * float(generator.uniform(0.6, 1.2)) * (0.5 if shape.startswith("3-") else 1.0)
    launches = 0.01 * generator.standard_normal(5).repeat(2)
    times = 1e3 * mflop / rate * np.exp(launches + 0.008 * generator.standard_normal(10))
    rows = repetitions(
        times.tolist(),
        program=program,
        operator=operator,
        species=species,
        library=library,
        library_version=version,
        shape=shape,
        dataset=f"tensor-{species}-mobilenets-v1-1.0-224",
        reorder_in_us=reorder,
        reorder_out_us=reorder / 2,
        **{"point": f"{program}-{shape}", **values},
    )
    return [{**item, "gflops": 1e3 * mflop / item["time_us"]} for item in rows]


def session(
    seed: int = 1, *, disturbed: bool = True, shapes: Sequence[str] | None = None, **values: Any
) -> pd.DataFrame:
    """The demo's session: all programs on all shapes; if ``disturbed`` with every kind of row that does not rank.

    ``shapes`` leaves others out: charts of few shapes are drawn sooner.
    """
    generator = np.random.default_rng(seed)
    rows = [
        item
        for program, (_, species, *_rest) in PROGRAMS.items()
        for shape, mflop in SHAPES[species].items()
        if shapes is None or shape in shapes
        for item in case_rows(program, shape, mflop, generator, **values)
    ]
    if disturbed:
        rows += not_ranked()
    return typed(rows)


def not_ranked() -> list[dict[str, Any]]:
    """One case of each kind that rankings leave out."""
    failed = row(program="conv-broken-cpu", library="broken-cpu", time_us=None, gflops=None, success=False,
                 verified=None, trust="failed", fail_reason="crash: SIGSEGV", launch=None, round=None)  # fmt: skip
    wrong = row(program="conv-wrong-cpu", library="wrong-cpu", success=True, verified=False, trust="wrong",
                fail_reason="output[3] is 7, expected 1", time_us=1.0)  # fmt: skip
    return [
        failed,
        wrong,
        *repetitions(
            [2.0] * 3, program="conv-unchecked-cpu", library="unchecked-cpu", verified=None, trust="unverified"
        ),
        *repetitions([3.0] * 3, program="conv-armcl-cpu", library="armcl-cpu", emulated=True, trust="emulated"),
        *repetitions([4.0] * 2, program="conv-model-cpu", library="model-cpu", trust="simulated"),
    ]


def network() -> pd.DataFrame:
    """A small MobileNet: one shape occurs five times, and nobody measured the softmax."""
    layers = [("conv", shape) for shape in CONV] + [("conv", "512-14-14-1-512-1-0")] * 4
    layers += [("depthwiseconv", shape) for shape in DEPTHWISE] + [("fullyconnected", shape) for shape in CLASSIFIER]
    layers += [("softmax", "1001-1-1")]
    return pd.DataFrame(
        {
            "network": "mobilenets-v1-1.0-224",
            "layer": [f"layer{number:02d}" for number in range(len(layers))],
            "species": [species for species, _ in layers],
            "shape": [shape for _, shape in layers],
        }
    )


def caffe(**times_ms: Sequence[float]) -> pd.DataFrame:
    """Whole networks as Caffe's points tell them: ``library__model__batch`` to the times of its repetitions."""
    rows = []
    for key, times in times_ms.items():
        library, model, batch = key.split("__")
        rows += [
            row(
                point=key, session=None, launch=None, round=None, repetition=number, target=None, program="caffe",
                operator=None, species=None, library=library.replace("_", "-"), library_version=None,
                model=model.replace("_", "-"), dataset=None, shape=None, batch_size=int(batch), layout=None,
                threads=None, cache=None, verified=None, trust="imported", time_us=1e3 * time, gflops=None,
                reorder_in_us=None, reorder_out_us=None, platform="jetson_tx1", cpu="jetson_tx1",
                dtype="float16" if "fp16" in library else "float32",
                memory_mb=None if "tensorrt" in library else 10.0 * int(batch),
            )
            for number, time in enumerate(times)
        ]  # fmt: skip
    return typed(rows)


def layer_rows(points: pd.DataFrame, **times_us: float) -> pd.DataFrame:
    """Layers of every repetition: ``label`` or ``label__backward`` to its time."""
    columns = ["repo", "experiment", "point", "platform", "program", "library", "model", "batch_size", "dtype",
               "trust", "repetition"]  # fmt: skip
    frames = []
    for index, (key, time) in enumerate(times_us.items()):
        label, _, direction = key.partition("__")
        part = points[columns].assign(index=index, label=label, direction=direction or "forward")
        frames.append(part.assign(time_us=time * (1 + 0.1 * part["repetition"].astype("float64"))))
    return pd.concat(frames, ignore_index=True)
