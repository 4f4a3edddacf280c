"""How close oneDNN's 1x1 convolution comes to the FMA peak that the same run measures.

``fraction_of_peak``: GFLOPS of conv-onednn-cpu on 512-14-14-1-512-1-0 in the library's own layout, one thread, over the
peak of the widest fused multiply-adds. Peak and convolution take turns in each process, so that both see the same
clock: a turn is the peak of some slices and the median of some blocks; the figure is the median ratio of all turns.
"""

import statistics

from demo_set import NETWORK

from nntest.measure.request import RunRequest
from nntest.measure.session import plan_session
from nntest.measure.world import real_world
from nntest.model.species import find_species

PROCESSES = 3
TURNS = 10
BLOCKS = 10
PEAK_S = 0.02


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
    ratios, peaks = [], []
    for process in range(PROCESSES):
        with world.start_driver(
            built, cores=world.choose_cores(1), threads=1, env={}, heap_offset=4096 * process, timeout_s=60.0
        ) as driver:
            driver.setup(0, trial.case)
            loops = driver.warm_up(0, max_s=0.25, tolerance=0.02, block_min_s=1e-3).loops
            for _ in range(TURNS):
                peak = driver.peak(threads=1, seconds=PEAK_S)
                blocks = [driver.block(0, loops=loops) for _ in range(BLOCKS)]
                call_s = statistics.median(block.seconds / block.loops for block in blocks)
                peaks.append(peak.gflops)
                ratios.append(flops / call_s / 1e9 / peak.gflops)
    return {
        "fraction_of_peak": round(statistics.median(ratios), 4),
        "peak_gflops": round(statistics.median(peaks), 1),
    }
