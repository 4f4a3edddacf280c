"""Profile: which kernels a case spends its time in, where a profiler was on."""

import numpy as np
import pandas as pd

from nntest.analyses.amounts import amount_bars, first_groups, format_amount
from nntest.analyses.bars import Bar, Group
from nntest.analyses.columns import CASE, present, require
from nntest.analyses.grouping import floats, group_rows
from nntest.analyses.names import count_noun, listed, question_labels, sort_naturally, subject_labels
from nntest.analyses.selection import exclusion_reasons, filter_rows
from nntest.analyses.style import empty_figure
from nntest.analyses.workloads import group_cases
from nntest.errors import UsageError

NAME = "profile"
NOTHING = "No kernel times in these points: run with a profiler (--dvdt_prof), or choose other points."
MEASURED = ("kernel", "count", "time_us", "share")


def table(source, options):
    """Return the mean time of each kernel per repetition, its calls, and its share of its case."""
    if source.points.empty:
        raise UsageError(f"{NAME}: no rows were found; check the source, --tags and --where")
    kernels = source.kernels
    if kernels is None or kernels.empty:
        return {NAME: pd.DataFrame(columns=[*CASE, *MEASURED])}
    require(kernels, ["kernel", "time_us"], where=NAME)
    kernels = filter_rows(kernels, options.where, where=NAME)
    kernels = kernels[exclusion_reasons(kernels, include=(*options.include, "profiled")).isna()].reset_index(drop=True)
    if kernels.empty:
        return {NAME: pd.DataFrame(columns=[*CASE, *MEASURED])}
    cases, keys = group_cases(kernels)
    times = floats(kernels["time_us"])
    kept = present(kernels, ["kernel", "repo", "experiment", "point", "session", "repetition"])
    keyed = kernels[kept].assign(_case=cases.codes)
    runs = group_rows(keyed, ["_case", "repo", "experiment", "point", "session", "repetition"])
    repetitions = np.bincount(cases.codes[runs.first], minlength=len(cases))
    groups = group_rows(keyed, ["_case", "kernel"])
    owner = cases.codes[groups.first]
    result = keys.iloc[owner].reset_index(drop=True)
    result["kernel"] = kernels["kernel"].astype("string").to_numpy()[groups.first]
    result["count"] = groups.count(times) / repetitions[owner]
    result["time_us"] = groups.total(times) / repetitions[owner]
    result["share"] = result["time_us"] / np.bincount(owner, weights=result["time_us"])[owner]
    result = result.sort_values("time_us", ascending=False, kind="stable")
    return {NAME: sort_naturally(result)[[*present(result, CASE), *MEASURED]]}


def chart(tables, _options):
    """Draw a group of bars per case, one bar per kernel."""
    main = tables[NAME]
    if main.empty:
        return empty_figure(NOTHING)
    title = _title(main)
    main, total = first_groups(main, CASE)
    main = main.assign(_label=subject_labels(main) + "\n" + question_labels(main))
    groups = [
        Group(
            str(label),
            tuple(
                Bar(
                    subject=str(row.library),
                    library=str(row.library),
                    value=row.time_us,
                    label=f"{row.kernel}  {format_amount(row.time_us)} ({100 * row.share:.1f} %)",
                )
                for row in rows.itertuples()
            ),
        )
        for label, rows in main.groupby("_label", sort=False)
    ]
    return amount_bars(groups, title=title, xlabel="µs per repetition (share of the case's kernels)", total=total)


def finding(tables, _options):
    """Say which kernels take most."""
    main = tables[NAME]
    if main.empty:
        return NOTHING
    total = main.groupby("kernel")["time_us"].sum().sort_values(ascending=False)
    top = listed(f"{name} {100 * value / total.sum():.0f} %" for name, value in total.head(3).items())
    return f"{_title(main)}. Over all cases: {top}."


def _title(main):
    cases = len(group_rows(main, CASE))
    return f"{count_noun(main['kernel'].nunique(), 'kernel')} in {count_noun(cases, 'case')}"
