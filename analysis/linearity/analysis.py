"""Linearity: latency against operations along a sweep, and which multiples a library likes."""

from fnmatch import fnmatchcase

import numpy as np
import pandas as pd
from scipy.stats import kruskal

from nntest.analyses.bars import set_heading
from nntest.analyses.boards import board_name, layer_work
from nntest.analyses.cases import collect, time_of
from nntest.analyses.columns import CASE_KEYS
from nntest.analyses.names import count_noun, pretty
from nntest.analyses.selection import exclusion_reasons, filter_rows
from nntest.analyses.style import BLUE, GREEN, GREY, ORANGE, PURPLE, VERMILLION, empty_figure, new_figure
from nntest.analyses.work import work_of
from nntest.errors import UsageError
from nntest.model.shape_names import parameters_of
from nntest.statistics.interval import interval
from nntest.statistics.line import fit_line
from nntest.units import format_duration

NAME = "linearity"
COLUMNS = ["group", "slope", "intercept", "r", "p", "stderr", "n", "x", "y", "ops"]
POINTS = ["group", "platform", "library", "program", "model", "layer", "kernel", "length", "swept", "macs", "flops",
          "flops_share", "class", "latency_s", "low_s", "high_s", "fitted"]  # fmt: skip
CLASSES = ["group", "class", "n", "mean_latency_s", "off_the_line_pct", "p"]
NOTHING = "No sweep was found: eight or more shapes that differ in one parameter, or layers of a published benchmark."
FEWEST = 8
_WIDEST_GAP = 4
_WORTH_SAYING_PCT = 2.0
_CHANCE = 0.05
#: What tells two builds of a published benchmark apart.
_BUILD = ("isa", "tuner", "dtype")
_LOOKS = {
    "multiple of 16": (BLUE, "o"),
    "multiple of 8": (GREEN, "D"),
    "multiple of 4": (PURPLE, "s"),
    "even": (ORANGE, "^"),
    "odd": (VERMILLION, "v"),
}
_MOST_PANELS = 6
_MOST_BARS = 64


def table(source, options):
    """Return a regression per sweep; parts: ``points`` (all layers or shapes, and which were fitted), ``classes``."""
    low, end = _sizes(options.sizes)
    parts = [_layers(source, options), _sweeps(source, options)]
    points = pd.concat([part for part in parts if len(part)] or [pd.DataFrame(columns=POINTS)], ignore_index=True)
    wanted = points["length"].astype(float).between(low, end, inclusive="left")
    points["fitted"] = points["fitted"].astype(bool) & wanted
    fitted = points[points["fitted"]]
    lines, classes = [], []
    for group, rows in fitted.groupby("group", sort=True):
        line = fit_line(rows[options.on], rows["latency_s"])
        lines.append({"group": group, **vars(line), "x": options.on, "y": "latency_s", "ops": options.ops})
        expected = line.slope * rows[options.on].astype(float) + line.intercept
        off = 100 * (rows["latency_s"] / expected - 1)
        p = _p_of_no_difference(off, rows["class"])
        for name, part in rows.groupby("class", sort=True):
            classes.append((group, name, len(part), part["latency_s"].mean(), off[part.index].mean(), p))
    return {
        NAME: pd.DataFrame(lines, columns=COLUMNS),
        "points": points[POINTS],
        "classes": pd.DataFrame(classes, columns=CLASSES),
    }


def chart(tables, options):
    """Draw a panel per sweep: latency over operations, the swept size above, a mark per class of multiples."""
    points = tables["points"]
    fitted = points[points["fitted"].astype(bool)]
    if fitted.empty:
        return empty_figure(NOTHING)
    panels = list(fitted.groupby("group", sort=True))
    dropped = len(panels) - _MOST_PANELS
    panels = panels[:_MOST_PANELS]
    columns = min(2, len(panels))
    lines = -(-len(panels) // columns)
    bars = options.chart == "bars"
    longest = min(max(rows["length"].nunique() for _, rows in panels), _MOST_BARS)
    figure = new_figure(9.5 if columns == 1 else 12, 1.0 + (0.9 + 0.2 * longest if bars else 4.2) * lines)
    axes = figure.subplots(lines, columns, squeeze=False)
    for place, (group, rows) in zip(axes.flat, panels, strict=False):
        draw = _bars if bars else _panel
        draw(place, group, rows, tables[NAME], options)
    for place in axes.flat[len(panels) :]:
        place.set_visible(False)
    more = f"\n(the first {_MOST_PANELS} of {_MOST_PANELS + dropped} sweeps; the table has all)" if dropped > 0 else ""
    set_heading(figure, _title(tables) + more)
    return figure


def finding(tables, _options):
    """Say how well a line fits, and which class lies off it."""
    return _title(tables).replace("\n", ". ") + "." if len(tables[NAME]) else NOTHING


def _sizes(text):
    """Return the first wanted size and the one behind the last of ``460:491``; all where nothing is said."""
    if not text:
        return 0, np.inf
    first, _, end = text.partition(":")
    if not (first.strip().isdecimal() and end.strip().isdecimal() and int(first) < int(end)):
        raise UsageError(f"{NAME}: sizes: {text!r} was given; expected FROM:TO, end excluded, such as 460:491")
    return int(first), int(end)


def _p_of_no_difference(off, classes):
    """Return how likely classes differ as much where sizes do not matter (Kruskal and Wallis); NaN if unknown."""
    parts = [part.to_numpy() for _, part in off.groupby(classes)]
    if len(parts) < 2 or len(off) < FEWEST or off.nunique() < 2:
        return float("nan")
    return float(kruskal(*parts).pvalue)


def _layers(source, options):
    """Return the layers of published benchmarks with their operations."""
    layers = source.layers
    if layers is None or layers.empty:
        return pd.DataFrame(columns=POINTS)
    layers = filter_rows(layers, options.where, where=NAME)
    layers = layers[layers["model"].astype("string").str.contains(r"_[FfUu]-\d+").fillna(value=False)]
    rows = []
    for item in layers.dropna(subset=["time_us"]).itertuples():
        work = layer_work(str(item.model), str(item.label), study=options.ops == "study")
        rows.append(
            {
                "platform": str(item.platform),
                "library": str(item.library),
                "program": str(item.program),
                "model": str(item.model),
                "layer": str(item.label),
                "kernel": None if work is None else work.kernel,
                "length": None if work is None else work.length,
                "swept": "units" if work is not None and work.kernel is None else "channels",
                "macs": None if work is None else work.macs,
                "flops": None if work is None else work.flops,
                "latency_s": item.time_us * 1e-6,
                "low_s": None,
                "high_s": None,
                **{name: str(getattr(item, name, "")) for name in _BUILD},
            }
        )
    given = [name for name in POINTS if name not in ("group", "flops_share", "class", "fitted")]
    points = pd.DataFrame(rows, columns=[*given, *_BUILD])
    once = points.drop_duplicates(["model", "layer"]).groupby("model")["flops"].sum(min_count=1)
    points["flops_share"] = points["flops"] / points["model"].map(once)
    points["kernel"] = points["kernel"].astype("Int64")
    points["class"] = [_class(length, most=4) for length in points["length"]]
    kernel = points["kernel"].astype("string").radd(" k").fillna("")
    points["group"] = points["platform"] + " " + points["library"] + " " + points["layer"] + kernel
    wanted = points["length"].notna()
    if options.library:
        wanted &= points["library"] == options.library
    if options.kernel is not None:
        wanted &= (points["kernel"] == options.kernel).fillna(value=False)
    wanted &= _is_layer(points, options.layer)
    points["fitted"] = wanted.astype(bool)
    return _told_apart(points, _BUILD)


def _told_apart(points, facts):
    """Give rows of one group that differ in a fact groups of their own: one line is of one build and one shape."""
    fitted = points[points["fitted"]]
    for group, rows in fitted.groupby("group", sort=False):
        several = [name for name in facts if rows[name].nunique() > 1]
        if several:
            words = rows[several].apply(lambda row: ", ".join(f"{name}={value}" for name, value in row.items()), axis=1)
            points.loc[rows.index, "group"] = group + " " + words
    return points


def _is_layer(points, pattern):
    if pattern:
        return pd.Series([fnmatchcase(name, pattern) for name in points["layer"]], index=points.index)
    largest = points.dropna(subset=["flops"]).sort_values("flops", ascending=False, kind="stable")
    chosen = largest.drop_duplicates(["platform", "library", "model"])[["model", "layer"]].drop_duplicates()
    keys = set(chosen.itertuples(index=False, name=None))
    return pd.Series([pair in keys for pair in zip(points["model"], points["layer"], strict=True)], index=points.index)


def _sweeps(source, options):
    """Return our own cases along the parameter that varies most, others being equal."""
    points = filter_rows(source.points, options.where, where=NAME)
    points = points[exclusion_reasons(points, include=options.include).isna()]
    points = points[points["shape"].notna()] if "shape" in points else points
    if points.empty or options.layer:
        return pd.DataFrame(columns=POINTS)
    cases = collect(points, time_of(points))
    known = [(case, series, parameters_of(str(case["species"]), str(case["shape"])))
             for (_, case), series in zip(cases.table.iterrows(), cases.series, strict=True)]  # fmt: skip
    known = [item for item in known if item[2] is not None]
    sweeps = {}
    settings = [name for name in CASE_KEYS if name in cases.table and name not in ("shape", "model")]
    for case, series, parameters in known:
        for key in [options.sweep] if options.sweep else parameters:
            rest = {name: str(value) for name, value in parameters.items() if name != key}
            facts = {**{name: str(case[name]) for name in settings}, **rest}
            if key in parameters:
                sweeps.setdefault((key, tuple(facts.items())), []).append((parameters[key], case, series))
    rows = []
    for (key, facts), items in sweeps.items():
        core = _core({value for value, _, _ in items})
        if len(core) >= FEWEST:
            found = [_sweep_row(key, value, case, series, options) for value, case, series in items if value in core]
            rows += [{**dict(facts), **row} for row in found if row]
    if not rows:
        return pd.DataFrame(columns=POINTS)
    frame = pd.DataFrame(rows).reindex(columns=list(dict.fromkeys([*POINTS, *(name for row in rows for name in row)])))
    told = [name for name in frame.columns if name not in POINTS or name in ("platform", "library")]
    frame = _told_apart(frame.astype(dict.fromkeys(told, "string")).fillna(dict.fromkeys(told, "")), told)
    return frame[POINTS].sort_values(["group", "length"], kind="stable")


def _core(values):
    """Return the longest run of values without a gap: a layer that merely differs in the same parameter is no part."""
    ordered = np.sort(np.array(list(values)))
    if len(ordered) < FEWEST:
        return set()
    gaps = np.diff(ordered)
    runs = np.split(ordered, np.flatnonzero(gaps > _WIDEST_GAP * np.median(gaps)) + 1)
    return set(max(runs, key=len).tolist())


def _sweep_row(key, value, case, series, options):
    dtype = str(case["dtype"]) if isinstance(case.get("dtype"), str) else "float32"
    work = work_of(str(case["species"]), str(case["shape"]), int(case.get("batch_size") or 1), dtype)
    if work is None:
        return {}
    threads = f" x {case['threads']}" if case.get("threads") == case.get("threads") else ""
    found = interval(series)
    return {
        "group": f"{case['program']}{threads} {key}",
        "platform": str(case["platform"]),
        "library": str(case["library"]),
        "program": str(case["program"]),
        "model": str(case["shape"]),
        "layer": str(case["species"]),
        "kernel": None,
        "length": value,
        "swept": key,
        "macs": work.macs,
        "flops": work.study_flops or work.flops if options.ops == "study" else work.flops,
        "flops_share": 1.0,
        "class": _class(value, most=16),
        "latency_s": found.estimate * 1e-6,
        "low_s": found.low * 1e-6,
        "high_s": found.high * 1e-6,
        "fitted": True,
    }


def _class(length, *, most):
    """Return the largest power of two that divides a size, up to ``most``, in words."""
    if pd.isna(length):
        return ""
    for power in (16, 8, 4):
        if power <= most and length % power == 0:
            return f"multiple of {power}"
    return "odd" if length % 2 else "even"


def _panel(axes, group, rows, lines, options):
    line = lines[lines["group"] == group].iloc[0]
    scale, unit = _unit(rows[options.on])
    factor, time_unit = _time_unit(rows)
    ordered = rows.sort_values(options.on)
    axes.plot(ordered[options.on] / scale, ordered["latency_s"] * factor, color=GREY, linewidth=0.6, zorder=1)
    for name, (colour, marker) in _LOOKS.items():
        part = rows[rows["class"] == name]
        if len(part):
            axes.scatter(part[options.on] / scale, part["latency_s"] * factor, color=colour, marker=marker, s=38,
                         edgecolor="white", linewidth=0.5, zorder=3, label=f"{name} ({len(part)})")  # fmt: skip
    _intervals(axes, rows, rows[options.on] / scale, factor)
    ends = np.array([rows[options.on].min(), rows[options.on].max()], dtype=float)
    axes.plot(ends / scale, (line["slope"] * ends + line["intercept"]) * factor, color=GREY, linestyle="--",
              linewidth=1.2, zorder=2, label=f"line, r = {line['r']:.3f}")  # fmt: skip
    axes.set_xlabel(f"{'operations' if options.on == 'flops' else 'MACs'} of the layer, {unit} ({options.ops})")
    axes.set_ylabel(f"latency, {time_unit}")
    axes.grid(visible=True)
    axes.legend(fontsize=8, loc="upper left", bbox_to_anchor=(1.0, 1.0))
    _top_axis(axes, rows, scale, options)
    platform = rows["platform"].iloc[0]
    axes.set_title(pretty(group.replace(platform, board_name(platform))), pad=26)


def _bars(axes, group, rows, _lines, _options):
    """Draw a bar per size, the smallest above, as the study's figure of one layer."""
    factor, unit = _time_unit(rows)
    means = rows.groupby("length")["latency_s"].mean().sort_index().iloc[:_MOST_BARS] * factor
    names = [_class(length, most=16 if rows["low_s"].notna().any() else 4) for length in means.index]
    axes.barh(range(len(means)), means, color=[_LOOKS[name][0] for name in names], height=0.75)
    axes.set_yticks(range(len(means)), [f"{length:g}" for length in means.index.astype(float)], fontsize=8)
    axes.set_ylim(len(means) - 0.4, -0.6)
    axes.set_xlabel(f"latency, {unit}")
    axes.set_ylabel(str(rows["swept"].iloc[0]))
    axes.grid(axis="x")
    for name in [name for name in _LOOKS if name in names]:
        axes.barh(0, 0, color=_LOOKS[name][0], label=f"{name} ({names.count(name)})")
    axes.legend(fontsize=8, loc="upper left", bbox_to_anchor=(1.0, 1.0))
    more = rows["length"].nunique() - len(means)
    title = group.replace(rows["platform"].iloc[0], board_name(rows["platform"].iloc[0]))
    axes.set_title(pretty(title) + (f" (the first {len(means)} sizes of {len(means) + more})" if more > 0 else ""))


def _time_unit(rows):
    """Return the factor from seconds and the unit in which the longest latency reads well."""
    longest = rows["latency_s"].max()
    return (1e6, "us") if longest < 1e-3 else (1e3, "ms") if longest < 1 else (1.0, "s")


def _intervals(axes, rows, x, factor):
    """Draw the 95 % intervals of our own cases; published layers have none."""
    known = rows["low_s"].notna()
    if known.any():
        low, high = (rows.loc[known, name].astype(float) * factor for name in ("low_s", "high_s"))
        axes.vlines(x[known], low, high, color=GREY, linewidth=0.9, zorder=1.5, label="95 % interval")


def _top_axis(axes, rows, scale, options):
    """Show the swept size above, at a few of its values."""
    ordered = rows.drop_duplicates("length").sort_values("length")
    shown = ordered.iloc[:: max(1, len(ordered) // 7)]
    top = axes.twiny()
    top.set_xlim(axes.get_xlim())
    top.set_xticks(list(shown[options.on] / scale), [f"{value:g}" for value in shown["length"].astype(float)])
    top.set_xlabel(str(rows["swept"].iloc[0]), fontsize=8.5)
    top.tick_params(length=0, labelsize=8)
    top.spines[:].set_visible(False)


def _unit(values):
    top = float(values.max())
    return (1e9, "10^9") if top >= 2e9 else (1e6, "millions") if top >= 2e6 else (1e3, "thousands")


def _title(tables):
    lines, classes = tables[NAME], tables["classes"]
    worst = lines.loc[lines["r"].abs().idxmin()] if lines["r"].notna().any() else lines.iloc[0]
    group = classes[classes["group"] == worst["group"]]
    fast = group.loc[group["off_the_line_pct"].idxmin()]
    slow = group.loc[group["off_the_line_pct"].idxmax()]
    name = " ".join(board_name(word) for word in worst["group"].split(" "))
    spread = ""
    off = group["off_the_line_pct"].abs().max()
    chance = float(group["p"].iloc[0])
    if chance > _CHANCE:
        spread = f": no multiple is clearly liked better than others (p = {chance:.2f})"
    elif off < _WORTH_SAYING_PCT:
        spread = f": no class of sizes lies more than {off:.1f} % off the line"
    elif fast["class"] != slow["class"]:
        spread = (
            f": sizes that are {_plural(fast['class'])} lie {abs(fast['off_the_line_pct']):.1f} % below the line, "
            f"{_plural(slow['class'])} {abs(slow['off_the_line_pct']):.1f} % above"
        )
    mean = format_duration(float(group["mean_latency_s"].mean()))
    return (
        f"{pretty(name)}{spread}\n{count_noun(len(lines), 'sweep')}; in the least linear one r = {worst['r']:.3f}, "
        f"n = {worst['n']}, mean {mean}"
    )


def _plural(name):
    return name.replace("multiple", "multiples")
