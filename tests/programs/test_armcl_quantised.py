"""uint8 of Arm Compute Library under emulation, within one step of exact sums; skipped where it is not installed."""

import json
from collections.abc import Mapping
from concurrent.futures import Future
from pathlib import Path

import pytest

from nntest.measure.driver import UnsupportedCase
from tests.programs.build import REPOSITORY, case_of, source_of
from tests.programs.test_armcl import NAMES, check, is_wrong, needs_target, shapes_of, side_by_side, start

# Those of which the library has none; the others compute at least one shape in each layout.
NONE = {
    "directconv-armcl-neon": "ITensor data type QASYMM8 not supported by this kernel",
    "winogradconv-armcl-neon": "ITensor data type QASYMM8 not supported by this kernel",
    "winogradconv-armcl-opencl": "ITensor data type QASYMM8 not supported by this kernel",
}
SOME = [name for name in NAMES if name not in NONE]
SOME_NEON = [name for name in SOME if name.endswith("-neon")]
# Compiling a kernel for the first time takes seconds under emulation.
SOME_OPENCL = {
    "conv-armcl-opencl": "shape-24-14-14-1-40-1-0",
    "fullyconnected-armcl-opencl": "shape-25-3-5-10-1-1",
    "softmax-armcl-opencl": "shape-17-1-1",
}
# What the library gets wrong; sessions record such points as wrong.
WRONG = {
    # a kernel of 2x2 with a stride of 3 in NCHW
    ("avgpool-armcl-neon", "shape-8-16-16-2-3", "NCHW"),
    ("maxpool-armcl-neon", "shape-8-16-16-2-3", "NCHW"),
    # so many classes that the sum of their exponentials is some 1,700: half of them come out as nearly certain
    ("softmax-armcl-opencl", "shape-50257-1-1", "NCHW"),
    ("softmax-armcl-opencl", "shape-50257-1-1", "NHWC"),
    # as in float32: padding to the right and at the bottom does not count
    ("avgpool-armcl-opencl", "shape-17-10-10-3-2-p0.0.1.1", "NCHW"),
    # padding of two rows; and most values of 512 channels with a kernel of 1x1
    ("directconv-armcl-opencl", "shape-3-2-2-3-4-1-2", "NHWC"),
    ("directconv-armcl-opencl", "shape-512-14-14-1-512-1-0", "NHWC"),
}
MOBILENET = {
    "conv": (
        ("tensor-conv-mobilenets-v1-1.0-224", "shape-512-14-14-1-512-1-0"),
        ("tensor-conv-mobilenets-v1-1.0-224", "shape-3-224-224-3-32-2-0"),
    ),
    "depthwiseconv": (
        ("tensor-depthwiseconv-mobilenets-v1-1.0-224", "shape-512-14-14-1-1"),
        ("tensor-depthwiseconv-mobilenets-v1-1.0-224", "shape-64-112-112-2-0.0.1.1"),
    ),
    "fullyconnected": (("tensor-fullyconnected-mobilenets-v1-1.0-224", "shape-1024-1-1-1001-1-1"),),
    "softmax": (("tensor-softmax-mobilenets-v1-1.0-224", "shape-1001-1-1"),),
}
ON_MOBILENET = [name for name in SOME if source_of(name).meta["nntest"]["species"] in MOBILENET]


def check_all(name: str, files: list[Path], folder: Path, layouts: tuple[str, ...] = ("NCHW", "NHWC")) -> int:
    with start(name) as driver:
        return sum(
            check(name, driver, file, layout=layout, batch=1, folder=folder, dtype="uint8")
            for file in files
            for layout in layouts
            if (name, file.stem, layout) not in WRONG
        )


def test_programs_promise_uint8_where_the_library_has_it() -> None:
    promised = {name: source_of(name).meta["nntest"]["dtypes"] for name in NAMES}
    assert promised == {name: ["float32"] if name in NONE else ["float32", "uint8"] for name in NAMES}


def compute(name: str, folder: Path) -> int:
    """Check the shapes of a program: edge shapes on NEON, a small one on OpenCL."""
    if name not in SOME_OPENCL:
        return check_all(name, list(shapes_of(name)), folder)
    files = [file for file in shapes_of(name) if file.stem == SOME_OPENCL[name]]
    return check_all(name, files, folder, layouts=("NCHW",))


computed = side_by_side(
    ("test_edge_shapes_are_right_to_the_step_on_neon", "test_a_small_shape_is_right_to_the_step_on_opencl"), compute
)


@needs_target
@pytest.mark.native
@pytest.mark.parametrize("name", SOME_NEON)
def test_edge_shapes_are_right_to_the_step_on_neon(name: str, computed: Mapping[str, Future[int]]) -> None:
    assert computed[name].result() >= 5


@needs_target
@pytest.mark.native
@pytest.mark.parametrize("name", SOME_OPENCL)
def test_a_small_shape_is_right_to_the_step_on_opencl(name: str, computed: Mapping[str, Future[int]]) -> None:
    assert computed[name].result() == 1


@needs_target
@pytest.mark.native
@pytest.mark.full
@pytest.mark.parametrize("name", [name for name in SOME if name.endswith("-opencl")])
def test_edge_shapes_are_right_to_the_step_on_opencl(name: str, tmp_path: Path) -> None:
    assert check_all(name, list(shapes_of(name)), tmp_path) >= 5


@needs_target
@pytest.mark.native
@pytest.mark.full
@pytest.mark.parametrize(("name", "stem", "layout"), sorted(WRONG))
def test_what_is_known_to_be_wrong_is_not_verified(name: str, stem: str, layout: str, tmp_path: Path) -> None:
    assert is_wrong(name, stem, tmp_path, layout=layout, batch=1, dtype="uint8")


@needs_target
@pytest.mark.native
@pytest.mark.full
@pytest.mark.parametrize("name", ON_MOBILENET)
def test_shapes_of_mobilenet_are_right_to_the_step(name: str, tmp_path: Path) -> None:
    shapes = MOBILENET[source_of(name).meta["nntest"]["species"]]
    files = [REPOSITORY / "dataset" / dataset / f"{shape}.json" for dataset, shape in shapes]
    assert check_all(name, files, tmp_path) >= len(files)


@needs_target
@pytest.mark.native
@pytest.mark.parametrize("name", NONE)
def test_what_the_library_has_not_is_unsupported_in_its_words(name: str) -> None:
    file = next(file for file in shapes_of(name) if file.stem == "shape-13-15-17-3-11-1-1")
    with start(name) as driver, pytest.raises(UnsupportedCase) as refused:
        driver.setup(1, case_of(name, json.loads(file.read_text()), dtype="uint8"))
    assert refused.value.reason == f"Arm Compute Library: {NONE[name]}"
