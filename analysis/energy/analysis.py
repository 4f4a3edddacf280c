"""Energy against latency: a line per board or machine, whose slope is the mean power it draws."""

import pandas as pd

from nntest.analyses.bars import set_heading
from nntest.analyses.boards import SHORT, board_name, variants
from nntest.analyses.names import count_noun, listed, pretty
from nntest.analyses.selection import exclusion_reasons, filter_rows
from nntest.analyses.style import BLUE, GREEN, GREY, MARKERS, ORANGE, PURPLE, VERMILLION, empty_figure, new_figure
from nntest.statistics.line import fit_line

NAME = "energy"
COLUMNS = ["group", "slope", "intercept", "r", "p", "stderr", "n", "x", "y", "mean_power_w"]
POINTS = ["group", "model", "variant", "layer", "latency_s", "energy_j", "relative_latency", "relative_energy", "own"]
POOLED = "all"
NOTHING = (
    "No row holds both a latency and an energy; energies come with imported points (nntest convert), and with points "
    "of machines whose counters can be read (nntest doctor says whether, and why not)."
)
#: What the energies of our own points are of; those of boards are of the whole board.
OWN = "energy of the package above the idle machine's"
_CASE = ["repo", "case_id", "subject_id", "platform_id", "platform", "program", "shape"]
_COLOURS = {"NUCLEO_L496ZG": BLUE, "DISCO_F469NI": ORANGE, "NUCLEO_F767ZI": GREEN}
_OTHERS = (VERMILLION, PURPLE, GREY)


def table(source, options):
    """Return a regression per board and one over all; part ``points`` holds what was fitted."""
    if options.level == "whole":
        rows = filter_rows(source.points, options.where, where=NAME)
        rows = rows[exclusion_reasons(rows, include=options.include).isna()]
    else:
        rows = source.layers
        rows = None if rows is None else filter_rows(rows, options.where, where=NAME)
    points = _points(rows, options)
    x, y = ("latency_s", "energy_j") if options.scale == "absolute" else ("relative_latency", "relative_energy")
    found = []
    groups = [*points.groupby("group", sort=True), *([(POOLED, points)] if points["group"].nunique() > 1 else [])]
    for group, part in groups:
        line = fit_line(part[x], part[y])
        power = line.slope if options.scale == "absolute" and group != POOLED else float("nan")
        found.append({"group": group, **vars(line), "x": x, "y": y, "mean_power_w": power})
    return {NAME: pd.DataFrame(found, columns=COLUMNS), "points": points}


def chart(tables, options):
    """Draw the points and a line with its 95 % band per board."""
    main, points = tables[NAME], tables["points"]
    if points.empty:
        return empty_figure(NOTHING)
    absolute = options.scale == "absolute"
    x, y = main["x"].iloc[0], main["y"].iloc[0]
    figure = new_figure(9, 5.6)
    axes = figure.add_subplot()
    wide, wide_unit = _scale(points[x], "s") if absolute else (1.0, "")
    high, high_unit = _scale(points[y], "J") if absolute else (1.0, "")
    order = [name for name in (*SHORT, *sorted(set(points["group"]) - set(SHORT))) if name in set(points["group"])]
    for number, name in enumerate(order):
        part = points[points["group"] == name]
        colour = _COLOURS.get(name, _OTHERS[number % len(_OTHERS)])
        marker = MARKERS[number % len(MARKERS)]
        axes.scatter(part[x] * wide, part[y] * high, s=34, marker=marker, color=colour, zorder=3,
                     edgecolor="white", linewidth=0.5, label=_label(main, name, absolute=absolute))  # fmt: skip
        _line(axes, part[x] * wide, part[y] * high, colour)
    of = " of a layer" if options.level == "layer" else ""
    unit = (f"latency{of}, {wide_unit}", f"energy{of}, {high_unit}")
    relative = (
        ("share of the inference's latency", "share of the inference's energy")
        if options.level == "layer"
        else ("latency, relative to the board's largest", "energy, relative to the board's largest")
    )
    axes.set_xlabel((unit if absolute else relative)[0])
    axes.set_ylabel((unit if absolute else relative)[1])
    axes.set_xlim(left=0)
    axes.set_ylim(bottom=0)
    axes.grid(visible=True)
    axes.legend(loc="upper left", bbox_to_anchor=(1.0, 1.0))
    set_heading(figure, _title(main, points, options))
    return figure


def finding(tables, options):
    """Say what power the slopes mean."""
    return (
        _title(tables[NAME], tables["points"], options).replace("\n", ". ") + "." if len(tables["points"]) else NOTHING
    )


def _points(rows, options):
    if rows is None or rows.empty:
        return pd.DataFrame(columns=POINTS)
    rows = rows.assign(latency_s=rows["time_us"] * 1e-6, energy_j=rows["energy_mj"] * 1e-3)
    rows = rows.dropna(subset=["latency_s", "energy_j"])
    if options.level == "whole" and "case_id" in rows:
        own = rows["case_id"].notna() & (rows["trust"] != "imported").fillna(value=True)
        rows = pd.concat([rows[~own], _own(rows[own])], ignore_index=True)
    whole = [rows["platform"]] if options.level == "whole" else [rows["repo"], rows["experiment"], rows["point"]]
    how = "max" if options.level == "whole" else "sum"
    for name, column in (("relative_latency", "latency_s"), ("relative_energy", "energy_j")):
        rows[name] = rows[column] / rows.groupby(whole, observed=True)[column].transform(how)
    rows["group"] = rows["platform"].astype("string")
    own = rows["energy_of"] == OWN if "energy_of" in rows else pd.Series(data=False, index=rows.index)
    rows["variant"] = variants(rows).mask(own, rows["program"].astype("string"))
    rows["layer"] = rows.get("label", "")
    rows["own"] = own
    return rows[POINTS].sort_values(["group", "model", "variant"], kind="stable").reset_index(drop=True)


def _own(rows):
    """Return a row per case of ours: the medians of its samples, of which each is only as good as the counters."""
    keys = [key for key in _CASE if key in rows]
    medians = rows.groupby(keys, observed=True, dropna=False, sort=False)[["latency_s", "energy_j"]].median()
    first = rows.drop_duplicates(keys).drop(columns=["latency_s", "energy_j"])
    cases = first.merge(medians.reset_index(), on=keys, how="left")
    return cases.assign(model=cases["shape"].astype("string"), energy_of=OWN)


def _scale(values, unit):
    """Return a factor and the unit in which the largest value is a number from 1 to 1,000."""
    top = float(values.abs().max())
    for factor, prefix in ((1.0, ""), (1e3, "m"), (1e6, "u")):
        if top * factor >= 1.0:
            return factor, prefix + unit
    return 1e6, f"u{unit}"


def _label(main, name, *, absolute):
    row = main[main["group"] == name].iloc[0]
    power = f": {_power(row['mean_power_w'])}" if absolute and row["n"] > 2 else ""
    return f"{pretty(board_name(name))}{power} (r = {row['r']:.3f}, n = {row['n']})"


def _power(watts):
    return f"{watts:,.1f} W" if watts >= 1 else f"{watts * 1e3:,.0f} mW"


def _line(axes, x, y, colour):
    import numpy as np
    from scipy.stats import t

    line = fit_line(x, y)
    if line.n <= 2 or line.slope != line.slope:
        return
    grid = np.linspace(0, float(x.max()), 60)
    middle = line.slope * grid + line.intercept
    spread = float(((y - line.slope * x - line.intercept) ** 2).sum() / (line.n - 2)) ** 0.5
    band = (
        t.ppf(0.975, line.n - 2) * spread * np.sqrt(1 / line.n + (grid - x.mean()) ** 2 / ((x - x.mean()) ** 2).sum())
    )
    axes.plot(grid, middle, color=colour, linewidth=1.3)
    axes.fill_between(grid, middle - band, middle + band, color=colour, alpha=0.15, linewidth=0)


def _title(main, points, options):
    boards = main[main["group"] != POOLED]
    own = int(points["own"].sum())
    of = {"layer": "layer", "whole": "inference"}[options.level]
    what = ", ".join(
        text
        for count, text in (
            (len(points) - own, count_noun(len(points) - own, of)),
            (own, f"{count_noun(own, 'case')} of ours ({OWN})"),
        )
        if count
    )
    if options.scale == "absolute":
        powers = [f"{board_name(row.group)} {_power(row.slope)}" for row in boards.itertuples()]
        return f"Energy follows latency: mean power (slope) of {listed(powers)}\n{what}; band: 95 % of the line"
    pooled = main.iloc[-1]
    fit = f"a slope of {pooled['slope']:.3f} (r = {pooled['r']:.4f})"
    return f"Relative energy follows relative latency with {fit}\n{what}"
