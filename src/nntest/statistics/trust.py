"""A point's verdict: one word by precedence, and the list of what was seen.

Pure functions of a point, so that a published point can be judged again by anyone. The thresholds are constants
with their reasons; a flag never drops a sample, it tells the reader what to look at.
"""

from collections.abc import Callable, Iterable, Sequence
from math import isnan
from statistics import median

from nntest.model.point import Point, Sample
from nntest.statistics.interval import interval
from nntest.statistics.series import Series

VERDICTS = ("failed", "wrong", "emulated", "simulated", "imported", "unverified", "unstable", "stable")

# Fewer than five values or three launches give no interval worth the name.
MIN_SAMPLES = 5
MIN_LAUNCHES = 3
# Differences that users act on begin at about 5 %; what may be off by more is not stable.
INTERVAL_LIMIT = 0.05
DRIFT_LIMIT = 0.05
DRIFT_TAU = 0.6  # |Kendall's tau| of ten random values exceeds this in about 2 % of cases
OUTLIER_LIMIT = 0.05
OUTLIER_Z = 3.5  # modified z-score, Iglewicz and Hoaglin 1993
# Clock measured by a chain of additions repeats within 1 % on a quiet machine.
FREQUENCY_LIMIT = 0.05
# One interrupted block in ten moves neither median nor interval; more may.
SWITCHED_SHARE = 0.1
STEAL_SHARE = 0.01

# Flags that make the number itself doubtful; the others are circumstances.
UNSTABLE = frozenset({"few_samples", "never_settled", "wide_interval", "drift", "outlier_launch", "frequency_changed"})


def assess(point: Point) -> tuple[str, tuple[str, ...]]:
    """Return the verdict of ``point`` and its flags.

    The verdict is the first of ``VERDICTS`` that holds; ``trust`` and ``flags`` of the point itself are not read.
    """
    flags = flags_of(point)
    return _verdict(point, flags), flags


def flags_of(point: Point) -> tuple[str, ...]:
    """Return what was seen while ``point`` was measured, in the order of ``FLAGS``."""
    if not point.samples:
        return tuple(name for name in ("resumed", "shared_machine", "restarted") if FLAGS[name](point))
    return tuple(name for name, seen in FLAGS.items() if seen(point))


def relative_half_width(samples: Sequence[Sample]) -> float | None:
    """Half-width of the median's 95 % interval as a share of it, as every table and page shows it.

    None where no honest interval exists: a single launch.
    """
    width = interval(Series.of_samples(samples)).half_width_pct
    return None if isnan(width) else width / 100


def _verdict(point: Point, flags: Iterable[str]) -> str:
    source = point.extra.get("source", "")
    doubtful = not UNSTABLE.isdisjoint(flags)
    holds = {
        "failed": point.failure is not None and point.failure.kind != "wrong",
        "wrong": (point.failure is not None and point.failure.kind == "wrong") or point.verification.verified is False,
        "emulated": bool(point.platform.emulator),
        "simulated": source == "simulated",
        "imported": source == "imported",
        "unverified": point.verification.verified is None,
        "unstable": doubtful or not point.samples,
        "stable": True,
    }
    return next(word for word in VERDICTS if holds[word])


def _few_samples(point: Point) -> bool:
    return len(point.samples) < MIN_SAMPLES or len({sample.launch for sample in point.samples}) < MIN_LAUNCHES


def _wide_interval(point: Point) -> bool:
    width = relative_half_width(point.samples)
    return width is not None and width > INTERVAL_LIMIT


def _drift(point: Point) -> bool:
    """Tell whether values follow the time: a steady trend (Kendall) whose line (Theil-Sen) rises or falls enough."""
    samples = sorted(point.samples, key=lambda sample: sample.at_s)
    if len(samples) < 2 * MIN_LAUNCHES:
        return False
    signs, slopes = [], []
    for later, second in enumerate(samples):
        for first in samples[:later]:
            rise = second.value_s - first.value_s
            signs.append((rise > 0) - (rise < 0))
            if second.at_s > first.at_s:
                slopes.append(rise / (second.at_s - first.at_s))
    if not slopes or abs(sum(signs)) / len(signs) < DRIFT_TAU:
        return False
    change = median(slopes) * (samples[-1].at_s - samples[0].at_s)
    return abs(change) / median(sample.value_s for sample in samples) > DRIFT_LIMIT


def _outlier_launch(point: Point) -> bool:
    medians = _launch_medians(point.samples)
    if len(medians) < MIN_LAUNCHES:
        return False
    centre = median(medians)
    spread = median(abs(value - centre) for value in medians)
    return any(
        abs(value - centre) > OUTLIER_LIMIT * centre and 0.6745 * abs(value - centre) > OUTLIER_Z * spread
        for value in medians
    )


def _frequency_changed(point: Point) -> bool:
    """Compare the launches' highest clocks: an interruption makes a reading lower, never higher."""
    by_launch: dict[int, list[float]] = {}
    for sample in point.samples:
        if sample.watch.core_ghz is not None:
            by_launch.setdefault(sample.launch, []).append(sample.watch.core_ghz)
    clocks = [max(values) for values in by_launch.values()]
    return len(clocks) > 1 and max(clocks) - min(clocks) > FREQUENCY_LIMIT * median(clocks)


def _involuntary_switches(point: Point) -> bool:
    switched = sum(1 for sample in point.samples if sample.watch.involuntary_switches)
    return switched > SWITCHED_SHARE * len(point.samples)


def _steal(point: Point) -> bool:
    stolen = sum(sample.watch.steal_s or 0.0 for sample in point.samples)
    return stolen > STEAL_SHARE * sum(sample.seconds for sample in point.samples)


def _major_faults(point: Point) -> bool:
    return any(sample.watch.major_faults for sample in point.samples)


def _never_settled(point: Point) -> bool:
    return any(not launch.warm_up.settled for launch in point.launches)


def _threads_unpinned(point: Point) -> bool:
    return any(len(set(launch.cores)) < point.case.threads for launch in point.launches)


def _resumed(point: Point) -> bool:
    return any(launch.resumed for launch in point.launches)


def _launch_medians(samples: Sequence[Sample]) -> list[float]:
    by_launch: dict[int, list[float]] = {}
    for sample in samples:
        by_launch.setdefault(sample.launch, []).append(sample.value_s)
    return [median(values) for values in by_launch.values()]


FLAGS: dict[str, Callable[[Point], bool]] = {
    "few_samples": _few_samples,
    "never_settled": _never_settled,
    "wide_interval": _wide_interval,
    "drift": _drift,
    "outlier_launch": _outlier_launch,
    "frequency_changed": _frequency_changed,
    "involuntary_switches": _involuntary_switches,
    "steal": _steal,
    "major_faults": _major_faults,
    "threads_unpinned": _threads_unpinned,
    "output_varies": lambda point: bool(point.extra.get("output_varies")),
    "restarted": lambda point: bool(point.extra.get("restarted")),
    "profiled": lambda point: any(sample.profile for sample in point.samples),
    "resumed": _resumed,
    "shared_machine": lambda point: bool(point.extra.get("shared_machine")),
}
