"""OpenVINO through compiled models: channels innermost without a reorder, batches in one inference."""

import subprocess
from pathlib import Path

import pytest

from nntest.measure.build import NATIVE
from nntest.measure.compiler import find_compiler
from nntest.measure.driver import DriverProcess, UnsupportedCase
from nntest.measure.profiling import OPENVINO_COUNTERS, profiled
from tests.programs.build import built, case_of, start

pytestmark = pytest.mark.native

NAME = "conv-openvino-cpu"
SMALL = {"CK_IN_SHAPE_C": 64, "CK_IN_SHAPE_H": 14, "CK_IN_SHAPE_W": 14, "CK_OUT_SHAPE_C": 64, "CK_CONV_KERNEL": 1}
LARGE = {**SMALL, "CK_IN_SHAPE_H": 112, "CK_IN_SHAPE_W": 112, "CK_CONV_KERNEL": 3, "CK_CONV_PAD": 1}
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
        block = driver.block(1, loops=100 * LAYERS)
        assert block.profile is not None
        assert list(block.profile["kernels_us"]) == [single]
        assert 0 < block.profile["kernels_us"][single] <= 1e6 * block.seconds / block.loops


def test_single_calls_of_a_profiled_block_are_made_ready_before_it_and_few_short_ones_have_no_account() -> None:
    program = profiled(built(NAME), OPENVINO_COUNTERS, lambda: Path("/unused"))
    with DriverProcess.start(program, cores=(), threads=1, env={}, heap_offset=64, timeout_s=60) as driver:
        driver.setup(1, case_of(NAME, SMALL))
        whole, few = ([driver.block(1, loops=loops) for _ in range(5)] for loops in (LAYERS, 3))
        # compiling a model takes as long as some hundred calls
        assert min(block.seconds for block in few) / 3 < 10 * min(block.seconds for block in whole) / LAYERS
        large = driver.setup(2, case_of(NAME, LARGE)).implementation
        profile = driver.block(2, loops=1).profile
        assert profile is not None
        assert profile["kernels_us"][large] > 0


ACCOUNTS = {
    "as long, a kernel of two nodes": ("a 10 a 20", 10, "a 10 a 20", 20, "a 300"),
    "slower at first": ("a 12 b 5", 10, "a 11 b 5", 20, "a 100 b 50"),
    "few calls, known to 5 us": ("a 10", 8, "a 12", 10, ""),
    "few calls, known to 5 of 60 us": ("a 60", 8, "a 60", 10, "a 120"),
    "few calls, known to 5 of 40 us": ("a 40", 8, "a 40", 10, ""),
    "one call, known to 3 of 1000 us": ("a 1000", 2, "a 1000", 3, "a 1000"),
    "shorter than nothing": ("a 1 b 30", 10, "a 0 b 30", 20, ""),
    "one kernel of nothing": ("a 0 b 30", 10, "a 0 b 30", 20, "a 0 b 300"),
    "nothing but that": ("a 0", 10, "a 0", 20, ""),
    "no calls": ("a 10", 10, "a 10", 10, ""),
    "other nodes": ("a 10 b 1", 10, "b 1 a 10", 20, ""),
}


def test_means_of_a_block_are_told_apart_from_those_before_it_or_not_at_all(tmp_path: Path) -> None:
    def nodes(words: str) -> str:
        pairs = zip(words.split()[::2], words.split()[1::2], strict=True)
        return "{" + ", ".join(f'{{"{kernel}", {mean_us}}}' for kernel, mean_us in pairs) + "}"

    calls = [
        f"told(kernels_between({nodes(before)}, {first}, {nodes(after)}, {all_}));"
        for before, first, after, all_, _ in ACCOUNTS.values()
    ]
    source = tmp_path / "between.cpp"
    source.write_text(
        '#include <cstdio>\n#include "openvino_counters.h"\nusing nntest::openvino::kernels_between;\n'
        "static void told(const nntest::Kernels& kernels) {\n"
        '  for (const auto& [kernel, us] : kernels) std::printf("%s %g ", kernel.c_str(), us);\n'
        '  std::printf("\\n");\n}\n'
        f"int main() {{\n  {' '.join(calls)}\n}}\n"
    )
    program = tmp_path / "between"
    subprocess.run([*find_compiler().command, "-std=c++17", f"-I{NATIVE}", str(source), "-o", str(program)], check=True)
    lines = subprocess.run([program], capture_output=True, text=True, check=True).stdout.splitlines()
    assert dict(zip(ACCOUNTS, map(str.strip, lines), strict=True)) == {key: row[-1] for key, row in ACCOUNTS.items()}


def test_nothing_is_counted_unasked() -> None:
    with start(NAME) as driver:
        driver.setup(1, case_of(NAME, SMALL))
        assert driver.block(1, loops=1).profile is None
