"""Devices and networks: what the tables say, with units in the header and unknown as unknown."""

from pathlib import Path

import pandas as pd

from nntest.analyses.bars import plain_number, set_heading
from nntest.analyses.names import count_noun
from nntest.analyses.style import (
    BLUE,
    GREEN,
    GREY,
    MARKERS,
    ORANGE,
    PURPLE,
    SKY,
    VERMILLION,
    YELLOW,
    empty_figure,
    new_figure,
)
from nntest.analyses.theory import hardware_rows, theory_names
from nntest.model.roof import BITS
from nntest.store.theory import find_workloads, read_workloads
from nntest.store.theory.contradictions import hardware_contradictions, workload_contradictions

NAME = "hardware"
_COLOURS = dict(zip(BITS, (VERMILLION, ORANGE, BLUE, GREEN, YELLOW, PURPLE, GREY), strict=True))
_SHAPES = dict(zip(BITS, (*MARKERS, "X"), strict=True))


def table(_source, options):
    """Return one row per platform; parts: peaks and levels as listed, networks, accuracies wide and long, disputes."""
    names = theory_names()
    rows = hardware_rows(options.hardware, names)
    files = [*options.networks, *options.gops, *options.accuracy]
    loads = [load for file in files for load in read_workloads(Path(file), names)] if files else find_workloads(names)
    disputes = [*hardware_contradictions(rows), *workload_contradictions(loads)]
    return {
        NAME: _platforms(rows),
        "listed": pd.DataFrame([vars(row) for row in rows]),
        "networks": _networks(loads),
        "accuracy": _accuracies(loads),
        "accuracy_long": _long(loads),
        "contradictions": pd.DataFrame(
            [vars(item) for item in disputes],
            columns=["subject", "quantity", "first", "first_source", "second", "second_source"],
        ),
    }


def chart(tables, _options):
    """Draw peaks per datatype, and the bandwidth of the memory, on logarithmic axes."""
    main = tables[NAME]
    if main.empty:
        return empty_figure("No table of devices was found; `nntest peak` measures this machine's row.")
    figure = new_figure(9.5, 1.7 + 0.3 * len(main))
    peaks, memory = figure.subplots(1, 2, sharey=True, gridspec_kw={"width_ratios": (3, 1.4)})
    for datatype in BITS:
        values = main[f"{datatype.lower()}_tops"]
        if values.notna().any():
            peaks.scatter(values, range(len(main)), color=_COLOURS[datatype], marker=_SHAPES[datatype], s=46, zorder=3,
                          edgecolor="white", linewidth=0.6, label=datatype)  # fmt: skip
    memory.scatter(main["bandwidth_gb_s"], range(len(main)), color=SKY, s=46, zorder=3)
    for number, value in enumerate(main["bandwidth_gb_s"]):
        if value == value:  # noqa: PLR0124 (NaN is not)
            memory.annotate(f"{value:,.4g}", (value, number), xytext=(7, 0), textcoords="offset points", va="center",
                            fontsize=8)  # fmt: skip
    for axes, words in ((peaks, "peak, TOP/s (log)"), (memory, "memory, GB/s (log)")):
        axes.set_xscale("log")
        axes.xaxis.set_major_formatter(lambda value, _: plain_number(value))
        axes.xaxis.set_minor_formatter(lambda _value, _position: "")
        axes.grid(axis="both")
        axes.set_xlabel(words)
        axes.margins(x=0.15)
    peaks.set_yticks(range(len(main)), list(main["platform"]))
    peaks.set_ylim(len(main) - 0.4, -0.6)
    peaks.legend(loc="lower left", bbox_to_anchor=(0, 1.0), ncols=7, columnspacing=1.0, handletextpad=0.2)
    set_heading(figure, _title(main, tables["contradictions"]))
    return figure


def finding(tables, _options):
    """Say how much is known, and which tables contradict each other."""
    disputes = tables["contradictions"]
    words = [_title(tables[NAME], disputes) + "."] if len(tables[NAME]) else []
    words += [
        f"{item.subject}: {item.quantity} is {item.first:g} or {item.second:g}."
        for item in disputes.head(5).itertuples()
    ]
    return " ".join(words)


def _title(main, disputes):
    return (
        f"Peaks of {count_noun(len(main), 'platform')} span {_span(main)}; "
        f"{count_noun(len(disputes), 'contradiction')} between the tables"
    )


def _span(main):
    values = main[[f"{name.lower()}_tops" for name in BITS]].stack()
    return f"{values.min():.3g} to {values.max():.3g} TOP/s" if len(values) else "nothing"


def _platforms(rows):
    """Return one row per platform (and number of threads); of several memories the outermost."""
    found = {}
    for row in rows:
        name = row.platform if row.threads is None else f"{row.platform} x {row.threads}"
        item = found.setdefault((name, row.machine), {"platform": name, "group": row.group, "date": row.date})
        if row.peak_tops is not None:
            key = f"{row.datatype.lower()}_tops"
            item[key] = max(row.peak_tops, item.get(key, 0.0))
        if row.level == "memory":
            item["bandwidth_gb_s"] = row.bandwidth_gb_s
            item["capacity_gb"] = None if row.capacity_mb is None else row.capacity_mb / 1e3
        if row.power_w is not None:
            item["power_w"] = row.power_w
    columns = ["platform", "group", *(f"{name.lower()}_tops" for name in BITS), "bandwidth_gb_s", "capacity_gb",
               "power_w", "date"]  # fmt: skip
    frame = pd.DataFrame(list(found.values()), columns=columns)
    return frame.astype({name: "float64" for name in columns if name not in ("platform", "group", "date")})


def _networks(loads):
    found = {}
    for load in loads:
        item = found.setdefault((load.network, load.pruning_pct), {"network": load.network,
                                                                   "pruning_pct": load.pruning_pct})  # fmt: skip
        for name in ("gops", "parameters_m"):
            if getattr(load, name) is not None:
                item.setdefault(name, getattr(load, name))
        if load.datatype and load.intensity() is not None:
            item.setdefault(f"oi_{load.datatype.lower()}_ops_per_byte", load.intensity())
    columns = ["network", "pruning_pct", "gops", "parameters_m", *(f"oi_{name.lower()}_ops_per_byte" for name in BITS)]
    return pd.DataFrame(list(found.values()), columns=columns).dropna(axis="columns", how="all")


def _accuracies(loads):
    found = {}
    for load in loads:
        if load.top1_pct is not None:
            key = (load.network, load.pruning_pct)
            item = found.setdefault(key, {"network": load.network, "pruning_pct": load.pruning_pct})
            item.setdefault(f"{load.datatype.lower()}_top1_pct", load.top1_pct)
            item.setdefault(f"{load.datatype.lower()}_top5_pct", load.top5_pct)
    parts = [f"{name.lower()}_{top}_pct" for name in BITS for top in ("top1", "top5")]
    frame = pd.DataFrame(list(found.values()), columns=["network", "pruning_pct", *parts])
    return frame.dropna(axis="columns", how="all")


def _long(loads):
    rows = {load.model.replace("%", "").replace("-", "_"): load.top1_pct for load in loads if load.top1_pct is not None}
    return pd.DataFrame({"net_prun_quant": list(rows), "top1_pct": list(rows.values())})
