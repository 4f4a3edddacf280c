"""Do others measure the same? oneDNN primitives timed by us, by google-benchmark and by the library's own log.

For each primitive and launch three fresh processes take turns in shuffled order on one core: our driver; a program that
calls the same primitive on the same values (the C++ file of ``nntest repro``) inside google-benchmark; and that program
again with oneDNN's verbose log switched on. Each gives the median of 30 blocks of 1 ms. All have their buffers at the
beginning of a page: where they lie in it changes the times of some kernels by several percent, which is not the clock's
doing. The log does not see what entering the library takes (some 0.2 us). Where google-benchmark is neither installed
nor can be fetched, ``skipped`` says so.

- ``median_ratio``, ``worst_ratio``: our time over a peer's, over all primitives of 10 us and more and both peers; the
  worst is the one farthest from 1, ``worst`` says of what. ``google_ratio`` and ``verbose_ratio`` are the medians of
  each peer.
- ``equivalent``: share of the ratios that are shown to lie within 2 % of 1, all judged together (Holm).
"""

import random
import statistics
from dataclasses import dataclass
from pathlib import Path

from peers import build_peer, find_google_benchmark, time_by_google_us, time_by_verbose_us

from nntest.errors import MissingPartError
from nntest.measure.lock import machine_lock
from nntest.measure.repro.onednn_source import onednn_source
from nntest.measure.request import RunRequest
from nntest.measure.session import plan_session
from nntest.measure.trial import Trial
from nntest.measure.world import World, real_world
from nntest.model.case import Plan
from nntest.model.point import Launch, Origin, Point
from nntest.statistics.comparison import Comparison, compare, decide
from nntest.statistics.series import Series

LAUNCHES = 150
# Short, so that an interruption spoils one of many.
BLOCKS = 30
BLOCK_S = 0.001
SHORTEST_US = 10.0
MARGIN = 0.02
PROGRAMS = (
    ("conv-onednn-cpu", "tensor-conv-mobilenets-v1-1.0-224"),
    ("depthwiseconv-onednn-cpu", "tensor-depthwiseconv-mobilenets-v1-1.0-224"),
    ("fullyconnected-onednn-cpu", "tensor-fullyconnected-mobilenets-v1-1.0-224"),
    ("avgpool-onednn-cpu", "tensor-avgpool-googlenet"),
    ("maxpool-onednn-cpu", "tensor-maxpool-squeezenet-1.1"),
    ("add-onednn-cpu", "tensor-add-resnet-18"),
)


@dataclass(frozen=True)
class _Primitive:
    trial: Trial
    peer: Path
    times_us: dict[str, list[float]]


def run() -> dict[str, float | str]:
    """Return the figures."""
    world = real_world()
    try:
        google = find_google_benchmark(world.cache_root / "bench")
    except MissingPartError as error:
        return {"skipped": str(error)}
    with machine_lock(world.lock_path, now=world.now()):
        primitives = []
        for program, dataset in PROGRAMS:
            for trial in plan_session(RunRequest(programs=program, dataset_uoa=dataset), world).trials:
                point, time_us = _look(world, trial)
                if time_us >= SHORTEST_US:
                    library = trial.candidate.library
                    peer = build_peer(onednn_source(point), library, google, world.cache_root / "bench")
                    primitives.append(_Primitive(trial, peer, {"ours": [], "google": [], "verbose": []}))
        shuffled = random.Random(20261121)
        for _ in range(LAUNCHES):
            for primitive in primitives:
                names = list(primitive.times_us)
                shuffled.shuffle(names)
                for name in names:
                    primitive.times_us[name].append(_time_us(world, primitive, name))
    return _figures(primitives)


def _figures(primitives: list[_Primitive]) -> dict[str, float | str]:
    pairs = [(name, _compared(one, name)) for one in primitives for name in ("google", "verbose")]
    judged = decide([comparison for _, comparison in pairs])
    ratios = [comparison.ratio for comparison in judged]
    worst = max(range(len(ratios)), key=lambda at: max(ratios[at], 1 / ratios[at]))
    figures = {
        "median_ratio": statistics.median(ratios),
        "worst_ratio": ratios[worst],
        "equivalent": statistics.fmean(comparison.verdict == "equivalent" for comparison in judged),
    }
    for name in ("google", "verbose"):
        figures[f"{name}_ratio"] = statistics.median(
            comparison.ratio for (peer, _), comparison in zip(pairs, judged, strict=True) if peer == name
        )
    what = f"{primitives[worst // 2].trial.name} by {pairs[worst][0]}"
    return {**{name: round(value, 4) for name, value in figures.items()}, "worst": what, "primitives": len(primitives)}


def _compared(primitive: _Primitive, peer: str) -> Comparison:
    ours, theirs = (
        Series.of_rounds(times, [""] * len(times), range(len(times)), [0] * len(times))
        for times in (primitive.times_us["ours"], primitive.times_us[peer])
    )
    return compare(ours, theirs, margin=MARGIN)


def _look(world: World, trial: Trial) -> tuple[Point, float]:
    """Set a case up once: its layouts say what the peer has to do, its time whether it counts."""
    built = world.build(trial.candidate)
    with world.start_driver(
        built, cores=world.choose_cores(1), threads=1, env={}, heap_offset=0, timeout_s=60.0
    ) as driver:
        setup = driver.setup(0, trial.case)
        warm = driver.warm_up(0, max_s=0.25, tolerance=0.02, block_min_s=BLOCK_S)
    launch = Launch(
        launch=0, setup_s=setup.create_s, prepare_weights_s=setup.prepare_weights_s, reorder_in_s=setup.reorder_in_s,
        reorder_out_s=setup.reorder_out_s, first_run_s=setup.first_run_s, implementation=setup.implementation,
        native_layouts=dict(setup.native_layouts),
    )  # fmt: skip
    point = Point(
        case=trial.case,
        subject=built.subject,
        platform=world.platform(),
        plan=Plan(),
        origin=Origin(dataset="", dataset_file="", session="", timestamp=""),
        launches=(launch,),
    )
    return point, 1e6 * min(warm.values_s)


def _time_us(world: World, primitive: _Primitive, name: str) -> float:
    [core] = world.choose_cores(1)
    if name == "google":
        return time_by_google_us(primitive.peer, core, blocks=BLOCKS, block_s=BLOCK_S)
    if name == "verbose":
        return time_by_verbose_us(primitive.peer, core, blocks=BLOCKS, block_s=BLOCK_S)
    # Primed blocks as in a session. Without a heap offset buffers begin with a page, as those of the peers do.
    with world.start_driver(
        world.build(primitive.trial.candidate), cores=(core,), threads=1, env={}, heap_offset=0, timeout_s=60.0
    ) as driver:
        driver.setup(0, primitive.trial.case)
        loops = driver.warm_up(0, max_s=0.25, tolerance=0.02, block_min_s=BLOCK_S).loops
        blocks = [driver.block(0, loops=loops) for _ in range(BLOCKS)]
    return 1e6 * statistics.median(block.seconds / block.loops for block in blocks)
