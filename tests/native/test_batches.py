"""Programs that compute several times in one entry: what blocks are made of, and when they are not."""

from pathlib import Path

import numpy as np
import pytest

from tests.programs.build import case_of, start

pytestmark = pytest.mark.native

NAME = "conv-batched-cpu"
CALLS = 8
# One call takes longer than a block has to: some millions of multiplications, one by one.
LONG = {"CK_IN_SHAPE_C": 32, "CK_IN_SHAPE_H": 34, "CK_IN_SHAPE_W": 34, "CK_OUT_SHAPE_C": 32, "CK_CONV_KERNEL": 3}


def test_warm_blocks_are_made_of_batches_and_the_rest_of_single_calls() -> None:
    with start(NAME) as driver:
        driver.setup(1, case_of(NAME))
        assert driver.warm_up(1, max_s=0.01, tolerance=0.5, block_min_s=1e-3).loops % CALLS == 0
        whole, rest = driver.block(1, loops=2 * CALLS), driver.block(1, loops=CALLS + 3)
    assert (whole.loops, rest.loops) == (2 * CALLS, CALLS + 3)
    assert whole.prime_calls % CALLS == 0
    assert rest.prime_calls % CALLS == 1  # single calls are made ready by one that is not timed


def test_cold_calls_are_single() -> None:
    with start(NAME) as driver:
        driver.setup(1, case_of(NAME, cache="cold_all"))
        assert driver.block(1, loops=1).loops == 1
        assert driver.warm_up(1, max_s=0.0, tolerance=0.5, block_min_s=0.0).loops >= 1


def test_a_batch_that_leaves_another_output_is_not_used(tmp_path: Path) -> None:
    loops, outputs = [], []
    for flags in ("", "-DBATCH_IS_WRONG"):
        with start(NAME, flags=flags) as driver:
            driver.setup(1, case_of(NAME, LONG), tmp_path / "output.bin")
            outputs.append(np.fromfile(tmp_path / "output.bin", np.float32))
            loops.append(driver.warm_up(1, max_s=0.0, tolerance=0.5, block_min_s=1e-6).loops)
    assert np.array_equal(*outputs)
    assert loops == [CALLS, 1]
