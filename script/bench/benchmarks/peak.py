"""How close oneDNN's 1x1 convolution comes to the FMA peak that the same run measures.

``fraction_of_peak``: GFLOPS of conv-onednn-cpu on 512-14-14-1-512-1-0 in the library's own layout, one thread, over the
peak of the widest fused multiply-adds. A convolution also moves data, draws more current, and some processors lower
their clock for it by a fifth, for some milliseconds. So each block is divided by the multiply-adds of the half
millisecond behind it, at the clock that the block had; the figure is the median ratio of all blocks.
``fraction_of_free_peak`` is the same against multiply-adds alone, at the higher clock that they settle at.
"""

import statistics

from demo_set import NETWORK

from nntest.measure.request import RunRequest
from nntest.measure.session import plan_session
from nntest.measure.world import real_world
from nntest.model.species import find_species

PROCESSES = 3
TURNS = 10
BLOCKS = 5
BLOCK_S = 0.05
FREE_PEAK_S = 0.02
PEAK_S = 2e-4
SLICE_S = 5e-5


def run() -> dict[str, float]:
    """Return the figures."""
    world = real_world()
    request = RunRequest(
        programs="conv-onednn-cpu",
        dataset_uoa=f"tensor-conv-{NETWORK}",
        dataset_files=("shape-512-14-14-1-512-1-0",),
    )
    [trial] = plan_session(request, world).trials
    built = world.build(trial.candidate)
    flops = find_species("conv").flops(trial.case.parameters)
    speeds, peaks, free_peaks = [], [], []
    for process in range(PROCESSES):
        with world.start_driver(
            built, cores=world.choose_cores(1), threads=1, env={}, heap_offset=4096 * process, timeout_s=60.0
        ) as driver:
            driver.setup(0, trial.case)
            loops = driver.warm_up(0, max_s=0.25, tolerance=0.02, block_min_s=BLOCK_S).loops
            for _ in range(TURNS):
                free_peaks.append(driver.peak(threads=1, seconds=FREE_PEAK_S).gflops)
                for _ in range(BLOCKS):
                    block = driver.block(0, loops=loops)
                    speeds.append(flops * block.loops / block.seconds / 1e9)
                    peaks.append(driver.peak(threads=1, seconds=PEAK_S, slice_s=SLICE_S).gflops_median)
    free_peak = statistics.median(free_peaks)
    return {
        "fraction_of_peak": round(
            statistics.median(speed / peak for speed, peak in zip(speeds, peaks, strict=True)), 4
        ),
        "peak_gflops": round(statistics.median(peaks), 1),
        "fraction_of_free_peak": round(statistics.median(speeds) / free_peak, 4),
        "free_peak_gflops": round(free_peak, 1),
    }
