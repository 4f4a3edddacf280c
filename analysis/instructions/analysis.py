"""Instructions: how many a call is, as an emulator counts them. A count is a cost, and no time."""

import numpy as np

from nntest.analyses.bars import MAX_GROUPS, legend, set_heading, set_log_axis
from nntest.analyses.cases import joined_cells
from nntest.analyses.columns import CASE, present, require
from nntest.analyses.grouping import floats
from nntest.analyses.names import (
    count_noun,
    question_labels,
    question_noun,
    shortened,
    sort_naturally,
    subject_labels,
)
from nntest.analyses.selection import select
from nntest.analyses.style import INK, empty_figure, new_figure, ordered_subjects, subject_styles
from nntest.analyses.work import works
from nntest.analyses.workloads import group_cases

NAME = "instructions"
NOTHING = (
    "These points hold no counts of instructions; `nntest run --instructions --target=linux-arm64-qemu` takes them."
)
SAID = "counts of an emulator, no times"


def table(source, options):
    """Return one row per case: the median count of a call, the smallest and the largest, operations per instruction.

    The operations are those of ``gflops``; of whole numbers, which have no GFLOPS, those that the shape's name tells.
    """
    require(source.points, ["instructions"], where=NAME)
    points = select(source.points, options, where=NAME).ranked
    points = points[points["instructions"].notna()]
    groups, cases = group_cases(points)
    counts = floats(points["instructions"])
    low, middle, high = groups.quantiles(counts, (0.0, 0.5, 1.0))
    cases["count"] = groups.count(counts)
    cases["instructions"], cases["lowest"], cases["highest"] = middle, low, high
    cases["spread_pct"] = (high - low) / middle * 100
    operations = groups.median(_operations(points))
    cases["operations_per_instruction"] = np.where(np.isnan(operations), _named_operations(cases), operations) / middle
    if "dataset" in points:
        cases["dataset"] = joined_cells(points["dataset"], groups.codes).reindex(range(len(groups))).to_numpy()
    measured = ["count", "instructions", "lowest", "highest", "spread_pct", "operations_per_instruction"]
    return {NAME: sort_naturally(cases[[*present(cases, CASE), *measured]])}


def chart(tables, _options):
    """Draw one row per question, a mark per program in it, on a logarithmic axis; a line joins lowest and highest."""
    main = tables[NAME]
    if main.empty:
        return empty_figure(NOTHING)
    main = main.assign(_subject=subject_labels(main), _row=question_labels(main))
    pairs = main[["_subject", "library"]].astype("string").drop_duplicates().itertuples(index=False, name=None)
    styles = subject_styles(ordered_subjects(pairs))
    rows = list(dict.fromkeys(main["_row"]))
    scale, unit = (1e-3, " in thousands,") if main["highest"].max() >= 1e6 else (1.0, "")
    shown = rows[:MAX_GROUPS]
    figure = new_figure(9.0, 1.7 + 0.3 * len(shown) + 0.2 * (len(styles) // 3))
    axes = figure.add_subplot()
    main["_y"] = _places(main, rows, list(styles))
    for label, own in main[main["_row"].isin(shown)].groupby("_subject", sort=False):
        style = styles[label]
        axes.hlines(own["_y"], own["lowest"] * scale, own["highest"] * scale, color=INK, linewidth=1.0, zorder=2)
        axes.scatter(own["instructions"] * scale, own["_y"], s=30, marker=style["marker"], facecolor=style["color"],
                     edgecolor=style["edge"], linewidth=0.8, zorder=3)  # fmt: skip
    set_log_axis(axes, max(main["lowest"].min(), 1) * scale / 1.4, main["highest"].max() * scale * 1.4)
    axes.set_yticks(range(len(shown)), [shortened(row) for row in shown])
    axes.set_ylim(len(shown) - 0.4, -0.6)
    axes.grid(axis="x")
    more = f" (the first {len(shown)} of {len(rows)} rows; the table has all)" if len(rows) > len(shown) else ""
    axes.set_xlabel(f"instructions of one call,{unit} logarithmic{more}")
    set_heading(figure, f"Instructions of one call, by {question_noun(main)}: {SAID}")
    legend(axes, styles, kind="marker")
    return figure


def finding(tables, _options):
    """Say how far the counts of a case lie apart, and that they are no times."""
    main = tables[NAME]
    if main.empty:
        return NOTHING
    words = [f"{count_noun(len(main), 'case')} with {SAID}: how long an instruction takes depends on the hardware."]
    several = main[main["count"] > 1]
    if len(several):
        words.append(_agreement(several["spread_pct"]))
    return " ".join(words)


def _agreement(spreads):
    """Say how many of several cases count the same in each sample, and how far the others' samples lie apart."""
    apart = spreads[spreads > 0]
    alike = len(spreads) - len(apart)
    most = f"{spreads.max():.2g} % apart"
    if len(spreads) == 1:
        return f"The one case with several samples counts {'the same in each' if alike else f'up to {most}'}."
    who = f"Of {len(spreads):,} cases with several samples,"
    if not alike:
        return f"{who} none counts the same in each; they lie {most} at most."
    if not len(apart):
        return f"{who} all count the same in each."
    rest = "those of the other lie" if len(apart) == 1 else "those of the others lie"
    return f"{who} {alike:,} {'counts' if alike == 1 else 'count'} the same in each; {rest} {most} at most."


def _places(main, rows, labels):
    """Return where each mark stands: in its question's row, those of several programs one below the other."""
    subjects = {row: sorted(set(own), key=labels.index) for row, own in main.groupby("_row", sort=False)["_subject"]}
    return [
        rows.index(row) + ((subjects[row].index(label) + 0.5) / len(subjects[row]) - 0.5) * 0.6
        for row, label in zip(main["_row"], main["_subject"], strict=True)
    ]


def _named_operations(cases):
    """Return the operations of one call by the name of its shape, NaN where it does not tell."""
    return np.array([np.nan if work is None else work.flops for work in works(cases)])


def _operations(points):
    """Return the operations of one call: its GFLOPS times its time, in which the time is no part any more."""
    if "gflops" not in points or "time_us" not in points:
        return np.full(len(points), np.nan)
    return floats(points["gflops"]) * floats(points["time_us"]) * 1e3
