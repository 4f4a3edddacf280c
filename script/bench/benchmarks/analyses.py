"""How long each analysis takes for its table on a million rows, and a report of ten analyses on ten thousand rows.

``<name>_s``: the table alone, of points (for layers, of layers) that lie in memory; charts are apart. The rows are
10 repetitions of 100,000 cases: 25 programs of 5 libraries on 1,000 shapes at 4 batch sizes. ``report_s`` and
``report_mb`` are ten analyses of 1,000 such cases, each with its tables, chart and section, and the page that they
make.
"""

import tempfile
import time
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from nntest.analyses.contract import Frames
from nntest.analyses.entries import load_analysis
from nntest.analyses.options import parse_options
from nntest.analyses.run import run_analysis
from nntest.analyses.style import chart_style
from nntest.report import publish

ROWS = 1_000_000
REPORT_ROWS = 10_000
REPETITIONS = 10
LIBRARIES = ("onednn-cpu-3.2.0", "openblas-cpu-0.3.34", "plain-cpu-1.0.0", "ncnn-cpu-1.0.0", "armcl-cpu-24.1")
OPERATORS = ("conv", "directconv", "winogradconv", "gemmconv", "fftconv")
BATCHES = (1, 2, 4, 8)
OPTIONS = {
    "speedup": {"baseline": "library:plain-cpu"},
    "ratio": {"numerator": "openblas-cpu", "denominator": "onednn-cpu"},
}
NAMES = (
    "points", "violin", "speedup", "schedule", "batch", "ratio", "layers", "adaptive", "memory", "accuracy",
    "platform", "profile",
)  # fmt: skip
REPORTED = NAMES[:10]


def run(rows: int = ROWS) -> dict[str, float]:
    """Return the figures."""
    # a chart of a million rows may say that it left marks out
    warnings.simplefilter("ignore")
    points = operators(rows)
    networks = models(rows)
    frames = Frames(points=points, kernels=kernels(points))
    figures: dict[str, float] = {"rows": rows}
    for name in NAMES:
        source = Frames(points=networks.head(1), layers=networks) if name == "layers" else frames
        figures.update(_timed(name, source))
    figures.update(_report(REPORT_ROWS))
    return figures


def _timed(name: str, source: Frames) -> dict[str, float]:
    analysis = load_analysis(name)
    options = parse_options(analysis.declared, OPTIONS.get(name, {}), where=name)
    start = time.perf_counter()
    tables = analysis.table(source, options)
    table_s = time.perf_counter() - start
    start = time.perf_counter()
    with chart_style():
        analysis.chart(tables, options)
    return {f"{name}_s": round(table_s, 2), f"{name}_chart_s": round(time.perf_counter() - start, 2)}


def _report(rows: int) -> dict[str, float]:
    points = operators(rows)
    frames = Frames(points=points)
    with tempfile.TemporaryDirectory(prefix="nntest-bench-") as folder:
        start = time.perf_counter()
        for name in REPORTED:
            run_analysis(name, frames, OPTIONS.get(name, {}), Path(folder), publish=publish)
        seconds = time.perf_counter() - start
        size = (Path(folder) / "report.html").stat().st_size
    return {"report_rows": rows, "report_s": round(seconds, 2), "report_mb": round(size / 1e6, 2)}


def operators(rows: int) -> pd.DataFrame:
    """Return points of single operators as `nntest.load` gives them."""
    cases = rows // REPETITIONS
    case = np.arange(cases)
    operator = case % len(OPERATORS)
    library = case // len(OPERATORS) % len(LIBRARIES)
    rest = case // (len(OPERATORS) * len(LIBRARIES))
    batch, shape = rest % len(BATCHES), rest // len(BATCHES)
    shapes = [f"{8 + number}-14-14-1-{16 + number}-1-0" for number in range(int(shape.max()) + 1)]
    random = np.random.default_rng(1)
    base = (50 + 0.1 * shape) * np.array(BATCHES)[batch] * (1 + 0.3 * library) * (1 + 0.1 * operator)
    time_us = np.repeat(base, REPETITIONS) * np.exp(0.02 * random.standard_normal(rows))
    programs = [f"{word}-{name.rsplit('-', 1)[0]}" for name in LIBRARIES for word in OPERATORS]
    return _frame(
        case,
        time_us,
        program=(library * len(OPERATORS) + operator, programs),
        operator=(operator, list(OPERATORS)),
        species=(np.zeros_like(case), ["conv"]),
        library=(library, list(LIBRARIES)),
        model=(np.full_like(case, -1), ["none"]),
        shape=(shape, shapes),
        batch_size=np.array(BATCHES)[batch],
    )


def models(rows: int) -> pd.DataFrame:
    """Return layers of whole networks: 100 layers of 50 models, 5 libraries, 4 batch sizes, 10 repetitions."""
    layers, repetitions = 100, REPETITIONS
    case = np.arange(rows // (layers * repetitions))
    library = case % len(LIBRARIES)
    batch = case // len(LIBRARIES) % len(BATCHES)
    model = case // (len(LIBRARIES) * len(BATCHES))
    frame = _frame(
        case,
        np.ones(len(case) * repetitions),
        program=(np.zeros_like(case), ["caffe"]),
        operator=(np.full_like(case, -1), ["none"]),
        species=(np.full_like(case, -1), ["none"]),
        library=(library, list(LIBRARIES)),
        model=(model, [f"net-{number}" for number in range(int(model.max(initial=0)) + 1)]),
        shape=(np.full_like(case, -1), ["none"]),
        batch_size=np.array(BATCHES)[batch],
    )
    wide = frame.loc[frame.index.repeat(layers)].reset_index(drop=True)
    index = np.tile(np.arange(layers), len(frame))
    random = np.random.default_rng(1)
    return wide.assign(
        index=pd.array(index, dtype="Int64"),
        label=pd.Categorical.from_codes(index, [f"layer{number}" for number in range(layers)]),
        direction=pd.Categorical.from_codes(np.zeros(len(wide), dtype=int), ["forward"]),
        time_us=100 * np.exp(0.1 * random.standard_normal(len(wide))),
    )


def kernels(points: pd.DataFrame) -> pd.DataFrame:
    """Return a kernel time for every repetition, of one of 20 kernels."""
    number = np.arange(len(points)) // REPETITIONS % 20
    return points.assign(kernel=pd.Categorical.from_codes(number, [f"kernel{item}" for item in range(20)]))


def _frame(case: Any, time_us: Any, **columns: Any) -> pd.DataFrame:
    repetition = np.tile(np.arange(REPETITIONS), len(case))
    count = len(repetition)

    def texts(codes: Any, names: list[str]) -> pd.Categorical:
        return pd.Categorical.from_codes(np.repeat(codes, REPETITIONS), names)

    def same(name: str) -> pd.Categorical:
        return pd.Categorical.from_codes(np.zeros(count, dtype=int), [name])

    coded = {name: texts(*value) for name, value in columns.items() if isinstance(value, tuple)}
    return pd.DataFrame(
        {
            "repo": same("bench"),
            "experiment": same("bench"),
            "point": texts(case, [f"{number:016x}" for number in case]),
            "session": same("s1"),
            "launch": pd.array(repetition // 2, dtype="Int64"),
            "round": pd.array(repetition % 2, dtype="Int64"),
            "repetition": pd.array(repetition, dtype="Int64"),
            "timestamp": same("2026-11-21T08:00:00"),
            "platform_id": same("0123456789abcdef"),
            "platform": same("bench"),
            "cpu": same("bench"),
            "gpu": texts(np.full_like(case, -1), ["none"]),
            "os": same("Linux"),
            "target": same("native"),
            "emulated": pd.array(np.zeros(count, dtype=bool), dtype="boolean"),
            **{name: coded[name] for name in ("program", "operator", "species", "library")},
            "library_version": same("1.0"),
            "model": coded["model"],
            "dataset": same("tensor-conv-bench"),
            "shape": coded["shape"],
            "batch_size": pd.array(np.repeat(columns["batch_size"], REPETITIONS), dtype="Int64"),
            "dtype": same("float32"),
            "layout": same("auto"),
            "threads": pd.array(np.ones(count, dtype=int), dtype="Int64"),
            "tuner": texts(np.full_like(case, -1), ["NONE"]),
            "cache": same("warm"),
            "isa": texts(np.full_like(case, -1), ["none"]),
            "post_ops": texts(np.full_like(case, -1), ["none"]),
            "success": pd.array(np.ones(count, dtype=bool), dtype="boolean"),
            "verified": pd.array(np.ones(count, dtype=bool), dtype="boolean"),
            "fail_reason": texts(np.full_like(case, -1), ["none"]),
            "trust": same("stable"),
            "flags": texts(np.full_like(case, -1), ["none"]),
            "core_ghz": 3.0,
            "time_us": time_us,
            "reorder_in_us": 0.0,
            "reorder_out_us": 0.0,
            "gflops": 1e4 / time_us,
            "memory_mb": 1.0,
        }
    )
