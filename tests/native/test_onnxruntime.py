"""ONNX Runtime through its sessions: its own layout, batches in one session, what cannot be evicted."""

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from nntest.measure.build import NATIVE
from nntest.measure.compiler import find_compiler
from nntest.measure.driver import DriverProcess, UnsupportedCase
from nntest.measure.profiling import ONNXRUNTIME_TRACE, profiled
from tests.programs.build import built, case_of, start

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


def test_the_trace_of_a_block_names_its_kernels_and_leaves_nothing_behind(tmp_path: Path) -> None:
    program = profiled(built("conv-onnxruntime-cpu"), ONNXRUNTIME_TRACE, lambda: Path("/unused"))
    env = {"TMPDIR": str(tmp_path)}
    with DriverProcess.start(program, cores=(), threads=1, env=env, heap_offset=64, timeout_s=60) as driver:
        large, small = (driver.setup(key, case_of("conv-onnxruntime-cpu", v)) for key, v in ((1, LARGE), (2, SMALL)))
        for key, case, loops in ((1, large, 2), (2, small, 2 * NODES + 1), (1, large, 1)):
            answer = driver.block(key, loops=loops)
            assert answer.profile is not None
            [(kernel, time_us)] = answer.profile["kernels_us"].items()
            assert kernel == case.implementation
            assert 0 < time_us <= 1e6 * answer.seconds / loops
    assert not list(tmp_path.glob("nntest-*"))


def test_the_session_of_a_profiled_block_s_single_calls_is_made_before_the_block() -> None:
    program = profiled(built("conv-onnxruntime-cpu"), ONNXRUNTIME_TRACE, lambda: Path("/unused"))
    with DriverProcess.start(program, cores=(), threads=1, env={}, heap_offset=64, timeout_s=60) as driver:
        driver.setup(1, case_of("conv-onnxruntime-cpu", SMALL))

        def call_s(loops: int) -> float:
            return min(driver.block(1, loops=loops).seconds for _ in range(5)) / loops

        # every block makes its own sessions, and making one takes as long as some dozens of calls
        assert call_s(3) < 5 * call_s(NODES)


def test_nothing_is_traced_unasked(conv: DriverProcess) -> None:
    conv.setup(1, case_of("conv-onnxruntime-cpu", SMALL))
    assert conv.block(1, loops=1).profile is None


TRACE = """[
{"cat" : "Session","pid" :7,"tid" :7,"dur" :251,"ts" :8,"ph" : "X","name" :"model_loading_array","args" : {}},
{"cat" : "Node","pid" :7,"tid" :7,"dur" :900,"ts" :2,"ph" : "X","name" :"a_kernel_time","args" : {"op_name" : "Conv"}},
{"cat" : "Session","pid" :7,"tid" :7,"dur" :901,"ts" :2,"ph" : "X","name" :"model_run","args" : {}},
{"cat" : "Node","pid" :7,"tid" :7,"dur" :0,"ts" :3,"ph" : "X","name" :"a_fence_before","args" : {"op_name" : "Conv"}},
{"cat" : "Node","pid" :7,"tid" :7,"dur" :30,"ts" :3,"ph" : "X","name" :"a_kernel_time","args" : {"op_name" : "Conv",\
"thread_scheduling_stats" : {"main_thread" : {"block_size" : [1]}}}},
{"cat" : "Node","pid" :7,"tid" :7,"dur" :4,"ts" :4,"ph" : "X","name" :"b_kernel_time","args" : {"op_name" : "Relu"}},
{"cat" : "Session","pid" :7,"tid" :7,"dur" :40,"ts" :3,"ph" : "X","name" :"model_run","args" : {}},
{"cat" : "Node","pid" :7,"tid" :7,"dur" :20,"ts" :5,"ph" : "X","name" :"a_kernel_time","args" : {"op_name" : "Conv"}},
{"cat" : "Session","pid" :7,"tid" :7,"dur" :30,"ts" :5,"ph" : "X","name" :"model_run","args" : {}}
]
"""


def test_a_trace_is_read_from_its_end_and_one_with_a_hole_says_nothing(tmp_path: Path) -> None:
    (tmp_path / "trace.json").write_text(TRACE.replace("\\\n", ""))
    source = tmp_path / "read.cpp"
    source.write_text(
        '#include <cstdio>\n#include <fstream>\n#include <sstream>\n#include "onnxruntime_trace.h"\n'
        "int main(int, char** words) {\n"
        "  std::stringstream text;\n  text << std::ifstream(words[1]).rdbuf();\n"
        "  for (const int all : {3, 4}) {\n"
        "    for (const int runs : {1, 2}) {\n"
        "      for (const auto& [kernel, time_us] : nntest::onnxruntime::kernels_in(text.str(), all, runs)) {\n"
        '        std::printf("%d %d %s %g\\n", all, runs, kernel.c_str(), time_us);\n'
        "      }\n    }\n  }\n}\n"
    )
    program = tmp_path / "read"
    options = ["-std=c++17", f"-I{NATIVE}", '-DNNTEST_LIBRARY_FILE=""', str(source), "-o", str(program), "-ldl"]
    subprocess.run([*find_compiler().command, *options], check=True)
    told = subprocess.run([program, tmp_path / "trace.json"], capture_output=True, text=True, check=True).stdout
    assert told.splitlines() == ["3 1 Conv 20", "3 2 Conv 50", "3 2 Relu 4"]
