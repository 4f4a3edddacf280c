"""CLBlast's programs on the OpenCL device that is here, against the independent reference; skipped without one."""

import json
import os
from functools import cache
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from nntest.errors import MissingPartError
from nntest.measure.build import build_layer
from nntest.measure.driver import DriverFailure, DriverProcess, UnsupportedCase
from nntest.measure.libraries import clblast, find_library
from nntest.measure.profiling import OPENCL_LAYER, profiled
from nntest.measure.reference import ReferenceCache
from nntest.measure.verify import verify
from nntest.model.point import Profile
from nntest.model.species import SPECIES
from tests.programs.build import CACHE, REPOSITORY, built, case_of, source_of, start

NAMES = ("conv-clblast-opencl", "fullyconnected-clblast-opencl", "gemm-clblast-opencl")
REFERENCES = ReferenceCache(CACHE.parent / "references")
REFUSALS = ("CLBlast: groups ", "CLBlast: padding that differs between the sides; it has one for both")
# compiled kernels are kept, as in a session
KERNELS = {"POCL_CACHE_DIR": str(CACHE / "kernels")}


@cache
def lacking() -> str:
    """Say what is missing, with the command that installs it."""
    try:
        find_library(clblast.NAME)
    except MissingPartError as error:
        return str(error)
    with begin("gemm-clblast-opencl") as driver:
        missing = driver.describe.get("device_missing", "")
    return f"{missing}; `{clblast.INSTALL_DEVICE}`" if missing else ""


def begin(name: str, **env: str) -> DriverProcess:
    os.makedirs(KERNELS["POCL_CACHE_DIR"], exist_ok=True)  # noqa: PTH103
    return start(name, timeout_s=300, **{**KERNELS, **env})


@pytest.fixture(autouse=True)
def _needs_a_device() -> None:
    if lacking():
        pytest.skip(lacking())


pytestmark = pytest.mark.native


def check(name: str, driver: DriverProcess, file: Path, *, batch: int, layout: str, folder: Path) -> bool:
    case = case_of(name, {**json.loads(file.read_text()), "CK_IN_SHAPE_N": batch}, layout=layout)
    try:
        setup = driver.setup(1, case)
    except UnsupportedCase as refusal:
        assert refusal.reason.startswith(REFUSALS), refusal.reason
        return False
    driver.block(1, loops=2)
    driver.output(1, folder / "output.bin")
    shape = SPECIES[case.species].output_shape(case.parameters, batch)
    output = np.fromfile(folder / "output.bin", np.float32).reshape(shape)
    checked = verify(case, output, REFERENCES.expected(case), "gemm")
    assert checked.verified, f"{name} {file.stem} batch {batch}: {setup.implementation}: {checked.reason}"
    return True


def shapes_of(name: str) -> list[Path]:
    species = source_of(name).meta["nntest"]["species"]
    return sorted((REPOSITORY / "dataset" / f"tensor-{species}-synthetic").glob("shape-*.json"))


@pytest.mark.parametrize("name", NAMES)
def test_edge_shapes_are_right_in_memory_that_is_shared_and_in_memory_of_its_own(name: str, tmp_path: Path) -> None:
    for memory in ("shared", "own"):
        with begin(name, NNTEST_OPENCL_MEMORY=memory) as driver:
            assert driver.describe["shares_memory"] == (memory == "shared")
            done = [check(name, driver, file, batch=2, layout="NCHW", folder=tmp_path) for file in shapes_of(name)]
        assert sum(done) >= 7


@pytest.mark.full
@pytest.mark.parametrize("name", NAMES)
def test_edge_shapes_are_right_in_all_layouts_and_batches(name: str, tmp_path: Path) -> None:
    with begin(name) as driver:
        for file in shapes_of(name):
            for layout in source_of(name).meta["nntest"]["layouts"]:
                for batch in (1, 3):
                    check(name, driver, file, batch=batch, layout=layout, folder=tmp_path)


@pytest.mark.full
def test_compilation_is_set_up_and_no_part_of_the_first_run(tmp_path: Path) -> None:
    # a cache of its own, in which nothing is compiled yet
    with begin("gemm-clblast-opencl", POCL_CACHE_DIR=str(tmp_path)) as driver:
        setup = driver.setup(1, case_of("gemm-clblast-opencl", json.loads(shapes_of(NAMES[2])[0].read_text())))
    assert setup.create_s > 10 * setup.first_run_s


def test_the_device_says_its_name_and_driver() -> None:
    with begin("gemm-clblast-opencl") as driver:
        assert driver.describe["device"]
        assert ", driver " in driver.describe["driver"]


@pytest.mark.parametrize(
    ("variable", "value", "reason"),
    [
        ("CK_COMPUTE_PLATFORM_ID", "77", "there is no OpenCL platform 77; this machine has "),
        ("CK_COMPUTE_DEVICE_ID", "77", "there is no OpenCL device 77; this machine has "),
        ("CK_COMPUTE_DEVICE_ID", "gpu", "CK_COMPUTE_DEVICE_ID: 'gpu'; expected a number from 0"),
    ],
)
def test_a_device_that_is_not_there_is_told(variable: str, value: str, reason: str) -> None:
    with begin("gemm-clblast-opencl", **{variable: value}) as driver:
        assert driver.describe["device_missing"].startswith(reason)


def test_an_unknown_tuner_is_refused() -> None:
    case = case_of("gemm-clblast-opencl", json.loads(shapes_of(NAMES[2])[0].read_text()))
    with begin("gemm-clblast-opencl", CK_LWS_TUNER_TYPE="FAST") as driver, pytest.raises(UnsupportedCase) as caught:
        driver.setup(1, case)
    assert caught.value.reason == "CK_LWS_TUNER_TYPE FAST; CLBlast here knows NONE and DEFAULT"


def test_parameters_that_a_tuner_found_are_used_again_by_each_case(tmp_path: Path) -> None:
    values = {"CK_IN_SHAPE_C": 8, "CK_IN_SHAPE_H": 9, "CK_IN_SHAPE_W": 9, "CK_OUT_SHAPE_C": 8, "CK_CONV_KERNEL": 3}
    first, second = (case_of("conv-clblast-opencl", {**values, "CK_OUT_SHAPE_C": k}) for k in (8, 100))
    with begin("conv-clblast-opencl") as driver:
        known = driver.setup(1, first).implementation
    assert known.endswith(" database")
    # searches take half a minute; what they would have found for two sizes is laid down instead
    with begin("conv-clblast-opencl", CK_LWS_TUNER_TYPE="DEFAULT", NNTEST_TUNED=str(tmp_path)) as driver:
        for rows, tile in ((64, 16), (128, 8)):
            names = dict(item.split("=") for item in known[known.index("(") + 1 : known.index(")")].split(","))
            names |= {"WGD": str(tile), "VWMD": "1", "VWND": "1", "KWID": "2", "MDIMAD": "8", "NDIMBD": "8"}
            text = "".join(f"{key} {value}\n" for key, value in names.items())
            (tmp_path / f"{_prefix(driver)}-direct-64-{rows}-128").write_text(text)
        for key, case in ((1, first), (2, second)):
            tuned = driver.setup(key, case).implementation
            assert tuned.endswith(" tuned")
            assert f"WGD={16 if key == 1 else 8}" in tuned
        for key, case in ((1, first), (2, second), (1, first)):
            driver.output(key, tmp_path / "output.bin")
            output = np.fromfile(tmp_path / "output.bin", np.float32)
            shape = SPECIES["conv"].output_shape(case.parameters, 1)
            assert verify(case, output.reshape(shape), REFERENCES.expected(case), "gemm").verified


def _prefix(driver: DriverProcess) -> str:
    """Begin a file's name as the program does: FNV-1a of the device, its platform and its driver."""
    platform, _, version = str(driver.describe["driver"]).partition(", driver ")
    value = 0xCBF29CE484222325
    for byte in f"{driver.describe['device']}|{platform}|{version}".encode():
        value = (value ^ byte) * 0x100000001B3 % 2**64
    return f"clblast-{value:016x}"


def test_the_layer_takes_every_kernel_of_a_block_down(tmp_path: Path) -> None:
    library = find_library(clblast.NAME)
    program = profiled(
        built("conv-clblast-opencl"), OPENCL_LAYER, lambda: build_layer(library, "opencl_profile", cache_root=CACHE)
    )
    values = {"CK_IN_SHAPE_C": 8, "CK_IN_SHAPE_H": 9, "CK_IN_SHAPE_W": 9, "CK_OUT_SHAPE_C": 8, "CK_CONV_KERNEL": 3}
    with DriverProcess.start(program, cores=(), threads=1, env=KERNELS, heap_offset=64, timeout_s=300) as driver:
        driver.setup(1, case_of("conv-clblast-opencl", values))
        answer = driver.block(1, loops=4)
        profile = Profile.of(answer.profile or {})
        single = driver.block(1, loops=1)
    again = Profile.of(single.profile or {})
    assert sum(profile.kernels_us.values()) <= 1e6 * answer.seconds / answer.loops
    names = [call.kernel for call in profile.calls]
    assert names == [call.kernel for call in again.calls]
    assert set(names) == set(profile.kernels_us)
    assert "Xger" in names
    for call in profile.calls:
        assert call.queued_us <= call.submit_us <= call.start_us <= call.end_us
        assert len(call.global_size) == len(call.local_size) > 0
    assert profile.calls[0].queued_us == 0
    # one after the other, and all within the call: what is in no kernel is before, between and behind them
    for before, after in pairwise(again.calls):
        assert before.end_us <= after.start_us
    assert again.calls[-1].end_us <= 1e6 * single.seconds


@pytest.mark.full
def test_kernels_make_up_nine_tenths_of_a_call() -> None:
    # of the calmest block: a thread that is not woken at once, because others want its core, adds to the call alone
    library = find_library(clblast.NAME)
    program = profiled(
        built("conv-clblast-opencl"), OPENCL_LAYER, lambda: build_layer(library, "opencl_profile", cache_root=CACHE)
    )
    values = {"CK_IN_SHAPE_C": 64, "CK_IN_SHAPE_H": 56, "CK_IN_SHAPE_W": 56, "CK_OUT_SHAPE_C": 128, "CK_CONV_KERNEL": 1}
    with DriverProcess.start(program, cores=(), threads=1, env=KERNELS, heap_offset=64, timeout_s=300) as driver:
        driver.setup(1, case_of("conv-clblast-opencl", values))
        blocks = [driver.block(1, loops=1) for _ in range(30)]
    shares = [sum(Profile.of(block.profile or {}).kernels_us.values()) / (1e6 * block.seconds) for block in blocks]
    assert 0.9 <= max(shares) <= 1


def test_without_layers_a_profile_is_refused_in_words() -> None:
    env = {**KERNELS, "OPENCL_LAYERS": "/nowhere/layer.so", "NNTEST_PROFILE_LAYER": "/nowhere/layer.so"}
    with begin("gemm-clblast-opencl", **env) as driver:
        driver.setup(1, case_of("gemm-clblast-opencl", json.loads(shapes_of(NAMES[2])[0].read_text())))
        with pytest.raises(DriverFailure) as caught:
            driver.block(1, loops=1)
    assert str(caught.value).endswith(
        "profile: the OpenCL loader took no layer; expected ocl-icd 2.3 or later, or leave --profile out"
    )
