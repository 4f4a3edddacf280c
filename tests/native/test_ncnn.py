"""ncnn inside a Python process: its own layout, batches in one inference, what an entry costs, what cannot be done."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from nntest.measure.build import HOSTED
from nntest.measure.driver import DriverProcess, UnsupportedCase
from nntest.measure.libraries import find_library
from tests.programs.build import built, case_of, start

pytestmark = pytest.mark.native

NAME = "conv-ncnn-cpu"
SMALL = {"CK_IN_SHAPE_C": 16, "CK_IN_SHAPE_H": 7, "CK_IN_SHAPE_W": 7, "CK_OUT_SHAPE_C": 16, "CK_CONV_KERNEL": 1}
LARGE = {**SMALL, "CK_IN_SHAPE_C": 256, "CK_OUT_SHAPE_C": 256, "CK_CONV_KERNEL": 3, "CK_CONV_PAD": 1}
COPIES = 64


@pytest.fixture
def conv() -> Iterator[DriverProcess]:
    with start(NAME) as driver:
        yield driver


def test_channels_lie_beside_each_other_unless_the_layout_is_given(conv: DriverProcess) -> None:
    own = conv.setup(1, case_of(NAME, SMALL, layout="auto"))
    plain = conv.setup(2, case_of(NAME, SMALL, layout="NCHW"))
    assert own.native_layouts["input"] in ("aBcd4b", "aBcd8b", "aBcd16b")
    assert own.native_layouts["input"] == own.native_layouts["output"]
    assert plain.native_layouts["input"] == plain.native_layouts["output"] == "nchw"
    for setup in (own, plain):
        assert setup.implementation == "Convolution"
        assert min(setup.prepare_weights_s, setup.reorder_in_s, setup.reorder_out_s) > 0


def test_small_calls_are_timed_in_batches_and_those_with_many_weights_singly(conv: DriverProcess) -> None:
    conv.setup(1, case_of(NAME, SMALL))
    assert conv.warm_up(1, max_s=0.01, tolerance=0.5, block_min_s=1e-3).loops % COPIES == 0
    conv.setup(2, case_of(NAME, LARGE))
    assert conv.block(2, loops=1).prime_calls < COPIES


def test_what_entering_the_library_costs_is_told(conv: DriverProcess) -> None:
    assert conv.describe["library"] == "ncnn-cpu"
    assert conv.describe["version"] == built(NAME).subject.library.version
    assert 0 < conv.describe["call_s"] < 1e-3


def test_one_thread_is_one(conv: DriverProcess) -> None:
    conv.setup(1, case_of(NAME, LARGE, layout="auto"))
    assert len(list(Path(f"/proc/{conv.pid}/task").iterdir())) == 1


def test_groups_are_computed_by_another_layer(conv: DriverProcess) -> None:
    grouped = conv.setup(1, case_of(NAME, {**SMALL, "CK_CONV_GROUPS": 2}))
    assert grouped.implementation == "ConvolutionDepthWise"


def test_cold_caches_are_refused(conv: DriverProcess) -> None:
    with pytest.raises(UnsupportedCase) as caught:
        conv.setup(1, case_of(NAME, SMALL, cache="cold_weights"))
    assert caught.value.reason == "cold caches: ncnn keeps weights and images where they cannot be evicted"


# Makes layers as the programs do, without a driver: `layer(channels)`, with weights once it is loaded.
LAYERS = """
import ctypes, gc, weakref
import ncnn_layer

gc.disable()  # as in host

def layer(channels):
    made = ncnn_layer.Convolution((1, channels, 7, 7) * 2, (3, 3, 1, 1, 1, 1, 1, 1, 1, 1), 1, (0, 1, 1))
    weights, image = ((ctypes.c_float * count)(*[0.5] * count) for count in (channels * channels * 9, channels * 49))
    sizes = ctypes.sizeof(weights), 4 * channels
    made.read(ctypes.addressof(image))
    made.load(ctypes.addressof(weights), sizes[0], ctypes.addressof(weights), sizes[1])
    return made
"""


def in_python(script: str) -> str:
    """Run a script with the hosted module, in an interpreter of its own, and return what it printed."""
    folders = [str(HOSTED), *map(str, find_library("ncnn-cpu").python)]
    words = [sys.executable, "-I", "-c", f"import sys\nsys.path[:0] = {folders}\n{LAYERS}\n{script}"]
    return subprocess.run(words, capture_output=True, text=True, check=True).stdout


@pytest.mark.usefixtures("conv")
def test_layers_are_freed_although_nobody_collects_cycles() -> None:
    script = """
for channels in (8, 128):
    used = layer(channels)
    used.kernel()
    copies, gone = used.batch(), weakref.ref(used)
    del used
    print(copies > 1, gone() is None)
"""
    assert in_python(script) == "True True\nFalse True\n"


@pytest.mark.usefixtures("conv")
def test_every_layer_of_a_batch_must_compute_what_the_single_one_does() -> None:
    script = """
class Altered(bytes):
    def __mul__(self, count):
        copies = [bytes(self)] * count
        copies[number] = self[:4] + bytes(len(self) - 4)  # weights of zero
        return b"".join(copies)

for number in (None, 0, 5, -1):
    used = layer(8)
    constants = used._constants()
    if number is not None:
        used._constants = lambda: Altered(constants)
    print(used.batch())
"""
    assert in_python(script).split() == ["64", "1", "1", "1"]


def by_hand(command: list[str], folder: Path) -> "subprocess.CompletedProcess[str]":
    env = {**os.environ, **{key: str(value) for key, value in SMALL.items()}}
    return subprocess.run(command, cwd=folder, env=env, capture_output=True, text=True, timeout=120, check=False)


def test_a_case_by_hand_runs_inside_python_too(tmp_path: Path) -> None:
    program = built(NAME)
    done = by_hand([*program.runner, str(program.driver), "--operator", str(program.operator)], tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    assert (tmp_path / "tmp-ck-output.bin").stat().st_size == 4 * 16 * 7 * 7


def test_the_exit_code_is_that_of_the_driver(tmp_path: Path) -> None:
    program = built(NAME)
    done = by_hand([*program.runner, str(program.driver)], tmp_path)
    assert (done.returncode, done.stderr.splitlines()[0]) == (1, "nntest-driver: --operator is missing")


def test_outside_of_python_the_operator_says_where_it_belongs(tmp_path: Path) -> None:
    driver = built("conv-plain-cpu").driver
    done = by_hand([str(driver), "--operator", str(built(NAME).operator)], tmp_path)
    assert done.returncode == 1
    assert "PyImport_ImportModule was not found; this driver runs inside measure/hosted/host.py" in done.stderr
