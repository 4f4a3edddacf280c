"""What the machine at hand can do: operations a second by datatype, bytes a second by cache level and memory."""

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from nntest.errors import NNTestError
from nntest.measure.answers import BandwidthAnswer, PeakAnswer, UnsupportedCase
from nntest.model.case import Platform
from nntest.model.roof import PUBLISHED_DTYPES, HardwareRow

#: Datatypes that are asked for; those that the processor lacks are left out.
DTYPES = ("float64", "float32", "float16", "bfloat16", "int8")
MEMORY = "memory"
SOURCE = "nntest peak"

#: What a peak may miss of width times measured clock.
TOLERANCE = 0.02

_ATTEMPTS = 6
_GOOD_ENOUGH = 0.01
_MB = 1e6
# A cache is filled to this share: to the brim, whatever else lives in it would push lines out.
_SHARE = 0.5
# STREAM asks for four times the last level; where that level is the share of a host's, this much must do.
_MEMORY_FACTOR = 4
_MOST_MEMORY = 0.25
# Of a last level beyond this, a virtual machine never sees all; its speed shows well within.
_LARGEST_CACHE_TEST = 32 * 1024 * 1024


class PeakDriver(Protocol):
    """The part of a driver process that measures peaks."""

    def peak(self, *, threads: int, seconds: float, dtype: str = "float32") -> PeakAnswer:
        """Measure multiply-adds."""

    def bandwidth(self, *, threads: int, size: int, seconds: float) -> BandwidthAnswer:
        """Measure bytes moved."""


@dataclass(frozen=True, kw_only=True)
class CacheLevel:
    """A data cache: its name, bytes, and by how many cores one is shared."""

    name: str
    size: int
    sharers: int

    def capacity(self, threads: int) -> int:
        """Bytes that ``threads`` cores have together, if they are neighbours."""
        return self.size * -(-threads // self.sharers)


@dataclass(frozen=True, kw_only=True)
class Measured:
    """One number that was measured, for people to follow: what, threads, value with unit, remark."""

    what: str
    threads: int
    value: str
    remark: str


def cache_levels(root: Path = Path("/")) -> list[CacheLevel]:
    """Return the data caches of the first core, the smallest first; empty where the system does not tell."""
    found = []
    for index in sorted((root / "sys/devices/system/cpu/cpu0/cache").glob("index*")):
        kind, level, size = (_text(index / name) for name in ("type", "level", "size"))
        if kind in ("Data", "Unified") and size.endswith("K") and size[:-1].isdecimal():
            sharers = max(1, len(_cores(_text(index / "shared_cpu_list"))))
            found.append(CacheLevel(name=f"L{level}", size=int(size[:-1]) * 1024, sharers=sharers))
    return sorted(found, key=lambda item: item.size)


def measure_machine(
    driver: PeakDriver,
    *,
    platform: Platform,
    threads: int,
    levels: Sequence[CacheLevel],
    seconds: float,
    date: str,
    report: Callable[[Measured], None] = lambda _: None,
) -> list[HardwareRow]:
    """Measure with one number of threads.

    Parameters
    ----------
    driver
        Started on as many cores.
    seconds
        For each number, about.
    date
        Of the measurement, for the rows.

    Returns
    -------
    list of HardwareRow
        A row per datatype that the processor has, and one per cache level and for the memory. A level's bandwidth is
        the most that reading, copying or the triad moved: a roof must not be lower than what goes through.
    """
    rows = []
    common = {
        "platform": platform.model or platform.cpu,
        "group": "measured",
        "threads": threads,
        "machine": platform.id,
        "date": date,
        "source": SOURCE,
    }
    for dtype in DTYPES:
        try:
            peak = _best_peak(driver, threads, seconds, dtype)
        except UnsupportedCase as error:
            report(Measured(what=dtype, threads=threads, value="none", remark=str(error)))
            continue
        report(Measured(what=dtype, threads=threads, value=f"{peak.gflops:,.1f} GFLOPS", remark=_remark(peak)))
        rows.append(
            HardwareRow(
                **common,  # type: ignore[arg-type]  # as the fields have them
                datatype=PUBLISHED_DTYPES[dtype],
                peak_tops=peak.gflops * 1e-3,
                isa=peak.isa,
                core_ghz=peak.core_ghz,
            )
        )
    for name, size, capacity in _places(levels, threads, platform.memory_mb):
        found = driver.bandwidth(threads=threads, size=size, seconds=seconds)
        best = max(found.read_gb_s, found.copy_gb_s, found.triad_gb_s)
        remark = (
            f"read {found.read_gb_s:,.1f}, copy {found.copy_gb_s:,.1f}, triad {found.triad_gb_s:,.1f} GB/s in "
            f"{size / _MB:,.3g} MB a thread"
        )
        report(Measured(what=name, threads=threads, value=f"{best:,.1f} GB/s", remark=remark))
        rows.append(
            HardwareRow(
                **common,  # type: ignore[arg-type]  # as the fields have them
                level=name,
                bandwidth_gb_s=best,
                capacity_mb=capacity / _MB,
                isa=found.isa,
            )
        )
    if not rows:
        raise NNTestError("peak: nothing could be measured on this processor")
    return rows


def deviation(peak: PeakAnswer) -> float | None:
    """Return by what share a peak misses width times measured clock; None where the clock is unknown.

    The width is that of a vector instruction times the number of those that begin in each clock: 1, 2 or 4, for
    matrix tiles one in 16 clocks; always a power of two, the nearest of which is taken.
    """
    if not peak.core_ghz or not peak.lanes:
        return None
    per_clock = peak.gflops / peak.threads / peak.core_ghz / peak.lanes
    return float(per_clock / 2.0 ** round(math.log2(per_clock)) - 1)


def _best_peak(driver: PeakDriver, threads: int, seconds: float, dtype: str) -> PeakAnswer:
    """Measure until the peak is what width and clock give, or a few times: what else runs here only ever lowers it.

    Of several, the fastest is taken that is what they give, else the fastest.
    """
    answers: list[PeakAnswer] = []
    while len(answers) < _ATTEMPTS and not (answers and _misses_at_most(answers[-1], _GOOD_ENOUGH)):
        answers.append(driver.peak(threads=threads, seconds=seconds, dtype=dtype))
    return max(answers, key=lambda answer: (_misses_at_most(answer, TOLERANCE), answer.gflops))


def _misses_at_most(peak: PeakAnswer, share: float) -> bool:
    missed = deviation(peak)
    return missed is not None and abs(missed) <= share


def _remark(peak: PeakAnswer) -> str:
    missed = deviation(peak)
    if missed is None:
        return f"{peak.isa}, at a clock that is unknown or did not stand still"
    doubt = "" if abs(missed) <= TOLERANCE else "; something else runs here: measure again on an idle machine"
    return f"{peak.isa} at {peak.core_ghz:.2f} GHz, {missed:+.1%} of width x clock{doubt}"


def _places(levels: Sequence[CacheLevel], threads: int, memory_mb: int) -> Iterator[tuple[str, int, int]]:
    """Yield the name of each level, the bytes that each thread works on, and what the threads' caches hold."""
    for level in levels:
        own = level.size // min(threads, level.sharers)
        yield level.name, min(int(own * _SHARE), _LARGEST_CACHE_TEST), level.capacity(threads)
    last = levels[-1].size if levels else _LARGEST_CACHE_TEST
    total = min(_MEMORY_FACTOR * last, int(_MOST_MEMORY * memory_mb * _MB))
    yield MEMORY, total // threads, int(memory_mb * _MB)


def _cores(text: str) -> list[int]:
    """Return the cores of a list such as ``0-3,8``."""
    found: list[int] = []
    for part in filter(None, text.split(",")):
        first, _, last = part.partition("-")
        if first.isdecimal() and (not last or last.isdecimal()):
            found += range(int(first), int(last or first) + 1)
    return found


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8").strip()
    except OSError:
        return ""
