"""What a case asks of a machine: operations, and bytes that have to move; from the shape's name alone."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from nntest.model.roof import HardwareRow
from nntest.model.shape_names import parameters_of
from nntest.model.species import SPECIES
from nntest.model.species.entry import DTYPE_BYTES

if TYPE_CHECKING:
    import pandas as pd

MEMORY = "memory"


@dataclass(frozen=True, kw_only=True)
class Work:
    """Operations and bytes of one call; ``traffic`` counts every tensor once, ``weights`` the trained ones only."""

    macs: int
    flops: float
    study_flops: float
    traffic: int
    weights: int


def work_of(species: str, shape: str, batch_size: int = 1, dtype: str = "float32") -> Work | None:
    """Return what a case asks, None where its name does not tell or it has no operations."""
    parameters = parameters_of(species, shape)
    if parameters is None:
        return None
    entry = SPECIES[species]
    flops = entry.flops(parameters, batch_size)
    width = DTYPE_BYTES.get(dtype)
    if not flops or width is None:
        return None
    tensors = entry.tensors(parameters, batch_size)
    trained = ("weights", "bias") if entry.has_weights else ()
    return Work(
        macs=entry.macs(parameters, batch_size),
        flops=flops,
        study_flops=entry.study_flops(parameters, batch_size),
        traffic=sum(math.prod(dims) for dims in tensors.values()) * width,
        weights=sum(math.prod(tensors[role]) for role in trained if role in tensors) * width,
    )


def works(cases: "pd.DataFrame") -> list[Work | None]:
    """Return the work of each case."""
    columns = [_filled(cases, name, default) for name, default in _DEFAULTS.items()]
    return [work_of(str(a), str(b), int(c), str(d)) for a, b, c, d in zip(*columns, strict=True)]


_DEFAULTS = {"species": "", "shape": "", "batch_size": 1, "dtype": "float32"}


@dataclass(frozen=True, kw_only=True)
class Machine:
    """A machine's roofs for one datatype and number of threads; levels from the fastest to memory."""

    platform: str
    threads: int | None
    peak_tops: float
    levels: tuple[HardwareRow, ...]

    @property
    def memory(self) -> HardwareRow:
        """The outermost level."""
        return self.levels[-1]

    def seconds(self, work: Work, *, operations: float, traffic: float, cache: str = "warm") -> tuple[float, str]:
        """Return the least time that a case can take, and what bounds it: ``compute`` or a level's name.

        Of what stays between calls, each level holds as much as it has room for, the fastest first; what was evicted
        comes from memory. So this is a bound from below also for a case that spreads over two levels.
        """
        cold = {"cold_all": traffic, "cold_weights": min(float(work.weights), traffic)}.get(cache, 0.0)
        parts = {self.memory.level: cold / (_rate(self.memory))}
        left = traffic - cold
        for row in self.levels:
            room = left if row is self.memory else min(left, (row.capacity_mb or 0.0) * 1e6)
            parts[row.level] = parts.get(row.level, 0.0) + room / _rate(row)
            left -= room
        computing = operations / (self.peak_tops * 1e12)
        moving = sum(parts.values())
        if computing >= moving:
            return computing, "compute"
        return moving, max(parts, key=lambda level: parts[level])


def machine_for(
    rows: Sequence[HardwareRow], *, platform: str, machine: str, datatype: str, threads: int | None
) -> Machine | None:
    """Find the roofs of a platform: its measured ones by id, else any of that name; None where there are none."""
    own = [row for row in rows if machine and row.machine == machine] or [
        row for row in rows if row.platform == platform
    ]
    peaks = [row for row in own if row.peak_tops and row.datatype == datatype and row.threads in (threads, None)]
    levels: dict[str, HardwareRow] = {}
    for row in own:
        if row.bandwidth_gb_s and row.threads in (threads, None):
            levels.setdefault(row.level or MEMORY, row)
    if not peaks or MEMORY not in levels:
        return None
    ordered = sorted(levels.values(), key=lambda row: (row.level == MEMORY, -(row.bandwidth_gb_s or 0.0)))
    best = max(row.peak_tops or 0.0 for row in peaks)
    return Machine(platform=platform, threads=threads, peak_tops=best, levels=tuple(ordered))


def _rate(row: HardwareRow) -> float:
    return (row.bandwidth_gb_s or math.nan) * 1e9


def _filled(frame: "pd.DataFrame", column: str, default: Any) -> list[Any]:
    if column not in frame:
        return [default] * len(frame)
    values = frame[column].astype("object")
    return list(values.where(values.notna(), default))
