"""The columns of the points table: their order, their types, and whether they vary within a point."""

from dataclasses import dataclass
from typing import Literal

Kind = Literal["text", "integer", "number", "flag"]


@dataclass(frozen=True)
class Column:
    """One column; ``per_row`` tells those that may differ between the repetitions of one point."""

    name: str
    kind: Kind
    per_row: bool = False


def _texts(names: str) -> tuple[Column, ...]:
    return tuple(Column(name, "text") for name in names.split())


def _numbers(names: str) -> tuple[Column, ...]:
    return tuple(Column(name, "number", per_row=True) for name in names.split())


COLUMNS: tuple[Column, ...] = (
    *_texts("repo experiment point session"),
    Column("launch", "integer", per_row=True),
    Column("round", "integer", per_row=True),
    Column("repetition", "integer", per_row=True),
    *_texts("timestamp case_id subject_id platform_id platform cpu gpu os target"),
    Column("emulated", "flag"),
    *_texts("program operator species library library_version model dataset shape"),
    Column("batch_size", "integer"),
    *_texts("dtype layout"),
    Column("threads", "integer"),
    *_texts("tuner cache isa post_ops data"),
    Column("seed", "integer"),
    Column("success", "flag", per_row=True),
    Column("verified", "flag", per_row=True),
    Column("fail_reason", "text", per_row=True),
    *_texts("trust flags"),
    *_numbers("core_ghz time_us time_backward_us time_forward_backward_us setup_time_us reorder_in_us reorder_out_us"),
    *_numbers("first_run_us gflops memory_mb energy_mj instructions"),
)

#: Measured values that a failed repetition does not have.
MEASURED = (
    "core_ghz",
    "time_us",
    "time_backward_us",
    "time_forward_backward_us",
    "setup_time_us",
    "reorder_in_us",
    "reorder_out_us",
    "first_run_us",
    "memory_mb",
    "energy_mj",
    "instructions",
)

#: Columns of ``nntest.layers`` and ``nntest.kernels`` behind those of the point.
LAYER_COLUMNS: tuple[Column, ...] = (
    Column("repetition", "integer", per_row=True),
    Column("index", "integer", per_row=True),
    Column("label", "text", per_row=True),
    Column("direction", "text", per_row=True),
    Column("time_us", "number", per_row=True),
    Column("energy_mj", "number", per_row=True),
)
KERNEL_COLUMNS: tuple[Column, ...] = (
    Column("repetition", "integer", per_row=True),
    Column("kernel", "text", per_row=True),
    Column("time_us", "number", per_row=True),
)

BY_NAME = {column.name: column for column in COLUMNS}

#: Where the place of a file says them, not its content.
PLACED = ("repo", "experiment", "point")
#: Computed from others when the table is built.
COMPUTED = ("repetition", "gflops")
#: Operations of a point, from which ``gflops`` follows; kept beside the columns.
FLOPS = ("flops_true", "flops_study")
