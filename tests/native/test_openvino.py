"""OpenVINO through compiled models: channels innermost without a reorder, batches in one inference."""

from pathlib import Path

import pytest

from nntest.measure.driver import DriverProcess, UnsupportedCase
from nntest.measure.profiling import OPENVINO_COUNTERS, profiled
from tests.programs.build import built, case_of, start

pytestmark = pytest.mark.native

NAME = "conv-openvino-cpu"
SMALL = {"CK_IN_SHAPE_C": 64, "CK_IN_SHAPE_H": 14, "CK_IN_SHAPE_W": 14, "CK_OUT_SHAPE_C": 64, "CK_CONV_KERNEL": 1}
LAYERS = 16


def test_its_layout_is_nhwc_and_nothing_else_is_computed() -> None:
    with start(NAME) as driver:
        own = driver.setup(1, case_of(NAME, SMALL, layout="auto"))
        plain = driver.setup(2, case_of(NAME, SMALL, layout="NHWC"))
        assert (own.native_layouts["input"], own.native_layouts["output"]) == ("acdb", "acdb")
        assert own.reorder_in_s > 0
        assert own.reorder_out_s > 0
        assert (plain.native_layouts["input"], plain.reorder_in_s) == ("nhwc", 0)
        assert "+" not in plain.implementation
        fused = driver.setup(3, case_of(NAME, SMALL, layout="NHWC", post_ops="relu"))
        assert fused.implementation == plain.implementation
        assert driver.warm_up(2, max_s=0.01, tolerance=0.5, block_min_s=1e-3).loops % LAYERS == 0


def test_what_it_cannot_do_apart_is_refused() -> None:
    with start(NAME) as driver:
        with pytest.raises(UnsupportedCase, match="layout NCHW; this operator knows NHWC,auto"):
            driver.setup(1, case_of(NAME, SMALL, layout="NCHW"))
        with pytest.raises(UnsupportedCase, match="cold caches: OpenVINO keeps packed weights where"):
            driver.setup(1, case_of(NAME, SMALL, layout="NHWC", cache="cold_weights"))


@pytest.mark.parametrize("post_ops", ["", "relu"])
def test_the_layers_of_a_batch_are_computed_as_the_single_one(post_ops: str) -> None:
    # a bias that layers share was added by a kernel of its own, so that a batch took longer than its calls
    program = profiled(built(NAME), OPENVINO_COUNTERS, lambda: Path("/unused"))
    with DriverProcess.start(program, cores=(), threads=1, env={}, heap_offset=64, timeout_s=60) as driver:
        single = driver.setup(1, case_of(NAME, SMALL, post_ops=post_ops)).implementation
        for loops in (2 * LAYERS, 3):
            profile = driver.block(1, loops=loops).profile
            assert profile is not None
            assert list(profile["kernels_us"]) == [single]
            assert profile["kernels_us"][single] > 0


def test_nothing_is_counted_unasked() -> None:
    with start(NAME) as driver:
        driver.setup(1, case_of(NAME, SMALL))
        assert driver.block(1, loops=1).profile is None
