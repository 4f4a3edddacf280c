"""Roofline: what platforms can reach over intensity, networks as lines, measured points under their roof."""

from pathlib import Path

import numpy as np
import pandas as pd

from nntest.analyses.bars import set_heading
from nntest.analyses.cases import collect, time_of
from nntest.analyses.names import count_noun, listed, pretty
from nntest.analyses.selection import exclusion_reasons, filter_rows
from nntest.analyses.style import FAINT, INK, empty_figure, new_figure, ordered_subjects, subject_styles
from nntest.analyses.theory import chosen_groups, graph_workloads, hardware_rows, theory_names
from nntest.analyses.work import machine_for, works
from nntest.model.roof import BITS, PUBLISHED_DTYPES
from nntest.store.theory import find_workloads, read_workloads
from nntest.store.theory.hardware import peaks_of

NAME = "roofline"
COLUMNS = ["name", "kind", "oi_ops_per_byte", "tops", "bound", "group", "datatype", "threads", "roof_tops",
           "share_of_roof", "error"]  # fmt: skip
#: A measurement above this share of its roof is an error: of the roof, of the count of operations, or of the clock.
LIMIT = 1.02
MEASURED, OURS = "measured", "ours"
# The published page's axes.
LOWEST_OI, HIGHEST_OI = 0.1, 160_000.0
_LOWEST_TOPS = 0.05
_LEADER = {"arrowstyle": "-", "color": FAINT, "linewidth": 0.7, "shrinkA": 0, "shrinkB": 0}
_STYLES = ("-", "--", ":", "-.")


def table(source, options):
    """Return curves (kind platform: start, ridge, end), networks, and points, each with what bounds it."""
    names = theory_names()
    rows = hardware_rows(options.hardware, names)
    points, machines = _points(source, rows, options)
    wanted = options.platforms if options.platforms != "auto" else "measured" if points else "published"
    found = list(points) if wanted != "published" else []
    if wanted in ("measured", "all"):
        found += [item for machine in machines for item in _machine_curves(machine)]
        networks = {item["name"]: item for load in graph_workloads(source) for item in [_network(load)]}
        found += [item for item in networks.values() if _is_touched(item, source)]
    if wanted in ("published", "all"):
        found += _published_curves([row for row in rows if not row.machine], options)
        found += _published_networks(options, names)
    main = pd.DataFrame(found, columns=COLUMNS)
    groups = chosen_groups(options.groups, sorted({str(group) for group in main["group"] if group}), where=NAME)
    main = main[main["group"].isin(groups) | (main["group"] == "")]
    return {NAME: main.sort_values("kind", key=lambda kind: kind.map(_ORDER), kind="stable").reset_index(drop=True)}


_ORDER = {"platform": 0, "network": 1, "point": 2}


def chart(tables, _options):
    """Draw curves, networks' lines and points on logarithmic axes."""
    main = tables[NAME]
    if main[main["kind"] != "network"].empty:
        return empty_figure("No platform has a peak and a bandwidth; `nntest peak` measures this machine's.")
    points = main[main["kind"] == "point"]
    return _published_chart(main) if points.empty else _measured_chart(main, points)


def finding(tables, _options):
    """Say how near the points come to their roofs, and which of them cannot be true."""
    main = tables[NAME]
    points = main[main["kind"] == "point"]
    if points.empty:
        platforms = main[main["kind"] == "platform"]["name"].nunique()
        networks = main[main["kind"] == "network"]["name"].nunique()
        return f"{count_noun(platforms, 'roof')} and {count_noun(networks, 'network')}; no measurements."
    best = points.loc[points["share_of_roof"].astype(float).idxmax()]
    words = [
        f"{count_noun(len(points), 'case')} reach {points['share_of_roof'].median():.0%} of their roofs in the median; "
        f"the nearest is {best['name']} with {best['share_of_roof']:.0%}."
    ]
    wrong = int(points["error"].fillna(value="").astype(str).ne("").sum())
    if wrong:
        words.append(
            f"{count_noun(wrong, 'case')} above {LIMIT} of the roof: roof, operations or time are wrong there."
        )
    return " ".join(words)


def _points(source, rows, options):
    """Return every case whose machine has roofs, under the roof of its own traffic; and those machines."""
    points = filter_rows(source.points, options.where, where=NAME)
    points = points[exclusion_reasons(points, include=options.include).isna()]
    if points.empty:
        return [], []
    cases = collect(points, time_of(points))
    ids = points.drop_duplicates("platform").set_index("platform")["platform_id"] if "platform_id" in points else {}
    machines, found = {}, []
    for work, series, (_, case) in zip(works(cases.table), cases.series, cases.table.iterrows(), strict=True):
        threads = None if pd.isna(case.get("threads")) else int(case["threads"])
        datatype = PUBLISHED_DTYPES.get(str(case.get("dtype")), "")
        key = (str(case["platform"]), datatype, threads)
        if key not in machines:
            machine = str(ids.get(case["platform"], "")) if len(ids) else ""
            machines[key] = machine_for(rows, platform=key[0], machine=machine, datatype=datatype, threads=threads)
        machine = machines[key]
        traffic = 0 if work is None else work.weights if options.oi == "weights" else work.traffic
        if machine is None or not traffic:
            continue
        operations = (work.study_flops or work.flops) if options.flops == "study" else work.flops
        cache = str(case["cache"]) if isinstance(case.get("cache"), str) else "warm"
        seconds, bound = machine.seconds(work, operations=operations, traffic=traffic, cache=cache)
        tops = operations / (float(np.median(series.values)) * 1e-6) * 1e-12
        roof = operations / seconds * 1e-12
        found.append(
            {
                "name": f"{case['program']} {case['shape']}" + (f" cache {cache}" if cache != "warm" else ""),
                "kind": "point",
                "oi_ops_per_byte": operations / traffic,
                "tops": tops,
                "bound": bound,
                "group": MEASURED,
                "datatype": datatype,
                "threads": threads,
                "roof_tops": roof,
                "share_of_roof": tops / roof,
                "error": f"above {LIMIT} of its roof" if tops > LIMIT * roof else "",
            }
        )
    return found, [machine for machine in machines.values() if machine is not None]


def _machine_curves(machine):
    """Return a curve per level of a measured machine."""
    for row in machine.levels:
        yield from _curve(
            f"{machine.platform} {row.level} x {machine.threads}",
            machine.peak_tops,
            row.bandwidth_gb_s,
            group=MEASURED,
            ends=(0.01, HIGHEST_OI),
            threads=machine.threads,
        )


def _published_curves(rows, options):
    bandwidths = {row.platform: row.bandwidth_gb_s for row in rows if row.bandwidth_gb_s is not None}
    for (platform, datatype, threads), row in peaks_of(rows).items():
        bandwidth = row.bandwidth_gb_s or bandwidths.get(platform)
        if bandwidth is None:
            continue
        yield from _curve(
            f"{platform} {datatype}".strip(),
            row.peak_tops,
            bandwidth,
            group=row.group,
            datatype=datatype,
            threads=threads,
            on_grid=options.ridge == "study",
        )


def _curve(name, peak, bandwidth, *, group, datatype="", threads=None, ends=(LOWEST_OI, HIGHEST_OI), on_grid=False):
    """Return start, ridge and end of a roof."""
    start, ridge = ends[0], peak / (bandwidth * 1e-3)
    if on_grid:
        grid = LOWEST_OI + np.arange(160_000)
        start = grid[np.argmax(bandwidth * 1e-3 * grid > _LOWEST_TOPS)]
        ridge = grid[np.argmax(bandwidth * 1e-3 * grid > peak)]
    for oi in (start, ridge, ends[1]):
        tops = min(peak, oi * bandwidth * 1e-3)
        yield {
            "name": name,
            "kind": "platform",
            "oi_ops_per_byte": float(oi),
            "tops": tops,
            "bound": "memory" if oi < ridge else "compute",
            "group": group,
            "datatype": datatype,
            "threads": threads,
        }


def _network(load):
    return {
        "name": load.network if load.pruning_pct == 100 else f"{load.network} {load.pruning_pct:g}%",
        "kind": "network",
        "oi_ops_per_byte": load.intensity("INT8"),
        "group": load.group,
        "datatype": load.datatype,
    }


def _is_touched(item, source):
    """Tell whether shapes of a network of ours were measured, so that its line says something."""
    if source.points is None or "shape" not in source.points or source.networks is None:
        return False
    table = source.networks
    shapes = set(table[table["network"].astype("string").str.removeprefix("network-") == item["name"]]["shape"])
    seen = set(source.points["shape"].dropna().astype(str))
    return len(shapes & seen) >= max(2, len(shapes) // 2)


def _published_networks(options, names):
    """Return a line per network: at one byte per weight, as the published page draws them."""
    files = [Path(file) for file in options.networks]
    loads = [row for file in files for row in read_workloads(file, names)] if files else find_workloads(names)
    lines = {}
    for load in loads:
        oi = _at_one_byte(load)
        if oi:
            item = {**_network(load), "oi_ops_per_byte": oi, "datatype": "INT8"}
            lines.setdefault((item["name"], round(np.log(oi), 2)), item)
    return list(lines.values())


def _at_one_byte(load):
    if load.datatype == "INT8" or load.oi_ops_per_byte is None:
        return load.intensity("INT8")
    return load.oi_ops_per_byte * BITS[load.datatype] / 8


def _axes(figure):
    from matplotlib.ticker import FuncFormatter, LogLocator, NullLocator

    axes = figure.add_subplot()
    axes.set(xscale="log", yscale="log")
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_major_locator(LogLocator(numticks=12))
        axis.set_minor_locator(NullLocator())
        axis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.10g}"))
        axis.grid(visible=True, which="major")
    return axes


def _published_chart(main):
    figure = new_figure(10.5, 6.8)
    axes = _axes(figure)
    curves = main[main["kind"] == "platform"]
    networks = main[main["kind"] == "network"]
    groups = list(dict.fromkeys(curves["group"]))
    colours = dict(zip(groups, _colours(len(groups)), strict=True))
    for (_, group), rows in curves.groupby(["name", "group"], sort=False):
        axes.plot(rows["oi_ops_per_byte"], rows["tops"], color=colours[group], linewidth=1.8)
    low, high = 0.02, curves["tops"].max() * 1.6
    for oi in networks["oi_ops_per_byte"]:
        axes.axvline(oi, color="#8c959f", linewidth=0.7, zorder=0)
    axes.set(xlim=(LOWEST_OI, HIGHEST_OI), ylim=(low, high))
    _network_names(axes, networks)
    _roof_names(axes, curves, colours)
    axes.set_xlabel("operational intensity, operations per byte (log)")
    axes.set_ylabel("attainable performance, TOP/s (log)")
    peak = curves.loc[curves["tops"].idxmax()]
    bound = _memory_share(curves, networks)
    set_heading(
        figure,
        f"{peak['name']} has the highest roof, {peak['tops']:g} TOP/s; {bound}\n"
        f"{count_noun(curves['name'].nunique(), 'roof')}; vertical lines: "
        f"{count_noun(len(networks), 'network')}, weights at one byte, read once per input",
    )
    return figure


def _roof_names(axes, curves, colours):
    """Name roofs at their right ends; equal ones share a line, and names keep apart."""
    peaks = curves.groupby(["name", "group"], sort=False)["tops"].max().reset_index()
    merged = [(float(tops), rows) for tops, rows in peaks.groupby("tops")]
    heights = _apart([tops for tops, _ in merged], axes.get_ylim(), gap=0.034)
    for height, (tops, rows) in zip(heights, merged, strict=True):
        axes.annotate(
            ", ".join(_shortened(rows["name"])), (HIGHEST_OI, tops), xytext=(1.03, height),
            textcoords="axes fraction", fontsize=8.2, va="center", color=colours[rows["group"].iloc[0]],
            arrowprops={**_LEADER, "relpos": (0, 0.5)},
        )  # fmt: skip


def _shortened(names):
    """Say a common platform once: ``U96-Quadcore A53 INT2, INT4, INT8``."""
    seen, words = "", []
    for name in names:
        platform, _, datatype = name.rpartition(" ")
        words.append(datatype if platform == seen and platform else name)
        seen = platform
    return words


def _apart(values, limits, *, gap):
    """Return positions in the axes (0 to 1) nearest to ascending values on a logarithmic axis, at least a gap apart."""
    from scipy.optimize import isotonic_regression

    low, high = np.log(limits)
    steps = gap * np.arange(len(values))
    wanted = (np.log(np.asarray(values, dtype=float)) - low) / (high - low)
    return isotonic_regression(wanted - steps).x + steps


def _memory_share(curves, networks):
    ridges = curves.groupby("name")["oi_ops_per_byte"].apply(lambda values: sorted(values)[1])
    pairs = [(oi < ridge) for oi in networks["oi_ops_per_byte"] for ridge in ridges]
    if not pairs:
        return "no network is drawn"
    return f"{sum(pairs) / len(pairs):.0%} of the pairs of network and platform are bound by memory"


def _network_names(axes, networks):
    """Name networks above the axes, those of several prunings once."""
    bare = networks["name"].str.replace(r" [\d.]+%$", "", regex=True)
    centres = (
        networks.assign(_bare=bare)
        .groupby("_bare")["oi_ops_per_byte"]
        .agg(lambda values: float(np.exp(np.log(values).mean())))
    )
    centres = centres.sort_values()
    for place, (name, oi) in zip(_apart(centres, axes.get_xlim(), gap=0.024), centres.items(), strict=True):
        axes.annotate(name, (oi, axes.get_ylim()[1]), xytext=(place, 1.035), textcoords="axes fraction", rotation=60,
                      fontsize=8.2, ha="left", va="bottom", color=INK,
                      arrowprops={**_LEADER, "relpos": (0, 0)})  # fmt: skip


def _measured_chart(main, points):
    figure = new_figure(10.5, 6.6)
    axes = _axes(figure)
    gflops = 1e3
    curves = main[(main["kind"] == "platform") & (main["group"] == MEASURED)]
    threads = sorted(curves["threads"].dropna().unique())
    left = min(points["oi_ops_per_byte"].min() / 2, 0.5)
    right = max(points["oi_ops_per_byte"].max() * 4, 100)
    top = curves["tops"].max() * gflops * 1.9
    bottom = points["tops"].min() * gflops / 2
    for number, count in enumerate(threads):
        mine = curves[curves["threads"] == count]
        for name, rows in mine.groupby("name", sort=False):
            peak, ridge = rows["tops"].max() * gflops, sorted(rows["oi_ops_per_byte"])[1]
            start = min(peak, peak * left / ridge)
            axes.plot([left, max(left, ridge), right], [start, peak, peak], color=INK, linewidth=1.3,
                      linestyle=_STYLES[number % len(_STYLES)], zorder=1)  # fmt: skip
            level = name.removesuffix(f" x {int(count)}").rsplit(" ", 1)[-1]
            place = left * 1.12 if number == 0 else max(left * 1.05, min(left * 2.2, ridge * 0.45))
            place = max(place, bottom * 1.15 * ridge / peak)
            if place < ridge:  # else the slope is outside of the picture
                _level_name(axes, level, peak / ridge, place)
        axes.annotate(f"peak, {count_noun(int(count), 'thread')}: {mine['tops'].max() * gflops:,.0f} GFLOPS",
                      (right, mine["tops"].max() * gflops), xytext=(-4, 4), textcoords="offset points", ha="right",
                      fontsize=8.5)  # fmt: skip
    _scatter(axes, points, gflops)
    networks = main[main["kind"] == "network"]
    for _, row in networks.iterrows():
        axes.axvline(row["oi_ops_per_byte"], color="#8c959f", linewidth=0.9, zorder=0)
        axes.annotate(pretty(row["name"]), (row["oi_ops_per_byte"], bottom * 1.1), rotation=90, fontsize=8, ha="right",
                      va="bottom")  # fmt: skip
    axes.set(xlim=(left, right), ylim=(bottom, top))
    axes.set_xlabel("operational intensity, operations per byte of compulsory traffic (log)")
    axes.set_ylabel("performance, GFLOPS (log)")
    axes.legend(loc="upper left", bbox_to_anchor=(1.0, 1.0), fontsize=8.5)
    best = points.loc[points["share_of_roof"].astype(float).idxmax()]
    wrong = int(points["error"].astype(str).ne("").sum())
    flagged = f"; {wrong} above {LIMIT} of their roof (ringed): an error" if wrong else ""
    platforms = listed(dict.fromkeys(pretty(name.rsplit(" ", 3)[0]) for name in curves["name"]))
    set_heading(
        figure,
        f"{best['name'].split(' ')[0]} comes to {best['share_of_roof']:.0%} of its roof, the typical case to "
        f"{points['share_of_roof'].median():.0%}\n{count_noun(len(points), 'case')}, median times{flagged}; "
        f"roofs of {platforms} as measured",
    )
    return figure


def _level_name(axes, level, slope, oi):
    """Name a slope along it; ``slope`` is GFLOPS per operation and byte, which are GB/s."""
    axes.text(oi, slope * oi * 1.04, f"{level} {slope:,.0f} GB/s", fontsize=8, rotation_mode="anchor", va="bottom",
              rotation=np.degrees(np.arctan(slope)), transform_rotates_text=True)  # fmt: skip


def _scatter(axes, points, gflops):
    programs = points["name"].str.split(" ").str[0]
    libraries = [name.partition("-")[2] for name in programs]
    pairs = ordered_subjects(zip(programs, libraries, strict=True))
    styles = subject_styles(pairs)
    for label, _ in pairs:
        rows = points[programs == label]
        axes.scatter(rows["oi_ops_per_byte"], rows["tops"] * gflops, s=34, marker=styles[label]["marker"],
                     color=styles[label]["color"], edgecolor=styles[label]["edge"], linewidth=0.6, label=label,
                     zorder=3)  # fmt: skip
    wrong = points[points["error"].astype(str) != ""]
    axes.scatter(wrong["oi_ops_per_byte"], wrong["tops"] * gflops, s=130, facecolor="none", edgecolor="#d55e00",
                 linewidth=1.4, zorder=4)  # fmt: skip


def _colours(count):
    from nntest.analyses.style import BLUE, GREEN, GREY, ORANGE, PURPLE, SKY, VERMILLION

    base = (BLUE, GREEN, VERMILLION, ORANGE, PURPLE, SKY, GREY)
    return [base[number % len(base)] for number in range(count)]
