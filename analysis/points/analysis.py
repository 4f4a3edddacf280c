"""Points: every case with its typical time, its scatter and its trust; failed ones apart, with the reason."""

import numpy as np
import pandas as pd

from nntest.analyses.bars import set_heading, set_log_axis
from nntest.analyses.cases import joined_cells
from nntest.analyses.columns import CASE, present, require
from nntest.analyses.grouping import floats
from nntest.analyses.names import count_noun, natural_key, pretty, sort_naturally, subject_labels
from nntest.analyses.selection import exclusion_reasons, filter_rows
from nntest.analyses.style import FAINT, empty_figure, new_figure, ordered_subjects, subject_styles
from nntest.analyses.workloads import group_cases
from nntest.errors import UsageError

NAME = "points"
#: A case that any of these hold for has no time of its own.
FAILED = ("failed", "wrong", "no time")
SURE = ("stable", "imported")
MAX_ROWS = 40


def table(source, options):
    """Return one row per case; the part ``failed`` has those without a valid time."""
    points = filter_rows(source.points, options.where, where=NAME)
    require(points, ["time_us"], where=NAME)
    if points.empty:
        raise UsageError(f"{NAME}: no rows were found; check the source, --tags and --where")
    reasons = exclusion_reasons(points, include=options.include)
    return {NAME: _cases(points[reasons.isna()]), "failed": _failed(points, reasons)}


def chart(tables, _options):
    """Draw a dot for the median of each case, one row per program (or library) and model."""
    main = tables[NAME]
    if main.empty:
        return empty_figure("No case has a time.")
    kind = "species" if "species" in main and main["species"].notna().any() else "model"
    groups = main[kind].astype("string").fillna("unknown") if kind in main else pd.Series("", index=main.index)
    unit, scale = ("ms", 1e-3) if main["median_us"].min() >= 1000 else ("µs", 1.0)
    main = main.assign(_subject=subject_labels(main), _row=groups, _time=main["median_us"] * scale)
    pairs = ordered_subjects(
        main[["_subject", "library"]].astype("string").drop_duplicates().itertuples(index=False, name=None)
    )
    styles = subject_styles(pairs)
    rows = sorted(
        main[["_row", "_subject"]].drop_duplicates().itertuples(index=False, name=None),
        key=lambda pair: (natural_key(pair[0]), list(styles).index(pair[1])),
    )
    shown = rows[:MAX_ROWS]
    figure = new_figure(9.0, 1.6 + 0.3 * len(shown))
    axes = figure.add_subplot()
    spread = np.random.default_rng(0)
    for place, (row, subject) in enumerate(shown):
        here = main[(main["_row"] == row) & (main["_subject"] == subject)]
        y = place + spread.uniform(-0.24, 0.24, len(here))
        sure = here["trust"].astype("string").fillna("").isin(SURE).to_numpy()
        style = styles[subject]
        for mask, face in ((sure, style["color"]), (~sure, "white")):
            axes.scatter(
                here["_time"].to_numpy()[mask], y[mask], s=18, marker=style["marker"], facecolor=face,
                edgecolor=style["edge"], linewidth=0.8, zorder=3, rasterized=len(main) > 2000,
            )  # fmt: skip
    for place in range(1, len(shown)):
        if shown[place][0] != shown[place - 1][0]:
            axes.axhline(place - 0.5, color=FAINT, linewidth=1.0)
    low, high = main["_time"].min(), main["_time"].max()
    set_log_axis(axes, low / 1.4, high * 1.4)
    axes.set_yticks(range(len(shown)), [f"{pretty(row)}: {subject}" if row else subject for row, subject in shown])
    axes.set_ylim(len(shown) - 0.4, -0.6)
    axes.grid(axis="x")
    more = f" (the first {len(shown)} of {len(rows)} rows)" if len(rows) > len(shown) else ""
    axes.set_xlabel(f"median time of one call, {unit}, logarithmic; a hollow mark is not stable{more}")
    set_heading(figure, _title(tables))
    return figure


def finding(tables, _options):
    """Say how many cases there are, how far they can be trusted, and why others failed."""
    main, failed = tables[NAME], tables["failed"]
    words = [f"{_title(tables)}."]
    if len(main):
        scatter = (main["mad_us"] / main["median_us"]).median() * 100
        words.append(f"The typical case's samples scatter by {scatter:.1f} % around its median (MAD).")
    if len(failed):
        first = failed["reason"].value_counts()
        reason = str(first.index[0]).splitlines()[0][:160]
        words.append(f"The most frequent reason of failure, {count_noun(int(first.iloc[0]), 'case')}: {reason}")
    return " ".join(words)


def _cases(points):
    groups, cases = group_cases(points)
    times = floats(points["time_us"])
    median, p95 = groups.quantiles(times, (0.5, 0.95))
    cases["count"] = groups.count(times)
    cases["median_us"] = median
    cases["min_us"] = groups.minimum(times)
    cases["mad_us"] = groups.median(np.abs(times - median[groups.codes]))
    cases["p95_us"] = p95
    # operations are the same in all rows of a case, so its GFLOPS follow from its median time
    work = floats(points["gflops"]) * times if "gflops" in points else np.full(len(points), np.nan)
    cases["gflops"] = groups.median(work) / median
    cases["trust"] = _trust(points, groups) if "trust" in points else pd.NA
    if "dataset" in points:
        cases["dataset"] = joined_cells(points["dataset"], groups.codes).reindex(range(len(groups))).to_numpy()
    keys = present(cases, CASE)
    return sort_naturally(cases[[*keys, "count", "median_us", "min_us", "mad_us", "p95_us", "gflops", "trust"]])


def _trust(points, groups):
    if points["trust"].nunique(dropna=False) == 1:
        return points["trust"].iloc[groups.first].astype("string").to_numpy()
    return joined_cells(points["trust"], groups.codes).reindex(range(len(groups))).to_numpy()


def _failed(points, reasons):
    rows = points[reasons.isin(FAILED)]
    keys = present(rows, CASE)
    told = rows["fail_reason"].astype("string") if "fail_reason" in rows else pd.Series(pd.NA, rows.index, "string")
    table = rows[keys].assign(reason=told.fillna(reasons[rows.index].astype("string")))
    return sort_naturally(table.drop_duplicates().reset_index(drop=True))


def _title(tables):
    main, failed = tables[NAME], tables["failed"]
    trust = main["trust"].astype("string").fillna("unknown").value_counts()
    words = ", ".join(f"{count:,} {word}" for word, count in trust.items())
    said = f"{count_noun(len(main), 'case')}" + (f" ({words})" if words else "")
    return f"{said}, {len(failed):,} failed" if len(failed) else said
