"""The tables that theory needs: those that an analysis' options name, else those of all known repositories."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from nntest.analyses.columns import nearest
from nntest.analyses.work import works
from nntest.errors import UsageError
from nntest.model.roof import HardwareRow, Workload
from nntest.store.theory import (
    Names,
    find_hardware,
    find_names,
    find_workloads,
    merge_workloads,
    read_hardware,
    read_workloads,
)

if TYPE_CHECKING:
    import pandas as pd

    from nntest.analyses.contract import Tables

__all__ = [
    "chosen_groups",
    "graph_workloads",
    "hardware_rows",
    "published_workloads",
    "theory_names",
    "traffic_by_network",
]


def theory_names() -> Names:
    """Return the alias tables of all known repositories."""
    return find_names()


def hardware_rows(files: Sequence[str], names: Names) -> list[HardwareRow]:
    """Return the rows of the named files, else of all hardware tables in dataset entries."""
    if not files:
        return find_hardware(names)
    return [row for file in files for row in read_hardware(Path(file), names)]


def published_workloads(
    networks: Sequence[str], gops: Sequence[str], accuracies: Sequence[str], names: Names
) -> list[Workload]:
    """Return one row per network, pruning and datatype, of the named files or of the tables in dataset entries.

    Which datatypes a network was trained for is known from ``gops`` and ``accuracies``, or from the entries' tables.
    """
    known = find_workloads(names)
    sizes = [row for file in networks for row in read_workloads(Path(file), names)] if networks else known
    operations = [row for file in gops for row in read_workloads(Path(file), names)]
    tops = [row for file in accuracies for row in read_workloads(Path(file), names)] if accuracies else known
    return merge_workloads(sizes, operations, tops)


def graph_workloads(source: "Tables") -> list[Workload]:
    """Return the networks whose graphs are known: operations and compulsory intensity of one input in FP32."""
    return [
        Workload(
            network=name,
            datatype="FP32",
            gops=flops * 1e-9,
            parameters_m=weights / 4e6,
            oi_ops_per_byte=flops / traffic,
            group="ours",
            source="network graph",
        )
        for name, (flops, traffic, weights) in traffic_by_network(source).items()
        if flops and traffic
    ]


def traffic_by_network(source: "Tables") -> dict[str, tuple[float, float, float]]:
    """Return operations, compulsory bytes and bytes of weights of each network's layers, as far as names tell."""
    table = source.networks
    found: dict[str, tuple[float, float, float]] = {}
    if table is None:
        return found
    for name, layers in table.groupby("network", observed=True, sort=False):
        known = [work for work in works(layers) if work is not None]
        bare = str(name).removeprefix("network-")
        found[bare] = (
            float(sum(work.flops for work in known)),
            float(sum(work.traffic for work in known)),
            float(sum(work.weights for work in known)),
        )
    return found


def chosen_groups(groups: Sequence[str], known: Sequence[str], *, where: str) -> tuple[str, ...]:
    """Return the wanted groups as tables write them, all where none is named.

    Raises
    ------
    UsageError
        A group is unknown; the nearest is named.
    """
    by_key = {name.lower(): name for name in known}
    for group in groups:
        if group.lower() not in by_key:
            raise UsageError(f"{where}: there is no group {group!r}; {nearest(group, known)}")
    return tuple(by_key[group.lower()] for group in groups) or tuple(known)


def numeric(frame: "pd.DataFrame", column: str) -> "pd.Series":
    """Return a column as floats, unknown as NaN."""
    import pandas as pd

    return pd.to_numeric(frame[column], errors="coerce").astype("float64")
