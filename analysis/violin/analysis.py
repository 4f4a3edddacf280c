"""Violin: how the samples of each shape are distributed, one panel per platform, operator or library."""

import numpy as np

from nntest.analyses.bars import drawable, legend, plain_number, set_heading, set_log_axis
from nntest.analyses.columns import CASE, present, require
from nntest.analyses.names import (
    count_noun,
    natural_key,
    pretty,
    question_labels,
    question_noun,
    shortened,
    subject_labels,
)
from nntest.analyses.options import Options
from nntest.analyses.selection import select
from nntest.analyses.style import FAINT, empty_figure, new_figure, ordered_subjects, subject_styles
from nntest.errors import UsageError
from nntest.model.species import SPECIES

NAME = "violin"
KERNEL = "kernel"
#: With fewer samples a density says more about its bandwidth than about the data.
MIN_DENSITY = 5
LOG_FROM = 20
#: With more marks they become one picture inside the chart.
MAX_MARKS = 1500
#: Rows that one panel shows; a longer one would be no picture.
MAX_SHAPES = 40
LABELS = {"time_us": "time of one call, µs", "time_ms": "time of one call, ms", "gflops": "GFLOPS"}
#: Times that are all longer are drawn in milliseconds.
MS_FROM_US = 10_000


def table(source, options):
    """Return the samples drawn: the case columns, launch, round, repetition and the metric."""
    points = _kernels(source) if options.group_by == KERNEL else source.points
    require(points, ["time_us", options.metric, options.group_by], where=NAME)
    # kernels are of profiled points alone
    asked = Options({**options, "include": (*options.include, "profiled")}) if options.group_by == KERNEL else options
    ranked = select(points, asked, where=NAME).ranked
    columns = [*CASE, "session", "launch", "round", "repetition", "trust", KERNEL, options.metric]
    return {NAME: ranked[ranked[options.metric].notna()][present(ranked, columns)].reset_index(drop=True)}


def chart(tables, options):
    """Draw one panel per group and species; y is the shape, within it one row per program."""
    samples = tables[NAME]
    if samples.empty:
        return empty_figure(f"No sample has a value of {options.metric}.")
    samples = samples.assign(
        _subject=subject_labels(samples),
        _row=question_labels(samples, without=("species", options.group_by)),
        _group=samples[options.group_by].astype("string").fillna("unknown"),
        _species=samples["species"].astype("string").fillna("") if "species" in samples else "",
    )
    subjects = ordered_subjects(
        samples[["_subject", "library"]].astype("string").drop_duplicates().itertuples(index=False, name=None)
    )
    styles = subject_styles(subjects)
    samples, unit = _in_unit(samples, options)
    panels = [(key, frame) for key, frame in samples.groupby(["_group", "_species"], sort=True)]
    # panels of one species are read against each other
    ends = samples.groupby("_species")["_value"].agg(["min", "max"])
    heights = [_slots(frame) for _, frame in panels]
    figure = new_figure(9.0, 1.1 + 0.62 * len(panels) + 0.17 * sum(heights))
    grid = figure.subplots(len(panels), 1, squeeze=False, gridspec_kw={"height_ratios": [h + 3.0 for h in heights]})
    for axes, ((group, species), frame) in zip(grid[:, 0], panels, strict=True):
        _panel(axes, frame, styles, options, ends.loc[species], rasterised=len(samples) > MAX_MARKS)
        axes.set_xlabel(f"{LABELS[unit]}{axes.get_xlabel()}")
        axes.set_title(shortened(_panel_title(group, species), 90))
    set_heading(figure, _title(samples, options))
    _legend_above(grid[0, 0], styles)
    return figure


def finding(tables, options):
    """Say how much the samples of a case scatter, and which case scatters most."""
    samples = tables[NAME]
    if samples.empty:
        return ""
    spread = _spread(samples, options.metric)
    subject, question = spread.idxmax()
    return (
        f"Half of the samples of a case lie within {spread.median():.1f} % of each other (median of "
        f"{count_noun(len(spread), 'case')}); {subject} on {question} scatters most, {spread.max():.1f} %."
    )


def _kernels(source):
    """Return the kernels that a profiler saw, one row per repetition and kernel."""
    kernels = source.kernels
    if kernels is None or kernels.empty:
        raise UsageError(f"{NAME}: no point tells its kernels; measure under a profiler, or group by another column")
    return kernels


def _in_unit(samples, options):
    """Return the samples with ``_value``, what is drawn of each, and the name of its unit in `LABELS`."""
    values = samples[options.metric].astype("float64")
    if options.metric == "time_us" and not options.xmax and values.min() >= MS_FROM_US:
        return samples.assign(_value=values / 1e3), "time_ms"
    return samples.assign(_value=values), options.metric


def _panel(axes, frame, styles, options, ends, *, rasterised):
    rows, shown = _rows(frame)
    frame = frame[frame["_row"].isin(shown)]
    low, top = float(ends["min"]), options.xmax or float(ends["max"])
    logarithmic = options.scale == "log" or (options.scale == "auto" and low > 0 and top / low > LOG_FROM)
    if logarithmic:
        room = (top / low) ** 0.03
        set_log_axis(axes, low / room, top * room)
    position = 0.0
    ticks, borders = [], []
    for row in shown:
        here = frame[frame["_row"] == row]
        present_subjects = [label for label in styles if (here["_subject"] == label).any()]
        start = position
        for label in present_subjects:
            values = here.loc[here["_subject"] == label, "_value"].to_numpy(dtype=float)
            _one(axes, values[values <= top], position, styles[label], logarithmic=logarithmic, rasterised=rasterised)
            position += 1
        ticks.append((start + position - 1) / 2)
        position += 0.5
        borders.append(position - 0.75)
    for border in borders[:-1]:
        axes.axhline(border, color=FAINT, linewidth=1.0, linestyle=":")
    axes.set_yticks(ticks, [shortened(row) for row in shown])
    axes.set_ylim(position - 0.75, -0.75)
    axes.grid(axis="x")
    if not logarithmic:
        axes.set_xlim(0, top * 1.03)
        if options.xstep:
            axes.set_xticks(np.arange(0, top + options.xstep / 2, options.xstep))
        axes.xaxis.set_major_formatter(lambda value, _: plain_number(value))
    more = f" (the first {len(shown)} of {len(rows)} rows)" if len(rows) > len(shown) else ""
    axes.set_xlabel((", logarithmic" if logarithmic else "") + more)


def _one(axes, values, position, style, *, logarithmic, rasterised):
    dense = values.size >= MIN_DENSITY and np.ptp(values) > 0
    if dense:
        grid, width = _density(values, logarithmic=logarithmic)
        axes.fill_between(
            grid, position - width, position + width, facecolor=style["color"], edgecolor=style["edge"], linewidth=0.6,
            hatch=style["hatch"],
        )  # fmt: skip
    axes.scatter(
        values, np.full(values.size, position), s=9, marker=style["marker"],
        facecolor="white" if dense else style["color"], edgecolor=style["edge"], linewidth=0.6, zorder=3,
        rasterized=rasterised,
    )  # fmt: skip


def _density(values, *, logarithmic):
    """Return places along x and the half width there, at most 0.475; nothing is drawn beyond the samples.

    Gaussian kernels by Scott's rule (Scott 1992), in the axis' own scale, as seaborn draws them; that takes a hundred
    times as long for each.
    """
    from scipy.stats import gaussian_kde

    there = np.log(values) if logarithmic else values
    grid = np.linspace(there.min(), there.max(), 60)
    density = gaussian_kde(there)(grid)
    return (np.exp(grid) if logarithmic else grid), 0.475 * density / density.max()


def _slots(frame):
    _, shown = _rows(frame)
    pairs = frame[["_row", "_subject"]].drop_duplicates()
    return len(pairs[pairs["_row"].isin(shown)]) + 0.5 * len(shown)


def _rows(frame):
    """Return the rows of a panel, and those of them that it has room for."""
    counts = frame[["_row", "_subject"]].drop_duplicates()["_row"].value_counts()
    rows = sorted(counts.index, key=natural_key)
    return rows, rows[: drawable([counts[row] for row in rows[:MAX_SHAPES]])]


def _panel_title(group, species):
    name = f"{pretty(group)}: {species}" if species and species != group else pretty(group)
    return f"{name}  ({SPECIES[species].axes})" if species in SPECIES else name


def _legend_above(axes, styles):
    legend(axes, styles, kind="marker")
    box = axes.get_legend().get_window_extent()
    # long names take more rows
    axes.set_title(axes.get_title(loc="left"), pad=12 + box.height * 72 / axes.figure.dpi)


def _spread(samples, metric):
    """Return the distance of the quartiles of each case, in percent, by what answered and what was asked."""
    questions = question_labels(samples)
    if KERNEL in samples:
        questions = questions + ", " + samples[KERNEL].astype("string").fillna("?")
    groups = samples.groupby([subject_labels(samples), questions])[metric]
    return 100 * (groups.quantile(0.75) / groups.quantile(0.25) - 1)


def _title(samples, options):
    what = {"time_us": "Times", "gflops": "GFLOPS"}[options.metric]
    rows = count_noun(samples["_row"].nunique(), question_noun(samples))
    return f"{what} of {rows}: half of a case's samples lie within {_spread(samples, options.metric).median():.1f} %"
