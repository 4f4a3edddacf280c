"""A profile ends with its block, whatever becomes of that, and says why it cannot be taken."""

from pathlib import Path

import pytest

from nntest.errors import DriverError
from nntest.measure.driver import DriverProcess
from nntest.measure.profiling import ONNXRUNTIME_TRACE, profiled
from tests.programs.build import built, case_of, start

pytestmark = pytest.mark.native

NAME = "conv-counted-cpu"


def test_after_a_block_that_fails_nothing_is_taken_down_any_more(tmp_path: Path) -> None:
    program = profiled(built(NAME), ONNXRUNTIME_TRACE, lambda: Path("/unused"))
    with DriverProcess.start(program, cores=(), threads=1, env={}, heap_offset=64, timeout_s=60) as driver:
        driver.setup(1, case_of(NAME), file := tmp_path / "output.bin")
        usual = file.read_bytes()
        with pytest.raises(DriverError, match="the library returned status 7"):
            driver.block(1, loops=1)
        driver.output(1, file)
        assert file.read_bytes() == usual
        assert driver.block(1, loops=2).profile == {"kernels_us": {"twin": 1.0}, "calls": []}


def test_a_layer_that_is_no_part_of_the_process_is_named() -> None:
    with start(NAME, NNTEST_PROFILE_LAYER="/nowhere/program.so") as driver:
        driver.setup(1, case_of(NAME))
        with pytest.raises(DriverError) as caught:
            driver.block(1, loops=1)
    assert str(caught.value).endswith(
        "profile: NNTEST_PROFILE_LAYER is /nowhere/program.so; expected the program that runs here, or one of "
        "OPENCL_LAYERS, or leave --profile out"
    )
