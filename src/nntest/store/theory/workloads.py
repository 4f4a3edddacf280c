"""Tables of networks: operations, parameters, intensity, accuracy; published forms and our own."""

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import fields, replace
from pathlib import Path

from nntest.errors import DataError
from nntest.model.roof import BITS, Workload
from nntest.store.entries import find_datasets
from nntest.store.repository import Repository
from nntest.store.theory.csv_table import UNKNOWN, Row, Table, name_column, number, read_table
from nntest.store.theory.names import Names

#: Tag of dataset entries with tables of networks; every ``*.csv`` in them is one.
TAG = "network-table"

_NUMBERS = ("gops", "parameters_m", "oi_ops_per_byte", "top1_pct", "top5_pct")
_SIZES = ("Total OPs", "Total Model Size", *(f"OI ({datatype})" for datatype in BITS))
_TOP = re.compile(r"^(\d+(?:\.\d+)?)\s*(?:\(\s*(\d+(?:\.\d+)?)\s*\))?$")


def find_workloads(names: Names, *, repositories: Sequence[Repository] | None = None) -> list[Workload]:
    """Return the rows of all tables of networks in dataset entries."""
    rows: list[Workload] = []
    for entry in find_datasets("*", TAG, repositories=repositories):
        for path in sorted(entry.path.glob("*.csv")):
            rows += read_workloads(path, names)
    return rows


def read_workloads(path: Path, names: Names) -> list[Workload]:
    """Read one table of networks: sizes, details, operations per input, or accuracies.

    Raises
    ------
    DataError
        It is of none of the known forms, or a number is none.
    """
    return parse_workloads(read_table(path), names)


def parse_workloads(table: Table, names: Names) -> list[Workload]:
    """Return the rows of a table of any known form; see :func:`read_workloads`."""
    for columns, parse in _FORMS:
        if table.has(*columns):
            return [row for line in table.rows for row in parse(line, table, names)]
    raise DataError(
        f"{table.where}: the columns {', '.join(table.columns[:6])} are those of no table of networks; expected "
        f"network, datatype, gops, parameters_m, or a published form; docs/studies-theory-energy.md has them"
    )


def merge_workloads(
    sizes: Iterable[Workload], operations: Iterable[Workload] = (), accuracies: Iterable[Workload] = ()
) -> list[Workload]:
    """Join tables into one row per network, pruning and datatype.

    Which datatypes a network exists in says the table of operations, else that of accuracies, else all are assumed.
    Operations per input of ``operations`` win over those of ``sizes``.
    """
    sizes, operations, accuracies = list(sizes), list(operations), list(accuracies)
    variants = _variants(operations), _variants(row for row in accuracies if row.top1_pct is not None)
    gops = {_key(row): row.gops for row in operations}
    accuracy = {_key(row): row for row in accuracies}
    merged: dict[tuple[str, float, str], Workload] = {}
    for row in sizes:
        known = next((found for table in variants if (found := table.get(_key(row)[:2]))), None)
        wanted = [row.datatype] if row.datatype else list(BITS)
        for datatype in wanted:
            if (known is not None and datatype not in known) or (row.datatype == "" and datatype in ("BF16", "FP64")):
                continue
            key = (row.network, row.pruning_pct, datatype)
            top = accuracy.get(key)
            merged.setdefault(
                key,
                replace(
                    row,
                    datatype=datatype,
                    gops=gops.get(key) or row.gops,
                    top1_pct=row.top1_pct if top is None else top.top1_pct,
                    top5_pct=row.top5_pct if top is None else top.top5_pct,
                ),
            )
    return list(merged.values())


def _variants(rows: Iterable[Workload]) -> dict[tuple[str, float], set[str]]:
    found: dict[tuple[str, float], set[str]] = {}
    for row in rows:
        if row.datatype:
            found.setdefault(_key(row)[:2], set()).add(row.datatype)
    return found


def _key(row: Workload) -> tuple[str, float, str]:
    return row.network, row.pruning_pct, row.datatype


def _start(name: str, table: Table, names: Names) -> Workload:
    network, pruning, datatype = names.split_network(name)
    return Workload(
        network=network,
        pruning_pct=pruning,
        datatype=datatype,
        group=names.group("network", network),
        source=table.where,
    )


def _own(line: Row, table: Table, names: Names) -> Iterator[Workload]:
    """One row per network, pruning and datatype; columns as the fields of ``Workload``."""
    start = _start(line["network"], table, names)
    values = {name: number(line, name, where=table.where) for name in _NUMBERS}
    pruning = number(line, "pruning_pct", where=table.where)
    yield replace(
        start,
        datatype=line.get("datatype", ""),
        pruning_pct=start.pruning_pct if pruning is None else pruning,
        group=line.get("group") or start.group,
        source=line.get("source") or table.where,
        **values,  # type: ignore[arg-type]  # all of them are numbers
    )


def _sizes(line: Row, table: Table, names: Names) -> Iterator[Workload]:
    """One network a line: GOPs, millions of parameters, intensity per datatype."""
    start = _start(line[name_column(table, _SIZES)], table, names)
    for datatype in BITS:
        oi = number(line, f"OI ({datatype})", where=table.where)
        if oi is not None:
            yield replace(
                start,
                datatype=datatype,
                gops=number(line, "Total OPs", where=table.where),
                parameters_m=number(line, "Total Model Size", where=table.where),
                oi_ops_per_byte=oi,
            )


def _details(line: Row, table: Table, names: Names) -> Iterator[Workload]:
    """One network a line: parameters, operations of some batch; intensity follows at one byte per parameter."""
    operations, parameters = (number(line, name, where=table.where) for name in ("Fwd Ops", "Total Params"))
    yield replace(
        _start(line["Name"], table, names),
        gops=None if operations is None else operations * 1e-9,
        parameters_m=None if parameters is None else parameters * 1e-6,
        datatype="INT8",
    )


def _operations(line: Row, table: Table, names: Names) -> Iterator[Workload]:
    """One network and datatype a line: GOPs per input."""
    start = _start(line["model_datatype"], table, names)
    yield replace(start, gops=number(line, "gops_per_input", where=table.where))


def _accuracies(line: Row, table: Table, names: Names) -> Iterator[Workload]:
    """One network a line, a column per datatype: ``top1 (top5)`` in percent."""
    start = _start(line[name_column(table, tuple(BITS))], table, names)
    for datatype in BITS:
        text = line.get(datatype, "")
        if text.lower() in UNKNOWN:
            continue
        match = _TOP.match(text)
        if match is None:
            raise DataError(f"{table.where}: {datatype} is {text!r}; expected top1 (top5) or nm; correct the cell")
        top5 = None if match[2] is None else float(match[2])
        yield replace(start, datatype=datatype, top1_pct=float(match[1]), top5_pct=top5)


_Parse = Callable[[Row, Table, Names], Iterator[Workload]]
_FORMS: Sequence[tuple[tuple[str, ...], _Parse]] = (
    (("network", "gops"), _own),
    (("Total OPs", "Total Model Size"), _sizes),
    (("Name", "Total Params", "Fwd Ops"), _details),
    (("model_datatype", "gops_per_input"), _operations),
    (("INT8", "FP16", "FP32"), _accuracies),
)
COLUMNS = tuple(item.name for item in fields(Workload))
