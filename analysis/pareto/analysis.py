"""Pareto front: of any two metrics, those choices that no other beats in both."""

from pathlib import Path

import numpy as np
import pandas as pd

from nntest.analyses.bars import set_heading
from nntest.analyses.cases import collect, time_of
from nntest.analyses.columns import nearest, present
from nntest.analyses.names import count_noun, pretty
from nntest.analyses.selection import exclusion_reasons, filter_rows
from nntest.analyses.style import (
    BLUE,
    GREEN,
    GREY,
    INK,
    MARKERS,
    ORANGE,
    PURPLE,
    SKY,
    VERMILLION,
    empty_figure,
    new_figure,
)
from nntest.analyses.theory import theory_names
from nntest.errors import DataError, UsageError
from nntest.statistics.pareto import on_front
from nntest.store.theory import find_workloads, read_workloads
from nntest.store.theory.csv_table import UNKNOWN, is_value, read_table
from nntest.store.theory.csv_table import number as number_in

NAME = "pareto"
COLUMNS = ["group", "label", "x", "y", "on_front", "x_metric", "y_metric", "kind"]
#: Columns of points that can be weighed against each other; what is median per case.
METRICS = ("time_us", "gflops", "memory_mb", "energy_mj", "setup_time_us", "first_run_us", "reorder_in_us")
LABEL = ("platform", "program", "library", "model", "shape", "batch_size", "dtype", "threads", "isa", "tuner")
_LOWER = ("time", "latency", "lat-", "lat_", "memory", "energy", "power", "pwr", "error", "loss", "bytes")
_HIGHER = ("inputs_per_s", "fps", "gflops", "tops", "top1", "top5", "accuracy", "tp-")
_COLOURS = (BLUE, ORANGE, GREEN, VERMILLION, PURPLE, SKY, GREY)
_MOST_NAMED = 14
_MOST_EQUAL = 3


def table(source, options):
    """Return every choice with its two metrics, and whether it is on the front of its group."""
    rows, kind, defaults = _rows(source, options)
    rows = filter_rows(rows, options.rows, where=NAME)
    x, y = options.x or defaults[0], options.y or defaults[1]
    for metric in (x, y):
        if metric not in rows.columns:
            raise UsageError(f"{NAME}: there is no column {metric!r}; {nearest(metric, map(str, rows.columns))}")
    if options.group and options.group not in rows.columns:
        raise UsageError(f"{NAME}: there is no column {options.group!r}; {nearest(options.group, rows.columns)}")
    main = pd.DataFrame(
        {
            "group": rows[options.group].astype("string").fillna("") if options.group else "",
            "label": _labels(rows, options.label),
            "x": _numbers(rows[x], options),
            "y": _numbers(rows[y], options),
            "on_front": False,
            "x_metric": x,
            "y_metric": y,
            "kind": rows[kind].astype("string").fillna("") if kind in rows else "",
        },
        columns=COLUMNS,
    ).dropna(subset=["x", "y"])
    directions = {metric: _higher(metric, options) for metric in (x, y)} if len(main) else {}
    for _, group in main.groupby("group", sort=False):
        front = on_front(group["x"], group["y"], higher_x=directions[x], higher_y=directions[y],
                         ties=options.ties == "keep")  # fmt: skip
        main.loc[group.index, "on_front"] = front
    return {NAME: main.reset_index(drop=True)}


def chart(tables, options):
    """Draw all choices, and the fronts as steps."""
    main = tables[NAME]
    if main.empty:
        return empty_figure("No choice has both metrics.")
    x, y = main["x_metric"].iloc[0], main["y_metric"].iloc[0]
    figure = new_figure(10.5, 6)
    axes = figure.add_subplot()
    higher = _higher(x, options)
    for number, (kind, rows) in enumerate(main.groupby("kind", sort=True)):
        axes.scatter(
            rows["x"],
            rows["y"],
            s=np.where(rows["on_front"], 62, 30),
            marker=MARKERS[(number + number // len(_COLOURS)) % len(MARKERS)],
            color=_COLOURS[number % len(_COLOURS)],
            edgecolor="white",
            linewidth=0.7,
            label=pretty(kind) or "all",
            zorder=3,
        )
    for number, (group, rows) in enumerate(main[main["on_front"]].groupby("group", sort=False)):
        front = rows.sort_values("x")
        axes.plot(front["x"], front["y"], drawstyle="steps-pre" if higher else "steps-post", color=INK, linewidth=1.3,
                  linestyle=("-", "--", ":", "-.")[number % 4], zorder=2, label=f"front {group}".strip())  # fmt: skip
    _scales(axes, main)
    _name_front(axes, main)
    axes.set_xlabel(f"{_words(x)} ({'more' if higher else 'less'} is better{_log(axes.get_xscale())})")
    axes.set_ylabel(f"{_words(y)} ({'more' if _higher(y, options) else 'less'} is better{_log(axes.get_yscale())})")
    axes.grid(visible=True)
    if main["kind"].nunique() + main["group"].nunique() < 25:
        axes.legend(loc="upper left", bbox_to_anchor=(1.0, 1.0), fontsize=8.5)
    set_heading(figure, _title(main))
    return figure


def finding(tables, _options):
    """Say how many choices are on the front, and its two ends."""
    main = tables[NAME]
    return "" if main.empty else _title(main).replace("\n", ". ") + "."


def _title(main):
    front = main[main["on_front"]].sort_values("x")
    groups = main["group"].nunique()
    fronts = f" on {count_noun(groups, 'front')}" if groups > 1 else " on the front"
    ends = list(dict.fromkeys([front["label"].iloc[0], front["label"].iloc[-1]]))
    metrics = f"{_words(main['y_metric'].iloc[0])} over {_words(main['x_metric'].iloc[0])}"
    return f"{len(front)} of {count_noun(len(main), 'choice')} are{fronts}: {metrics}\nfrom {' to '.join(ends)}"


def _rows(source, options):
    """Return the choices, the column that colours them, and the metrics that are meant when none is named."""
    if options.performance:
        return _predictions(options), "_device", ("inputs_per_s", "top1_pct")
    if options.table:
        rows = pd.concat([_csv(file) for file in options.table], ignore_index=True)
        kind = next((name for name in ("platform", "HWType", "hardw", "library", "program") if name in rows), "")
        return rows, kind, ("", "")
    points = filter_rows(source.points, options.where, where=NAME)
    points = points[exclusion_reasons(points, include=options.include).isna()]
    cases = collect(points, time_of(points)).table if len(points) else points
    keys = present(cases, [name for name in cases.columns if name != "dataset"])
    if len(cases):
        values = points.groupby(keys, observed=True, dropna=False, sort=False)[present(points, METRICS)]
        cases = (values.median() if options.statistic == "median" else values.min()).reset_index()
    known = [name for name in ("energy_mj", "memory_mb", "first_run_us", "gflops") if cases.get(name) is not None
             and cases[name].notna().any()]  # fmt: skip
    kind = "platform" if "platform" in cases and cases["platform"].nunique() > 1 else "program"
    return cases, kind, ("time_us", known[0] if known else "gflops")


def _predictions(options):
    """Join predictions with accuracies by network, pruning and datatype; rows that have only one of them are left."""
    names = theory_names()
    accuracies = [row for file in options.accuracy for row in read_workloads(Path(file), names)]
    tops = {row.model: row for row in (accuracies or find_workloads(names)) if row.top1_pct is not None}
    rows = []
    for file in options.performance:
        listing = read_table(Path(file))
        for line in listing.rows:
            platform, name, value = _prediction(line, listing)
            network, pruning, datatype = names.split_network(name)
            key = f"{network}_{pruning:g}%_{datatype}".replace(" ", "_")
            if value is not None and key in tops:
                rows.append((platform, key, network, value, tops[key].top1_pct))
    frame = pd.DataFrame(rows, columns=["platform", "model", "family", "inputs_per_s", "top1_pct"])
    return frame.assign(_device=[names.split_platform(name)[0] for name in frame["platform"]])


def _prediction(line, listing):
    """Return platform, model and inputs per second of one line; a blank, or the 0 of wide tables, is no value."""
    if listing.has("y", "x", "values"):
        platform, name, text = line["y"], line["x"], line["values"]
    elif listing.has("platform", "datatype", "model", "inputs_per_s"):
        platform, name, text = f"{line['platform']}-{line['datatype']}", line["model"], line["inputs_per_s"]
    else:
        raise DataError(f"{listing.where}: expected y, x, values or the columns of prediction.csv; check the file")
    value = number_in({"inputs_per_s": text}, "inputs_per_s", where=f"{listing.where}: {platform}, {name}")
    return platform, name, value if value is not None and value > 0 else None


def _csv(file):
    listing = read_table(Path(file))
    rows = pd.DataFrame(listing.rows, columns=list(listing.columns), dtype="string")
    for name in listing.columns:
        if all(is_value(row[name]) for row in listing.rows):  # na is a word only among words
            rows[name] = rows[name].where(~rows[name].str.lower().isin(UNKNOWN))
    return rows


def _numbers(cells, options):
    """Return a metric as floats, unknown as NaN; a cell of a table that holds something else is an error."""
    if not options.table or options.performance:
        return pd.to_numeric(cells, errors="coerce").astype("float64")
    where = ", ".join(options.table)
    known = [number_in({cells.name: cell}, cells.name, where=where) for cell in cells.fillna("")]
    return pd.Series(known, index=cells.index, dtype="float64")


def _labels(rows, columns):
    for column in columns:
        if column not in rows.columns:
            raise UsageError(f"{NAME}: there is no column {column!r}; {nearest(column, map(str, rows.columns))}")
    if not columns:
        chosen = [name for name in ("model", "platform") if name in rows] if "inputs_per_s" in rows else []
        chosen = chosen or [name for name in present(rows, LABEL) if rows[name].nunique(dropna=False) > 1]
        text = [name for name in rows.columns if rows[name].dtype == "string"]
        columns = chosen or [name for name in text if rows[name].nunique() > 1][:1] or present(rows, LABEL)[:1]
    texts = rows[list(columns)].astype("string").fillna("")
    joint = "_" if "inputs_per_s" in rows else " "
    return texts.agg(lambda row: joint.join(filter(None, row)), axis=1) if len(texts) else pd.Series(dtype="string")


def _higher(metric, options):
    said = options.better.get(metric, "")
    if said in ("higher", "more"):
        return True
    if said in ("lower", "less"):
        return False
    name = metric.lower()
    if said == "" and any(word in name for word in _HIGHER):
        return True
    if said == "" and (any(word in name for word in _LOWER) or name.endswith(("_us", "_ms", "_s", "_mb", "_mj", "_w"))):
        return False
    raise UsageError(f"{NAME}: better is {said!r} for {metric}; say --better={metric}:higher or {metric}:lower")


def _scales(axes, main):
    from matplotlib.ticker import FuncFormatter, NullFormatter

    for values, scale, axis in ((main["x"], axes.set_xscale, axes.xaxis), (main["y"], axes.set_yscale, axes.yaxis)):
        if values.min() > 0 and values.max() / values.min() > 30:
            scale("log")
        axis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.6g}"))
        axis.set_minor_formatter(NullFormatter())


def _name_front(axes, main):
    """Number the front's choices from left to right, and list their names beside the chart."""
    same = main[main["on_front"]].sort_values("x").groupby(["x", "y"], sort=False)["label"].agg(list)
    if len(same) > _MOST_NAMED:
        return
    lines = []
    for number, ((x, y), labels) in enumerate(same.items(), start=1):
        axes.annotate(str(number), (x, y), xytext=(6, 6), textcoords="offset points", fontsize=8.5, fontweight="bold")
        first, *equal = dict.fromkeys(labels)
        said = [*equal[:_MOST_EQUAL], *([f"{len(equal) - _MOST_EQUAL} more"] if len(equal) > _MOST_EQUAL else [])]
        lines.append(f"{number}  {first}" + (f"\n      = {', '.join(said)}" if said else ""))
    axes.annotate("\n".join(lines), (1.02, 0.0), xycoords="axes fraction", fontsize=7.8, va="bottom", linespacing=1.35,
                  annotation_clip=False)  # fmt: skip


def _words(metric):
    known = {
        "inputs_per_s": "inputs/s", "top1_pct": "top-1 accuracy, %", "time_us": "time of one call, us",
        "energy_mj": "energy, mJ", "memory_mb": "memory, MB", "gflops": "GFLOPS",
    }  # fmt: skip
    return known.get(metric, metric)


def _log(scale):
    return "; log" if scale == "log" else ""
