"""Every program against the independent reference: edge shapes, all layouts, batches, threads."""

import json
import platform
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from nntest.measure.driver import DriverProcess, UnsupportedCase
from nntest.measure.libraries import isa_environment
from nntest.measure.reference import ReferenceCache
from nntest.measure.verify import algorithm_in_force, verify
from nntest.model.species import SPECIES
from tests.programs.build import CACHE, REPOSITORY, case_of, source_of, start

pytestmark = pytest.mark.native

# Those of other targets have tests of their own.
NAMES = sorted(path.parents[1].name for path in (REPOSITORY / "program").glob("*-cpu/.cm/meta.json"))
# Asks for what the installed version may not have at all; it has its own test.
COMPUTING = [name for name in NAMES if not name.startswith("winogradconv-")]
SINGLE = [name for name in NAMES if name.endswith(("-plain-cpu", "-openvino-cpu", "-litert-cpu"))]
FUSING = [name for name in COMPUTING if name.endswith(("conv-onednn-cpu", "connected-onednn-cpu"))]
FUSING += [name.replace("onednn", "plain") for name in FUSING if not name.startswith("direct")]
FUSING_RELU_ALONE = ("conv-onnxruntime-cpu", "conv-openvino-cpu", "conv-litert-cpu", "conv-ncnn-cpu")
FUSING_RELU = [name for name in COMPUTING if name.endswith(FUSING_RELU_ALONE)]
REFERENCES = ReferenceCache(CACHE.parent / "references")
# What a program may refuse, by the start of its reason; anything else is a fault.
REFUSALS = (
    "threads 2; plain-cpu has 1",
    "threads 2; OpenVINO is measured with one",
    "threads 2; LiteRT is measured with one",
    "layout NHWC with an output that",
    "oneDNN has no direct kernel for this case",
)


def check_all(
    name: str, driver: DriverProcess, *, threads: int, batches: tuple[int, ...], folder: Path, post_ops: str = ""
) -> int:
    """Check every shape and layout; return how many were done."""
    meta = source_of(name).meta["nntest"]
    done = 0
    for file in sorted((REPOSITORY / "dataset" / f"tensor-{meta['species']}-synthetic").glob("shape-*.json")):
        for layout in meta["layouts"]:
            for batch in batches:
                values = {**json.loads(file.read_text()), "CK_IN_SHAPE_N": batch}
                case = case_of(name, values, layout=layout, threads=threads, post_ops=post_ops)
                try:
                    setup = driver.setup(1, case)
                except UnsupportedCase as refusal:
                    assert refusal.reason.startswith(REFUSALS), f"{name} {file.stem} {layout}: {refusal.reason}"
                    continue
                driver.output(1, folder / "output.bin")
                shape = SPECIES[case.species].output_shape(case.parameters, batch)
                output = np.fromfile(folder / "output.bin", np.float32).reshape(shape)
                algorithm = algorithm_in_force(meta["algorithm"], setup.implementation)
                checked = verify(case, output, REFERENCES.expected(case), algorithm)
                assert checked.verified, f"{name} {file.stem} {layout} batch {batch}: {checked.reason}"
                done += 1
    return done


@pytest.mark.parametrize("name", COMPUTING)
def test_the_output_is_right_for_edge_shapes_in_all_layouts(name: str, tmp_path: Path) -> None:
    with start(name) as driver:
        assert check_all(name, driver, threads=1, batches=(1, 2), folder=tmp_path) >= 10


@pytest.mark.parametrize("name", [name for name in COMPUTING if name not in SINGLE])
def test_the_output_is_right_with_two_threads(name: str, tmp_path: Path) -> None:
    with start(name, threads=2) as driver:
        assert check_all(name, driver, threads=2, batches=(1,), folder=tmp_path) >= 5


@pytest.mark.parametrize("name", SINGLE)
def test_programs_with_one_thread_say_so(name: str, tmp_path: Path) -> None:
    with start(name, threads=2) as driver:
        assert check_all(name, driver, threads=2, batches=(1,), folder=tmp_path) == 0


@pytest.fixture
def onednn() -> Iterator[DriverProcess]:
    with start("conv-onednn-cpu") as driver:
        yield driver


def test_onednn_fuses_relu(onednn: DriverProcess, tmp_path: Path) -> None:
    onednn.setup(1, case_of("conv-onednn-cpu"))
    onednn.output(1, tmp_path / "plain.bin")
    onednn.setup(1, case_of("conv-onednn-cpu", post_ops="relu"))
    onednn.output(1, tmp_path / "fused.bin")
    plain, fused = (np.fromfile(tmp_path / f"{name}.bin", np.float32) for name in ("plain", "fused"))
    assert (plain < 0).any()
    np.testing.assert_array_equal(fused, np.maximum(plain, 0))


@pytest.mark.parametrize("name", FUSING_RELU)
def test_a_fused_relu_is_right_for_edge_shapes_in_all_layouts(name: str, tmp_path: Path) -> None:
    with start(name) as driver:
        assert check_all(name, driver, threads=1, batches=(2,), folder=tmp_path, post_ops="relu") >= 10


@pytest.mark.parametrize("name", FUSING)
@pytest.mark.parametrize("post_ops", ["relu", "sum", "sum+relu"])
def test_fused_operations_are_right_for_edge_shapes_in_all_layouts(name: str, post_ops: str, tmp_path: Path) -> None:
    with start(name) as driver:
        assert check_all(name, driver, threads=1, batches=(2,), folder=tmp_path, post_ops=post_ops) >= 10


@pytest.mark.parametrize("name", [name for name in COMPUTING if name not in FUSING + FUSING_RELU])
def test_programs_that_fuse_nothing_say_so(name: str) -> None:
    species = source_of(name).meta["nntest"]["species"]
    file = min((REPOSITORY / "dataset" / f"tensor-{species}-synthetic").glob("shape-*.json"))
    with start(name) as driver, pytest.raises(UnsupportedCase, match="post_ops relu cannot be fused here"):
        driver.setup(1, case_of(name, json.loads(file.read_text()), post_ops="relu", layout="NCHW"))


def test_winograd_is_refused_by_a_version_that_has_none_and_checked_otherwise(tmp_path: Path) -> None:
    name = "winogradconv-onednn-cpu"
    values = {"CK_IN_SHAPE_C": 32, "CK_IN_SHAPE_H": 14, "CK_IN_SHAPE_W": 14, "CK_OUT_SHAPE_C": 32, "CK_CONV_KERNEL": 3}
    with start(name) as driver:
        case = case_of(name, values)
        version = driver.describe["version"]
        try:
            assert "wino" in driver.setup(1, case, tmp_path / "output.bin").implementation
        except UnsupportedCase as refusal:
            assert refusal.reason == f"oneDNN {version} has no Winograd kernel for this case on this processor"
            return
    output = np.fromfile(tmp_path / "output.bin", np.float32)
    checked = verify(case, output, REFERENCES.expected(case), "winograd")
    assert checked.verified, checked.reason


def test_blocked_layouts_are_native_and_reordered(onednn: DriverProcess) -> None:
    values = {"CK_IN_SHAPE_C": 32, "CK_IN_SHAPE_H": 9, "CK_IN_SHAPE_W": 9, "CK_OUT_SHAPE_C": 32, "CK_CONV_KERNEL": 3}
    free = onednn.setup(1, case_of("conv-onednn-cpu", values, layout="auto"))
    assert free.native_layouts["input"] not in ("abcd", "")
    assert min(free.reorder_in_s, free.reorder_out_s, free.prepare_weights_s) > 0
    plain = onednn.setup(2, case_of("conv-onednn-cpu", values, layout="NCHW"))
    assert plain.native_layouts["input"] == plain.native_layouts["output"] == "abcd"
    assert plain.reorder_in_s == plain.reorder_out_s == 0


def test_directconv_never_unfolds_the_input() -> None:
    values = {"CK_IN_SHAPE_C": 32, "CK_IN_SHAPE_H": 9, "CK_IN_SHAPE_W": 9, "CK_OUT_SHAPE_C": 32, "CK_CONV_KERNEL": 3}
    with start("directconv-onednn-cpu") as driver:
        for layout in ("NHWC", "auto"):
            setup = driver.setup(1, case_of("directconv-onednn-cpu", values, layout=layout))
            assert "gemm" not in setup.implementation
            assert not setup.implementation.startswith("ref")
        # On plain NCHW oneDNN has only gemm and its reference for this shape.
        with pytest.raises(UnsupportedCase, match="no direct kernel for this case in NCHW; try layout auto"):
            driver.setup(1, case_of("directconv-onednn-cpu", values, layout="NCHW"))


def test_a_driver_describes_its_library() -> None:
    with start("conv-onednn-cpu") as driver:
        assert driver.describe["library"] == "onednn-cpu"
        assert driver.describe["threading"] == "openmp"
        assert driver.describe["isa"]
    with start("conv-openblas-cpu") as driver:
        assert driver.describe["library"] == "openblas-cpu"
        assert driver.describe["isa"]


def test_setting_up_the_same_shape_again_is_not_answered_from_a_cache(onednn: DriverProcess) -> None:
    # With oneDNN's cache of primitives, the second set-up would be a look-up of some microseconds.
    first, second = (onednn.setup(key, case_of("conv-onednn-cpu", layout="auto")) for key in (1, 2))
    assert second.implementation == first.implementation
    assert second.create_s > 20e-6


@pytest.mark.parametrize("library", ["onednn-cpu", "openblas-cpu"])
def test_a_library_that_is_held_back_says_so(library: str) -> None:
    if platform.machine() != "x86_64":
        pytest.skip("the names are those of x86-64 extensions")
    with start(f"conv-{library}", **isa_environment(library, "sse41")) as driver:
        assert driver.describe["isa"] in ("sse41", "Nehalem")
        setup = driver.setup(1, case_of(f"conv-{library}", layout="NCHW"))
    assert "avx" not in setup.implementation
