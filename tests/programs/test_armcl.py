"""Arm Compute Library under emulation, against the independent reference; skipped where it is not installed."""

import json
from collections.abc import Iterator
from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np
import pytest

from nntest.errors import MissingPartError
from nntest.measure.build import BuiltProgram, build
from nntest.measure.driver import DriverProcess, UnsupportedCase
from nntest.measure.libraries import find_library
from nntest.measure.reference import ReferenceCache
from nntest.measure.targets import find_target, qemu
from nntest.measure.verify import algorithm_in_force, verify
from nntest.measure.world import cache_root
from nntest.model.species import SPECIES
from tests.programs.build import CACHE, REPOSITORY, case_of, source_of

INSTALLED = qemu.read_manifest(qemu.rooms(cache_root())) is not None

needs_target = pytest.mark.skipif(not INSTALLED, reason=f"not installed; `{qemu.INSTALL}`")

NAMES = sorted(path.parents[1].name for path in (REPOSITORY / "program").glob("*-armcl-neon/.cm/meta.json"))
QUICK = ("conv", "directconv", "depthwiseconv", "fullyconnected", "softmax")
REFERENCES = ReferenceCache(CACHE.parent / "references")

# What the library refuses, by the beginning of its words or ours; anything else is a fault.
REFUSALS = (
    "layout NHWC with an output that is no row of channels",
    "layout NHWC: elements keep their order in NCHW only",
    "Arm Compute Library: groups ",
    "Arm Compute Library: dilation; it has none here",
    "Arm Compute Library: kernel ",
    "Arm Compute Library: Grouping (num_groups != 1) is not supported on NEON",
    "Arm Compute Library: Strides larger than 3 not supported.",
    "Arm Compute Library: weights->dimension(width_idx) != weights->dimension(height_idx)",
    "Arm Compute Library: input->num_dimensions() != 2",
    "Arm Compute Library: Only ",
    "Arm Compute Library: Winograd layer only supports unit strides.",
)
# Positions in float32: 5 of 132,098 values are off by up to 4.6 units where 4 are allowed.
TOO_COARSE = {("resizebilinear-armcl-neon", "shape-2-65-65-2-257-257-h")}

MOBILENET = (
    ("conv-armcl-neon", "tensor-conv-mobilenets-v1-1.0-224", "shape-512-14-14-1-512-1-0"),
    ("conv-armcl-neon", "tensor-conv-mobilenets-v1-1.0-224", "shape-3-224-224-3-32-2-0"),
    ("directconv-armcl-neon", "tensor-conv-mobilenets-v1-1.0-224", "shape-512-14-14-1-512-1-0"),
)


@cache
def built(name: str) -> BuiltProgram:
    """Cross-compile a program for the emulated target, or find it in the cache of the tests."""
    target, source = find_target(qemu.NAME, cache_root()), source_of(name)
    library = target.find_library(source.meta["nntest"]["library"], "")
    return replace(build(source, library, cache_root=CACHE, compiler=target.compiler), runner=target.runner)


def start(name: str, *, threads: int = 1) -> DriverProcess:
    return DriverProcess.start(built(name), cores=(), threads=threads, env={}, heap_offset=64, timeout_s=120)


def shapes_of(name: str) -> Iterator[Path]:
    species = source_of(name).meta["nntest"]["species"]
    yield from sorted((REPOSITORY / "dataset" / f"tensor-{species}-synthetic").glob("shape-*.json"))


def check(name: str, driver: DriverProcess, file: Path, *, layout: str, batch: int, folder: Path) -> bool:
    """Check one case; return False where the library refused it."""
    case = case_of(name, {**json.loads(file.read_text()), "CK_IN_SHAPE_N": batch}, layout=layout)
    where = f"{name} {file.stem} {layout} batch {batch}"
    try:
        setup = driver.setup(1, case)
    except UnsupportedCase as refusal:
        assert refusal.reason.startswith(REFUSALS), f"{where}: {refusal.reason}"
        return False
    driver.output(1, folder / "output.bin")
    output = np.fromfile(folder / "output.bin", np.float32)
    shape = SPECIES[case.species].output_shape(case.parameters, batch)
    algorithm = algorithm_in_force(source_of(name).meta["nntest"]["algorithm"], setup.implementation)
    checked = verify(case, output.reshape(shape), REFERENCES.expected(case), algorithm)
    assert checked.verified, f"{where}: {setup.implementation}: {checked.reason}"
    return True


def check_all(name: str, folder: Path, *, batches: tuple[int, ...]) -> int:
    with start(name) as driver:
        return sum(
            check(name, driver, file, layout=layout, batch=batch, folder=folder)
            for file in shapes_of(name)
            if (name, file.stem) not in TOO_COARSE
            for layout in ("NCHW", "NHWC")
            for batch in batches
        )


@needs_target
@pytest.mark.native
@pytest.mark.parametrize("name", [name for name in NAMES if name.startswith(QUICK)])
def test_edge_shapes_are_right_in_both_layouts(name: str, tmp_path: Path) -> None:
    assert check_all(name, tmp_path, batches=(1,)) >= 8


@needs_target
@pytest.mark.native
@pytest.mark.full
@pytest.mark.parametrize("name", NAMES)
def test_edge_shapes_are_right_in_both_layouts_and_batches(name: str, tmp_path: Path) -> None:
    assert check_all(name, tmp_path, batches=(1, 2)) >= 10


@needs_target
@pytest.mark.native
@pytest.mark.parametrize(("name", "dataset", "shape"), MOBILENET)
def test_shapes_of_mobilenet_are_right(name: str, dataset: str, shape: str, tmp_path: Path) -> None:
    with start(name) as driver:
        file = REPOSITORY / "dataset" / dataset / f"{shape}.json"
        assert check(name, driver, file, layout="NHWC", batch=1, folder=tmp_path)


def test_without_a_target_one_line_says_how_to_get_there(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    with pytest.raises(MissingPartError) as failed:
        find_library("arm-compute-library-neon", "20.08")
    assert str(failed.value) == (
        "arm-compute-library-neon: Arm Compute Library was not found (looked in /usr/lib/aarch64-linux-gnu/"
        "libarm_compute.so, /lib/aarch64-linux-gnu/libarm_compute.so); install it with "
        "`nntest target install linux-arm64-qemu` and add `--target=linux-arm64-qemu`, "
        "or choose another program from `nntest list programs`"
    )
