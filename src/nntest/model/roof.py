"""What a device can do and what a network asks of it, in theory: peaks, bandwidths, operations, intensity."""

from dataclasses import dataclass
from typing import Literal

#: Bits of one number by the datatype's published name.
BITS = {"INT2": 2, "INT4": 4, "INT8": 8, "FP16": 16, "BF16": 16, "FP32": 32, "FP64": 64}
#: The published names of the datatypes that our programs know.
PUBLISHED_DTYPES = {
    "int8": "INT8",
    "uint8": "INT8",
    "float16": "FP16",
    "bfloat16": "BF16",
    "float32": "FP32",
    "float64": "FP64",
}

Bound = Literal["compute", "memory"]


@dataclass(frozen=True, kw_only=True)
class HardwareRow:
    """One line of a hardware table: a peak of one datatype, a bandwidth of one level, or both; None is unknown.

    Attributes
    ----------
    platform
        Device, in one of its modes; ``group`` is the family that charts switch on and off.
    peak_tops
        10^12 operations a second; a multiply-add counts as two.
    level, bandwidth_gb_s, capacity_mb
        Memory, or a cache by name (``L1``, ``L2``, ...), what it delivers and what it holds.
    threads, isa, core_ghz, machine, date
        What a measurement was made with, and on which platform id; empty for published numbers.
    """

    platform: str
    datatype: str = ""
    peak_tops: float | None = None
    level: str = ""
    bandwidth_gb_s: float | None = None
    capacity_mb: float | None = None
    power_w: float | None = None
    group: str = ""
    threads: int | None = None
    isa: str = ""
    core_ghz: float | None = None
    machine: str = ""
    date: str = ""
    source: str = ""


@dataclass(frozen=True, kw_only=True)
class Workload:
    """One network, pruned to ``pruning_pct`` of its operations' width, in one datatype; None is unknown.

    ``datatype`` is empty where a table says nothing of datatypes. ``oi_ops_per_byte`` is the printed intensity.
    """

    network: str
    pruning_pct: float = 100.0
    datatype: str = ""
    gops: float | None = None
    parameters_m: float | None = None
    oi_ops_per_byte: float | None = None
    top1_pct: float | None = None
    top5_pct: float | None = None
    group: str = ""
    source: str = ""

    @property
    def model(self) -> str:
        """The name in the published predictions: ``CNV_12.5%_INT2``."""
        parts = [self.network, f"{self.pruning_pct:g}%", *([self.datatype] if self.datatype else [])]
        return "_".join(part.replace(" ", "_") for part in parts)

    def intensity(self, datatype: str = "") -> float | None:
        """Operations per byte of weights: the printed number, else operations over parameters at that width."""
        if self.oi_ops_per_byte is not None:
            return self.oi_ops_per_byte
        bits = BITS.get(datatype or self.datatype)
        if not self.gops or not self.parameters_m or bits is None:
            return None
        return self.gops * 1e3 / self.parameters_m * 8 / bits


def attainable_tops(peak_tops: float, bandwidth_gb_s: float, oi_ops_per_byte: float) -> tuple[float, Bound]:
    """Return the roof at an intensity, and what it is made of (Williams, Waterman and Patterson 2009)."""
    fed = oi_ops_per_byte * bandwidth_gb_s * 1e-3
    return (fed, "memory") if fed < peak_tops else (peak_tops, "compute")
