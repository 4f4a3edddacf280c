"""Hardware tables: three published forms, and our own with one row per peak or bandwidth."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, fields, replace
from pathlib import Path

from nntest.errors import DataError
from nntest.model.roof import BITS, HardwareRow
from nntest.store import files
from nntest.store.entries import MODULE_UIDS, find_datasets
from nntest.store.repository import Repository, ensure_local_repository
from nntest.store.theory.csv_table import Row, Table, format_table, name_column, number, read_table
from nntest.store.theory.names import Names

#: Tag of dataset entries with hardware tables; every ``*.csv`` in them is one.
TAG = "hardware-table"
#: Where measurements of one's own machines go.
MEASURED_ENTRY = "hardware-measured"
MEASURED_UID = "6f0d5c1e9a7b4e38"
MEMORY = "memory"

_COLUMNS = tuple(item.name for item in fields(HardwareRow))
_WIDE = ("Memory Bandwidth", "Memory Capacity", "Power", *BITS)
_NUMBERS = ("peak_tops", "bandwidth_gb_s", "capacity_mb", "power_w", "core_ghz")


def find_hardware(names: Names, *, repositories: Sequence[Repository] | None = None) -> list[HardwareRow]:
    """Return the rows of all hardware tables in dataset entries."""
    rows: list[HardwareRow] = []
    for entry in find_datasets("*", TAG, repositories=repositories):
        for path in sorted(entry.path.glob("*.csv")):
            rows += read_hardware(path, names)
    return rows


def read_hardware(path: Path, names: Names) -> list[HardwareRow]:
    """Read one table.

    Raises
    ------
    DataError
        It is of none of the known forms, or a number is none.
    """
    return parse_hardware(read_table(path), names)


def parse_hardware(table: Table, names: Names) -> list[HardwareRow]:
    """Return the rows of a table of any known form; see :func:`read_hardware`."""
    for columns, parse in _FORMS:
        if table.has(*columns):
            rows = [row for line in table.rows for row in parse(line, table, names)]
            _require_some(rows, table)
            return rows
    raise DataError(
        f"{table.where}: the columns {', '.join(table.columns[:6])} are those of no hardware table; expected "
        f"platform, datatype, peak_tops, bandwidth_gb_s, or a published form; docs/studies-theory-energy.md has them"
    )


def save_hardware(repository: Repository, rows: Sequence[HardwareRow], *, machine: str) -> Path:
    """Put the rows of a measured machine into the repository's table; its earlier rows are replaced.

    Raises
    ------
    DataError
        The table could not be read or written.
    """
    ensure_local_repository(repository)
    folder = repository.path / "dataset" / MEASURED_ENTRY
    _make_entry(repository, folder)
    path = folder / "hardware.csv"
    known = read_hardware(path, Names()) if path.is_file() else []
    kept = [row for row in known if row.machine != machine]
    data = format_table(_COLUMNS, [asdict(row) for row in [*kept, *rows]])
    files.replace(path, data)
    return path


def _make_entry(repository: Repository, folder: Path) -> None:
    import orjson

    module = folder.parent
    (folder / ".cm").mkdir(parents=True, exist_ok=True)
    (module / ".cm").mkdir(exist_ok=True)
    (repository.path / ".cm").mkdir(exist_ok=True)
    uid = MODULE_UIDS["dataset"]
    meta = {"tags": ["dataset", "nntest", TAG], "dataset_files": [], "desc_dataset_files": {}}
    info = {"backup_data_uid": MEASURED_UID, "backup_module_uid": uid, "backup_module_uoa": "dataset",
            "data_name": MEASURED_ENTRY}  # fmt: skip
    for path, data in (
        (folder / ".cm" / "meta.json", orjson.dumps(meta, option=orjson.OPT_INDENT_2)),
        (folder / ".cm" / "info.json", orjson.dumps(info, option=orjson.OPT_INDENT_2)),
        (repository.path / ".cm" / "alias-a-dataset", f"{uid}\n".encode()),
        (repository.path / ".cm" / f"alias-u-{uid}", b"dataset\n"),
        (module / ".cm" / f"alias-u-{MEASURED_UID}", f"{MEASURED_ENTRY}\n".encode()),
        (module / ".cm" / f"alias-a-{MEASURED_ENTRY}", f"{MEASURED_UID}\n".encode()),
    ):
        if not path.exists():
            files.write_new(path, data)


def _own(line: Row, table: Table, names: Names) -> Iterator[HardwareRow]:
    """One row per peak or bandwidth, columns as the fields of ``HardwareRow``."""
    platform = names.platform(line["platform"])
    values: dict[str, float | None] = {name: number(line, name, where=table.where) for name in _NUMBERS}
    threads = number(line, "threads", where=table.where)
    texts = {name: line.get(name, "") for name in ("datatype", "level", "isa", "machine", "date", "source")}
    yield HardwareRow(
        platform=platform,
        group=line.get("group") or names.group("platform", platform),
        threads=None if threads is None else int(threads),
        **texts,  # type: ignore[arg-type]  # all of them are texts
        **values,  # type: ignore[arg-type]  # all of them are numbers
    )


def _wide(line: Row, table: Table, names: Names) -> Iterator[HardwareRow]:
    """One platform a line: a column of TOP/s per datatype, GB/s, GB, W."""
    platform, _ = names.split_platform(line[name_column(table, _WIDE)])
    capacity = number(line, "Memory Capacity", where=table.where)
    common = HardwareRow(
        platform=platform,
        group=names.group("platform", platform),
        level=MEMORY,
        bandwidth_gb_s=number(line, "Memory Bandwidth", where=table.where),
        capacity_mb=None if capacity is None else capacity * 1e3,
        power_w=number(line, "Power", where=table.where),
        source=table.where,
    )
    peaks = {datatype: number(line, datatype, where=table.where) for datatype in BITS}
    known = {datatype: peak for datatype, peak in peaks.items() if peak is not None}
    # a device without any peak still has its memory
    yield from (replace(common, datatype=datatype, peak_tops=peak) for datatype, peak in known.items())
    if not known:
        yield common


def _narrow(line: Row, table: Table, names: Names) -> Iterator[HardwareRow]:
    """One platform and datatype a line: TOP/s, TB/s."""
    platform, datatype = names.split_platform(line["Name"])
    bandwidth = number(line, "Bandwidth", where=table.where)
    yield HardwareRow(
        platform=platform,
        group=names.group("platform", platform),
        datatype=datatype,
        peak_tops=number(line, "Peak_Performance", where=table.where),
        level=MEMORY if bandwidth is not None else "",
        bandwidth_gb_s=None if bandwidth is None else bandwidth * 1e3,
        source=table.where,
    )


def _require_some(rows: Sequence[HardwareRow], table: Table) -> None:
    if not rows:
        raise DataError(f"{table.where}: holds no peak and no bandwidth; expected at least one row; check the file")


_Parse = Callable[[Row, Table, Names], Iterator[HardwareRow]]
_FORMS: Sequence[tuple[tuple[str, ...], _Parse]] = (
    (("platform", "peak_tops"), _own),
    (("Memory Bandwidth",), _wide),
    (("Name", "Peak_Performance", "Bandwidth"), _narrow),
)


def peaks_of(rows: Sequence[HardwareRow]) -> Mapping[tuple[str, str, int | None], HardwareRow]:
    """Return the rows with a peak by (platform, datatype, threads); of equal ones the first."""
    found: dict[tuple[str, str, int | None], HardwareRow] = {}
    for row in rows:
        if row.peak_tops is not None:
            found.setdefault((row.platform, row.datatype, row.threads), row)
    return found
