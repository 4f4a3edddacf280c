"""CSV tables of inferences on boards that CK did not run, turned into points: device, build, latency, energy, layers.

The tables are those that were published with TFLM-Evaluation: benchmarks (us), energies (s, J), energies of layers (s,
J), and sweeps (layers in us, the whole in s and J); what tells them apart is their columns.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson

from nntest.errors import DataError, UsageError
from nntest.model.ids import block_id
from nntest.store.publish import open_experiment, publish
from nntest.store.repository import Repository
from nntest.store.theory.csv_table import UNKNOWN, Row, Table, number, read_table

#: What ``--from`` knows.
FORMS = ("mcu",)
#: Version of ``imported.form`` in the points.
VERSION = "1.0.0"

_PROGRAM = "tflite-micro-mcu"
_IDENTITY = ("MCU", "model", "mbed-dir", "cmsis-nn", "compiler_optimization", "FPU_status", "weights", "activations")
_NEEDED = ("MCU", "model", "cmsis-nn", "compiler_optimization", "FPU_status", "weights", "activations")
# What the published names of models say beyond the model: how it was converted.
_CONVERSION = re.compile(r"_[^_]*_tflite-builtins.*$")
_SERIES = re.compile(r"^\d+[a-z]+_(?!.*Benchmark)")
_UNSAFE = re.compile(r"[^A-Za-z0-9.+=-]+")
#: Facts of the boards' makers: the processor on it.
_PROCESSORS = {
    "NUCLEO_L496ZG": "STM32L496ZG (Cortex-M4F)",
    "DISCO_F469NI": "STM32F469NI (Cortex-M4F)",
    "NUCLEO_F767ZI": "STM32F767ZI (Cortex-M7F)",
}


@dataclass(frozen=True, kw_only=True)
class Imported:
    """What became of a file: where its points are, and how many of them were new or failed."""

    experiment: Path
    points: int
    added: int
    failed: int
    rows: int


def import_boards(path: Path, repository: Repository, *, name: str = "") -> Imported:
    """Turn a table into the points of one experiment; the same table again adds nothing.

    Parameters
    ----------
    name
        Of the experiment; by default ``mcu-`` and the file's.

    Raises
    ------
    DataError
        The file is no such table, or a number in it is none.
    UsageError
        It is a pickle, which could run code of its own when loaded.
    """
    _refuse_pickle(path)
    table = read_table(path)
    points = list(read_points(table, source=path.name))
    uoa = name or f"mcu-{_UNSAFE.sub('-', path.stem)}".strip("-")[:180]
    tags = ["nntest", "imported", "mcu", *sorted({_UNSAFE.sub("-", point["imported"]["board"]) for point in points})]
    experiment = open_experiment(repository, uoa, {"tags": tags, "meta": {"source": path.name}})
    added = 0
    for point in points:
        data = orjson.dumps(point, option=orjson.OPT_SORT_KEYS | orjson.OPT_APPEND_NEWLINE)
        added += publish(experiment, block_id(point["imported"]), data).added
    failed = sum(point["characteristics_list"][0]["run"]["run_success"] == "no" for point in points)
    return Imported(experiment=experiment, points=len(points), added=added, failed=failed, rows=len(table.rows))


def read_points(table: Table, *, source: str) -> Iterator[dict[str, Any]]:
    """Yield the points of a table in CK's form, in the order of their first rows.

    Raises
    ------
    DataError
        The columns are those of no known table, or a number is none.
    """
    missing = [name for name in _NEEDED if name not in table.columns]
    reader = next((read for columns, read in _READERS if table.has(*columns)), None)
    if missing or reader is None:
        found = f"{', '.join(missing)} is missing" if missing else "no column holds a latency"
        raise DataError(
            f"{table.where}: {found}; expected a table of TFLM-Evaluation (MCU, model, FPU_status, ..., and "
            f"tflu_mcu_benchmark_mean, latency_mean or layer_latency_mean); check the file"
        )
    # a row that stands there twice was measured once
    once = {tuple(row.items()): row for row in table.rows}
    for rows in _groups(once.values()):
        yield _point(rows[0], reader(rows, table.where), source)


def _groups(rows: Iterable[Row]) -> Iterator[list[Row]]:
    """Yield the rows of one inference: one, or one per layer."""
    found: dict[tuple[str, ...], list[Row]] = {}
    for row in rows:
        place = (row.get("_index", ""),) if "layer" not in row else ()
        key = (*(row.get(name, "") for name in _IDENTITY), row.get("time", ""), row.get("filename", ""), *place)
        found.setdefault(key, []).append(row)
    yield from found.values()


def _point(row: Row, run: dict[str, Any], source: str) -> dict[str, Any]:
    weights, activations = row["weights"], row["activations"]
    cmsis = row["cmsis-nn"] == "cmsis-nn"
    board = row["MCU"]
    imported = {
        "form": VERSION,
        "source": source,
        "board": board,
        "model": row.get("model_name") or _SERIES.sub("", _CONVERSION.sub("", row["model"])),
        "build": row["model"],
        "library": "cmsis-nn" if cmsis else "tflite-micro",
        "flags": row["compiler_optimization"],
        "fpu": "fpu" if row["FPU_status"] in ("1", "1.0", "True") else "no-fpu",
        "dtype": weights if weights == activations else f"{weights}/{activations}",
        "time": row.get("time", ""),
    }
    error = row.get("error", "")
    failed = "" if error.lower() in UNKNOWN else error
    if failed:
        run = {"fail_reason": failed}
    run = {"run_success": "no" if failed else "yes", "run_success_bool": not failed, **run}
    return {
        "characteristics_list": [{"run": run}],
        "choices": {"data_uoa": _PROGRAM, "compiler_flags": {"": row["compiler_optimization"]}, "env": {}},
        "features": {
            "platform": {"platform": {"name": board, "model": board}, "cpu": {"name": _PROCESSORS.get(board, "")}}
        },
        "imported": imported,
    }


def _benchmark(rows: list[Row], where: str) -> dict[str, Any]:
    """Benchmarks hold microseconds; where the plain mean is missing, that of 50 inferences stands for it."""
    row = rows[0]
    names = ("tflu_mcu_benchmark_mean", "tflu_mcu_benchmark_mean_50")
    times = [number(row, name, where=where) for name in names]
    return {
        "time_s": next((time * 1e-6 for time in times if time is not None), None),
        "top1": number(row, "tflu_mcu_accuracy", where=where),
        "model_kb": number(row, "model_size", where=where),
    }


def _energy(rows: list[Row], where: str) -> dict[str, Any]:
    """Energies hold seconds and joules."""
    values = {name: number(rows[0], column, where=where) for name, column in _WHOLE.items()}
    return {**values, "inferences": number(rows[0], "no_correct_inferences", where=where)}


def _layer_energy(rows: list[Row], where: str) -> dict[str, Any]:
    """Energies of layers hold seconds and joules; of the whole they say nothing."""
    columns = {"time_s": "layer_latency_mean", "energy_j": "layer_energy_mean"}
    return {"time_s": None, "layers": [_layer(row, columns, 1.0, where) for row in rows]}


def _sweep(rows: list[Row], where: str) -> dict[str, Any]:
    """Sweeps hold the whole in seconds and joules, and layers in microseconds."""
    known = [row for row in rows if row.get("layer", "").lower() not in UNKNOWN]
    layers = [_layer(row, {"time_s": "layer_latency_mean"}, 1e-6, where) for row in known]
    return {**_energy(rows, where), "layers": layers}


def _layer(row: Row, columns: Mapping[str, str], scale: float, where: str) -> dict[str, Any]:
    label = row["layer"]
    values: dict[str, float | None] = {name: number(row, column, where=where) for name, column in columns.items()}
    time = values["time_s"]
    head = label.partition("_")[0]
    return {
        "index": int(head) if head.isdecimal() else None,
        "label": label,
        **values,
        "time_s": None if time is None else time * scale,
    }


_WHOLE = {"time_s": "latency_mean", "time_std_s": "latency_std", "energy_j": "energy_mean", "power_w": "power_mean"}
_Reader = Callable[[list[Row], str], dict[str, Any]]
_READERS: tuple[tuple[tuple[str, ...], _Reader], ...] = (
    (("layer", "layer_energy_mean"), _layer_energy),
    (("layer", "layer_latency_mean", "latency_mean"), _sweep),
    (("latency_mean", "energy_mean"), _energy),
    (("tflu_mcu_benchmark_mean",), _benchmark),
)


def _refuse_pickle(path: Path) -> None:
    try:
        with path.open("rb") as file:
            head = file.read(2)
    except OSError as error:
        raise DataError(f"{path}: cannot be read ({error.strerror}); expected a CSV file; check the path") from None
    if head[:1] == b"\x80" or path.suffix in (".pkl", ".pickle"):
        raise UsageError(
            f"{path}: is a pickle, and loading one may run any code; turn it into CSV in a container without network "
            f"(docs/studies-theory-energy.md shows how) and convert that"
        )
