"""The evidence behind a flag: the numbers that raised it, and what can be done about it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from statistics import median

from nntest.model.point import Point
from nntest.statistics.trust import (
    DRIFT_LIMIT,
    FREQUENCY_LIMIT,
    INTERVAL_LIMIT,
    MIN_LAUNCHES,
    MIN_SAMPLES,
    OUTLIER_LIMIT,
    STEAL_SHARE,
    SWITCHED_SHARE,
    UNSTABLE,
    assess,
    relative_half_width,
)
from nntest.units import format_duration


@dataclass(frozen=True, kw_only=True)
class Finding:
    """One flag of a point: what was seen, what it means, what to do; ``decisive`` ones make a point unstable."""

    flag: str
    evidence: str
    advice: str
    decisive: bool


def explain(point: Point) -> tuple[str, list[Finding]]:
    """Return a point's verdict and the evidence for each of its flags, those that decide first."""
    verdict, flags = assess(point)
    found = [
        Finding(flag=flag, evidence=_FINDINGS[flag][0](point), advice=_FINDINGS[flag][1], decisive=flag in UNSTABLE)
        for flag in flags
    ]
    return verdict, sorted(found, key=lambda one: not one.decisive)


def verdict_reason(point: Point, verdict: str) -> str:
    """Say why a point has its verdict, as far as no flag says it."""
    reasons = {
        "failed": f"{point.failure.kind}: {point.failure.reason}" if point.failure is not None else "",
        "wrong": point.verification.reason or (point.failure.reason if point.failure is not None else ""),
        "emulated": f"it ran in {point.platform.emulator}: its time says nothing about the processor it imitates",
        "simulated": "it comes from a simulator",
        "imported": "it was measured by other tools; what they watched is not known",
        "unverified": point.verification.reason or "its output was not compared with a reference",
        "unstable": "" if point.samples else "it has no samples",
        "stable": f"{len(point.samples)} samples of {len(point.launches)} launches agree, and the output is right",
    }
    return reasons[verdict]


def _few(point: Point) -> str:
    launches = len({sample.launch for sample in point.samples})
    return (
        f"{len(point.samples)} samples in {launches} launches; an interval needs {MIN_SAMPLES} in {MIN_LAUNCHES}"
    )  # fmt: skip


def _unsettled(point: Point) -> str:
    open_ = [launch for launch in point.launches if not launch.warm_up.settled]
    calls = sum(len(launch.warm_up.values_s) for launch in open_)
    return f"in {len(open_)} of {len(point.launches)} launches the times still changed after {calls} untimed blocks"


def _wide(point: Point) -> str:
    width = relative_half_width(point.samples) or 0.0
    return f"the 95 % interval is the median +- {100 * width:.1f} %; at most {100 * INTERVAL_LIMIT:g} % is stable"


def _drift(point: Point) -> str:
    samples = sorted(point.samples, key=lambda sample: sample.at_s)
    third = max(1, len(samples) // 3)
    first, last = (median(one.value_s for one in part) for part in (samples[:third], samples[-third:]))
    passed = samples[-1].at_s - samples[0].at_s
    return (
        f"the times went from {format_duration(first)} to {format_duration(last)} within {format_duration(passed)} "
        f"({100 * (last / first - 1):+.1f} %; {100 * DRIFT_LIMIT:g} % is the limit)"
    )


def _outlier(point: Point) -> str:
    medians = {number: median(values) for number, values in _by_launch(point).items()}
    centre = median(medians.values())
    number, value = max(medians.items(), key=lambda item: abs(item[1] - centre))
    return (
        f"launch {number} took {format_duration(value)}, the launches' median is {format_duration(centre)} "
        f"({100 * (value / centre - 1):+.1f} %; {100 * OUTLIER_LIMIT:g} % is the limit)"
    )


def _clock(point: Point) -> str:
    clocks: dict[int, list[float]] = {}
    for sample in point.samples:
        if sample.watch.core_ghz is not None:
            clocks.setdefault(sample.launch, []).append(sample.watch.core_ghz)
    highest = [max(values) for values in clocks.values()]
    return (
        f"between launches the core ran at {min(highest):.2f} to {max(highest):.2f} GHz; "
        f"{100 * FREQUENCY_LIMIT:g} % apart is the limit"
    )


def _switches(point: Point) -> str:
    switched = [sample for sample in point.samples if sample.watch.involuntary_switches]
    count = sum(sample.watch.involuntary_switches or 0 for sample in switched)
    return (
        f"{count} times something else took the core, in {len(switched)} of {len(point.samples)} blocks; "
        f"up to {100 * SWITCHED_SHARE:g} % of the blocks are passed over"
    )


def _steal(point: Point) -> str:
    stolen = sum(sample.watch.steal_s or 0.0 for sample in point.samples)
    share = stolen / sum(sample.seconds for sample in point.samples)
    limit = f"{100 * STEAL_SHARE:g} % is the limit"
    return f"the host took {format_duration(stolen)}, {100 * share:.1f} % of the time ({limit})"


def _faults(point: Point) -> str:
    count = sum(sample.watch.major_faults or 0 for sample in point.samples)
    return f"{count} pages were read from the disk while the clock ran"


def _unpinned(point: Point) -> str:
    fewest = min((len(set(launch.cores)) for launch in point.launches), default=0)
    return f"{point.case.threads} threads shared {fewest} cores"


def _by_launch(point: Point) -> dict[int, list[float]]:
    values: dict[int, list[float]] = {}
    for sample in point.samples:
        values.setdefault(sample.launch, []).append(sample.value_s)
    return values


_AGAIN = "measure again on a quieter machine: `nntest rerun POINT`"
_FINDINGS: Mapping[str, tuple[Callable[[Point], str], str]] = {
    "few_samples": (_few, "measure more: --repetitions=10 --launches=5"),
    "never_settled": (_unsettled, "something in the library or the machine keeps changing; try --cache=cold_all"),
    "wide_interval": (_wide, "measure until it is narrow: --until-ci 1% --budget 10min, or more --launches"),
    "drift": (_drift, "the machine warmed up, or something else ended or began; " + _AGAIN),
    "outlier_launch": (
        _outlier,
        "memory fell differently in that process, or it was disturbed; more --launches show which",
    ),
    "frequency_changed": (_clock, "fix the clock (`cpupower frequency-set -g performance`), or " + _AGAIN),
    "involuntary_switches": (_switches, "stop what else runs, or leave it a core: fewer --threads"),
    "steal": (_steal, "a virtual machine shares its host; " + _AGAIN),
    "major_faults": (_faults, "memory is short; free some, or choose a smaller --batch-sizes"),
    "threads_unpinned": (_unpinned, "allow the process more cores (taskset, cgroup), or use fewer --threads"),
    "output_varies": (
        lambda _: "equal inputs gave outputs that differ in their bits, all of them right",
        "the library sums in an order of its own with each call; compare its times, not its bits",
    ),
    "profiled": (
        lambda point: f"{point.extra.get('profiler', 'a profiler')} kept account of its kernels, which costs time",
        "measure without --profile what is to be compared",
    ),
    "restarted": (
        lambda _: "a neighbour's crash took its process down, and it was set up again",
        "leave the crashing program out: `nntest show` of its experiment names it",
    ),
    "resumed": (lambda _: "the session was interrupted and resumed in between", "nothing, if the times agree"),
    "shared_machine": (lambda _: "another session was measuring at the same time", "run it without --share"),
}

#: Every flag that can be explained.
EXPLAINED = frozenset(_FINDINGS)
