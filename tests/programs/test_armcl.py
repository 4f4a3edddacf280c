"""Arm Compute Library under emulation, against the independent reference; skipped where it is not installed."""

import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

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
from nntest.model.point import Verification
from nntest.model.species import SPECIES
from tests.programs.build import CACHE, REPOSITORY, case_of, source_of

INSTALLED = qemu.read_manifest(qemu.rooms(cache_root())) is not None

needs_target = pytest.mark.skipif(not INSTALLED, reason=f"not installed; `{qemu.INSTALL}`")

NAMES = sorted(path.parents[1].name for path in (REPOSITORY / "program").glob("*-armcl-*/.cm/meta.json"))
QUICK = ("conv", "directconv", "depthwiseconv", "fullyconnected", "softmax")
QUICK_NEON = [name for name in NAMES if name.startswith(QUICK) and name.endswith("-neon")]
# Compiling a kernel for the first time takes seconds under emulation: few shapes here, all of them with --full.
QUICK_OPENCL = {
    "conv-armcl-opencl": ("shape-24-14-14-1-40-1-0",),
    "directconv-armcl-opencl": ("shape-13-15-17-3-11-1-1",),
    "depthwiseconv-armcl-opencl": ("shape-13-15-17-1-1",),
    "fullyconnected-armcl-opencl": ("shape-25-3-5-10-1-1",),
    "softmax-armcl-opencl": ("shape-17-1-1", "shape-21-5-7"),
}
REFERENCES = ReferenceCache(CACHE.parent / "references")

# What the library refuses, by the beginning of its words or ours; anything else is a fault.
REFUSALS = (
    "layout NHWC with an output that is no row of channels",
    "layout NHWC: elements keep their order in NCHW only",
    "Arm Compute Library: groups ",
    "Arm Compute Library: dilation; it has none here",
    "Arm Compute Library: kernel ",
    "Arm Compute Library: stride ",
    "Arm Compute Library: Grouping (num_groups != 1) is not supported on NEON",
    "Arm Compute Library: Strides larger than 3 not supported.",
    "Arm Compute Library: weights->dimension(width_idx) != weights->dimension(height_idx)",
    "Arm Compute Library: input->num_dimensions() != 2",
    "Arm Compute Library: Only ",
    "Arm Compute Library: Winograd layer only supports unit strides.",
    "Arm Compute Library: Winograd input transform ",
    "Arm Compute Library: Winograd only supports padding up to half kernel size",
    "Arm Compute Library: This Winograd configuration requires enable_fast_math=true",
    "Arm Compute Library: Grouping (num_groups != 1) with NHWC data layout is not supported",
    "Arm Compute Library: Grouping (num_groups != 1) is not supported with QASYMM8",
    "Arm Compute Library: Kernel sizes other than 1x1, 3x3, 5x5 or 9x9 are not supported",
    "Arm Compute Library: Weights should have same width and height",
    "Arm Compute Library: ITensor data type QASYMM8 not supported by this kernel",
    "Arm Compute Library: exclude_padding equal false is not supported for AVG Pooling with padding on quantized types",
    "Arm Compute Library: a product of QASYMM8 that is scaled or added to; it has none",
)
# What the library gets wrong; sessions record such points as wrong.
WRONG = {
    # positions in float32: 5 of 132,098 values are off by up to 4.6 units where 4 are allowed
    ("resizebilinear-armcl-neon", "shape-2-65-65-2-257-257-h"),
    ("resizebilinear-armcl-opencl", "shape-2-65-65-2-257-257-h"),
    # padding counts in the average, but on OpenCL that to the right and at the bottom does not
    ("avgpool-armcl-opencl", "shape-17-10-10-3-2-p0.0.1.1"),
}
# The same for one layout and more than one image: padding at an image's end is read out of the next.
WRONG_IN_BATCHES = {
    ("directconv-armcl-opencl", "shape-3-2-2-3-4-1-2", "NHWC"),
    ("directconv-armcl-opencl", "shape-6-12-12-3-9-2-0.0.1.1", "NHWC"),
}

# By species: the first two are always checked, the others with --full.
MOBILENET = {
    "conv": (
        ("tensor-conv-mobilenets-v1-1.0-224", "shape-512-14-14-1-512-1-0"),
        ("tensor-conv-mobilenets-v1-1.0-224", "shape-3-224-224-3-32-2-0"),
        ("tensor-conv-mobilenets-v1-1.0-224", "shape-512-7-7-1-1024-1-0"),
        ("tensor-conv-mobilenets-v1-1.0-224", "shape-1024-1-1-1-1001-1-0"),
    ),
    "depthwiseconv": (
        ("tensor-depthwiseconv-mobilenets-v1-1.0-224", "shape-512-14-14-1-1"),
        ("tensor-depthwiseconv-mobilenets-v1-1.0-224", "shape-64-112-112-2-0.0.1.1"),
        ("tensor-depthwiseconv-mobilenets-v1-1.0-224", "shape-32-112-112-1-1"),
        ("tensor-depthwiseconv-mobilenets-v1-1.0-224", "shape-512-14-14-2-0.0.1.1"),
    ),
    "fullyconnected": (
        ("tensor-fullyconnected-mobilenets-v1-1.0-224", "shape-1024-1-1-1001-1-1"),
        ("tensor-fullyconnected-mobilenets-v1", "shape-256-1-1-1001-1-1"),
        ("tensor-fullyconnected-mobilenets-v1", "shape-512-1-1-1001-1-1"),
        ("tensor-fullyconnected-mobilenets-v1", "shape-768-1-1-1001-1-1"),
    ),
    "softmax": (("tensor-softmax-mobilenets-v1-1.0-224", "shape-1001-1-1"),),
}


@cache
def built(name: str) -> BuiltProgram:
    """Cross-compile a program for the emulated target, or find it in the cache of the tests."""
    target, source = find_target(qemu.NAME, cache_root()), source_of(name)
    library = target.find_library(source.meta["nntest"]["library"], "")
    made = build(source, library, cache_root=CACHE, compiler=target.compiler)
    return replace(made, runner=target.runner, emulated=True)


def start(name: str, **env: str) -> DriverProcess:
    return DriverProcess.start(built(name), cores=(), threads=1, env=env, heap_offset=64, timeout_s=300)


def shapes_of(name: str) -> Iterator[Path]:
    species = source_of(name).meta["nntest"]["species"]
    yield from sorted((REPOSITORY / "dataset" / f"tensor-{species}-synthetic").glob("shape-*.json"))


def checked(
    name: str, driver: DriverProcess, file: Path, *, layout: str, batch: int, folder: Path, dtype: str = "float32"
) -> Verification | None:
    """Compute one case and hold it against the reference; None where the library refused it."""
    where = f"{name} {file.stem} {layout} batch {batch} {dtype}"
    case = case_of(name, {**json.loads(file.read_text()), "CK_IN_SHAPE_N": batch}, layout=layout, dtype=dtype)
    try:
        setup = driver.setup(1, case)
    except UnsupportedCase as refusal:
        assert refusal.reason.startswith(REFUSALS), f"{where}: {refusal.reason}"
        return None
    driver.output(1, folder / "output.bin")
    output = np.fromfile(folder / "output.bin", dtype)
    shape = SPECIES[case.species].output_shape(case.parameters, batch)
    algorithm = algorithm_in_force(source_of(name).meta["nntest"]["algorithm"], setup.implementation)
    return verify(case, output.reshape(shape), REFERENCES.expected(case), algorithm)


def check(
    name: str, driver: DriverProcess, file: Path, *, layout: str, batch: int, folder: Path, dtype: str = "float32"
) -> bool:
    """Check one case; return False where the library refused it."""
    found = checked(name, driver, file, layout=layout, batch=batch, folder=folder, dtype=dtype)
    if found is None:
        return False
    assert found.verified, f"{name} {file.stem} {layout} batch {batch} {dtype}: {found.reason}"
    return True


def is_wrong(name: str, stem: str, folder: Path, *, layout: str, batch: int, dtype: str = "float32") -> bool:
    """Whether what the library is known to get wrong is told as such; False: it was mended, and can be checked."""
    species = source_of(name).meta["nntest"]["species"]
    file = next((REPOSITORY / "dataset").glob(f"tensor-{species}-*/{stem}.json"))
    with start(name) as driver:
        found = checked(name, driver, file, layout=layout, batch=batch, folder=folder, dtype=dtype)
    return found is not None and not found.verified


def check_shapes(
    name: str, driver: DriverProcess, folder: Path, *, batches: tuple[int, ...], shapes: tuple[str, ...] = ()
) -> int:
    """Check shapes of the species, all without names, in both layouts; return how many were computed."""
    return sum(
        check(name, driver, file, layout=layout, batch=batch, folder=folder)
        for file in shapes_of(name)
        if (name, file.stem) not in WRONG and (not shapes or file.stem in shapes)
        for layout in ("NCHW", "NHWC")
        for batch in batches
        if batch == 1 or (name, file.stem, layout) not in WRONG_IN_BATCHES
    )


def check_mobilenet(
    name: str, driver: DriverProcess, folder: Path, *, shapes: int, layouts: tuple[str, ...] = ()
) -> None:
    """Check shapes of the species in each layout, without layouts in NHWC and NCHW by turns."""
    wanted = MOBILENET[source_of(name).meta["nntest"]["species"]][:shapes]
    for number, (dataset, shape) in enumerate(wanted):
        file = REPOSITORY / "dataset" / dataset / f"{shape}.json"
        for layout in layouts or (("NHWC", "NCHW")[number % 2],):
            assert check(name, driver, file, layout=layout, batch=1, folder=folder)


def side_by_side(tests: Sequence[str], compute: Callable[[str, Path], int]) -> Any:
    """Return a fixture: what ``compute`` gives, of a program's name and a folder, for each program the tests ask for.

    Two are computed at a time, because an emulator is slow.
    """

    @pytest.fixture(scope="module")
    def computed(
        request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
    ) -> Iterator[Mapping[str, Future[int]]]:
        items = (one for one in request.session.items if one.path == request.path and one.name.split("[")[0] in tests)
        names = [item.callspec.params["name"] for item in items if isinstance(item, pytest.Function)]
        built(names[0])  # with the driver, which all of them share
        with ThreadPoolExecutor(2) as pool:
            yield {name: pool.submit(compute, name, tmp_path_factory.mktemp(name)) for name in names}

    return computed


def compute(name: str, folder: Path) -> int:
    """Check the shapes of a program."""
    with start(name) as driver:
        count = check_shapes(name, driver, folder, batches=(1,), shapes=QUICK_OPENCL.get(name, ()))
        check_mobilenet(name, driver, folder, shapes=2)
        return count


computed = side_by_side(
    (
        "test_edge_shapes_and_two_of_mobilenet_are_right_in_both_layouts",
        "test_small_shapes_and_two_of_mobilenet_are_right_on_opencl",
    ),
    compute,
)


@needs_target
@pytest.mark.native
@pytest.mark.parametrize("name", QUICK_NEON)
def test_edge_shapes_and_two_of_mobilenet_are_right_in_both_layouts(
    name: str, computed: Mapping[str, Future[int]]
) -> None:
    assert computed[name].result() >= 8


@needs_target
@pytest.mark.native
@pytest.mark.parametrize("name", QUICK_OPENCL)
def test_small_shapes_and_two_of_mobilenet_are_right_on_opencl(name: str, computed: Mapping[str, Future[int]]) -> None:
    assert computed[name].result() == 2 * len(QUICK_OPENCL[name])


@needs_target
@pytest.mark.native
@pytest.mark.full
@pytest.mark.parametrize("name", NAMES)
def test_edge_shapes_are_right_in_both_layouts_and_batches(name: str, tmp_path: Path) -> None:
    with start(name) as driver:
        assert check_shapes(name, driver, tmp_path, batches=(1, 2)) >= 10


@needs_target
@pytest.mark.native
@pytest.mark.full
@pytest.mark.parametrize(
    ("name", "stem", "layout", "batch"),
    [
        *((*case, layout, batch) for case in sorted(WRONG) for layout in ("NCHW", "NHWC") for batch in (1, 2)),
        *((*case, 2) for case in sorted(WRONG_IN_BATCHES)),
    ],
)
def test_what_is_known_to_be_wrong_is_not_verified(
    name: str, stem: str, layout: str, batch: int, tmp_path: Path
) -> None:
    assert is_wrong(name, stem, tmp_path, layout=layout, batch=batch)


@needs_target
@pytest.mark.native
@pytest.mark.full
@pytest.mark.parametrize("name", [*QUICK_NEON, *QUICK_OPENCL])
def test_four_shapes_of_mobilenet_are_right_in_both_layouts(name: str, tmp_path: Path) -> None:
    with start(name) as driver:
        check_mobilenet(name, driver, tmp_path, shapes=4, layouts=("NCHW", "NHWC"))


@needs_target
@pytest.mark.native
def test_the_tuner_s_sizes_are_part_of_what_is_told_and_of_the_set_up(tmp_path: Path) -> None:
    name, plain = "directconv-armcl-opencl", "CLDirectConvolutionLayer"
    file = next(file for file in shapes_of(name) if file.stem == "shape-1-1-1-1-1-1-0")
    case = case_of(name, json.loads(file.read_text()))
    with start(name) as driver:
        assert driver.setup(1, case).implementation == plain
    with start(name, CK_LWS_TUNER_TYPE="DEFAULT") as driver:
        setup = driver.setup(1, case)
        assert re.fullmatch(rf"{plain} direct_convolution_f32_\S+=(driver|\d+(x\d+)*)", setup.implementation)
        assert setup.create_s > setup.first_run_s
    with start(name, CK_LWS_TUNER_TYPE="FAST") as driver, pytest.raises(UnsupportedCase) as refused:
        driver.setup(1, case)
    assert refused.value.reason == "CK_LWS_TUNER_TYPE FAST; expected NONE or DEFAULT"


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
