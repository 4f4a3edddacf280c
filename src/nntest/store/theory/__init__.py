"""Tables of devices and networks: published forms and our own, read into one, with names that agree."""

from nntest.store.theory.hardware import (
    MEASURED_ENTRY,
    find_hardware,
    parse_hardware,
    read_hardware,
    save_hardware,
)
from nntest.store.theory.names import Names, find_names
from nntest.store.theory.workloads import find_workloads, merge_workloads, parse_workloads, read_workloads

__all__ = [
    "MEASURED_ENTRY",
    "Names",
    "find_hardware",
    "find_names",
    "find_workloads",
    "merge_workloads",
    "parse_hardware",
    "parse_workloads",
    "read_hardware",
    "read_workloads",
    "save_hardware",
]
