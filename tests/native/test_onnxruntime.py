"""ONNX Runtime through its sessions: its own layout, batches in one session, what cannot be evicted."""

from collections.abc import Iterator

import pytest

from nntest.measure.driver import DriverProcess, UnsupportedCase
from tests.programs.build import case_of, start

pytestmark = pytest.mark.native

# 64 channels on 14x14: some ten microseconds, beside which the call of a session would count.
SMALL = {"CK_IN_SHAPE_C": 64, "CK_IN_SHAPE_H": 14, "CK_IN_SHAPE_W": 14, "CK_OUT_SHAPE_C": 64, "CK_CONV_KERNEL": 1}
LARGE = {**SMALL, "CK_IN_SHAPE_H": 112, "CK_IN_SHAPE_W": 112, "CK_CONV_KERNEL": 3, "CK_CONV_PAD": 1}
NODES = 64


@pytest.fixture
def conv() -> Iterator[DriverProcess]:
    with start("conv-onnxruntime-cpu") as driver:
        yield driver


def test_reorders_of_its_own_layout_are_told_apart(conv: DriverProcess) -> None:
    own = conv.setup(1, case_of("conv-onnxruntime-cpu", SMALL, layout="auto"))
    plain = conv.setup(2, case_of("conv-onnxruntime-cpu", SMALL, layout="NCHW"))
    if own.implementation == "Conv":
        pytest.skip("ONNX Runtime has no layout of its own on this processor")
    assert own.implementation == "nchwc.Conv"
    assert own.native_layouts["input"] in ("aBcd8b", "aBcd16b")
    assert own.reorder_in_s > 0
    assert own.reorder_out_s > 0
    assert (plain.implementation, plain.native_layouts["input"], plain.reorder_in_s) == ("Conv", "nchw", 0)


def test_relu_is_fused(conv: DriverProcess) -> None:
    answer = conv.setup(1, case_of("conv-onnxruntime-cpu", SMALL, layout="NCHW", post_ops="relu"))
    assert answer.implementation == "FusedConv"


def test_small_calls_are_timed_in_batches(conv: DriverProcess) -> None:
    conv.setup(1, case_of("conv-onnxruntime-cpu", SMALL))
    assert conv.warm_up(1, max_s=0.01, tolerance=0.5, block_min_s=1e-3).loops % NODES == 0
    assert conv.block(1, loops=3).loops == 3


def test_large_calls_and_cold_ones_are_timed_singly(conv: DriverProcess) -> None:
    conv.setup(1, case_of("conv-onnxruntime-cpu", LARGE))
    assert conv.block(1, loops=1).prime_calls < NODES
    conv.setup(2, case_of("conv-onnxruntime-cpu", SMALL, cache="cold_weights"))
    assert conv.block(2, loops=1).prime_calls % NODES != 0


def test_packed_weights_cannot_be_evicted() -> None:
    values = {"CK_GEMM_M": 8, "CK_GEMM_N": 8, "CK_GEMM_K": 8}
    with start("gemm-onnxruntime-cpu") as gemm, pytest.raises(UnsupportedCase) as caught:
        gemm.setup(1, case_of("gemm-onnxruntime-cpu", values, cache="cold_all"))
    assert caught.value.reason == "cold caches: ONNX Runtime keeps packed weights where they cannot be evicted"
